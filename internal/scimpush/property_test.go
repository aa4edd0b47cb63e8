package scimpush_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
)

// dice are the same each time (xorshift64).
type dice uint64

func (d *dice) roll(n int) int {
	*d ^= *d << 13
	*d ^= *d >> 7
	*d ^= *d << 17
	return int(uint64(*d) >> 33 % uint64(n))
}

// seeds is how many runs there are of many: ten times as many by scripts/soak.
func seeds(few int) int {
	if os.Getenv("SALLYPORT_SOAK") != "" {
		return 10 * few
	}
	return few
}

// Whatever is changed here and whatever goes wrong on the way, in the end both sides are the same.
func TestWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range seeds(4) {
		for _, how := range []store.Deprovision{store.LeaveDeleted, store.LeaveDisabled} {
			t.Run(fmt.Sprint(seed, how), func(t *testing.T) {
				t.Parallel()
				d := dice(seed*7919 + 1234567)
				w := newWorld(t)
				w.connect(store.StrictSCIM, func(c *scimpush.Change) { c.Deprovision = &how })
				c := &chaos{world: w, dice: &d, reuse: how == store.LeaveDeleted}
				for round := range 25 {
					for range d.roll(6) {
						c.change()
					}
					c.push(round)
				}
				w.wire.reset()
				w.drain()
				if how == store.LeaveDeleted {
					w.same()
				} else {
					c.sameButLeft()
				}
				plan, err := w.worker.Plan(context.Background(), w.target.ID, false)
				if err != nil || len(plan.Items) > 0 {
					t.Errorf("a comparison would do %+v, %v", plan.Items, err)
				}
			})
		}
	}
}

// The same with a server of the RFCs' dialect.
func TestWhateverHappensElsewhere(t *testing.T) {
	t.Parallel()
	for seed := range seeds(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := dice(seed*104729 + 7654321)
			w, f := newWorld(t), newForeign()
			w.wire.handler = withHeaders(f)
			w.connect(store.CompleteSCIM, func(c *scimpush.Change) {
				c.URL, c.Deprovision = new("https://foreign.test/base"), new(store.LeaveDeleted)
			})
			c := &chaos{world: w, dice: &d, reuse: true}
			for round := range 25 {
				for range d.roll(6) {
					c.change()
				}
				c.push(round)
			}
			w.wire.reset()
			w.drain()
			if diff := cmp.Diff(w.local(), f.people()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type chaos struct {
	*world
	dice  *dice
	reuse bool // of names
	made  int
}

// change does one thing here.
func (c *chaos) change() {
	var users []store.User
	var groups []store.Group
	c.look(c.here, func(tx *store.Tx) (err error) {
		if users, _, err = tx.Users(storeID, page.Query{Limit: 1000}); err != nil {
			return err
		}
		groups, _, err = tx.Groups(storeID, page.Query{Limit: 1000})
		return err
	})
	name := func() string {
		c.made++
		if c.reuse {
			return fmt.Sprint("n", c.dice.roll(8))
		}
		return fmt.Sprint("n", c.made)
	}
	err := c.here.Update(context.Background(), func(tx *store.Tx) error {
		kind := c.dice.roll(9)
		switch {
		case kind <= 1 || len(users) == 0:
			_, err := directory.CreateUser(tx, someone(name()), by)
			return err
		case kind == 2 || len(groups) == 0:
			_, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: name()}, by)
			return err
		}
		u, g := users[c.dice.roll(len(users))], groups[c.dice.roll(len(groups))]
		switch kind {
		case 3:
			u.Title, u.UserName = fmt.Sprint("t", c.dice.roll(3)), name()
			_, err := directory.UpdateUser(tx, u, "", by)
			return err
		case 4:
			u.Status = []store.UserStatus{store.UserEnabled, store.UserDisabled}[c.dice.roll(2)]
			_, err := directory.UpdateUser(tx, u, "", by)
			return err
		case 5:
			if c.dice.roll(2) == 0 {
				return directory.DeleteUser(tx, storeID, u.ID, "")
			}
			return directory.DeleteGroup(tx, storeID, g.ID, "")
		case 6:
			g.DisplayName = name()
			_, err := directory.UpdateGroup(tx, g, "", by)
			return err
		case 7:
			m, err := tx.MembershipOf(g.ID, u.ID)
			if err != nil {
				return nil
			}
			return directory.RemoveMember(tx, storeID, m.ID, by)
		}
		_, err := directory.AddMember(tx, storeID, g.ID, u.ID, by)
		return err
	})
	_ = err // names are taken, members are members: nothing has changed then
}

// push lets the worker try, while things go wrong: it is killed, answers are lost, the server has a bad day.
func (c *chaos) push(round int) {
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	at := c.dice.roll(12)
	c.wire.reset()
	trouble := func(n int, lies bool) (*http.Response, error) {
		switch c.dice.roll(14) {
		case 0:
			return nil, errCut
		case 1:
			return answer(http.StatusInternalServerError, "?"), nil
		case 2:
			return answer(http.StatusTooManyRequests, "", "Retry-After", "2"), nil
		case 3:
			if lies {
				return answer(http.StatusOK, "{"), nil
			}
		}
		if n == at {
			kill()
			return nil, errCut
		}
		return nil, nil
	}
	c.wire.before = func(n int, r *http.Request) (*http.Response, error) {
		return trouble(n, r.Method == http.MethodGet || r.Method == http.MethodPost) // of others, an answer of success is all that is asked for
	}
	c.wire.after = func(n int, _ *http.Request, res *http.Response) (*http.Response, error) {
		if lost, err := trouble(n, true); lost != nil || err != nil {
			return lost, err
		}
		return res, nil
	}
	if err := c.worker.Drain(ctx); err != nil && !errors.Is(err, context.Canceled) {
		c.t.Error(err)
	}
	c.worker = c.newWorker(fmt.Sprint("worker", round))
	c.clock.Advance(time.Duration(c.dice.roll(120)) * time.Second)
	if c.dice.roll(10) == 0 {
		c.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, c.target.ID, false); return err })
	}
}

// sameButLeft is same, but for people who have left: they are there still, disabled and in no group.
func (c *chaos) sameButLeft() {
	none := func([]store.ExternalID, string) string { return "" }
	here, there := c.people(c.here, none), c.people(c.there, none)
	for k, v := range here {
		if there[k] != v {
			c.t.Errorf("%s: %q here, %q there", k, v, there[k])
		}
		delete(there, k)
	}
	for k, v := range there {
		if len(v) < 8 || v[:8] != "DISABLED" {
			c.t.Errorf("%s is there still: %s", k, v)
		}
	}
}
