package audit_test

import (
	"testing"

	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// TestAuditSeen: whoever holds events against other things that are stored sees no event that is newer than those.
func TestAuditSeen(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	if err := audit.Record(t.Context(), db, &audit.Event{EventName: "First"}); err != nil {
		t.Fatal(err)
	}
	count := func(tx *store.Tx, want int) {
		t.Helper()
		if got, err := db.AuditSeen(tx, 0, 10); err != nil || len(got) != want {
			t.Errorf("%d events are seen, %v; want %d", len(got), err, want)
		}
	}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		count(tx, 1)
		if err := audit.Record(t.Context(), db, &audit.Event{EventName: "Second"}); err != nil {
			return err
		}
		count(tx, 1)
		return nil
	})
	if err == nil {
		err = db.View(t.Context(), func(tx *store.Tx) error { count(tx, 2); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
}
