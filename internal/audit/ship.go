package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/store"
)

// Sink takes sealed events, at least once and in order. When Write returns nil the events are safe there.
// A sink that remembers what it has may drop what it is given again.
type Sink interface {
	Name() string
	Write(ctx context.Context, batch []store.SealedEvent) error
}

// Shipper moves the sealed log to one sink, from the sink's own cursor.
type Shipper struct {
	DB   *store.DB
	Sink Sink
	Log  *slog.Logger
}

// Batch and pause of a shipper. The pause bounds how late an event arrives when nothing wakes the shipper.
const (
	shipBatch = 4000
	shipPause = 200 * time.Millisecond
	shipRetry = 5 * time.Second
)

// Run ships until ctx ends. A sink that fails is tried again; nothing is passed over.
func (s *Shipper) Run(ctx context.Context) {
	for {
		wait := shipPause
		n, err := s.ship(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.Error("audit sink failed, will try again", "sink", s.Sink.Name(), "error", err)
			wait = shipRetry
		case n == shipBatch:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Drain ships what is there now, for an orderly stop.
func (s *Shipper) Drain(ctx context.Context) error {
	for {
		n, err := s.ship(ctx)
		if err != nil || n < shipBatch {
			return err
		}
	}
}

// ship moves one batch and returns its size. The cursor moves after the sink has the events: a crash between repeats them.
func (s *Shipper) ship(ctx context.Context) (int, error) {
	var batch []store.SealedEvent
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		after, err := tx.AuditCursor(s.Sink.Name())
		if err != nil {
			return err
		}
		batch, err = s.DB.AuditAfter(tx, after, shipBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read sealed events: %w", err)
	}
	if len(batch) == 0 {
		return 0, nil
	}
	if err := s.Sink.Write(ctx, batch); err != nil {
		return 0, fmt.Errorf("write to sink: %w", err)
	}
	last := batch[len(batch)-1].Seq
	err = s.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.SetAuditCursor(s.Sink.Name(), last) })
	if err != nil {
		return 0, fmt.Errorf("move sink cursor: %w", err)
	}
	return len(batch), nil
}
