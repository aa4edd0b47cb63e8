package collect

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

const (
	maxBody   = 2 << 20 // a sink's batch has 1 MiB of events, and their members
	tolerance = 5 * time.Minute
)

// ServeHTTP takes a batch that a webhook sink posts to Base and the source's id. It answers 200 when all of the batch is durable here,
// 401 for a signature that is not the source's, 400 for what are no sealed events, and 409 when they do not follow what is here.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, problem{"Events are posted."})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, problem{fmt.Sprintf("The body could not be read: it has at most %d bytes.", maxBody)})
		return
	}
	s, err := c.sender(r.Context(), strings.TrimPrefix(r.URL.Path, Base), r.Header.Get(outbound.SignatureHeader), body)
	switch {
	case errors.Is(err, errSender):
		answer(w, http.StatusUnauthorized, problem{err.Error()})
		return
	case err != nil:
		c.failed(w, r, err)
		return
	}
	batch, err := read(body)
	if err != nil {
		answer(w, http.StatusBadRequest, problem{err.Error()})
		return
	}
	taken, err := c.take(r.Context(), s.ID, batch)
	var b *brokenError
	switch {
	case errors.As(err, &b):
		if err := c.broken(r.Context(), s, b.why); err != nil {
			c.failed(w, r, err)
			return
		}
		answer(w, http.StatusConflict, problem{b.why})
	case errors.Is(err, store.ErrNotFound): // deleted meanwhile
		answer(w, http.StatusUnauthorized, problem{errSender.Error()})
	case err != nil:
		c.failed(w, r, err)
	default:
		answer(w, http.StatusOK, taken)
	}
}

var errSender = errors.New("there is no such source, the signature is not made with its secret, or it is older than five minutes")

// sender is the source whose secret a body was signed with. It does not tell what was wrong.
func (c *Collector) sender(ctx context.Context, id, signature string, body []byte) (s store.EventSource, err error) {
	err = c.DB.View(ctx, func(tx *store.Tx) error { s, err = tx.EventSource(id); return err })
	if errors.Is(err, store.ErrNotFound) {
		return s, errSender
	}
	if err != nil {
		return s, fmt.Errorf("load source: %w", err)
	}
	secret, err := c.Keys.OpenRecord("event_source", "secret", s.ID, s.Secret)
	if err != nil {
		return s, fmt.Errorf("open secret of source: %w", err)
	}
	stamp, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || c.DB.Now().Sub(time.Unix(at, 0)).Abs() > tolerance || !hmac.Equal([]byte(outbound.Sign(string(secret), time.Unix(at, 0), body)), []byte(signature)) {
		return s, errSender
	}
	return s, nil
}

// failed says that the trouble is ours: the sink will come again.
func (c *Collector) failed(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.ErrorContext(r.Context(), "events of a source are not taken", "error", err)
	w.Header().Set("Retry-After", "5")
	answer(w, http.StatusServiceUnavailable, problem{"The events cannot be kept at present. Send them again."})
}

type problem struct {
	Message string `json:"message"`
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}
