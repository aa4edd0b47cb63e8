-- +goose Up

-- A second factor of a person. What it is checked against is sealed: a TOTP seed is as good as a password in clear.
CREATE TABLE factor (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL,
    kind       TEXT NOT NULL,   -- TOTP or PASSKEY
    name       TEXT NOT NULL,   -- as its owner calls it
    key_id     TEXT UNIQUE,     -- of a passkey: its credential id; NULL for others
    sealed     BYTEA NOT NULL,  -- TOTP: the seed; passkey: its record
    counter    BIGINT NOT NULL, -- TOTP: step of the code used last; passkey: its signature counter
    synced     BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL  -- 0: never
);
CREATE INDEX factor_user ON factor (user_id, id);

-- What sign-in knows of a person beside their factors.
CREATE TABLE sign_in_state (
    user_id           TEXT PRIMARY KEY,
    signed_in_at      BIGINT NOT NULL,
    trust_after       BIGINT NOT NULL, -- browsers trusted until then are not any more
    code_failures     BIGINT NOT NULL, -- wrong codes in a row
    code_locked_until BIGINT NOT NULL
);

-- A link that lets its holder in once: invitations, password resets, "this was not me".
CREATE TABLE link (
    hash       TEXT PRIMARY KEY, -- SHA-256 of its token
    user_id    TEXT NOT NULL,    -- empty: the first administrator, who is yet to be made
    purpose    TEXT NOT NULL,
    subject    TEXT NOT NULL,    -- of "this was not me": the notice
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX link_user ON link (user_id, purpose);
CREATE INDEX link_expiry ON link (expires_at);

-- Hashes of passwords that were replaced, newest last.
CREATE TABLE old_password (
    user_id     TEXT NOT NULL,
    replaced_at BIGINT NOT NULL,
    phc         TEXT NOT NULL,
    PRIMARY KEY (user_id, replaced_at)
);

-- Settings that are not at their default.
CREATE TABLE setting (
    name       TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- Permission sets that want a second factor no older than this.
CREATE TABLE step_up (
    instance_id    TEXT NOT NULL,
    permission_set TEXT NOT NULL, -- its id
    max_age        BIGINT NOT NULL, -- microseconds
    PRIMARY KEY (instance_id, permission_set)
);

-- What a person is told of their account.
CREATE TABLE notice (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL,
    kind        TEXT NOT NULL, -- DEVICE_ADDED, PASSWORD_CHANGED, CLIENT_APPROVED
    detail      TEXT NOT NULL, -- the device's or the client's name
    subject     TEXT NOT NULL, -- the device's id, the client's key
    ip          TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    disowned_at BIGINT NOT NULL -- 0: nobody has said that it was not them
);
CREATE INDEX notice_user ON notice (user_id, id);
CREATE INDEX notice_age ON notice (created_at);

-- Role credentials that were given out under a session and may still be in use, one row for each role.
CREATE TABLE role_use (
    session_id     TEXT NOT NULL,
    account        TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    until          BIGINT NOT NULL,
    PRIMARY KEY (session_id, account, permission_set)
);
CREATE INDEX role_use_end ON role_use (until);

ALTER TABLE attempt ADD COLUMN entry TEXT NOT NULL DEFAULT 'PASSWORD'; -- how it began: see store.Entry
ALTER TABLE attempt ADD COLUMN session_id TEXT NOT NULL DEFAULT '';    -- of a confirmation: the portal session that it renews
ALTER TABLE attempt ADD COLUMN link_hash TEXT NOT NULL DEFAULT '';     -- the link that it began with, spent when it ends
ALTER TABLE attempt ADD COLUMN mfa_at BIGINT NOT NULL DEFAULT 0;       -- when a second factor was proved
ALTER TABLE attempt ADD COLUMN mfa_by TEXT NOT NULL DEFAULT '';        -- credential types of the events: TOTP, WEBAUTHN, EMAIL_OTP
ALTER TABLE attempt ADD COLUMN enrolled BOOLEAN NOT NULL DEFAULT FALSE; -- a device was registered in it
ALTER TABLE attempt ADD COLUMN trusted BOOLEAN NOT NULL DEFAULT FALSE; -- the browser is one that the person trusts
ALTER TABLE attempt ADD COLUMN wants_device BOOLEAN NOT NULL DEFAULT FALSE; -- of a confirmation: it leads to a new device
ALTER TABLE attempt ADD COLUMN work BYTEA;                             -- of the step at hand, sealed: a seed, a challenge, a code's hash

ALTER TABLE password ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0; -- of a one-time password; 0: never

ALTER TABLE sign_in_failure ADD COLUMN name_hash TEXT NOT NULL DEFAULT ''; -- the same for all browsers of a name
CREATE INDEX sign_in_failure_name ON sign_in_failure (name_hash);

ALTER TABLE session ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;        -- when a factor was proved last
ALTER TABLE session ADD COLUMN keeps_roles BOOLEAN NOT NULL DEFAULT FALSE; -- its end left its role credentials alone
CREATE INDEX session_end ON session (ended_at, expires_at, id);            -- the live ones
