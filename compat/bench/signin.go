package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

const (
	signInConns = 8 // people who sign in at once
	latest      = 100 * time.Millisecond
)

// signIn measures whole sign-ins by password (user name, password, session), one after the other and many at once, beside the hash
// of the password alone; and GetRoleCredentials while people sign in, beside itself when nobody does. The second factor is off
// by the operator's setting: a code works once in thirty seconds.
func signIn(ctx context.Context, b bench) ([]row, error) {
	tokens, err := b.vendingWorld(ctx)
	if err != nil {
		return nil, err
	}
	err = b.offline(ctx, b.dir, func(db *store.DB) error {
		return db.Update(ctx, func(tx *store.Tx) error { _, err := setting.Put(tx, "mfa.mode", setting.Off, "bench"); return err })
	})
	if err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	requests, err := w.vendingRequests(ctx, server.addr, tokens)
	if err != nil {
		return nil, err
	}
	m := &signInRun{bench: b, addr: server.addr, name: w.Users[0].Name, password: w.Users[0].Password, hasher: login.NewHasher()}
	if m.phc, err = m.hasher.Hash(ctx, m.password); err != nil {
		return nil, err
	}
	for round := range b.rounds + 1 {
		if err := m.round(ctx, round > 0, requests); err != nil {
			return nil, err
		}
	}
	return m.rows(), server.stop()
}

// signInRun is what the rounds have shown.
type signInRun struct {
	bench
	addr, name, password, phc string
	hasher                    *login.Hasher

	alone, hash, rest, signIns, hashes, calm, flooded, p99 []float64
}

// round runs each target once, one after the other.
func (m *signInRun) round(ctx context.Context, counts bool, requests [][]byte) error {
	enter := func() error { return person{addr: m.addr}.signIn(ctx, m.name, m.password) }
	verify := func() error {
		right, err := m.hasher.Verify(ctx, "", m.phc, m.password)
		if err == nil && !right {
			err = errors.New("the password does not match its own hash")
		}
		return err
	}
	one, hash, rest, err1 := m.oneByOne(ctx, enter)
	many, err3 := m.repeat(ctx, signInConns, enter)
	hashes, err4 := m.repeat(ctx, signInConns, verify)
	get := target{name: "GetRoleCredentials", addr: m.addr, conns: connections, requests: fixed(requests)}
	calm, err5 := get.load(ctx, m.length)
	flooded, p99, err6 := m.flood(ctx, get, enter)
	if err := errors.Join(err1, err3, err4, err5, err6); err != nil || !counts {
		return err
	}
	m.alone, m.hash, m.rest = append(m.alone, one), append(m.hash, hash), append(m.rest, rest)
	m.signIns, m.hashes = append(m.signIns, many), append(m.hashes, hashes)
	m.calm, m.flooded, m.p99 = append(m.calm, calm), append(m.flooded, flooded), append(m.p99, p99)
	return nil
}

// oneByOne signs people in one after the other and returns medians in milliseconds: of the whole, of its hash as the server counts
// it, and of what is left.
func (m *signInRun) oneByOne(ctx context.Context, enter func() error) (whole, hash, rest float64, err error) {
	var wholes, hashes, rests []float64
	before, err := m.spent(ctx)
	for start := time.Now(); err == nil && time.Since(start) < 2*m.length; {
		begun := time.Now()
		if err = enter(); err != nil {
			break
		}
		took := float64(time.Since(begun).Microseconds()) / 1000
		var after float64
		if after, err = m.spent(ctx); err == nil {
			wholes, hashes, rests = append(wholes, took), append(hashes, after-before), append(rests, took-(after-before))
			before = after
		}
	}
	if err != nil {
		return 0, 0, 0, err
	}
	return summarize(wholes).median, summarize(hashes).median, summarize(rests).median, nil
}

// spent is how many milliseconds the server has spent in hashes of passwords so far, by its metrics.
func (m *signInRun) spent(ctx context.Context) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := noRedirects.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(text), "\nsallyport_password_hash_seconds_total ")
	value, _, _ := strings.Cut(after, "\n")
	seconds, err := strconv.ParseFloat(value, 64)
	if !found || err != nil {
		return 0, fmt.Errorf("the metrics do not tell of hashes: %q", value)
	}
	return 1000 * seconds, nil
}

// repeat does something again and again, n at once, and returns how often per second.
func (m *signInRun) repeat(ctx context.Context, n int, do func() error) (float64, error) {
	var done atomic.Int64
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		wg.Go(func() {
			for time.Since(start) < m.length && ctx.Err() == nil && errs[i] == nil {
				if errs[i] = do(); errs[i] == nil {
					done.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), errors.Join(append(errs, ctx.Err())...)
}

// flood loads the target while people sign in, and returns its rate and the time in milliseconds that 99 of 100 answers took at most.
func (m *signInRun) flood(ctx context.Context, get target, enter func() error) (rate, p99 float64, err error) {
	var mu sync.Mutex
	var took []time.Duration
	get.took = func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		took = append(took, d)
	}
	var signing error
	var wg sync.WaitGroup
	wg.Go(func() { _, signing = m.repeat(ctx, signInConns, enter) })
	rate, err = get.load(ctx, m.length)
	wg.Wait()
	if err = errors.Join(err, signing); err != nil {
		return 0, 0, err
	}
	slices.Sort(took)
	return rate, float64(took[len(took)*99/100].Microseconds()) / 1000, nil
}

func (m *signInRun) rows() []row {
	own, share, kept, p99 := summarize(m.rest), ratio(m.signIns, m.hashes), ratio(m.flooded, m.calm), summarize(m.p99)
	return []row{
		{
			"a whole sign-in by password, ms", summarize(m.alone).String(), "of it in the server's Argon2id: " + summarize(m.hash).String(),
			own.String() + " without the hash", "< 5", own.median < 5,
		},
		{fmt.Sprintf("sign-ins by password per second, %d at once", signInConns), summarize(m.signIns).String(), "Argon2id alone on the same cores: " + summarize(m.hashes).String(), share.String(), "0.9", share.median >= 0.9},
		{"GetRoleCredentials per second while people sign in", summarize(m.flooded).String(), "while nobody does: " + summarize(m.calm).String(), kept.String(), "0.4", kept.median >= 0.4},
		{"the same, 99 of 100 answers within, ms", p99.String(), "", "", "< 100", p99.median < float64(latest.Milliseconds())},
	}
}
