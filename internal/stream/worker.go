package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// Bounds of the shipping.
const (
	maxEvents  = 500     // of a batch
	maxBytes   = 1 << 20 // of a batch's JSON, as it is in the log
	deadBatch  = 50
	lookEvery  = time.Second           // other nodes' events and operators have no bell
	gather     = 50 * time.Millisecond // for a batch that is worth a request
	leaseTime  = 10 * time.Second
	firstPause = 250 * time.Millisecond
	longPause  = time.Minute
	// Dead is how many events a sink may have refused. When there are more it waits for an operator: it is likely that nothing suits it.
	Dead = 10_000
	// failingFor is how long a sink fails before that is an event.
	failingFor = 15 * time.Minute
	grace      = 5 * time.Second // for recording what came of a try
	// lastWords is how long a request may go on after an orderly stop: what is broken off comes again.
	lastWords = time.Second
)

// Worker ships the log to all sinks. Any number of nodes may run one: a lease picks which of them ships a sink.
type Worker struct {
	DB    *store.DB
	Keys  *keyring.Ring
	Owner string // names this process among the workers
	Log   *slog.Logger
	// Open makes sinks; nil: [Open].
	Open func(Config) (audit.Sink, error)
	// Lease is how long another node waits for one that has died; 0: ten seconds.
	Lease time.Duration
	// Pause is the first pause after a failure; 0: a quarter of a second.
	Pause time.Duration
	// Limit is how long a receiver may take for a request; 0: half a minute.
	Limit time.Duration
}

// Run ships until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	var work store.PerKey
	defer work.Wait()
	for {
		wake := w.DB.JobsWake()
		on, err := w.on(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "look for sinks", "error", err)
		}
		for _, s := range on {
			work.Go(s.ID, func() { w.tell(ctx, s, w.ship(ctx, s.ID)) })
		}
		if !wait(ctx, gather) { // the bell rings for every job of any kind
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(lookEvery):
		}
	}
}

func (w *Worker) tell(ctx context.Context, s store.EventSink, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLost) {
		w.Log.WarnContext(ctx, "shipping stopped, will start again", "sink", s.Name, "error", err)
	}
}

// on are the sinks that are sent anything.
func (w *Worker) on(ctx context.Context) (on []store.EventSink, err error) {
	err = w.DB.View(ctx, func(tx *store.Tx) error {
		on = nil
		all, err := tx.EventSinks()
		for _, s := range all {
			if s.State == store.SinkOn {
				on = append(on, s)
			}
		}
		return err
	})
	return on, err
}

// Drain ships what there is now to each sink, one after the other, and returns: for tests and programs that do not run the worker.
func (w *Worker) Drain(ctx context.Context) error {
	on, err := w.on(ctx)
	for _, s := range on {
		e := w.under(ctx, s.ID, func(ctx context.Context, r *run) error {
			for !r.idle {
				if _, err := r.step(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		err = errors.Join(err, e)
	}
	return err
}

// ship ships to a sink for as long as this process has its lease and the sink is on.
func (w *Worker) ship(ctx context.Context, id string) error {
	return w.under(ctx, id, func(ctx context.Context, r *run) error {
		for {
			wake := w.DB.AuditWake()
			more, err := r.step(ctx)
			if err != nil || r.off {
				return err
			}
			if more {
				continue
			}
			if !wait(ctx, gather) {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-wake:
			case <-time.After(r.pause()):
			}
		}
	})
}

// under does something under the lease of a sink; nothing when another node has it.
func (w *Worker) under(ctx context.Context, id string, fn func(context.Context, *run) error) error {
	ttl := cmp.Or(w.Lease, leaseTime)
	l, err := w.DB.AcquireLease(ctx, "event-sink/"+id, w.Owner, ttl)
	if errors.Is(err, store.ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	within, cancel := context.WithCancelCause(ctx)
	held := make(chan struct{})
	go func() {
		defer close(held)
		w.hold(within, l, ttl, func() { cancel(store.ErrLost) })
	}()
	r := &run{w: w, lease: l, id: id}
	err = fn(within, r)
	cancel(nil)
	<-held
	back, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	return errors.Join(err, r.close(), w.DB.ReleaseLease(back, l))
}

// hold keeps a lease, and ends the work under it when it is lost or may be: what is sent after that, another node may have sent already.
func (w *Worker) hold(ctx context.Context, l store.Lease, ttl time.Duration, lost func()) {
	for until := time.NewTimer(ttl); ; {
		select {
		case <-ctx.Done():
			return
		case <-until.C:
			lost()
			return
		case <-time.After(ttl / 4):
		}
		try, stop := context.WithTimeout(ctx, ttl/4)
		_, err := w.DB.RenewLease(try, l, ttl)
		stop()
		switch {
		case errors.Is(err, store.ErrLost):
			lost()
			return
		case err == nil:
			until.Reset(ttl)
		}
	}
}

// wait waits, and tells whether ctx still stands.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// config is how a sink is opened.
func (w *Worker) config(s store.EventSink) (Config, error) {
	c := Config{ID: s.ID, Name: s.Name, Kind: s.Kind, Clock: w.DB, Limit: w.Limit}
	if err := json.Unmarshal(s.Config, &c.Settings); err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	if len(s.Secret) == 0 {
		return c, nil
	}
	secret, err := w.Keys.OpenRecord("event_sink", "secret", s.ID, s.Secret)
	if err != nil {
		return c, fmt.Errorf("open secret: %w", err)
	}
	c.Secret = string(secret)
	return c, nil
}

// open makes a sink ready that is stored.
func (w *Worker) open(s store.EventSink) (audit.Sink, Config, error) {
	c, err := w.config(s)
	if err != nil {
		return nil, c, err
	}
	open := w.Open
	if open == nil {
		open = Open
	}
	made, err := open(c)
	return made, c, err
}

// shut closes a sink that wants it.
func shut(s audit.Sink) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
