package server

import (
	"net/netip"
	"strings"
)

// Bounds of what is read of forwarding headers. More than that is no chain of proxies that anybody runs.
const (
	maxHops  = 16
	maxEntry = 64 // bytes; an IPv6 address with a port has 47
)

// origin is whom a request is from: X-Forwarded-For's entries are walked from the right, where the nearest proxy has written,
// as long as who wrote them is trusted. The first that is not trusted is the client. What stands left of it, or cannot be
// read, may be anybody's invention and is not believed; then the last address that is known counts.
func origin(peer netip.Addr, chain []string, trusts func(netip.Addr) bool) netip.Addr {
	known := peer
	hops := 0
	for i := len(chain) - 1; i >= 0; i-- {
		for rest, more := chain[i], true; more; hops++ {
			if hops == maxHops {
				return known
			}
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, entry = rest[:comma], rest[comma+1:]
			} else {
				entry, more = rest, false
			}
			a, ok := parseHop(entry)
			if !ok {
				return known
			}
			if known = a; !trusts(a) {
				return known
			}
		}
	}
	return known
}

// parseHop reads an entry of X-Forwarded-For: an address, which some proxies write in brackets or with the port.
// A zone means something on the proxy alone and is dropped.
func parseHop(entry string) (netip.Addr, bool) {
	entry = strings.Trim(entry, " \t")
	if len(entry) > maxEntry {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(entry)
	if err != nil {
		if inner, ok := strings.CutPrefix(entry, "["); ok && strings.HasSuffix(inner, "]") {
			a, err = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
			if err == nil && !a.Is6() {
				return netip.Addr{}, false
			}
		} else {
			var ap netip.AddrPort
			ap, err = netip.ParseAddrPort(entry)
			a = ap.Addr()
		}
	}
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// forwardedScheme is what X-Forwarded-Proto says: https only when all proxies say so; empty when none says anything.
func forwardedScheme(values []string) string {
	scheme := ""
	for _, v := range values {
		if len(v) > maxHops*maxEntry {
			return "http"
		}
		for entry := range strings.SplitSeq(v, ",") {
			if !strings.EqualFold(strings.Trim(entry, " \t"), "https") {
				return "http"
			}
			scheme = "https"
		}
	}
	return scheme
}
