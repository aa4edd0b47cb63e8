package trail_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store/storetest"
	"sallyport/internal/trailfile"
)

// TestAlteredDatabase: an event that was changed in the database, or taken out, breaks the log's own chain; one that was changed with the
// chain after it is another history than the files'. The server's verification tells both, and the number of the event.
func TestAlteredDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want []string
		do   func(t *testing.T, db *sql.DB)
	}{
		"nothing": {nil, func(*testing.T, *sql.DB) {}},
		"an event": {[]string{trailfile.StoreBroken}, func(t *testing.T, db *sql.DB) {
			alter(t, db, `UPDATE audit_log SET event = REPLACE(event, 'eventName', 'eventMane') WHERE seq = 20`)
		}},
		"an event taken out": {[]string{trailfile.StoreBroken}, func(t *testing.T, db *sql.DB) { alter(t, db, `DELETE FROM audit_log WHERE seq = 20`) }},
		"its hash": {[]string{trailfile.StoreBroken}, func(t *testing.T, db *sql.DB) {
			alter(t, db, `UPDATE audit_log SET hash = (SELECT hash FROM audit_log WHERE seq = 2) WHERE seq = 20`)
		}},
		"an event, and the chain from there": {[]string{trailfile.StoreDiffers, trailfile.StoreBroken}, func(t *testing.T, db *sql.DB) { rechain(t, db, 3) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clocktest.At(morning)
			file := filepath.Join(t.TempDir(), "sallyport.db")
			h := houseOf(t, storetest.OpenAt(t, file, clock), clock, t.TempDir())
			h.begin("main", nil)
			for i := range 4 {
				h.happen(8)
				h.at(morning.Truncate(time.Hour).Add(time.Duration(i+1) * time.Hour))
			}
			raw, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			c.do(t, raw)
			var kinds []string
			for _, f := range h.online("main").Faults {
				if kinds = append(kinds, f.Kind); f.Event == 0 {
					t.Errorf("no event is named: %s", f)
				}
			}
			if slices.Sort(kinds); len(c.want) == 0 != (len(kinds) == 0) {
				t.Errorf("%q", kinds)
			}
			for _, want := range c.want {
				if !slices.Contains(kinds, want) {
					t.Errorf("%q, want %s", kinds, want)
				}
			}
			h.in.TrailVerifyEvery = time.Minute
			h.at(h.clock.Now().Add(2 * time.Minute))
			if n, said := h.told("TrailValidationFailed"); (n > 0) != (len(c.want) > 0) {
				t.Errorf("told %d times: %v", n, said)
			}
			h.sound() // the files are what they were
		})
	}
}

func alter(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	r, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d rows changed, %v", n, err)
	}
}

// rechain changes an event and writes the chain after it anew, as whoever has the database can.
func rechain(t *testing.T, db *sql.DB, from int64) {
	t.Helper()
	alter(t, db, `UPDATE audit_log SET event = REPLACE(event, 'sso.amazonaws.com', 'ssx.amazonaws.com') WHERE seq = ?`, from)
	var hash []byte
	if err := db.QueryRowContext(t.Context(), `SELECT hash FROM audit_log WHERE seq = ?`, from-1).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	for seq := from; ; seq++ {
		var event string
		if err := db.QueryRowContext(t.Context(), `SELECT event FROM audit_log WHERE seq = ?`, seq).Scan(&event); err != nil {
			if strings.Contains(err.Error(), sql.ErrNoRows.Error()) && seq > from+20 {
				return
			}
			t.Fatal(err)
		}
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(slices.Clone(hash), uint64(seq)), event...))
		hash = sum[:]
		alter(t, db, `UPDATE audit_log SET hash = ? WHERE seq = ?`, hash, seq)
	}
}
