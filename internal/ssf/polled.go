package ssf

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"sallyport/internal/secevent"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

const (
	mostAtOnce = 100
	mostAcks   = 1000
	held       = 20 * time.Second // how long a poll waits for a signal; answers have 30 s
	mostHeld   = 64               // polls that wait at a time; further ones are answered at once
	lookEvery  = time.Second      // other nodes' signals have no bell
)

// ours is the form of our tokens' ids.
var ours = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// pollRequest is what a receiver polls with (RFC 8936 §2.2).
type pollRequest struct {
	MaxEvents         *int                        `json:"maxEvents,omitempty"`
	ReturnImmediately bool                        `json:"returnImmediately"`
	Ack               []string                    `json:"ack,omitempty"`
	SetErrs           map[string]secevent.Problem `json:"setErrs,omitempty"`
}

// pollResponse is what it is answered with (RFC 8936 §2.3).
type pollResponse struct {
	Sets          map[string]string `json:"sets"`
	MoreAvailable bool              `json:"moreAvailable"`
}

// poll takes a receiver's acknowledgements and gives it what waits, or waits for something to come.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, stream store.SignalStream) {
	var in pollRequest
	body, err := readBody(r, maxRequest)
	if err != nil || !isType(r, "application/json") || json.Unmarshal(body, &in) != nil || len(in.Ack)+len(in.SetErrs) > mostAcks ||
		in.MaxEvents != nil && *in.MaxEvents < 0 {
		refuse(w, &secevent.Problem{Code: secevent.InvalidRequest, Description: fmt.Sprintf("The body must be a poll request of RFC 8936, with %d acknowledgements at most.", mostAcks)})
		return
	}
	if stream.Delivery != store.SignalPoll {
		refuse(w, &secevent.Problem{Code: secevent.AccessDenied, Description: "This stream's signals are pushed."})
		return
	}
	n := mostAtOnce
	if in.MaxEvents != nil {
		n = min(*in.MaxEvents, n)
	}
	out, err := s.answer(r.Context(), stream, in, n)
	if err != nil {
		if r.Context().Err() == nil {
			s.Log.ErrorContext(r.Context(), "poll of signals failed", "stream", stream.ID, "error", err)
		}
		later(w)
		return
	}
	reply(w, http.StatusOK, out)
}

func (s *Server) answer(ctx context.Context, stream store.SignalStream, in pollRequest, n int) (out pollResponse, err error) {
	if err := s.acknowledge(ctx, stream, in); err != nil {
		return out, err
	}
	if n == 0 {
		return pollResponse{Sets: map[string]string{}}, nil
	}
	if !in.ReturnImmediately {
		if s.waiting.Add(1) > mostHeld {
			in.ReturnImmediately = true
		}
		defer s.waiting.Add(-1)
	}
	until := time.After(held)
	for {
		wake := s.DB.JobsWake()
		out, err := s.batch(ctx, stream, n)
		if err != nil || len(out.Sets) > 0 || in.ReturnImmediately || s.Stopping() {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-until:
			return out, nil
		case <-wake:
		case <-time.After(lookEvery):
		}
	}
}

// acknowledge removes what the receiver has taken, and what it says that it never will, which is recorded.
func (s *Server) acknowledge(ctx context.Context, stream store.SignalStream, in pollRequest) error {
	if len(in.Ack)+len(in.SetErrs) == 0 {
		return nil
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		stream, err := tx.SignalStream(stream.ID)
		if err != nil {
			return err
		}
		stream.SentAt, stream.Problem = tx.Now(), ""
		done := in.Ack
		for jti, p := range in.SetErrs {
			done = append(done, jti)
			stream.Problem = clip(p.Error())
		}
		done = slices.DeleteFunc(done, func(jti string) bool { return !ours.MatchString(jti) })
		n, err := tx.TakeSignalsOut(stream.ID, done)
		if err != nil || n == 0 {
			return err
		}
		if len(in.SetErrs) > 0 {
			if err := signal.GivenUp(s.Heed.Owner, s.Heed.Region, stream, int64(len(in.SetErrs)), "the receiver refuses it: "+stream.Problem).Store(tx); err != nil {
				return err
			}
		}
		return tx.UpdateSignalStream(stream)
	})
}

// batch are the first signals that wait, signed.
func (s *Server) batch(ctx context.Context, stream store.SignalStream, n int) (out pollResponse, err error) {
	var all []store.SignalOut
	err = s.DB.View(ctx, func(tx *store.Tx) error { all, err = tx.SignalsOut(stream.ID, n+1); return err })
	if err != nil {
		return out, fmt.Errorf("list signals: %w", err)
	}
	out.Sets, out.MoreAvailable = map[string]string{}, len(all) > n
	for _, o := range all[:min(n, len(all))] {
		if out.Sets[o.JTI], err = s.sign(stream, o); err != nil {
			return out, err
		}
	}
	return out, nil
}

// clip bounds what others say before it is stored.
func clip(text string) string {
	const most = 200
	clean := make([]rune, 0, most)
	for _, r := range text {
		if len(clean) == most {
			break
		}
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		clean = append(clean, r)
	}
	return string(clean)
}
