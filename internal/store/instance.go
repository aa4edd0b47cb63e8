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
	Owner          arn.AccountID // the management account, or the member account whose own it is
	OfAccount      bool          // it is a member account's own: an account instance
	DelegatedAdmin arn.AccountID // empty: none
	Name           string
	Region         string
	StartURL       string // AWS-shaped and opaque: https://d-….awsapps.com/start
	Status         InstanceStatus
	CreatedAt      time.Time
	Regions        []Region // beside its own
	Network        *Network // nil: the directory may be called from everywhere
}

// InstanceStatus tells how far an instance has come.
type InstanceStatus string

// The states of an instance.
const (
	InstanceActive   InstanceStatus = "ACTIVE"
	InstanceDeleting InstanceStatus = "DELETE_IN_PROGRESS" // what is in it goes bit by bit
)

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

const instanceColumns = `id, store_id, owner, of_account, delegated_admin, name, region, start_url, status, created_at, regions, network`

const (
	insertInstance query = `INSERT INTO instance (id, store_id, owner, of_account, delegated_admin, name, region, start_url, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`
	updateInstance query = `UPDATE instance SET name = $1, status = $2, regions = $3, network = $4 WHERE id = $5`
	deleteInstance query = `DELETE FROM instance WHERE id = $1`

	instanceByID           query = `SELECT ` + instanceColumns + ` FROM instance WHERE id = $1`
	instanceByStore        query = `SELECT ` + instanceColumns + ` FROM instance WHERE store_id = $1`
	instanceOfAccount      query = `SELECT ` + instanceColumns + ` FROM instance WHERE owner = $1 AND of_account`
	instanceOfOrganization query = `SELECT ` + instanceColumns + ` FROM instance WHERE NOT of_account AND id > '' ORDER BY id LIMIT 1`

	// The organization's instance comes first: clients take the first, and mean that.
	instancesOf query = `SELECT ` + instanceColumns + ` FROM instance WHERE owner = $1
		UNION SELECT ` + instanceColumns + ` FROM instance WHERE delegated_admin = $2 ORDER BY of_account, id LIMIT 10`
)

func scanInstance(r row) (i Instance, err error) {
	var at int64
	var regions, network string
	if err := r.Scan(&i.ID, &i.StoreID, &i.Owner, &i.OfAccount, &i.DelegatedAdmin, &i.Name, &i.Region, &i.StartURL, &i.Status, &at, &regions, &network); err != nil {
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

// InsertInstance adds an instance; ErrExists when the account has one of its own.
func (tx *Tx) InsertInstance(i Instance) error {
	return added(tx.exec(insertInstance, i.ID, i.StoreID, i.Owner, i.OfAccount, i.DelegatedAdmin, i.Name, i.Region, i.StartURL, i.Status, micros(i.CreatedAt)))
}

// UpdateInstance writes an instance's name, status, regions and network; ErrNotFound.
func (tx *Tx) UpdateInstance(i Instance) error {
	tx.instance = nil
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
	return one(tx.exec(updateInstance, i.Name, i.Status, string(regions), string(network), i.ID))
}

// Instance is the instance with the id; ErrNotFound.
func (tx *Tx) Instance(id arn.Instance) (Instance, error) {
	return tx.recall(func(i Instance) bool { return i.ID == id }, instanceByID, id)
}

// InstanceOfStore is the instance whose identity store has the id; ErrNotFound.
func (tx *Tx) InstanceOfStore(id arn.StoreID) (Instance, error) {
	return tx.recall(func(i Instance) bool { return i.StoreID == id }, instanceByStore, id)
}

// recall remembers the instance that was found last: the account rule asks for it, and then the operation does.
func (tx *Tx) recall(is func(Instance) bool, q query, id any) (Instance, error) {
	if tx.instance != nil && is(*tx.instance) {
		return *tx.instance, tx.ready()
	}
	i, err := get(tx, q, scanInstance, id)
	if err == nil {
		tx.instance = &i
	}
	return i, err
}

// OrganizationInstance is the instance of the organization; ErrNotFound.
func (tx *Tx) OrganizationInstance() (Instance, error) {
	return get(tx, instanceOfOrganization, scanInstance)
}

// InstanceOfAccount is the instance that a member account has of its own; ErrNotFound.
func (tx *Tx) InstanceOfAccount(account arn.AccountID) (Instance, error) {
	return get(tx, instanceOfAccount, scanInstance, account)
}

// DeleteInstance removes the instance's row alone; ErrNotFound.
func (tx *Tx) DeleteInstance(id arn.Instance) error {
	tx.instance = nil
	return one(tx.exec(deleteInstance, id))
}

// InstancesOf lists the instances that an account administers: the organization's, if it owns it or is its delegated administrator,
// then its own.
func (tx *Tx) InstancesOf(account arn.AccountID) ([]Instance, error) {
	return list(tx, instancesOf, scanInstance, account, account)
}
