package stream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// minSecret is the fewest characters of a webhook's secret.
const minSecret = 16

// webhook posts batches as JSON, signed. What it wants from a receiver is any status of success.
type webhook struct {
	*poster
	id, name string
	lines    bool // one event a line, in place of an array
	divide   divider
}

func openWebhook(c Config) (audit.Sink, error) {
	if len(c.Secret) < minSecret {
		return nil, fault.Invalidf("The secret that a webhook is signed with must have at least %d characters.", minSecret)
	}
	p, err := newPoster(c, "")
	if err != nil {
		return nil, err
	}
	w := &webhook{poster: p, id: c.ID, name: c.Name}
	switch c.Options["body"] {
	case "", "array":
	case "ndjson":
		w.lines = true
	default:
		return nil, fault.Invalidf("The body of a webhook is array or ndjson.")
	}
	return w, nil
}

// Name is the sink's name.
func (w *webhook) Name() string { return w.name }

// Write sends a batch; an [audit.Refused] are the events that the receiver answers with 400, 413 or 422 when they come alone.
func (w *webhook) Write(ctx context.Context, batch []store.SealedEvent) error {
	w.divide.send = func(some []store.SealedEvent) error { return w.send(ctx, some) }
	return w.divide.write(batch)
}

func (w *webhook) send(ctx context.Context, batch []store.SealedEvent) error {
	all, err := formatted(w.format, batch)
	if err != nil {
		return err
	}
	body, contentType := join(all, w.lines), "application/json"
	if w.lines {
		contentType = "application/x-ndjson"
	}
	first, last := span(batch)
	a, err := w.post(ctx, map[string]string{
		"Content-Type":           contentType,
		"Idempotency-Key":        IdempotencyKey(w.id, batch),
		"X-Sallyport-First-Seq":  strconv.FormatInt(first, 10),
		"X-Sallyport-Last-Seq":   strconv.FormatInt(last, 10),
		"X-Sallyport-Events":     strconv.Itoa(len(batch)),
		outbound.SignatureHeader: outbound.Sign(w.secret, w.clock.Now(), body),
	}, body)
	switch {
	case err != nil:
		return err
	case a.ok():
		return nil
	case a.unwanted():
		return &unwantedError{w.failed(a), a.status}
	}
	return w.failed(a)
}

// join makes a JSON array of texts, or lines.
func join(all [][]byte, lines bool) []byte {
	if lines {
		return append(bytes.Join(all, []byte("\n")), '\n')
	}
	return append(append([]byte("["), bytes.Join(all, []byte(",\n"))...), ']')
}

// IdempotencyKey is the same whenever a batch is sent again, by whichever node, and of no other batch.
func IdempotencyKey(sink string, batch []store.SealedEvent) string {
	h := sha256.New()
	h.Write([]byte(sink))
	for _, e := range batch {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
		h.Write([]byte(e.ID))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
