-- +goose Up

-- Up to which digest the files of a trail were deleted by policy: what is left begins behind it. The row is there before the first of
-- them is deleted; those that trail_object still has are to be deleted yet.
CREATE TABLE trail_anchor (
    trail_id   TEXT PRIMARY KEY,
    name       TEXT NOT NULL,   -- of the trail, which may be gone
    n          BIGINT NOT NULL, -- of the digest in trail_object
    bucket     TEXT NOT NULL,
    key        TEXT NOT NULL,
    at         BIGINT NOT NULL, -- end of the digest
    to_seq     BIGINT NOT NULL, -- its last event, and the log's chain there
    to_hash    BYTEA NOT NULL,
    hash       TEXT NOT NULL,   -- SHA-256 of what is compressed, hexadecimal
    signature  TEXT NOT NULL,
    policy     TEXT NOT NULL,   -- by which setting, and its value
    planned_at BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL  -- 0: not all are yet
);
CREATE INDEX trail_anchor_place ON trail_anchor (bucket, name, at);
