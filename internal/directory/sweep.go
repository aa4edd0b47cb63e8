package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/store"
)

// sweepKind is the kind of the jobs that remove what is left of large groups.
const sweepKind = "directory-sweep"

// sweepBatch is how many memberships are removed in one transaction: a few milliseconds' work (hard part 1).
const sweepBatch = 500

type sweepJob struct {
	Group string `json:"group,omitempty"`
	User  string `json:"user,omitempty"`
}

// sweep removes the memberships of a deleted group or user, and leaves the rest of many to a job. Until it has run they
// count for nothing, because everything that reads memberships asks for the group and the user too; ids are never used again.
func sweep(tx *store.Tx, j sweepJob) error {
	var n int64
	var err error
	key := j.Group
	if j.Group != "" {
		n, err = tx.SweepMembers(j.Group, sweepBatch)
	} else {
		key = j.User
		n, err = tx.SweepMemberships(j.User, sweepBatch)
	}
	if err != nil || n < sweepBatch {
		return wrap(err, "delete memberships")
	}
	payload, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode sweep: %w", err)
	}
	return wrap(tx.Enqueue(store.Job{Kind: sweepKind, Key: key, Payload: payload}), "enqueue sweep")
}

// Sweeper removes, a little at a time, the memberships that deleted groups and users have left behind.
type Sweeper struct {
	DB    *store.DB
	Log   *slog.Logger
	Owner string // names this process among the workers
}

// Times of the sweeper's work.
const (
	sweepLease = 30 * time.Second
	sweepPoll  = time.Second
	sweepPause = time.Minute // after a failure
)

// Run works until ctx ends. It looks once a second rather than at every job that somebody enqueues: what it removes grants
// nothing any more, and those jobs are nearly always others'.
func (s *Sweeper) Run(ctx context.Context) error {
	for {
		if err := s.Drain(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "sweep memberships", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepPoll):
		}
	}
}

// Drain does what is due, then returns.
func (s *Sweeper) Drain(ctx context.Context) error {
	for {
		if n, err := s.step(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// step does one job, which enqueues the next for its group if there is more to do.
func (s *Sweeper) step(ctx context.Context) (int, error) {
	jobs, err := s.DB.ClaimJobs(ctx, sweepKind, s.Owner, 1, sweepLease)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	j := jobs[0]
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		var todo sweepJob
		if err := json.Unmarshal(j.Payload, &todo); err != nil {
			return fmt.Errorf("decode sweep: %w", err)
		}
		if err := sweep(tx, todo); err != nil {
			return err
		}
		return tx.FinishJob(j)
	})
	if err != nil && !errors.Is(err, store.ErrLost) {
		again := s.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.RetryJob(j, tx.Now().Add(sweepPause)) })
		return 0, errors.Join(err, again)
	}
	return 1, nil
}
