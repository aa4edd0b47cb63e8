-- +goose Up

-- What clients of a source have removed of late: a row for users, for groups, for memberships of all groups, and for the memberships
-- of each group that lost some.
CREATE TABLE scim_guard (
    tenant_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,   -- USERS, GROUPS, MEMBERSHIPS
    group_id   TEXT NOT NULL,   -- '': no group in particular
    removed    TEXT NOT NULL,   -- JSON: how many, by when
    owned      BIGINT NOT NULL, -- there were at least as many at counted_at, with what had been removed
    counted_at BIGINT NOT NULL,
    tripped_at BIGINT NOT NULL, -- 0: it lets removals through
    refused_at BIGINT NOT NULL, -- the last refusal, kept to the minute
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, group_id)
);
CREATE INDEX scim_guard_refused ON scim_guard (refused_at);
CREATE INDEX scim_guard_touched ON scim_guard (touched_at);

-- Until then somebody has approved of any number of removals.
ALTER TABLE scim_tenant ADD COLUMN approved_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scim_tenant ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
CREATE INDEX scim_tenant_approved ON scim_tenant (approved_until);

-- When it was last recorded that the token comes to its end; 0: never.
ALTER TABLE scim_token ADD COLUMN reminded_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX scim_token_expiry ON scim_token (expires_at);
