package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Worker does the jobs that package access enqueues. Any number of processes may run one.
type Worker struct {
	DB       *store.DB
	Backends map[string]Provisioner // by store.Account.Backend
	Log      *slog.Logger
	Owner    string // names this process among the workers
	Parallel int    // accounts worked on at a time; 0 means 8

	// Settings are those in force; nil: the defaults.
	Settings func(context.Context) (setting.Values, error)
	Quotas   *quota.Book
}

// Times of the worker's work.
const (
	lease     = 15 * time.Second // what a job waits for when its worker was killed
	grace     = 5 * time.Second  // between the last moment of an attempt and the end of its lease
	poll      = time.Second      // other nodes' jobs, and back-off, have no bell
	gather    = 5 * time.Millisecond
	firstWait = 250 * time.Millisecond
	longWait  = 5 * time.Minute
	attempts  = 20 // by then a backend has been failing for more than half an hour
	retention = 30 * 24 * time.Hour
	tokenLife = 24 * time.Hour // of client tokens: longer than any client tries again
	tidyEvery = time.Hour
)

// errText is what AWS says when it is not the operator's to mend.
const errText = "An unexpected internal service exception was encountered"

// Run works until ctx ends, and returns when the jobs at hand have been done or given back.
func (w *Worker) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	defer busy.Wait()
	busy.Go(func() { w.tidy(ctx) })
	slots := make(chan struct{}, w.parallel())
	for {
		wake := w.DB.JobsWake()
		n := occupy(ctx, slots)
		jobs, err := w.claim(ctx, n)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "claim provisioning jobs", "error", err)
		}
		for range n - len(jobs) {
			<-slots
		}
		for _, j := range jobs {
			busy.Go(func() {
				defer func() { <-slots }()
				w.do(ctx, j)
			})
		}
		if n > 0 && len(jobs) == n {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(poll):
		}
	}
}

// Drain does what is due and what that gives rise to, then returns: for programs and tests that do not run the worker.
func (w *Worker) Drain(ctx context.Context) error {
	for {
		jobs, err := w.claim(ctx, w.parallel())
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

func (w *Worker) parallel() int {
	if w.Parallel > 0 {
		return w.Parallel
	}
	return 8
}

func (w *Worker) settings(ctx context.Context) (setting.Values, error) {
	if w.Settings == nil {
		return setting.Defaults(), nil
	}
	return w.Settings(ctx)
}

func (w *Worker) claim(ctx context.Context, n int) ([]store.Job, error) {
	if n == 0 {
		return nil, nil
	}
	return w.DB.ClaimJobs(ctx, access.JobKind, w.Owner, n, lease)
}

// occupy waits for a free slot and takes all that are free; none when ctx ends first. It lets a moment pass before it looks for
// more: jobs end together, with the commit that holds their results, and one claim for all of them costs what one for each does.
func occupy(ctx context.Context, slots chan struct{}) int {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	select {
	case <-time.After(gather):
	case <-ctx.Done():
	}
	for n := 1; ; n++ {
		select {
		case slots <- struct{}{}:
		default:
			return n
		}
	}
}

// do does one job and, if that did not end it, gives it back.
func (w *Worker) do(ctx context.Context, j store.Job) {
	err := w.attempt(ctx, j)
	if err == nil {
		return
	}
	log := w.Log.With("job", j.ID, "account", j.Key, "attempt", j.Attempts)
	if errors.Is(err, store.ErrLost) {
		log.InfoContext(ctx, "provisioning job passed to another worker")
		return
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	lost := w.DB.UpdateRelaxed(back, func(tx *store.Tx) error {
		if ctx.Err() != nil { // stopped, not failed
			return tx.ReleaseJob(j)
		}
		return tx.RetryJob(j, tx.Now().Add(wait(j.Attempts)))
	})
	if ctx.Err() == nil || lost != nil {
		log.WarnContext(ctx, "provisioning job failed", "error", errors.Join(err, lost))
	}
}

// wait is how long a job that has failed n times rests.
func wait(n int) time.Duration {
	if n < 1 || n > 12 { // 250 ms doubled eleven times is past the longest already
		return longWait
	}
	return min(firstWait<<(n-1), longWait)
}

// attempt does one job to its end. Whatever error it returns, the job is to be done again.
func (w *Worker) attempt(ctx context.Context, j store.Job) error {
	// Past its lease a job may be another worker's, so nothing is begun or asked of an account after that.
	ctx, cancel := context.WithTimeout(ctx, lease-grace)
	defer cancel()
	var job access.Job
	if err := json.Unmarshal(j.Payload, &job); err != nil {
		return fmt.Errorf("decode job: %w", err)
	}
	if job.Request == "" || job.Account == "" {
		return w.DB.Update(ctx, func(tx *store.Tx) error { return further(tx, j, job) })
	}
	for {
		err := w.round(ctx, j, job)
		if !errors.Is(err, errEdited) {
			return err
		}
	}
}

// round plans what a job is to do, does it and records what came of it.
func (w *Worker) round(ctx context.Context, j store.Job, job access.Job) error {
	in, err := w.settings(ctx)
	if err != nil {
		return fmt.Errorf("load settings: %w", err)
	}
	s := step{limits: w.Quotas.In(in.Mode()), stable: in.RoleSuffix == setting.StableSuffix}
	err = w.DB.View(ctx, func(tx *store.Tx) (err error) {
		s, err = plan(tx, job, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	reason, err := w.ask(ctx, &s, j.Attempts)
	if err != nil {
		return err
	}
	return w.DB.Update(ctx, func(tx *store.Tx) error {
		if err := current(tx, s, reason); err != nil {
			return err
		}
		return finish(tx, j, s, reason)
	})
}

// ask makes the account match. The reason is why it never will; an error asks for another attempt.
func (w *Worker) ask(ctx context.Context, s *step, attempt int) (reason string, err error) {
	if s.ensure == nil && s.remove == "" {
		return s.fail, nil
	}
	backend := w.Backends[s.account.Backend]
	if backend == nil {
		return fmt.Sprintf("Account %s has a backend that this server does not have: %s.", s.account.ID, s.account.Backend), nil
	}
	if s.fail == "" && s.ensure != nil {
		err := ensure(ctx, backend, s)
		if err == nil {
			return "", nil
		}
		if s.fail = verdict(err, attempt); s.fail == "" {
			return "", fmt.Errorf("ensure role: %w", err)
		}
		w.Log.WarnContext(ctx, "role cannot be made", "account", s.account.ID, "role", s.ensure.Name, "error", err)
	}
	if s.remove == "" {
		return s.fail, nil
	}
	if err := backend.RemoveRole(ctx, s.account.ID, s.remove); err != nil {
		reason := verdict(err, attempt)
		if reason == "" {
			return "", fmt.Errorf("remove role: %w", err)
		}
		w.Log.ErrorContext(ctx, "role cannot be removed", "account", s.account.ID, "role", s.remove, "error", err)
		if s.fail == "" {
			s.fail = reason
		}
		return s.fail, nil
	}
	s.removed = true
	return s.fail, nil
}

// ensure makes the role. Where one is to be healed that stands in its own way, changed in what a role cannot change, it makes it anew.
func ensure(ctx context.Context, backend Provisioner, s *step) error {
	err := backend.EnsureRole(ctx, s.account.ID, *s.ensure)
	if s.request.Family != store.RequestHeal || fault.KindOf(err) != fault.Conflict {
		return err
	}
	if err := backend.RemoveRole(ctx, s.account.ID, s.ensure.Name); err != nil {
		return err
	}
	return backend.EnsureRole(ctx, s.account.ID, *s.ensure)
}

// verdict is the reason if an error is for good, "" if another attempt may mend it.
func verdict(err error, attempt int) string {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Denied, fault.Conflict, fault.Quota:
		return fault.As(err).Message
	}
	if attempt >= attempts {
		return errText
	}
	return ""
}

// tidy forgets requests that ended long ago.
func (w *Worker) tidy(ctx context.Context) {
	for {
		err := w.DB.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.PurgeRequests(tx.Now().Add(-retention), 1000); err != nil {
				return err
			}
			_, err := tx.PurgeClientTokens(tx.Now().Add(-tokenLife), 1000)
			return err
		})
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "forget old requests", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tidyEvery):
		}
	}
}
