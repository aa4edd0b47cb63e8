package server

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRefreshOnThreeNodes: twenty processes that share one refresh token use it at once, on three nodes. All get tokens, the next
// refresh token is the same for all, and any of them goes on. A minute later the first token ends the family, on every node.
func TestRefreshOnThreeNodes(t *testing.T) {
	t.Parallel()
	c := clocktest.At(clock.System{}.Now())
	n := threeNodes(t, node{time: c}, node{time: c}, node{time: c, deaf: true})
	m := n.join("sharer", "")
	var mu sync.Mutex
	next := map[string]bool{}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			token, err := n.all[i%3].renew(m, m.refresh)
			if err != nil {
				t.Errorf("process %d: %v", i, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			next[token] = true
		})
	}
	all.Wait()
	if len(next) != 1 {
		t.Fatalf("%d generations have begun", len(next))
	}
	c.Advance(59 * time.Second)
	for token := range next {
		for i, c := range n.all {
			if _, err := c.renew(m, token); err != nil {
				t.Errorf("the next token on node %d: %v", i, err)
			}
		}
	}
	if err := n.all[1].try(m.bearer, "sso", "ListAccounts"); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	if _, err := n.all[2].renew(m, m.refresh); !refusedAs(err) {
		t.Errorf("used again after a minute: %v", err)
	}
	for i, c := range n.all {
		for token := range next {
			if _, err := c.renew(m, token); !refusedAs(err) {
				t.Errorf("the family goes on on node %d: %v", i, err)
			}
		}
		within(t, revocation.Bound, fmt.Sprint("access tokens end on node ", i), func() bool {
			return refusedAs(c.try(m.bearer, "sso", "ListAccounts"))
		})
	}
}

// TestLateCommitOnThreeNodes: a transaction takes a membership away and stays open, while others commit on other nodes, polls read them,
// and credentials are minted without it. They look newer than their own revocation, and die on every node once it is there.
func TestLateCommitOnThreeNodes(t *testing.T) {
	t.Parallel()
	n := threeNodes(t, node{}, node{}, node{deaf: true})
	n.must(n.assign("Create", 0, "GROUP", n.groups[0]))
	m, other := n.join("late", n.groups[0]), n.join("other", n.groups[0])
	var begun sync.Once
	inside, release, committed := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		committed <- n.update(func(tx *store.Tx) error {
			if err := directory.RemoveMember(tx, n.instance.StoreID, m.membership, "test"); err != nil {
				return err
			}
			begun.Do(func() { close(inside) })
			<-release
			return nil
		})
	}()
	<-inside
	for range 3 { // later changes, which polls pass by the open one
		for _, c := range n.all[1:] {
			n.must(c.server.db.UpdateRelaxed(n.ctx, func(tx *store.Tx) error { return tx.Changed("user:somebody") }))
		}
		time.Sleep(revocation.Bound / 15)
	}
	n.vendFor(m, 1, 0)
	n.vendFor(other, 1, 0)
	for _, c := range n.all {
		n.must(c.try(m.roles, "sts", "GetCallerIdentity"))
	}
	close(release)
	n.must(<-committed)
	for i, c := range n.all {
		n.ended("late removal", "role credentials", i, c, m)
		n.must(c.try(other.roles, "sts", "GetCallerIdentity"))
	}
}

// TestRestartAmongRevocations restarts a node again and again while another ends sessions. Whatever had been ended before its first
// answer is refused by that answer: it is not ready before it has loaded what was revoked.
func TestRestartAmongRevocations(t *testing.T) {
	t.Parallel()
	n := newNodes(t, storetest.NewPostgres(t), node{})
	n.must(n.assign("Create", 0, "GROUP", n.groups[0]))
	var people []*member
	for i := range 24 {
		m := n.join(fmt.Sprint("person", i), n.groups[0])
		n.vendFor(m, 0, 0)
		people = append(people, m)
	}
	var mu sync.Mutex
	ended := 0 // of people
	over := make(chan struct{})
	go func() {
		defer close(over)
		for _, m := range people[:20] {
			if err := n.update(func(tx *store.Tx) error { return n.server.sessions.End(tx, m.portal.ID, "test") }); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			ended++
			mu.Unlock()
			time.Sleep(20 * time.Millisecond)
		}
	}()
	checked := 0
	for done := false; !done; {
		select {
		case <-over:
			done = true
		default:
		}
		mu.Lock()
		before := people[:ended]
		mu.Unlock()
		c, stop := n.start(node{})
		if !c.ready() {
			t.Error("answers before it is ready")
		}
		for i, m := range before {
			for kind, use := range map[string]func(*crowd, *member, string) error{"role credentials": kinds["role credentials"], "portal token": kinds["portal token"]} {
				if err := use(c, m, ""); !refusedAs(err) {
					t.Errorf("%s of person %d, who was signed out before the start: %v", kind, i, err)
				}
			}
			checked++
		}
		for _, m := range people[20:] {
			n.must(c.try(m.roles, "sts", "GetCallerIdentity"))
		}
		stop()
	}
	if checked < 20 {
		t.Errorf("only %d were tried", checked)
	}
}
