package revocation

import "sync"

// maxKept bounds what a memo keeps; some 16 MB of callers.
const maxKept = 16_384

// Memo remembers what was read of rights for as long as no change has arrived. Whatever may take a right away is a change
// (hard part 3), so what is remembered stands as firmly as a credential that [Gate.Check] lets pass, and no longer than the
// gate has news of changes. A change of anything empties the memo: what is kept costs a read to find again.
//
// Only what rests on rights alone may be remembered, and no refusal: a grant that is new is no change to anybody who had none.
// The nil Memo remembers nothing. A Memo is safe for concurrent use.
type Memo[K comparable, V any] struct {
	gate *Gate
	kind string // of the changes that empty it; "": of any

	mu      sync.Mutex
	arrival uint64 // of the last change before kept was read
	kept    map[K]V
}

// NewMemo returns an empty memo that lives by a gate's news of changes.
func NewMemo[K comparable, V any](g *Gate) *Memo[K, V] { return &Memo[K, V]{gate: g} }

// NewMemoOf returns an empty memo of what rests on one kind of change alone, such as settings: others do not empty it.
func NewMemoOf[K comparable, V any](g *Gate, kind string) *Memo[K, V] {
	return &Memo[K, V]{gate: g, kind: kind}
}

// Get returns what is remembered of k, or else reads it. read opens its snapshot itself.
func (m *Memo[K, V]) Get(k K, read func() (V, error)) (V, error) {
	if m == nil {
		return read()
	}
	arrival, informed := m.gate.arrival(m.kind) // counted before the snapshot is opened
	if !informed {
		return read()
	}
	if v, ok := m.find(arrival, k); ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		m.keep(arrival, k, v)
	}
	return v, err
}

func (m *Memo[K, V]) find(arrival uint64, k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.arrival != arrival {
		var none V
		return none, false
	}
	v, ok := m.kept[k]
	return v, ok
}

// keep remembers v unless something newer is remembered already.
func (m *Memo[K, V]) keep(arrival uint64, k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if arrival < m.arrival {
		return
	}
	if arrival > m.arrival || len(m.kept) >= maxKept || m.kept == nil {
		m.arrival, m.kept = arrival, map[K]V{}
	}
	m.kept[k] = v
}

// arrival is how many changes have arrived, of one kind or ("") of any, and whether news of them is recent enough to rest on.
func (g *Gate) arrival(kind string) (uint64, bool) {
	if !g.fresh.ok() {
		return 0, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if kind == "" {
		return g.changes.count, true
	}
	return g.changes.kinds[kind], true
}
