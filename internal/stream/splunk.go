package stream

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// maxInvalid is how many events of a batch Splunk may refuse in one go.
const maxInvalid = 20

// splunk sends to an HTTP Event Collector (Splunk Enterprise, "Format events for HTTP Event Collector").
type splunk struct {
	*poster
	id, name string
	envelope hecEvent
}

// hecEvent is the envelope of an event.
type hecEvent struct {
	Time       json.Number     `json:"time"` // seconds since 1970
	Host       string          `json:"host"`
	Source     string          `json:"source"`
	SourceType string          `json:"sourcetype"`
	Index      string          `json:"index,omitempty"`
	Fields     hecFields       `json:"fields"`
	Event      json.RawMessage `json:"event"`
}

// hecFields are indexed: what comes twice is found by them.
type hecFields struct {
	Seq string `json:"sallyport_seq"`
	ID  string `json:"event_id"`
}

func openSplunk(c Config) (audit.Sink, error) {
	p, err := newPoster(c, "/services/collector/event")
	if err != nil {
		return nil, err
	}
	for _, r := range c.Secret {
		if r <= ' ' || r > '~' {
			return nil, fault.Invalidf("The token has characters that a token cannot have.")
		}
	}
	host, _ := os.Hostname()
	o := c.Options
	return &splunk{p, c.ID, c.Name, hecEvent{
		Host: cmp.Or(o["host"], host, "sallyport"), Source: cmp.Or(o["source"], "sallyport"), SourceType: cmp.Or(o["sourcetype"], "aws:cloudtrail"), Index: o["index"],
	}}, nil
}

// Name is the sink's name.
func (s *splunk) Name() string { return s.name }

// Write sends a batch. The collector stops at an event that it cannot read and says which: that one is refused, and the others come again.
func (s *splunk) Write(ctx context.Context, batch []store.SealedEvent) error {
	var refused []int64
	reason := ""
	for rest := slices.Clone(batch); len(rest) > 0; {
		invalid, why, err := s.send(ctx, rest)
		if err != nil {
			return err
		}
		if invalid < 0 {
			break
		}
		if refused, reason = append(refused, rest[invalid].Seq), why; len(refused) > maxInvalid {
			return fmt.Errorf("the collector refuses too many events of a batch: %s", why)
		}
		rest = slices.Delete(rest, invalid, invalid+1)
	}
	if len(refused) > 0 {
		return &audit.Refused{Seqs: refused, Reason: reason}
	}
	return nil
}

// send sends events; invalid is the place of the first that cannot be read, -1 when all are taken.
func (s *splunk) send(ctx context.Context, batch []store.SealedEvent) (invalid int, why string, err error) {
	all, err := formatted(s.format, batch)
	if err != nil {
		return 0, "", err
	}
	var body bytes.Buffer
	for i, e := range batch {
		one := s.envelope
		one.Time = json.Number(seconds(e.At))
		one.Fields = hecFields{strconv.FormatInt(e.Seq, 10), e.ID}
		one.Event = all[i]
		b, err := json.Marshal(one)
		if err != nil {
			return 0, "", fmt.Errorf("encode event %d: %w", e.Seq, err)
		}
		body.Write(b)
		body.WriteByte('\n')
	}
	a, err := s.post(ctx, map[string]string{
		"Authorization": "Splunk " + s.secret, "Content-Type": "application/json", "X-Splunk-Request-Channel": s.id,
	}, body.Bytes())
	switch {
	case err != nil:
		return 0, "", err
	case a.ok():
		return -1, "", nil
	}
	var said struct {
		Text    string `json:"text"`
		Invalid *int   `json:"invalid-event-number"`
	}
	if a.status == 400 && json.Unmarshal(a.body, &said) == nil && said.Invalid != nil && *said.Invalid >= 0 && *said.Invalid < len(batch) {
		return *said.Invalid, s.failed(a).Error(), nil
	}
	return 0, "", s.failed(a)
}

// seconds is a time in seconds since 1970, to the microsecond.
func seconds(t time.Time) string {
	return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000)
}
