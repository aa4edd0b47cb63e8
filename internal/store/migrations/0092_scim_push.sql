-- +goose Up

-- A server elsewhere to which people and groups are pushed by SCIM.
CREATE TABLE scim_target (
    id           TEXT PRIMARY KEY,
    store_id     TEXT NOT NULL,
    name         TEXT NOT NULL,
    url          TEXT NOT NULL,
    dialect      TEXT NOT NULL,   -- STRICT, as AWS's; COMPLETE, as the RFCs
    token        BYTEA NOT NULL,  -- sealed
    state        TEXT NOT NULL,   -- ON; OFF; FAILING, when the server refuses the token
    everyone     BIGINT NOT NULL, -- 1: all people and groups; 0: those of scim_target_group
    deprovision  TEXT NOT NULL,   -- what becomes there of people who leave: DISABLE, DELETE
    rate         BIGINT NOT NULL, -- requests a second
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    phase        TEXT NOT NULL,   -- of the comparison of both sides; empty: none is going on
    place        TEXT NOT NULL,   -- how far it has come in its phase
    round        BIGINT NOT NULL, -- its number
    prune        BIGINT NOT NULL, -- 1: it removes what is there and unknown here
    strangers    BIGINT NOT NULL, -- how many of those the last one has found
    synced_at    BIGINT NOT NULL, -- when the last one came to its end; 0: never
    resume_at    BIGINT NOT NULL, -- nothing is sent before that
    failures     BIGINT NOT NULL, -- in a row, of the server rather than of a record
    last_error   TEXT NOT NULL,
    error_at     BIGINT NOT NULL,
    pushed       BIGINT NOT NULL, -- changes, ever
    pushed_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX scim_target_name ON scim_target (store_id, name);

CREATE TABLE scim_target_group (
    target_id TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    PRIMARY KEY (target_id, group_id)
);

-- What a record is called there, and what was said of it last. It is written before a request as well as after it: what may have been done
-- is known, also when the answer is lost.
CREATE TABLE scim_mapping (
    target_id TEXT NOT NULL,
    kind      TEXT NOT NULL,   -- USER, GROUP
    local_id  TEXT NOT NULL,
    remote_id TEXT NOT NULL,   -- empty: it may have been made there
    hash      TEXT NOT NULL,   -- of the form that was pushed; empty: it is to be pushed again
    active    BIGINT NOT NULL, -- 1: it may be let in there
    made      BIGINT NOT NULL, -- 1: we have made it there; 0: it was there before
    round     BIGINT NOT NULL, -- the comparison that has seen it there last
    PRIMARY KEY (target_id, kind, local_id)
);
CREATE UNIQUE INDEX scim_mapping_remote ON scim_mapping (target_id, kind, remote_id) WHERE remote_id <> '';

-- Who was put into which group there: AWS's dialect does not tell.
CREATE TABLE scim_pushed_member (
    target_id TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    remote_id TEXT NOT NULL,   -- of the user
    sure      BIGINT NOT NULL, -- 0: they may be in it
    PRIMARY KEY (target_id, group_id, user_id)
);
CREATE INDEX scim_pushed_member_user ON scim_pushed_member (target_id, user_id, group_id);

-- Records that have changed since they were pushed: a set, and no list of what happened to them.
CREATE TABLE scim_dirty (
    target_id TEXT NOT NULL,
    kind      TEXT NOT NULL,
    local_id  TEXT NOT NULL,
    version   BIGINT NOT NULL, -- rises with each change
    priority  BIGINT NOT NULL, -- 0: somebody who is to be kept out; 1: users; 2: groups
    since     BIGINT NOT NULL,
    due_at    BIGINT NOT NULL,
    attempts  BIGINT NOT NULL,
    error     TEXT NOT NULL,   -- of the last attempt
    PRIMARY KEY (target_id, kind, local_id)
);
CREATE INDEX scim_dirty_due ON scim_dirty (target_id, priority, due_at, local_id);
CREATE INDEX scim_dirty_since ON scim_dirty (target_id, since);
