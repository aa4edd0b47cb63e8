-- +goose Up

-- Customer managed policies of accounts that Sallyport hosts. As in IAM a name is taken in all its cases, whatever the path.
CREATE TABLE account_policy (
    account_id TEXT NOT NULL,
    name_ci    TEXT NOT NULL,
    name       TEXT NOT NULL,
    path       TEXT NOT NULL,
    document   TEXT NOT NULL REFERENCES policy_document (hash),
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, name_ci)
);

CREATE TABLE tag (
    resource TEXT NOT NULL, -- ARN
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, key)
-- +engine sqlite
) WITHOUT ROWID;
-- +engine postgres
);
-- +engine both
