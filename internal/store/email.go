package store

import (
	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Users are found by every mail address that they have: by the primary one in their own row, by others in a table, in which those who have
// no others are not.
const (
	insertEmail query = `INSERT INTO directory_email (store_id, email_ci, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`

	deleteEmails query = `DELETE FROM directory_email WHERE user_id = $1`

	usersByAnyEmail query = `SELECT ` + userColumns + ` FROM directory_user WHERE id IN (
		SELECT id FROM directory_user WHERE store_id = $1 AND email_ci = $2 UNION SELECT user_id FROM directory_email WHERE store_id = $1 AND email_ci IN ('', $2)
	) AND id > $3 ORDER BY id LIMIT $4`
)

// insertEmails notes the addresses of a user by which the user's own row does not find them.
func (tx *Tx) insertEmails(u User) error {
	primary := fold(u.PrimaryEmail())
	for _, e := range u.Emails { // at most ten
		folded := fold(e.Value)
		if folded == "" || folded == primary {
			continue
		}
		if _, err := tx.exec(insertEmail, u.StoreID, folded, u.ID); err != nil {
			return err
		}
	}
	return nil
}

// UsersByAnyEmail lists by id those of a store among whom are all who have a mail address, primary or not, compared without case.
func (tx *Tx) UsersByAnyEmail(storeID arn.StoreID, email string, q page.Query) ([]User, page.Key, error) {
	rows, err := list(tx, usersByAnyEmail, scanUser, storeID, fold(email), at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(u User) page.Key { return page.Key{u.ID} })
	return rows, next, nil
}
