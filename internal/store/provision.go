package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// RequestFamily tells the kinds of asynchronous requests apart; each has its own status operations.
type RequestFamily string

// The families of requests.
const (
	RequestCreate    RequestFamily = "CREATE" // of an assignment
	RequestDelete    RequestFamily = "DELETE" // of an assignment
	RequestProvision RequestFamily = "PROVISION"
	RequestHeal      RequestFamily = "HEAL" // of a role that is not what was provisioned: our own, and not among those that AWS counts
)

// RequestStatus is how far a request has come.
type RequestStatus string

// The states of a request.
const (
	RequestInProgress RequestStatus = "IN_PROGRESS"
	RequestSucceeded  RequestStatus = "SUCCEEDED"
	RequestFailed     RequestStatus = "FAILED"
)

// Request is an asynchronous change that was accepted, and what became of it.
type Request struct {
	ID            string
	Family        RequestFamily
	Status        RequestStatus
	Reason        string        // why it failed
	Account       arn.AccountID // "" for all accounts in which the set is provisioned
	Set           arn.PermissionSet
	PrincipalType PrincipalType // "" where it is about the permission set alone
	PrincipalID   string
	Remaining     int64 // parts still to be done; the request ends with the last
	CreatedAt     time.Time
}

const requestColumns = `id, family, status, reason, account_id, instance_id, permission_set, principal_type, principal_id, remaining, created_at`

const (
	insertRequest query = `INSERT INTO request (` + requestColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	updateRequest query = `UPDATE request SET status = $1, reason = $2, remaining = $3 WHERE id = $4`
	purgeRequests query = `DELETE FROM request WHERE id IN (SELECT id FROM request WHERE id < $1 AND status <> 'IN_PROGRESS' ORDER BY id LIMIT $2)`

	countInProgress  query = `SELECT COUNT(*) FROM (SELECT 1 FROM request WHERE instance_id = $1 AND family IN ('CREATE', 'DELETE', 'PROVISION') AND status = 'IN_PROGRESS' LIMIT $2) AS q`
	requestByID      query = `SELECT ` + requestColumns + ` FROM request WHERE id = $1`
	requestsAfter    query = `SELECT ` + requestColumns + ` FROM request WHERE instance_id = $1 AND family = $2 AND id > $3 ORDER BY id LIMIT $4`
	requestsInStatus query = `SELECT ` + requestColumns + ` FROM request WHERE instance_id = $1 AND family = $2 AND status = $3 AND id > $4 ORDER BY id LIMIT $5`
)

func scanRequest(r row) (q Request, err error) {
	var created int64
	err = r.Scan(&q.ID, &q.Family, &q.Status, &q.Reason, &q.Account, &q.Set.Instance, &q.Set.ID, &q.PrincipalType, &q.PrincipalID, &q.Remaining, &created)
	q.CreatedAt = fromMicros(created)
	return q, err
}

// InsertRequest records an accepted request.
func (tx *Tx) InsertRequest(q Request) error {
	_, err := tx.exec(insertRequest, q.ID, q.Family, q.Status, q.Reason, q.Account, q.Set.Instance, q.Set.ID, q.PrincipalType, q.PrincipalID, q.Remaining, micros(q.CreatedAt))
	return err
}

// UpdateRequest records how far a request has come; ErrNotFound.
func (tx *Tx) UpdateRequest(q Request) error {
	return one(tx.exec(updateRequest, q.Status, q.Reason, q.Remaining, q.ID))
}

// Request is the request with the id; ErrNotFound.
func (tx *Tx) Request(id string) (Request, error) {
	return get(tx, requestByID, scanRequest, id)
}

// Requests lists the requests of an instance and family, oldest first; a status narrows the list, "" does not.
func (tx *Tx) Requests(i arn.Instance, f RequestFamily, s RequestStatus, q page.Query) ([]Request, page.Key, error) {
	var rows []Request
	var err error
	if s == "" {
		rows, err = list(tx, requestsAfter, scanRequest, i, f, at(q.After, 0), q.Limit+1)
	} else {
		rows, err = list(tx, requestsInStatus, scanRequest, i, f, s, at(q.After, 0), q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(r Request) page.Key { return page.Key{r.ID} })
	return rows, next, nil
}

// RequestsInProgress counts the requests of an instance that have not ended, of all families, up to a bound.
func (tx *Tx) RequestsInProgress(i arn.Instance, bound int) (int, error) {
	return get(tx, countInProgress, scanCount, i, bound)
}

// PurgeRequests removes up to limit ended requests that were accepted before t, and returns how many.
func (tx *Tx) PurgeRequests(t time.Time, limit int) (int64, error) {
	return tx.exec(purgeRequests, newID(t), limit)
}
