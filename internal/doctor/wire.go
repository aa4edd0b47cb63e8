package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"sallyport/internal/portalclient"
)

// answer is what came back, its body bounded.
type answer struct {
	*http.Response
	body []byte
	sent time.Time // in the middle between question and answer
}

// said is the beginning of the body as one line, for people.
func (a answer) said() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(a.body), "")), " ")
	return a.Status + " " + text[:min(len(text), 200)]
}

const maxAnswer = 64 << 10

// ask sends a request; header has names and values in turn.
func (d *Doctor) ask(ctx context.Context, method, uri, body string, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, d.URL.Scheme+"://"+d.URL.Host+uri, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	before := d.Clock.Now()
	res, err := d.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	a := answer{Response: res, sent: before.Add(d.Clock.Now().Sub(before) / 2)}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return a, err
}

// wire looks at what becomes of requests on their way.
func (d *Doctor) wire(ctx context.Context) {
	a, err := d.ask(ctx, http.MethodGet, "/.well-known/sallyport", "")
	var portal portalclient.Portal
	switch {
	case err != nil:
		d.add("server", Bad, "Look at the log of the server or its proxy.", "There is no answer: %v.", plain(err))
		return
	case a.StatusCode != http.StatusOK || json.Unmarshal(a.body, &portal) != nil || portal.StartURL == "":
		d.add("server", Bad, "See what the answer says, and that the proxy passes all paths on, from the host's root.", "The answer is not a Sallyport server's: %s", a.said())
	case portal.Endpoint != d.URL.Scheme+"://"+d.URL.Host:
		d.add("server", Bad, "Use the server's own URL: cookies, tokens and passkeys are bound to it.", "The server's URL is %s, not this one.", portal.Endpoint)
	default:
		d.add("server", OK, "", "A Sallyport server, and its URL is this one.")
	}
	d.clock(a)
	d.arrived(ctx)
	d.services(ctx)
	d.head(ctx, portal.StartURL)
}

// Differences of clocks. SigV4 allows five minutes; SDKs correct their own, once they have met a refusal.
const (
	clockWarn = time.Minute
	clockBad  = 5 * time.Minute
)

func (d *Doctor) clock(a answer) {
	date, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		d.add("clock", Warn, "The proxy should pass the header Date on: SDKs set their clocks by it.", "The answer has no Date.")
		return
	}
	const todo = "Set both clocks by NTP."
	switch off := a.sent.Sub(date).Abs().Truncate(time.Second); {
	case off > clockBad:
		d.add("clock", Bad, todo, "This machine's clock and the server's differ by %s; signed requests are refused from 5 minutes on.", off)
	case off > clockWarn:
		d.add("clock", Warn, todo, "This machine's clock and the server's differ by %s.", off)
	default:
		d.add("clock", OK, "", "This machine's clock and the server's agree.")
	}
}

// tried is a path and query that a proxy changes when it normalises what it passes on.
const tried = ProbePath + "/a%2Fb//c?x=%2B+%20"

// arrived asks the server what a request looked like when it arrived.
func (d *Doctor) arrived(ctx context.Context) {
	var header []string
	for _, name := range ProbeHeaders {
		header = append(header, name, "doctor")
	}
	a, err := d.ask(ctx, http.MethodGet, tried, "", header...)
	var p Probe
	if err != nil || a.StatusCode != http.StatusOK || json.Unmarshal(a.body, &p) != nil {
		text := "no answer"
		if err == nil {
			text = a.said()
		}
		d.add("probe", Bad, "See what the answer says; if it is not found, the server is older than this command.", "What a proxy changes cannot be found out: %s", text)
		return
	}
	d.compare(p)
}

func (d *Doctor) compare(p Probe) {
	if p.Host != d.URL.Host {
		d.add("host", Bad, "nginx: proxy_set_header Host $http_host;", "The header Host arrives as %q, so signed requests are refused.", p.Host)
	} else {
		d.add("host", OK, "", "The header Host arrives unchanged.")
	}
	var lost []string
	for _, name := range ProbeHeaders {
		if !slices.Contains(p.Headers, name) {
			lost = append(lost, strings.ToLower(name))
		}
	}
	if len(lost) > 0 {
		d.add("headers", Bad, "nginx drops names with underscores: underscores_in_headers on; in the server block.", "Lost on the way: %s.", strings.Join(lost, ", "))
	} else {
		d.add("headers", OK, "", "The headers of the AWS protocols arrive.")
	}
	if p.URI != tried {
		d.add("path", Bad, "nginx: proxy_pass without a path; elsewhere switch normalisation of paths off.", "Path or query arrive changed: %q.", p.URI)
	} else {
		d.add("path", OK, "", "Path and query arrive unchanged.")
	}
	switch {
	case p.Scheme == d.URL.Scheme:
		d.add("scheme", OK, "", "The server knows that it was asked by %s.", p.Scheme)
	case p.Scheme == "":
		d.add("scheme", Bad, "nginx: proxy_set_header X-Forwarded-Proto $scheme;", "The proxy does not say that it was asked by %s.", d.URL.Scheme)
	default:
		d.add("scheme", Bad, "The first proxy must end TLS, and each set X-Forwarded-Proto to https.", "The server is told that it was asked by %s.", p.Scheme)
	}
	client := net.ParseIP(p.Client)
	if ip := net.ParseIP(d.URL.Hostname()); client.IsLoopback() && d.URL.Hostname() != "localhost" && !ip.IsLoopback() && !d.here() {
		d.add("client", Warn, "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; and name every proxy of a chain in trusted_proxies.",
			"The server takes you for its own machine (%s).", p.Client)
	} else {
		d.add("client", OK, "", "The server sees you as %s; compare.", p.Client)
	}
}

// here tells whether the URL's name is this machine's loopback, as in tests and behind /etc/hosts.
func (d *Doctor) here() bool {
	found, err := net.LookupHost(d.URL.Hostname())
	return err == nil && !slices.ContainsFunc(found, func(a string) bool { return !net.ParseIP(a).IsLoopback() })
}

// services asks two of the APIs something that they must refuse, each in its own way.
func (d *Doctor) services(ctx context.Context) {
	const todo = "The proxy must pass on everything, whatever the path and the method, and leave error answers alone."
	a, err := d.ask(ctx, http.MethodGet, "/assignment/accounts", "", "X-Amz-Sso_bearer_token", "doctor")
	if err != nil || a.StatusCode != http.StatusUnauthorized || !bytes.Contains(a.body, []byte("Session token not found or invalid")) {
		d.add("portal-api", Bad, todo, "The portal's API does not answer as it should: %s", text(a, err))
	} else {
		d.add("portal-api", OK, "", "The portal's API answers.")
	}
	a, err = d.ask(ctx, http.MethodPost, "/", "Action=GetCallerIdentity&Version=2011-06-15", "Content-Type", "application/x-www-form-urlencoded")
	if err != nil || a.StatusCode != http.StatusForbidden || !bytes.Contains(a.body, []byte("<Code>MissingAuthenticationToken</Code>")) {
		d.add("signed-api", Bad, todo, "The signed APIs do not answer as they should: %s", text(a, err))
	} else {
		d.add("signed-api", OK, "", "The signed APIs answer.")
	}
}

// head asks the start page as the AWS CLI does: one redirect leads to the AWS-shaped start URL.
func (d *Doctor) head(ctx context.Context, start string) {
	a, err := d.ask(ctx, http.MethodHead, "/start", "")
	if err != nil || a.StatusCode != http.StatusFound || a.Header.Get("Location") != start || !strings.HasSuffix(start, ".awsapps.com/start") {
		to := text(a, err)
		if err == nil {
			to += "to " + a.Header.Get("Location")
		}
		d.add("start-url", Bad, "The proxy must pass HEAD on as it is, and leave the header Location alone.", "HEAD on /start is not redirected to the start URL: %s.", to)
		return
	}
	d.add("start-url", OK, "", "HEAD on /start leads to %s.", start)
}

func text(a answer, err error) string {
	if err != nil {
		return plain(err).Error()
	}
	return a.said()
}
