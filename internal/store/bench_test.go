package store

import (
	"testing"

	"sallyport/internal/clock"
)

// benchmark runs fn by 64 callers at a time on SQLite.
func benchmark(b *testing.B, fn func(*DB) error) {
	b.Helper()
	db, err := Open(b.Context(), b.TempDir()+"/bench.db", clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(b.Context(), func(tx *Tx) error { return tx.SetMeta("a", "x") }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fn(db); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkView reads three rows by key.
func BenchmarkView(b *testing.B) {
	benchmark(b, func(db *DB) error {
		return db.View(b.Context(), func(tx *Tx) error {
			for range 3 {
				if _, err := tx.Meta("a"); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkUpdate writes one row, durably.
func BenchmarkUpdate(b *testing.B) {
	benchmark(b, func(db *DB) error {
		return db.Update(b.Context(), func(tx *Tx) error { return tx.SetMeta("a", "x") })
	})
}

// BenchmarkEvent appends an audit event of 900 bytes, durably.
func BenchmarkEvent(b *testing.B) {
	json := make([]byte, 900)
	benchmark(b, func(db *DB) error {
		return db.Update(b.Context(), func(tx *Tx) error {
			return tx.AppendEvent(Event{ID: newID(tx.now), At: tx.now, JSON: json})
		})
	})
}
