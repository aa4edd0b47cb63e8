package trail_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRetention: old events go once every trail and sink has them, and no sooner; what is left verifies, as do the files, and one event
// tells of it. On both engines.
func TestRetention(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(morning)
		db := open(t, c)
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		h := houseOf(t, db, c, t.TempDir())
		h.in.AuditRetention, h.in.TrailDigestEvery = 24*time.Hour, 12*time.Hour
		h.happen(20)
		h.settle()
		h.update(func(tx *store.Tx) error { return tx.SetAuditCursor("file", 0) })
		first := func() (n int64, anchor store.AuditAnchor) {
			t.Helper()
			err := db.View(t.Context(), func(tx *store.Tx) error {
				all, err := tx.AuditLog(0, 1)
				if err != nil {
					return err
				}
				n = all[0].Seq
				anchor, err = tx.AuditAnchor()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n, anchor
		}
		prune := func() {
			t.Helper()
			if err := h.worker.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := db.VerifyAudit(t.Context(), 0, nil); err != nil {
				t.Error(err)
			}
		}
		h.clock.Advance(48 * time.Hour)
		prune()
		if n, _ := first(); n != 1 {
			t.Errorf("the log begins at %d, though a sink has none of it", n)
		}
		h.begin("main", nil)
		h.happen(10)
		h.settle()
		h.update(func(tx *store.Tx) error { return tx.SetAuditCursor("file", 5) })
		prune()
		if n, a := first(); n != 6 || a.Seq != 5 || a.Policy != "audit.retention=1d" {
			t.Errorf("the log begins at %d, %+v; a sink has 5", n, a)
		}
		h.at(h.clock.Now().Add(13 * time.Hour))
		h.update(func(tx *store.Tx) error { return tx.SetAuditCursor("file", 1000) })
		h.at(h.clock.Now().Add(40 * time.Hour))
		prune()
		n, a := first()
		if n < 31 || a.Seq != n-1 {
			t.Errorf("the log begins at %d, %+v", n, a)
		}
		h.in.TrailVerifyEvery = time.Minute
		h.at(h.clock.Now().Add(time.Hour))
		told := map[string]int{}
		err := db.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.AuditLog(0, 1000)
			for _, e := range all {
				for _, name := range []string{"PruneAuditLog", "TrailValidationFailed"} {
					if strings.Contains(string(e.JSON), `"eventName":"`+name+`"`) {
						told[name]++
					}
				}
			}
			return err
		})
		if err != nil || told["PruneAuditLog"] == 0 || told["TrailValidationFailed"] > 0 {
			t.Errorf("%v, %v", told, err)
		}
		h.sound()
	})
}
