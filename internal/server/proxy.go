package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"sallyport/internal/config"
)

// forwardingHeaders are what proxies say of those behind them. Only X-Forwarded-For and X-Forwarded-Proto are ever read, here
// and of trusted peers; RFC 7239's Forwarded is not, since a proxy that does not know it passes a client's own on.
var forwardingHeaders = []string{
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
	"X-Real-Ip", "Forwarded",
}

// visit is what the connection and a trusted peer's headers say of a request.
type visit struct {
	peer    netip.Addr // the other end of the connection
	client  netip.Addr // whom the request is from; the peer's own when nobody trusted says otherwise
	trusted bool       // the peer is a trusted proxy
	scheme  string     // as the client speaks it: https, http; empty: the proxy did not say
	direct  bool       // no forwarding header came: the peer speaks for itself
}

// edge is the outermost handler.
type edge struct {
	url     string
	https   bool // the URL's scheme
	proxies []netip.Prefix
	serves  func(*http.Request) bool // an API's request, not a page's
	next    http.Handler
}

// proxied finds out whom a request is from and how it came, once for all handlers: they read r.RemoteAddr, and no forwarding
// header reaches them. Where the URL is https, nothing that came in the clear goes further.
func (s *Server) proxied(next http.Handler) http.Handler {
	return &edge{url: s.cfg.URL, https: s.cfg.HTTPS(), proxies: s.cfg.Proxies(), serves: s.api.Serves, next: next}
}

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := e.visit(r)
	if v.client != v.peer {
		r.RemoteAddr = netip.AddrPortFrom(v.client, 0).String()
	}
	for _, name := range forwardingHeaders {
		delete(r.Header, name)
	}
	switch {
	case e.https && r.TLS == nil && !v.trusted && !health(r):
		e.refuse(w, "This server takes plain HTTP from its proxies only, and "+v.peer.String()+" is none of them (trusted_proxies).")
		return
	case isProbe(r):
		answerProbe(w, r, v)
		return
	case r.URL.Path == "/metrics" && e.https && !v.client.IsLoopback() && !e.trusts(v.client):
		e.refuse(w, "Metrics are for this machine and for trusted addresses.")
		return
	case e.https && v.scheme == "https":
		w.Header().Set("Strict-Transport-Security", "max-age=31536000") // a year (RFC 6797 §6.1)
	case e.https && !e.local(r, v):
		e.clear(w, r, v)
		return
	}
	e.next.ServeHTTP(w, r)
}

// visit reads the connection, and what a trusted peer says.
func (e *edge) visit(r *http.Request) visit {
	v := visit{scheme: "http"}
	if r.TLS != nil {
		v.scheme = "https"
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		v.peer = ap.Addr().Unmap()
	}
	v.client, v.trusted = v.peer, e.trusts(v.peer)
	chain, proto := r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"]
	v.direct = len(chain) == 0 && len(proto) == 0
	if !v.trusted {
		return v
	}
	v.client = origin(v.peer, chain, e.trusts)
	if len(proto) > 0 || r.TLS == nil {
		v.scheme = forwardedScheme(proto)
	}
	return v
}

func (e *edge) trusts(a netip.Addr) bool {
	a = a.WithZone("") // prefixes have none
	for _, p := range e.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// local tells requests that need no TLS, though the URL is https: those of this machine to itself, which no proxy forwards,
// and of whatever looks after the server's health.
func (e *edge) local(r *http.Request, v visit) bool {
	switch {
	case health(r):
		return true
	case !v.direct:
		return false
	}
	host, _, _ := strings.Cut(r.Host, ":")
	if strings.HasPrefix(r.Host, "[") {
		host, _, _ = strings.Cut(r.Host[1:], "]")
	}
	return v.peer.IsLoopback() && config.Loopback(host) || r.URL.Path == "/metrics"
}

// health tells requests that ask nothing but whether the server is up.
func health(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
}

// clear answers what a client sent in the clear, or may have: pages are led to TLS, everything else is refused, so that whoever
// configured it finds out.
func (e *edge) clear(w http.ResponseWriter, r *http.Request, v visit) {
	switch {
	case v.scheme == "":
		e.refuse(w, "The proxy does not say that it was asked by https: it must set X-Forwarded-Proto.")
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && !e.serves(r):
		http.Redirect(w, r, elsewhere(e.url, r.URL), http.StatusFound)
	default:
		e.refuse(w, "This came by plain HTTP, and is not answered.")
	}
}

func (e *edge) refuse(w http.ResponseWriter, why string) {
	http.Error(w, fmt.Sprintf("%s The address of this server is %s.", why, e.url), http.StatusForbidden)
}
