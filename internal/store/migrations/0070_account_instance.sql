-- +goose Up

-- Beside the organization's instance each member account may have one of its own.
ALTER TABLE instance ADD COLUMN of_account BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX instance_of_account ON instance (owner) WHERE of_account;
CREATE INDEX instance_of_organization ON instance (id) WHERE NOT of_account;
CREATE INDEX instance_owner ON instance (owner);
CREATE INDEX instance_delegate ON instance (delegated_admin);
