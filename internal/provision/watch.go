package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// ownSource is the event source of what AWS does not have.
const ownSource = "sallyport"

// Check is what is known of the last check of all roles that came to its end.
type Check struct {
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	Roles     int       `json:"roles"`
	Unchecked int       `json:"unchecked"` // accounts that could not be looked at: what was found there before stands
}

// Times of checks on a schedule.
const (
	driftPoll  = 30 * time.Second
	driftLease = 5 * time.Minute // for one look, which asks up to a hundred accounts
	driftMeta  = "drift.check"
)

// LastCheck is the last check of all roles; its Ended is zero when there has been none.
func LastCheck(tx *store.Tx) (c Check, err error) {
	text, err := tx.Meta(driftMeta)
	if errors.Is(err, store.ErrNotFound) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("load last check of roles: %w", err)
	}
	return c, wrap(json.Unmarshal([]byte(text), &c), "read last check of roles")
}

// Run checks all roles as often as the setting drift.every says, until ctx ends. Any number of processes may run it: one checks at a time.
func (i *Inspector) Run(ctx context.Context) {
	for {
		if _, err := i.CheckIfDue(ctx); err != nil && ctx.Err() == nil {
			i.Log.WarnContext(ctx, "check of roles failed, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(driftPoll):
		}
	}
}

// CheckIfDue checks all roles if the setting says that it is time, and nobody is at it.
func (i *Inspector) CheckIfDue(ctx context.Context) (done bool, err error) {
	in := setting.Defaults()
	if i.Settings != nil {
		if in, err = i.Settings(ctx); err != nil {
			return false, fmt.Errorf("load settings: %w", err)
		}
	}
	if in.DriftEvery == 0 {
		return false, nil
	}
	due := func() (due bool, err error) {
		err = i.DB.View(ctx, func(tx *store.Tx) error {
			last, err := LastCheck(tx)
			due = !tx.Now().Before(last.Began.Add(in.DriftEvery))
			return err
		})
		return due, err
	}
	if is, err := due(); err != nil || !is {
		return false, err
	}
	l, err := i.DB.AcquireLease(ctx, "drift", i.Owner, driftLease)
	if errors.Is(err, store.ErrLost) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, err := due() // another may have been done while we waited
	if err == nil && is {
		err = i.checkAll(ctx, l)
	}
	return err == nil && is, errors.Join(err, i.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// checkAll looks at all roles, a stretch at a time, and records each in a transaction of its own.
func (i *Inspector) checkAll(ctx context.Context, l store.Lease) error {
	c := Check{Began: i.DB.Now()}
	var from Place
	for {
		look, err := i.Look(ctx, "", from, MaxLook)
		if err != nil {
			return err
		}
		c.Roles, c.Unchecked = c.Roles+look.Checked, c.Unchecked+len(look.Unchecked)
		for _, u := range look.Unchecked {
			i.Log.WarnContext(ctx, "account was not checked for drift", "account", u.Account, "reason", u.Reason)
		}
		err = i.DB.Update(ctx, func(tx *store.Tx) error {
			if err := tx.Holds(l); err != nil {
				return err
			}
			if look.Next != nil {
				return note(tx, look)
			}
			c.Ended = tx.Now()
			text, err := json.Marshal(c)
			if err != nil {
				return err
			}
			return errors.Join(note(tx, look), tx.SetMeta(driftMeta, string(text)))
		})
		if err != nil || look.Next == nil {
			return wrap(err, "record what a check of roles has found")
		}
		from = *look.Next
		if l, err = i.DB.RenewLease(ctx, l, driftLease); err != nil {
			return err
		}
	}
}

// note keeps what was found in the place of what had been found there before, with an event for each that is new, or says something
// new, and for each that is gone.
func note(tx *store.Tx, look Look) error {
	instance, err := tx.OrganizationInstance()
	if err != nil {
		return fmt.Errorf("load instance: %w", err)
	}
	if len(look.spans) == 0 {
		return nil
	}
	kept, err := tx.DriftFindings(look.spans[0].account, look.spans[len(look.spans)-1].account)
	if err != nil {
		return fmt.Errorf("load findings: %w", err)
	}
	for _, s := range look.spans {
		for _, f := range kept {
			if s.covers(f) && !slices.ContainsFunc(s.findings, f.Same) {
				if err := resolve(tx, instance, f); err != nil {
					return err
				}
			}
		}
		for _, f := range s.findings {
			if n := slices.IndexFunc(kept, f.Same); n >= 0 && slices.Equal(kept[n].Details, f.Details) {
				continue
			}
			if err := detect(tx, instance, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// detect keeps a finding that is new, or says something new.
func detect(tx *store.Tx, i store.Instance, f store.DriftFinding) error {
	if err := tx.PutDriftFinding(f); err != nil {
		return fmt.Errorf("keep finding: %w", err)
	}
	return driftEvent(tx, i, "DriftDetected", f)
}

// covers says whether the role of a finding is among those that were looked at.
func (s *span) covers(f store.DriftFinding) bool {
	return f.Account == s.account && f.Role > s.after && (s.upTo == "" || f.Role <= s.upTo)
}

// resolve forgets a finding that is one no more.
func resolve(tx *store.Tx, i store.Instance, f store.DriftFinding) error {
	if err := tx.DeleteDriftFinding(f); err != nil {
		return fmt.Errorf("forget finding: %w", err)
	}
	return driftEvent(tx, i, "DriftResolved", f)
}

// driftEvent records that drift came or went. That a permission set was edited has an event of its own already.
func driftEvent(tx *store.Tx, i store.Instance, name string, f store.DriftFinding) error {
	if f.Kind == store.DriftOutdated {
		return nil
	}
	details := map[string]any{"accountId": f.Account, "roleName": f.Role, "kind": f.Kind, "details": f.Details, "foundAt": audit.Time(f.FoundAt)}
	e := &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource},
		EventSource:  ownSource, EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: i.Region, SourceIPAddress: ownSource, UserAgent: ownSource,
		RecipientAccountID: string(i.Owner), ServiceEventDetails: details,
	}
	if f.Set.ID != "" {
		details["permissionSetArn"] = f.Set.ARN()
		e.Resources = []audit.Resource{{ARN: f.Set.ARN(), AccountID: string(i.Owner), Type: "AWS::SSO::PermissionSet"}}
	}
	return wrap(e.Store(tx), "record drift")
}
