package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// Deliverer sends alerts to targets. Each target is apart: one that hangs keeps no other waiting. Any number of processes may run one.
type Deliverer struct {
	DB     *store.DB
	Keys   *keyring.Ring
	Mail   *mail.Outbox
	Portal string // URL, which letters name
	Owner  string // names this process among the workers
	Log    *slog.Logger

	// Transport sends requests; nil: the network.
	Transport http.RoundTripper
	// Limit is how long a request may take; 0 means 10 s.
	Limit time.Duration

	once sync.Once
	http *http.Client
}

// Times of delivery.
const (
	targetLease = 60 * time.Second
	duePoll     = time.Second // other nodes' alerts, and pauses, have no bell
	firstRetry  = 5 * time.Second
	longRetry   = 30 * time.Minute
	longPause   = time.Minute    // of a target that has failed, whatever else waits
	lastTry     = 24 * time.Hour // after the alert was made
	someAtOnce  = 16
)

func (d *Deliverer) limit() time.Duration { return cmp.Or(d.Limit, 10*time.Second) }

func (d *Deliverer) client() *http.Client {
	d.once.Do(func() {
		through := d.Transport
		if through == nil {
			through = outbound.Transport(nil)
		}
		d.http = &http.Client{Transport: through, CheckRedirect: outbound.NoRedirects}
	})
	return d.http
}

// Run sends what is due until ctx ends.
func (d *Deliverer) Run(ctx context.Context) error {
	var work store.PerKey
	defer work.Wait()
	for ctx.Err() == nil {
		wake := d.DB.JobsWake()
		due, err := d.due(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.ErrorContext(ctx, "look for alerts to be sent", "error", err)
		}
		for _, t := range due {
			work.Go(t.ID, func() {
				if err := d.target(ctx, t.ID); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLost) {
					d.Log.WarnContext(ctx, "sending alerts failed, will try again", "target", t.Name, "error", err)
				}
			})
		}
		wait(ctx, duePoll, wake)
	}
	return nil
}

// Drain sends what is due, one target after the other, then returns: for programs and tests that do not run the worker.
func (d *Deliverer) Drain(ctx context.Context) error {
	due, err := d.due(ctx)
	for _, t := range due {
		err = errors.Join(err, d.target(ctx, t.ID))
	}
	return err
}

// due are the targets that something waits for.
func (d *Deliverer) due(ctx context.Context) (due []store.AlertTarget, err error) {
	err = d.DB.View(ctx, func(tx *store.Tx) error {
		due = nil
		all, err := tx.AlertTargets()
		if err != nil {
			return fmt.Errorf("list alert targets: %w", err)
		}
		for _, t := range all { // fifty at most
			if t.ResumeAt.After(tx.Now()) {
				continue
			}
			some, err := tx.DueDeliveries(t.ID, 1)
			if err != nil {
				return fmt.Errorf("list deliveries: %w", err)
			}
			if len(some) > 0 {
				due = append(due, t)
			}
		}
		return nil
	})
	return due, err
}

// target sends to a target what is due for it, until a try fails.
func (d *Deliverer) target(ctx context.Context, id string) error {
	l, err := d.DB.AcquireLease(ctx, "alert-target/"+id, d.Owner, targetLease)
	if errors.Is(err, store.ErrLost) { // another node is at it
		return nil
	}
	for more := true; more && err == nil && ctx.Err() == nil; {
		if more, err = d.some(ctx, &l); errors.Is(err, store.ErrNotFound) { // the target has gone meanwhile
			more, err = false, nil
		}
	}
	return errors.Join(err, d.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// some sends a few alerts.
func (d *Deliverer) some(ctx context.Context, l *store.Lease) (more bool, err error) {
	var t store.AlertTarget
	var due []store.AlertDelivery
	var alerts []store.Alert
	err = d.DB.View(ctx, func(tx *store.Tx) (err error) {
		alerts = nil
		if t, err = tx.AlertTarget(l.Name[len("alert-target/"):]); err != nil {
			return err
		}
		if due, err = tx.DueDeliveries(t.ID, someAtOnce); err != nil {
			return err
		}
		for _, one := range due { // a few
			a, err := tx.Alert(one.AlertID)
			if absent(err) != nil {
				return err
			}
			alerts = append(alerts, a)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("load what is to be sent: %w", err)
	}
	for i, one := range due {
		if *l, err = d.DB.RenewLease(ctx, *l, targetLease); err != nil {
			return false, err
		}
		ok, err := d.one(ctx, *l, &t, one, alerts[i])
		if err != nil || !ok {
			return false, err
		}
	}
	return len(due) == someAtOnce, nil
}

// one sends one alert, and records what came of it.
func (d *Deliverer) one(ctx context.Context, l store.Lease, t *store.AlertTarget, one store.AlertDelivery, a store.Alert) (ok bool, err error) {
	var failed error
	switch to := senders[t.Kind]; {
	case a.ID == "":
		failed = errors.New("the alert was deleted")
	case to == nil:
		failed = fmt.Errorf("this program does not know the kind %s", t.Kind)
	default:
		failed = to.send(ctx, d, *t, a)
	}
	if ctx.Err() != nil { // stopped, not failed
		return false, nil
	}
	now := d.DB.Now()
	settle(t, &one, failed, a.MadeAt, now)
	err = d.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(l); err != nil {
			return err
		}
		if err := absent(tx.SetDelivery(one)); err != nil {
			return err
		}
		return absent(tx.SetAlertTargetFate(*t))
	})
	if err != nil {
		return false, fmt.Errorf("record delivery: %w", err)
	}
	if failed != nil {
		d.Log.WarnContext(ctx, "an alert could not be sent", "target", t.Name, "alert", a.ID, "attempt", one.Attempts, "state", one.State, "error", failed)
	}
	return failed == nil, nil
}

// settle is what becomes of a delivery and its target after a try. What fails waits longer each time and is given up after a day; the target
// rests for a shorter while, so that one alert that it will not take keeps back no other.
func settle(t *store.AlertTarget, one *store.AlertDelivery, failed error, made, now time.Time) {
	one.Attempts++
	if failed == nil {
		one.State, one.DoneAt, one.Problem = store.DeliverySent, now, ""
		t.Failures, t.ResumeAt, t.SentAt, t.Problem = 0, time.Time{}, now, ""
		return
	}
	one.Problem = line(failed.Error())
	one.DueAt = now.Add(pause(one.Attempts, longRetry))
	if one.DueAt.Sub(made) > lastTry {
		one.State, one.DoneAt = store.DeliveryGivenUp, now
	}
	t.Failures++
	t.ResumeAt, t.Problem = now.Add(pause(t.Failures, longPause)), one.Problem
}

func pause(failures int, most time.Duration) time.Duration {
	return min(firstRetry<<min(failures-1, 16), most)
}
