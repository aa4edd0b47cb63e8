-- +goose Up

-- The attributes of people that become session tags of their credentials: attribute-based access control.
CREATE TABLE access_control (
    instance_id TEXT PRIMARY KEY,
    attributes  TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
