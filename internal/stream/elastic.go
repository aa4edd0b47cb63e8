package stream

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// elastic sends to Elasticsearch or OpenSearch by their bulk API. A document's id is its event's, so that what comes twice is there once.
type elastic struct {
	*poster
	name          string
	authorization string // "": none
}

// indexName is what an index or a data stream may be called, closely enough.
var indexName = regexp.MustCompile(`^[a-z0-9][-a-z0-9._]{0,199}$`)

func openElastic(c Config) (audit.Sink, error) {
	index := cmp.Or(c.Options["index"], "sallyport-audit")
	if !indexName.MatchString(index) {
		return nil, fault.Invalidf("%.100q is no name of an index.", index)
	}
	p, err := newPoster(c, "")
	if err != nil {
		return nil, err
	}
	p.url = trimSlash(p.url) + "/" + index + "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
	e := &elastic{poster: p, name: c.Name}
	switch user := c.Options["user"]; {
	case c.Secret == "":
	case user != "":
		e.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+c.Secret))
	default:
		e.authorization = "ApiKey " + c.Secret
	}
	return e, nil
}

func trimSlash(s string) string {
	for len(s) > 0 && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}

// Name is the sink's name.
func (s *elastic) Name() string { return s.name }

// bulkItem is what became of one document.
type bulkItem struct {
	Create struct {
		Status int `json:"status"`
		Error  struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"error"`
	} `json:"create"`
}

// Write sends a batch. Documents that are there already are taken; those that the index cannot hold are refused; where any other was not
// taken, all come again.
func (s *elastic) Write(ctx context.Context, batch []store.SealedEvent) error {
	body, err := s.body(batch)
	if err != nil {
		return err
	}
	headers := map[string]string{"Content-Type": "application/x-ndjson"}
	if s.authorization != "" {
		headers["Authorization"] = s.authorization
	}
	a, err := s.post(ctx, headers, body)
	if err != nil {
		return err
	}
	if !a.ok() {
		return s.failed(a)
	}
	var said struct {
		Errors *bool      `json:"errors"`
		Items  []bulkItem `json:"items"`
	}
	if json.Unmarshal(a.body, &said) != nil || said.Errors == nil {
		return errors.New("the receiver's answer is not that of a bulk request")
	}
	if !*said.Errors {
		return nil
	}
	if len(said.Items) != len(batch) {
		return fmt.Errorf("the receiver tells of %d documents, and was sent %d", len(said.Items), len(batch))
	}
	return s.judge(a, batch, said.Items)
}

func (s *elastic) judge(a answer, batch []store.SealedEvent, items []bulkItem) error {
	var refused audit.Refused
	for i, item := range items {
		c := item.Create
		why := outbound.OneLine(c.Error.Type+": "+c.Error.Reason, s.secret)
		switch {
		case c.Status >= 200 && c.Status <= 299, c.Status == http.StatusConflict:
		case c.Status == http.StatusBadRequest || c.Status == http.StatusRequestEntityTooLarge:
			refused.Seqs, refused.Reason = append(refused.Seqs, batch[i].Seq), why
		default:
			err := fmt.Errorf("the receiver answers %d to event %d: %s", c.Status, batch[i].Seq, why)
			if a.after > 0 {
				return &audit.Busy{Err: err, After: a.after}
			}
			return err
		}
	}
	if len(refused.Seqs) > 0 {
		return &refused
	}
	return nil
}

// body is a batch in the bulk format. Data streams want the time in @timestamp.
func (s *elastic) body(batch []store.SealedEvent) ([]byte, error) {
	all, err := formatted(s.format, batch)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for i, e := range batch {
		id, err := json.Marshal(e.ID)
		if err != nil {
			return nil, fmt.Errorf("encode event id: %w", err)
		}
		fmt.Fprintf(&b, "{\"create\":{\"_id\":%s}}\n{\"@timestamp\":%q,", id, e.At.UTC().Format(time.RFC3339Nano))
		b.Write(bytes.TrimPrefix(all[i], []byte("{")))
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}
