package directory

import (
	"errors"
	"fmt"
	"reflect"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// Reasons of conflicts, as the identity store's model has them.
const (
	reasonTaken    = "UNIQUENESS_CONSTRAINT_VIOLATION"
	reasonRevision = "CONCURRENT_MODIFICATION"
)

// CreateUser adds a user. The id is made, unless the caller gives one; by is the ARN of whoever does it.
func CreateUser(tx *store.Tx, u store.User, by string) (store.User, error) {
	if u.ID == "" {
		u.ID = arn.NewUUID()
	}
	if u.Status == "" {
		u.Status = store.UserEnabled
	}
	u.Revision, u.Trail = 1, store.Trail{CreatedAt: tx.Now(), CreatedBy: by, UpdatedAt: tx.Now(), UpdatedBy: by}
	if err := checkUser(u); err != nil {
		return store.User{}, err
	}
	if err := userIsUnique(tx, u); err != nil {
		return store.User{}, err
	}
	if err := tx.InsertUser(u); err != nil {
		return store.User{}, taken(err, "insert user", "Duplicate UserName")
	}
	return u, setExternalIDs(tx, u.StoreID, store.PrincipalUser, u.ID, u.ExternalIDs, false)
}

// User is a user of the identity store.
func User(tx *store.Tx, storeID arn.StoreID, id string) (store.User, error) {
	u, err := tx.User(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.StoreID != storeID {
		return store.User{}, fault.Missing("USER", id)
	}
	return u, wrap(err, "load user")
}

// UpdateUser replaces the user's attributes by those of u. revision, unless empty, is the one that the change was made from.
func UpdateUser(tx *store.Tx, u store.User, revision, by string) (store.User, error) {
	was, err := User(tx, u.StoreID, u.ID)
	if err != nil {
		return store.User{}, err
	}
	if err := checkRevision(was.Revision, revision); err != nil {
		return store.User{}, err
	}
	u.Revision, u.Trail = was.Revision+1, store.Trail{CreatedAt: was.CreatedAt, CreatedBy: was.CreatedBy, UpdatedAt: tx.Now(), UpdatedBy: by}
	if err := checkUser(u); err != nil {
		return store.User{}, err
	}
	if err := userIsUnique(tx, u); err != nil {
		return store.User{}, err
	}
	if err := tx.UpdateUser(u); err != nil {
		return store.User{}, taken(err, "update user", "Duplicate UserName")
	}
	if !sameToCredentials(u, was) {
		if err := tx.Changed("user:" + u.ID); err != nil {
			return store.User{}, fmt.Errorf("record change of user: %w", err)
		}
	}
	return u, setExternalIDs(tx, u.StoreID, store.PrincipalUser, u.ID, u.ExternalIDs, true)
}

// sameToCredentials tells whether what is remembered of a user's tokens and sessions is still so: their name, and attributes
// that may be session tags.
func sameToCredentials(a, b store.User) bool {
	return a.Status == b.Status && a.UserName == b.UserName && a.DisplayName == b.DisplayName && reflect.DeepEqual(a.UserAttrs, b.UserAttrs)
}

// DeleteUser removes a user for good. What was assigned to the user grants nothing from now on; it is listed until a job has taken it
// away (case S24).
// revision is as for UpdateUser.
func DeleteUser(tx *store.Tx, storeID arn.StoreID, id, revision string) error {
	u, err := User(tx, storeID, id)
	if err != nil {
		return err
	}
	if err := checkRevision(u.Revision, revision); err != nil {
		return err
	}
	if err := signal.Purged(tx, u); err != nil {
		return err
	}
	if err := tx.MemberGone(id); err != nil {
		return fmt.Errorf("note change of members: %w", err)
	}
	if err := tx.DeleteUser(id); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	if err := tx.DeleteExternalIDs(id); err != nil {
		return fmt.Errorf("delete external ids: %w", err)
	}
	if err := tx.WipeSignIn(id); err != nil {
		return fmt.Errorf("delete factors: %w", err)
	}
	if _, err := tx.EndSessionsOf(id, "user deleted"); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if err := tx.Changed("user:" + id); err != nil {
		return fmt.Errorf("record change of user: %w", err)
	}
	if err := gone(tx, Gone{store.PrincipalUser, id}); err != nil {
		return err
	}
	return sweep(tx, sweepJob{User: id})
}

// userIsUnique looks before the write, so that the conflict can be named: a user has two unique attributes.
func userIsUnique(tx *store.Tx, u store.User) error {
	other, err := tx.UserByName(u.StoreID, u.UserName)
	switch {
	case err == nil && other.ID != u.ID:
		return fault.Conflictf("Duplicate UserName").WithReason(reasonTaken)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("look user name up: %w", err)
	case u.PrimaryEmail() == "":
		return nil
	}
	other, err = tx.UserByEmail(u.StoreID, u.PrimaryEmail())
	switch {
	case err == nil && other.ID != u.ID:
		return fault.Conflictf("Duplicate Email").WithReason(reasonTaken)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("look mail address up: %w", err)
	}
	return nil
}

// checkRevision is the optimistic lock: a change made from an older revision is refused.
func checkRevision(have int64, want string) error {
	if want != "" && want != store.RevisionText(have) {
		return fault.Conflictf("The resource has changed since revision %s was read. Read it again.", want).WithReason(reasonRevision)
	}
	return nil
}

// setExternalIDs makes the look-up table say what the record says.
func setExternalIDs(tx *store.Tx, storeID arn.StoreID, kind store.PrincipalType, id string, ids []store.ExternalID, replace bool) error {
	if replace {
		if err := tx.DeleteExternalIDs(id); err != nil {
			return fmt.Errorf("delete external ids: %w", err)
		}
	}
	for _, e := range ids { // at most ten
		if err := tx.InsertExternalID(storeID, kind, e, id); err != nil {
			return taken(err, "insert external id", "Duplicate ExternalId")
		}
	}
	return nil
}

// taken makes a unique name that is another's the conflict that it is.
func taken(err error, doing, message string) error {
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("%s", message).WithReason(reasonTaken)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
