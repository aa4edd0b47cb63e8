-- +goose Up

-- Emergency accesses: sealed grants that were prepared in advance.
CREATE TABLE emergency_access (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    name_ci        TEXT NOT NULL UNIQUE,
    description    TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    duration       BIGINT NOT NULL, -- microseconds that an opening lasts
    by_code        BOOLEAN NOT NULL, -- a code takes the approver's place
    alarm          TEXT NOT NULL,   -- JSON list of mail addresses
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    tested_at      BIGINT NOT NULL, -- 0: never
    failures       TEXT NOT NULL    -- JSON list: why it could not have been opened then
);

-- Where. The role is kept there for as long as the row stands.
CREATE TABLE emergency_account (
    access_id      TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    PRIMARY KEY (access_id, account_id)
);
CREATE INDEX emergency_account_role ON emergency_account (account_id, permission_set);
CREATE INDEX emergency_account_set ON emergency_account (permission_set);

-- Who, and with which devices: those that they had when it was prepared.
CREATE TABLE emergency_person (
    access_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    opens     BOOLEAN NOT NULL,
    approves  BOOLEAN NOT NULL,
    passkeys  TEXT NOT NULL, -- JSON list of ids of factors
    PRIMARY KEY (access_id, user_id)
);
CREATE INDEX emergency_person_user ON emergency_person (user_id);

CREATE TABLE emergency_code (
    hash      TEXT PRIMARY KEY, -- keyed
    access_id TEXT NOT NULL,
    made_at   BIGINT NOT NULL,
    opening   TEXT NOT NULL     -- that it was used for; empty: not used
);
CREATE INDEX emergency_code_access ON emergency_code (access_id, opening);

CREATE TABLE emergency_opening (
    id               TEXT PRIMARY KEY,
    access_id        TEXT NOT NULL,
    access_name      TEXT NOT NULL, -- which the record keeps when the access is deleted
    instance_id      TEXT NOT NULL,
    permission_set   TEXT NOT NULL,
    user_id          TEXT NOT NULL, -- the opener
    user_name        TEXT NOT NULL,
    session_id       TEXT NOT NULL, -- portal session in which it was asked for, or was taken up last
    ip               TEXT NOT NULL,
    user_agent       TEXT NOT NULL,
    reason           TEXT NOT NULL,
    state            TEXT NOT NULL, -- PENDING, OPEN, ENDED, DENIED, EXPIRED
    asked_at         BIGINT NOT NULL,
    until            BIGINT NOT NULL, -- PENDING: to be answered before; OPEN: its end
    approver_id      TEXT NOT NULL,
    approver_name    TEXT NOT NULL,
    opened_at        BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL,
    ended_by         TEXT NOT NULL,
    review           TEXT NOT NULL,   -- NONE, OPEN, CLOSED
    reviewed_at      BIGINT NOT NULL,
    reviewed_by      TEXT NOT NULL,
    review_reason    TEXT NOT NULL,
    reminded_at      BIGINT NOT NULL
);
CREATE INDEX emergency_opening_state ON emergency_opening (state, until);
CREATE INDEX emergency_opening_access ON emergency_opening (access_id, state);
CREATE INDEX emergency_opening_review ON emergency_opening (review, reminded_at);

-- What is open now.
CREATE TABLE emergency_grant (
    user_id        TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    opening_id     TEXT NOT NULL,
    session_id     TEXT NOT NULL, -- portal session in which, and under which, it is there
    until          BIGINT NOT NULL,
    PRIMARY KEY (user_id, account_id, permission_set, opening_id)
);
CREATE INDEX emergency_grant_opening ON emergency_grant (opening_id);

-- Credentials that were given out in an opening.
CREATE TABLE emergency_use (
    opening_id    TEXT NOT NULL,
    access_key_id TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    at            BIGINT NOT NULL,
    until         BIGINT NOT NULL,
    event_id      TEXT NOT NULL,
    PRIMARY KEY (opening_id, access_key_id)
);

-- Events of calls with such credentials, for the review.
CREATE TABLE emergency_event (
    opening_id TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    at         BIGINT NOT NULL,
    source     TEXT NOT NULL,
    name       TEXT NOT NULL,
    error      TEXT NOT NULL, -- empty: it was done
    PRIMARY KEY (opening_id, event_id)
);

-- Sessions that began with a password and a passkey for an emergency.
CREATE TABLE emergency_sign_in (
    session_id TEXT PRIMARY KEY,
    factor_id  TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX emergency_sign_in_age ON emergency_sign_in (at);

-- Wrong codes in a row, by person.
CREATE TABLE emergency_try (
    user_id      TEXT PRIMARY KEY,
    failures     BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

ALTER TABLE attempt ADD COLUMN factor_id TEXT NOT NULL DEFAULT ''; -- the passkey that was proved
