package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// SCIMTenant is a source of people and groups that comes by SCIM.
type SCIMTenant struct {
	ID        string
	StoreID   arn.StoreID
	Name      string
	CreatedAt time.Time
	CreatedBy string
}

// Dialect is how SCIM is spoken with a client.
type Dialect string

// The dialects.
const (
	StrictSCIM   Dialect = "STRICT"   // as AWS speaks it
	CompleteSCIM Dialect = "COMPLETE" // as RFC 7643 and 7644 have it
)

// SCIMToken is a bearer token of a tenant's client.
type SCIMToken struct {
	ID        string
	TenantID  string
	Hash      string
	Dialect   Dialect
	Networks  []string // CIDR blocks that it is good from; none: anywhere
	CreatedAt time.Time
	CreatedBy string
	ExpiresAt time.Time
	UsedAt    time.Time // zero: never; kept to the hour
	UsedFrom  string
}

// SCIMCaller is a token with its tenant.
type SCIMCaller struct {
	Token  SCIMToken
	Tenant SCIMTenant
}

const (
	tenantColumns = `id, store_id, name, created_at, created_by`
	tokenColumns  = `id, tenant_id, hash, dialect, networks, created_at, created_by, expires_at, used_at, used_from`
	callerColumns = `t.id, t.tenant_id, t.hash, t.dialect, t.networks, t.created_at, t.created_by, t.expires_at, t.used_at, t.used_from, n.id, n.store_id, n.name, n.created_at, n.created_by`
)

const (
	insertTenant query = `INSERT INTO scim_tenant (` + tenantColumns + `) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	deleteTenant query = `DELETE FROM scim_tenant WHERE id = $1`
	tenantByID   query = `SELECT ` + tenantColumns + ` FROM scim_tenant WHERE id = $1`
	tenantsOf    query = `SELECT ` + tenantColumns + ` FROM scim_tenant WHERE store_id = $1 ORDER BY name`

	insertSCIMToken query = `INSERT INTO scim_token (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	updateSCIMToken query = `UPDATE scim_token SET dialect = $1, networks = $2, used_at = $3, used_from = $4 WHERE id = $5`
	deleteSCIMToken query = `DELETE FROM scim_token WHERE id = $1`
	scimTokenByHash query = `SELECT ` + tokenColumns + ` FROM scim_token WHERE hash = $1`
	scimCaller      query = `SELECT ` + callerColumns + ` FROM scim_token t JOIN scim_tenant n ON n.id = t.tenant_id WHERE t.hash = $1`
	scimTokensOf    query = `SELECT ` + tokenColumns + ` FROM scim_token WHERE tenant_id = $1 ORDER BY id`
)

func scanTenant(r row) (t SCIMTenant, err error) {
	var created int64
	err = r.Scan(&t.ID, &t.StoreID, &t.Name, &created, &t.CreatedBy)
	t.CreatedAt = fromMicros(created)
	return t, err
}

func scanSCIMToken(r row) (t SCIMToken, err error) { return t, scanTokenAnd(r, &t) }

// scanTokenAnd reads a token, and what comes after its columns.
func scanTokenAnd(r row, t *SCIMToken, more ...any) error {
	var networks string
	var created, expires, used int64
	dest := append([]any{&t.ID, &t.TenantID, &t.Hash, &t.Dialect, &networks, &created, &t.CreatedBy, &expires, &used, &t.UsedFrom}, more...)
	if err := r.Scan(dest...); err != nil {
		return err
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt = fromMicros(created), fromMicros(expires), fromMicros(used)
	return json.Unmarshal([]byte(networks), &t.Networks)
}

func scanSCIMCaller(r row) (c SCIMCaller, err error) {
	var created int64
	err = scanTokenAnd(r, &c.Token, &c.Tenant.ID, &c.Tenant.StoreID, &c.Tenant.Name, &created, &c.Tenant.CreatedBy)
	c.Tenant.CreatedAt = fromMicros(created)
	return c, err
}

// InsertSCIMTenant adds a tenant; ErrExists when its name is taken.
func (tx *Tx) InsertSCIMTenant(t SCIMTenant) error {
	return added(tx.exec(insertTenant, t.ID, t.StoreID, t.Name, micros(t.CreatedAt), t.CreatedBy))
}

// DeleteSCIMTenant removes a tenant's row alone; ErrNotFound.
func (tx *Tx) DeleteSCIMTenant(id string) error { return one(tx.exec(deleteTenant, id)) }

// SCIMTenant is the tenant with the id; ErrNotFound.
func (tx *Tx) SCIMTenant(id string) (SCIMTenant, error) { return get(tx, tenantByID, scanTenant, id) }

// SCIMTenants lists the tenants of a store by name. There are few.
func (tx *Tx) SCIMTenants(storeID arn.StoreID) ([]SCIMTenant, error) {
	return list(tx, tenantsOf, scanTenant, storeID)
}

// InsertSCIMToken adds a token.
func (tx *Tx) InsertSCIMToken(t SCIMToken) error {
	networks, err := json.Marshal(append([]string{}, t.Networks...))
	if err != nil {
		return fmt.Errorf("encode networks: %w", err)
	}
	_, err = tx.exec(insertSCIMToken, t.ID, t.TenantID, t.Hash, t.Dialect, string(networks), micros(t.CreatedAt), t.CreatedBy, micros(t.ExpiresAt), micros(t.UsedAt), t.UsedFrom)
	return err
}

// UpdateSCIMToken stores a token's dialect, networks and last use; ErrNotFound.
func (tx *Tx) UpdateSCIMToken(t SCIMToken) error {
	networks, err := json.Marshal(append([]string{}, t.Networks...))
	if err != nil {
		return fmt.Errorf("encode networks: %w", err)
	}
	return one(tx.exec(updateSCIMToken, t.Dialect, string(networks), micros(t.UsedAt), t.UsedFrom, t.ID))
}

// DeleteSCIMToken removes a token; ErrNotFound.
func (tx *Tx) DeleteSCIMToken(id string) error { return one(tx.exec(deleteSCIMToken, id)) }

// SCIMTokenByHash is the token with the hash; ErrNotFound.
func (tx *Tx) SCIMTokenByHash(hash string) (SCIMToken, error) {
	return get(tx, scimTokenByHash, scanSCIMToken, hash)
}

// SCIMCaller is the token with the hash, and its tenant: each request asks, so by one query; ErrNotFound when either is not there.
func (tx *Tx) SCIMCaller(hash string) (SCIMCaller, error) {
	return get(tx, scimCaller, scanSCIMCaller, hash)
}

// SCIMTokens lists a tenant's tokens by id. There are two at most.
func (tx *Tx) SCIMTokens(tenant string) ([]SCIMToken, error) {
	return list(tx, scimTokensOf, scanSCIMToken, tenant)
}
