package ssf

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sallyport/internal/credential"
	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

var errUnknown = &secevent.Problem{Code: secevent.AuthenticationFailed, Description: "The bearer token is missing, unknown, or of another receiver."}

// receive takes a token that a transmitter pushes (RFC 8935 §2).
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	from, err := s.transmitter(ctx, r.PathValue("receiver"), bearer(r))
	var p *secevent.Problem
	switch {
	case errors.As(err, &p):
		refuse(w, p)
		return
	case err != nil:
		s.Log.ErrorContext(ctx, "signal not taken", "error", err)
		later(w)
		return
	}
	if !isType(r, "application/secevent+jwt") {
		refuse(w, &secevent.Problem{Code: secevent.InvalidRequest, Description: "The content type must be application/secevent+jwt."})
		return
	}
	body, err := readBody(r, secevent.MaxSize)
	if err != nil {
		refuse(w, &secevent.Problem{Code: secevent.InvalidRequest, Description: fmt.Sprintf("The body could not be read: it has at most %d bytes.", secevent.MaxSize)})
		return
	}
	switch _, err := s.take(ctx, from, strings.TrimSpace(string(body))); {
	case errors.As(err, &p):
		refuse(w, p)
	case err != nil:
		s.Log.WarnContext(ctx, "signal not taken yet", "receiver", from.Name, "error", err)
		later(w)
	default:
		reply(w, http.StatusAccepted, nil)
	}
}

// transmitter is the receiver to which a transmitter may push with a token. It does not tell whether there is such a receiver.
func (s *Server) transmitter(ctx context.Context, id, token string) (r store.SignalReceiver, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error { r, err = tx.SignalReceiver(id); return err })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return r, fmt.Errorf("load signal receiver: %w", err)
	}
	same := subtle.ConstantTimeCompare([]byte(credential.HashBearer(token)), []byte(r.TokenHash)) == 1
	if err != nil || token == "" || r.Delivery != store.SignalPush || !same {
		return store.SignalReceiver{}, errUnknown
	}
	return r, nil
}

// take verifies a token and does what it asks for. A [secevent.Problem] is for good, any other error is for now.
func (s *Server) take(ctx context.Context, r store.SignalReceiver, compact string) (jti string, err error) {
	t, err := s.verified(ctx, r, compact)
	var p *secevent.Problem
	if errors.As(err, &p) {
		s.Record(s.Heed.Refused(r, p))
	}
	if err != nil {
		return t.ID, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := s.Heed.Heed(tx, r.ID, t)
		return err
	})
	return t.ID, err
}

func (s *Server) verified(ctx context.Context, r store.SignalReceiver, compact string) (secevent.Token, error) {
	kid, err := secevent.KeyOf(compact)
	if err != nil {
		return secevent.Token{}, err
	}
	keys, err := s.keysOf(ctx, r, kid)
	if err != nil {
		return secevent.Token{}, err
	}
	t, err := secevent.Verify(compact, keys)
	if err != nil {
		return t, err
	}
	return t, t.Check(r.Issuer, r.Audience, s.DB.Now())
}
