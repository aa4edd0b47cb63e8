package trail

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// window is the stretch of the log that follows a trail's cursor, as a file would hold it.
type window struct {
	seq    int64 // its last event
	hash   []byte
	log    trailfile.Log
	events int64
	oldest time.Time
	newest time.Time
	run    store.TrailRun // the trail's first, as it is behind the window
	full   bool           // there is more than one file holds
}

// readPage is how many events are read at once.
const readPage = 1000

// read fills a window with what happened before a time. One of a run that has not begun holds nothing, and ends before its first event.
func (w *Worker) read(ctx context.Context, t store.LogTrail, until time.Time) (*window, error) {
	f, _, err := filterOf(t.TrailSpec)
	if err != nil {
		return nil, err
	}
	win := &window{seq: t.Seq, hash: t.Hash, run: t.Runs[0]}
	for !win.run.Ended && !win.full {
		var page []store.SealedEvent
		err := w.DB.View(ctx, func(tx *store.Tx) (err error) {
			page, err = w.DB.AuditAfter(tx, win.seq, readPage)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		for _, e := range page {
			if !win.add(e, f, until) {
				return win, nil
			}
		}
		if len(page) < readPage {
			break
		}
	}
	return win, nil
}

// add takes an event, and tells whether another can follow.
func (win *window) add(e store.SealedEvent, f filter, until time.Time) bool {
	r := &win.run
	switch {
	case !e.At.Before(until):
		return false
	case win.log.Len() > 0 && win.log.Len()+len(e.JSON) > trailfile.MaxLog:
		win.full = true
		return false
	case !r.Begun && e.ID == r.Start: // it is the first of the next window
		r.Begun, r.Fresh, r.From, r.FromHash = true, true, win.seq, win.hash
		return false
	}
	win.seq, win.hash = e.Seq, e.Hash
	if !r.Begun {
		return true
	}
	if f.takes(e.JSON) {
		win.log.Add(e.JSON)
		win.events++
		if win.oldest.IsZero() || e.At.Before(win.oldest) {
			win.oldest = e.At
		}
		if e.At.After(win.newest) {
			win.newest = e.At
		}
	}
	if r.Stop != "" && e.ID == r.Stop {
		r.Ended = true
	}
	return !r.Ended
}

// rebuild makes the log file again that a plan tells of.
func (w *Worker) rebuild(ctx context.Context, o store.TrailObject) ([]byte, error) {
	f, err := parseFilter(o.Filter)
	if err != nil {
		return nil, fmt.Errorf("read selectors: %w", err)
	}
	var log trailfile.Log
	for seq := o.FromSeq; seq < o.ToSeq; {
		var page []store.SealedEvent
		err := w.DB.View(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.AuditLog(seq, int(min(readPage, o.ToSeq-seq)))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if len(page) == 0 {
			return nil, fmt.Errorf("the audit log has lost its events after %d", seq)
		}
		for _, e := range page {
			if f.takes(e.JSON) {
				log.Add(e.JSON)
			}
			seq = e.Seq
		}
	}
	return log.Plain(), nil
}
