package store

import (
	"time"

	"sallyport/internal/arn"
)

// ClientToken is what a client asked for with a token of its own, and what came of it.
type ClientToken struct {
	Account   arn.AccountID
	Operation string
	Token     string
	Request   string // hash of what was asked
	Result    string
}

const (
	insertClientToken query = `INSERT INTO client_token (account, operation, token, request, result, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	clientToken       query = `SELECT account, operation, token, request, result FROM client_token WHERE account = $1 AND operation = $2 AND token = $3`
	purgeClientTokens query = `DELETE FROM client_token WHERE (account, operation, token) IN
		(SELECT account, operation, token FROM client_token WHERE created_at < $1 ORDER BY created_at LIMIT $2)`
)

// InsertClientToken records what came of a request; ErrExists when its token was used.
func (tx *Tx) InsertClientToken(t ClientToken) error {
	return added(tx.exec(insertClientToken, t.Account, t.Operation, t.Token, t.Request, t.Result, micros(tx.now)))
}

// ClientToken is what was asked for with the token; ErrNotFound.
func (tx *Tx) ClientToken(account arn.AccountID, operation, token string) (ClientToken, error) {
	return get(tx, clientToken, func(r row) (t ClientToken, err error) {
		err = r.Scan(&t.Account, &t.Operation, &t.Token, &t.Request, &t.Result)
		return t, err
	}, account, operation, token)
}

// PurgeClientTokens forgets up to limit tokens from before t, and returns how many.
func (tx *Tx) PurgeClientTokens(t time.Time, limit int) (int64, error) {
	return tx.exec(purgeClientTokens, micros(t), limit)
}
