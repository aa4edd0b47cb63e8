package server

import (
	"context"
	"log/slog"
	"strings"
)

// quiet passes on what net/http has to say, but for failed TLS handshakes, which anybody can make: those are for debugging.
type quiet struct{ slog.Handler }

// Handle passes a record on.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: TLS handshake error") {
		if !q.Enabled(ctx, slog.LevelDebug) {
			return nil
		}
		r.Level = slog.LevelDebug
	}
	return q.Handler.Handle(ctx, r)
}
