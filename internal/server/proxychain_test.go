package server

import (
	"net/netip"
	"strings"
	"testing"
)

var trustedNets = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func trustedNet(a netip.Addr) bool {
	e := edge{proxies: trustedNets}
	return e.trusts(a)
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	const peer = "10.0.0.1"
	for _, test := range []struct {
		name  string
		chain []string
		want  string
	}{
		{"none", nil, peer},
		{"one", []string{"203.0.113.9"}, "203.0.113.9"},
		{"white space", []string{" \t203.0.113.9\t "}, "203.0.113.9"},
		{"chain of trusted", []string{"203.0.113.9, 10.0.0.3,10.0.0.2"}, "203.0.113.9"},
		{"stops at the first stranger", []string{"198.51.100.1, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"a trusted name left of a stranger", []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		{"all trusted", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"over several headers", []string{"198.51.100.1", "203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"IPv6", []string{"2001:db8::1, fd00::2"}, "2001:db8::1"},
		{"IPv6 in brackets", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"ports", []string{"203.0.113.9:4711, [fd00::2]:80"}, "203.0.113.9"},
		{"zone", []string{"fe80::1%eth0"}, "fe80::1"},
		{"mapped", []string{"::ffff:203.0.113.9, ::ffff:10.0.0.2"}, "203.0.113.9"},
		{"garbage nearest", []string{"203.0.113.9, unknown"}, peer},
		{"garbage behind a trusted one", []string{"203.0.113.9, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"empty", []string{""}, peer},
		{"empty entries", []string{"203.0.113.9,,"}, peer},
		{"unspecified", []string{"0.0.0.0"}, peer},
		{"brackets around IPv4", []string{"[203.0.113.9]"}, peer},
		{"quotes", []string{`"203.0.113.9"`}, peer},
		{"a name", []string{"client.example.org"}, peer},
		{"leading zeros", []string{"203.000.113.009"}, peer},
		{"a long entry", []string{"fe80::1%" + strings.Repeat("x", maxEntry)}, peer},
		{"too many hops", []string{"203.0.113.9" + strings.Repeat(", 10.0.0.2", maxHops)}, "10.0.0.2"},
		{"as many hops as go", []string{"203.0.113.9" + strings.Repeat(", 10.0.0.2", maxHops-1)}, "203.0.113.9"},
	} {
		if got := origin(netip.MustParseAddr(peer), test.chain, trustedNet); got != netip.MustParseAddr(test.want) {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestForwardedScheme(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []string
		want   string
	}{
		{nil, ""},
		{[]string{"https"}, "https"},
		{[]string{"HTTPS , https"}, "https"},
		{[]string{"https", "https"}, "https"},
		{[]string{"https,http"}, "http"},
		{[]string{"http", "https"}, "http"},
		{[]string{""}, "http"},
		{[]string{"https,"}, "http"},
		{[]string{"wss"}, "http"},
		{[]string{strings.Repeat("https,", 1000) + "https"}, "http"},
	} {
		if got := forwardedScheme(test.values); got != test.want {
			t.Errorf("%.40q: %q, want %q", test.values, got, test.want)
		}
	}
}

// FuzzOrigin: whatever stands in the header, the client is an address, never a trusted one's invention, and what a stranger
// writes left of its own address changes nothing.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{
		"203.0.113.9, 10.0.0.2", "[2001:db8::1]:443", "::ffff:10.0.0.1", "fe80::1%eth0", "unknown", ",,,", "\x00", "[", "]", "[::1", "1.2.3.4:99999",
		strings.Repeat("10.0.0.1,", 40), strings.Repeat("f", 300),
	} {
		f.Add(seed, "https")
	}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, header, proto string) {
		got := origin(peer, []string{header}, trustedNet)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q: %v", header, got)
		}
		if _, err := netip.ParseAddrPort(netip.AddrPortFrom(got, 0).String()); err != nil {
			t.Fatalf("%q: %v", header, err)
		}
		const stranger = "203.0.113.9"
		if got := origin(peer, []string{header + "," + stranger}, trustedNet); got.String() != stranger {
			t.Fatalf("a stranger with %q is %v", header, got)
		}
		if forwardedScheme([]string{proto, "http"}) != "http" {
			t.Fatalf("%q hides http", proto)
		}
	})
}
