package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	mostBytes  = 30 << 10
	firstPaint = 200 // milliseconds
)

// measured is what the browser says of a page: everything that it has loaded, in bytes before compression, and when it first painted.
const measured = `(async () => {
	let paint
	while (!(paint = performance.getEntriesByName("first-paint")[0])) await new Promise(r => setTimeout(r, 5))
	const all = [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
	return [all.reduce((n, e) => n + e.decodedBodySize, 0), paint.startTime]
})()`

// page measures the first page of the sign-in in Chromium, each time in a new window without a cache, beside an empty page.
func page(ctx context.Context, b bench) (rows []row, err error) {
	server, _, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	empty, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	plain := &http.Server{ReadHeaderTimeout: maxWait, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>x</title><p>x"))
	})}
	go func() { _ = plain.Serve(empty) }()
	defer func() { err = errors.Join(err, plain.Close()) }()
	alloc, stop := chromedp.NewExecAllocator(ctx,
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(b.dir+"/profile"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	defer stop()
	shared, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(shared); err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	var bytes, paints, beside []float64
	for round := range b.rounds + 1 {
		_, none, err1 := look(shared, "http://"+empty.Addr().String()+"/")
		size, paint, err2 := look(shared, "http://"+strings.Replace(server.addr, "127.0.0.1", "localhost", 1)+"/signin")
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if round > 0 {
			bytes, paints, beside = append(bytes, size/1024), append(paints, paint), append(beside, none)
		}
	}
	size, paint := summarize(bytes), summarize(paints)
	return []row{
		{"sign-in page in all, KiB", size.String(), "", "", "≤ 30", size.median*1024 <= mostBytes},
		{"its first paint in Chromium, ms", paint.String(), "an empty page: " + summarize(beside).String(), "", "< 200", paint.median < firstPaint},
	}, server.stop()
}

// look opens a page in a new window, with a new cache, and returns its bytes and the milliseconds until it was painted first.
func look(shared context.Context, url string) (size, paint float64, err error) {
	ctx, cancel := chromedp.NewContext(shared, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		return 0, 0, err
	}
	timed, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	if _, err := chromedp.Run(timed, chromedp.Navigate(url)); err != nil {
		return 0, 0, err
	}
	got, err := chromedp.Run(timed, chromedp.Evaluate[[]float64](measured, chromedp.EvalAwaitPromise))
	if err != nil {
		return 0, 0, err
	}
	return got[0], got[1], nil
}
