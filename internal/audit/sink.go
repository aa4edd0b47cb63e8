package audit

import (
	"context"
	"time"

	"sallyport/internal/store"
)

// Sink takes sealed events, at least once and in order. When Write returns nil the events are safe there.
//
// Events that it will never take are [Refused]: the sink has all others of the batch then. Every other error says that it may have some of
// the batch or none; the whole batch comes again, in the same bounds, after a pause. An error in whose chain a [Busy] is says how long that
// should be. Errors are shown to operators: they are one short line, and tell no secret. Write is called by one goroutine at a time, and
// ends soon when ctx does.
//
// A sink that holds connections is an [io.Closer] too.
type Sink interface {
	Name() string
	Write(ctx context.Context, batch []store.SealedEvent) error
}

// Busy is an error of a sink that says when it wants to be asked again.
type Busy struct {
	Err   error
	After time.Duration
}

func (b *Busy) Error() string { return b.Err.Error() }

// Unwrap is what happened.
func (b *Busy) Unwrap() error { return b.Err }

// Unsealed is an event as sinks are given it, for a test of one: it is not in the log, and has no number and no hash.
func (e *Event) Unsealed(now time.Time) (store.SealedEvent, error) {
	row, err := e.row(now)
	return store.SealedEvent{Event: row}, err
}
