package vend

import (
	"sync"
	"time"

	"sallyport/internal/store"
)

// Bounds of what is remembered of roles in use.
const (
	maxUses   = 50_000
	exactness = time.Minute // of the time until which a role is known to be in use
)

// uses remembers what the database knows of roles in use, so that giving out credentials of the same role again and again
// writes that once a minute. Its zero value is ready.
type uses struct {
	mu    sync.Mutex
	until map[store.RoleUse]time.Time // by use without its time
}

// known says whether the database knows that the role is in use until then, or nearly so.
func (u *uses) known(use store.RoleUse) bool {
	until := use.Until
	use.Until = time.Time{}
	u.mu.Lock()
	defer u.mu.Unlock()
	have, ok := u.until[use]
	return ok && until.Sub(have) < exactness
}

func (u *uses) learn(use store.RoleUse) {
	until := use.Until
	use.Until = time.Time{}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.until == nil || len(u.until) >= maxUses {
		u.until = map[store.RoleUse]time.Time{}
	}
	u.until[use] = until
}
