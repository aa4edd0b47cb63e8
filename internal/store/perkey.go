package store

import "sync"

// PerKey does work in the background, of each key one piece at a time: what a process does itself before leases tell it from others.
// Its zero value is ready.
type PerKey struct {
	busy sync.WaitGroup
	mu   sync.Mutex
	at   map[string]bool
}

// Go does f, unless work for the key is under way.
func (p *PerKey) Go(key string, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at[key] {
		return
	}
	if p.at == nil {
		p.at = map[string]bool{}
	}
	p.at[key] = true
	p.busy.Go(func() {
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.at, key)
		}()
		f()
	})
}

// Wait returns when all of it has ended.
func (p *PerKey) Wait() { p.busy.Wait() }
