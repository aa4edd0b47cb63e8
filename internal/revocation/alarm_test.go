package revocation

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestAlarm: failing polls are a warning, the end of the news an error in the log, once; and when there is news again the outage is
// told until it is on record. A node that has refused nobody has nothing to tell of.
func TestAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var log bytes.Buffer
	var told []Outage
	fail := errors.New("not now")
	b.Report(func(_ context.Context, o Outage) error { told = append(told, o); return fail })
	b.fresh = freshness{}
	b.fresh.good(time.NewTimer(time.Hour))
	w := &watch{gate: b.Gate, log: slog.New(slog.NewTextHandler(&log, nil)), last: b.Stats()}
	expect := func(step string, warnings, alarms, reports int) {
		t.Helper()
		if n := strings.Count(log.String(), "no news of revocations"); n != warnings {
			t.Errorf("%s: %d warnings, want %d", step, n, warnings)
		}
		if n := strings.Count(log.String(), "level=ERROR msg=\"credentials are refused"); n != alarms {
			t.Errorf("%s: %d alarms, want %d", step, n, alarms)
		}
		if len(told) != reports {
			t.Errorf("%s: told %d times, want %d", step, len(told), reports)
		}
	}
	broken := errors.New("out of reach")
	w.polled(t.Context(), broken)
	w.polled(t.Context(), broken)
	expect("failing", 1, 0, 0)
	w.polled(t.Context(), nil)
	expect("news in time", 1, 0, 0)
	b.fresh.good(time.NewTimer(0))
	w.polled(t.Context(), broken)
	w.polled(t.Context(), broken)
	for range 2 {
		if b.Check(t.Context(), caller()) == nil {
			t.Error("a credential passes without news")
		}
	}
	expect("too long", 2, 1, 0)
	b.lapsed = b.fresh.good(time.NewTimer(time.Hour))
	w.polled(t.Context(), nil)
	expect("news, but no record", 2, 1, 1)
	b.lapsed, fail = false, nil
	w.polled(t.Context(), nil)
	w.polled(t.Context(), nil)
	expect("on record", 2, 1, 2)
	if o := told[1]; o.Refused != 2 || !errors.Is(o.Err, broken) || o != told[0] {
		t.Errorf("told of %+v and %+v", told[0], o)
	}
}
