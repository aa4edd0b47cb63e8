package instance

import (
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// sweepKind is the kind of the jobs that delete what is left of instances.
const sweepKind = "instance-sweep"

// sweepBatch is how many things are removed in one transaction. A user takes about eight statements, so that it is a few
// milliseconds' work (hard part 1).
const sweepBatch = 100

type sweepJob struct {
	Instance arn.Instance `json:"instance"`
}

// sweep removes a batch of what is in an instance, and the instance with the last of it; a job does the rest.
func sweep(tx *store.Tx, i store.Instance) error {
	left := sweepBatch
	for _, part := range []func(*store.Tx, store.Instance, int) (int, error){sweepApplications, sweepIssuers, sweepDirectory} {
		n, err := part(tx, i, left)
		if err != nil {
			return err
		}
		if left -= n; left <= 0 {
			return again(tx, i)
		}
	}
	if err := tx.DeleteTags(i.ID.ARN()); err != nil {
		return fmt.Errorf("delete tags of instance: %w", err)
	}
	if err := tx.DeleteInstance(i.ID); err != nil {
		return fmt.Errorf("delete instance: %w", err)
	}
	return nil
}

// again leaves the rest to a job.
func again(tx *store.Tx, i store.Instance) error {
	payload, err := json.Marshal(sweepJob{i.ID})
	if err != nil {
		return fmt.Errorf("encode sweep: %w", err)
	}
	return tx.Enqueue(store.Job{Kind: sweepKind, Key: string(i.ID), Payload: payload})
}

// sweepApplications removes applications, each after those who are assigned to it.
func sweepApplications(tx *store.Tx, i store.Instance, most int) (removed int, err error) {
	all, _, err := tx.Applications(i.ID, "", "", page.Query{Limit: most})
	if err != nil {
		return 0, fmt.Errorf("list applications: %w", err)
	}
	for _, a := range all {
		n, err := tx.SweepApplicationAssignments(a.ID, most-removed)
		if err != nil {
			return removed, fmt.Errorf("delete assignments to application: %w", err)
		}
		if removed += int(n); removed >= most {
			return removed, nil
		}
		if err := application.Delete(tx, a); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func sweepIssuers(tx *store.Tx, i store.Instance, most int) (int, error) {
	all, _, err := tx.TokenIssuers(i.ID, page.Query{Limit: most})
	if err != nil {
		return 0, fmt.Errorf("list trusted token issuers: %w", err)
	}
	for _, t := range all {
		if err := application.DeleteIssuer(tx, t); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func sweepDirectory(tx *store.Tx, i store.Instance, most int) (int, error) {
	return directory.Empty(tx, i.StoreID, most)
}

// NewSweeper deletes, a little at a time, instances that are large. owner names this process among the workers.
func NewSweeper(db *store.DB, owner string) *store.Sweeper {
	return &store.Sweeper{DB: db, Kind: sweepKind, Owner: owner, Do: sweepOf}
}

func sweepOf(tx *store.Tx, j store.Job) error {
	var todo sweepJob
	if err := json.Unmarshal(j.Payload, &todo); err != nil {
		return fmt.Errorf("decode sweep: %w", err)
	}
	i, err := tx.Instance(todo.Instance)
	if errors.Is(err, store.ErrNotFound) { // by an earlier claim of this job
		return nil
	}
	if err != nil {
		return fmt.Errorf("load instance: %w", err)
	}
	return sweep(tx, i)
}
