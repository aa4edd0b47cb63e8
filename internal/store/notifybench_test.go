package store

import (
	"context"
	"log/slog"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/store/storetest/pgtest"
)

// notifyWithin is what a change would do that told of itself in its own transaction.
// postgres: a benchmark's.
const notifyWithin query = `SELECT pg_notify('sallyport_change', $1)`

// BenchmarkChange records a change on PostgreSQL, durably, by 64 callers at a time: without a word to other nodes, told to them
// after the commit, and told to them within the transaction. One of the others listens.
func BenchmarkChange(b *testing.B) {
	for _, mode := range []string{"silent", "after", "within"} {
		b.Run(mode, func(b *testing.B) {
			dsn := pgtest.NewDatabase(b)
			db, err := Open(b.Context(), dsn, clock.System{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			other, err := Open(b.Context(), dsn, clock.System{})
			if err != nil {
				b.Fatal(err)
			}
			defer other.Close()
			ctx, stop := context.WithCancel(b.Context())
			ended := make(chan struct{}, 2)
			go func() { other.TellChanges(ctx, slog.New(slog.DiscardHandler)); ended <- struct{}{} }()
			go func() {
				if mode == "after" {
					db.TellChanges(ctx, slog.New(slog.DiscardHandler))
				}
				ended <- struct{}{}
			}()
			defer func() { stop(); <-ended; <-ended }()
			node := db.engine.(*postgres).node
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := db.UpdateRelaxed(b.Context(), func(tx *Tx) error {
						if err := tx.Changed("user:" + newID(tx.now)); err != nil || mode != "within" {
							return err
						}
						_, err := get(tx, notifyWithin, func(r row) (s string, err error) { return s, r.Scan(&s) }, node)
						return err
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
