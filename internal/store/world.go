package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// Instance is one Identity Center deployment unit.
type Instance struct {
	ID             arn.Instance
	StoreID        arn.StoreID
	Owner          arn.AccountID // the management account
	DelegatedAdmin arn.AccountID // empty: none
	Name           string
	Region         string
	StartURL       string // AWS-shaped and opaque: https://d-….awsapps.com/start
	Status         string
	CreatedAt      time.Time
	Regions        []Region // beside its own
	Network        *Network // nil: the directory may be called from everywhere
}

// Network says from where an instance's directory may be called. Each list has CIDR blocks; an empty one allows every address.
type Network struct {
	API  []string `json:"api,omitempty"`
	SCIM []string `json:"scim,omitempty"`
}

// Region is a region to which an instance was extended. That takes a while, and so does taking it back.
type Region struct {
	Name     string    `json:"name"`
	AddedAt  time.Time `json:"addedAt"`
	ReadyAt  time.Time `json:"readyAt"` // when it is added, or removed
	Removing bool      `json:"removing,omitempty"`
}

// Account is a member of the organization.
type Account struct {
	ID        arn.AccountID
	Name      string
	Email     string
	Backend   string // "local"
	Status    string // ACTIVE
	CreatedAt time.Time
}

const (
	insertInstance query = `INSERT INTO instance (id, store_id, owner, delegated_admin, name, region, start_url, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	updateInstance query = `UPDATE instance SET name = $1, regions = $2, network = $3 WHERE id = $4`
	instanceByID   query = `SELECT id, store_id, owner, delegated_admin, name, region, start_url, status, created_at, regions, network FROM instance WHERE id = $1`
	instanceByName query = `SELECT id, store_id, owner, delegated_admin, name, region, start_url, status, created_at, regions, network FROM instance WHERE store_id = $1`
	instancesAfter query = `SELECT id, store_id, owner, delegated_admin, name, region, start_url, status, created_at, regions, network FROM instance WHERE id > $1 ORDER BY id LIMIT $2`

	insertAccount query = `INSERT INTO account (id, name, email, backend, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	accountByID   query = `SELECT id, name, email, backend, status, created_at FROM account WHERE id = $1`
	accountsAfter query = `SELECT id, name, email, backend, status, created_at FROM account WHERE id > $1 ORDER BY id LIMIT $2`

	upsertMeta query = `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	metaByName query = `SELECT value FROM meta WHERE name = $1`
)

func scanInstance(r row) (i Instance, err error) {
	var at int64
	var regions, network string
	if err := r.Scan(&i.ID, &i.StoreID, &i.Owner, &i.DelegatedAdmin, &i.Name, &i.Region, &i.StartURL, &i.Status, &at, &regions, &network); err != nil {
		return i, err
	}
	i.CreatedAt = fromMicros(at)
	if regions != "[]" {
		if err := json.Unmarshal([]byte(regions), &i.Regions); err != nil {
			return i, err
		}
	}
	if network == "" {
		return i, nil
	}
	return i, json.Unmarshal([]byte(network), &i.Network)
}

func scanAccount(r row) (a Account, err error) {
	var at int64
	err = r.Scan(&a.ID, &a.Name, &a.Email, &a.Backend, &a.Status, &at)
	a.CreatedAt = fromMicros(at)
	return a, err
}

// InsertInstance adds an instance.
func (tx *Tx) InsertInstance(i Instance) error {
	_, err := tx.exec(insertInstance, i.ID, i.StoreID, i.Owner, i.DelegatedAdmin, i.Name, i.Region, i.StartURL, i.Status, micros(i.CreatedAt))
	return err
}

// UpdateInstance writes an instance's name, regions and network; ErrNotFound.
func (tx *Tx) UpdateInstance(i Instance) error {
	regions := []byte("[]")
	if len(i.Regions) > 0 {
		var err error
		if regions, err = json.Marshal(i.Regions); err != nil {
			return fmt.Errorf("encode regions: %w", err)
		}
	}
	var network []byte
	if i.Network != nil {
		var err error
		if network, err = json.Marshal(i.Network); err != nil {
			return fmt.Errorf("encode network: %w", err)
		}
	}
	return one(tx.exec(updateInstance, i.Name, string(regions), string(network), i.ID))
}

// Instance is the instance with the id; ErrNotFound.
func (tx *Tx) Instance(id arn.Instance) (Instance, error) {
	return get(tx, instanceByID, scanInstance, id)
}

// InstanceOfStore is the instance whose identity store has the id; ErrNotFound.
func (tx *Tx) InstanceOfStore(id arn.StoreID) (Instance, error) {
	return get(tx, instanceByName, scanInstance, id)
}

// Instances lists up to limit instances by id, after the given one.
func (tx *Tx) Instances(after arn.Instance, limit int) ([]Instance, error) {
	return list(tx, instancesAfter, scanInstance, after, limit)
}

// InsertAccount adds an account to the organization; ErrExists.
func (tx *Tx) InsertAccount(a Account) error {
	_, err := tx.exec(insertAccount, a.ID, a.Name, a.Email, a.Backend, a.Status, micros(a.CreatedAt))
	return err
}

// Account is the account with the id; ErrNotFound.
func (tx *Tx) Account(id arn.AccountID) (Account, error) {
	return get(tx, accountByID, scanAccount, id)
}

// Accounts lists up to limit accounts by id, after the given one.
func (tx *Tx) Accounts(after arn.AccountID, limit int) ([]Account, error) {
	return list(tx, accountsAfter, scanAccount, after, limit)
}

// SetMeta keeps a fact about the whole deployment, such as its URL.
func (tx *Tx) SetMeta(name, value string) error {
	_, err := tx.exec(upsertMeta, name, value)
	return err
}

// Meta is a fact about the whole deployment; ErrNotFound.
func (tx *Tx) Meta(name string) (string, error) {
	return get(tx, metaByName, func(r row) (v string, err error) { err = r.Scan(&v); return v, err }, name)
}
