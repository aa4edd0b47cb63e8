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

// deployment is a database and several nodes over it, each with a gate and a clock that is off by up to half a minute. Nodes open
// transactions that take up to ten seconds and commit in any order; a node knows its own commits at once and those of others when it
// polls; it crashes and loads what is kept; and sometimes so few changes are told apart that they are often too many.
type deployment struct {
	db    *store.DB
	now   time.Time
	facts map[string]bool // committed
	nodes []*modelNode
	open  []*pending
	kept  []store.Change // committed, ever, in the order of commits
	creds []credential.Caller
	made  int
	keys  int // are told apart
}

type modelNode struct {
	gate *Gate
	off  time.Duration
	seen int               // of deployment.kept, at the last poll
	past []map[string]bool // every state since the last poll, the last poll's first
}

type pending struct {
	node   *modelNode
	change store.Change
	fact   string
	value  bool
	begun  time.Time
}

func newDeployment(t *rapid.T, db *store.DB) *deployment {
	d := &deployment{db: db, now: start, facts: map[string]bool{}, keys: rapid.SampledFrom([]int{3, 1000}).Draw(t, "keys")}
	for u := range 3 {
		d.facts[fmt.Sprint("user:u", u)] = true
		d.facts[fmt.Sprint("session:s", u)] = true
		d.facts[fmt.Sprint("grant:a/set", u, "#direct")] = true
		d.facts[fmt.Sprint("grant:a/set", u, "#group")] = true
	}
	for range 3 {
		n := &modelNode{off: time.Duration(rapid.SampledFrom([]int{-30, 30, 0, -7, 21}).Draw(t, "off")) * time.Second}
		d.crash(n)
		d.nodes = append(d.nodes, n)
	}
	return d
}

// crash is the node's end and new beginning.
func (d *deployment) crash(n *modelNode) {
	n.gate = New(d.db, func(_ *store.Tx, c credential.Caller) error {
		if !standsWith(d.facts, c) {
			return revoked()
		}
		return nil
	})
	n.gate.changes = newChanges(d.keys, true)
	n.gate.fresh.pushed()
	d.open = slices.DeleteFunc(d.open, func(p *pending) bool { return p.node == n }) // aborted
	d.poll(n, d.kept)
}

// poll is what a node learns of others.
func (d *deployment) poll(n *modelNode, list []store.Change) {
	n.gate.learn(list)
	n.gate.changes.turn()
	n.seen, n.past = len(d.kept), []map[string]bool{maps.Clone(d.facts)}
}

func standsWith(facts map[string]bool, c credential.Caller) bool {
	grant := "grant:" + string(c.Account) + "/" + c.PermissionSet
	return facts["user:"+c.UserID] && facts["session:"+c.SessionID] && (facts[grant+"#direct"] || facts[grant+"#group"])
}

func (d *deployment) begin(t *rapid.T) {
	n := rapid.SampledFrom(d.nodes).Draw(t, "node")
	p := &pending{node: n, fact: rapid.SampledFrom(slices.Sorted(maps.Keys(d.facts))).Draw(t, "fact"), value: rapid.Bool().Draw(t, "value"), begun: d.now}
	if strings.HasPrefix(p.fact, "session:") {
		p.value = false // a session is ended once
	}
	key, _, _ := strings.Cut(p.fact, "#")
	d.made++
	p.change = store.Change{ID: fmt.Sprint(d.made), Key: key, At: d.now.Add(n.off)}
	d.open = append(d.open, p)
}

func (d *deployment) commit(t *rapid.T) {
	if len(d.open) == 0 {
		t.Skip("none is open")
	}
	i := rapid.IntRange(0, len(d.open)-1).Draw(t, "which")
	p := d.open[i]
	d.open = slices.Delete(d.open, i, i+1)
	d.facts[p.fact] = p.value
	d.kept = append(d.kept, p.change)
	p.node.gate.learn([]store.Change{p.change}) // before the caller is answered
	for _, n := range d.nodes {
		n.past = append(n.past, maps.Clone(d.facts))
	}
}

func (d *deployment) mint(t *rapid.T) {
	n := rapid.SampledFrom(d.nodes).Draw(t, "node")
	u := rapid.IntRange(0, 2).Draw(t, "user")
	c := credential.Caller{
		Kind: credential.RoleSession, Account: "a", UserID: fmt.Sprint("u", u), SessionID: fmt.Sprint("s", u),
		PermissionSet: fmt.Sprint("set", rapid.IntRange(0, 2).Draw(t, "set")), Issued: d.now.Add(n.off),
	}
	if standsWith(d.facts, c) {
		d.creds = append(d.creds, c)
	}
}

// use holds what a node says against what was so at some moment since its last poll.
func (d *deployment) use(t *rapid.T, n *modelNode, c credential.Caller) {
	err := n.gate.Check(t.Context(), c)
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(n.past, func(f map[string]bool) bool { return standsWith(f, c) == (err == nil) }) {
		t.Fatalf("%s of %s, issued %v, passes: %v; facts %v", c.PermissionSet, c.UserID, c.Issued.Sub(start), err == nil, d.facts)
	}
	if l := len(n.gate.changes.latest); l > d.keys {
		t.Fatalf("%d keys are kept", l)
	}
}

func (d *deployment) advance(t *rapid.T) {
	d.now = d.now.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "ms")) * time.Millisecond)
	d.open = slices.DeleteFunc(d.open, func(p *pending) bool { return d.now.Sub(p.begun) > 10*time.Second }) // aborted
}

// TestModelOfNodes: whatever is granted, revoked, used, delayed, crashed and told wrong times, in whatever order and on whatever of
// three nodes, nothing revoked passes once the news is there, and nobody is refused whose right stands.
func TestModelOfNodes(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clocktest.At(start))
	rapid.Check(t, func(t *rapid.T) {
		d := newDeployment(t, db)
		node := func() *modelNode { return rapid.SampledFrom(d.nodes).Draw(t, "node") }
		t.Repeat(map[string]func(*rapid.T){
			"begin": d.begin, "commit": d.commit, "mint": d.mint, "advance": d.advance,
			"poll": func(t *rapid.T) {
				n := node()
				from := max(0, n.seen-rapid.IntRange(0, 2).Draw(t, "again")) // rows come again
				d.poll(n, d.kept[from:])
			},
			"crash": func(*rapid.T) { d.crash(node()) },
			"use": func(t *rapid.T) {
				if len(d.creds) == 0 {
					t.Skip("none is held")
				}
				d.use(t, node(), rapid.SampledFrom(d.creds).Draw(t, "which"))
			},
			"": func(*rapid.T) {},
		})
		for _, n := range d.nodes {
			d.poll(n, d.kept[n.seen:])
			for _, c := range d.creds {
				d.use(t, n, c)
			}
		}
	})
}
