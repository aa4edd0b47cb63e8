package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Job is an outbox row: work to be done after the commit, by a leased worker. A job is there until it is finished.
type Job struct {
	ID       string // made by Enqueue when empty
	Kind     string // which worker: "provision"
	Key      string // jobs of one kind and key run one after the other, in the order of Enqueue
	Payload  []byte // JSON
	RunAt    time.Time
	Attempts int   // claims so far, the present one included
	Fence    int64 // fencing number of the claim
	seq      int64
}

const (
	insertJob query = `INSERT INTO job (id, kind, key, payload, run_at, attempts, lease_owner, lease_until, fence) VALUES ($1, $2, $3, $4, $5, 0, '', 0, 0)`

	// A job may be claimed when its time has come and nothing of its key comes before it, or when its worker has gone.
	dueJobs query = `SELECT j.seq, j.id, j.kind, j.key, j.payload, j.run_at, j.attempts, j.fence FROM job j WHERE j.kind = $1 AND j.run_at <= $2 AND (j.lease_owner = '' AND NOT EXISTS (SELECT 1 FROM job b WHERE b.kind = j.kind AND b.key = j.key AND b.seq < j.seq) AND NOT EXISTS (SELECT 1 FROM job b WHERE b.kind = j.kind AND b.key = j.key AND b.lease_owner <> '') OR j.lease_owner <> '' AND j.lease_until <= $3) ORDER BY j.run_at, j.seq LIMIT $4`

	claimJob   query = `UPDATE job SET lease_owner = $1, lease_until = $2, attempts = attempts + 1, fence = fence + 1 WHERE seq = $3`
	extendJob  query = `UPDATE job SET lease_until = $1 WHERE seq = $2 AND fence = $3 AND lease_owner <> ''`
	deleteJob  query = `DELETE FROM job WHERE seq = $1 AND fence = $2 AND lease_owner <> ''`
	retryJob   query = `UPDATE job SET run_at = $1, lease_owner = '', lease_until = 0 WHERE seq = $2 AND fence = $3 AND lease_owner <> ''`
	releaseJob query = `UPDATE job SET attempts = attempts - 1, lease_owner = '', lease_until = 0 WHERE seq = $1 AND fence = $2 AND lease_owner <> ''`
)

func scanJob(r row) (j Job, err error) {
	var payload string
	var at int64
	err = r.Scan(&j.seq, &j.ID, &j.Kind, &j.Key, &payload, &at, &j.Attempts, &j.Fence)
	j.Payload, j.RunAt = []byte(payload), fromMicros(at)
	return j, err
}

// Enqueue adds a job in the transaction of the change that asks for it.
func (tx *Tx) Enqueue(j Job) error {
	if j.ID == "" {
		j.ID = newID(tx.now)
	}
	if j.RunAt.IsZero() {
		j.RunAt = tx.now
	}
	if _, err := tx.exec(insertJob, j.ID, j.Kind, j.Key, string(j.Payload), micros(j.RunAt)); err != nil {
		return fmt.Errorf("enqueue job: %w", err)
	}
	tx.enqueued = true
	return nil
}

// ClaimJobs leases up to n jobs of a kind whose time has come. Each is the first of its key, and no other of its key is
// claimed. A worker that needs longer than ttl extends the claim; one that dies lets it run out, and the job is claimed
// again: so what a job does must be idempotent.
func (db *DB) ClaimJobs(ctx context.Context, kind, owner string, n int, ttl time.Duration) ([]Job, error) {
	for {
		var due []Job
		err := db.View(ctx, func(tx *Tx) (err error) { // an idle worker's poll is a read
			due, err = list(tx, dueJobs, scanJob, kind, micros(tx.now), micros(tx.now), n)
			return err
		})
		if err != nil || len(due) == 0 {
			return nil, wrapIf("look for jobs", err)
		}
		var jobs []Job
		err = db.UpdateRelaxed(ctx, func(tx *Tx) (err error) {
			jobs, err = tx.claim(kind, owner, n, ttl)
			return err
		})
		// Taken key: another worker has just claimed a job of it, one that this snapshot could not see. Look again.
		if !errors.Is(err, ErrExists) {
			return jobs, wrapIf("claim jobs", err)
		}
	}
}

func (tx *Tx) claim(kind, owner string, n int, ttl time.Duration) ([]Job, error) {
	jobs, err := listUnlocked(tx, dueJobs, "j", scanJob, kind, micros(tx.now), micros(tx.now), n)
	if err != nil {
		return nil, err
	}
	for i := range jobs {
		if err := one(tx.exec(claimJob, owner, micros(tx.now.Add(ttl)), jobs[i].seq)); err != nil {
			return nil, err
		}
		jobs[i].Attempts++
		jobs[i].Fence++
	}
	return jobs, nil
}

// JobsWake returns a channel that is closed when this process next commits a job or frees a key. Take it before claiming;
// poll beside it, since other nodes enqueue too and back-off has no bell.
func (db *DB) JobsWake() <-chan struct{} { return db.jobs.wait() }

// ExtendJob holds a claim for longer; ErrLost when it has passed to another worker.
func (db *DB) ExtendJob(ctx context.Context, j Job, ttl time.Duration) error {
	err := db.UpdateRelaxed(ctx, func(tx *Tx) error {
		return held(tx.exec(extendJob, micros(tx.now.Add(ttl)), j.seq, j.Fence))
	})
	return wrapIf("extend job", err)
}

// FinishJob removes a claimed job, in the transaction that records its result. ErrLost: it has passed to another worker,
// and nothing may be recorded.
func (tx *Tx) FinishJob(j Job) error {
	tx.enqueued = true // the next of its key may run
	return held(tx.exec(deleteJob, j.seq, j.Fence))
}

// RetryJob gives a claimed job back, to be claimed again from at on; jobs of its key wait for it.
func (tx *Tx) RetryJob(j Job, at time.Time) error {
	return held(tx.exec(retryJob, micros(at), j.seq, j.Fence))
}

// ReleaseJob gives back a claimed job that was not tried: the claim is not counted.
func (tx *Tx) ReleaseJob(j Job) error {
	tx.enqueued = true
	return held(tx.exec(releaseJob, j.seq, j.Fence))
}

// wrapIf wraps an error, if there is one, with what was being done.
func wrapIf(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
