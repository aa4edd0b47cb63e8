package ssf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"sallyport/internal/signal"
)

// Client calls transmitters and receivers elsewhere, whose addresses operators have given or transmitters publish: over https but
// to this machine, without following redirects, and reading no more than it must.
type Client struct{ http http.Client }

const (
	callLimit = 10 * time.Second
	pollLimit = 60 * time.Second // of a poll, which may be held
	maxKeys   = 1 << 20
	maxReply  = 64 << 10
	longRetry = time.Hour // the most that a Retry-After may ask for
)

// NewClient returns a client. transport may be nil.
func NewClient(transport http.RoundTripper) *Client {
	return &Client{http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answered is what came of a call.
type answered struct {
	status int
	body   []byte
	retry  time.Duration // what Retry-After asks for; 0: nothing
}

var errTooMuch = errors.New("the answer is too large")

// do makes a call. authorization is a bearer token, or empty.
func (c *Client) do(ctx context.Context, method, url, authorization, contentType, accept string, body []byte, limit int64, timeout time.Duration) (answered, error) {
	if err := signal.CheckURL(url); err != nil {
		return answered{}, err
	}
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answered{}, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", "sallyport")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if authorization != "" {
		r.Header.Set("Authorization", "Bearer "+authorization)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answered{}, err
	}
	defer resp.Body.Close()
	a := answered{status: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		a.retry = min(time.Duration(min(n, int(longRetry/time.Second)))*time.Second, longRetry)
	}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1)); err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(a.body)) > limit {
		return a, errTooMuch
	}
	return a, nil
}

// document fetches a JSON document.
func (c *Client) document(ctx context.Context, url string) ([]byte, error) {
	a, err := c.do(ctx, http.MethodGet, url, "", "", "application/json", nil, maxKeys, callLimit)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s answers with %d", url, a.status)
	}
	return a.body, nil
}
