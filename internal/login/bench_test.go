package login_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/login"
)

// BenchmarkWrongPassword shows how long a refusal takes for a name that is somebody's and for one that is nobody's, taken in
// turns: the two distributions must not be told apart. Run it with -benchtime 200x.
func BenchmarkWrongPassword(b *testing.B) {
	w := newWorld(b)
	w.Hasher = login.NewHasher()
	w.setPassword(password, false)
	ids := map[string]string{"known": w.claim("alice", here), "unknown": w.claim("nobody", here)}
	took := map[string][]float64{}
	turn := []string{"known", "unknown"}
	for b.Loop() {
		slices.Reverse(turn) // whoever comes first pays for what went before
		for _, who := range turn {
			start := clock.System{}.Now()
			w.give(ids[who], "wrong", here)
			took[who] = append(took[who], float64(clock.System{}.Now().Sub(start).Microseconds())/1000)
		}
		w.clock.Advance(4 * time.Second) // for the allowance; most tries meet the lock
		if a, err := w.Where(b.Context(), ids["known"]); err != nil || a.ExpiresAt.Sub(w.clock.Now()) < time.Minute {
			ids = map[string]string{"known": w.claim("alice", here), "unknown": w.claim("nobody", here)}
		}
	}
	for who, ms := range took {
		slices.Sort(ms)
		for name, q := range map[string]float64{"p10": .1, "p50": .5, "p90": .9} {
			b.ReportMetric(ms[int(q*float64(len(ms)))], who+"-"+name+"-ms")
		}
	}
}
