package config

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWaysToServe: off loopback people reach the server by TLS, its own or a named proxy's, or not at all.
func TestWaysToServe(t *testing.T) {
	t.Parallel()
	const public, local, all = "https://id.example.org", "http://localhost:8080", "0.0.0.0:443"
	files := Config{URL: public, TLSCert: "c", TLSKey: "k"}
	with := func(c Config, change func(*Config)) Config { change(&c); return c }
	for name, test := range map[string]struct {
		config Config
		want   string // part of the refusal; empty: accepted
	}{
		"files":               {with(files, func(c *Config) { c.Listen = all }), ""},
		"files and a proxy":   {with(files, func(c *Config) { c.Listen, c.TrustedProxies = all, []string{"10.0.0.1"} }), ""},
		"files and redirects": {with(files, func(c *Config) { c.Listen, c.HTTPListen = all, ":80" }), ""},
		"acme":                {Config{URL: public, Listen: all, ACME: true, ACMEEmail: "a@example.org", ACMEDirectory: "https://ca.example.org/d"}, ""},
		"proxy":               {Config{URL: public, Listen: ":8080", TrustedProxies: []string{"10.0.0.0/8", "fd00::/8", "192.0.2.1"}}, ""},
		"proxy here":          {Config{URL: public}, ""},
		"this machine":        {Config{URL: local}, ""},
		"this machine, IPv6":  {Config{URL: "http://[::1]:8080"}, ""},

		"nothing":             {Config{URL: public, Listen: all}, "needs TLS"},
		"nothing, by name":    {Config{URL: public, Listen: "id.example.org:443"}, "needs TLS"},
		"plain URL":           {Config{URL: "http://id.example.org"}, "plain HTTP"},
		"plain URL, proxy":    {Config{URL: "http://id.example.org", TrustedProxies: []string{"10.0.0.1"}}, "plain HTTP"},
		"plain local, open":   {Config{URL: local, Listen: all}, "needs TLS"},
		"no host":             {Config{URL: "https://:443"}, "will not do"},
		"no key":              {Config{URL: public, TLSCert: "c"}, "needs its key"},
		"no certificate":      {Config{URL: public, TLSKey: "k"}, "needs its key"},
		"both":                {with(files, func(c *Config) { c.ACME = true }), "not both"},
		"TLS for plain":       {Config{URL: local, TLSCert: "c", TLSKey: "k"}, "is not https"},
		"proxy for plain":     {Config{URL: local, TrustedProxies: []string{"10.0.0.1"}}, "is not https"},
		"acme off":            {Config{URL: public, ACMEEmail: "a@example.org"}, "--acme"},
		"acme address":        {Config{URL: "https://192.0.2.1", ACME: true}, "public names"},
		"acme localhost":      {Config{URL: "https://localhost", ACME: true}, "public names"},
		"acme plain":          {Config{URL: public, ACME: true, ACMEDirectory: "http://ca.example.org"}, "https:// URL"},
		"acme e-mail":         {Config{URL: public, ACME: true, ACMEEmail: "nobody"}, "e-mail"},
		"redirects to what":   {Config{URL: public, HTTPListen: ":80"}, "only leads to TLS"},
		"redirects where":     {with(files, func(c *Config) { c.HTTPListen = "80" }), "host:port"},
		"everybody":           {Config{URL: public, TrustedProxies: []string{"0.0.0.0/0"}}, "everybody"},
		"everybody, IPv6":     {Config{URL: public, TrustedProxies: []string{"::/0"}}, "everybody"},
		"mapped":              {Config{URL: public, TrustedProxies: []string{"::ffff:10.0.0.0/104"}}, "IPv4"},
		"a name":              {Config{URL: public, TrustedProxies: []string{"proxy.example.org"}}, "address or a network"},
		"a zone in a network": {Config{URL: public, TrustedProxies: []string{"fe80::1%eth0/64"}}, "address or a network"},
		"too many":            {Config{URL: public, TrustedProxies: make([]string, maxProxies+1)}, "more than"},
	} {
		c := test.config
		c.Data = "/d"
		err := c.Complete()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestProxies(t *testing.T) {
	t.Parallel()
	const public = "https://id.example.org"
	for name, test := range map[string]struct {
		config Config
		want   []string
	}{
		"a proxy here":             {Config{URL: public}, []string{"127.0.0.0/8", "::1/128"}},
		"only the one named":       {Config{URL: public, TrustedProxies: []string{"127.0.0.1"}}, []string{"127.0.0.1/32"}},
		"names and networks":       {Config{URL: public, TrustedProxies: []string{"10.1.2.3/8", "fd00::1", "::ffff:192.0.2.1"}}, []string{"10.0.0.0/8", "fd00::1/128", "192.0.2.1/32"}},
		"TLS of our own":           {Config{URL: public, TLSCert: "c", TLSKey: "k"}, nil},
		"nothing in front":         {Config{URL: "http://localhost:1"}, nil},
		"a link's zone is dropped": {Config{URL: public, TrustedProxies: []string{"fe80::1%eth0"}}, []string{"fe80::1/128"}},
	} {
		c := test.config
		c.Data = "/d"
		if err := c.Complete(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var want []netip.Prefix
		for _, p := range test.want {
			want = append(want, netip.MustParsePrefix(p))
		}
		if d := cmp.Diff(want, c.Proxies(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}
