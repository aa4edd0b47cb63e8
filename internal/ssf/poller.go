package ssf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

const (
	pollLease  = 3 * time.Minute
	pollBatch  = 20
	maxPolled  = (pollBatch + 1) * secevent.MaxSize
	longestNap = 5 * time.Minute
)

// Poll fetches signals from the transmitters that are polled, until ctx ends. One node polls a transmitter at a time.
func (s *Server) Poll(ctx context.Context) {
	var work store.PerKey
	defer work.Wait()
	for ctx.Err() == nil {
		all, err := s.polled(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "look for transmitters to poll", "error", err)
		}
		for _, r := range all {
			work.Go(r.ID, func() { s.keepPolling(ctx, r.ID) })
		}
		wait(ctx, lookEvery)
	}
}

func (s *Server) polled(ctx context.Context) (out []store.SignalReceiver, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.SignalReceivers(s.Heed.Login.Store)
		for _, r := range all {
			if r.Delivery == store.SignalPoll {
				out = append(out, r)
			}
		}
		return err
	})
	return out, err
}

// keepPolling polls for a receiver until it is deleted, ctx ends or another node does.
func (s *Server) keepPolling(ctx context.Context, id string) {
	lease, err := s.DB.AcquireLease(ctx, "signal-poll/"+id, s.Owner, pollLease)
	if err != nil {
		return
	}
	defer func() {
		back, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer stop()
		_ = s.DB.ReleaseLease(back, lease) // lost already, or it runs out
	}()
	var done pollRequest
	for failures := 0; ctx.Err() == nil; {
		var r store.SignalReceiver
		err := s.DB.View(ctx, func(tx *store.Tx) error { r, err = tx.SignalReceiver(id); return err })
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if err == nil {
			lease, err = s.DB.RenewLease(ctx, lease, pollLease)
		}
		if errors.Is(err, store.ErrLost) {
			return
		}
		if err == nil {
			done, err = s.fetch(ctx, r, done)
		}
		if err == nil {
			failures = 0
			wait(ctx, gather) // however fast the transmitter answers
			continue
		}
		failures++
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "poll for signals failed", "receiver", r.Name, "error", err)
		}
		if !s.nap(ctx, &lease, min(backOff(failures), longestNap)) {
			return
		}
	}
}

// nap rests while the lease stays ours.
func (s *Server) nap(ctx context.Context, lease *store.Lease, d time.Duration) bool {
	for d > 0 {
		step := min(d, pollLease/3)
		if d -= step; !wait(ctx, step) {
			return false
		}
		var err error
		if *lease, err = s.DB.RenewLease(ctx, *lease, pollLease); errors.Is(err, store.ErrLost) {
			return false
		}
	}
	return true
}

// fetch polls once, with what is to be acknowledged, and returns what is to be acknowledged next time: a signal that has been heeded
// is, and one that never can be is refused; one that failed for now comes again.
func (s *Server) fetch(ctx context.Context, r store.SignalReceiver, done pollRequest) (pollRequest, error) {
	out, err := s.ask(ctx, r, done)
	if err != nil {
		return done, err
	}
	if len(out.Sets) == 0 && len(done.Ack)+len(done.SetErrs) == 0 {
		wait(ctx, lookEvery) // it does not hold polls, or nothing has come for long
	}
	var failed error
	next := pollRequest{SetErrs: map[string]secevent.Problem{}}
	for jti, set := range out.Sets {
		got, err := s.take(ctx, r, set)
		var p *secevent.Problem
		switch {
		case errors.As(err, &p):
			next.SetErrs[jti] = *p
		case err != nil:
			failed = err
		case got != jti:
			next.SetErrs[jti] = secevent.Problem{Code: secevent.InvalidRequest, Description: "The token has another jti."}
		default:
			next.Ack = append(next.Ack, jti)
		}
	}
	return next, failed
}

func (s *Server) ask(ctx context.Context, r store.SignalReceiver, in pollRequest) (out pollResponse, err error) {
	n := pollBatch
	in.MaxEvents = &n
	in.ReturnImmediately = len(in.Ack)+len(in.SetErrs) > 0 // acknowledge at once; the next poll waits
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("encode poll: %w", err)
	}
	token := ""
	if r.PollToken != nil {
		plain, err := s.Ring.OpenRecord("signal_receiver", "poll_token", r.ID, r.PollToken)
		if err != nil {
			return out, fmt.Errorf("open poll token: %w", err)
		}
		token = string(plain)
	}
	a, err := s.Client.do(ctx, http.MethodPost, r.PollURL, token, "application/json", "application/json", body, maxPolled, pollLimit)
	if err != nil {
		return out, err
	}
	if a.status != http.StatusOK {
		return out, fmt.Errorf("the transmitter answers with %d", a.status)
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		return out, fmt.Errorf("decode answer of transmitter: %w", err)
	}
	if len(out.Sets) > pollBatch {
		return out, fmt.Errorf("the transmitter sends %d signals when asked for %d", len(out.Sets), pollBatch)
	}
	return out, nil
}
