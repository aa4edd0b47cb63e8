-- +goose Up

-- A source of people and groups that comes by SCIM: what AWS calls automatic provisioning.
CREATE TABLE scim_tenant (
    id         TEXT PRIMARY KEY, -- a part of its URL
    store_id   TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX scim_tenant_name ON scim_tenant (store_id, name);

CREATE TABLE scim_token (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE, -- SHA-256
    dialect    TEXT NOT NULL,        -- STRICT, as AWS's; COMPLETE, as the RFCs
    networks   TEXT NOT NULL,        -- JSON list of CIDR blocks; empty: from anywhere
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,      -- 0: never; kept to the hour
    used_from  TEXT NOT NULL
);
CREATE INDEX scim_token_tenant ON scim_token (tenant_id, id);

-- The tenant that a record comes from; empty: made here.
ALTER TABLE directory_user ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE directory_group ADD COLUMN source TEXT NOT NULL DEFAULT '';
