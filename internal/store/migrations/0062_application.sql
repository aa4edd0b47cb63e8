-- +goose Up
CREATE TABLE application (
    id          TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL,
    account     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    attrs       TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX application_instance ON application (instance_id, id);

CREATE TABLE application_assignment (
    application    TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    principal_id   TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (application, principal_type, principal_id)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX application_assignment_principal ON application_assignment (principal_id, application, principal_type);

CREATE TABLE token_issuer (
    id          TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL,
    account     TEXT NOT NULL,
    name        TEXT NOT NULL,
    url         TEXT NOT NULL,
    attrs       TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX token_issuer_name ON token_issuer (instance_id, name);
CREATE INDEX token_issuer_instance ON token_issuer (instance_id, id);

-- What a client asked for with a token of its own, so that asking again is not doing again.
CREATE TABLE client_token (
    account    TEXT NOT NULL,
    operation  TEXT NOT NULL,
    token      TEXT NOT NULL,
    request    TEXT NOT NULL, -- hash of what was asked
    result     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, operation, token)
);
CREATE INDEX client_token_age ON client_token (created_at);
