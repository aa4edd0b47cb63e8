package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// Result is how a check came out.
type Result string

// The results. A warning is something that works now, or that only some clients meet.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Bad  Result = "bad"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"check"`
	Result Result `json:"result"`
	Text   string `json:"text"`           // what was found
	Todo   string `json:"todo,omitempty"` // what to do about it
}

// Doctor examines one server. Its fields are set before Run.
type Doctor struct {
	URL      *url.URL       // as clients know it, without a path
	Roots    *x509.CertPool // whom to trust besides the system; nil: nobody
	Clock    clock.Clock
	Lookup   func(name string) (string, bool) // the client's environment
	Services []string                         // as in AWS_ENDPOINT_URL_…

	checks  []Check
	client  *http.Client
	private bool // only Roots vouch for the certificate
}

// patience bounds each question.
const patience = 10 * time.Second

// ParseURL reads the URL to examine.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fault.Invalidf("%q is not a server's URL: expected https://host, without a path.", text)
	}
	u.Path = ""
	return u, nil
}

// Run examines, and tells everything that it looked at. What cannot be found out after something else is left out.
func (d *Doctor) Run(ctx context.Context) []Check {
	d.checks = nil
	transport := &http.Transport{
		// The certificate is judged by its own check; a bad one should not hide what else is wrong, and nothing secret is sent.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	d.client = &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if d.connect(ctx) && d.secure(ctx) {
		d.wire(ctx)
	}
	d.environment()
	return d.checks
}

func (d *Doctor) add(name string, result Result, todo, format string, args ...any) {
	d.checks = append(d.checks, Check{Name: name, Result: result, Todo: todo, Text: fmt.Sprintf(format, args...)})
}

// address is where the URL's server listens.
func (d *Doctor) address() string {
	port := d.URL.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[d.URL.Scheme]
	}
	return net.JoinHostPort(d.URL.Hostname(), port)
}

// maxAddresses bounds how many of a name's addresses are tried.
const maxAddresses = 8

// connect finds the name's addresses and tries each, as clients may.
func (d *Doctor) connect(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, port, _ := net.SplitHostPort(d.address())
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		d.add("dns", Bad, "Add an A or AAAA record for the name, or ask from where it is known.", "The name %s has no address: %v.", host, err)
		return false
	}
	d.add("dns", OK, "", "%s is %s.", host, strings.Join(found, ", "))
	found = found[:min(len(found), maxAddresses)]
	silent := tryAll(ctx, found, port)
	switch {
	case len(silent) == len(found):
		d.add("connect", Bad, "Start the server or its proxy, and look at firewalls and the listen address.", "Nobody answers on port %s: %s.", port, strings.Join(silent, ", "))
		return false
	case len(silent) > 0 && host != "localhost":
		d.add("connect", Warn, "Take the address out of DNS, or listen there too: clients that try it first wait.",
			"Port %s answers, but not at every address of the name: %s.", port, strings.Join(silent, ", "))
	default:
		d.add("connect", OK, "", "Port %s answers.", port)
	}
	return true
}

// tryAll connects to all addresses at once, and tells which do not answer and why.
func tryAll(ctx context.Context, addresses []string, port string) []string {
	errs := make([]error, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(a, port))
			if err == nil {
				conn.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	var silent []string
	for i, err := range errs {
		if err != nil {
			silent = append(silent, fmt.Sprintf("%s (%v)", addresses[i], plain(err)))
		}
	}
	return silent
}
