-- +goose Up

CREATE TABLE permission_set (
    id               TEXT PRIMARY KEY,
    instance_id      TEXT NOT NULL,
    name             TEXT NOT NULL,
    description      TEXT NOT NULL,
    session_duration TEXT NOT NULL,
    relay_state      TEXT NOT NULL,
    revision         BIGINT NOT NULL,
    attrs            TEXT NOT NULL,
    created_at       BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE UNIQUE INDEX permission_set_name ON permission_set (instance_id, name);
CREATE INDEX permission_set_instance ON permission_set (instance_id, id);

CREATE TABLE permission_set_policy (
    permission_set TEXT NOT NULL,
    arn            TEXT NOT NULL,
    PRIMARY KEY (permission_set, arn)
);

-- Principals may be gone: such a row stays listed and grants nothing (case S24).
CREATE TABLE assignment (
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    principal_id   TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    state          TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (account_id, permission_set, principal_type, principal_id)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX assignment_principal ON assignment (principal_id, account_id, permission_set, principal_type, state);
CREATE INDEX assignment_set ON assignment (permission_set, account_id);

CREATE TABLE request (
    id             TEXT PRIMARY KEY,
    instance_id    TEXT NOT NULL,
    family         TEXT NOT NULL,
    status         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    principal_id   TEXT NOT NULL,
    remaining      BIGINT NOT NULL,
    created_at     BIGINT NOT NULL
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX request_family ON request (instance_id, family, id);
CREATE INDEX request_status ON request (instance_id, family, status, id);
CREATE INDEX request_set ON request (permission_set, status);
