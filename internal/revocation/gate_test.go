package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

var start = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// caller is a person's role session, issued at start.
func caller() credential.Caller {
	return credential.Caller{
		Kind: credential.RoleSession, Account: "123456789012", UserID: "u1", SessionID: "s1", ParentID: "p1",
		PermissionSet: "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
		RoleARN:       "arn:aws:iam::123456789012:role/aws-reserved/R", RoleName: "R", RoleID: "AROA1", Issued: start,
	}
}

// dependsOn is every key on which caller depends.
var dependsOn = []string{
	"all", "account:123456789012", "user:u1", "session:s1", "session:p1",
	"grant:123456789012/arn:aws:sso:::permissionSet/ssoins-1/ps-1", "role:arn:aws:iam::123456789012:role/aws-reserved/R",
	"set:arn:aws:sso:::permissionSet/ssoins-1/ps-1",
}

// bench is a gate whose evaluation the test decides.
type bench struct {
	*Gate
	db    *store.DB
	clock *clocktest.Clock
	runs  atomic.Int64
	say   func(context.Context) error // nil: the right stands
}

func newBench(tb testing.TB) *bench {
	b := &bench{clock: clocktest.At(start)}
	b.db = storetest.Open(tb, b.clock)
	b.Gate = New(b.db, func(*store.Tx, credential.Caller) error {
		b.runs.Add(1)
		if b.say == nil {
			return nil
		}
		return b.say(tb.Context())
	})
	if err := b.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return b
}

func (b *bench) change(tb testing.TB, keys ...string) {
	tb.Helper()
	err := b.db.Update(tb.Context(), func(tx *store.Tx) error {
		for _, k := range keys {
			if err := tx.Changed(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func revoked() error { return fault.Unauthenticatedf(fault.AuthRevoked, "revoked") }

func reason(err error) string {
	if f := fault.As(err); f != nil {
		return f.Reason
	}
	return fmt.Sprint(err)
}

func TestEveryDependencyIsEvaluatedOnce(t *testing.T) {
	t.Parallel()
	for _, key := range dependsOn {
		b := newBench(t)
		b.say = func(context.Context) error { return revoked() }
		if err := b.Check(t.Context(), caller()); err != nil {
			t.Fatalf("before any change: %v", err)
		}
		b.change(t, key)
		for range 3 {
			if got := reason(b.Check(t.Context(), caller())); got != fault.AuthRevoked {
				t.Errorf("%s: %s", key, got)
			}
		}
		b.change(t, key) // given again
		b.say = nil
		b.runs.Store(0)
		for range 3 {
			if err := b.Check(t.Context(), caller()); err != nil {
				t.Errorf("%s, given again: %v", key, err)
			}
		}
		if n := b.runs.Load(); n != 1 {
			t.Errorf("%s: evaluated %d times", key, n)
		}
		if err := b.Check(t.Context(), caller()); err != nil {
			t.Errorf("%s given again: %v", key, err)
		}
	}
}

func TestKeysOfOperators(t *testing.T) {
	t.Parallel()
	for _, c := range []credential.Caller{
		{Kind: credential.IAMUser, Account: "123456789012", AccessKeyID: "AKIA1", Issued: start},
		{Kind: credential.RoleSession, Account: "123456789012", AccessKeyID: "ASIA1", ViaKey: "AKIA1", Issued: start},
	} {
		b := newBench(t)
		b.say = func(context.Context) error { return revoked() }
		b.change(t, "key:ASIA1", "key:AKIA2")
		if err := b.Check(t.Context(), c); err != nil {
			t.Errorf("another key: %v", err)
		}
		b.change(t, "key:AKIA1")
		if got := reason(b.Check(t.Context(), c)); got != fault.AuthRevoked {
			t.Errorf("its key: %s", got)
		}
	}
}

func TestUnrelatedChangeEvaluatesNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(t, "user:u2", "session:s2", "account:210987654321", "role:x", "key:AKIA1", "user:", "session:", "grant:/", "what:ever", "",
		"grant:123456789012/arn:aws:sso:::permissionSet/ssoins-1/ps-2", "grant:210987654321/arn:aws:sso:::permissionSet/ssoins-1/ps-1")
	if err := b.Check(t.Context(), caller()); err != nil || b.runs.Load() != 0 {
		t.Errorf("evaluated %d times, %v", b.runs.Load(), err)
	}
}

func TestMargin(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(t, "user:u1")
	c := caller()
	c.Issued = start.Add(margin)
	if _ = b.Check(t.Context(), c); b.runs.Load() != 1 {
		t.Error("a change at the margin does not count")
	}
	c.Issued = start.Add(margin + time.Microsecond)
	c.SessionID = "s2" // another right
	if _ = b.Check(t.Context(), c); b.runs.Load() != 1 {
		t.Error("a change beyond the margin counts")
	}
	c.Issued = time.Time{}
	if _ = b.Check(t.Context(), c); b.runs.Load() != 2 {
		t.Error("a credential of no known age passes")
	}
}

func TestRestartKnowsWhatWasRevoked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(t, "user:u1")
	g := New(b.db, func(*store.Tx, credential.Caller) error { return revoked() })
	if got := reason(g.Check(t.Context(), caller())); got != ReasonCutOff {
		t.Errorf("before the start: %s", got)
	}
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := reason(g.Check(t.Context(), caller())); got != fault.AuthRevoked {
		t.Errorf("after the start: %s", got)
	}
}

func TestOneEvaluationForAllWhoWait(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	begun, release := make(chan struct{}), make(chan struct{})
	b.say = func(context.Context) error { close(begun); <-release; return nil }
	b.change(t, "user:u1")
	ctx, cancel := context.WithCancel(t.Context())
	leader := make(chan error)
	go func() { leader <- b.Check(ctx, caller()) }()
	<-begun
	cancel() // the one who evaluates goes away; the others get an answer all the same
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := b.Check(gone, caller()); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who goes away waits: %v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := b.Check(t.Context(), caller()); err != nil {
				t.Errorf("one who waited: %v", err)
			}
		})
	}
	close(release)
	all.Wait()
	if err := <-leader; err != nil || b.runs.Load() != 1 {
		t.Errorf("%v, evaluated %d times", err, b.runs.Load())
	}
}

// TestRightGivenBack: others may see a right that was given back before its change arrives here. Who calls then is let in.
func TestRightGivenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(t, "user:u1")
	b.say = func(context.Context) error { return revoked() }
	if got := reason(b.Check(t.Context(), caller())); got != fault.AuthRevoked {
		t.Fatalf("the right is gone: %s", got)
	}
	b.say = func(context.Context) error { return nil } // and no change has arrived
	for range 2 {
		if err := b.Check(t.Context(), caller()); err != nil {
			t.Errorf("the right is back: %v", err)
		}
	}
	if b.runs.Load() != 2 {
		t.Errorf("evaluated %d times", b.runs.Load())
	}
}

// A change that arrives while an evaluation is under way may be missing from its snapshot.
func TestChangeDuringEvaluationIsEvaluatedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	begun, release := make(chan struct{}), make(chan struct{})
	b.say = func(context.Context) error { close(begun); <-release; return nil }
	b.change(t, "user:u1")
	first := make(chan error)
	go func() { first <- b.Check(t.Context(), caller()) }()
	<-begun
	b.say = func(context.Context) error { return revoked() }
	b.change(t, "session:s1")
	if got := reason(b.Check(t.Context(), caller())); got != fault.AuthRevoked {
		t.Errorf("a check after the second change: %s", got)
	}
	close(release)
	<-first
	if got := reason(b.Check(t.Context(), caller())); got != fault.AuthRevoked || b.runs.Load() != 3 {
		t.Errorf("the slower, older evaluation overwrote the newer one: %s, %d", got, b.runs.Load())
	}
}

func TestWhatCannotBeToldIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(t, "user:u1")
	broken := errors.New("disk on fire")
	b.say = func(context.Context) error { return broken }
	if err := b.Check(t.Context(), caller()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	b.say = func(context.Context) error { panic("evaluate") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_ = b.Check(t.Context(), caller())
	}()
	b.say = nil
	if err := b.Check(t.Context(), caller()); err != nil || len(b.flights) != 0 {
		t.Errorf("%v, %d evaluations under way", err, len(b.flights))
	}
}

func TestCutOffNodeRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fresh = freshness{}
	b.fresh.good(time.NewTimer(0))
	err := b.Check(t.Context(), caller())
	if f := fault.As(err); f == nil || f.Kind != fault.Throttled || f.Reason != ReasonCutOff || f.RetryAfter == 0 || b.Ready() == nil {
		t.Errorf("%v", err)
	}
	b.fresh.good(time.NewTimer(time.Hour))
	if err := b.Check(t.Context(), caller()); err != nil || b.Ready() != nil {
		t.Errorf("with news again: %v", err)
	}
}

func TestOutcomesAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range maxOutcomes {
		b.outcomes[right{user: fmt.Sprint(i)}] = outcome{}
	}
	b.change(t, "user:u1")
	if err := b.Check(t.Context(), caller()); err != nil || len(b.outcomes) != maxOutcomes {
		t.Errorf("%v, %d outcomes", err, len(b.outcomes))
	}
}
