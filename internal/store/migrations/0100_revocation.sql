-- +goose Up

-- Credentials that were given out from a snapshot without this row are refused: see package revocation. The number rises with every
-- cut, in the order of commits; meta has the last one, so that it goes on rising when rows are forgotten.
CREATE TABLE cut (
    key    TEXT PRIMARY KEY, -- as that of a change: user:…, set:…, grant:…/…, account:…
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX cut_at ON cut (at);

-- What was cut off, by whom, why, and how far that has come.
CREATE TABLE revocation (
    id             TEXT PRIMARY KEY,
    scope          TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    session_id     TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    disabled       BOOLEAN NOT NULL,
    reason         TEXT NOT NULL,
    requested_by   TEXT NOT NULL,
    at             BIGINT NOT NULL,
    status         TEXT NOT NULL,
    remaining      BIGINT NOT NULL, -- parts that have not ended
    counts         TEXT NOT NULL,   -- JSON: see store.RevocationCounts
    confirmed_at   BIGINT NOT NULL, -- since when no server lets through what was cut off; 0: not yet
    ended_at       BIGINT NOT NULL
);

-- What the backend of each account said.
CREATE TABLE revocation_account (
    revocation_id TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    status        TEXT NOT NULL,
    within        BIGINT NOT NULL, -- microseconds
    residue       TEXT NOT NULL,   -- JSON: sentences
    reason        TEXT NOT NULL,
    reached_at    BIGINT NOT NULL,
    PRIMARY KEY (revocation_id, account_id)
);

-- How many families of refresh tokens, and which roles in use, would go.
CREATE INDEX refresh_token_session ON refresh_token (session_id);
CREATE INDEX role_use_account ON role_use (account, permission_set, until);
CREATE INDEX role_use_set ON role_use (permission_set, account, until);
-- Sessions whose end has left role credentials alone.
CREATE INDEX session_keeps ON session (user_id) WHERE keeps_roles;
