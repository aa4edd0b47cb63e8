-- +goose Up

-- What was given out on a day (days since 1970, UTC): to whom, and by which group or whose own assignment they had it then. A worker fills
-- both from the audit log, from a cursor of its own: see package usage. principal_id is '' where no path is on record.
CREATE TABLE usage_day (
    user_id        TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    day            BIGINT NOT NULL,
    issued         BIGINT NOT NULL,
    seconds        BIGINT NOT NULL,
    last_at        BIGINT NOT NULL,
    PRIMARY KEY (user_id, account_id, permission_set, day)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX usage_day_account ON usage_day (account_id, day, issued, seconds);
CREATE INDEX usage_day_set ON usage_day (permission_set, day, issued, seconds);
CREATE INDEX usage_day_day ON usage_day (day);

CREATE TABLE usage_path_day (
    principal_id   TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    day            BIGINT NOT NULL,
    principal_type TEXT NOT NULL,
    issued         BIGINT NOT NULL,
    seconds        BIGINT NOT NULL,
    last_at        BIGINT NOT NULL,
    PRIMARY KEY (principal_id, account_id, permission_set, day)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX usage_path_day_day ON usage_path_day (day);
