package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest/pgtest"
)

const (
	apartChanges = 1_000 // over all rounds
	apartNodes   = 3
)

// revokingApart measures, over three nodes and PostgreSQL, the time from the answer to the end of a session on one node to the first refusal
// of its role credentials on each of the others, while 500 uses a second of innocents' go on.
func revokingApart(ctx context.Context, b bench) (rows []row, err error) {
	dsn, drop, err := pgtest.Database()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	nodes, w, err := b.nodes(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, n := range nodes {
			err = errors.Join(err, n.stop())
		}
	}()
	if err := w.assignAudit(ctx, w.client(nodes[0].addr)); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, dsn, clock.System{})
	if err != nil {
		return nil, err
	}
	var tokens []credential.Secret
	tokens, err = w.signInMany(ctx, db, apartChanges+innocentOnes)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	all, err := w.holders(ctx, nodes[0].addr, tokens)
	if err != nil {
		return nil, err
	}
	var medians, most []float64
	var t tally
	for r := range b.rounds {
		per := apartChanges / b.rounds
		times, err := t.apart(ctx, nodes, all[innocentOnes+r*per:][:per], all[:innocentOnes])
		if err != nil {
			return nil, err
		}
		medians = append(medians, percentile(times, 50).Seconds()*1000)
		most = append(most, percentile(times, 100).Seconds()*1000)
	}
	m := summarize(most)
	return []row{
		{"answer to a revocation to the first refusal on another of three nodes, PostgreSQL, ms, the median", summarize(medians).String(), "–", "–", "stated", true},
		{
			"the same, the longest", m.String(), fmt.Sprintf("%d revocations, %d nodes", apartChanges, apartNodes-1), fmt.Sprintf("%d innocents refused", t.wrongly.Load()),
			"less than 1 s", m.high < 1000 && t.wrongly.Load() == 0,
		},
	}, nil
}

// nodes starts the nodes of one world.
func (b bench) nodes(ctx context.Context, dsn string) (all []*process, w world, err error) {
	for i := range apartNodes {
		dir := filepath.Join(b.dir, fmt.Sprint("node", i))
		if i > 0 {
			if err := copyWorld(filepath.Join(b.dir, "node0"), dir); err != nil {
				return all, w, err
			}
		}
		p, err := launch(ctx, b.binary, "dev", "--data", dir, "--listen", "127.0.0.1:0", "--database", dsn)
		if err != nil {
			return all, w, err
		}
		all = append(all, p)
	}
	w, err = readWorld(filepath.Join(b.dir, "node0"))
	return all, w, err
}

// copyWorld gives a node what all nodes of a world share beside the database.
func copyWorld(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"key", "dev.json"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apart ends sessions on the first node, one after the other, and times the first refusals on the others.
func (t *tally) apart(ctx context.Context, nodes []*process, sessions, innocents []*held) (times []time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var using sync.WaitGroup
	defer using.Wait()
	defer cancel()
	var next atomic.Int64
	for _, n := range nodes[1:] {
		using.Go(func() {
			_ = each(ctx, n.addr, pace{time.Now(), 2 * time.Millisecond, &next}, func(l *line, i int64) (bool, error) {
				return true, t.use(l, innocents[i%int64(len(innocents))])
			})
		})
	}
	first, err := dial(nodes[0].addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = first.conn.Close() }()
	for _, s := range sessions {
		took := make([]time.Duration, apartNodes-1)
		errs := make([]error, apartNodes-1)
		var answered atomic.Int64 // nanoseconds from start
		start := time.Now()
		var watching sync.WaitGroup
		for i, n := range nodes[1:] {
			watching.Go(func() { took[i], errs[i] = firstRefusal(ctx, n.addr, s, start) })
		}
		if ok, err := first.ask(s.end); err != nil || !ok {
			return nil, fmt.Errorf("a session could not be ended: %w", err)
		}
		answered.Store(int64(time.Since(start)))
		watching.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		for _, d := range took {
			times = append(times, max(0, d-time.Duration(answered.Load()))) // a node may have heard before the first one's caller
		}
	}
	return times, nil
}

// firstRefusal uses role credentials again and again, and says when they were refused.
func firstRefusal(ctx context.Context, addr string, s *held, start time.Time) (time.Duration, error) {
	l, err := dial(addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.conn.Close() }()
	for {
		ok, err := l.ask(s.use)
		if err != nil || !ok {
			return time.Since(start), err
		}
		if time.Since(start) > maxWait {
			return 0, errors.New("what was revoked is not refused")
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Microsecond):
		}
	}
}

// percentile is the p-th of a hundred, or with 100 the largest.
func percentile(times []time.Duration, p int) time.Duration {
	s := slices.Sorted(slices.Values(times))
	return s[min(len(s)*p/100, len(s)-1)]
}
