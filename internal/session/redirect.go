package session

import (
	"net/url"
	"strconv"
	"strings"
)

// loopback is a redirect URI to a loopback address, without its port.
type loopback struct{ host, path string }

// parseLoopback reads a redirect URI. Only loopback literals are taken (case S27): RFC 8252 §7.3 lets their port vary,
// and §8.3 advises against the name localhost, which may resolve to another machine.
func parseLoopback(s string) (loopback, bool) {
	// A URI is ASCII (RFC 3986 §2), and this one has no fragment (RFC 6749 §3.1.2).
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }
	if len(s) > 512 || strings.ContainsFunc(s, odd) {
		return loopback{}, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery {
		return loopback{}, false
	}
	host, port := u.Host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return loopback{}, false
		}
	}
	if host != "127.0.0.1" && host != "[::1]" {
		return loopback{}, false
	}
	return loopback{host, u.EscapedPath()}, true
}

// matchesRedirect says whether uri is one of those registered, whatever its port.
func matchesRedirect(registered []string, uri string) bool {
	want, ok := parseLoopback(uri)
	if !ok {
		return false
	}
	for _, r := range registered {
		if have, ok := parseLoopback(r); ok && have == want {
			return true
		}
	}
	return false
}
