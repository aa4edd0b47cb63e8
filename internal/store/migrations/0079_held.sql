-- +goose Up

-- What a principal has is listed from the index alone: the rows are all over the table, and of a large one few pages are at hand.
DROP INDEX assignment_principal;
CREATE INDEX assignment_principal ON assignment (principal_id, account_id, permission_set, principal_type, state, instance_id);
