package scimpush

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// Bounds of targets.
const (
	maxTargets = 20
	maxGroups  = 500
	maxToken   = 8 << 10
	maxRate    = 1000
	// AWSRate is what AWS takes of writes in a second (behaviour reference §2.8).
	AWSRate = 25
)

const typeTarget = "SCIM_TARGET"

// Change is what an operator says of a target; nil: nothing.
type Change struct {
	Name, URL, Token *string
	Dialect          *store.Dialect
	State            *store.TargetState // ON or OFF
	Groups           *[]string          // empty: everybody
	Deprovision      *store.Deprovision
	Rate             *int
}

// Create adds a target. A first comparison of both sides begins at once.
func Create(tx *store.Tx, keys *keyring.Ring, storeID arn.StoreID, c Change, by string) (store.SCIMTarget, error) {
	if c.Name == nil || c.URL == nil || c.Token == nil {
		return store.SCIMTarget{}, fault.Invalidf("A target needs a name, a URL and a token.")
	}
	all, err := tx.SCIMTargets(storeID)
	if err != nil {
		return store.SCIMTarget{}, fmt.Errorf("list targets: %w", err)
	}
	if len(all) >= maxTargets {
		return store.SCIMTarget{}, fault.Quotaf("There are %d targets, as many as there may be.", len(all))
	}
	t := store.SCIMTarget{
		ID: arn.NewUUID(), StoreID: storeID, Dialect: store.StrictSCIM, State: store.TargetOn, Everyone: true, Deprovision: store.LeaveDisabled, Rate: AWSRate,
		CreatedAt: tx.Now(), CreatedBy: by,
	}
	if err := c.apply(keys, &t); err != nil {
		return t, err
	}
	begin(&t, false)
	if err := tx.InsertSCIMTarget(t); err != nil {
		return t, taken(err, t.Name, "insert target")
	}
	return t, c.setGroups(tx, t)
}

func taken(err error, name, doing string) error {
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("There is a target %q already.", name)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Target is a target of the store; a NotFound fault.
func Target(tx *store.Tx, storeID arn.StoreID, id string) (store.SCIMTarget, error) {
	t, err := tx.SCIMTarget(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.StoreID != storeID {
		return store.SCIMTarget{}, fault.Missing(typeTarget, id)
	}
	return t, wrap(err, "load target")
}

// Update changes a target. Where it changes who is pushed or how, both sides are compared anew; where it changes how the server is
// reached, it is tried again at once.
func Update(tx *store.Tx, keys *keyring.Ring, storeID arn.StoreID, id string, c Change) (store.SCIMTarget, error) {
	t, err := Target(tx, storeID, id)
	if err != nil {
		return t, err
	}
	was := t
	if err := c.apply(keys, &t); err != nil {
		return t, err
	}
	if c.URL != nil && t.URL != was.URL && c.Token == nil {
		return t, fault.Invalidf("A token is good for one server: give the one for %s with it.", t.URL)
	}
	if err := tx.UpdateSCIMTarget(t); err != nil {
		return t, taken(err, t.Name, "update target")
	}
	if err := c.setGroups(tx, t); err != nil {
		return t, err
	}
	if c.State != nil || c.URL != nil || c.Token != nil {
		if c.State == nil && t.State == store.TargetFailing {
			t.State = store.TargetOn
		}
		t.ResumeAt, t.Failures, t.LastError, t.ErrorAt = time.Time{}, 0, "", time.Time{}
		if err := tx.SetTargetState(t); err != nil {
			return t, fmt.Errorf("store target's state: %w", err)
		}
	}
	if c.Groups != nil || t.URL != was.URL || t.Dialect != was.Dialect || t.Deprovision != was.Deprovision {
		begin(&t, false)
	}
	return t, wrap(tx.SetTargetWalk(t), "begin comparison") // which also wakes the worker
}

// Delete forgets a target. What is there stays.
func Delete(tx *store.Tx, storeID arn.StoreID, id string) error {
	if _, err := Target(tx, storeID, id); err != nil {
		return err
	}
	return wrap(tx.DeleteSCIMTarget(id), "delete target")
}

// Sync begins a comparison of both sides.
func Sync(tx *store.Tx, storeID arn.StoreID, id string, prune bool) (store.SCIMTarget, error) {
	t, err := Target(tx, storeID, id)
	if err != nil {
		return t, err
	}
	if t.State == store.TargetOff {
		return t, fault.Conflictf("The target %s is paused: resume it first.", t.Name)
	}
	begin(&t, prune)
	return t, wrap(tx.SetTargetWalk(t), "begin comparison")
}

// apply checks what is said and makes a target so.
func (c Change) apply(keys *keyring.Ring, t *store.SCIMTarget) error {
	if c.Name != nil {
		t.Name = *c.Name
	}
	if c.URL != nil {
		if err := checkURL(*c.URL); err != nil {
			return err
		}
		t.URL = *c.URL
	}
	if c.Token != nil {
		if err := checkToken(*c.Token); err != nil {
			return err
		}
		t.Token = keys.SealRecord("scim_target", "token", t.ID, []byte(*c.Token))
	}
	if c.Dialect != nil {
		t.Dialect = *c.Dialect
	}
	if c.State != nil {
		t.State = *c.State
	}
	if c.Groups != nil {
		t.Everyone = len(*c.Groups) == 0
	}
	if c.Deprovision != nil {
		t.Deprovision = *c.Deprovision
	}
	if c.Rate != nil {
		if t.Rate = *c.Rate; t.Rate < 1 || t.Rate > maxRate {
			return fault.Invalidf("The rate is between 1 and %d requests a second.", maxRate)
		}
	}
	return nil
}

func (c Change) setGroups(tx *store.Tx, t store.SCIMTarget) error {
	if c.Groups == nil {
		return nil
	}
	if len(*c.Groups) > maxGroups {
		return fault.Invalidf("At most %d groups can be chosen.", maxGroups)
	}
	for _, g := range *c.Groups {
		if _, err := directory.Group(tx, t.StoreID, g); err != nil {
			return err
		}
	}
	return wrap(tx.SetTargetGroups(t.ID, *c.Groups), "set groups")
}

// checkURL wants TLS, but for a server on this machine.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || len(text) > 1024 {
		return fault.Invalidf("The URL will not do: expected https://host/path, such as https://scim.us-east-1.amazonaws.com/…/scim/v2.")
	}
	host := u.Hostname()
	if u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		return nil
	}
	return fault.Invalidf("The URL must begin with https://: only a server on this machine may do without.")
}

// checkToken wants what can stand in a header (RFC 6750 §2.1).
func checkToken(s string) error {
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return fault.Invalidf("The token has characters that a bearer token cannot have.")
		}
	}
	if s == "" || len(s) > maxToken {
		return fault.Invalidf("The token must have between 1 and %d characters.", maxToken)
	}
	return nil
}
