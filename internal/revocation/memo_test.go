package revocation

import (
	"errors"
	"testing"

	"sallyport/internal/store"
)

// reader counts how often something is read, and says what of it is.
type reader struct {
	runs  int
	value string
	err   error
}

func (r *reader) read() (string, error) {
	r.runs++
	return r.value, r.err
}

func TestMemo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := NewMemo[string, string](b.Gate)
	r := &reader{value: "first"}
	expect := func(step, want string, runs int) {
		t.Helper()
		got, err := m.Get("k", r.read)
		if err != nil || got != want || r.runs != runs {
			t.Errorf("%s: got %q, %v after %d reads; want %q after %d", step, got, err, r.runs, want, runs)
		}
	}
	expect("new", "first", 1)
	r.value = "second"
	expect("remembered", "first", 1)
	if other, err := m.Get("other", r.read); err != nil || other != "second" {
		t.Errorf("another key: got %q, %v", other, err)
	}
	b.change(t, "user:somebody")
	expect("after a change", "second", 3)
	expect("remembered again", "second", 3)
}

// TestMemoRefusal: what could not be read is asked for again.
func TestMemoRefusal(t *testing.T) {
	t.Parallel()
	m := NewMemo[string, string](newBench(t).Gate)
	r := &reader{err: revoked()}
	for range 2 {
		if _, err := m.Get("k", r.read); !errors.Is(err, r.err) {
			t.Errorf("got %v, want the refusal", err)
		}
	}
	if r.runs != 2 {
		t.Errorf("read %d times, want 2", r.runs)
	}
}

// TestMemoRace: a change that arrives while something is read must not be missed, whether the snapshot saw it or not.
func TestMemoRace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := NewMemo[string, string](b.Gate)
	stale, err := m.Get("k", func() (string, error) {
		b.change(t, "user:u1")
		fresh, err := m.Get("k", func() (string, error) { return "after", nil })
		if fresh != "after" || err != nil {
			t.Errorf("inner read: got %q, %v", fresh, err)
		}
		return "before", nil
	})
	if stale != "before" || err != nil {
		t.Errorf("outer read: got %q, %v", stale, err)
	}
	if got, err := m.Get("k", func() (string, error) { return "again", nil }); got != "after" || err != nil {
		t.Errorf("afterwards: got %q, %v; the outer read's value is older than the change", got, err)
	}
}

// TestMemoCutOff: a node without news of changes remembers nothing.
func TestMemoCutOff(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := NewMemo[string, string](b.Gate)
	r := &reader{value: "v"}
	for range 2 {
		if _, err := m.Get("k", r.read); err != nil {
			t.Fatal(err)
		}
	}
	b.fresh.push = false // as on PostgreSQL, and no poll has succeeded
	for range 2 {
		if _, err := m.Get("k", r.read); err != nil {
			t.Fatal(err)
		}
	}
	if r.runs != 3 {
		t.Errorf("read %d times, want 3: once with news, twice without", r.runs)
	}
}

func TestMemoBound(t *testing.T) {
	t.Parallel()
	m := NewMemo[int, int](newBench(t).Gate)
	for k := range maxKept + 2 {
		if v, err := m.Get(k, func() (int, error) { return k, nil }); v != k || err != nil {
			t.Fatal(v, err)
		}
	}
	if n := len(m.kept); n != 2 {
		t.Errorf("%d are kept, want 2: a full memo begins anew", n)
	}
}

func TestMemoNil(t *testing.T) {
	t.Parallel()
	var m *Memo[string, string]
	r := &reader{value: "v"}
	for range 2 {
		if _, err := m.Get("k", r.read); err != nil {
			t.Fatal(err)
		}
	}
	if r.runs != 2 {
		t.Errorf("read %d times, want 2", r.runs)
	}
}

// TestMemoUnrelated: a transaction that takes no right away leaves the memo as it is.
func TestMemoUnrelated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := NewMemo[string, string](b.Gate)
	r := &reader{value: "v"}
	for range 2 {
		if _, err := m.Get("k", r.read); err != nil {
			t.Fatal(err)
		}
		err := b.db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetMeta("anything", "else") })
		if err != nil {
			t.Fatal(err)
		}
	}
	if r.runs != 1 {
		t.Errorf("read %d times, want once", r.runs)
	}
}

// TestMemoOfAKind: only changes of its kind empty it.
func TestMemoOfAKind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := NewMemoOf[struct{}, string](b.Gate, "setting")
	r := &reader{value: "first"}
	expect := func(step, want string, runs int) {
		t.Helper()
		got, err := m.Get(struct{}{}, r.read)
		if err != nil || got != want || r.runs != runs {
			t.Errorf("%s: got %q, %v after %d reads; want %q after %d", step, got, err, r.runs, want, runs)
		}
	}
	expect("new", "first", 1)
	r.value = "second"
	b.change(t, "user:somebody")
	b.change(t, "all")
	expect("changes of other kinds", "first", 1)
	b.change(t, "setting:limits.mode")
	expect("a change of its kind", "second", 2)
	expect("remembered", "second", 2)
}
