package server

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
)

// spreading is something that takes rights away, what of a person it ends, and what not. Keys of operators are nobody's.
type spreading struct {
	name   string
	ends   []string
	spares []string
	group  bool // the person's path is a group; otherwise an assignment of their own
	both   bool // they have both
	pull   func(n *nodes, m *member) error
}

var spreadings = []spreading{
	{"user disabled", []string{"role credentials", "portal token", "refresh token"}, nil, true, false, func(n *nodes, m *member) error {
		return n.update(func(tx *store.Tx) error {
			u := m.user
			u.Status = store.UserDisabled
			_, err := directory.UpdateUser(tx, u, "", byDev)
			return err
		})
	}},
	{"user deleted", []string{"role credentials", "portal token", "refresh token"}, nil, true, false, func(n *nodes, m *member) error {
		return n.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, n.instance.StoreID, m.user.ID, "") })
	}},
	{"portal session ended", []string{"role credentials", "portal token", "refresh token"}, nil, true, false, func(n *nodes, m *member) error {
		return n.update(func(tx *store.Tx) error { return n.server.sessions.End(tx, m.portal.ID, "test") })
	}},
	{"client signed out", []string{"role credentials", "portal token", "refresh token"}, nil, true, false, func(n *nodes, m *member) error {
		_, _, err := n.exchange(n.ctx, m.bearer, "sso", "Logout", "{}")
		return err
	}},
	{"membership removed", []string{"role credentials", "vending"}, []string{"portal token", "refresh token"}, true, false, func(n *nodes, m *member) error {
		_, err := n.admin("identitystore", "DeleteGroupMembership", fmt.Sprintf(`{"MembershipId": %q}`, m.membership))
		return err
	}},
	{"assignment removed", []string{"role credentials", "vending"}, []string{"portal token", "refresh token"}, false, false, func(n *nodes, m *member) error {
		_, err := n.begin("Delete", 0, "USER", m.user.ID)
		return err
	}},
	{"one of two paths removed", nil, []string{"role credentials", "vending", "portal token", "refresh token"}, true, true, func(n *nodes, m *member) error {
		_, err := n.admin("identitystore", "DeleteGroupMembership", fmt.Sprintf(`{"MembershipId": %q}`, m.membership))
		return err
	}},
}

// kinds are those of credentials and how each is used on a node.
var kinds = map[string]func(c *crowd, m *member, set string) error{
	"role credentials": func(c *crowd, m *member, _ string) error { return c.try(m.roles, "sts", "GetCallerIdentity") },
	"portal token":     func(c *crowd, m *member, _ string) error { return c.try(m.bearer, "sso", "ListAccounts") },
	"vending":          func(c *crowd, m *member, set string) error { _, err := c.vend(m.bearer, set); return err },
	"refresh token": func(c *crowd, m *member, _ string) error {
		_, err := c.renew(m, m.refresh) // the same again and again: within a minute
		return err
	},
}

// TestRevocationSpreads pulls every trigger on one of three nodes: what it ends is refused on each of the others within the bound
// and stays so, what it spares goes on, and innocents who use theirs all the while notice nothing. Nodes hear of changes from each
// other, or by polls alone; their clocks agree, are off and corrected by the database's, or are half a minute off and are not. In the
// last case refresh tokens, whose minute is told by clocks alone, stay out of it.
func TestRevocationSpreads(t *testing.T) {
	t.Parallel()
	for name, of := range map[string][]node{
		"told":                     {{}, {}, {}},
		"polled":                   {{}, {deaf: true}, {deaf: true}},
		"wrong clocks":             {{off: -30 * time.Second}, {off: 30 * time.Second}, {off: time.Hour, deaf: true}},
		"behind, ahead, and apart": {{off: -30 * time.Second, obeyed: true}, {off: 30 * time.Second, obeyed: true, deaf: true}, {}},
		"ahead, behind, and apart": {{off: 30 * time.Second, obeyed: true}, {off: -30 * time.Second, obeyed: true}, {deaf: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := threeNodes(t, of...)
			n.refreshes = !of[0].obeyed
			n.must(n.assign("Create", 0, "GROUP", n.groups[0]))
			people := make([]*member, len(spreadings))
			for i, tr := range spreadings {
				people[i] = n.joinFor(tr, i)
			}
			stop := n.innocents(20, 10)
			for i, tr := range spreadings {
				n.pull(tr, people[i])
			}
			n.keyOff()
			stop()
		})
	}
}

func (n *nodes) joinFor(tr spreading, i int) *member {
	n.t.Helper()
	group := ""
	if tr.group {
		group = n.groups[0]
	}
	m := n.join(fmt.Sprint("person", i), group)
	if !tr.group || tr.both {
		n.must(n.assign("Create", 0, "USER", m.user.ID))
	}
	n.vendFor(m, 1+i%2, 0) // on one node, to be used on all
	return m
}

// pull pulls a trigger on the first node and looks at the others.
func (n *nodes) pull(tr spreading, m *member) {
	n.t.Helper()
	if !n.refreshes {
		refresh := func(kind string) bool { return kind == "refresh token" }
		tr.ends, tr.spares = slices.DeleteFunc(slices.Clone(tr.ends), refresh), slices.DeleteFunc(slices.Clone(tr.spares), refresh)
	}
	for _, c := range n.all {
		for _, kind := range slices.Concat(tr.ends, tr.spares) {
			if err := kinds[kind](c, m, n.sets[0].name); err != nil {
				n.t.Fatalf("%s, before: %s: %v", tr.name, kind, err)
			}
		}
	}
	n.must(tr.pull(n, m))
	var wg sync.WaitGroup
	for i, c := range n.all {
		for _, kind := range tr.ends {
			wg.Go(func() { n.ended(tr.name, kind, i, c, m) })
		}
	}
	wg.Wait()
	for _, c := range n.all {
		for _, kind := range tr.spares {
			if err := kinds[kind](c, m, n.sets[0].name); err != nil {
				n.t.Errorf("%s has ended the %s: %v", tr.name, kind, err)
			}
		}
	}
}

// ended waits until a node refuses what was ended: the first at once, the others within the bound; and then for good.
func (n *nodes) ended(what, kind string, i int, c *crowd, m *member) {
	since := clock.System{}.Now()
	for refused := false; ; {
		err := kinds[kind](c, m, n.sets[0].name)
		switch took := (clock.System{}).Now().Sub(since); {
		case err != nil && !refusedAs(err):
			n.t.Errorf("%s: %s on node %d: %v", what, kind, i, err)
			return
		case err == nil && (refused || i == 0 || took > revocation.Bound):
			n.t.Errorf("%s: %s is accepted on node %d, %v after it was ended; refused before: %v", what, kind, i, took, refused)
			return
		case refused:
			return
		}
		if refused = err != nil; !refused {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// keyOff switches a long-term key off.
func (n *nodes) keyOff() {
	n.t.Helper()
	var key caller
	n.must(n.update(func(tx *store.Tx) error {
		u, err := tx.IAMUser(n.server.instance.Owner, operator)
		if err != nil {
			return err
		}
		id, secret, err := credential.CreateAccessKey(tx, n.server.ring, u)
		key.keys = signer{AccessKeyID: id, SecretAccessKey: string(secret)}
		return err
	}))
	for _, c := range n.all {
		n.must(c.try(key, "sts", "GetCallerIdentity"))
	}
	n.must(n.update(func(tx *store.Tx) error {
		return credential.SetAccessKeyStatus(tx, key.keys.AccessKeyID, store.KeyInactive)
	}))
	for i, c := range n.all {
		n.ended("key off", "role credentials", i, c, &member{roles: key})
	}
}

// innocents are people and their credentials, all of which are used on the other nodes until stop is called, once at least.
func (n *nodes) innocents(people, each int) (stop func()) {
	n.t.Helper()
	var held []*member
	for i := range people {
		m := n.join(fmt.Sprintf("innocent%02d", i), n.groups[0])
		for range each {
			m := *m
			n.vendFor(&m, i%3, 0)
			held = append(held, &m)
		}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-over:
				if i >= len(held) {
					return
				}
			default:
			}
			m, c := held[i%len(held)], n.all[1+i%2]
			for _, kind := range []string{"role credentials", "portal token"} {
				if err := kinds[kind](c, m, ""); err != nil {
					n.t.Errorf("an innocent's %s: %v", kind, err)
					return
				}
			}
		}
	}()
	return func() { close(over); <-ended }
}
