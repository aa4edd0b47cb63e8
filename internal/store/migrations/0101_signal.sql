-- +goose Up

-- Whose signals are heeded here (OpenID Shared Signals Framework): transmitters elsewhere.
CREATE TABLE signal_receiver (
    id          TEXT PRIMARY KEY, -- a part of its URL
    store_id    TEXT NOT NULL,
    name        TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    audience    TEXT NOT NULL,
    jwks_uri    TEXT NOT NULL,    -- empty: what the issuer publishes
    delivery    TEXT NOT NULL,    -- PUSH, POLL
    token_hash  TEXT NOT NULL,    -- SHA-256 of what the transmitter pushes with
    poll_url    TEXT NOT NULL,
    poll_token  BYTEA,            -- sealed
    events      TEXT NOT NULL,    -- JSON list: those that act
    tenant_id   TEXT NOT NULL,    -- whose external ids the transmitter's subjects are; empty: none's
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL
);
CREATE UNIQUE INDEX signal_receiver_name ON signal_receiver (store_id, name);

-- What came of each signal. It is also what makes a signal that comes again act once.
CREATE TABLE signal_in (
    receiver_id TEXT NOT NULL,
    jti_hash    TEXT NOT NULL,    -- SHA-256
    at          BIGINT NOT NULL,
    outcome     TEXT NOT NULL,
    PRIMARY KEY (receiver_id, jti_hash)
);
CREATE INDEX signal_in_at ON signal_in (at);
CREATE INDEX signal_in_outcome ON signal_in (receiver_id, outcome, at);

-- Who is told by our signals.
CREATE TABLE signal_stream (
    id         TEXT PRIMARY KEY,
    store_id   TEXT NOT NULL,
    name       TEXT NOT NULL,
    audience   TEXT NOT NULL,
    delivery   TEXT NOT NULL,     -- PUSH, POLL
    push_url   TEXT NOT NULL,
    push_token BYTEA,             -- sealed
    token_hash TEXT NOT NULL UNIQUE, -- SHA-256 of what the receiver polls and manages the stream with
    subject    TEXT NOT NULL,     -- EMAIL, ISS_SUB
    events     TEXT NOT NULL,     -- JSON list: those that are sent
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    failures   BIGINT NOT NULL,   -- in a row
    next_at    BIGINT NOT NULL,   -- not tried before
    sent_at    BIGINT NOT NULL,   -- last taken by the receiver; 0: nothing yet
    problem    TEXT NOT NULL      -- of the last try; empty: none
);
CREATE UNIQUE INDEX signal_stream_name ON signal_stream (store_id, name);

-- What a stream's receiver has not taken yet, in its order.
-- +engine sqlite
CREATE TABLE signal_out (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL,
    jti       TEXT NOT NULL,
    at        BIGINT NOT NULL,
    body      TEXT NOT NULL
);
-- +engine postgres
CREATE TABLE signal_out (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id TEXT NOT NULL,
    jti       TEXT NOT NULL,
    at        BIGINT NOT NULL,
    body      TEXT NOT NULL
);
-- +engine both
CREATE INDEX signal_out_stream ON signal_out (stream_id, seq);
CREATE UNIQUE INDEX signal_out_jti ON signal_out (stream_id, jti);
CREATE INDEX signal_out_at ON signal_out (stream_id, at);
