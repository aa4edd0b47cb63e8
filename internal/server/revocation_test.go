package server

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRightsUnderLoad changes all that rights rest on from many sides at once, and uses them meanwhile: a use that begins after
// a revocation was answered is refused, a use whose right stands throughout is not, whatever happens to the rights of others
// or to another path of the same right (hard part 3). All of it goes over HTTP, on each engine.
func TestRightsUnderLoad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := newCrowd(t, open(t, clock.System{}))
		var changing, using sync.WaitGroup
		over := make(chan struct{})
		for i, change := range c.changers() {
			changing.Go(func() {
				for d := dice(i + 1); ; {
					select {
					case <-over:
						return
					default:
						c.changes.Add(1)
						if err := change(&d); err != nil {
							t.Errorf("change %d: %v", i, err)
							return
						}
					}
				}
			})
		}
		for i := range 4 {
			using.Go(func() {
				d := dice(1000 + i)
				for range uses {
					c.use(&d, -1)
				}
			})
		}
		using.Wait()
		close(over)
		changing.Wait()
		t.Logf("accepted %d, refused %d, undecided %d, changes %d", c.accepted.Load(), c.refused.Load(), c.undecided.Load(), c.changes.Load())
		if c.accepted.Load() < uses/10 || c.refused.Load() < uses/10 {
			t.Error("too little was decided to mean anything")
		}
	})
}

// uses is how often each user of rights uses one.
const uses = 300

// The crowd's size.
const (
	people = 6
	groups = 2
	sets   = 2
)

// facts are those of a login, and of a right to a set if one is named.
func (c *crowd) facts(l *signedIn, set int) []*fact {
	out := []*fact{c.enabled[l.user], l.portal, l.client}
	if set < 0 {
		return out
	}
	out = append(out, c.direct[l.user][set])
	for g := range c.groups {
		out = append(out, c.member[l.user][g], c.assigned[g][set])
	}
	if set == 0 {
		out = append(out, c.passing[l.user])
	}
	return out
}

// stood says of the facts of a right whether it stood.
func stood(v []verdict) verdict {
	person := all(v[:3]...)
	if len(v) == 3 {
		return person
	}
	paths := []verdict{v[3]}
	for g := range groups {
		paths = append(paths, all(v[4+2*g:6+2*g]...))
	}
	return all(person, some(append(paths, v[4+2*groups:]...)...))
}

// use uses something of somebody's, and holds the answer against what is known.
func (c *crowd) use(d *dice, user int) {
	l, held := c.pick(d, user)
	var err error
	var out any
	set, what := -1, "ListAccounts"
	send := func(who caller, service, input string) func() {
		return func() { out, _, err = c.exchange(c.ctx, who, service, what, input) }
	}
	call := send(l.caller, "sso", "{}")
	switch {
	case held != nil && d.roll(2) == 0:
		set, what = held.set, "GetCallerIdentity"
		call = send(held.caller, "sts", "{}")
	case held != nil:
		set, what = held.set, "ListPermissionSets"
		call = send(held.caller, "sso-admin", "{}")
	case d.roll(3) > 0:
		set, what = d.roll(sets), "GetRoleCredentials"
		call = send(l.caller, "sso", vending(c.sets[set].name))
	}
	right := stood(during(c.facts(l, set), call))
	c.judge(fmt.Sprintf("%s of user %d, set %d", what, l.user, set), right, err)
	if what == "GetRoleCredentials" && err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.credits = append(c.credits, &credit{l, set, caller{keys: keysOf(out)}})
	}
}

// vend gets role credentials for a set.
func (c *crowd) vend(who caller, set string) (caller, error) {
	out, _, err := c.exchange(c.ctx, who, "sso", "GetRoleCredentials", vending(set))
	if err != nil {
		return caller{}, err
	}
	return caller{keys: keysOf(out)}, nil
}

func vending(set string) string {
	return fmt.Sprintf(`{"AccountId": %q, "RoleName": %q}`, sampleMember, set)
}

func keysOf(out any) signer {
	keys := out.(map[string]any)["roleCredentials"]
	return signer{AccessKeyID: text(keys, "accessKeyId"), SecretAccessKey: text(keys, "secretAccessKey"), SessionToken: text(keys, "sessionToken")}
}

// pick chooses a login, or more often credentials: of a user, unless it is -1, and most of the time of the latest, since all
// die soon.
func (c *crowd) pick(d *dice, user int) (*signedIn, *credit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.credits) > 0 && d.roll(4) > 0 {
		k := choose(d, c.credits, func(k *credit) bool { return user < 0 || k.user == user })
		return k.signedIn, k
	}
	return choose(d, c.logins, func(l *signedIn) bool { return user < 0 || l.user == user }), nil
}

// choose is one of the latest few that fit, or anyone.
func choose[T any](d *dice, from []T, fits func(T) bool) T {
	if d.roll(5) > 0 {
		skip := d.roll(4)
		for i := len(from) - 1; i >= 0; i-- {
			if !fits(from[i]) {
				continue
			}
			if skip--; skip < 0 {
				return from[i]
			}
		}
	}
	return from[d.roll(len(from))]
}

func (c *crowd) judge(what string, v verdict, err error) {
	var refused *awsapi.ResponseError
	if err != nil && !errors.As(err, &refused) {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	if err != nil && (throttled(err) || refused.Status >= 500) {
		c.t.Errorf("%s: %v", what, err)
	}
	switch {
	case v == maybe:
		c.undecided.Add(1)
	case v == yes && err != nil:
		c.t.Errorf("%s was refused although the right stood: %v", what, err)
	case v == no && err == nil:
		c.t.Errorf("%s was accepted although the right was gone", what)
	case err == nil:
		c.accepted.Add(1)
	default:
		c.refused.Add(1)
	}
}
