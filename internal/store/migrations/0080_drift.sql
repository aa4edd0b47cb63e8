-- +goose Up

-- What was made of permission sets in accounts, beside the roles themselves: it is by this that a role which was changed, or is gone, is known.
CREATE TABLE provisioned (
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    name           TEXT NOT NULL,
    path           TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    spec           TEXT NOT NULL,
    at             BIGINT NOT NULL,
    PRIMARY KEY (account_id, permission_set)
);
CREATE UNIQUE INDEX provisioned_name ON provisioned (account_id, name);
INSERT INTO provisioned (account_id, permission_set, instance_id, name, path, revision, spec, at)
    SELECT account_id, permission_set, instance_id, name, path, revision, spec, updated_at FROM role WHERE permission_set <> '';

-- What the last check of roles has found. permission_set is '' for a role that nothing explains.
CREATE TABLE drift_finding (
    account_id     TEXT NOT NULL,
    role_name      TEXT NOT NULL,
    kind           TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    details        TEXT NOT NULL,
    found_at       BIGINT NOT NULL,
    PRIMARY KEY (account_id, role_name, kind)
);
CREATE INDEX drift_finding_kind ON drift_finding (kind);
