package directory

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/store"
)

// GoneKind is the kind of the jobs by which what was assigned to a deleted user or group goes too. Package access does them.
const GoneKind = "principal-gone"

// Gone is the payload of such a job.
type Gone struct {
	Type store.PrincipalType `json:"type"`
	ID   string              `json:"id"`
}

// gone asks for that, if anything was assigned.
func gone(tx *store.Tx, g Gone) error {
	if some, err := tx.AssignedAnything(g.Type, g.ID); err != nil || !some {
		return wrap(err, "look for assignments")
	}
	return EnqueueGone(tx, g, tx.Now())
}

// EnqueueGone enqueues the job; at says when it may begin.
func EnqueueGone(tx *store.Tx, g Gone, at time.Time) error {
	payload, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	return wrap(tx.Enqueue(store.Job{Kind: GoneKind, Key: g.ID, Payload: payload, RunAt: at}), "enqueue job")
}
