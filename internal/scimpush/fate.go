package scimpush

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// own says whether an error is about the record alone: the server has understood, and does not want it.
func own(err error) bool {
	r := (*refusal)(nil)
	if o := (*obstacle)(nil); errors.As(err, &o) {
		return true
	}
	if !errors.As(err, &r) {
		return false
	}
	switch r.status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	case http.StatusForbidden:
		return r.kind == "tooMany" // a limit of the server's on how many it takes
	}
	return r.status >= 400 && r.status < 500
}

// stumbled says whether the server has failed over one record, and may do with others.
func stumbled(err error) bool {
	if g := (*garbled)(nil); errors.As(err, &g) {
		return true
	}
	s := status(err)
	return s >= 500 && s != http.StatusServiceUnavailable || s == http.StatusRequestTimeout
}

// foreign says whether an error is of the other side or of the way there.
func foreign(err error) bool {
	u := (*unreachable)(nil)
	return status(err) != 0 || stumbled(err) || errors.As(err, &u)
}

// brokenOff says whether an attempt came to no end.
func brokenOff(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// tried lets a record wait that could not be pushed. The error is given back unless it is the record's own.
func (r *run) tried(ctx context.Context, d store.SCIMDirty, cause error) error {
	if !own(cause) && !stumbled(cause) {
		return cause
	}
	d.Attempts++
	wait := outbound.BackOff(d.Attempts, firstRetry, longRetry)
	if stumbled(cause) {
		wait = outbound.BackOff(d.Attempts, fastRetry, slowRetry)
	}
	d.Error = cause.Error()
	err := r.w.DB.UpdateRelaxed(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		d.DueAt = tx.Now().Add(wait)
		return errors.Join(tx.Holds(r.lease), tx.PutDirtyOff(d))
	})
	if err != nil || own(cause) {
		return err
	}
	return cause
}

// settle records what has become of a batch: whether the target is to be left alone for a while. An error of our own is given back.
func (r *run) settle(ctx context.Context, cause error, done int) error {
	switch {
	case cause != nil && !foreign(cause):
		return cause
	case cause != nil && !(stumbled(cause) && done > 0):
		return r.fails(ctx, cause)
	case done == 0 || r.target.Failures == 0 && r.target.State == store.TargetOn && r.target.LastError == "":
		return nil
	}
	return r.mark(ctx, func(tx *store.Tx, t *store.SCIMTarget) error {
		was := t.State
		t.State, t.ResumeAt, t.Failures, t.LastError, t.ErrorAt = store.TargetOn, time.Time{}, 0, "", time.Time{}
		if was != store.TargetFailing {
			return nil
		}
		return event(tx, *t, "ScimPushResumed", nil)
	})
}

// fails leaves the target alone for as long as it asks for or, where it does not, longer each time.
func (r *run) fails(ctx context.Context, cause error) error {
	r.w.Log.WarnContext(ctx, "SCIM target fails", "target", r.target.Name, "error", cause)
	return r.mark(ctx, func(tx *store.Tx, t *store.SCIMTarget) error {
		was := t.State
		t.Failures++
		t.LastError, t.ErrorAt = cause.Error(), tx.Now()
		wait := outbound.BackOff(t.Failures, firstPause, longPause)
		if f := (*refusal)(nil); errors.As(cause, &f) {
			if f.after > 0 {
				wait = f.after
			}
			if f.status == http.StatusUnauthorized || f.status == http.StatusForbidden {
				t.State, wait = store.TargetFailing, refusedFor
			}
		}
		t.ResumeAt = tx.Now().Add(wait)
		if t.State == was || t.State != store.TargetFailing {
			return nil
		}
		return event(tx, *t, "ScimPushFailing", map[string]any{"error": t.LastError})
	})
}

// mark changes the state of the target, unless an operator has changed it meanwhile.
func (r *run) mark(ctx context.Context, fn func(*store.Tx, *store.SCIMTarget) error) error {
	return r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		t, err := tx.SCIMTarget(r.target.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load target: %w", err)
		}
		if t.State != r.target.State || string(t.Token) != string(r.target.Token) || t.URL != r.target.URL {
			return nil
		}
		if err := fn(tx, &t); err != nil {
			return err
		}
		if err := tx.SetTargetState(t); err != nil {
			return fmt.Errorf("store target's state: %w", err)
		}
		r.target = t
		return nil
	})
}
