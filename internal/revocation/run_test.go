package revocation

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// run runs a gate until the test ends.
func run(t *testing.T, g *Gate) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); g.Run(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// becomes waits until the gate refuses for a reason. The database server lives in real time, so this test must.
func becomes(t *testing.T, g *Gate, c credential.Caller, want string) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	tooLate := time.NewTimer(30 * time.Second)
	for {
		got := reason(g.Check(t.Context(), c))
		if got == want {
			return
		}
		select {
		case <-again.C:
		case <-tooLate.C:
			t.Fatalf("%s, not %s", got, want)
		}
	}
}

func TestRunLearnsOfOtherNodesAndNoticesSilence(t *testing.T) {
	t.Parallel()
	dsn := storetest.NewPostgres(t)
	h := newHouse(t, func(tb testing.TB, c clock.Clock) *store.DB { return storetest.OpenAt(tb, dsn, c) })
	db, err := store.Open(t.Context(), dsn, h.clock)
	if err != nil {
		t.Fatal(err)
	}
	other := New(db, Evaluate)
	other.Within(2 * time.Second)
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, other)
	c := h.caller()
	h.update(t, func(tx *store.Tx) error { return h.sessions.End(tx, h.child, by) })
	becomes(t, other, c, fault.AuthRevoked)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c.SessionID, c.ParentID = "", "" // another right, which nothing has revoked
	becomes(t, other, c, ReasonCutOff)
	if other.Ready() == nil {
		t.Error("a node that is cut off is ready")
	}
}

func TestRunOnOneNode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	run(t, b.Gate)
	b.clock.Advance(time.Hour)
	if err := b.Ready(); err != nil || b.Age() != 0 {
		t.Errorf("changes are pushed, and yet: %v, %v", err, b.Age())
	}
}
