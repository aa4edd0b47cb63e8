package scim

import (
	"reflect"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/fault"
)

// apply does an operation on a resource's tree.
func (ch change) apply(tree map[string]any, known *schema) error {
	a, _ := known.at(ch.path)
	in := tree
	if uri := ch.path.AttributePath.URI(); uri != "" {
		in = objectAt(tree, enterpriseSchema)
	}
	part := partOf(ch.path)
	switch {
	case a.multiple:
		return ch.applyList(in, a, part)
	case part != "":
		inner := objectAt(in, a.name)
		sub := a.parts[strings.ToLower(part)]
		return ch.set(inner, sub)
	}
	return ch.set(in, a)
}

// objectAt is the object at a key, made when it is missing.
func objectAt(tree map[string]any, key string) map[string]any {
	inner, ok := tree[key].(map[string]any)
	if !ok {
		inner = map[string]any{}
		tree[key] = inner
	}
	return inner
}

func (ch change) set(in map[string]any, a attribute) error {
	if ch.op == "remove" {
		delete(in, a.name)
		return nil
	}
	v, err := a.spell(ch.value)
	if err != nil {
		return err
	}
	parts, isComplex := v.(map[string]any)
	if !isComplex || a.name == "manager" {
		in[a.name] = v
		return nil
	}
	was := objectAt(in, a.name) // the parts that are named are replaced, the others stay
	for k, e := range parts {
		was[k] = e
	}
	return nil
}

// applyList changes a list, or what a filter chooses of it. One that chooses nothing is no fault: what is removed is gone, and what is
// to be set is made as the filter describes it (cases S01, S03).
func (ch change) applyList(in map[string]any, a attribute, part string) error {
	all, _ := in[a.name].([]any)
	if ch.path.ValueExpression == nil && part == "" {
		return ch.applyWhole(in, a, all)
	}
	wanted, err := equalities(ch.path.ValueExpression)
	if err != nil {
		return err
	}
	var left []any
	hit := false
	for _, e := range all {
		inner, _ := e.(map[string]any)
		if !matches(inner, wanted, a) {
			left = append(left, e)
			continue
		}
		hit = true
		if keep, err := ch.applyElement(inner, a, part); err != nil {
			return err
		} else if keep {
			left = append(left, inner)
		}
	}
	if !hit && ch.op != "remove" {
		made := map[string]any{}
		for k, v := range wanted {
			made[k] = v
		}
		if _, err := ch.applyElement(made, a, part); err != nil {
			return err
		}
		if a.parts["primary"].name != "" && len(left) == 0 && made["primary"] == nil {
			made["primary"] = true // the only one
		}
		left = append(left, made)
	}
	in[a.name] = left
	return nil
}

// applyElement changes one element; keep is false when it goes.
func (ch change) applyElement(e map[string]any, a attribute, part string) (keep bool, err error) {
	if part != "" {
		return true, ch.set(e, a.parts[strings.ToLower(part)])
	}
	if ch.op == "remove" {
		return false, nil
	}
	v, err := a.spell(ch.value)
	if err != nil {
		return true, err
	}
	for _, one := range v.([]any) {
		for k, p := range one.(map[string]any) {
			e[k] = p
		}
	}
	return true, nil
}

func (ch change) applyWhole(in map[string]any, a attribute, all []any) error {
	if ch.op == "remove" {
		delete(in, a.name)
		return nil
	}
	v, err := a.spell(ch.value)
	if err != nil {
		return err
	}
	added := v.([]any)
	if ch.op == "replace" {
		in[a.name] = added
		return nil
	}
	for _, e := range added {
		if !slices.ContainsFunc(all, func(was any) bool { return reflect.DeepEqual(was, e) }) {
			all = append(all, e)
		}
	}
	in[a.name] = all
	return nil
}

// equalities are the conditions of a filter that has nothing but eq and and.
func equalities(e filter.Expression) (map[string]any, error) {
	out := map[string]any{}
	bad := fault.Invalidf("A filter in a path compares with eq, joined by and.").WithReason("invalidFilter")
	var walk func(filter.Expression) error
	walk = func(e filter.Expression) error {
		switch e := e.(type) {
		case nil:
			return nil
		case *filter.LogicalExpression:
			if e.Operator != filter.AND {
				return bad
			}
			if err := walk(e.Left); err != nil {
				return err
			}
			return walk(e.Right)
		case *filter.AttributeExpression:
			if !strings.EqualFold(string(e.Operator), "eq") || e.AttributePath.SubAttribute != nil {
				return bad
			}
			out[e.AttributePath.AttributeName] = unescaped(e.CompareValue)
			return nil
		}
		return bad
	}
	return out, walk(e)
}

// matches says whether an element is as the conditions want it. Texts are compared without case, but for ids.
func matches(e, wanted map[string]any, a attribute) bool {
	for k, want := range wanted {
		part, ok := a.parts[strings.ToLower(k)]
		if !ok {
			return false
		}
		have := e[part.name]
		if text, isText := have.(string); isText {
			w, _ := want.(string)
			if !strings.EqualFold(text, w) {
				return false
			}
			continue
		}
		if have == nil && part.boolean {
			have = false
		}
		if have != want {
			return false
		}
	}
	return true
}
