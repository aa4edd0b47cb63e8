package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// TokenIssuer is a trusted token issuer: whose tokens tell applications who somebody is.
type TokenIssuer struct {
	arn.TokenIssuer
	Name      string
	URL       string
	CreatedAt time.Time
	TokenIssuerAttrs
}

// TokenIssuerAttrs say how a token's claim finds a user.
type TokenIssuerAttrs struct {
	Claim     string `json:"claim"`     // path in the token
	Attribute string `json:"attribute"` // path in the identity store
	Keys      string `json:"keys"`      // how the issuer's keys are found
}

const tokenIssuerColumns = `id, instance_id, account, name, url, attrs, created_at`

const (
	insertTokenIssuer query = `INSERT INTO token_issuer (` + tokenIssuerColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	updateTokenIssuer query = `UPDATE token_issuer SET name = $1, attrs = $2 WHERE id = $3`
	deleteTokenIssuer query = `DELETE FROM token_issuer WHERE id = $1`
	tokenIssuerByID   query = `SELECT ` + tokenIssuerColumns + ` FROM token_issuer WHERE id = $1`
	tokenIssuersAfter query = `SELECT ` + tokenIssuerColumns + ` FROM token_issuer WHERE instance_id = $1 AND id > $2 ORDER BY id LIMIT $3`
)

func scanTokenIssuer(r row) (t TokenIssuer, err error) {
	var attrs string
	var at int64
	if err := r.Scan(&t.ID, &t.Instance, &t.Account, &t.Name, &t.URL, &attrs, &at); err != nil {
		return t, err
	}
	t.CreatedAt = fromMicros(at)
	return t, json.Unmarshal([]byte(attrs), &t.TokenIssuerAttrs)
}

// InsertTokenIssuer adds a trusted token issuer; ErrExists when its name is taken.
func (tx *Tx) InsertTokenIssuer(t TokenIssuer) error {
	attrs, err := json.Marshal(t.TokenIssuerAttrs)
	if err != nil {
		return fmt.Errorf("encode token issuer: %w", err)
	}
	return added(tx.exec(insertTokenIssuer, t.ID, t.Instance, t.Account, t.Name, t.URL, string(attrs), micros(t.CreatedAt)))
}

// UpdateTokenIssuer replaces the name and how users are found; ErrNotFound, ErrExists.
func (tx *Tx) UpdateTokenIssuer(t TokenIssuer) error {
	attrs, err := json.Marshal(t.TokenIssuerAttrs)
	if err != nil {
		return fmt.Errorf("encode token issuer: %w", err)
	}
	return one(tx.exec(updateTokenIssuer, t.Name, string(attrs), t.ID))
}

// DeleteTokenIssuer removes a trusted token issuer; ErrNotFound.
func (tx *Tx) DeleteTokenIssuer(id string) error { return one(tx.exec(deleteTokenIssuer, id)) }

// TokenIssuer is the trusted token issuer with the id; ErrNotFound.
func (tx *Tx) TokenIssuer(id string) (TokenIssuer, error) {
	return get(tx, tokenIssuerByID, scanTokenIssuer, id)
}

// TokenIssuers lists the trusted token issuers of an instance by id.
func (tx *Tx) TokenIssuers(i arn.Instance, q page.Query) ([]TokenIssuer, page.Key, error) {
	rows, err := list(tx, tokenIssuersAfter, scanTokenIssuer, i, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(t TokenIssuer) page.Key { return page.Key{t.ID} })
	return rows, next, nil
}
