package alert

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// event is one of the kinds that a server writes.
func benchEvent(i int, name string) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/Some/" + strconv.Itoa(i%50), AccountID: "111122223333"},
		EventSource:  "sso.amazonaws.com", EventName: name, AWSRegion: "us-east-1", SourceIPAddress: "192.0.2." + strconv.Itoa(i%250), UserAgent: "aws-cli/2.22",
		RequestParameters: map[string]any{"instanceArn": "arn:aws:sso:::instance/ssoins-1111111111111111", "targetId": "444455556666"},
		RequestID:         "ed6ae177-462c-44f4-a838-b174457821fb", RecipientAccountID: "111122223333",
	}
}

// load makes 200 rules: those of the pack, thresholds, and patterns that every event must be held against.
func load(b *testing.B, db *store.DB) {
	b.Helper()
	err := db.Update(b.Context(), func(tx *store.Tx) error {
		if err := Install(tx); err != nil {
			return err
		}
		pack, err := Pack()
		if err != nil {
			return err
		}
		for i := len(pack); i < 199; i++ {
			r := store.AlertRule{
				Name: fmt.Sprint("rule", i), Severity: Low, Enabled: true, Count: 1,
				Pattern: fmt.Sprintf(`{"source":["aws.sso"],"detail":{"eventName":["Event%d","Other%d"],"userIdentity":{"arn":[{"anything-but":{"prefix":"arn:aws:sts::1:"}}]}}}`, i, i),
			}
			switch i % 10 {
			case 0:
				r.Pattern = fmt.Sprintf(`{"detail":{"userIdentity":{"arn":[{"wildcard":"*:assumed-role/*/nobody-%d"}]}}}`, i)
			case 1:
				r.Count, r.Window, r.GroupBy = 1000, time.Hour, []string{"detail.sourceIPAddress"}
			}
			if _, err := PutRule(tx, r, nil, "bench"); err != nil {
				return err
			}
		}
		_, err = PutRule(tx, store.AlertRule{Name: "wanted", Severity: High, Enabled: true, Count: 1, Pattern: `{"detail":{"eventName":["Wanted"]}}`}, nil, "bench")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkEvaluate holds events against 200 rules.
func BenchmarkEvaluate(b *testing.B) {
	db := storetest.Open(b, clock.System{})
	load(b, db)
	e := &Evaluator{DB: db, Owner: "bench", Log: slog.New(slog.DiscardHandler)}
	var sealed []store.SealedEvent
	for i := range 500 {
		ev := benchEvent(i, fmt.Sprint("Event", i%200))
		if err := audit.Record(b.Context(), db, ev); err != nil {
			b.Fatal(err)
		}
	}
	err := db.View(b.Context(), func(tx *store.Tx) (err error) {
		if e.book, err = e.book.follow(tx, e.Log); err != nil {
			return err
		}
		sealed, err = tx.AuditLog(0, 500)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		err := db.View(b.Context(), func(tx *store.Tx) error {
			w := &work{e: e, book: e.book}
			return w.match(tx, sealed)
		})
		if err != nil {
			b.Fatal(err)
		}
		n += len(sealed)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// BenchmarkAlertLatency: 500 events a second, 200 rules; each hundredth event makes an alert. It tells how long after its commit the alert of
// an event is stored.
func BenchmarkAlertLatency(b *testing.B) {
	db := storetest.Open(b, clock.System{})
	load(b, db)
	e := &Evaluator{DB: db, Owner: "bench", Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- e.Run(b.Context()) }()
	const rate = 500
	n := max(b.N, 2*rate)
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	recorded := map[string]time.Time{}
	b.ResetTimer()
	for i := range n {
		<-tick.C
		name := fmt.Sprint("Event", i%200)
		if i%100 == 50 {
			name = "Wanted"
		}
		ev := benchEvent(i, name)
		if err := audit.Record(b.Context(), db, ev); err != nil {
			b.Fatal(err)
		}
		if name == "Wanted" {
			recorded[ev.EventID] = db.Now()
		}
	}
	late := latencies(b, db, recorded)
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), "p50-ms")
}

func latencies(b *testing.B, db *store.DB, recorded map[string]time.Time) (all []time.Duration) {
	b.Helper()
	for len(all) < len(recorded) {
		time.Sleep(50 * time.Millisecond)
		all = nil
		err := db.View(b.Context(), func(tx *store.Tx) error {
			rows, _, err := List(tx, "", "wanted", page.Query{Limit: 100_000})
			for _, a := range rows {
				all = append(all, a.MadeAt.Sub(recorded[a.EventID]))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}
