-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- PostgreSQL commits out of order, so its rows also carry the transaction that wrote them: see change.go.
-- +engine sqlite
CREATE TABLE change (
    id  TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    at  BIGINT NOT NULL
);
-- +engine postgres
CREATE TABLE change (
    id  TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    at  BIGINT NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX change_xid ON change (xid);
-- +engine both
CREATE INDEX change_at ON change (at, id);

CREATE TABLE heartbeat (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- seq is the order of enqueueing. Ids cannot tell it: two jobs can be made in one instant, on nodes whose clocks differ.
-- +engine sqlite
CREATE TABLE job (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    key         TEXT NOT NULL,
    payload     TEXT NOT NULL,
    run_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    lease_owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence       BIGINT NOT NULL
);
-- +engine postgres
CREATE TABLE job (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    key         TEXT NOT NULL,
    payload     TEXT NOT NULL,
    run_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    lease_owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence       BIGINT NOT NULL
);
-- +engine both
CREATE INDEX job_due ON job (kind, run_at, seq);
CREATE INDEX job_key ON job (kind, key, seq);
-- However claims race, jobs of one key never run side by side.
CREATE UNIQUE INDEX job_running ON job (kind, key) WHERE lease_owner <> '';

CREATE TABLE lease (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL,
    fence BIGINT NOT NULL
);

-- Events of committed changes wait here for the sealer; on SQLite the writer seals them at once and this stays empty.
CREATE TABLE audit_inbox (
    id    TEXT PRIMARY KEY,
    at    BIGINT NOT NULL,
    event TEXT NOT NULL
);

-- +engine sqlite
CREATE TABLE audit_log (
    seq   INTEGER PRIMARY KEY,
    id    TEXT NOT NULL, -- nothing moves rows here twice: the writer seals what it commits
    at    BIGINT NOT NULL,
    event TEXT NOT NULL,
    hash  BYTEA NOT NULL
);
-- +engine postgres
CREATE TABLE audit_log (
    seq   BIGINT PRIMARY KEY,
    id    TEXT NOT NULL UNIQUE,
    at    BIGINT NOT NULL,
    event TEXT NOT NULL,
    hash  BYTEA NOT NULL
);
-- +engine both

CREATE TABLE audit_cursor (
    sink TEXT PRIMARY KEY,
    seq  BIGINT NOT NULL
);
