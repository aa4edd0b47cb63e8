-- +goose Up

-- user_name_ci and email_ci are shadow columns: what they hold is compared, what was written is shown.
-- email_ci is the primary mail address; NULL when there is none, and NULLs are not unique.
CREATE TABLE directory_user (
    id           TEXT PRIMARY KEY,
    store_id     TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    user_name_ci TEXT NOT NULL,
    email_ci     TEXT,
    display_name TEXT NOT NULL,
    status       TEXT NOT NULL,
    revision     BIGINT NOT NULL,
    attrs        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT NOT NULL
);
CREATE UNIQUE INDEX directory_user_name ON directory_user (store_id, user_name_ci);
CREATE UNIQUE INDEX directory_user_email ON directory_user (store_id, email_ci);
CREATE INDEX directory_user_store ON directory_user (store_id, id);

CREATE TABLE directory_group (
    id              TEXT PRIMARY KEY,
    store_id        TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    display_name_ci TEXT NOT NULL,
    description     TEXT NOT NULL,
    revision        BIGINT NOT NULL,
    attrs           TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    updated_at      BIGINT NOT NULL,
    updated_by      TEXT NOT NULL
);
CREATE UNIQUE INDEX directory_group_name ON directory_group (store_id, display_name_ci);
CREATE INDEX directory_group_store ON directory_group (store_id, id);

-- A source may number its users and its groups alike, so the kind is part of the key.
CREATE TABLE external_id (
    store_id   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    id         TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    PRIMARY KEY (store_id, kind, issuer, id)
);
CREATE INDEX external_id_subject ON external_id (subject_id);

-- No foreign keys: the memberships of a deleted large group are swept by a job, and count for nothing meanwhile.
CREATE TABLE membership (
    id         TEXT PRIMARY KEY,
    store_id   TEXT NOT NULL,
    group_id   TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX membership_group ON membership (group_id, user_id);
CREATE INDEX membership_user ON membership (user_id, group_id);
