package directory

import (
	"encoding/json"
	"fmt"

	"sallyport/internal/store"
)

// sweepKind is the kind of the jobs that remove what is left of large groups.
const sweepKind = "directory-sweep"

// sweepBatch is how many memberships are removed in one transaction: a few milliseconds' work (hard part 1).
const sweepBatch = 250

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

// NewSweeper removes, a little at a time, the memberships that deleted groups and users have left behind. owner names this
// process among the workers.
func NewSweeper(db *store.DB, owner string) *store.Sweeper {
	return &store.Sweeper{DB: db, Kind: sweepKind, Owner: owner, Do: func(tx *store.Tx, j store.Job) error {
		var todo sweepJob
		if err := json.Unmarshal(j.Payload, &todo); err != nil {
			return fmt.Errorf("decode sweep: %w", err)
		}
		return sweep(tx, todo) // which enqueues the next if there is more to do
	}}
}
