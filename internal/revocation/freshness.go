package revocation

import (
	"sync"
	"time"
)

// freshness tells whether news of changes is recent enough. A timer measures it, since timers follow the monotonic clock:
// setting the machine's clock back makes nothing fresh.
type freshness struct {
	mu    sync.Mutex
	timer *time.Timer // fires when the last good poll becomes too old; nil: there was none
	stale bool
	push  bool // changes are pushed: nothing becomes stale
}

// pushed says that news comes by itself from now on.
func (f *freshness) pushed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.push = true
}

// good says that the poll which was begun together with the timer has succeeded. It tells whether news had become too old before.
func (f *freshness) good(t *time.Timer) (lapsed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		lapsed = f.old()
		f.timer.Stop()
	}
	f.timer, f.stale = t, false
	return lapsed
}

// ok is exact: receiving from a timer's channel looks at the clock (Go 1.23), so that a process which was stopped for a
// while does not go on as if it had not been.
func (f *freshness) ok() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.push {
		return true
	}
	return f.timer != nil && !f.old()
}

// old says whether the timer has fired.
func (f *freshness) old() bool {
	select {
	case <-f.timer.C:
		f.stale = true
	default:
	}
	return f.stale
}
