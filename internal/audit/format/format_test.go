package format

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/store"
)

var update = flag.Bool("update", false, "write the golden files")

// recorded are events of testdata/events.jsonl, which a server wrote while its stories ran: sign-ins by each factor, tokens,
// roles, administration, SCIM, recovery, and failures.
func recorded(t testing.TB) []store.SealedEvent {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var events []store.SealedEvent
	for line := range bytes.Lines(b) {
		events = append(events, sealed(int64(len(events)+1), bytes.TrimSuffix(line, []byte("\n"))))
	}
	return events
}

func sealed(seq int64, event []byte) store.SealedEvent {
	hash := sha256.Sum256(event)
	var named struct{ EventID string }
	_ = json.Unmarshal(event, &named) // what has no id, has none
	at := time.Date(2026, 11, 28, 22, 0, 0, 123456000, time.UTC).Add(time.Duration(seq) * time.Second)
	return store.SealedEvent{Seq: seq, Hash: hash[:], Event: store.Event{ID: named.EventID, At: at, JSON: event}}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range Names {
		f, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		for _, e := range recorded(t) {
			line, err := f.Format(e)
			if err != nil {
				t.Fatalf("%s of event %d: %v", name, e.Seq, err)
			}
			got.Write(line)
			got.WriteByte('\n')
		}
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
			t.Errorf("%s (go test -update writes it anew):\n%s", name, d)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if f, err := New(""); f != (CloudTrail{}) || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	if _, err := New("leef"); err == nil || !strings.Contains(err.Error(), "cloudtrail, ocsf, cef") {
		t.Error(err)
	}
}

// TestCloudTrailVerifies: what is left when the member is cut off is what was hashed.
func TestCloudTrailVerifies(t *testing.T) {
	t.Parallel()
	for _, e := range append(recorded(t), sealed(99, []byte("{}"))) {
		line, err := CloudTrail{}.Format(e)
		if err != nil || !json.Valid(line) || len(line) > len(e.JSON)+MaxMember {
			t.Fatalf("%s: %v", line, err)
		}
		i := bytes.LastIndex(line, []byte(`"sallyport":`))
		body := append(bytes.TrimSuffix(line[:i:i], []byte(",")), '}')
		if !bytes.Equal(body, e.JSON) || !bytes.Contains(line[i:], fmt.Appendf(nil, `{"seq":%d,"hash":"%x"}`, e.Seq, e.Hash)) {
			t.Errorf("%s", line)
		}
	}
}

// TestCorrelation: what joins events is where consumers look for it.
func TestCorrelation(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"AuthWorkflowID":"w"}`:                   "w",
		`{"identitycenter:CorrelationId":"c"}`:     "c",
		`{"identitystore:UserId":"the session's"}`: "s",
	} {
		e := sealed(1, fmt.Appendf(nil, `{"userIdentity":{"credentialId":"s","sessionContext":{"sourceIdentity":"alice"}},"additionalEventData":%s}`, data))
		line, err := OCSF{}.Format(e)
		if err != nil || !bytes.Contains(line, fmt.Appendf(nil, `"correlation_uid":%q`, want)) || !bytes.Contains(line, []byte(`"sourceIdentity":"alice"`)) {
			t.Errorf("%s: %s %v", data, line, err)
		}
		if line, err := (CEF{}).Format(e); err != nil || !bytes.Contains(line, []byte("cs3Label=correlationId cs3="+want)) {
			t.Errorf("%s: %s %v", data, line, err)
		}
	}
}

// check holds the output of every format to what it promises, and OCSF to its schema.
func check(t interface {
	Helper()
	Errorf(string, ...any)
}, e store.SealedEvent,
) {
	t.Helper()
	for _, name := range Names {
		f, _ := New(name)
		line, err := f.Format(e)
		if err != nil {
			t.Errorf("%s of %q: %v", name, e.JSON, err)
			continue
		}
		// A character of the event becomes six bytes at most, and few of its texts are repeated.
		if len(line) > 6*len(e.JSON)+32<<10 || !utf8.Valid(line) || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("%s of %q: %q", name, e.JSON, line)
		}
		switch name {
		case NameCEF:
			checkCEF(t, line)
		case NameOCSF:
			checkOCSF(t, line)
		default:
			if !json.Valid(line) {
				t.Errorf("%q is no JSON", line)
			}
		}
	}
}

func TestRecordedEventsAreValid(t *testing.T) {
	t.Parallel()
	for _, e := range recorded(t) {
		check(t, e)
		line, err := OCSF{}.Format(e)
		if err != nil || len(line) > 2*len(e.JSON)+4<<10 {
			t.Errorf("%d bytes of %d: %v", len(line), len(e.JSON), err)
		}
	}
}

// TestAnyEventIsValid takes recorded events and puts something else at one of their places: another type, a text that
// tries to end what it stands in, nothing.
func TestAnyEventIsValid(t *testing.T) {
	t.Parallel()
	events := recorded(t)
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(events).Draw(t, "event")
		var m map[string]any
		if err := json.Unmarshal(e.JSON, &m); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			spoil(t, m)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		check(t, sealed(e.Seq, b))
	})
}

func spoil(t *rapid.T, m map[string]any) {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	if len(names) == 0 {
		return
	}
	name := rapid.SampledFrom(sortedStrings(names)).Draw(t, "name")
	if inner, ok := m[name].(map[string]any); ok && rapid.Bool().Draw(t, "deeper") {
		spoil(t, inner)
		return
	}
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 0:
		delete(m, name)
	case 1:
		m[name] = rapid.String().Draw(t, "text")
	case 2:
		m[name] = rapid.SampledFrom([]string{"a|b=c\\\nd\r\ne\u2028", "\x00\x1b[31m", "fe80::1%eth0", "1e999", strings.Repeat("é=", 3000), "GROUP"}).Draw(t, "nasty")
	case 3:
		m[name] = []any{nil, 1.5, "x", map[string]any{"ARN": 1}}
	case 4:
		m[name] = rapid.SampledFrom([]any{nil, true, 1e300, map[string]any{"userId": ""}}).Draw(t, "value")
	default:
		m[name] = map[string]any{name: m[name]}
	}
}

// FuzzFormat: whatever is no object is refused, and any other gives valid output.
func FuzzFormat(f *testing.F) {
	for _, e := range recorded(f) {
		f.Add(string(e.JSON))
	}
	f.Add(`{}`)
	f.Add(`{"eventTime":"0001-01-01T00:00:00Z","resources":[1]}`)
	f.Fuzz(func(t *testing.T, event string) {
		var m map[string]any
		b := []byte(event)
		if json.Unmarshal(b, &m) != nil || m == nil {
			if _, err := (OCSF{}).Format(sealed(1, b)); err == nil {
				t.Errorf("%q was taken", event)
			}
			return
		}
		var compacted bytes.Buffer // the store has events as they were encoded: on one line, nothing around them, valid UTF-8
		if err := json.Compact(&compacted, bytes.ToValidUTF8(b, []byte("?"))); err != nil {
			return
		}
		check(t, sealed(1, compacted.Bytes()))
	})
}

func BenchmarkFormat(b *testing.B) {
	events := recorded(b)
	for _, name := range Names {
		f, _ := New(name)
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := f.Format(events[i%len(events)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
