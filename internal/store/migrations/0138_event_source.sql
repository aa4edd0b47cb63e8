-- +goose Up

-- Other deployments whose audit logs are kept here, with the end of what has come of each.
CREATE TABLE event_source (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    secret     BYTEA NOT NULL,  -- sealed: what they sign with
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    first_seq  BIGINT NOT NULL, -- of the first event that came; 0: none has
    last_seq   BIGINT NOT NULL,
    last_hash  BYTEA NOT NULL,
    last_at    BIGINT NOT NULL, -- when it came
    problem    TEXT NOT NULL,   -- why their chain does not go on from what is here; empty: it does
    problem_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX event_source_name ON event_source (name);

-- What they have sent, as they sealed it.
CREATE TABLE collected_event (
    source_id TEXT NOT NULL,
    seq       BIGINT NOT NULL,
    id        TEXT NOT NULL,
    at        BIGINT NOT NULL, -- the event's own time
    event     TEXT NOT NULL,
    hash      BYTEA NOT NULL,
    PRIMARY KEY (source_id, seq)
);
