package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/alert/pattern"
	"sallyport/internal/store"
)

// found is an event as patterns see it.
type found struct {
	envelope map[string]any
	detail   map[string]any
	id       string
	at       time.Time // when it happened
	recorded time.Time
}

// Envelope presents an event of the audit log as EventBridge presents CloudTrail's (behaviour reference §10.8).
func Envelope(e store.Event) (map[string]any, error) {
	f, err := present(e)
	return f.envelope, err
}

func present(e store.Event) (found, error) {
	detail, err := pattern.Decode(e.JSON)
	if err != nil {
		return found{}, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	f := found{detail: detail, id: e.ID, recorded: e.At, at: happened(text(detail, "eventTime"), e.At)}
	f.envelope = map[string]any{
		"version": "0", "id": e.ID, "detail-type": detailType(text(detail, "eventType")), "source": source(text(detail, "eventSource")),
		"account": text(detail, "recipientAccountId"), "time": f.at.UTC().Format(time.RFC3339), "region": text(detail, "awsRegion"),
		"resources": resources(detail), "detail": detail,
	}
	return f, nil
}

// happened is an event's own time. One that cannot be read (a leap second has the number 60), or lies after its being recorded, is that of
// its record: a clock that is wrong must not shut a window.
func happened(text string, recorded time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.After(recorded) {
		return recorded
	}
	return t.UTC()
}

// source is EventBridge's name of a service: aws.sso of sso.amazonaws.com. Our own has no other.
func source(eventSource string) string {
	if name, aws := strings.CutSuffix(eventSource, ".amazonaws.com"); aws {
		return "aws." + name
	}
	return eventSource
}

func detailType(eventType string) string {
	switch eventType {
	case "AwsServiceEvent":
		return "AWS Service Event via CloudTrail"
	case "AwsConsoleSignIn":
		return "AWS Console Sign In via CloudTrail"
	case "AwsConsoleAction":
		return "AWS Console Action via CloudTrail"
	}
	return "AWS API Call via CloudTrail"
}

func resources(detail map[string]any) []any {
	all := []any{}
	list, _ := detail["resources"].([]any)
	for _, r := range list {
		if m, ok := r.(map[string]any); ok && text(m, "ARN") != "" {
			all = append(all, m["ARN"])
		}
	}
	return all
}

// text is a text at a path; "" where there is none.
func text(v map[string]any, path ...string) string {
	for ; len(path) > 1; path = path[1:] {
		v, _ = v[path[0]].(map[string]any)
	}
	s, _ := v[path[0]].(string)
	return s
}

// values are what an event has at a path, as texts: the elements of lists, one after the other.
func values(v any, path []string, into []string) []string {
	switch v := v.(type) {
	case map[string]any:
		if len(path) > 0 {
			return values(v[path[0]], path[1:], into)
		}
	case []any:
		for _, one := range v {
			into = values(one, path, into)
		}
	case nil:
	default:
		if len(path) == 0 {
			return append(into, fmt.Sprint(v))
		}
	}
	return into
}

// key is what an event has at some paths, as one text of bounded length.
func key(event map[string]any, paths []string) string {
	all := make([][]string, len(paths))
	for i, p := range paths {
		all[i] = values(event, path(p), nil)
	}
	b, _ := json.Marshal(all)
	return bounded(string(b))
}

// bounded is a short text itself, and the digest of a long one.
func bounded(s string) string {
	if len(s) <= 256 {
		return s
	}
	return digest(s)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
