package audit

import (
	"encoding/json"
	"strings"
)

// The bounds of an event and of its parts are CloudTrail's (record contents; behaviour reference §10.6). The parts together
// stay below MaxSize, so that whatever a request holds, its event can be stored and is one that consumers can read.
const (
	// MaxSize is the most bytes that an event has.
	MaxSize = 256 << 10

	maxRequest  = 100 << 10
	maxResponse = 100 << 10
	maxDetails  = 20 << 10 // each of additionalEventData, serviceEventDetails and resources
	maxText     = 1 << 10
)

// encode writes the event. A part that is too long is left out, and says so where it was; a text is cut.
func (e *Event) encode() ([]byte, error) {
	out := *e
	for _, text := range []*string{&out.UserAgent, &out.SourceIPAddress, &out.ErrorCode, &out.ErrorMessage} {
		*text = cut(*text, maxText)
	}
	b, err := json.Marshal(out)
	if err != nil || len(b) <= maxDetails { // as nearly all are: no part can be longer than the whole
		return b, err
	}
	if out.RequestParameters, err = bounded(e.RequestParameters, "requestParameters", maxRequest); err != nil {
		return nil, err
	}
	if out.ResponseElements, err = bounded(e.ResponseElements, "responseElements", maxResponse); err != nil {
		return nil, err
	}
	if out.AdditionalEventData, err = boundedMap(e.AdditionalEventData, "additionalEventData"); err != nil {
		return nil, err
	}
	if out.ServiceEventDetails, err = boundedMap(e.ServiceEventDetails, "serviceEventDetails"); err != nil {
		return nil, err
	}
	if b, err := json.Marshal(e.Resources); err != nil || len(b) > maxDetails {
		out.Resources = nil
	}
	return json.Marshal(out)
}

// bounded is a part of an event as it is written. It is encoded once, and that its size is known costs nothing more.
func bounded(part any, name string, most int) (any, error) {
	b, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	if len(b) > most {
		return omitted(name, len(b)), nil
	}
	return json.RawMessage(b), nil
}

func boundedMap(part map[string]any, name string) (map[string]any, error) {
	b, err := json.Marshal(part)
	if err != nil || len(b) <= maxDetails {
		return part, err
	}
	return omitted(name, len(b)), nil
}

// omitted stands where a part was, in CloudTrail's form.
func omitted(name string, size int) map[string]any {
	return map[string]any{"omitted": true, "originalSize": size, "reason": name + " too large"}
}

// cut shortens a text to at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
