package scim

import (
	"fmt"
	"slices"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// The guard keeps a source whose feed comes empty from taking everything away: what its clients remove in a while is added up, and
// when that is more than a share of what is there, nothing more of the kind is removed until somebody approves of it. Clients are
// told to try again, so that they do when somebody has. Disabling goes on at once: it can be undone.
//
// It is for tokens of the complete dialect: AWS has none, and clients that know AWS do not know the answer.

// Times of the guard.
const (
	maxMembers  = 1_000_000       // of a group: how many users there may be
	guardSlices = 12              // of the window: so exactly is it known when something was removed
	guardAgain  = 5 * time.Minute // Retry-After
	guardNoted  = time.Minute     // how exactly the last refusal is known
)

// removal is what a request takes away.
type removal struct {
	kind  store.SCIMKind
	group string // of memberships: of this group
	n     int
	gone  int // how many of them are gone already, and so are not counted with what is left
}

// removesUser admits the deletion of a user. It is asked before.
func (c *call) removesUser() error {
	return c.admitRemovals(removal{kind: store.SCIMUsers, n: 1})
}

// removesGroup admits the deletion of a group with its memberships. It is asked before. That the group loses all of its own members
// is what deletion means; of all memberships they are as many as any others.
func (c *call) removesGroup(g store.Group) error {
	if !c.guarded() {
		return nil
	}
	n, err := c.tx.CountMembers(g.ID, maxMembers)
	if err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	return c.admitRemovals(removal{kind: store.SCIMGroups, n: 1}, removal{kind: store.SCIMMemberships, n: n})
}

// changedMembers admits what was done to the members of a group: the transaction undoes it.
func (c *call) changedMembers(g store.Group, added, removed int) error {
	if err := c.throttleMembers(added + removed); err != nil {
		return err
	}
	return c.admitRemovals(removal{store.SCIMMemberships, g.ID, removed, removed}, removal{store.SCIMMemberships, "", removed, removed})
}

// guarded says whether removals of this request are added up.
func (c *call) guarded() bool {
	return c.token.Dialect == store.CompleteSCIM && c.settings.SCIMGuardWindow > 0
}

// admitRemovals adds removals up in the transaction that does them, so that of those who remove at once none is missed.
func (c *call) admitRemovals(all ...removal) error {
	if all[0].n == 0 || !c.guarded() {
		return nil
	}
	approved, err := c.tx.SCIMApproval(c.from.ID)
	if err != nil {
		return fmt.Errorf("load approval: %w", err)
	}
	if c.tx.Now().Before(approved.Until) {
		return nil
	}
	for _, r := range all { // two at most
		if err := c.admitRemoval(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) admitRemoval(r removal) error {
	share := c.settings.SCIMGuardShare
	if r.group != "" {
		share = c.settings.SCIMGuardGroupShare
	}
	if r.n == 0 || share == 0 {
		return nil
	}
	now := c.tx.Now()
	g, err := c.tx.SCIMGuard(c.from.ID, r.kind, r.group)
	if err != nil {
		return fmt.Errorf("load removals: %w", err)
	}
	if g.Stops(now, c.settings.SCIMGuardMemory()) {
		return c.held(g, r, share)
	}
	g.TrippedAt, g.RefusedAt = time.Time{}, time.Time{}
	removed := forget(&g, now, c.settings.SCIMGuardWindow)
	if all := removed + r.n; all > c.settings.SCIMGuardFloor {
		if err := c.count(&g, removed, r, (all*100+share-1)/share); err != nil {
			return err
		}
		if all*100 > g.Owned*share {
			return c.held(g, r, share)
		}
	}
	add(&g, now, c.settings.SCIMGuardWindow/guardSlices, r.n)
	return explain(c.tx.PutSCIMGuard(g), "store removals")
}

// forget drops what was removed before the window that ends now, and says how many were removed in it.
func forget(g *store.SCIMGuard, now time.Time, window time.Duration) int {
	start := now.Add(-window)
	g.Removed = slices.DeleteFunc(g.Removed, func(r store.SCIMRemovals) bool { return !r.From.After(start) })
	return g.Total(start)
}

// add keeps a removal with those of its slice of the window.
func add(g *store.SCIMGuard, now time.Time, slice time.Duration, n int) {
	if last := len(g.Removed) - 1; last >= 0 && now.Before(g.Removed[last].From.Add(slice)) {
		g.Removed[last].N += n
		return
	}
	g.Removed = append(g.Removed, store.SCIMRemovals{From: now, N: n})
}

// count finds whether there were as many as needed, with what was removed. It counts no further than twice that, and that is good for
// as long as removals are added up: so all that is counted is a few times what is removed.
func (c *call) count(g *store.SCIMGuard, removed int, r removal, needed int) (err error) {
	now := c.tx.Now()
	if g.Owned >= needed && now.Before(g.CountedAt.Add(c.settings.SCIMGuardWindow)) {
		return nil
	}
	var left int
	if r.group != "" {
		left, err = c.tx.CountMembers(r.group, 2*needed)
	} else {
		left, err = c.tx.CountOwned(r.kind, c.from.StoreID, c.from.ID, 2*needed)
	}
	g.Owned, g.CountedAt = left+removed+r.gone, now
	return explain(err, "count what the source has")
}

func explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// heldError is a removal that was refused.
type heldError struct {
	fault   *fault.Error
	removal removal
	guard   store.SCIMGuard // as it was found
	share   int
}

func (e *heldError) Error() string { return e.fault.Error() }
func (e *heldError) Unwrap() error { return e.fault }

var guardWords = map[store.SCIMKind]string{store.SCIMUsers: "users", store.SCIMGroups: "groups", store.SCIMMemberships: "members of groups"}

func (c *call) held(g store.SCIMGuard, r removal, share int) error {
	what := guardWords[r.kind]
	if r.group != "" {
		what = "members of the group " + r.group
	}
	f := fault.Newf(fault.Unavailable, "The source %s has asked to remove more than %d%% of its %s within %s. Nothing was removed. "+
		"If that is meant, an administrator approves it with the command: sallyport scim approve %s. Then try again.",
		c.from.Name, share, what, setting.Format(c.settings.SCIMGuardWindow), shellWord(c.from.Name))
	f.RetryAfter = guardAgain
	return &heldError{f, r, g, share}
}
