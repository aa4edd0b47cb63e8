package ssf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/secevent"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

const (
	pushLease = time.Minute
	pushBatch = 50
	firstWait = 5 * time.Second
	longWait  = 10 * time.Minute
	gather    = 100 * time.Millisecond // the bell rings for every job of any kind
	grace     = 10 * time.Second       // for recording what came of a try
)

// Push sends what waits in streams until ctx ends. One node sends a stream's signals at a time, one after the other; any number of
// nodes may run it.
func (s *Server) Push(ctx context.Context) {
	var work store.PerKey
	defer work.Wait()
	for ctx.Err() == nil {
		wake := s.DB.JobsWake()
		due, err := s.due(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "look for signals to send", "error", err)
		}
		for _, stream := range due {
			work.Go(stream.ID, func() { s.deliver(ctx, stream.ID) })
		}
		if !wait(ctx, gather) {
			return
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(lookEvery):
		}
	}
}

// Drain sends what is due and returns: for tests that do not run the worker.
func (s *Server) Drain(ctx context.Context) error {
	due, err := s.due(ctx)
	for _, stream := range due {
		s.deliver(ctx, stream.ID)
	}
	return err
}

// due are the streams whose signals can be sent now.
func (s *Server) due(ctx context.Context) (due []store.SignalStream, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.SignalStreams(s.Heed.Login.Store)
		if err != nil {
			return err
		}
		for _, stream := range all { // few
			if stream.Delivery != store.SignalPush || stream.NextAt.After(tx.Now()) {
				continue
			}
			some, err := tx.SignalsWait(stream.ID)
			if err != nil {
				return err
			}
			if some {
				due = append(due, stream)
			}
		}
		return nil
	})
	return due, err
}

// deliver sends a stream's signals in their order, until none waits or one is not taken.
func (s *Server) deliver(ctx context.Context, id string) {
	lease, err := s.DB.AcquireLease(ctx, "signal-push/"+id, s.Owner, pushLease)
	if errors.Is(err, store.ErrLost) {
		return // another node does
	}
	for more := true; more && err == nil; {
		more, err = s.deliverSome(ctx, id, &lease)
	}
	back, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	if lease.Owner != "" && !errors.Is(err, store.ErrLost) {
		err = errors.Join(err, s.DB.ReleaseLease(back, lease))
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLost) {
		s.Log.ErrorContext(ctx, "send signals", "stream", id, "error", err)
	}
}

func (s *Server) deliverSome(ctx context.Context, id string, lease *store.Lease) (more bool, err error) {
	var stream store.SignalStream
	var all []store.SignalOut
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		if stream, err = tx.SignalStream(id); err != nil {
			return err
		}
		all, err = tx.SignalsOut(id, pushBatch)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && (len(all) == 0 || stream.NextAt.After(s.DB.Now())) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("load signals: %w", err)
	}
	for _, out := range all {
		if lease.Until.Sub(s.DB.Now()) < 2*callLimit+grace {
			if *lease, err = s.DB.RenewLease(ctx, *lease, pushLease); err != nil {
				return false, err
			}
		}
		if taken, err := s.send(ctx, stream, out, *lease); err != nil || !taken {
			return false, err
		}
	}
	return true, nil
}

// send pushes one signal and records what came of it. A process that is killed between the two sends it again.
func (s *Server) send(ctx context.Context, stream store.SignalStream, out store.SignalOut, lease store.Lease) (taken bool, err error) {
	retry, cause := s.push(ctx, stream, out)
	if cause != nil && ctx.Err() != nil {
		return false, nil // stopped, not failed
	}
	back, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	err = s.DB.Update(back, func(tx *store.Tx) error {
		if err := tx.Holds(lease); err != nil {
			return err
		}
		stream, err := tx.SignalStream(out.StreamID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		taken, err = s.settle(tx, stream, out, retry, cause)
		return err
	})
	if cause != nil {
		s.Log.WarnContext(back, "signal not taken", "stream", stream.Name, "jti", out.JTI, "given_up", taken, "error", cause)
	}
	return taken, err
}

// settle stores what came of a try. A token that the receiver cannot read will never be taken: it is given up, so that those behind
// it are not held up.
func (s *Server) settle(tx *store.Tx, stream store.SignalStream, out store.SignalOut, retry time.Duration, cause error) (done bool, err error) {
	var p *secevent.Problem
	hopeless := errors.As(cause, &p) && p.Code == secevent.InvalidRequest
	switch {
	case cause == nil:
		stream.Failures, stream.NextAt, stream.SentAt, stream.Problem = 0, time.Time{}, tx.Now(), ""
	case hopeless:
		stream.Failures, stream.NextAt, stream.Problem = 0, time.Time{}, clip(cause.Error())
		if err := signal.GivenUp(s.Heed.Owner, s.Heed.Region, stream, 1, "the receiver refuses it: "+stream.Problem).Store(tx); err != nil {
			return false, err
		}
	default:
		stream.Failures++
		stream.NextAt, stream.Problem = tx.Now().Add(max(retry, backOff(stream.Failures))), clip(cause.Error())
		return false, tx.UpdateSignalStream(stream)
	}
	if _, err := tx.TakeSignalsOut(stream.ID, []string{out.JTI}); err != nil {
		return false, err
	}
	return true, tx.UpdateSignalStream(stream)
}

// Prune gives up what has waited too long, and forgets what has come long ago.
func (s *Server) Prune(ctx context.Context) error {
	for more := true; more; {
		err := s.DB.Update(ctx, func(tx *store.Tx) (err error) { more, err = s.Heed.Prune(tx); return err })
		if err != nil {
			return err
		}
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		return signal.Expire(tx, s.Heed.Login.Store, s.Heed.Owner, s.Heed.Region)
	})
}

// backOff is how long a stream rests after so many failures in a row.
func backOff(failures int) time.Duration {
	return min(firstWait<<min(failures-1, 10), longWait)
}

// push sends one signal (RFC 8935 §2.1). retry is how long the receiver asks to be left alone.
func (s *Server) push(ctx context.Context, stream store.SignalStream, out store.SignalOut) (retry time.Duration, err error) {
	token := ""
	if stream.PushToken != nil {
		plain, err := s.Ring.OpenRecord("signal_stream", "push_token", stream.ID, stream.PushToken)
		if err != nil {
			return 0, fmt.Errorf("open push token: %w", err)
		}
		token = string(plain)
	}
	set, err := s.sign(stream, out)
	if err != nil {
		return 0, err
	}
	a, err := s.Client.do(ctx, http.MethodPost, stream.PushURL, token, "application/secevent+jwt", "application/json", []byte(set), maxReply, callLimit)
	if err != nil && a.status/100 != 2 {
		return 0, err
	}
	if a.status/100 == 2 {
		return 0, nil
	}
	var p secevent.Problem
	if a.status == http.StatusBadRequest && json.Unmarshal(a.body, &p) == nil && p.Code != "" {
		return a.retry, &p
	}
	return a.retry, fmt.Errorf("the receiver answers with %d", a.status)
}
