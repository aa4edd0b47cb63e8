package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// target is one thing to be measured.
type target struct {
	name   string
	addr   string
	conns  int
	closes bool // the server takes one request per connection

	// requests makes the requests of one round, signed and rendered, just before it: signatures age.
	requests func() ([][]byte, error)
	once     bool // each request is sent once; a round ends when they have run out
	// settle, if there is one, waits after a round for the work that it has left behind, so that the next target is not
	// measured beside it.
	settle func(context.Context) error
	took   func(time.Duration) // told how long each answer took, if there is one; by many connections at once
}

// fixed is the same requests in every round.
func fixed(requests [][]byte) func() ([][]byte, error) {
	return func() ([][]byte, error) { return requests, nil }
}

// rounds measures targets interleaved: each round runs all of them, one after the other. The first round warms up. It returns
// the requests answered per second, by target and round.
func (b bench) measure(ctx context.Context, targets ...target) ([][]float64, error) {
	out := make([][]float64, len(targets))
	for round := range b.rounds + 1 {
		for i, t := range targets {
			rate, err := t.load(ctx, b.length)
			if err == nil && t.settle != nil {
				err = t.settle(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			if round > 0 {
				out[i] = append(out[i], rate)
			}
		}
	}
	return out, nil
}

// load sends requests for d and returns how many were answered with success per second. Any other answer is an error.
func (t target) load(ctx context.Context, d time.Duration) (float64, error) {
	requests, err := t.requests()
	if err != nil {
		return 0, err
	}
	var next, done atomic.Int64
	take := func() []byte {
		i := int(next.Add(1) - 1)
		if t.once && i >= len(requests) {
			return nil
		}
		return requests[i%len(requests)]
	}
	errs := make([]error, t.conns)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range t.conns {
		wg.Go(func() { errs[c] = t.connection(ctx, start.Add(d), take, &done) })
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), errors.Join(errs...)
}

// maxWait bounds the wait for one answer.
const maxWait = 10 * time.Second

func (t target) connection(ctx context.Context, deadline time.Time, take func() []byte, done *atomic.Int64) error {
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	r := bufio.NewReaderSize(nil, 64<<10)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		request := take()
		if request == nil {
			return nil
		}
		if conn == nil {
			var err error
			if conn, err = net.Dial("tcp", t.addr); err != nil {
				return err
			}
			r.Reset(conn)
			if err := conn.SetDeadline(deadline.Add(maxWait)); err != nil {
				return err
			}
		}
		sent := time.Now()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := answer(r); err != nil {
			return err
		}
		done.Add(1)
		if t.took != nil {
			t.took(time.Since(sent))
		}
		if t.closes {
			if err := conn.Close(); err != nil {
				return err
			}
			conn = nil
		}
	}
	return ctx.Err()
}

// answer reads one response with as little work as can be: the generator shares the cores with the server.
func answer(r *bufio.Reader) error {
	length, err := head(r)
	switch {
	case err != nil:
		return err
	case length == chunked:
		if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(r)); err != nil {
			return err
		}
		length = len("\r\n") // which ends what comes after the last chunk
	}
	_, err = r.Discard(length)
	return err
}

// chunked is the length of a body that says so itself.
const chunked = -1

// head reads a response up to its body, and returns the body's length. A response that is not of success is an error.
func head(r *bufio.Reader) (length int, err error) {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	refused := ""
	if !bytes.Contains(status, []byte(" 20")) { // 200, 201, 204
		refused = string(bytes.TrimSpace(status))
	}
	for {
		h, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(h) <= 2 {
			break
		}
		if v, is := bytes.CutPrefix(h, []byte("Content-Length: ")); is {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return 0, err
			}
		} else if bytes.HasPrefix(h, []byte("Transfer-Encoding: chunked")) {
			length = chunked
		}
	}
	if refused == "" {
		return length, nil
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(max(length, 0))))
	return 0, errors.Join(&refusal{refused, string(body)}, err)
}

// refusal is an answer that is no success.
type refusal struct{ status, body string }

func (r *refusal) Error() string { return r.status + ": " + r.body }
