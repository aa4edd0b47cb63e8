package revocation

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// Evaluate tells whether the caller's right stands in the transaction's snapshot, by the caller's ids alone. That a portal
// session has run out takes nothing away: its credentials have an end of their own. That somebody has ended it does.
func Evaluate(tx *store.Tx, c credential.Caller) error {
	r := rightOf(c)
	for _, check := range [...]func(*store.Tx, *right) error{checkAccount, checkKey, checkUser, checkSessions, checkGrant, checkRole, checkCut} {
		if err := check(tx, &r); err != nil {
			return err
		}
	}
	return nil
}

func checkAccount(tx *store.Tx, r *right) error {
	if r.account == "" {
		return nil
	}
	a, err := tx.Account(arn.AccountID(r.account))
	return stands(err, a.Status == store.AccountActive, "account "+r.account+" is closed or has left the organization")
}

func checkKey(tx *store.Tx, r *right) error {
	if r.key == "" {
		return nil
	}
	k, err := tx.AccessKey(r.key)
	return stands(err, k.Status == store.KeyActive, "access key "+r.key+" is inactive or deleted")
}

func checkUser(tx *store.Tx, r *right) error {
	if r.user == "" {
		return nil
	}
	u, err := tx.User(r.user)
	return stands(err, u.Status == store.UserEnabled, "the user is disabled or deleted")
}

func checkSessions(tx *store.Tx, r *right) error {
	for _, id := range [...]string{r.session, r.parent} {
		if id == "" {
			continue
		}
		ended, err := session.Ended(tx, id)
		if err := stands(err, !ended, "the session that they were given out in was ended: sign in again"); err != nil {
			return err
		}
	}
	return nil
}

func checkGrant(tx *store.Tx, r *right) error {
	if r.set == "" {
		return nil
	}
	set, err := arn.ParsePermissionSet(r.set)
	if err != nil {
		return fmt.Errorf("read permission set of credentials: %w", err)
	}
	if r.emergency != "" { // what was opened is no assignment's, and ends though there be one
		ok, err := tx.EmergencyStands(r.user, arn.AccountID(r.account), set, r.emergency)
		return stands(err, ok, "the emergency access that they were given out in has ended")
	}
	ok, err := access.Granted(tx, r.user, arn.AccountID(r.account), set)
	return stands(err, ok, "no assignment grants the permission set in account "+r.account+" any more")
}

func checkRole(tx *store.Tx, r *right) error {
	if r.roleARN == "" {
		return nil
	}
	name := r.roleARN[strings.LastIndexByte(r.roleARN, '/')+1:]
	role, err := tx.Role(arn.AccountID(r.account), name)
	// A role of the same name that was made later is another role: its id differs.
	return stands(err, role.ID == r.roleID, "the role no longer exists in the account")
}

// Keys are what credentials of a permission set rest on that can be cut; set is the permission set's ARN.
func Keys(userID string, account arn.AccountID, set string) (keys [4]string) {
	if userID != "" {
		keys[0] = "user:" + userID
	}
	if account != "" {
		keys[1] = "account:" + string(account)
	}
	if set != "" {
		keys[2], keys[3] = "set:"+set, "grant:"+string(account)+"/"+set
	}
	return keys
}

// checkCut refuses what was given out before something that it rests on was cut. Long-term keys were not given out.
func checkCut(tx *store.Tx, r *right) error {
	if r.kind != credential.RoleSession {
		return nil
	}
	latest, err := tx.LatestCut(Keys(r.user, arn.AccountID(r.account), r.set))
	if err != nil {
		return fmt.Errorf("look for cuts: %w", err)
	}
	return stands(nil, latest <= r.cutsSeen, "an administrator has cut off what was given out before: get new ones")
}

// stands makes a refusal of what is not found or not ok.
func stands(err error, ok bool, why string) error {
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err != nil || !ok:
		return fault.Unauthenticatedf(fault.AuthRevoked, "These credentials were revoked: %s.", why)
	}
	return nil
}
