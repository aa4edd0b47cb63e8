-- +goose Up

-- Mail addresses of users but their primary ones, which directory_user has. email_ci is folded as those are; '' stands for any.
CREATE TABLE directory_email (
    store_id TEXT NOT NULL,
    email_ci TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    PRIMARY KEY (store_id, email_ci, user_id)
);
CREATE INDEX directory_email_user ON directory_email (user_id);

-- Those that are there. Only ASCII is folded by both engines as the program does: what has more stands for any address, until the user is
-- written the next time.
-- +engine sqlite
INSERT INTO directory_email (store_id, email_ci, user_id)
SELECT DISTINCT store_id, CASE WHEN length(CAST(email AS BLOB)) = length(email) THEN upper(email) ELSE '' END, id FROM (
    SELECT u.store_id, u.id, json_extract(e.value, '$.value') AS email
    FROM directory_user u, json_each(CASE WHEN json_valid(u.attrs) THEN u.attrs ELSE '{}' END, '$.emails') e
    WHERE COALESCE(json_extract(e.value, '$.primary'), 0) = 0
) WHERE email <> '';
-- +engine postgres
-- Extensions are kept as they came, also with escapes that PostgreSQL reads no JSON with.
INSERT INTO directory_email (store_id, email_ci, user_id)
SELECT DISTINCT store_id, CASE WHEN octet_length(email) = char_length(email) THEN upper(email COLLATE "C") ELSE '' END, id FROM (
    SELECT u.store_id, u.id, e ->> 'value' AS email
    FROM directory_user u, json_array_elements(COALESCE(regexp_replace(u.attrs, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\u0020', 'g')::json -> 'emails', '[]')) e
    WHERE COALESCE(e ->> 'primary', 'false') = 'false'
) AS others WHERE email <> '';
-- +engine both
