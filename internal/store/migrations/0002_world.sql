-- +goose Up

-- WITHOUT ROWID keeps SQLite's rows in the tree of their key: a look-up is one descent instead of two, and the rows of a
-- page of a list lie together. It is for tables with short rows that are read or written in every call.
CREATE TABLE instance (
    id              TEXT PRIMARY KEY,
    store_id        TEXT NOT NULL UNIQUE,
    owner           TEXT NOT NULL,
    delegated_admin TEXT NOT NULL,
    name            TEXT NOT NULL,
    region          TEXT NOT NULL,
    start_url       TEXT NOT NULL,
    status          TEXT NOT NULL,
    created_at      BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL,
    backend    TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
