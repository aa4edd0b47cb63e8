package resource

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// each hands what a tree has at a name to fn until it says yes: every element of a list.
func (t Target) each(tree map[string]any, fn func(any) bool) bool {
	if t.URN != "" {
		tree, _ = tree[t.URN].(map[string]any)
	}
	if t.Attr == nil {
		return len(tree) > 0 && fn(tree)
	}
	v, ok := tree[t.Attr.Name]
	if !ok { // a boolean that is not said is false
		return t.Attr.Kind == Boolean && fn(nil)
	}
	all, isList := v.([]any)
	if !isList {
		return fn(v)
	}
	for _, e := range all {
		if fn(e) {
			return true
		}
	}
	return false
}

// comparison compiles one comparison. Of a list, one element that is as asked is enough.
func (c *compiler) comparison(e *comparison) (func(map[string]any) bool, error) {
	t, absent, err := c.find(e.name)
	if err != nil {
		return nil, err
	}
	if absent {
		is := e.op == "ne" && e.value != nil || e.op == "eq" && e.value == nil
		return func(map[string]any) bool { return is }, nil
	}
	leaf, part := t.leaf()
	if leaf == nil && e.op != "pr" {
		return nil, errFilter(clip(e.name) + " has parts, one of which is to be named")
	}
	value := func(v any) any {
		if part == "" {
			return v
		}
		m, _ := v.(map[string]any)
		return m[part]
	}
	if e.op == "pr" || e.value == nil {
		return presence(t, e.op, value)
	}
	test, err := leaf.test(e.op, e.value)
	if err != nil {
		return nil, err
	}
	if e.op == "ne" { // what is not there is not the same
		return func(tree map[string]any) bool {
			some := false
			return t.each(tree, func(v any) bool { some = true; return test(value(v)) }) || !some
		}, nil
	}
	return func(tree map[string]any) bool {
		return t.each(tree, func(v any) bool { return test(value(v)) })
	}, nil
}

// presence asks whether there is a value: by pr, or as what is not null.
func presence(t Target, op string, value func(any) any) (func(map[string]any) bool, error) {
	present := func(tree map[string]any) bool { return t.each(tree, func(v any) bool { return isPresent(value(v)) }) }
	switch op {
	case "pr", "ne":
		return present, nil
	case "eq":
		return func(tree map[string]any) bool { return !present(tree) }, nil
	}
	return nil, errFilter("null can only be compared with eq and ne")
}

// leaf is the attribute whose values are compared, and the part of elements in which they are. A complex attribute by itself is
// compared by its value; nil: it has none.
func (t Target) leaf() (leaf *Attribute, part string) {
	switch {
	case t.Part != nil:
		return t.Part, t.Part.Name
	case t.Attr == nil:
		return nil, ""
	case t.Attr.Kind != Complex:
		return t.Attr, ""
	}
	if v := t.Attr.Part("value"); v != nil {
		return v, v.Name
	}
	return nil, ""
}

func isPresent(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// test makes the comparison of one value.
func (a *Attribute) test(op string, want any) (func(any) bool, error) {
	switch a.Kind {
	case Boolean:
		b, err := truth(a.Name, want)
		if err != nil || op != "eq" && op != "ne" {
			return nil, errFilter(a.Name + " is compared with true or false, by eq or ne")
		}
		return func(v any) bool {
			have, _ := v.(bool) // what is not said is false
			return (have == b) == (op == "eq")
		}, nil
	case Integer, Decimal:
		return a.numberTest(op, want)
	case DateTime:
		if op != "co" && op != "sw" && op != "ew" {
			return a.timeTest(op, want)
		}
	}
	text, ok := want.(string)
	if !ok {
		return nil, errFilter(a.Name + " is compared with a text")
	}
	spell := Fold
	if a.Exact {
		spell = func(s string) string { return s }
	}
	text = spell(text)
	return func(v any) bool {
		s, ok := v.(string)
		return compared(op, spell(s), text, ok)
	}, nil
}

func compared(op, have, want string, is bool) bool {
	switch op {
	case "co":
		return is && strings.Contains(have, want)
	case "sw":
		return is && strings.HasPrefix(have, want)
	case "ew":
		return is && strings.HasSuffix(have, want)
	}
	return ordered(op, cmp.Compare(have, want), is)
}

// ordered reads an order by an operator; what is no value is only not equal.
func ordered(op string, order int, is bool) bool {
	if !is {
		return op == "ne"
	}
	switch op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

func (a *Attribute) numberTest(op string, want any) (func(any) bool, error) {
	n, _ := want.(json.Number)
	w, err := n.Float64()
	if err != nil || op == "co" || op == "sw" || op == "ew" {
		return nil, errFilter(a.Name + " is compared with a number, by its size")
	}
	return func(v any) bool {
		n, _ := v.(json.Number)
		have, err := n.Float64()
		return ordered(op, cmp.Compare(have, w), err == nil)
	}, nil
}

func (a *Attribute) timeTest(op string, want any) (func(any) bool, error) {
	text, _ := want.(string)
	w, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, errFilter(a.Name + " is compared with a time such as 2026-01-31T09:00:00Z")
	}
	return func(v any) bool {
		s, _ := v.(string)
		have, err := time.Parse(time.RFC3339, s)
		return ordered(op, have.Compare(w), err == nil)
	}, nil
}

// Fold maps texts to one representative of all that strings.EqualFold holds equal, as unique names are in the directory.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if ascii = s[i] < utf8.RuneSelf; !ascii {
			break
		}
	}
	if ascii {
		return strings.ToUpper(s)
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
