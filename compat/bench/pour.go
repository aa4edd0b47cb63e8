package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pour sends every request once, over so many connections, and returns how long that took. got is told of each answer, by many
// connections at once; the body is the connection's and good until got returns.
func pour(ctx context.Context, addr string, conns int, requests [][]byte, got func(i int, body []byte) error) (time.Duration, error) {
	var next atomic.Int64
	errs := make([]error, conns)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range conns {
		wg.Go(func() { errs[c] = pourOne(ctx, addr, requests, &next, got) })
	}
	wg.Wait()
	return time.Since(start), errors.Join(errs...)
}

// pourOne sends over one connection whatever is next.
func pourOne(ctx context.Context, addr string, requests [][]byte, next *atomic.Int64, got func(int, []byte) error) (err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r, body := bufio.NewReaderSize(conn, 64<<10), []byte(nil)
	for ctx.Err() == nil {
		i := int(next.Add(1) - 1)
		if i >= len(requests) {
			return nil
		}
		if err := conn.SetDeadline(time.Now().Add(maxWait)); err != nil {
			return err
		}
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		length, err := head(r)
		if err != nil {
			return err
		}
		body = append(body[:0], make([]byte, length)...)
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		if err := got(i, body); err != nil {
			return err
		}
	}
	return ctx.Err()
}
