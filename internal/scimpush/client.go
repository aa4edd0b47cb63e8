package scimpush

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// Bounds of what a server may do to us.
const (
	requestLimit = 20 * time.Second
	maxAnswer    = 8 << 20
	maxRefusal   = 64 << 10
	maxRemoteID  = 256
	maxCursor    = 4096
)

// peer is a target as it is spoken with.
type peer struct {
	target store.SCIMTarget
	token  string
	http   *http.Client
	clock  clock.Clock
	pace   *pace
	limit  time.Duration // for a request
}

// pace spaces requests evenly.
type pace struct {
	every time.Duration
	wait  func(context.Context, time.Duration) error

	mu   sync.Mutex
	next time.Time
}

func (p *pace) take(ctx context.Context, now time.Time) error {
	p.mu.Lock()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	if !at.After(now) {
		return ctx.Err()
	}
	return p.wait(ctx, at.Sub(now))
}

// sleep waits by the machine's clock.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// refusal is an answer other than success.
type refusal struct {
	status int
	kind   string // scimType
	text   string
	after  time.Duration // what the server asks to wait; 0: it does not say
}

func (r *refusal) Error() string {
	if r.text == "" {
		return fmt.Sprintf("The server answered %d %s.", r.status, http.StatusText(r.status))
	}
	return fmt.Sprintf("The server answered %d: %s", r.status, r.text)
}

// garbled is a success whose answer cannot be made out.
type garbled struct{ why string }

func (g *garbled) Error() string { return "The server's answer cannot be understood: " + g.why + "." }

// status is that of a refusal; 0 for other errors and none.
func status(err error) int {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r.status
	}
	return 0
}

// do sends a request and reads its answer into out, unless that is nil.
func (p *peer) do(ctx context.Context, method, path string, body, out any) error {
	if err := p.pace.take(ctx, p.clock.Now()); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(within, method, strings.TrimSuffix(p.target.URL, "/")+path, content)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Accept", "application/scim+json")
	r.Header.Set("User-Agent", "Sallyport")
	if body != nil {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	res, err := p.http.Do(r)
	if err != nil {
		return p.unsaid(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	return p.read(ctx, res, out)
}

// unreachable says that there was no answer.
type unreachable struct{ why string }

func (u *unreachable) Error() string { return "The server cannot be reached: " + u.why + "." }

// unsaid is an error of the way there, without what nobody is to read. When ctx has ended, it is that.
func (p *peer) unsaid(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", p.target.Name, ctx.Err())
	}
	return &unreachable{outbound.Why(err, p.limit, p.token)}
}

func (p *peer) read(ctx context.Context, res *http.Response, out any) error {
	if res.StatusCode < 200 || res.StatusCode > 299 {
		raw, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal)) // cut off, it says why no more: the status is enough
		return p.refused(res, raw)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case out == nil:
		return nil // done, whatever it says
	case err != nil:
		return p.unsaid(ctx, err)
	case len(raw) > maxAnswer:
		return &garbled{"it is too long"}
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return &garbled{"it is not the JSON that it should be"}
	}
	return nil
}

func (p *peer) refused(res *http.Response, raw []byte) error {
	r := &refusal{status: res.StatusCode, after: outbound.RetryAfter(res.Header.Get("Retry-After"), p.clock.Now(), mostPause)}
	var said struct {
		Detail string `json:"detail"`
		Type   string `json:"scimType"`
	}
	if json.Unmarshal(raw, &said) == nil {
		r.text, r.kind = p.clean(said.Detail), said.Type
	}
	if r.status >= 300 && r.status <= 399 {
		r.text = "it redirects, and the token goes nowhere else"
	}
	return r
}

// clean is a text of the server's for people to read: short, in one line, and without the token.
func (p *peer) clean(s string) string { return outbound.OneLine(s, p.token) }
