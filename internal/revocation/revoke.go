package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// Counted bounds how many roles in use, and accounts, are counted.
const Counted = 10_000

// Measure completes an order, of which scope, ids, reason and by whom are given, with what it would cut off now. It writes nothing.
func Measure(tx *store.Tx, o store.Revocation) (store.Revocation, error) {
	var err error
	switch o.Scope {
	case store.RevokedUser:
		if o.Counts, err = tx.LiveOfUser(o.UserID); err != nil {
			return o, fmt.Errorf("count sessions: %w", err)
		}
		o.Counts.Roles, err = tx.UsesOfUser(o.UserID, Counted)
	case store.RevokedSession:
		return measureSession(tx, o)
	default:
		o.Counts.Roles, err = tx.UsesOf(o.Set, o.Account, Counted)
	}
	if err != nil {
		return o, fmt.Errorf("count roles in use: %w", err)
	}
	return countAccounts(tx, o)
}

func measureSession(tx *store.Tx, o store.Revocation) (store.Revocation, error) {
	s, err := tx.Session(o.SessionID)
	if errors.Is(err, store.ErrNotFound) {
		return o, fault.Missing("SESSION", o.SessionID)
	}
	if err != nil {
		return o, fmt.Errorf("load session: %w", err)
	}
	o.UserID = s.UserID
	if o.Counts, err = tx.LiveBelow(s.ID); err != nil {
		return o, fmt.Errorf("count sessions: %w", err)
	}
	switch {
	case !s.Live(tx.Now()):
	case s.ParentID == "":
		o.Counts.Portal++
	default:
		o.Counts.Clients++
	}
	if o.Counts.Roles, err = tx.RolesInUse(s.ID); err != nil {
		return o, fmt.Errorf("count roles in use: %w", err)
	}
	return countAccounts(tx, o)
}

func countAccounts(tx *store.Tx, o store.Revocation) (store.Revocation, error) {
	accounts, _, err := concerned(tx, o, page.Query{Limit: Counted})
	o.Counts.Accounts = int64(len(accounts))
	return o, err
}

// concerned lists the accounts whose backends are told.
func concerned(tx *store.Tx, o store.Revocation, q page.Query) (accounts []arn.AccountID, next page.Key, err error) {
	switch {
	case o.Account != "" && len(q.After) == 0:
		return []arn.AccountID{o.Account}, nil, nil
	case o.Account != "":
		return nil, nil, nil
	case o.Scope == store.RevokedSet:
		accounts, next, err = tx.AccountsWithSet(o.Set, "", q)
	default:
		accounts, next, err = tx.AccountsInUse(o.UserID, o.SessionID, q)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list accounts: %w", err)
	}
	return accounts, next, nil
}

// Revoke carries out an order that Measure has completed, and records it. From its commit on this node refuses what was cut off;
// [Worker] confirms when all do, and tells the backends of accounts.
func Revoke(tx *store.Tx, sessions *session.Service, o store.Revocation) (store.Revocation, error) {
	if err := cutOff(tx, sessions, o); err != nil {
		return o, err
	}
	o.Status, o.Remaining = store.RevocationPending, 1
	o, err := tx.InsertRevocation(o)
	if err != nil {
		return o, fmt.Errorf("record revocation: %w", err)
	}
	return o, enqueue(tx, store.Job{Key: o.ID}, job{Revocation: o.ID})
}

// cutOff ends sessions, or cuts what was given out without ending them. What a user holds hangs on sessions; the cut is for the
// credentials of those whose rows are there no more. Sign-ins that have come half way are as good as a session to whoever has them.
func cutOff(tx *store.Tx, sessions *session.Service, o store.Revocation) error {
	switch {
	case o.Scope == store.RevokedSession:
		return sessions.End(tx, o.SessionID, o.By)
	case o.Scope == store.RevokedUser:
		if _, err := sessions.EndAllOf(tx, o.UserID, o.By); err != nil {
			return err
		}
		if err := tx.VoidAttempts(o.UserID, ""); err != nil {
			return fmt.Errorf("void sign-in attempts: %w", err)
		}
		return tx.Cut("user:" + o.UserID)
	case o.Scope == store.RevokedAccount:
		return tx.Cut("account:" + string(o.Account))
	case o.Account != "":
		return tx.Cut(store.Assignment{Account: o.Account, Set: o.Set}.GrantKey())
	}
	return tx.Cut("set:" + o.Set.ARN())
}

// jobKind is the kind of the jobs by which a revocation reaches accounts and is confirmed.
const jobKind = "revoke"

// job is the payload of a job: the part of a revocation that is about one account, the confirmation or, with neither, the
// spreading over accounts after the given one.
type job struct {
	Revocation string
	Account    arn.AccountID `json:",omitempty"`
	NotBefore  time.Time     `json:",omitzero"` // of the part about an account
	Confirm    bool          `json:",omitempty"`
	After      arn.AccountID `json:",omitempty"`
}

func enqueue(tx *store.Tx, j store.Job, what job) (err error) {
	j.Kind = jobKind
	if j.Payload, err = json.Marshal(what); err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	return tx.Enqueue(j)
}

// prunedAtOnce is how many rows of a kind one transaction deletes at most.
const prunedAtOnce = 500

// Prune forgets cuts that no credential can be older than, and the records of revocations when they are Kept no longer. Call it again
// while it says that there may be more.
func Prune(tx *store.Tx) (more bool, err error) {
	n, err := tx.PruneCuts(prunedAtOnce)
	if err != nil {
		return false, fmt.Errorf("forget cuts: %w", err)
	}
	m, err := tx.PruneRevocations(tx.Now().Add(-Kept), prunedAtOnce)
	if err != nil {
		return false, fmt.Errorf("forget revocations: %w", err)
	}
	return n >= prunedAtOnce || m >= prunedAtOnce, nil
}

// roles are the names of the account's roles that a revocation is about; nil: all.
func roles(tx *store.Tx, o store.Revocation, account arn.AccountID) ([]string, error) {
	var sets []string
	var err error
	switch o.Scope {
	case store.RevokedAccount:
		return nil, nil
	case store.RevokedSet:
		sets = []string{o.Set.ARN()}
	default:
		if sets, err = tx.SetsInUse(account, o.UserID, o.SessionID); err != nil {
			return nil, fmt.Errorf("list permission sets in use: %w", err)
		}
	}
	names := []string{}
	for _, s := range sets { // as many as an account may have
		set, err := arn.ParsePermissionSet(s)
		if err != nil {
			return nil, fmt.Errorf("read permission set: %w", err)
		}
		role, err := tx.Provisioned(account, set)
		if errors.Is(err, store.ErrNotFound) { // it has gone since, and its sessions with it
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load what was provisioned: %w", err)
		}
		names = append(names, role.Name)
	}
	return names, nil
}
