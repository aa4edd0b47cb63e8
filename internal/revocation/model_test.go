package revocation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// model is a database whose transactions take time and commit out of order, on a server and nodes whose clocks differ, and
// a gate that learns by polling. Its facts are plain: who is enabled, which session was not ended, which paths grant, and what was
// cut when.
type model struct {
	gate *Gate
	db   *store.DB
	now  time.Time

	state           // committed
	history []state // every state since the last poll, the last poll's first
	open    []*transaction
	unseen  []store.Change // committed, not yet polled
	kept    []store.Change // committed, ever
	creds   []credential.Caller
	runs    int
	last    int64 // number of the last cut
}

// state is what is so: facts, and the number of the last cut of each key.
type state struct {
	facts map[string]bool
	cuts  map[string]int64
}

func (s state) clone() state { return state{maps.Clone(s.facts), maps.Clone(s.cuts)} }

// latestCut is that of what a credential rests on.
func (s state) latestCut(c credential.Caller) (n int64) {
	for _, key := range Keys(c.UserID, c.Account, c.PermissionSet) {
		n = max(n, s.cuts[key])
	}
	return n
}

type transaction struct {
	change store.Change
	fact   string // "": it cuts
	value  bool
	begun  time.Time
}

// factsOf a credential's right: all of the first must hold, and one of the paths that lead to its grant.
func factsOf(c credential.Caller) (all []string, paths []string) {
	grant := "grant:" + string(c.Account) + "/" + c.PermissionSet
	return []string{"user:" + c.UserID, "session:" + c.SessionID}, []string{grant + "#direct", grant + "#group"}
}

func (s state) stands(c credential.Caller) bool {
	facts := s.facts
	if s.latestCut(c) > c.CutsSeen {
		return false
	}
	all, paths := factsOf(c)
	for _, f := range all {
		if !facts[f] {
			return false
		}
	}
	return slices.ContainsFunc(paths, func(p string) bool { return facts[p] })
}

func newModel(db *store.DB) *model {
	m := &model{db: db, now: start, state: state{map[string]bool{}, map[string]int64{}}}
	for u := range 2 {
		m.facts[fmt.Sprint("user:u", u)] = true
		m.facts[fmt.Sprint("session:s", u)] = true
		m.facts[fmt.Sprint("grant:a/set", u, "#direct")] = true
		m.facts[fmt.Sprint("grant:a/set", u, "#group")] = true
	}
	m.restart()
	return m
}

// restart is a node that has crashed and loads the retained tail.
func (m *model) restart() {
	m.gate = New(m.db, func(_ *store.Tx, c credential.Caller) error {
		m.runs++
		if !m.stands(c) {
			return revoked()
		}
		return nil
	})
	m.gate.changes = newChanges(maxKeys, true)
	m.gate.fresh.pushed()
	m.gate.learn(m.kept)
	m.gate.changes.turn()
	m.unseen, m.history = nil, []state{m.clone()}
}

// skew is how far a clock is off: far less than the margin leaves, for a transaction takes up to 10 s of it.
func skew(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(-20, 20).Draw(t, "skew")) * time.Second
}

func (m *model) begin(t *rapid.T) {
	tr := &transaction{fact: rapid.SampledFrom(slices.Sorted(maps.Keys(m.facts))).Draw(t, "fact"), value: rapid.Bool().Draw(t, "value"), begun: m.now}
	if tr.fact[0] == 's' {
		tr.value = false // a session is ended once
	}
	key, _, _ := strings.Cut(tr.fact, "#")
	tr.change = store.Change{ID: fmt.Sprint(len(m.kept), "-", len(m.open), "-", m.now.UnixNano(), tr.fact), Key: key, At: m.now.Add(skew(t))}
	m.open = append(m.open, tr)
}

// cut begins a transaction that cuts something. Its number is that of its commit: it is written where the last one was read.
func (m *model) cut(t *rapid.T) {
	u := rapid.IntRange(0, 1).Draw(t, "which")
	key := rapid.SampledFrom([]string{"account:a", fmt.Sprint("user:u", u), fmt.Sprint("set:set", u), fmt.Sprint("grant:a/set", u)}).Draw(t, "key")
	m.open = append(m.open, &transaction{begun: m.now, change: store.Change{
		ID: fmt.Sprint(len(m.kept), "-", len(m.open), "-", m.now.UnixNano(), "cut", key), Key: key, At: m.now.Add(skew(t)),
	}})
}

func (m *model) commit(i int) {
	tr := m.open[i]
	m.open = slices.Delete(m.open, i, i+1)
	if tr.fact == "" {
		m.last++
		m.cuts[tr.change.Key] = m.last
	} else {
		m.facts[tr.fact] = tr.value
	}
	m.unseen, m.kept = append(m.unseen, tr.change), append(m.kept, tr.change)
	m.history = append(m.history, m.clone())
}

func (m *model) poll(t *rapid.T) {
	list := slices.Clone(m.unseen)
	if len(m.kept) > 0 && rapid.Bool().Draw(t, "again") {
		list = append(list, m.kept[len(m.kept)-1]) // rows come again
	}
	m.gate.learn(list)
	m.gate.changes.turn()
	m.unseen, m.history = nil, m.history[len(m.history)-1:]
}

func (m *model) mint(t *rapid.T) {
	u := rapid.IntRange(0, 1).Draw(t, "user")
	c := credential.Caller{
		Kind: credential.RoleSession, Account: "a", UserID: fmt.Sprint("u", u), SessionID: fmt.Sprint("s", u),
		PermissionSet: fmt.Sprint("set", rapid.IntRange(0, 1).Draw(t, "set")), Issued: m.now.Add(skew(t)),
	}
	c.CutsSeen = m.latestCut(c)
	if m.stands(c) {
		m.creds = append(m.creds, c)
	}
}

// use checks a credential: what the gate says must have been true at some moment since the last poll.
func (m *model) use(t *rapid.T, c credential.Caller) {
	err := m.gate.Check(t.Context(), c)
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(m.history, func(s state) bool { return s.stands(c) == (err == nil) }) {
		t.Fatalf("%s of %s passes: %v; facts %v", c.PermissionSet, c.UserID, err == nil, m.facts)
	}
	runs := m.runs
	if again := m.gate.Check(t.Context(), c); (again == nil) != (err == nil) || err == nil && m.runs != runs { // a refusal is looked into again
		t.Fatalf("used again with nothing in between: %v, evaluated %d times more", again, m.runs-runs)
	}
}

func (m *model) advance(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "ms")) * time.Millisecond)
	for i := len(m.open) - 1; i >= 0; i-- {
		if m.now.Sub(m.open[i].begun) > 10*time.Second { // aborted
			m.open = slices.Delete(m.open, i, i+1)
		}
	}
}

// No revoked credential works once the news is there, no innocent one is refused, losing one of two paths keeps access:
// whatever is granted, revoked, used, delayed, restarted and skewed in whatever order (hard part 3).
func TestModel(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clocktest.At(start))
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(db)
		t.Repeat(map[string]func(*rapid.T){
			"begin": m.begin,
			"cut":   m.cut,
			"commit": func(t *rapid.T) {
				if len(m.open) == 0 {
					t.Skip("none is open")
				}
				m.commit(rapid.IntRange(0, len(m.open)-1).Draw(t, "which"))
			},
			"poll":    m.poll,
			"mint":    m.mint,
			"advance": m.advance,
			"restart": func(*rapid.T) { m.restart() },
			"use": func(t *rapid.T) {
				if len(m.creds) == 0 {
					t.Skip("none is held")
				}
				m.use(t, rapid.SampledFrom(m.creds).Draw(t, "which"))
			},
			"": func(*rapid.T) {},
		})
		m.poll(t)
		for _, c := range m.creds {
			m.use(t, c)
		}
	})
}
