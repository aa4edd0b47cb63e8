-- +goose Up

-- Rises with every change of the group's members: with the revision it is the version of the whole group.
ALTER TABLE directory_group ADD COLUMN member_changes BIGINT NOT NULL DEFAULT 0;

-- Lists in the order of creation, whose pages do not shift when others create.
CREATE INDEX directory_user_created ON directory_user (store_id, created_at, id);
CREATE INDEX directory_group_created ON directory_group (store_id, created_at, id);
-- How many come from a source.
CREATE INDEX directory_user_source ON directory_user (store_id, source);
CREATE INDEX directory_group_source ON directory_group (store_id, source);
