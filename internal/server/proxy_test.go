package server

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/config"
	"sallyport/internal/doctor"
)

const publicURL = "https://id.example.org"

// newEdge is the outermost handler over one that says whom a request is from.
func newEdge(t *testing.T, change func(*config.Config)) *edge {
	t.Helper()
	c := &config.Config{Data: "/d", URL: publicURL}
	change(c)
	if err := c.Complete(); err != nil {
		t.Fatal(err)
	}
	return &edge{
		url: c.URL, https: c.HTTPS(), proxies: c.Proxies(),
		serves: func(r *http.Request) bool { return r.URL.Path == "/assignment/accounts" },
		next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range forwardingHeaders {
				if r.Header.Get(name) != "" {
					t.Errorf("%s went through", name)
				}
			}
			host, err := netip.ParseAddrPort(r.RemoteAddr)
			if err != nil {
				t.Errorf("RemoteAddr %q: %v", r.RemoteAddr, err)
			}
			_, _ = w.Write([]byte(host.Addr().String()))
		}),
	}
}

// ask sends a request from peer with headers given as "Name: value".
func ask(e *edge, method, target, peer string, overTLS bool, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr, r.TLS = peer, nil
	if overTLS {
		r.TLS = &tls.ConnectionState{}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b := make([]byte, 4096)
	n, _ := res.Body.Read(b)
	return strings.TrimSpace(string(b[:n]))
}

func behindProxy(c *config.Config) {
	c.Listen, c.TrustedProxies = ":8080", []string{"10.0.0.0/8", "fd00::/8", "fe80::/64"}
}

func ownTLS(c *config.Config) { c.Listen, c.TLSCert, c.TLSKey = ":443", "c", "k" }

func both(c *config.Config) {
	ownTLS(c)
	c.TrustedProxies = []string{"10.0.0.0/8"}
}

// TestWhoAsks: the client's address is the connection's, unless a trusted proxy says otherwise.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	const https = "X-Forwarded-Proto: https"
	for name, test := range map[string]struct {
		config  func(*config.Config)
		peer    string
		tls     bool
		headers []string
		want    string
	}{
		"direct":                {ownTLS, "203.0.113.9:5", true, nil, "203.0.113.9"},
		"spoofed":               {ownTLS, "203.0.113.9:5", true, []string{"X-Forwarded-For: 198.51.100.1", "Forwarded: for=198.51.100.2", "X-Real-Ip: 198.51.100.3"}, "203.0.113.9"},
		"spoofed by loopback":   {ownTLS, "127.0.0.1:5", true, []string{"X-Forwarded-For: 198.51.100.1"}, "127.0.0.1"},
		"past the proxy":        {both, "203.0.113.9:5", true, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http"}, "203.0.113.9"},
		"proxy with TLS":        {both, "10.0.0.1:5", true, []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1"},
		"proxy":                 {behindProxy, "10.0.0.1:5", false, []string{"X-Forwarded-For: 198.51.100.1", https}, "198.51.100.1"},
		"two headers":           {behindProxy, "10.0.0.1:5", false, []string{"X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 198.51.100.1, 10.0.0.2", https}, "198.51.100.1"},
		"IPv6":                  {behindProxy, "[fd00::1]:5", false, []string{"X-Forwarded-For: 2001:db8::7", https}, "2001:db8::7"},
		"IPv6 with a zone":      {behindProxy, "[fe80::1%eth0]:5", false, []string{"X-Forwarded-For: fe80:1::7%eth1", https}, "fe80:1::7"},
		"mapped peer":           {behindProxy, "[::ffff:10.0.0.1]:5", false, []string{"X-Forwarded-For: ::ffff:198.51.100.1", https}, "198.51.100.1"},
		"Forwarded is not read": {behindProxy, "10.0.0.1:5", false, []string{"Forwarded: for=198.51.100.1;proto=https", https}, "10.0.0.1"},
		"local proxy":           {func(*config.Config) {}, "127.0.0.1:5", false, []string{"X-Forwarded-For: 198.51.100.1", https}, "198.51.100.1"},
		"this machine, http":    {func(c *config.Config) { c.URL = "http://localhost:8080" }, "127.0.0.1:5", false, []string{"X-Forwarded-For: 198.51.100.1"}, "127.0.0.1"},
	} {
		res := ask(newEdge(t, test.config), http.MethodGet, publicURL+"/portal", test.peer, test.tls, test.headers...)
		if got := bodyOf(t, res); res.StatusCode != http.StatusOK || got != test.want {
			t.Errorf("%s: %d %s, want %s", name, res.StatusCode, got, test.want)
		}
	}
}

// TestInTheClear: where the URL is https, what came in the clear goes no further than a redirect.
func TestInTheClear(t *testing.T) {
	t.Parallel()
	const from = "X-Forwarded-For: 198.51.100.1"
	for name, test := range map[string]struct {
		config  func(*config.Config)
		method  string
		target  string
		peer    string
		headers []string
		status  int
		want    string // part of the body, or of the Location
	}{
		"a stranger":           {behindProxy, "GET", publicURL + "/portal", "203.0.113.9:5", []string{"X-Forwarded-Proto: https", "X-Forwarded-For: 10.0.0.1"}, 403, "203.0.113.9 is none of them"},
		"a stranger's probe":   {behindProxy, "GET", publicURL + doctor.ProbePath, "203.0.113.9:5", nil, 403, "trusted_proxies"},
		"no address":           {behindProxy, "GET", publicURL + "/portal", "@", nil, 403, "none of them"},
		"this machine":         {behindProxy, "GET", publicURL + "/portal", "127.0.0.1:5", nil, 403, "127.0.0.1"},
		"a page":               {behindProxy, "GET", publicURL + "/portal?x=%2F", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 302, publicURL + "/portal?x=%2F"},
		"a page elsewhere":     {behindProxy, "HEAD", "http://evil.example/start", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 302, publicURL + "/start"},
		"two slashes":          {behindProxy, "GET", publicURL + "//evil.example", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 302, publicURL + "//evil.example"},
		"an API":               {behindProxy, "GET", publicURL + "/assignment/accounts", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 403, "plain HTTP"},
		"a form":               {behindProxy, "POST", publicURL + "/signin/password", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 403, "plain HTTP"},
		"first hop":            {behindProxy, "POST", publicURL + "/signin/password", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http, https"}, 403, "plain HTTP"},
		"one of two":           {behindProxy, "POST", publicURL + "/", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"}, 403, "plain HTTP"},
		"TLS behind":           {both, "POST", publicURL + "/", "10.0.0.1:5", []string{from, "X-Forwarded-Proto: http"}, 403, "plain HTTP"},
		"nothing said":         {behindProxy, "GET", publicURL + "/portal", "10.0.0.1:5", []string{from}, 403, "must set X-Forwarded-Proto"},
		"nothing at all":       {behindProxy, "GET", publicURL + "/portal", "10.0.0.1:5", nil, 403, "must set X-Forwarded-Proto"},
		"nothing, local proxy": {func(*config.Config) {}, "GET", publicURL + "/portal", "127.0.0.1:5", nil, 403, "must set X-Forwarded-Proto"},
		"metrics":              {ownTLS, "GET", publicURL + "/metrics", "203.0.113.9:5", nil, 403, "Metrics"},

		"by itself":       {func(*config.Config) {}, "GET", "http://127.0.0.1:443/portal", "127.0.0.1:5", nil, 200, "127.0.0.1"},
		"by itself, IPv6": {func(*config.Config) {}, "GET", "http://[::1]:443/portal", "[::1]:5", nil, 200, "::1"},
		"health":          {behindProxy, "GET", "http://10.0.0.9/readyz", "192.168.0.1:5", nil, 200, "192.168.0.1"},
		"health, proxy":   {behindProxy, "HEAD", "http://10.0.0.9/healthz", "10.0.0.1:5", nil, 200, ""},
		"metrics, proxy":  {behindProxy, "GET", "http://10.0.0.9/metrics", "10.0.0.1:5", nil, 200, "10.0.0.1"},
	} {
		r := test
		overTLS := name == "TLS behind" || name == "metrics"
		res := ask(newEdge(t, r.config), r.method, r.target, r.peer, overTLS, r.headers...)
		if got := bodyOf(t, res) + res.Header.Get("Location"); res.StatusCode != r.status || !strings.Contains(got, r.want) {
			t.Errorf("%s: %d %s, want %d %s", name, res.StatusCode, got, r.status, r.want)
		}
		if res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: Strict-Transport-Security over plain HTTP", name)
		}
	}
}

func TestStrictTransportSecurity(t *testing.T) {
	t.Parallel()
	for name, res := range map[string]*http.Response{
		"TLS":   ask(newEdge(t, ownTLS), http.MethodGet, publicURL+"/portal", "203.0.113.9:5", true),
		"proxy": ask(newEdge(t, behindProxy), http.MethodGet, publicURL+"/portal", "10.0.0.1:5", false, "X-Forwarded-Proto: https"),
	} {
		if got := res.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestProbeTellsWhatArrived(t *testing.T) {
	t.Parallel()
	res := ask(newEdge(t, behindProxy), http.MethodGet, "http://upstream"+doctor.ProbePath+"/a%2Fb?x=+", "10.0.0.1:5", false,
		"X-Forwarded-For: 198.51.100.1", "X-Amz-Target: secret", "X-Amz-Sso_bearer_token: secret", "Cookie: secret")
	var got doctor.Probe
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got.Headers)
	got.URI = strings.TrimPrefix(got.URI, "http://upstream") // httptest keeps the absolute form
	want := doctor.Probe{
		Host: "upstream", Client: "198.51.100.1", Proxied: true, URI: doctor.ProbePath + "/a%2Fb?x=+",
		Headers: []string{"X-Amz-Sso_bearer_token", "X-Amz-Target"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	long := ask(newEdge(t, ownTLS), http.MethodGet, publicURL+doctor.ProbePath+"?"+strings.Repeat("x", 5000), "203.0.113.9:5", true)
	if n := len(bodyOf(t, long)); n > 1000 {
		t.Errorf("a probe repeats %d bytes", n)
	}
	other := ask(newEdge(t, ownTLS), http.MethodGet, publicURL+doctor.ProbePath+"x", "203.0.113.9:5", true)
	if got := bodyOf(t, other); got != "203.0.113.9" {
		t.Errorf("another path was taken for a probe: %s", got)
	}
}
