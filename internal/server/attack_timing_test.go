//go:build !race

package server

import (
	"cmp"
	"os"
	"slices"
	"testing"
	"time"
)

// apart is how far the medians may be from one another.
const apart = 2 * time.Millisecond

// TestTimeTellsNothing: what a stranger waits for is no longer for a user who is there than for others. Tries at the names take
// turns, so that whatever else this machine does strikes all alike; when medians are apart, more tries say whether it was chance.
// It is not parallel, since it would measure the other tests, and is left out under the race detector, which slows what it likes.
func TestTimeTellsNothing(t *testing.T) {
	s := besiege(t)
	names := []string{"enabled", "blocked", "no-word", "unknown"}
	s.hire("enabled", rightPassword)
	s.hire("blocked", rightPassword)
	s.disable("blocked")
	s.hire("no-word", "")
	tries := 40
	if os.Getenv("SALLYPORT_SOAK") == "1" {
		tries = 200
	}
	took := make([]map[string][]time.Duration, len(strangersSteps))
	for i := range took {
		took[i] = map[string][]time.Duration{}
	}
	v := s.visit("127.0.0.1")
	for round := 1; ; round++ {
		for n := range tries {
			s.clock.Advance(time.Hour) // no lock and no bound holds, for anybody
			for i := range names {
				v.measure(names[(n+i)%len(names)], took)
			}
		}
		far := tells(t, took, names)
		if !far {
			return
		}
		if round == 3 {
			t.Fatal("the time tells who is there: see above")
		}
	}
}

// tells says whether the medians of a step are apart.
func tells(t *testing.T, took []map[string][]time.Duration, names []string) (far bool) {
	t.Helper()
	for i, step := range strangersSteps {
		medians := map[string]time.Duration{}
		for _, name := range names {
			medians[name] = median(took[i][name])
		}
		distance := spread(medians)
		t.Logf("%s, %d tries: %v, apart %v", step.name, len(took[i][names[0]]), medians, distance)
		far = far || distance > apart
	}
	return far
}

// measure goes through all steps with a name, as somebody new.
func (v *visitor) measure(name string, took []map[string][]time.Duration) {
	v.s.t.Helper()
	clear(v.cookies)
	for i, step := range strangersSteps {
		began := time.Now()
		r := v.send(step.path, step.form(name, "a guess"))
		took[i][name] = append(took[i][name], time.Since(began))
		if r.status >= 400 && step.name != "passkey's options" {
			v.s.t.Fatalf("%s with %s is answered %d %s", step.name, name, r.status, r.body)
		}
	}
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

func spread(medians map[string]time.Duration) time.Duration {
	var all []time.Duration
	for _, m := range medians {
		all = append(all, m)
	}
	return slices.MaxFunc(all, cmp.Compare) - slices.MinFunc(all, cmp.Compare)
}
