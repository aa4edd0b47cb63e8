package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// heldWorld makes a world with so many changes alive and so many sign-ins that hold role credentials, and leaves its server running.
func (b bench) heldWorld(ctx context.Context, signedIn, changes int) (*process, []*held, error) {
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(w.assignAudit(ctx, w.client(server.addr)), server.stop()); err != nil {
		return nil, nil, err
	}
	var tokens []credential.Secret
	err = b.offline(ctx, b.dir, func(db *store.DB) (err error) {
		if err := addChanges(ctx, db, changes); err != nil {
			return err
		}
		tokens, err = w.signInMany(ctx, db, signedIn)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if server, w, err = b.dev(ctx, b.dir); err != nil {
		return nil, nil, err
	}
	all, err := w.holders(ctx, server.addr, tokens)
	return server, all, err
}

// line is a connection over which one request goes after the other.
type line struct {
	conn net.Conn
	r    *bufio.Reader
}

func dial(addr string) (*line, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &line{conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

// ask sends a request, and says whether it was answered with 200. Any other answer is no error.
func (l *line) ask(request []byte) (bool, error) {
	if err := l.conn.SetDeadline(time.Now().Add(maxWait)); err != nil {
		return false, err
	}
	if _, err := l.conn.Write(request); err != nil {
		return false, err
	}
	err := answer(l.r)
	var no *refusal
	if errors.As(err, &no) {
		return false, nil
	}
	return err == nil, err
}

// pace is an even one that several share: each takes the next turn and waits for its time.
type pace struct {
	start time.Time
	every time.Duration
	next  *atomic.Int64
}

// each does turns over a connection of its own until it is told that there are no more, or ctx ends.
func each(ctx context.Context, addr string, p pace, turn func(l *line, i int64) (more bool, err error)) error {
	l, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = l.conn.Close() }()
	for {
		i := p.next.Add(1) - 1
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(p.start.Add(time.Duration(i) * p.every))):
		}
		if more, err := turn(l, i); err != nil || !more {
			return err
		}
	}
}

// tally counts what was seen.
type tally struct{ uses, afterEnd, passed, wrongly atomic.Int64 }

// revokingAlone ends sessions on one node while 2,000 uses a second go on, of credentials that have ended, are about to and never do. A use
// that is sent after the end was answered must be refused, one of an innocent must not.
func revokingAlone(ctx context.Context, b bench) ([]row, error) {
	server, all, err := b.heldWorld(ctx, revokedSessions+innocentOnes, 0)
	if err != nil {
		return nil, err
	}
	innocents, left := all[:innocentOnes], all[innocentOnes:]
	var t tally
	var rates []float64
	for range b.rounds {
		var now []*held
		now, left = left[:revokedSessions/b.rounds], left[revokedSessions/b.rounds:]
		before := t.uses.Load()
		start := time.Now()
		if err := t.round(ctx, server.addr, now, innocents); err != nil {
			return nil, err
		}
		rates = append(rates, float64(t.uses.Load()-before)/time.Since(start).Seconds())
	}
	return []row{{
		fmt.Sprintf("uses that passed though sent after the end of their session was answered, %d sessions, %d such uses, SQLite", revokedSessions, t.afterEnd.Load()),
		fmt.Sprint(t.passed.Load()), "uses per second meanwhile: " + summarize(rates).String(), fmt.Sprintf("%d innocents refused", t.wrongly.Load()),
		"none, and none", t.passed.Load()+t.wrongly.Load() == 0 && t.afterEnd.Load() > 0,
	}}, server.stop()
}

// round ends sessions at an even pace, and uses them and the innocents' at another.
func (t *tally) round(ctx context.Context, addr string, sessions, innocents []*held) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next, uses atomic.Int64
	start := time.Now()
	changes := pace{start, changesPerRound / time.Duration(len(sessions)), &next}
	errs := make(chan error, changesAtOnce+usesAtOnce)
	var changing, using sync.WaitGroup
	for range changesAtOnce {
		changing.Go(func() {
			errs <- each(ctx, addr, changes, func(l *line, i int64) (bool, error) {
				if i >= int64(len(sessions)) {
					return false, nil
				}
				s := sessions[i]
				s.state.Store(ending)
				if ok, err := l.ask(s.end); err != nil || !ok {
					return false, fmt.Errorf("a session could not be ended: %w", err)
				}
				s.state.Store(ended)
				return true, nil
			})
		})
	}
	for range usesAtOnce {
		using.Go(func() {
			errs <- each(ctx, addr, pace{start, time.Second / usesPerSecond, &uses}, func(l *line, i int64) (bool, error) {
				return true, t.use(l, choice(i, next.Load(), sessions, innocents))
			})
		})
	}
	changing.Wait()
	time.Sleep(200 * time.Millisecond) // uses of what has just ended
	cancel()
	using.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// choice is what to use: half of the time what has ended lately, else what is about to, or an innocent's.
func choice(i, done int64, sessions, innocents []*held) *held {
	at := done - i%64
	switch {
	case i%4 == 3:
		return innocents[i%int64(len(innocents))]
	case i%4 == 2:
		at = done + i%64
	}
	return sessions[min(max(at, 0), int64(len(sessions)-1))]
}

func (t *tally) use(l *line, h *held) error {
	before := h.state.Load()
	ok, err := l.ask(h.use)
	if err != nil {
		return err
	}
	t.uses.Add(1)
	switch {
	case before == ended:
		t.afterEnd.Add(1)
		if ok {
			t.passed.Add(1)
		}
	case !ok && h.state.Load() == stands:
		t.wrongly.Add(1)
	}
	return nil
}
