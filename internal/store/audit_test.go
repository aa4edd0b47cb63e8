package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"sallyport/internal/clock"
)

// TestAuditChain fixes the chain's form, which copies outside are checked against, with values from another implementation
// (sha256sum of the 32 zero bytes, the number, and the JSON).
func TestAuditChain(t *testing.T) {
	t.Parallel()
	first := head{}.next([]byte(`{"n":1}`))
	second := first.next([]byte(`{"n":2}`))
	if got := hex.EncodeToString(first.hash[:]); got != "71c7c5b9355835ebd870619966b2b42262ff5037b1a82ffb7bf05a6d5605bfb3" || first.seq != 1 {
		t.Errorf("first: %d %s", first.seq, got)
	}
	if got := hex.EncodeToString(second.hash[:]); got != "277ed06d3f1ecfe78ee74d1f006704f7528f8ca5531b9b9e9b07d19949bb4836" || second.seq != 2 {
		t.Errorf("second: %d %s", second.seq, got)
	}
}

// TestTampering: whatever is done to a sealed event, the chain shows it where it was done.
func TestTampering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper query
		broken int64 // 0: only a copy outside can tell
	}{
		"nothing":                {`UPDATE audit_log SET event = event`, 0},
		"changed event":          {`UPDATE audit_log SET event = '{}' WHERE seq = 1100`, 1100},
		"changed event and hash": {`UPDATE audit_log SET event = '{}', hash = zeroblob(32) WHERE seq = 1100`, 1100},
		"removed event":          {`DELETE FROM audit_log WHERE seq = 1000`, 1000},
		"removed and renumbered": {`DELETE FROM audit_log WHERE seq = 1200`, 1200},
		"truncated":              {`DELETE FROM audit_log WHERE seq > 1199`, 0},
		"first removed":          {`DELETE FROM audit_log WHERE seq = 1`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := Open(t.Context(), newFile(t), clock.System{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = db.Update(t.Context(), func(tx *Tx) error {
				for i := range 1201 {
					if err := tx.AppendEvent(Event{ID: fmt.Sprint(i), At: tx.now, JSON: fmt.Appendf(nil, `{"n":%d}`, i)}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(t.Context(), func(tx *Tx) error {
				_, err := tx.exec(c.tamper)
				if err == nil && name == "removed and renumbered" {
					_, err = tx.exec(`UPDATE audit_log SET seq = 1200 WHERE seq = 1201`)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = db.VerifyAudit(t.Context(), 0, nil)
			var broken *BrokenChainError
			if errors.As(err, &broken); c.broken == 0 && err != nil || c.broken != 0 && (broken == nil || broken.Seq != c.broken) {
				t.Errorf("verified: %v, want broken at %d", err, c.broken)
			}
		})
	}
}
