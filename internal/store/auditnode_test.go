package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestTerms: values that differ little have terms that differ, in all of their bits.
func TestTerms(t *testing.T) {
	t.Parallel()
	seen := map[uint64]string{}
	var ones [termBits]int
	const n = 200_000
	for i := range n {
		value := fmt.Sprintf("%0*d", 1+i%40, i)
		at := term([]Attribute{ByUsername, ByEventName}[i%2], value)
		if other, ok := seen[at]; ok {
			t.Fatalf("%s and %s share a term", value, other)
		}
		seen[at] = value
		for b := range ones {
			ones[b] += int(at >> b & 1)
		}
	}
	for b, have := range ones {
		if have < n*49/100 || have > n*51/100 {
			t.Errorf("bit %d is set %d times of %d", b, have, n)
		}
	}
}

// TestFacts: what is no event, or is cut off, has the facts that can be read, and ends.
func TestFacts(t *testing.T) {
	t.Parallel()
	whole := `{"a":{"b":["x\"}",{"c":null}]},"eventName":"Na\u006de\\","eventSource" : "S", "readOnly": true,"resources":[{"ARN":"r","type":"T"},7,[]],` +
		`"requestParameters":{"memberId":{"userId":"m"},"x":-1.5e3},"serviceEventDetails":{"memberId":"n"}}`
	f := SealedEvent{Event: Event{JSON: []byte(whole)}}.Facts()
	want := []EventResource{{"T", "r"}, {typeUser, "m"}, {typeUser, "n"}}
	if f.Name != `Name\` || f.Source != "S" || !f.ReadOnly || !slices.Equal(f.Resources, want) {
		t.Errorf("%+v", f)
	}
	for i := range whole {
		for _, text := range []string{whole[:i], whole[i:], strings.Replace(whole, whole[i:i+1], "", 1), whole[:i] + "}" + whole[i:]} {
			SealedEvent{Event: Event{JSON: []byte(text)}}.Facts()
		}
	}
}

// TestNodes: each term of a node has the event or the children that it was given, and no other; so has it in the node's parent.
func TestNodes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	want := map[uint64]map[int64]bool{}
	var p pairs
	for range 300 {
		term, event := r.Uint64N(200)<<(r.IntN(2)*32), r.Int64N(fanOut)
		if want[term] == nil {
			want[term] = map[int64]bool{}
		}
		want[term][event] = true
		p = append(p, pair(term, event))
	}
	n := node{data: p.encode(1)}
	up := node{data: n.under(2, 7, nil).encode(2)}
	check := func(n node, term uint64, one int64, many uint64) {
		t.Helper()
		if event, children := n.of(term); event != one || children != many {
			t.Errorf("%x is in %d, %x; want %d, %x", term, event, children, one, many)
		}
	}
	for term := range uint64(220) {
		for _, term := range []uint64{term, term << 32} {
			event, children := int64(-1), uint64(0)
			for event = range want[term] {
				children |= 1 << event
			}
			switch len(want[term]) {
			case 0:
				check(n, term, -1, 0)
				check(up, term, -1, 0)
			case 1:
				check(n, term, event, 0)
				check(up, term, 7*fanOut+event, 0)
			default:
				check(n, term, -1, children)
				check(up, term, -1, 1<<7)
			}
		}
	}
	for i := range 10 {
		(&node{data: n.data[:i]}).of(3)
	}
}
