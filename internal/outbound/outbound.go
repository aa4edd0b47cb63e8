// Package outbound has what all share that call servers elsewhere, whose addresses operators have given: over TLS but to this machine, without
// following redirects, and with errors that are fit to be shown.
package outbound

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sallyport/internal/config"
	"sallyport/internal/fault"
)

const (
	maxURL  = 2048 // bytes
	maxText = 300  // runes
)

// CheckURL wants TLS, but for a server on this machine.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || len(raw) > maxURL:
		return fault.Invalidf("%.100q is not an address such as https://id.example.org/path.", raw)
	case u.Scheme == "https", u.Scheme == "http" && config.Loopback(u.Hostname()):
		return nil
	}
	return fault.Invalidf("The address %.100q will not do: it must be https, or http to this machine.", raw)
}

// Roots are the certificates of authorities in PEM; nil for "", which means those that the system trusts.
func Roots(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, fault.Invalidf("There is no certificate in the file of certificate authorities: expected PEM, -----BEGIN CERTIFICATE-----.")
	}
	return pool, nil
}

// Transport sends requests. Without TLS, only to this machine, whatever its name resolves to. roots may be nil.
func Transport(roots *x509.CertPool) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	t.MaxIdleConnsPerHost = 8
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	plain := t.Clone()
	plain.Proxy = nil
	plain.DialContext = here(t.DialContext)
	return &byScheme{secure: t, plain: plain}
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// here connects to this machine alone.
func here(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if far, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !far.IP.IsLoopback() {
			_ = c.Close()
			return nil, errors.New("without TLS the server must be on this machine")
		}
		return c, nil
	}
}

// byScheme chooses by scheme.
type byScheme struct{ secure, plain *http.Transport }

func (n *byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return n.secure.RoundTrip(r)
	}
	return n.plain.RoundTrip(r)
}

// CloseIdleConnections closes what nobody uses.
func (n *byScheme) CloseIdleConnections() {
	n.secure.CloseIdleConnections()
	n.plain.CloseIdleConnections()
}

// NoRedirects is for an [http.Client] that gives redirects back as answers.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Why is an error of the way to a server, without what nobody is to read: the URL, which may hold a secret.
func Why(err error, limit time.Duration, secrets ...string) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it did not answer within " + limit.String()
	}
	return OneLine(err.Error(), secrets...)
}

// OneLine is a text of somebody else's for people to read: short, in one line, and without our secrets.
func OneLine(s string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if all := []rune(s); len(all) > maxText {
		s = string(all[:maxText]) + "…"
	}
	return s
}

// RetryAfter is the header of that name (RFC 9110 §10.2.3): seconds, or a date; at most so long, and 0 where it says nothing.
func RetryAfter(text string, now time.Time, most time.Duration) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return max(0, min(d, most))
}

// BackOff is how long to wait after n failures in a row: doubled each time, and spread, so that many do not come back together.
func BackOff(n int, first, most time.Duration) time.Duration {
	d := most
	if n >= 1 && n <= 20 {
		d = min(first<<(n-1), most)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return d/2 + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(d/2+1))
}
