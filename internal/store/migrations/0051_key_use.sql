-- +goose Up

-- When a long-term key was used last, to about a minute; 0: never.
ALTER TABLE access_key ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
