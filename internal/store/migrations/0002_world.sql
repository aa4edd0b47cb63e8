-- +goose Up
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
);

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL,
    backend    TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
