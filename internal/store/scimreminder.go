package store

import "time"

// ExpiringToken is a token that comes to its end.
type ExpiringToken struct {
	SCIMToken
	Tenant     string    // its name
	RemindedAt time.Time // when that was last recorded; zero: never
}

const (
	expiringTokens query = `SELECT t.id, t.tenant_id, t.expires_at, t.dialect, n.name, t.reminded_at FROM scim_token t JOIN scim_tenant n ON n.id = t.tenant_id WHERE t.expires_at > $1 AND t.expires_at <= $2 ORDER BY t.expires_at LIMIT $3`
	remindOfToken  query = `UPDATE scim_token SET reminded_at = $1 WHERE id = $2`
)

func scanExpiring(r row) (t ExpiringToken, err error) {
	var expires, reminded int64
	err = r.Scan(&t.ID, &t.TenantID, &expires, &t.Dialect, &t.Tenant, &reminded)
	t.ExpiresAt, t.RemindedAt = fromMicros(expires), fromMicros(reminded)
	return t, err
}

// ExpiringSCIMTokens lists up to limit tokens that expire after one time and not after another, the first to expire first. It has of
// each what it is and when it ends.
func (tx *Tx) ExpiringSCIMTokens(after, until time.Time, limit int) ([]ExpiringToken, error) {
	return list(tx, expiringTokens, scanExpiring, micros(after), micros(until), limit)
}

// RemindOfToken stores that the token's end was recorded now; ErrNotFound.
func (tx *Tx) RemindOfToken(id string) error { return one(tx.exec(remindOfToken, micros(tx.now), id)) }
