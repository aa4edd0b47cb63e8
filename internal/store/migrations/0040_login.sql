-- +goose Up
CREATE TABLE attempt (
    id            TEXT PRIMARY KEY, -- SHA-256 of what the browser holds
    workflow      TEXT NOT NULL,    -- UUID that joins the attempt's audit events
    next_url      TEXT NOT NULL,    -- where the person was going, within this origin
    user_name     TEXT NOT NULL,    -- as claimed
    user_id       TEXT NOT NULL,    -- set only once a factor has been proved
    password_at   BIGINT NOT NULL,  -- when the password was proved; 0: not yet
    must_change   BOOLEAN NOT NULL, -- the password was a one-time password
    challenged    BOOLEAN NOT NULL, -- the challenge is in the audit log
    problem       TEXT NOT NULL,    -- what the next page says went wrong
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX attempt_expiry ON attempt (expires_at);
CREATE INDEX attempt_user ON attempt (user_id);

CREATE TABLE password (
    user_id    TEXT PRIMARY KEY,
    phc        TEXT NOT NULL,
    one_time   BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE sign_in_failure (
    name_key     TEXT PRIMARY KEY, -- keyed hash of the folded user name, whether or not it exists
    failures     BIGINT NOT NULL,
    left_out     BIGINT NOT NULL,  -- tries under a lock since the last one that is in the audit log
    locked_until BIGINT NOT NULL,
    last_at      BIGINT NOT NULL
);
CREATE INDEX sign_in_failure_age ON sign_in_failure (last_at);
