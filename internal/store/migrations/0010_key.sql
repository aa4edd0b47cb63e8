-- +goose Up
CREATE TABLE data_key (
    id        TEXT PRIMARY KEY,
    purpose   TEXT NOT NULL,
    wrapped   BYTEA NOT NULL,
    active_at BIGINT NOT NULL
);
CREATE INDEX data_key_purpose ON data_key (purpose, active_at, id);

CREATE TABLE policy_document (
    hash TEXT PRIMARY KEY,
    text TEXT NOT NULL
);

CREATE TABLE iam_user (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    path       TEXT NOT NULL,
    name       TEXT NOT NULL,
    name_ci    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX iam_user_name ON iam_user (account, name_ci);

CREATE TABLE access_key (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES iam_user (id),
    secret     BYTEA NOT NULL,
    status     TEXT NOT NULL,
    created_at BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX access_key_user ON access_key (user_id, id);

CREATE TABLE user_policy (
    user_id  TEXT NOT NULL REFERENCES iam_user (id),
    name     TEXT NOT NULL,
    inline   BOOLEAN NOT NULL,
    document TEXT NOT NULL REFERENCES policy_document (hash),
    PRIMARY KEY (user_id, inline, name)
);
