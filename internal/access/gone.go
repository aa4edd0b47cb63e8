package access

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/store"
)

const (
	// goneBatch is how many assignments of one who was deleted are taken away at a time: fewer than may be outstanding, so that
	// nobody else's requests wait for them.
	goneBatch = 10
	// goneBusy is how long to wait for assignments that are being made. They will fail: there is nobody to get them.
	goneBusy = 5 * time.Second
)

// NewGoneSweeper takes away what was assigned to users and groups that were deleted (behaviour reference §1.7): they grant nothing
// from the deletion on, and are listed until their roles have been seen to. owner names this process among the workers.
func NewGoneSweeper(db *store.DB, owner string) *store.Sweeper {
	return &store.Sweeper{DB: db, Kind: directory.GoneKind, Owner: owner, Do: func(tx *store.Tx, j store.Job) error {
		var g directory.Gone
		if err := json.Unmarshal(j.Payload, &g); err != nil {
			return fmt.Errorf("decode job: %w", err)
		}
		return takeAway(tx, g)
	}}
}

func takeAway(tx *store.Tx, g directory.Gone) error {
	if err := tx.DeleteApplicationAssignmentsOf(g.Type, g.ID); err != nil {
		return fmt.Errorf("delete application assignments: %w", err)
	}
	rows, err := tx.AssignmentsLeft(g.Type, g.ID, goneBatch)
	if err != nil {
		return fmt.Errorf("list assignments: %w", err)
	}
	wait := time.Second
	for _, a := range rows { // at most goneBatch
		if a.State == store.AssignmentPending {
			wait = goneBusy
			continue
		}
		if _, err := BeginDeletion(tx, a); err != nil {
			return err
		}
	}
	if len(rows) < goneBatch && wait != goneBusy {
		return nil
	}
	return directory.EnqueueGone(tx, g, tx.Now().Add(wait))
}
