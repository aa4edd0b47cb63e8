package stream

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/audit/format"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Settings are what an operator says of a sink beside its name and its secret.
type Settings struct {
	Address string            `json:"address"`
	Format  Format            `json:"format"`
	CA      string            `json:"ca,omitempty"` // PEM: the authorities that are trusted, in place of the system's
	Options map[string]string `json:"options,omitempty"`
	Filter  Filter            `json:"filter"`
}

// Config is all that a sink is opened with.
type Config struct {
	ID     string
	Name   string
	Kind   string
	Secret string
	Settings
	Clock clock.Clock   // nil: the system's
	Limit time.Duration // of a request; 0: half a minute
}

// Filter says which events a sink is sent. The zero filter: all.
type Filter struct {
	WriteOnly bool     `json:"writeOnly,omitempty"` // leave out what changed nothing
	Sources   []string `json:"sources,omitempty"`   // eventSource is one of these
}

// Format is what events look like at the receiver.
type Format string

// CloudTrail is the format that every kind has: an event's own JSON with the member "sallyport", its number and the hash of the chain.
const CloudTrail Format = format.NameCloudTrail

// formatter is the one of the sink's format, for receivers of JSON.
func (c Config) formatter() (format.Formatter, error) {
	if c.Format == format.NameCEF {
		return nil, fault.Invalidf("A sink of kind %s is sent JSON: the format is %s or %s.", c.Kind, format.NameCloudTrail, format.NameOCSF)
	}
	return format.New(string(c.Format))
}

func (c Config) clock() clock.Clock {
	if c.Clock == nil {
		return clock.System{}
	}
	return c.Clock
}

// pass are the events of a window that a sink is sent.
func (f Filter) pass(window []store.SealedEvent) []store.SealedEvent {
	if !f.WriteOnly && len(f.Sources) == 0 {
		return window
	}
	var out []store.SealedEvent
	for _, e := range window {
		var of struct {
			EventSource string `json:"eventSource"`
			ReadOnly    bool   `json:"readOnly"`
		}
		err := json.Unmarshal(e.JSON, &of) // what cannot be read is not held back
		if err != nil || (!f.WriteOnly || !of.ReadOnly) && (len(f.Sources) == 0 || slices.Contains(f.Sources, of.EventSource)) {
			out = append(out, e)
		}
	}
	return out
}

// formatted are the events of a batch as the receiver gets them.
func formatted(f format.Formatter, batch []store.SealedEvent) ([][]byte, error) {
	out := make([][]byte, len(batch))
	for i, e := range batch {
		b, err := f.Format(e)
		if err != nil {
			return nil, fmt.Errorf("format event %d: %w", e.Seq, err)
		}
		out[i] = b
	}
	return out, nil
}
