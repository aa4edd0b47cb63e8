package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/store"
)

// Shipper moves the sealed log to this node's file. Each node has a file of its own with all of the log, whatever other nodes do; where it
// goes on, the file's own last line says. The cursor in the database tells others how far it is, and where an empty file begins that has
// taken another one's place.
type Shipper struct {
	DB   *store.DB
	File *File
	Log  *slog.Logger

	said time.Time // when the cursor was stored last
}

// Batch and pause of a shipper. The pause bounds how late an event arrives when nothing wakes the shipper.
const (
	shipBatch = 4000
	shipPause = 200 * time.Millisecond
	shipRetry = 5 * time.Second
	sayEvery  = time.Hour // also when nothing moves: see [store.FileCursorLife]
)

// Run ships until ctx ends. A file that cannot be written is tried again; nothing is passed over.
func (s *Shipper) Run(ctx context.Context) {
	for {
		wait := shipPause
		n, err := s.ship(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.Error("audit file failed, will try again", "file", s.File.path, "error", err)
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

// ship moves one batch and returns its size.
func (s *Shipper) ship(ctx context.Context) (int, error) {
	var batch []store.SealedEvent
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		after := s.File.Last()
		if s.File.size == 0 {
			if after, err = tx.AuditCursor(s.File.cursor); err != nil {
				return err
			}
		}
		batch, err = s.DB.AuditAfter(tx, after, shipBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read sealed events: %w", err)
	}
	if len(batch) > 0 {
		err = s.File.Write(ctx, batch)
	}
	return len(batch), errors.Join(err, s.say(ctx, len(batch) > 0 && err == nil))
}

// say stores how far the file is.
func (s *Shipper) say(ctx context.Context, moved bool) error {
	if now := s.DB.Now(); moved || now.Sub(s.said) >= sayEvery {
		s.said = now
	} else {
		return nil
	}
	last := s.File.Last()
	if last == 0 { // it has nothing to say yet, and must not set back what is known of the one before it
		return nil
	}
	err := s.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.PutFileCursor(s.File.cursor, last) })
	if err != nil {
		return fmt.Errorf("store cursor of file: %w", err)
	}
	return nil
}
