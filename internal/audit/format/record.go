package format

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"sallyport/internal/store"
)

// maxText is the most bytes of a text that is repeated outside the request and the response, as the events' own bound.
const maxText = 1 << 10

// record is an event as read for translating. It is read loosely: an event of another version, or one that another deployment
// sent, is translated as far as it goes.
type record struct {
	sealed store.SealedEvent
	m      map[string]any
}

func read(e store.SealedEvent) (record, error) {
	d := json.NewDecoder(bytes.NewReader(e.JSON))
	d.UseNumber() // numbers leave as they came
	r := record{sealed: e}
	if err := d.Decode(&r.m); err != nil || r.m == nil {
		return r, errNoObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // something follows it
		return r, errNoObject
	}
	return r, nil
}

// value is what a dotted path leads to, nil if it leads nowhere.
func (r record) value(path string) any {
	var v any = r.m
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is the first text that one of the paths leads to, cut to maxText.
func (r record) text(paths ...string) string {
	for _, path := range paths {
		if s, ok := r.value(path).(string); ok && s != "" {
			return cut(s, maxText)
		}
	}
	return ""
}

func (r record) source() string { return r.text("eventSource") }
func (r record) name() string   { return r.text("eventName") }
func (r record) hash() string   { return hex.EncodeToString(r.sealed.Hash) }

// id is the event's own id, which is also the store's.
func (r record) id() string {
	if id := r.text("eventID"); id != "" {
		return id
	}
	return r.sealed.ID
}

// at is when it happened; events have it to the second.
func (r record) at() time.Time {
	if t, err := time.Parse(time.RFC3339, r.text("eventTime")); err == nil && t.Year() >= 1970 {
		return t
	}
	return r.sealed.At
}

// failed tells of a call that was refused, a check that was not passed and a task that ended badly.
func (r record) failed() bool {
	return r.text("errorCode") != "" || r.text("serviceEventDetails."+r.name()) == "Failure" || r.text("serviceEventDetails.status") == "FAILED"
}

// session is the portal session that the event belongs to.
func (r record) session() string { return r.text("userIdentity.credentialId") }

// workflow joins the steps of one sign-in, or what was done with the credentials of one role, or else in one session.
func (r record) workflow() string {
	return r.text("additionalEventData.AuthWorkflowID", "additionalEventData.identitycenter:CorrelationId", "userIdentity.credentialId")
}

// cut shortens a text to at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
