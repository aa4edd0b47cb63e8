package store

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/store/storetest/pgtest"
)

func TestSSI(t *testing.T) {
	db, err := Open(t.Context(), pgtest.NewDatabase(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := db.engine.(*postgres)
	const callers, each = 64, 20
	db.Update(t.Context(), func(tx *Tx) error {
		for i := range callers {
			if err := errors.Join(tx.InsertAccount(Account{ID: arn.AccountID(strconv.Itoa(i))}), tx.SetMeta(strconv.Itoa(i), "0")); err != nil {
				return err
			}
		}
		return nil
	})
	for _, mode := range []string{"upd","gap","gap","upd"} {
		for _, conns := range []int{16,8,6,4,2} {
			p.writes.SetMaxOpenConns(conns)
			before := db.Stats()
			start := clock.System{}.Now()
			var wg sync.WaitGroup
			sample := sync.OnceFunc(func() {
				rows, _ := p.reads.Query(`select coalesce(relation::regclass::text,''), locktype, page, count(*) from pg_locks where mode='SIReadLock' group by 1,2,3 order by 4 desc limit 12`)
				for rows.Next() {
					var a, b string
					var pg *int
					var n int
					rows.Scan(&a, &b, &pg, &n)
					pgn := -1
					if pg != nil { pgn = *pg }
					fmt.Println("   ", a, b, pgn, n)
				}
				rows.Close()
			})
			for i := range callers {
				wg.Go(func() {
					me := strconv.Itoa(i)
					for n := range each {
						err := db.Update(t.Context(), func(tx *Tx) error {
							if mode != "noacct" {
								if _, err := tx.Account(arn.AccountID(me)); err != nil {
									return err
								}
							}
							if mode != "readblind" {
								if _, err := tx.Meta(me); err != nil {
									return err
								}
							}
							if mode != "read" {
								if err := tx.SetMeta(me, strconv.Itoa(n)); err != nil { return err }
							}
							if mode == "gap" {
								id := arn.AccountID(arn.NewUUID())
								if _, err := tx.Account(id); !errors.Is(err, ErrNotFound) { return err }
								if err := tx.InsertAccount(Account{ID: id}); err != nil { return err }
							}
							if mode == "change" || mode == "all" {
								if err := tx.Changed("user:" + me); err != nil { return err }
							}
							if mode == "job" || mode == "all" {
								if err := tx.Enqueue(Job{Kind: "k", Key: me}); err != nil { return err }
							}
							if mode == "event" || mode == "all" {
								if err := tx.AppendEvent(Event{ID: newID(tx.now), JSON: []byte("{}")}); err != nil { return err }
							}
							if n == each/2 && i == 5 {
								sample()
							}
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			after := db.Stats()
			fmt.Println(mode, conns, after.Transactions-before.Transactions, after.Retries-before.Retries, clock.System{}.Now().Sub(start))
		}
	}
}
