package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// flaky is a sink that fails every other time.
type flaky struct {
	calls int
	got   []int64
}

func (f *flaky) Name() string { return "flaky" }

func (f *flaky) Write(_ context.Context, batch []store.SealedEvent) error {
	if f.calls++; f.calls%2 == 1 {
		return errors.New("sink is down")
	}
	for _, e := range batch {
		f.got = append(f.got, e.Seq)
	}
	return nil
}

// TestShipperPassesNothingOver: a sink that fails sees every event, in order.
func TestShipperPassesNothingOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Unix(1_800_000_000, 0)))
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		sink := &flaky{}
		s := &audit.Shipper{DB: db, Sink: sink, Log: slog.New(slog.DiscardHandler)}
		for i := range 5 {
			e := &audit.Event{EventName: fmt.Sprint("E", i)}
			if err := db.Update(ctx, e.Store); err != nil {
				t.Fatal(err)
			}
		}
		for try := 0; len(sink.got) < 5 && try < 1000; try++ {
			_ = s.Drain(ctx) // fails every other time
		}
		if fmt.Sprint(sink.got) != "[1 2 3 4 5]" {
			t.Errorf("sink has %v", sink.got)
		}
	})
}
