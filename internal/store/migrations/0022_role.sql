-- +goose Up

-- permission_set is '' for a role that no permission set made.
CREATE TABLE role (
    account_id     TEXT NOT NULL,
    name           TEXT NOT NULL,
    role_id        TEXT NOT NULL UNIQUE,
    path           TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    spec           TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
);
CREATE UNIQUE INDEX role_account_set ON role (account_id, permission_set) WHERE permission_set <> '';
CREATE INDEX role_set_account ON role (permission_set, account_id);
