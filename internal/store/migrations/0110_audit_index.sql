-- +goose Up

-- What events can be looked up by: auditindex.go says how. It is written after the events, by a worker, and in the order of place,
-- so that a page of the table is written once.
-- +engine sqlite
CREATE TABLE audit_index (
    place    INTEGER PRIMARY KEY, -- level and number of the row
    first_at BIGINT NOT NULL,     -- of the node's events, by their own time: seconds
    last_at  BIGINT NOT NULL,
    data     BYTEA NOT NULL
);
-- +engine postgres
CREATE TABLE audit_index (
    place    BIGINT PRIMARY KEY,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    data     BYTEA NOT NULL
);
ALTER TABLE audit_index ALTER COLUMN data SET STORAGE MAIN; -- a row fits in a page, and is read whole
-- +engine both

-- How many rows of each level have been made.
CREATE TABLE audit_indexed (
    level BIGINT PRIMARY KEY,
    made  BIGINT NOT NULL
);
INSERT INTO audit_indexed (level, made) VALUES (1, 0), (2, 0), (3, 0), (4, 0);
