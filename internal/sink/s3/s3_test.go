package s3

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

const secret = "made-up-secret"

// fake is a bucket. It checks signatures with the server's own verifier, which the SDK's signer knows nothing of.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	answer  func(w http.ResponseWriter, r *http.Request) bool // takes the request, or leaves it
	now     time.Time
}

func newFake(t *testing.T, now time.Time) *fake {
	t.Helper()
	f := &fake{objects: map[string][]byte{}, now: now}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if f.answer != nil && f.answer(w, r) {
		return
	}
	sum := sha256.Sum256(body)
	sig, err := sigv4.Parse(r)
	if err == nil {
		err = (&sigv4.Verifier{Service: "s3", Regions: []string{"eu-central-1"}}).Verify(r, body, sig, secret, f.now)
	}
	if err == nil && r.Header.Get("X-Amz-Checksum-Sha256") != base64.StdEncoding.EncodeToString(sum[:]) {
		err = errors.New("checksum")
	}
	if err != nil || r.Method != http.MethodPut {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><Message>%v</Message></Error>", err)
		return
	}
	f.objects[r.Host+r.URL.Path] = body
}

// seqs are the numbers of the events in all objects, in the order of their names.
func (f *fake) seqs(t *testing.T) (names []string, seqs string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.objects {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		z, err := gzip.NewReader(bytes.NewReader(f.objects[name]))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			_, after, _ := strings.Cut(lines.Text(), `"sallyport":{"seq":`)
			seq, _, _ := strings.Cut(after, ",")
			seqs += seq + " "
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return names, seqs
}

func events(from, to int64, size int) []store.SealedEvent {
	var out []store.SealedEvent
	for seq := from; seq <= to; seq++ {
		out = append(out, store.SealedEvent{Seq: seq, Hash: []byte{1}, Event: store.Event{
			ID: fmt.Sprint(seq), At: time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC), JSON: fmt.Appendf(nil, `{"x":"%s"}`, strings.Repeat("x", size)),
		}})
	}
	return out
}

func TestWrite(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC)
	f := newFake(t, now)
	s, err := Open(Config{
		Name: "archive", Bucket: "audit", Region: "eu-central-1", Prefix: "/a/b/", Endpoint: f.URL, PathStyle: true,
		AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secret, KMSKeyID: "alias/audit", Clock: clocktest.At(now),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	if err := s.Write(t.Context(), events(1, 3, 10)); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("unavailable: %v", err)
	}
	kms := ""
	f.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		kms = r.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")
		return false
	}
	for _, batch := range [][]store.SealedEvent{events(1, 3, 10), events(1, 3, 10), events(4, 4, 10)} { // the second is a retry
		if err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	names, seqs := f.seqs(t)
	host := strings.TrimPrefix(f.URL, "http://")
	want := []string{
		host + "/audit/a/b/2026/11/28/00000000000000000001-00000000000000000003.jsonl.gz",
		host + "/audit/a/b/2026/11/28/00000000000000000004-00000000000000000004.jsonl.gz",
	}
	if !slices.Equal(names, want) || seqs != "1 2 3 4 " || kms != "alias/audit" || s.Name() != "archive" {
		t.Errorf("objects %v with %s, key %q", names, seqs, kms)
	}
}

// TestLargeBatch is put in several objects, and an event that no JSON object is does not stop the others.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC)
	f := newFake(t, now)
	s, err := Open(Config{Bucket: "audit", Region: "eu-central-1", Endpoint: f.URL, PathStyle: true, AccessKeyID: "A", SecretAccessKey: secret, Clock: clocktest.At(now)})
	if err != nil {
		t.Fatal(err)
	}
	s.(*bucket).most = 16 << 10
	batch := events(1, 100, 200)
	batch[6].JSON = []byte("[]")
	var refused *audit.Refused
	if err := s.Write(t.Context(), batch); !errors.As(err, &refused) || !slices.Equal(refused.Seqs, []int64{7}) {
		t.Fatal(err)
	}
	want := ""
	for _, e := range batch {
		if e.Seq != 7 {
			want += fmt.Sprint(e.Seq, " ")
		}
	}
	if names, seqs := f.seqs(t); len(names) != 2 || seqs != want {
		t.Errorf("%v with %s", names, seqs)
	}
}

// TestRefusals: what the bucket says is told.
func TestRefusals(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC)
	f := newFake(t, now.Add(time.Hour))
	s, err := Open(Config{Bucket: "audit", Region: "eu-central-1", Endpoint: f.URL, PathStyle: true, AccessKeyID: "A", SecretAccessKey: secret, Clock: clocktest.At(now)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), events(1, 1, 1)); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
		t.Errorf("skewed: %v", err)
	}
	f.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", "http://192.0.2.1/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
		fmt.Fprint(w, "<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message><Region>eu-west-1</Region></Error>")
		return true
	}
	if err := s.Write(t.Context(), events(1, 1, 1)); err == nil || !strings.Contains(err.Error(), "its region is eu-west-1") {
		t.Errorf("redirected: %v", err)
	}
	if len(f.objects) != 0 {
		t.Error(f.objects)
	}
}

// TestChain: without a key the SDK's chain is asked.
func TestChain(t *testing.T) {
	now := time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC)
	f := newFake(t, now)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIACHAIN")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s, err := Open(Config{Bucket: "audit", Region: "eu-central-1", Endpoint: f.URL, PathStyle: true, Clock: clocktest.At(now)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), events(1, 1, 1)); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Bucket: "audit", Region: "eu-central-1", AccessKeyID: "A", SecretAccessKey: "s"}
	for _, test := range []struct {
		change func(*Config)
		base   string // or a part of the error
	}{
		{func(*Config) {}, "https://audit.s3.eu-central-1.amazonaws.com/"},
		{func(c *Config) { c.Region = "cn-north-1" }, "https://audit.s3.cn-north-1.amazonaws.com.cn/"},
		{func(c *Config) { c.PathStyle = true }, "https://s3.eu-central-1.amazonaws.com/audit/"},
		{func(c *Config) { c.Bucket = "audit.example.com" }, "https://s3.eu-central-1.amazonaws.com/audit.example.com/"},
		{func(c *Config) { c.Endpoint = "https://minio.example.com:9000/" }, "https://audit.minio.example.com:9000/"},
		{func(c *Config) { c.Endpoint, c.PathStyle = "http://localhost", true }, "http://localhost/audit/"},
		{func(c *Config) { c.Endpoint = "http://minio.example.com" }, "Without TLS"},
		{func(c *Config) { c.Endpoint = "minio.example.com:9000" }, "is not a URL"},
		{func(c *Config) { c.Endpoint = "https://minio.example.com/audit" }, "is not a URL"},
		{func(c *Config) { c.Bucket = "Audit" }, "no name of a bucket"},
		{func(c *Config) { c.Region = "" }, "region is needed"},
		{func(c *Config) { c.Prefix = "a//b" }, "prefix"},
		{func(c *Config) { c.SecretAccessKey = "" }, "together"},
		{func(c *Config) { c.Format = "cef" }, "JSON lines"},
		{func(c *Config) { c.Format = "leef" }, "no event format"},
		{func(c *Config) { c.TLS.CA = "x" }, "PEM"},
	} {
		c := good
		test.change(&c)
		s, err := Open(c)
		switch {
		case err != nil && !strings.Contains(err.Error(), test.base):
			t.Errorf("%+v: %v, want %s", c, err, test.base)
		case err == nil && s.(*bucket).base != test.base:
			t.Errorf("%+v: %s, want %s", c, s.(*bucket).base, test.base)
		}
	}
}
