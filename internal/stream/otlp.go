package stream

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"sallyport/internal/audit"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// otlp sends log records to an OpenTelemetry collector: OTLP/HTTP in JSON (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding").
type otlp struct {
	*poster
	name, service string
	divide        divider
}

func openOTLP(c Config) (audit.Sink, error) {
	p, err := newPoster(c, "/v1/logs")
	if err != nil {
		return nil, err
	}
	return &otlp{poster: p, name: c.Name, service: cmp.Or(c.Options["service"], "sallyport")}, nil
}

// The messages, as far as they are needed. 64-bit numbers are texts in this encoding.
type (
	otlpLogs struct {
		ResourceLogs []otlpResource `json:"resourceLogs"`
	}
	otlpResource struct {
		Resource  otlpAttributes `json:"resource"`
		ScopeLogs []otlpScope    `json:"scopeLogs"`
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScope struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		LogRecords []otlpRecord `json:"logRecords"`
	}
	otlpRecord struct {
		Time         string          `json:"timeUnixNano"`
		Observed     string          `json:"observedTimeUnixNano"`
		Severity     int             `json:"severityNumber"`
		SeverityText string          `json:"severityText"`
		Body         otlpValue       `json:"body"`
		Attributes   []otlpAttribute `json:"attributes"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
	}
)

func text(key, value string) otlpAttribute { return otlpAttribute{key, otlpValue{String: &value}} }

func number(key string, n int64) otlpAttribute {
	return otlpAttribute{key, otlpValue{Int: new(strconv.FormatInt(n, 10))}}
}

// Name is the sink's name.
func (s *otlp) Name() string { return s.name }

// Write sends a batch. A collector that has rejected some records does not say which: they are searched for in new requests of fewer, whose
// records it may then have twice, with the same event.id.
func (s *otlp) Write(ctx context.Context, batch []store.SealedEvent) error {
	s.divide.send = func(some []store.SealedEvent) error { return s.send(ctx, some) }
	return s.divide.write(batch)
}

func (s *otlp) send(ctx context.Context, batch []store.SealedEvent) error {
	body, err := s.body(batch)
	if err != nil {
		return err
	}
	headers := map[string]string{"Content-Type": "application/json"}
	if s.secret != "" {
		headers["Authorization"] = "Bearer " + s.secret
	}
	a, err := s.post(ctx, headers, body)
	switch {
	case err != nil:
		return err
	case a.unwanted():
		return &unwantedError{s.failed(a), a.status}
	case !a.ok():
		return s.failed(a)
	}
	return s.partial(a)
}

// partial is an error when an answer of success says that records were rejected.
func (s *otlp) partial(a answer) error {
	if len(a.body) == 0 {
		return nil
	}
	var said struct {
		Partial struct {
			Rejected json.RawMessage `json:"rejectedLogRecords"` // a text, or a number of encoders that do not keep to the rule
			Message  string          `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		return errors.New("the receiver's answer is not that of a collector")
	}
	n := string(said.Partial.Rejected)
	if n == "" || n == "null" || n == "0" || n == `"0"` {
		return nil
	}
	return &unwantedError{fmt.Errorf("the collector rejects records: %s", outbound.OneLine(said.Partial.Message, s.secret)), a.status}
}

func (s *otlp) body(batch []store.SealedEvent) ([]byte, error) {
	all, err := formatted(s.format, batch)
	if err != nil {
		return nil, err
	}
	scope := otlpScope{LogRecords: make([]otlpRecord, len(batch))}
	scope.Scope.Name = "sallyport.audit"
	for i, e := range batch {
		at := strconv.FormatInt(e.At.UnixNano(), 10)
		scope.LogRecords[i] = otlpRecord{
			Time: at, Observed: at, Severity: 9, SeverityText: "INFO", Body: otlpValue{String: new(string(all[i]))},
			Attributes: []otlpAttribute{text("event.id", e.ID), number("sallyport.seq", e.Seq), text("sallyport.hash", hex.EncodeToString(e.Hash))},
		}
	}
	logs := otlpLogs{[]otlpResource{{otlpAttributes{[]otlpAttribute{text("service.name", s.service)}}, []otlpScope{scope}}}}
	b, err := json.Marshal(logs)
	if err != nil {
		return nil, fmt.Errorf("encode log records: %w", err)
	}
	return b, nil
}
