package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/provision"
	"sallyport/internal/store"
)

// Kept is how long the records of revocations are kept.
const Kept = 400 * 24 * time.Hour

// Worker brings revocations to the backends of accounts, and confirms them. Any number of processes may run one.
type Worker struct {
	DB       *store.DB
	Backends map[string]provision.Provisioner // by store.Account.Backend
	Log      *slog.Logger
	Owner    string // names this process among the workers
	// News is how old the news of a server may be before it refuses everything ([Gate.Bound]).
	News time.Duration

	// Region and Account are those of the audit events of outcomes.
	Region  string
	Account arn.AccountID
}

// Times of the worker's work.
const (
	parallel  = 8
	lease     = 30 * time.Second // what a job waits for when its worker was killed
	grace     = 10 * time.Second // between the last moment of an attempt and the end of its lease
	lookEvery = time.Second      // other nodes' jobs, and what waits, have no bell
	gather    = 20 * time.Millisecond
	firstWait = 250 * time.Millisecond
	longWait  = time.Minute
	attempts  = 20 // by then a backend has been failing for about ten minutes
	spread    = 100
)

// errText is what is told of a failure that is not the operator's to mend.
const errText = "The account's backend kept failing; the server's log tells how."

// Run works until ctx ends, and returns when the jobs at hand have been done or given back.
func (w *Worker) Run(ctx context.Context) error {
	for {
		wake := w.DB.JobsWake()
		if err := w.Drain(ctx); err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "look for revocations to be carried out", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(lookEvery):
		}
		select { // the bell rings for everybody's jobs, which are nearly always others'
		case <-ctx.Done():
		case <-time.After(gather):
		}
	}
}

// Drain does what is due and what that gives rise to, then returns.
func (w *Worker) Drain(ctx context.Context) error {
	for {
		jobs, err := w.DB.ClaimJobs(ctx, jobKind, w.Owner, parallel, lease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		var busy sync.WaitGroup
		for _, j := range jobs {
			busy.Go(func() { w.do(ctx, j) })
		}
		busy.Wait()
	}
}

// do does one job and, if that did not end it, gives it back.
func (w *Worker) do(ctx context.Context, j store.Job) {
	err := w.attempt(ctx, j)
	if err == nil || errors.Is(err, store.ErrLost) {
		return
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace/2)
	defer cancel()
	lost := w.DB.UpdateRelaxed(back, func(tx *store.Tx) error {
		if ctx.Err() != nil { // stopped, not failed
			return tx.ReleaseJob(j)
		}
		return tx.RetryJob(j, tx.Now().Add(min(firstWait<<min(j.Attempts, 10), longWait)))
	})
	if ctx.Err() == nil || lost != nil {
		w.Log.WarnContext(ctx, "revocation is tried again", "job", j.ID, "attempt", j.Attempts, "error", errors.Join(err, lost))
	}
}

// attempt does one job to its end. Whatever error it returns, the job is to be done again.
func (w *Worker) attempt(ctx context.Context, j store.Job) error {
	ctx, cancel := context.WithTimeout(ctx, lease-grace)
	defer cancel()
	var what job
	if err := json.Unmarshal(j.Payload, &what); err != nil {
		return fmt.Errorf("decode job: %w", err)
	}
	switch {
	case what.Account != "":
		return w.reach(ctx, j, what)
	case what.Confirm:
		return w.DB.Update(ctx, func(tx *store.Tx) error {
			return w.part(tx, j, what.Revocation, 0, func(v *store.Revocation) { v.ConfirmedAt = tx.Now() })
		})
	}
	return w.DB.Update(ctx, func(tx *store.Tx) error { return w.spread(tx, j, what) })
}

// spread enqueues a job for each account, a page at a time, and with the first page the confirmation. That begins after the commit
// of the revocation: when the bound is over, every node has the news or refuses everything.
func (w *Worker) spread(tx *store.Tx, j store.Job, what job) error {
	v, err := tx.Revocation(what.Revocation)
	if err != nil {
		return fmt.Errorf("load revocation: %w", err)
	}
	q := page.Query{Limit: spread}
	if what.After != "" {
		q.After = page.Key{string(what.After)}
	}
	accounts, next, err := concerned(tx, v, q)
	if err != nil {
		return err
	}
	parts := int64(len(accounts))
	for _, a := range accounts {
		if err := tx.PutRevokedIn(store.RevokedIn{Revocation: v.ID, Account: a, Status: store.RevocationPending}); err != nil {
			return fmt.Errorf("record account: %w", err)
		}
		if err := enqueue(tx, store.Job{Key: string(a)}, job{Revocation: v.ID, Account: a, NotBefore: tx.Now()}); err != nil {
			return err
		}
	}
	if next != nil {
		parts++
		if err := enqueue(tx, store.Job{Key: v.ID}, job{Revocation: v.ID, After: arn.AccountID(next[0])}); err != nil {
			return err
		}
	}
	if what.After == "" {
		parts++
		at := tx.Now()
		if !w.DB.PushesChanges() {
			at = at.Add(w.News)
		}
		if err := enqueue(tx, store.Job{Key: v.ID + "/confirm", RunAt: at}, job{Revocation: v.ID, Confirm: true}); err != nil {
			return err
		}
	}
	return w.part(tx, j, v.ID, parts, nil)
}

// reach tells the backend of an account, and records what it says.
func (w *Worker) reach(ctx context.Context, j store.Job, what job) error {
	var ask provision.Revocation
	var account store.Account
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) {
		ask, account, err = plan(tx, what)
		return err
	})
	if err != nil {
		return err
	}
	in := store.RevokedIn{Revocation: what.Revocation, Account: what.Account, Status: store.RevocationReached}
	if in.Reason, err = w.ask(ctx, account, ask, j.Attempts, &in); err != nil {
		return fmt.Errorf("revoke in account %s: %w", what.Account, err)
	}
	return w.DB.Update(ctx, func(tx *store.Tx) error {
		if in.ReachedAt = tx.Now(); in.Reason != "" {
			in.Status, in.ReachedAt = store.RevocationFailed, time.Time{}
		}
		if err := tx.PutRevokedIn(in); err != nil {
			return fmt.Errorf("record outcome: %w", err)
		}
		return w.part(tx, j, what.Revocation, 0, func(v *store.Revocation) {
			if in.Reason != "" {
				v.Status = store.RevocationFailed
			}
		})
	})
}

func plan(tx *store.Tx, what job) (ask provision.Revocation, account store.Account, err error) {
	v, err := tx.Revocation(what.Revocation)
	if err != nil {
		return ask, account, fmt.Errorf("load revocation: %w", err)
	}
	account, err = tx.Account(what.Account)
	if err != nil {
		return ask, account, fmt.Errorf("load account: %w", err)
	}
	ask = provision.Revocation{ID: v.ID, Account: account.ID, UserID: v.UserID, SessionID: v.SessionID, NotBefore: what.NotBefore}
	ask.Roles, err = roles(tx, v, account.ID)
	return ask, account, err
}

// ask asks the backend. The reason is why the account is not reached; an error asks for another attempt.
func (w *Worker) ask(ctx context.Context, account store.Account, ask provision.Revocation, attempt int, in *store.RevokedIn) (reason string, err error) {
	backend := w.Backends[account.Backend]
	if backend == nil {
		return fmt.Sprintf("Account %s has a backend that this server does not have: %s.", account.ID, account.Backend), nil
	}
	out, err := backend.Revoke(ctx, ask)
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Denied, fault.Conflict, fault.Quota:
		w.Log.ErrorContext(ctx, "revocation does not reach an account", "account", account.ID, "error", err)
		return fault.As(err).Message, nil
	}
	if err != nil && attempt >= attempts {
		w.Log.ErrorContext(ctx, "revocation does not reach an account", "account", account.ID, "error", err)
		return errText, nil
	}
	in.Within, in.Residue = out.Within, out.Residue
	return "", err
}

// part ends a job that was one part of a revocation and has given rise to others, and the revocation with its last part.
func (w *Worker) part(tx *store.Tx, j store.Job, id string, others int64, change func(*store.Revocation)) error {
	if err := tx.FinishJob(j); err != nil {
		return fmt.Errorf("finish job: %w", err)
	}
	v, err := tx.Revocation(id)
	if err != nil {
		return fmt.Errorf("load revocation: %w", err)
	}
	if v.Remaining += others - 1; change != nil {
		change(&v)
	}
	if v.Remaining == 0 {
		if v.EndedAt = tx.Now(); v.Status == store.RevocationPending {
			v.Status = store.RevocationReached
		}
		if err := w.event(v).Store(tx); err != nil {
			return err
		}
	}
	if err := tx.UpdateRevocation(v); err != nil {
		return fmt.Errorf("record revocation: %w", err)
	}
	return nil
}

// event tells the outcome, as something the service did by itself.
func (w *Worker) event(v store.Revocation) *audit.Event {
	const source = "sallyport"
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: source},
		EventSource:  source, EventName: "Revoke", EventType: "AwsServiceEvent",
		AWSRegion: w.Region, SourceIPAddress: source, UserAgent: source, RequestID: v.ID, RecipientAccountID: string(w.Account),
		ServiceEventDetails: map[string]any{"revocationId": v.ID, "scope": v.Scope, "status": v.Status, "confirmedAt": v.ConfirmedAt, "accounts": v.Counts.Accounts},
	}
}
