package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sallyport/internal/clock"
)

// sparse is a log as it is when most of it has been deleted: so a test has all levels of the index with a few events. Times go
// forward, but for some that are far from their neighbours'.
func sparse(r *rand.Rand, n int, upTo int64) (events []SealedEvent) {
	numbers := map[int64]bool{upTo: true}
	for len(numbers) < n {
		seq := 1 + r.Int64N(upTo)
		for range 1 + r.IntN(100) { // neighbours
			if seq <= upTo && len(numbers) < n {
				numbers[seq] = true
			}
			seq++
		}
	}
	for seq := range numbers {
		at := time.Unix(seq/10, 0)
		if r.IntN(500) == 0 {
			at = time.Unix(r.Int64N(upTo/10), 0)
		}
		json := fmt.Sprintf(`{"eventName":"N%d","eventSource":"S%d","readOnly":%v,"userIdentity":{"userName":"U%d"},"eventTime":%q}`,
			r.IntN(5), r.IntN(2), r.IntN(2) == 0, r.IntN(n/4), at.UTC().Format(time.RFC3339))
		events = append(events, SealedEvent{Seq: seq, Hash: []byte{}, Event: Event{ID: fmt.Sprintf("e%d", seq), At: at, JSON: []byte(json)}})
	}
	return newestFirst(events)
}

// write puts events into the log as they are.
func write(t testing.TB, db *DB, events []SealedEvent) {
	t.Helper()
	for part := range slices.Chunk(events, 4096) { // a transaction is given 10 s, which a busy machine needs
		err := db.Update(t.Context(), func(tx *Tx) error {
			for rows := part; len(rows) > 0; {
				size := largest(len(rows))
				var args []any
				for _, e := range rows[:size] {
					args = append(args, e.Seq, e.ID, micros(e.At), string(e.JSON), e.Hash)
				}
				if _, err := tx.exec(insertLog.rows(size), args...); err != nil {
					return err
				}
				rows = rows[size:]
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// indexAll brings the index up to date.
func indexAll(t testing.TB, db *DB) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = db.IndexSome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// everyPage looks up page after page.
func everyPage(t *testing.T, db *DB, q Lookup) (seqs []int64) {
	t.Helper()
	for {
		err := db.View(t.Context(), func(tx *Tx) error {
			found, next, err := tx.LookupEvents(q)
			for _, e := range found {
				seqs = append(seqs, e.Seq)
			}
			if q.Before > 0 && next >= q.Before {
				return fmt.Errorf("before %d comes %d", q.Before, next)
			}
			q.Before = next
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if q.Before == 0 {
			return seqs
		}
	}
}

// wanted is what a look-up is to find, by looking at every event.
func wanted(events []SealedEvent, q Lookup) (seqs []int64) {
	for _, e := range events {
		f := e.Facts()
		if f.has(q.By, q.Value) && !f.Time.Before(q.Since) && !f.Time.After(q.Until) && (q.Before == 0 || e.Seq < q.Before) {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

// question is a look-up at random; some find nothing.
func question(r *rand.Rand, events []SealedEvent) Lookup {
	e := events[r.IntN(len(events))]
	f := e.Facts()
	q := Lookup{Until: time.Unix(1e9, 0), Limit: 1 + r.IntN(50)}
	q.By = []Attribute{EveryEvent, ByEventID, ByEventName, ByEventSource, ByUsername, ByUsername, ByReadOnly}[r.IntN(7)]
	q.Value = map[Attribute]string{ByEventID: f.ID, ByEventName: f.Name, ByEventSource: f.Source, ByUsername: f.Username, ByReadOnly: "true"}[q.By]
	if r.IntN(8) == 0 && q.By != EveryEvent {
		q.Value += "-none"
	}
	if r.IntN(2) == 0 {
		q.Since = f.Time
	}
	if r.IntN(2) == 0 {
		q.Until = f.Time.Add(time.Duration(r.IntN(10_000)) * time.Second)
	}
	if r.IntN(3) == 0 {
		q.Before = events[r.IntN(len(events))].Seq
	}
	return q
}

// TestLookupsFindAll: whatever is asked, on whatever part of the index there is, all that should be is found, in order, once.
func TestLookupsFindAll(t *testing.T) {
	t.Parallel()
	const upTo = fanOut*fanOut*fanOut + 5*fanOut*fanOut + 7*fanOut + 9 // nodes of three levels are whole, and roots of all
	for name, dsn := range map[string]string{"sqlite": newFile(t), "postgres": newPostgres(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			db, err := Open(t.Context(), dsn, clock.System{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			events := sparse(r, 4000, upTo)
			write(t, db, events)
			ask := func(when string, times int) {
				t.Helper()
				for range times {
					q := question(r, events)
					if got, want := everyPage(t, db, q), wanted(events, q); !slices.Equal(got, want) {
						t.Errorf("%s: %+v found %d, want %d: %v, %v", when, q, len(got), len(want), got, want)
					}
				}
			}
			ask("not indexed", 10) // each reads all of the log
			for more, n := true, 0; more; n++ {
				if n == 3 {
					ask("half indexed", 40)
				}
				if more, err = db.IndexSome(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ask("indexed", 40)
			events = deleteUpTo(t, db, events, upTo-3*fanOut*fanOut)
			ask("deleted", 40)
		})
	}
}

// deleteUpTo deletes what is older, from the log and from the index, and checks that little is left of it there.
func deleteUpTo(t *testing.T, db *DB, events []SealedEvent, seq int64) []SealedEvent {
	t.Helper()
	var before, after [topLevel + 1]int
	count := func(tx *Tx, to *[topLevel + 1]int) error {
		return tx.each(`SELECT place FROM audit_index`, func(r row) (bool, error) {
			var p int64
			err := r.Scan(&p)
			to[p>>56]++
			return true, err
		})
	}
	err := db.Update(t.Context(), func(tx *Tx) error {
		if err := count(tx, &before); err != nil {
			return err
		}
		if err := tx.DropIndexed(seq); err != nil {
			return err
		}
		if _, err := tx.exec(`DELETE FROM audit_log WHERE seq <= $1`, seq); err != nil {
			return err
		}
		return count(tx, &after)
	})
	if err != nil {
		t.Fatal(err)
	}
	if after[1] > before[1]/2 || after[2] > before[2]/2 || after[3] > 0 || before[3] != fanOut*fanOut {
		t.Errorf("rows by level: %v, and after deletion %v", before, after)
	}
	return slices.DeleteFunc(events, func(e SealedEvent) bool { return e.Seq <= seq })
}

// TestLookupIsBounded: a page costs no more than it may, however far behind the index is; the next goes on where it ended.
func TestLookupIsBounded(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), newFile(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var events []SealedEvent
	for seq := int64(3 * lookupWork); seq > 0; seq-- {
		events = append(events, SealedEvent{Seq: seq, Hash: []byte{}, Event: Event{ID: fmt.Sprint(seq), JSON: []byte(`{"eventName":"N"}`)}})
	}
	write(t, db, events)
	q := Lookup{By: ByEventID, Value: "1", Until: time.Unix(1e9, 0), Limit: 50}
	pages := 0
	for {
		var found []FoundEvent
		err := db.View(t.Context(), func(tx *Tx) (err error) { found, q.Before, err = tx.LookupEvents(q); return err })
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if q.Before == 0 {
			if len(found) != 1 || pages < 6 || pages > 7 {
				t.Errorf("found %d after %d pages", len(found), pages)
			}
			return
		}
	}
}
