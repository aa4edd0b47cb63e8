-- +goose Up

-- 1: the permission set is to be provisioned again when the account, which is closed, is reopened.
ALTER TABLE provisioned ADD COLUMN awaited BIGINT NOT NULL DEFAULT 0;

-- The number of the last cut that the credentials were given out after. What was given out before there was this column counts as in use
-- until its end, whatever was cut.
ALTER TABLE role_use ADD COLUMN cuts_seen BIGINT NOT NULL DEFAULT 9223372036854775807;
