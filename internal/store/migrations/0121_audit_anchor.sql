-- +goose Up

-- Where the audit log begins since events before were deleted by policy: the chain there, by which what is left is verified.
CREATE TABLE audit_anchor (
    seq     BIGINT PRIMARY KEY,
    hash    BYTEA NOT NULL,
    at      BIGINT NOT NULL, -- when they were deleted
    policy  TEXT NOT NULL    -- by which setting, and its value
);
