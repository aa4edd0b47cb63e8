-- +goose Up

-- Who had what, when, and by which event: see history.go. What stands says since when and by what it does, in columns of its own; what has
-- ended is in a table beside it. So what was there before this migration has a history that begins with it, at no cost.
-- A time of 0 is that of the row's making. Events are ids of the audit log; '' where there is none.

ALTER TABLE membership ADD COLUMN event_id TEXT NOT NULL DEFAULT '';

CREATE TABLE membership_past (
    user_id    TEXT NOT NULL,
    group_id   TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    from_event TEXT NOT NULL,
    from_by    TEXT NOT NULL,
    to_at      BIGINT NOT NULL,
    to_event   TEXT NOT NULL,
    to_by      TEXT NOT NULL,
    PRIMARY KEY (user_id, to_at, group_id, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX membership_past_group ON membership_past (group_id, to_at, user_id);
CREATE INDEX membership_past_to ON membership_past (to_at);

ALTER TABLE assignment ADD COLUMN granted_at BIGINT NOT NULL DEFAULT 0; -- 0: as it was made
ALTER TABLE assignment ADD COLUMN event_id TEXT NOT NULL DEFAULT '';    -- by which it was asked for
ALTER TABLE assignment ADD COLUMN created_by TEXT NOT NULL DEFAULT '';

CREATE TABLE assignment_past (
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    principal_id   TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    from_at        BIGINT NOT NULL,
    from_event     TEXT NOT NULL,
    from_by        TEXT NOT NULL,
    to_at          BIGINT NOT NULL,
    to_event       TEXT NOT NULL,
    to_by          TEXT NOT NULL,
    PRIMARY KEY (principal_id, to_at, account_id, permission_set, principal_type, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX assignment_past_account ON assignment_past (account_id, to_at, permission_set);
CREATE INDEX assignment_past_to ON assignment_past (to_at);

-- A user's name and state. gone: it ended with the user.
ALTER TABLE directory_user ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directory_user ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE directory_user ADD COLUMN since_by TEXT NOT NULL DEFAULT '';

CREATE TABLE user_past (
    user_id      TEXT NOT NULL,
    store_id     TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    user_name_ci TEXT NOT NULL,
    status       TEXT NOT NULL,
    gone         BOOLEAN NOT NULL,
    from_at      BIGINT NOT NULL,
    from_event   TEXT NOT NULL,
    from_by      TEXT NOT NULL,
    to_at        BIGINT NOT NULL,
    to_event     TEXT NOT NULL,
    to_by        TEXT NOT NULL,
    PRIMARY KEY (user_id, to_at, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX user_past_name ON user_past (store_id, user_name_ci, to_at);
CREATE INDEX user_past_to ON user_past (to_at);

-- A group's name.
ALTER TABLE directory_group ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directory_group ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE directory_group ADD COLUMN since_by TEXT NOT NULL DEFAULT '';

CREATE TABLE group_past (
    group_id     TEXT NOT NULL,
    display_name TEXT NOT NULL,
    gone         BOOLEAN NOT NULL,
    from_at      BIGINT NOT NULL,
    from_event   TEXT NOT NULL,
    from_by      TEXT NOT NULL,
    to_at        BIGINT NOT NULL,
    to_event     TEXT NOT NULL,
    to_by        TEXT NOT NULL,
    PRIMARY KEY (group_id, to_at, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX group_past_to ON group_past (to_at);

-- A permission set's revisions, with what they said; attrs and policies are as in permission_set and permission_set_policy.
ALTER TABLE permission_set ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE permission_set ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE permission_set ADD COLUMN since_by TEXT NOT NULL DEFAULT '';

CREATE TABLE permission_set_past (
    permission_set   TEXT NOT NULL,
    instance_id      TEXT NOT NULL,
    name             TEXT NOT NULL,
    revision         BIGINT NOT NULL,
    description      TEXT NOT NULL,
    session_duration TEXT NOT NULL,
    relay_state      TEXT NOT NULL,
    attrs            TEXT NOT NULL,
    gone             BOOLEAN NOT NULL,
    from_at          BIGINT NOT NULL,
    from_event       TEXT NOT NULL,
    from_by          TEXT NOT NULL,
    to_at            BIGINT NOT NULL,
    to_event         TEXT NOT NULL,
    to_by            TEXT NOT NULL,
    PRIMARY KEY (permission_set, to_at, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX permission_set_past_name ON permission_set_past (instance_id, name, to_at);
CREATE INDEX permission_set_past_to ON permission_set_past (to_at);

ALTER TABLE permission_set_policy ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE permission_set_policy ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE permission_set_policy ADD COLUMN since_by TEXT NOT NULL DEFAULT '';

CREATE TABLE permission_set_policy_past (
    permission_set TEXT NOT NULL,
    arn            TEXT NOT NULL,
    from_at        BIGINT NOT NULL,
    from_event     TEXT NOT NULL,
    from_by        TEXT NOT NULL,
    to_at          BIGINT NOT NULL,
    to_event       TEXT NOT NULL,
    to_by          TEXT NOT NULL,
    PRIMARY KEY (permission_set, to_at, arn, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX permission_set_policy_past_to ON permission_set_policy_past (to_at);

-- What was made of permission sets in accounts before it was made anew, or went.
ALTER TABLE provisioned ADD COLUMN since BIGINT NOT NULL DEFAULT 0; -- 0: as at
ALTER TABLE provisioned ADD COLUMN event_id TEXT NOT NULL DEFAULT '';

CREATE TABLE provisioned_past (
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    name           TEXT NOT NULL,
    path           TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    spec           TEXT NOT NULL,
    from_at        BIGINT NOT NULL,
    from_event     TEXT NOT NULL,
    to_at          BIGINT NOT NULL,
    to_event       TEXT NOT NULL,
    PRIMARY KEY (account_id, permission_set, to_at, from_at)
);
CREATE INDEX provisioned_past_to ON provisioned_past (to_at);
