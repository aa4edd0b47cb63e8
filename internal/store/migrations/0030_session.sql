-- +goose Up
CREATE TABLE session (
    id          TEXT PRIMARY KEY,
    parent_id   TEXT NOT NULL,   -- portal session in which a client was approved; empty: this is a portal session
    user_id     TEXT NOT NULL,
    cookie_hash TEXT UNIQUE,     -- of a portal session only
    client_key  TEXT NOT NULL,   -- of a client session only
    client_name TEXT NOT NULL,   -- as the client calls itself
    scopes      TEXT NOT NULL,   -- separated by spaces
    ip          TEXT NOT NULL,
    user_agent  TEXT NOT NULL,
    mfa_at      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL, -- when it was last used to get something
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL, -- 0: nobody has ended it
    ended_by    TEXT NOT NULL
);
CREATE INDEX session_parent ON session (parent_id, id);
CREATE INDEX session_of_user ON session (user_id, id);
CREATE INDEX session_client ON session (client_key, id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE access_token (
    hash       TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX access_token_expiry ON access_token (expires_at);

-- A refresh token that was used leads to its successor for a short time, and to the end of its session later.
CREATE TABLE refresh_token (
    hash       TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    used_at    BIGINT NOT NULL, -- 0: not yet
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);

CREATE TABLE auth_code (
    hash         TEXT PRIMARY KEY,
    portal_id    TEXT NOT NULL,
    client_key   TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge    TEXT NOT NULL,
    expires_at   BIGINT NOT NULL,
    spent_on     TEXT NOT NULL -- client session that it became; empty: not yet
);
CREATE INDEX auth_code_expiry ON auth_code (expires_at);

CREATE TABLE device_decision (
    code_hash  TEXT PRIMARY KEY,
    portal_id  TEXT NOT NULL,
    approved   BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL,
    told_at    BIGINT NOT NULL -- when the client was told; 0: not yet
);
CREATE INDEX device_decision_expiry ON device_decision (expires_at);

CREATE TABLE denied_client (
    client_key TEXT PRIMARY KEY,
    denied_by  TEXT NOT NULL,
    denied_at  BIGINT NOT NULL
);
