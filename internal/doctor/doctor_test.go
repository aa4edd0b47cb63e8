package doctor

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock/clocktest"
)

var today = time.Unix(1_800_000_000, 0)

const startURL = "https://d-1234567890.awsapps.com/start"

// fake answers as a server does, or, with some of it spoiled, as one behind a bad proxy.
type fake struct {
	endpoint, start string
	date            time.Time
	probe           func(*Probe)
	broken          string // a path that is answered by somebody else
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Date"] = nil
	if !f.date.IsZero() {
		w.Header().Set("Date", f.date.UTC().Format(http.TimeFormat))
	}
	switch {
	case f.broken != "" && strings.HasPrefix(r.URL.Path, f.broken):
		http.Error(w, "Bad\n Gateway", http.StatusBadGateway)
	case r.URL.Path == "/.well-known/sallyport":
		fmt.Fprintf(w, `{"endpoint":%q,"start_url":%q,"region":"local-1"}`, f.endpoint, f.start)
	case strings.HasPrefix(r.URL.Path, ProbePath):
		p := Probe{Host: r.Host, Scheme: "https", Client: "192.0.2.1", URI: r.RequestURI}
		for _, name := range ProbeHeaders {
			if r.Header.Get(name) != "" {
				p.Headers = append(p.Headers, name)
			}
		}
		f.probe(&p)
		_ = json.NewEncoder(w).Encode(p)
	case r.URL.Path == "/assignment/accounts":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Session token not found or invalid"}`)
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>MissingAuthenticationToken</Code></Error></ErrorResponse>`)
	case r.Method == http.MethodHead && r.URL.Path == "/start":
		http.Redirect(w, r, f.start, http.StatusFound)
	}
}

// patient is a fake server and a doctor for it, which finds nothing to say.
func patient(t *testing.T) (*fake, *Doctor) {
	t.Helper()
	f := &fake{start: startURL, date: today, probe: func(*Probe) {}}
	srv := httptest.NewUnstartedServer(f)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that end at once
	srv.StartTLS()
	t.Cleanup(srv.Close)
	f.endpoint = srv.URL
	u, err := ParseURL(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	env := map[string]string{"AWS_ENDPOINT_URL_STS": srv.URL + "/", "AWS_CA_BUNDLE": "f"}
	return f, &Doctor{
		URL: u, Roots: roots, Clock: clocktest.At(today), Services: []string{"STS"},
		Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
}

// found is what a doctor has to say: the checks that are not OK, as "name result: text → todo".
func found(t *testing.T, d *Doctor) string {
	t.Helper()
	checks := d.Run(t.Context())
	var lines []string
	for _, c := range checks {
		if (c.Result == OK) != (c.Todo == "") {
			t.Errorf("%s is %s, and says to do %q", c.Name, c.Result, c.Todo)
		}
		if c.Result != OK {
			lines = append(lines, fmt.Sprintf("%s %s: %s → %s", c.Name, c.Result, c.Text, c.Todo))
		}
	}
	return strings.Join(lines, "\n")
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	_, d := patient(t)
	if got := found(t, d); got != "" {
		t.Error(got)
	}
	var names []string
	for _, c := range d.checks {
		names = append(names, c.Name)
	}
	want := []string{"dns", "connect", "tls", "server", "clock", "host", "headers", "path", "scheme", "client", "portal-api", "signed-api", "start-url", "environment"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// TestFindings spoils one thing at a time: the doctor must find that, and nothing else.
func TestFindings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(*fake, *Doctor)
		want  string // how the only finding begins
	}{
		"unknown authority": {func(_ *fake, d *Doctor) { d.Roots = nil }, "tls bad: The certificate's authority"},
		"expired": {func(f *fake, d *Doctor) {
			f.date = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
			d.Clock = clocktest.At(f.date)
		}, "tls bad: The certificate has expired on 2084-01-29."},
		"ends soon": {func(f *fake, d *Doctor) {
			f.date = time.Date(2084, 1, 20, 0, 0, 0, 0, time.UTC)
			d.Clock = clocktest.At(f.date)
		}, "tls warn: TLS 1.3, and the certificate ends on 2084-01-29"},
		"not yet": {func(f *fake, d *Doctor) {
			f.date = time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)
			d.Clock = clocktest.At(f.date)
		}, "tls bad: The certificate is valid from 1970-01-01"},
		"other name": {func(f *fake, d *Doctor) {
			d.URL.Host = "localhost:" + d.URL.Port()
			f.endpoint = d.URL.String()
			d.Lookup = func(name string) (string, bool) {
				return map[string]string{"AWS_ENDPOINT_URL_STS": f.endpoint, "AWS_CA_BUNDLE": "f"}[name], true
			}
		}, "tls bad: The certificate is for other names"},

		"other URL":    {func(f *fake, _ *Doctor) { f.endpoint = "https://id.example.org" }, "server bad: The server's URL is https://id.example.org"},
		"slow clock":   {func(f *fake, _ *Doctor) { f.date = today.Add(-2 * time.Minute) }, "clock warn: This machine's clock and the server's differ by 2m0s"},
		"wrong clock":  {func(f *fake, _ *Doctor) { f.date = today.Add(6 * time.Minute) }, "clock bad: "},
		"no clock":     {func(f *fake, _ *Doctor) { f.date = time.Time{} }, "clock warn: The answer has no Date"},
		"host":         {func(f *fake, _ *Doctor) { f.probe = func(p *Probe) { p.Host = "upstream" } }, `host bad: The header Host arrives as "upstream"`},
		"header":       {func(f *fake, _ *Doctor) { f.probe = func(p *Probe) { p.Headers = p.Headers[1:] } }, "headers bad: Lost on the way: x-amz-sso_bearer_token."},
		"path":         {func(f *fake, _ *Doctor) { f.probe = func(p *Probe) { p.URI = ProbePath + "/a/b/c?x=%2B+%20" } }, "path bad: "},
		"no scheme":    {func(f *fake, _ *Doctor) { f.probe = func(p *Probe) { p.Scheme = "" } }, "scheme bad: The proxy does not say"},
		"other scheme": {func(f *fake, _ *Doctor) { f.probe = func(p *Probe) { p.Scheme = "http" } }, "scheme bad: The server is told that it was asked by http"},
		"older server": {func(f *fake, _ *Doctor) { f.broken = ProbePath }, "probe bad: What a proxy changes cannot be found out: 502 Bad Gateway Bad Gateway"},
		"portal API":   {func(f *fake, _ *Doctor) { f.broken = "/assignment" }, "portal-api bad: "},
		"start URL":    {func(f *fake, _ *Doctor) { f.broken = "/start" }, "start-url bad: HEAD on /start"},
		"elsewhere":    {func(f *fake, _ *Doctor) { f.start = "https://id.example.org/start" }, "start-url bad: HEAD on /start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, d := patient(t)
			test.spoil(f, d)
			if got := found(t, d); !strings.HasPrefix(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("found\n%s\nwant only %s", got, test.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing set":     {map[string]string{}, []string{"to AWS itself", "AWS_CA_BUNDLE"}},
		"elsewhere":       {map[string]string{"AWS_ENDPOINT_URL_STS": "https://other.example.org", "AWS_CA_BUNDLE": "f"}, []string{"elsewhere: AWS_ENDPOINT_URL_STS=https://other"}},
		"everything here": {map[string]string{"AWS_ENDPOINT_URL": "SELF", "AWS_CA_BUNDLE": "f"}, []string{"S3 and all others"}},
		"everything away": {map[string]string{"AWS_ENDPOINT_URL": "https://other.example.org", "AWS_CA_BUNDLE": "f"}, []string{"sends to https://other.example.org"}},
		"ignored":         {map[string]string{"AWS_ENDPOINT_URL_STS": "SELF", "AWS_CA_BUNDLE": "f", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, []string{"ignore endpoints"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, d := patient(t)
			d.Lookup = func(name string) (string, bool) {
				v, ok := test.env[name]
				return strings.Replace(v, "SELF", f.endpoint, 1), ok
			}
			got := strings.Split(found(t, d), "\n")
			if len(got) != len(test.want) {
				t.Fatalf("found %q, want %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(got[i], "environment warn: ") || !strings.Contains(got[i], want) {
					t.Errorf("found %q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestUnreachable: without a connection there is nothing more to say of the server.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for target, want := range map[string]string{
		"https://" + l.Addr().String():                       "connect bad: Nobody answers",
		"https://sallyport.invalid":                          "dns bad: The name sallyport.invalid has no address",
		strings.Replace(plain.URL, "http://", "https://", 1): "tls bad: There is no TLS",
		plain.URL: "server bad: The answer is not a Sallyport server's: 404 Not Found",
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		d := &Doctor{URL: u, Clock: clocktest.At(today), Lookup: func(string) (string, bool) { return "", false }}
		if got := found(t, d); !strings.HasPrefix(got, want) {
			t.Errorf("%s: found\n%s\nwant %s", target, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "id.example.org", "ftp://id.example.org", "https://", "https://:1", "https://id.example.org/portal", "https://u@id.example.org"} {
		if u, err := ParseURL(text); err == nil {
			t.Errorf("%q is %v", text, u)
		}
	}
	if u, err := ParseURL("https://id.example.org/"); err != nil || u.String() != "https://id.example.org" {
		t.Errorf("%v, %v", u, err)
	}
}
