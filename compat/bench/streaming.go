package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest/pgtest"
)

const (
	streamedPerSecond = 2_200 // asked for: what arrives must be 2,000
	streamedAtOnce    = 16
	sinks             = 3
)

// streaming gives out credentials at an even pace, each on record before it is answered, and measures at what rate the slowest of three
// sinks gets the events, counted until it has all of them. It does so on SQLite and on PostgreSQL.
func streaming(ctx context.Context, b bench) (rows []row, err error) {
	dsn, drop, err := pgtest.Database()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	for _, engine := range []struct{ name, dsn string }{{"SQLite", ""}, {"PostgreSQL", dsn}} {
		one, err := b.streamed(ctx, engine.name, engine.dsn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", engine.name, err)
		}
		rows = append(rows, one)
	}
	return rows, nil
}

// streamed measures one engine.
func (b bench) streamed(ctx context.Context, engine, dsn string) (r row, err error) {
	b.dir += "/" + engine
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return r, err
	}
	args := []string{"dev", "--data", b.dir, "--listen", "127.0.0.1:0"}
	var tokens []credential.Secret
	if dsn != "" {
		args = append(args, "--database", dsn)
	} else if tokens, err = b.vendingWorld(ctx); err != nil {
		return r, err
	}
	server, err := launch(ctx, b.binary, args...)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	w, err := readWorld(b.dir)
	if err != nil {
		return r, err
	}
	if dsn != "" {
		if tokens, err = w.streamedTokens(ctx, server.addr, dsn); err != nil {
			return r, err
		}
	}
	requests, err := w.vendingRequests(ctx, server.addr, tokens)
	if err != nil {
		return r, err
	}
	var all []*receiver
	for i := range sinks {
		to, err := receive()
		if err != nil {
			return r, err
		}
		defer func() { _ = to.server.Close() }()
		_, _, err = call[*sallyport.CreateEventSinkResponse](ctx, w.client(server.addr), &sallyport.Info, "CreateEventSink", &sallyport.CreateEventSinkRequest{
			Name: fmt.Sprint("sink", i), Kind: "WEBHOOK", Address: to.url, Secret: new("a-secret-of-the-benchmark"),
		})
		if err != nil {
			return r, err
		}
		all = append(all, to)
	}
	var answered, arrived []float64
	for range b.rounds {
		a, s, err := b.streamRound(ctx, server.addr, requests, all)
		if err != nil {
			return r, err
		}
		answered, arrived = append(answered, a), append(arrived, s)
	}
	slowest := summarize(arrived)
	return row{
		"durable events per second that the slowest of three sinks keeps up with, " + engine, slowest.String(), "answers per second: " + summarize(answered).String(),
		ratio(arrived, answered).String(), "2,000", slowest.median >= 2000,
	}, nil
}

// streamedTokens are those of many sessions, in a database that others use as well.
func (w world) streamedTokens(ctx context.Context, addr, dsn string) (tokens []credential.Secret, err error) {
	if err := w.assignAudit(ctx, w.client(addr)); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, dsn, clock.System{})
	if err != nil {
		return nil, err
	}
	tokens, err = w.signInMany(ctx, db, clientSessions)
	return tokens, errors.Join(err, db.Close())
}

// streamRound is what was answered, and what came to the slowest sink, both per second.
func (b bench) streamRound(ctx context.Context, addr string, requests [][]byte, all []*receiver) (answered, arrived float64, err error) {
	var before [sinks]int64
	for i, to := range all {
		before[i] = to.events.Load()
	}
	var next, done atomic.Int64
	start := time.Now()
	p := pace{start, time.Second / streamedPerSecond, &next}
	end := start.Add(2 * b.length)
	errs := make([]error, streamedAtOnce)
	var wg sync.WaitGroup
	for c := range streamedAtOnce {
		wg.Go(func() {
			errs[c] = each(ctx, addr, p, func(l *line, i int64) (bool, error) {
				ok, err := l.ask(requests[i%int64(len(requests))])
				if ok {
					done.Add(1)
				}
				return time.Now().Before(end), err
			})
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	if err := errors.Join(errs...); err != nil {
		return 0, 0, err
	}
	n := done.Load()
	for i, to := range all {
		for to.events.Load()-before[i] < n {
			if time.Since(start) > maxWait+2*b.length {
				return 0, 0, fmt.Errorf("sink %d has got %d of %d events", i, to.events.Load()-before[i], n)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return float64(n) / took, float64(n) / time.Since(start).Seconds(), nil
}
