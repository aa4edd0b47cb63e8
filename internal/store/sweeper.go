package store

import (
	"context"
	"errors"
	"time"
)

// Sweeper does the jobs of one kind, one after the other, each in one transaction that also finishes it. It is for work that is
// left to later, a little at a time, and that nobody waits for.
type Sweeper struct {
	DB    *DB
	Kind  string
	Owner string // names this process among the workers
	Do    func(*Tx, Job) error
}

// Times of a sweeper's work.
const (
	sweepLease = 30 * time.Second
	sweepPoll  = time.Second
	sweepPause = time.Minute // after a failure
)

// Run works until ctx ends or a job fails. It looks once a second rather than at every job that somebody enqueues: those are
// nearly always others'.
func (s *Sweeper) Run(ctx context.Context) error {
	for {
		if err := s.Drain(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepPoll):
		}
	}
}

// Drain does what is due, then returns. A job that fails is for later.
func (s *Sweeper) Drain(ctx context.Context) error {
	for {
		if n, err := s.step(ctx); err != nil || n == 0 {
			return err
		}
	}
}

func (s *Sweeper) step(ctx context.Context) (int, error) {
	jobs, err := s.DB.ClaimJobs(ctx, s.Kind, s.Owner, 1, sweepLease)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	j := jobs[0]
	err = s.DB.Update(ctx, func(tx *Tx) error {
		if err := s.Do(tx, j); err != nil {
			return err
		}
		return tx.FinishJob(j)
	})
	if err != nil && !errors.Is(err, ErrLost) {
		again := s.DB.UpdateRelaxed(ctx, func(tx *Tx) error { return tx.RetryJob(j, tx.Now().Add(sweepPause)) })
		return 0, errors.Join(err, again)
	}
	return 1, nil
}
