// Package vend turns a person's right into short-lived credentials of a role: the one path by which the portal API and the
// portal's pages give credentials out. Whether the right still stands when they are used is package revocation's business.
package vend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/revocation"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Vendor gives credentials out.
type Vendor struct {
	DB       *store.DB
	Minter   *credential.Minter
	Instance arn.Instance
	// Ways remembers what people were found to reach; nil: each time is a read.
	Ways *revocation.Memo[Way, Reach]
	// Portal is where people confirm their second factor: an URL without a slash at its end.
	Portal string
	// Settings are those in force; nil: the defaults.
	Settings func(context.Context) (setting.Values, error)

	uses uses
}

// Reach is what a way leads to.
type Reach struct {
	store.Role
	MaxMFAAge time.Duration     // how old the second factor may be; 0: nothing is asked
	Tags      map[string]string // of the person's sessions, by their attributes
	CutsSeen  int64             // of what the way rests on: store.Tx.LatestCut

	Emergency string    // opening of an emergency access that leads there; empty: an assignment does
	Until     time.Time // its end
}

// Way is how a person asks for a role: by the name of the permission set that it was made from.
type Way struct {
	UserID  string
	Account arn.AccountID
	Set     string
}

// RoleCredentials gives out credentials of the role that a permission set has become in an account. They live as long as
// the role says, not as long as who's token (case S30). They are returned when the event, which gets its details here, is
// durable: nothing is given out that is not on record. who is a Bearer.
func (v *Vendor) RoleCredentials(ctx context.Context, who credential.Caller, account arn.AccountID, set string, event *audit.Event) (credential.Credentials, error) {
	event.ServiceEventDetails = map[string]any{"account_id": account, "role_name": set}
	asOf := v.DB.Now() // not later than the snapshot; and what is remembered is well within the margin of revocations (hard part 3)
	w := Way{who.UserID, account, set}
	role, err := v.Ways.Get(w, func() (role Reach, err error) {
		err = v.DB.View(ctx, func(tx *store.Tx) (err error) {
			role, err = v.reach(tx, w)
			return err
		})
		return role, err
	})
	if fault.KindOf(err) == fault.Denied {
		role, err = v.opened(ctx, w, who.SignIn(), err)
	}
	if err == nil {
		err = v.stepUp(role, who, set)
	}
	if err == nil {
		role.Spec.SessionDuration, err = v.duration(ctx, role, who, asOf)
	}
	if err == nil {
		err = role.withinOpening(asOf)
	}
	if err != nil {
		return credential.Credentials{}, err
	}
	keys, err := v.Minter.Role(credential.RoleGrant{
		RoleARN: role.ARN(), RoleID: role.ID, SessionName: SessionName(who.UserName, who.UserID),
		UserName: who.UserName, UserID: who.UserID, SessionID: who.SessionID, ParentID: who.ParentID,
		PermissionSet: role.Set.ARN(), CutsSeen: role.CutsSeen, Issued: asOf, Duration: role.Spec.SessionDuration, MFATime: who.MFATime, Tags: role.Tags,
		Emergency: role.Emergency,
	})
	if err != nil {
		return credential.Credentials{}, fmt.Errorf("mint role credentials: %w", err)
	}
	// AWS's record lacks these: what was done with the key leads back here, and package usage sums the time up.
	event.ServiceEventDetails["access_key_id"] = keys.AccessKeyID
	event.ServiceEventDetails["duration_seconds"] = int64(role.Spec.SessionDuration / time.Second)
	event.Correlate(keys.Correlation)
	if err := v.record(ctx, who, account, role, keys, event); err != nil {
		return credential.Credentials{}, fmt.Errorf("record role credentials: %w", err)
	}
	return keys, nil
}

// duration is how long the credentials live: as long as the role says or, if the operator wants that, until the session ends.
func (v *Vendor) duration(ctx context.Context, role Reach, who credential.Caller, now time.Time) (time.Duration, error) {
	life := role.Spec.SessionDuration
	if v.Settings == nil || who.SessionEnds.IsZero() {
		return life, nil
	}
	in, err := v.Settings(ctx)
	if err != nil {
		return 0, fmt.Errorf("load settings: %w", err)
	}
	if !in.ExpiryEndsRoles {
		return life, nil
	}
	life = min(life, who.SessionEnds.Sub(now))
	if life < time.Second { // whole seconds are told
		return 0, fault.Unauthenticatedf(fault.AuthExpired, "Your session is over. Sign in again.")
	}
	return life, nil
}

// record makes the event durable, and with it that the role may be in use in the session.
func (v *Vendor) record(ctx context.Context, who credential.Caller, account arn.AccountID, role Reach, keys credential.Credentials, event *audit.Event) error {
	use := store.RoleUse{SessionID: who.SessionID, Account: string(account), Set: role.Set.ARN(), Until: keys.Expiration, CutsSeen: role.CutsSeen}
	if v.uses.known(use) && role.Emergency == "" {
		return audit.Record(ctx, v.DB, event)
	}
	err := v.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PutRoleUse(use); err != nil {
			return fmt.Errorf("store use of role: %w", err)
		}
		if role.Emergency == "" {
			return event.Store(tx)
		}
		return recordOpened(tx, role, keys, event)
	})
	if err == nil {
		v.uses.learn(use)
	}
	return err
}

// StepUp is the reason of a refusal that a second factor, used now, would overcome.
const StepUp = "STEP_UP"

// stepUp refuses a caller whose second factor is older than the permission set allows. The message is for people at a command line.
func (v *Vendor) stepUp(role Reach, who credential.Caller, set string) error {
	if role.MaxMFAAge == 0 || !who.MFATime.IsZero() && v.DB.Now().Sub(who.MFATime) <= role.MaxMFAAge {
		return nil
	}
	return fault.Deniedf("%s needs a second factor that was used in the last %d minutes. Confirm it at %s/confirm in the browser in which you signed in, then repeat the command.",
		set, int(role.MaxMFAAge/time.Minute), v.Portal).WithReason(StepUp)
}

// reach is the role that the person is granted in the account, as it is provisioned now. No such account, no such
// permission set and no such grant are one answer (case S33).
func (v *Vendor) reach(tx *store.Tx, w Way) (Reach, error) {
	set, err := v.place(tx, w)
	if err != nil {
		return Reach{}, err
	}
	ok, err := access.Granted(tx, w.UserID, w.Account, set.PermissionSet)
	if err != nil {
		return Reach{}, err
	}
	if !ok {
		return Reach{}, NoAccess()
	}
	return v.roleOf(tx, w, set)
}

// place is the permission set of a way, when it and the account are there.
func (v *Vendor) place(tx *store.Tx, w Way) (store.PermissionSet, error) {
	set, err := access.SetByName(tx, v.Instance, w.Set)
	if fault.KindOf(err) == fault.NotFound {
		return set, NoAccess()
	}
	if err != nil {
		return set, err
	}
	account, err := tx.Account(w.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && account.Status != store.AccountActive {
		return set, NoAccess()
	}
	if err != nil {
		return set, fmt.Errorf("load account: %w", err)
	}
	return set, nil
}

// roleOf is what the permission set has become in the account.
func (v *Vendor) roleOf(tx *store.Tx, w Way, set store.PermissionSet) (Reach, error) {
	role, err := tx.ProvisionedRole(w.Account, set.PermissionSet)
	if errors.Is(err, store.ErrNotFound) {
		return Reach{}, NoAccess()
	}
	if err != nil {
		return Reach{}, fmt.Errorf("load provisioned role: %w", err)
	}
	up, err := tx.StepUp(set.PermissionSet)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Reach{}, fmt.Errorf("load step-up: %w", err)
	}
	cuts, err := tx.LatestCut(revocation.Keys(w.UserID, w.Account, set.ARN()))
	if err != nil {
		return Reach{}, fmt.Errorf("look for cuts: %w", err)
	}
	tags, err := access.SessionTags(tx, v.Instance, w.UserID)
	return Reach{Role: role, MaxMFAAge: up.MaxAge, Tags: tags, CutsSeen: cuts}, err
}

// NoAccess is AWS's answer to everything that the caller may not have, whatever the reason (behaviour reference §5.1).
func NoAccess() error { return fault.Deniedf("No access") }

// maxSessionName is STS's (model shape roleSessionNameType: 2 to 64 of [\w+=,.@-]).
const maxSessionName = 64

// SessionName makes a user name into a role session's name. User names may hold more than STS allows; one that must be
// changed gets a mark of its user, since policies and people tell sessions apart by it.
func SessionName(userName, userID string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '_'
	}, userName)
	if name == userName && len(name) >= 2 && len(name) <= maxSessionName {
		return name
	}
	sum := sha256.Sum256([]byte(userID))
	mark := "-" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), maxSessionName-len(mark))] + mark
}
