package endpoint

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// exchange is what is told of a request when it has been answered.
type exchange struct {
	start     time.Time
	source    Source
	service   *awsapi.Service
	operation string
	known     bool // the caller was verified
}

const (
	// unknown is the operation of a request that names none of ours: what it names instead is no label and no log field.
	unknown = "unknown"
	// clientGone is the code of a request whose client did not wait for the answer.
	clientGone = "ClientGone"
)

// observe counts a request and writes its one log line.
func (a *API) observe(r *http.Request, x *exchange, err error) {
	code := ""
	switch {
	case gone(r.Context(), err):
		code = clientGone
	case err != nil:
		code, _ = x.service.Code(err)
	}
	a.told(r, x, code, err)
}

// told counts and writes.
func (a *API) told(r *http.Request, x *exchange, code string, err error) {
	now := a.Clock.Now()
	if err != nil && code != clientGone && fault.KindOf(err) == fault.Internal { // its text is for the log alone: the wire has one for all of them
		a.Log.ErrorContext(r.Context(), "operation failed", "operation", x.operation, "request_id", x.source.RequestID, "error", err)
	}
	took := now.Sub(x.start)
	a.Metrics.observe(x.service.ID, x.operation, code, took)
	skipped, ok := 0, true
	if !x.known {
		skipped, ok = a.noise.sample(now)
	}
	if ok {
		a.Log.InfoContext(r.Context(), "request", "service", x.service.ID, "operation", x.operation, "error_code", code,
			"request_id", x.source.RequestID, "source_ip", x.source.IP, "duration", took, "skipped", skipped)
	}
}

// gone tells whether the work was given up because the client did not wait for it. Nothing was decided then.
func gone(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// noise samples the log lines of callers whom nobody knows: they are counted all, but must not fill a disk (hard part 4).
type noise struct {
	mu      sync.Mutex
	lines   *rate.Limiter
	skipped int
}

// How many lines strangers may cause.
const (
	noiseRate  = 10 // a second
	noiseBurst = 100
)

// sample tells whether to write a line, and how many were left out before it.
func (n *noise) sample(now time.Time) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines == nil {
		n.lines = rate.NewLimiter(noiseRate, noiseBurst)
	}
	if !n.lines.AllowN(now, 1) {
		n.skipped++
		return 0, false
	}
	skipped, n.skipped = n.skipped, 0
	return skipped, true
}

// SourceOf is where a request came from, with a new id.
func SourceOf(r *http.Request) Source {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	ua := r.UserAgent()
	if len(ua) > 1024 {
		ua = ua[:1024]
	}
	return Source{IP: ip, UserAgent: ua, RequestID: arn.NewUUID(), TLS: audit.TLSOf(r)}
}
