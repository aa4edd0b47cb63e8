-- +goose Up

-- Whether an account was open, as 0160_history.sql has it of others. What there is of before begins with this migration: nobody wrote down
-- what was closed and reopened until then. A time of 0 is that of the row's making.
ALTER TABLE account ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN since_by TEXT NOT NULL DEFAULT '';
-- +engine sqlite
UPDATE account SET since = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
-- +engine postgres
UPDATE account SET since = CAST(EXTRACT(EPOCH FROM now()) AS BIGINT) * 1000000;
-- +engine both

CREATE TABLE account_past (
    account_id TEXT NOT NULL,
    status     TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    from_event TEXT NOT NULL,
    from_by    TEXT NOT NULL,
    to_at      BIGINT NOT NULL,
    to_event   TEXT NOT NULL,
    to_by      TEXT NOT NULL,
    PRIMARY KEY (account_id, to_at, from_at)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
CREATE INDEX account_past_to ON account_past (to_at);
