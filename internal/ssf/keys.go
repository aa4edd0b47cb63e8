package ssf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

const (
	keysFresh = 10 * time.Minute
	keysStale = time.Hour       // of use while they cannot be fetched again
	keysPause = 5 * time.Second // between fetches, however many tokens name keys that are not there
)

// keys remembers what issuers publish.
type keys struct {
	mu sync.Mutex
	of map[string]*published
}

// published are the keys of one receiver's issuer. Its lock makes one fetch serve all who wait for it.
type published struct {
	mu        sync.Mutex
	set       secevent.KeySet
	at, tried time.Time
}

// at is the memory for a receiver. It has one for each that ever was in this process: there are few.
func (k *keys) at(r store.SignalReceiver) *published {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := r.ID + " " + r.Issuer + " " + r.JWKSURI
	if k.of == nil {
		k.of = map[string]*published{}
	}
	if k.of[name] == nil {
		k.of[name] = &published{}
	}
	return k.of[name]
}

var errJustFetched = errors.New("the token's key is not known, and the keys were fetched a moment ago")

// keysOf are the keys of a receiver's issuer, fetched again if they are old or have none of the id: keys change without notice.
func (s *Server) keysOf(ctx context.Context, r store.SignalReceiver, kid string) (secevent.KeySet, error) {
	p := s.keys.at(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.DB.Now()
	_, known := p.set[kid]
	if known && now.Sub(p.at) < keysFresh {
		return p.set, nil
	}
	if now.Sub(p.tried) < keysPause {
		if known {
			return p.set, nil
		}
		return nil, errJustFetched // for now: it may have been published since
	}
	p.tried = now
	set, err := s.fetchKeys(ctx, r)
	switch {
	case err == nil:
		p.set, p.at = set, now
	case !known || now.Sub(p.at) > keysStale:
		return nil, fmt.Errorf("fetch keys of %s: %w", r.Issuer, err)
	}
	return p.set, nil
}

// CountKeys fetches the keys of a receiver's issuer and tells how many it publishes.
func (s *Server) CountKeys(ctx context.Context, r store.SignalReceiver) (int, error) {
	set, err := s.fetchKeys(ctx, r)
	return len(set), err
}

func (s *Server) fetchKeys(ctx context.Context, r store.SignalReceiver) (secevent.KeySet, error) {
	at := r.JWKSURI
	if at == "" {
		var err error
		if at, err = s.discover(ctx, r.Issuer); err != nil {
			return nil, err
		}
	}
	text, err := s.Client.document(ctx, at)
	if err != nil {
		return nil, err
	}
	return secevent.ParseKeys(text)
}

// discover is where an issuer publishes its keys (SSF 1.0 §7.2: the well-known part goes between host and path).
func (s *Server) discover(ctx context.Context, issuer string) (string, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return "", fmt.Errorf("read issuer: %w", err)
	}
	u.Path = WellKnown + strings.TrimSuffix(u.Path, "/")
	text, err := s.Client.document(ctx, u.String())
	if err != nil {
		return "", err
	}
	var c struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return "", fmt.Errorf("read configuration of issuer: %w", err)
	}
	if c.Issuer != issuer {
		return "", fmt.Errorf("the configuration at %s is of the issuer %.200q", u, c.Issuer)
	}
	return c.Keys, nil
}
