-- +goose Up

-- Where the audit log is sent to, with how far each has it.
CREATE TABLE event_sink (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,   -- WEBHOOK, SPLUNK_HEC, …
    config        TEXT NOT NULL,   -- JSON: the address, the format, filters and what else the kind wants
    secret        BYTEA NOT NULL,  -- sealed; empty: none
    state         TEXT NOT NULL,   -- ON, PAUSED
    version       BIGINT NOT NULL, -- rises with each change by an operator
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    position      BIGINT NOT NULL, -- of the last event that is delivered, left out or dead
    planned       BIGINT NOT NULL, -- last event of the batch under way, whose bounds stay the same however often it is sent; 0: none
    delivered     BIGINT NOT NULL, -- events, ever
    delivered_at  BIGINT NOT NULL,
    failures      BIGINT NOT NULL, -- in a row
    failed        BIGINT NOT NULL, -- ever
    failing_since BIGINT NOT NULL, -- the first of those in a row
    warned        BIGINT NOT NULL, -- 1: that it has been failing for long is on record
    last_error    TEXT NOT NULL,
    error_at      BIGINT NOT NULL,
    resume_at     BIGINT NOT NULL  -- nothing is sent before that
);
CREATE UNIQUE INDEX event_sink_name ON event_sink (name);

-- Events that a sink has refused. They stay in the log for as long as they are here.
CREATE TABLE event_sink_dead (
    sink_id  TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    at       BIGINT NOT NULL, -- when it was refused last
    attempts BIGINT NOT NULL,
    again    BIGINT NOT NULL, -- 1: an operator wants it to be sent again
    reason   TEXT NOT NULL,
    PRIMARY KEY (sink_id, seq)
);
CREATE INDEX event_sink_dead_again ON event_sink_dead (sink_id, seq) WHERE again = 1;
CREATE INDEX event_sink_dead_seq ON event_sink_dead (seq);

-- When a node's file has said last how far it is: the cursor of one that is gone holds nothing up.
ALTER TABLE audit_cursor ADD COLUMN moved_at BIGINT NOT NULL DEFAULT 0;
-- Each node's file has a cursor of its own from now on.
DELETE FROM audit_cursor WHERE sink = 'file';
