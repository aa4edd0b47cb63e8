package access

import (
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// JobKind is the kind of the jobs by which accounts are made to match.
const JobKind = "provision"

// Job is the payload of a job of JobKind: the part of a request that is about one account; without an account, the spreading of
// a request over the accounts in which its permission set stands; without a request, what was to be done in an account while it was closed.
type Job struct {
	Request string        `json:"request"`
	Account arn.AccountID `json:"account,omitempty"`
	After   arn.AccountID `json:"after,omitempty"` // where the spreading goes on
}

// Enqueue adds a job for a part of a request. The jobs of one account run one after the other.
func Enqueue(tx *store.Tx, r store.Request, j Job) error {
	j.Request = r.ID
	payload, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	key := string(j.Account)
	if key == "" {
		key = r.Set.ID
	}
	return wrap(tx.Enqueue(store.Job{Kind: JobKind, Key: key, Payload: payload}), "enqueue job")
}

// BeginAssignment accepts the wish that a principal have a permission set in an account. It grants nothing yet. Whether
// the principal exists is found out by the job (behaviour reference §4); repeating an assignment is no conflict.
func BeginAssignment(tx *store.Tx, a store.Assignment) (store.Request, error) {
	to, err := tx.Account(a.Account)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Request{}, fault.Missing("Account", string(a.Account))
	case err != nil:
		return store.Request{}, fmt.Errorf("load account: %w", err)
	case to.Status != store.AccountActive:
		return store.Request{}, fault.Conflictf("%s", Closed(a.Account))
	}
	a.State, a.CreatedAt = store.AssignmentPending, tx.Now()
	err = tx.InsertAssignment(a)
	if errors.Is(err, store.ErrExists) {
		err = again(tx, a)
	}
	if err != nil {
		return store.Request{}, fmt.Errorf("write assignment: %w", err)
	}
	return begin(tx, requestOf(store.RequestCreate, a))
}

// again makes what there is of an assignment pending, unless it stands. One that is being deleted has to go first.
func again(tx *store.Tx, a store.Assignment) error {
	was, err := tx.Assignment(a)
	switch {
	case err != nil:
		return err
	case was.State == store.AssignmentDeleting:
		return errBusy()
	case was.State == store.AssignmentStuck:
		return tx.SetAssignmentState(a)
	}
	return nil
}

// BeginDeletion takes a grant away at once, and accepts the wish that its role go too if it was the last. That there is
// nothing to delete is found out by the job.
func BeginDeletion(tx *store.Tx, a store.Assignment) (store.Request, error) {
	now, err := tx.Assignment(a)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return begin(tx, requestOf(store.RequestDelete, a))
	case err != nil:
		return store.Request{}, fmt.Errorf("load assignment: %w", err)
	case now.State == store.AssignmentPending || now.State == store.AssignmentDeleting:
		return beginDeletionOfBusy(tx, a)
	}
	a.State = store.AssignmentDeleting
	if err := tx.SetAssignmentState(a); err != nil {
		return store.Request{}, fmt.Errorf("take grant away: %w", err)
	}
	if err := tx.Changed(a.GrantKey()); err != nil {
		return store.Request{}, fmt.Errorf("record change of grant: %w", err)
	}
	return begin(tx, requestOf(store.RequestDelete, a))
}

// beginDeletionOfBusy accepts the wish for what goes anyway, since its principal is gone (case S24). The job runs after the one that
// is under way, and finds nothing left.
func beginDeletionOfBusy(tx *store.Tx, a store.Assignment) (store.Request, error) {
	i, err := tx.Instance(a.Set.Instance)
	if err != nil {
		return store.Request{}, fmt.Errorf("load instance: %w", err)
	}
	exists, err := PrincipalExists(tx, i.StoreID, a.PrincipalType, a.PrincipalID)
	switch {
	case err != nil:
		return store.Request{}, err
	case exists:
		return store.Request{}, errBusy()
	}
	return begin(tx, requestOf(store.RequestDelete, a))
}

// BeginProvision accepts the wish that a permission set's role in an account, or with "" in every account where it has one,
// follow its definition.
func BeginProvision(tx *store.Tx, set arn.PermissionSet, account arn.AccountID) (store.Request, error) {
	if err := notClosed(tx, account); err != nil {
		return store.Request{}, err
	}
	return begin(tx, store.Request{Family: store.RequestProvision, Account: account, Set: set})
}

// BeginRemoval accepts the wish that a permission set's role go from an account if nothing needs it there. Like all that is taken away, it
// goes from an account that is closed, too.
func BeginRemoval(tx *store.Tx, set arn.PermissionSet, account arn.AccountID) (store.Request, error) {
	return begin(tx, store.Request{Family: store.RequestProvision, Account: account, Set: set})
}

// BeginHealing accepts the wish that a permission set's role in an account be again what was provisioned, neither more nor less.
func BeginHealing(tx *store.Tx, set arn.PermissionSet, account arn.AccountID) (store.Request, error) {
	if err := notClosed(tx, account); err != nil {
		return store.Request{}, err
	}
	return begin(tx, store.Request{Family: store.RequestHeal, Account: account, Set: set})
}

func requestOf(f store.RequestFamily, a store.Assignment) store.Request {
	return store.Request{Family: f, Account: a.Account, Set: a.Set, PrincipalType: a.PrincipalType, PrincipalID: a.PrincipalID}
}

// begin writes the request with its job. Ids are in order of time, so that lists and the purge of old ones follow the key.
func begin(tx *store.Tx, r store.Request) (store.Request, error) {
	r.ID, r.Status, r.Remaining, r.CreatedAt = arn.NewTimeUUID(tx.Now()), store.RequestInProgress, 1, tx.Now()
	if err := tx.InsertRequest(r); err != nil {
		return store.Request{}, fmt.Errorf("insert request: %w", err)
	}
	return r, Enqueue(tx, r, Job{Account: r.Account})
}

// errBusy answers overlapping operations on one assignment, which callers are told to retry (wire protocols §5.3).
func errBusy() error {
	return fault.Conflictf("Another operation on this account assignment is in progress. Try again when it has ended.")
}

// Request is a request of an instance and family.
func Request(tx *store.Tx, i store.Instance, f store.RequestFamily, id string) (store.Request, error) {
	r, err := tx.Request(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (r.Set.Instance != i.ID || r.Family != f) {
		return store.Request{}, fault.Missing("Request", id)
	}
	return r, wrap(err, "load request")
}
