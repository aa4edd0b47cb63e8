package pattern

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// matches says whether a part of an event matches. Where the event has a list of objects, all that a pattern says of them must be true of
// one and the same of them.
func (o *object) matches(part, event any) bool {
	switch part := part.(type) {
	case map[string]any:
		return o.object(part, event)
	case []any:
		return slices.ContainsFunc(part, func(v any) bool { return o.matches(v, event) }) || len(part) == 0 && o.object(nil, event)
	}
	return o.object(nil, event) // whatever is below it is not there, which a pattern may want
}

func (o *object) object(part map[string]any, event any) bool {
	for i := range o.fields {
		if !o.fields[i].matches(part, event) {
			return false
		}
	}
	for _, alternatives := range o.or {
		if !slices.ContainsFunc(alternatives, func(a *object) bool { return a.object(part, event) }) {
			return false
		}
	}
	return true
}

func (f *field) matches(part map[string]any, event any) bool {
	v, there := part[f.name]
	if f.below != nil {
		if !there {
			return f.below.object(nil, event)
		}
		return f.below.matches(v, event)
	}
	return there && f.leaf(v) || f.absent && !leafAt(event, f.path)
}

// leaf says whether one of the values matches what the event has: of a list, one of its elements.
func (f *field) leaf(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return false
	case []any:
		return slices.ContainsFunc(v, f.leaf)
	}
	return slices.ContainsFunc(f.values, func(want value) bool { return want.takes(v) })
}

// leafAt says whether an event has a value at a path, anywhere: as in EventBridge, objects and empty lists are none.
func leafAt(v any, path []string) bool {
	switch v := v.(type) {
	case map[string]any:
		below, there := v[first(path)]
		return len(path) > 0 && there && leafAt(below, path[1:])
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return leafAt(one, path) })
	}
	return len(path) == 0
}

func first(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[0]
}

// value is something that a leaf may be: string, json.Number, bool or nil.
type value interface{ takes(leaf any) bool }

type (
	exactly    struct{ value any }
	present    struct{}
	not        struct{ any []value }
	prefix     struct{ text string }
	suffix     struct{ text string }
	foldPrefix struct{ text string }
	foldSuffix struct{ text string }
	foldEqual  struct{ text string }
	wildcard   struct{ parts []string } // between the stars
	network    struct{ of netip.Prefix }
	numeric    struct{ all []comparison }
	comparison struct {
		operator string
		number   float64
	}
)

func (x exactly) takes(leaf any) bool { return leaf == x.value }

func (present) takes(any) bool { return true }

func (x not) takes(leaf any) bool {
	return !slices.ContainsFunc(x.any, func(v value) bool { return v.takes(leaf) })
}

func (x prefix) takes(leaf any) bool {
	s, ok := leaf.(string)
	return ok && strings.HasPrefix(s, x.text)
}

func (x suffix) takes(leaf any) bool {
	s, ok := leaf.(string)
	return ok && strings.HasSuffix(s, x.text)
}

func (x foldPrefix) takes(leaf any) bool {
	s, ok := leaf.(string)
	return ok && strings.HasPrefix(strings.ToLower(s), x.text)
}

func (x foldSuffix) takes(leaf any) bool {
	s, ok := leaf.(string)
	return ok && strings.HasSuffix(strings.ToLower(s), x.text)
}

func (x foldEqual) takes(leaf any) bool {
	s, ok := leaf.(string)
	return ok && strings.EqualFold(s, x.text)
}

// takes looks for the parts from left to right. The first one that is found will do: it leaves most for those that follow.
func (x wildcard) takes(leaf any) bool {
	s, ok := leaf.(string)
	last := len(x.parts) - 1
	if !ok || !strings.HasPrefix(s, x.parts[0]) {
		return false
	}
	if last == 0 {
		return s == x.parts[0]
	}
	s = s[len(x.parts[0]):]
	for _, part := range x.parts[1:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, x.parts[last])
}

func (x network) takes(leaf any) bool {
	s, ok := leaf.(string)
	if !ok || len(s) > 64 {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && x.of.Contains(a.Unmap().WithZone(""))
}

func (x numeric) takes(leaf any) bool {
	n, ok := leaf.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	if err != nil || f < -largest || f > largest {
		return false
	}
	for _, c := range x.all {
		if !c.holds(f) {
			return false
		}
	}
	return true
}

func (c comparison) holds(f float64) bool {
	switch c.operator {
	case "<":
		return f < c.number
	case "<=":
		return f <= c.number
	case ">":
		return f > c.number
	case ">=":
		return f >= c.number
	}
	return f == c.number
}
