package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/arn"
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

// BenchmarkEvent appends an audit event of 900 bytes, durably, with nobody beside and while the index is made of them. Each tells of
// another thing, by one of a thousand people: such an index has the most rows. Beside the time it tells how long the processors worked:
// on a machine that others use as well, that is what can be compared.
func BenchmarkEvent(b *testing.B) {
	events := eventsForBench(1 << 14)
	for _, indexed := range []bool{false, true} {
		b.Run(map[bool]string{false: "alone", true: "indexed"}[indexed], func(b *testing.B) {
			var next atomic.Int64
			var began sync.Once
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			before := worked()
			benchmark(b, func(db *DB) error {
				began.Do(func() {
					if indexed {
						go func() { _ = db.RunIndexer(ctx, "bench") }() // ends with ctx
					}
				})
				return db.Update(b.Context(), func(tx *Tx) error {
					n := next.Add(1)
					return tx.AppendEvent(Event{ID: newID(tx.now), At: tx.now, JSON: events[n%int64(len(events))]})
				})
			})
			b.ReportMetric(float64(worked()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// worked is for how long processors have worked for this process.
func worked() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func eventsForBench(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IdentityCenterUser","accountId":"999988887777","onBehalfOf":{"userId":"%036d","identityStoreArn":"arn:aws:identitystore::999988887777:identitystore/d-1234567890"},"credentialId":"%036d"},`+
			`"eventTime":"2026-11-02T09:%02d:%02dZ","eventSource":"sso.amazonaws.com","eventName":"Operation%d","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"%s",`+
			`"requestParameters":{"role_name":"Audit","account_id":"2222%08d"},"responseElements":{"userId":"%s"},"requestID":"%s","eventID":"%s","readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"999988887777","eventCategory":"Management"}`,
			i%1000, i%3000, i/60%60, i%60, i%20, strings.Repeat("x", 100), i%200, arn.NewUUID(), arn.NewUUID(), arn.NewUUID(), i%2 == 0)
	}
	return out
}

// BenchmarkIndex makes a node of 64 events.
func BenchmarkIndex(b *testing.B) {
	var events []SealedEvent
	for i, json := range eventsForBench(fanOut) {
		events = append(events, SealedEvent{Seq: int64(i + 1), Event: Event{ID: arn.NewUUID(), JSON: json}})
	}
	b.ReportAllocs()
	for b.Loop() {
		leaves(&made{}, events)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/fanOut, "ns/event")
}

// BenchmarkLookup reads a page of what is frequent, seldom, long ago and never, in logs of two sizes.
func BenchmarkLookup(b *testing.B) {
	for _, size := range []int{20_000, 200_000} {
		db, err := Open(b.Context(), b.TempDir()+"/bench.db", clock.System{})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		for from := 0; from < size; from += 1000 {
			events := make([]Event, 1000)
			for i := range events {
				n := from + i
				user := fmt.Sprintf("U%d", n*7919%5000)
				if n < 400 && n%10 == 0 {
					user = "ago"
				} else if n%(size/40) == 13 {
					user = "seldom"
				}
				json := fmt.Appendf(nil, `{"eventName":"N%d","readOnly":false,"userIdentity":{"userName":%q},"requestParameters":{"userId":"%d"},"x":"%0*d"}`, n%20, user, n, 500, n)
				events[i] = Event{ID: arn.NewUUID(), At: time.Unix(int64(n), 0), JSON: json}
			}
			if err := db.AppendEvents(b.Context(), events...); err != nil {
				b.Fatal(err)
			}
		}
		indexAll(b, db)
		for _, c := range []struct {
			name string
			q    Lookup
		}{
			{"frequent", Lookup{By: ByEventName, Value: "N3"}},
			{"seldom", Lookup{By: ByUsername, Value: "seldom"}},
			{"ago", Lookup{By: ByUsername, Value: "ago"}},
			{"never", Lookup{By: ByUsername, Value: "never"}},
			{"then", Lookup{Until: time.Unix(5000, 0)}},
		} {
			if c.q.Limit = 50; c.q.Until.IsZero() {
				c.q.Until = time.Unix(1e9, 0)
			}
			b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
				before := worked()
				for b.Loop() {
					if err := db.View(b.Context(), func(tx *Tx) error { _, _, err := tx.LookupEvents(c.q); return err }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(worked()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
