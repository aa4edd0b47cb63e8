package ssf

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/credential"
	"sallyport/internal/secevent"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// maxWaiting is how many signals may wait in a stream whose receiver asks for verification events.
const maxWaiting = 1000

// streamed finds the stream of a request's token.
func (s *Server) streamed(next func(http.ResponseWriter, *http.Request, store.SignalStream)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var stream store.SignalStream
		token := bearer(r)
		err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			stream, err = tx.SignalStreamByHash(credential.HashBearer(token))
			return err
		})
		switch named := firstOf(r.PathValue("stream"), r.URL.Query().Get("stream_id")); {
		case errors.Is(err, store.ErrNotFound), token == "":
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, http.StatusUnauthorized, errUnknown)
		case err != nil:
			s.Log.ErrorContext(r.Context(), "load signal stream", "error", err)
			later(w)
		case named != "" && named != stream.ID:
			reply(w, http.StatusNotFound, nil)
		default:
			next(w, r, stream)
		}
	}
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// streamConfiguration is a stream as its receiver sees it (SSF 1.0 §8.1.1.2). Without an id, it is a list of it alone.
func (s *Server) streamConfiguration(w http.ResponseWriter, r *http.Request, stream store.SignalStream) {
	delivery := map[string]string{"method": pollMethod, "endpoint_url": s.URL + Base + "poll/" + stream.ID}
	if stream.Delivery == store.SignalPush {
		delivery = map[string]string{"method": pushMethod, "endpoint_url": stream.PushURL}
	}
	c := map[string]any{
		"stream_id": stream.ID, "iss": s.URL, "aud": stream.Audience, "delivery": delivery, "events_supported": signal.Types,
		"events_requested": stream.Events, "events_delivered": stream.Events, "description": stream.Name,
	}
	if r.URL.Query().Get("stream_id") == "" {
		reply(w, http.StatusOK, []any{c})
		return
	}
	reply(w, http.StatusOK, c)
}

// streamStatus is whether a stream is on (SSF 1.0 §8.1.2.1): it is, as long as it is there.
func (s *Server) streamStatus(w http.ResponseWriter, _ *http.Request, stream store.SignalStream) {
	reply(w, http.StatusOK, map[string]string{"stream_id": stream.ID, "status": "enabled"})
}

// verify queues the event by which a receiver tests its stream (SSF 1.0 §8.1.4.2).
func (s *Server) verify(w http.ResponseWriter, r *http.Request, stream store.SignalStream) {
	var in struct {
		StreamID string  `json:"stream_id"`
		State    *string `json:"state"`
	}
	body, err := readBody(r, maxRequest)
	if err != nil || !isType(r, "application/json") || json.Unmarshal(body, &in) != nil || in.State != nil && len(*in.State) > 1024 {
		refuse(w, &secevent.Problem{Code: secevent.InvalidRequest, Description: "The body must be a JSON object with stream_id and, if need be, a short state."})
		return
	}
	if in.StreamID != stream.ID {
		reply(w, http.StatusNotFound, nil)
		return
	}
	full := false
	err = s.DB.Update(r.Context(), func(tx *store.Tx) error {
		n, err := tx.CountSignalsOut(stream.ID)
		if full = n >= maxWaiting; err != nil || full {
			return err
		}
		return signal.Verify(tx, stream, in.State)
	})
	switch {
	case err != nil:
		s.Log.ErrorContext(r.Context(), "queue verification", "error", fmt.Errorf("stream %s: %w", stream.ID, err))
		later(w)
	case full:
		w.Header().Set("Retry-After", "60")
		reply(w, http.StatusTooManyRequests, nil)
	default:
		reply(w, http.StatusNoContent, nil)
	}
}
