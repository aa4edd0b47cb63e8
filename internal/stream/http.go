package stream

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/clock"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// Bounds of what a receiver may do to us.
const (
	requestLimit = 30 * time.Second
	maxAnswer    = 4 << 20
	maxWait      = 10 * time.Minute // whatever Retry-After says
)

// poster is how all kinds that speak HTTP do so.
type poster struct {
	url    string
	secret string
	clock  clock.Clock
	limit  time.Duration
	format format.Formatter
	http   *http.Client
}

// newPoster checks the address and the authorities. path is added where the address has none.
func newPoster(c Config, path string) (*poster, error) {
	if err := outbound.CheckURL(c.Address); err != nil {
		return nil, err
	}
	u, err := url.Parse(c.Address)
	if err != nil {
		return nil, fmt.Errorf("parse address: %w", err)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = path
	}
	roots, err := outbound.Roots(c.CA)
	if err != nil {
		return nil, err
	}
	f, err := c.formatter()
	if err != nil {
		return nil, err
	}
	return &poster{u.String(), c.Secret, c.clock(), cmp.Or(c.Limit, requestLimit), f, &http.Client{Transport: outbound.Transport(roots), CheckRedirect: outbound.NoRedirects}}, nil
}

// Close closes the connections that are kept.
func (p *poster) Close() error {
	p.http.CloseIdleConnections()
	return nil
}

// answer is what a receiver has said.
type answer struct {
	status int
	body   []byte
	after  time.Duration // what it asks to wait; 0: it does not say
}

// post sends a request and reads all of the answer: a receiver that is cut off while it answers may have taken nothing.
func (p *poster) post(ctx context.Context, headers map[string]string, body []byte) (answer, error) {
	within, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	r, err := http.NewRequestWithContext(within, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("User-Agent", "Sallyport")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	res, err := p.http.Do(r)
	if err != nil {
		return answer{}, p.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode, after: outbound.RetryAfter(res.Header.Get("Retry-After"), p.clock.Now(), maxWait)}
	if a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return answer{}, p.unreachable(ctx, err)
	}
	if len(a.body) > maxAnswer {
		return answer{}, errors.New("the receiver's answer is too long")
	}
	return a, nil
}

// unreachable says that there was no answer. When ctx has ended, it says that.
func (p *poster) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send events: %w", ctx.Err())
	}
	return errors.New("the receiver cannot be reached: " + outbound.Why(err, p.limit, p.secret))
}

// failed is an answer other than success as an error: it is tried again.
func (p *poster) failed(a answer) error {
	text := outbound.OneLine(strings.TrimSpace(string(a.body[:min(len(a.body), 1<<10)])), p.secret)
	err := fmt.Errorf("the receiver answers %d %s", a.status, http.StatusText(a.status))
	switch {
	case a.status >= 300 && a.status <= 399:
		err = fmt.Errorf("the receiver answers %d: it redirects, and events go nowhere else", a.status)
	case text != "":
		err = fmt.Errorf("the receiver answers %d: %s", a.status, text)
	}
	if a.after > 0 {
		return &audit.Busy{Err: err, After: a.after}
	}
	return err
}

// unwanted says whether an answer is about what was sent rather than about who sent it, or when.
func (a answer) unwanted() bool {
	return a.status == http.StatusBadRequest || a.status == http.StatusRequestEntityTooLarge || a.status == http.StatusUnprocessableEntity
}

// ok is a success.
func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// span are the numbers of a batch's first and last event.
func span(batch []store.SealedEvent) (first, last int64) {
	return batch[0].Seq, batch[len(batch)-1].Seq
}
