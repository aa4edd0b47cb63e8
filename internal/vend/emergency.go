package vend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// opened is what an emergency access leads to that is open in a portal session, for a person whom no assignment leads there; otherwise
// why they were refused. It is read each time: what ends by the clock is no change that would make anybody forget it.
func (v *Vendor) opened(ctx context.Context, w Way, signIn string, refusal error) (role Reach, err error) {
	err = v.DB.View(ctx, func(tx *store.Tx) error {
		set, err := v.place(tx, w)
		if err != nil {
			return err
		}
		id, until, err := tx.EmergencyGrant(w.UserID, signIn, w.Account, set.PermissionSet)
		if errors.Is(err, store.ErrNotFound) {
			return refusal
		}
		if err != nil {
			return fmt.Errorf("look for emergency access: %w", err)
		}
		role, err = v.roleOf(tx, w, set)
		role.Emergency, role.Until = id, until
		return err
	})
	return role, err
}

// withinOpening lets credentials live no longer than the opening that they are given out in.
func (r *Reach) withinOpening(now time.Time) error {
	if r.Emergency == "" {
		return nil
	}
	r.Spec.SessionDuration = min(r.Spec.SessionDuration, r.Until.Sub(now))
	if r.Spec.SessionDuration < time.Second { // whole seconds are told
		return NoAccess()
	}
	return nil
}

// recordOpened makes durable, with the event, what was given out in an opening, for its review.
func recordOpened(tx *store.Tx, role Reach, keys credential.Credentials, event *audit.Event) error {
	event.Emergency = role.Emergency
	if err := event.Store(tx); err != nil {
		return err
	}
	err := tx.InsertEmergencyUse(store.EmergencyUse{
		OpeningID: role.Emergency, AccessKeyID: keys.AccessKeyID, Account: role.Account, At: tx.Now(), Until: keys.Expiration, EventID: event.EventID,
	})
	if err != nil {
		return fmt.Errorf("note credentials for review: %w", err)
	}
	return nil
}
