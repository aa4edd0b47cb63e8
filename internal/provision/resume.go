package provision

import (
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// resumeBatch is how many permission sets are provisioned at a time in an account that was reopened: fewer than may be outstanding, so
// that nobody else's requests wait for them.
const resumeBatch = 10

// further enqueues the jobs that a job stands for which is no part of a request about one account.
func further(tx *store.Tx, j store.Job, job access.Job) error {
	if job.Request == "" {
		return resume(tx, j, job.Account)
	}
	return spread(tx, j, job)
}

// resume asks for what was to be provisioned in an account while it was closed. What is left comes after that: jobs of one account run one
// after the other.
func resume(tx *store.Tx, j store.Job, account arn.AccountID) error {
	a, err := tx.Account(account)
	if err != nil {
		return fmt.Errorf("load account: %w", err)
	}
	if a.Status != store.AccountActive { // closed again
		return wrap(tx.FinishJob(j), "finish job")
	}
	sets, err := tx.AwaitedIn(account, resumeBatch)
	if err != nil {
		return fmt.Errorf("list what waits for the account: %w", err)
	}
	for _, set := range sets { // at most resumeBatch
		if err := tx.SetAwaited(account, set, false); err != nil {
			return fmt.Errorf("record what waits for the account: %w", err)
		}
		if _, err := access.BeginProvision(tx, set, account); err != nil {
			return err
		}
	}
	if len(sets) == resumeBatch {
		if err := access.Enqueue(tx, store.Request{}, access.Job{Account: account}); err != nil {
			return err
		}
	}
	return wrap(tx.FinishJob(j), "finish job")
}
