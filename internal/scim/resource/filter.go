package resource

import (
	"strings"

	"sallyport/internal/fault"
)

// Filter chooses resources of a type.
type Filter struct {
	match func(map[string]any) bool
	needs map[string]int
	equal map[string]string
}

// Filter reads a filter. A name that the type does not know is a fault, unless one of the others does, whose resources are asked for too;
// then, and when it is the RFC's and not kept, it has no value.
func (t *Type) Filter(text string, others ...*Type) (*Filter, error) {
	e, err := parse(text, MaxFilter)
	if err != nil {
		return nil, err
	}
	f := &Filter{needs: map[string]int{}, equal: map[string]string{}}
	c := compiler{lookup: t.among(others), needs: f.needs}
	if f.match, err = c.compile(e); err != nil {
		return nil, err
	}
	c.equalities(e, f.equal)
	return f, nil
}

// among looks names up for a type beside others.
func (t *Type) among(others []*Type) func(string) (Target, knowledge) {
	return func(name string) (Target, knowledge) {
		target, known := t.resolve(name)
		for _, o := range others {
			if _, theirs := o.resolve(name); known == unknown && theirs != unknown {
				known = foreign
			}
		}
		return target, known
	}
}

// Match says whether a resource is chosen.
func (f *Filter) Match(tree map[string]any) bool { return f.match(tree) }

// Needs says whether the filter looks at what is under a name of the tree.
func (f *Filter) Needs(root string) bool { return f != nil && f.needs[root] > 0 }

// Once says whether the filter has a single condition on what is under a name.
func (f *Filter) Once(root string) bool { return f.needs[root] == 1 }

// Equal is what whatever is chosen must have at a path such as userName or members.value: a condition that all others are joined to
// by and. "emails[primary].value" is the value of the primary one.
func (f *Filter) Equal(path string) (string, bool) {
	v, ok := f.equal[path]
	return v, ok
}

// compiler makes functions of expressions.
type compiler struct {
	lookup func(name string) (Target, knowledge)
	needs  map[string]int
}

func (c *compiler) compile(e expression) (func(map[string]any) bool, error) {
	switch e := e.(type) {
	case *logical:
		return c.logical(e)
	case *negation:
		m, err := c.compile(e.of)
		return func(tree map[string]any) bool { return !m(tree) }, err
	case *within:
		return c.within(e)
	case *comparison:
		return c.comparison(e)
	}
	return nil, errFilter("it is empty")
}

func (c *compiler) logical(e *logical) (func(map[string]any) bool, error) {
	all := make([]func(map[string]any) bool, len(e.all))
	for i, one := range e.all {
		var err error
		if all[i], err = c.compile(one); err != nil {
			return nil, err
		}
	}
	return func(tree map[string]any) bool {
		for _, m := range all {
			if m(tree) != e.and {
				return !e.and
			}
		}
		return e.and
	}, nil
}

// find looks a name up; absent says that it can have no value.
func (c *compiler) find(name string) (t Target, absent bool, err error) {
	t, known := c.lookup(name)
	switch known {
	case unknown:
		return t, false, errFilter("there is no attribute " + clip(name))
	case foreign:
		return t, true, nil
	}
	c.needs[t.Root()]++
	return t, false, nil
}

func (c *compiler) within(e *within) (func(map[string]any) bool, error) {
	t, absent, err := c.find(e.name)
	if err != nil {
		return nil, err
	}
	if absent {
		return func(map[string]any) bool { return false }, nil
	}
	if t.Attr == nil || t.Part != nil || t.Attr.Kind != Complex {
		return nil, errFilter(clip(e.name) + " has no parts to compare")
	}
	inner, err := t.Attr.element(e.of)
	if err != nil {
		return nil, err
	}
	return func(tree map[string]any) bool {
		return t.each(tree, func(v any) bool {
			part, ok := v.(map[string]any)
			return ok && inner.match(part)
		})
	}, nil
}

// compiler knows the parts of an attribute by their names.
func (a *Attribute) compiler() *compiler {
	return &compiler{needs: map[string]int{}, lookup: func(name string) (Target, knowledge) {
		if part := a.Part(name); part != nil {
			return Target{Attr: part}, kept
		}
		return Target{}, unknown
	}}
}

// element compiles a filter over one element of an attribute.
func (a *Attribute) element(e expression) (*element, error) {
	c := a.compiler()
	m, err := c.compile(e)
	if err != nil {
		return nil, err
	}
	out := &element{match: m, equal: map[string]any{}}
	if !c.made(e, out.equal) {
		out.equal = nil
	}
	return out, nil
}

// made collects what an element is that a filter of eq and and describes.
func (c *compiler) made(e expression, out map[string]any) bool {
	switch e := e.(type) {
	case *logical:
		for _, one := range e.all {
			if !e.and || !c.made(one, out) {
				return false
			}
		}
		return true
	case *comparison:
		t, _ := c.lookup(e.name)
		if e.op != "eq" || e.value == nil || t.Attr == nil {
			return false
		}
		v, err := t.Attr.read(e.value, true)
		if was, twice := out[t.Attr.Name]; err != nil || twice && was != v {
			return false
		}
		out[t.Attr.Name] = v
		return true
	}
	return false
}

// equalities collects the conditions that must hold whatever else is asked.
func (c *compiler) equalities(e expression, out map[string]string) {
	switch e := e.(type) {
	case *logical:
		for _, one := range e.all {
			if e.and {
				c.equalities(one, out)
			}
		}
	case *comparison:
		if v, ok := e.value.(string); ok && e.op == "eq" {
			if t, known := c.lookup(e.name); known == kept && t.URN == "" {
				out[t.name()] = v
			}
		}
	case *within:
		t, known := c.lookup(e.name)
		if known != kept || t.URN != "" || t.Attr == nil {
			return
		}
		t.Attr.equalities(e.of, out)
	}
}

// equalities collects those of a filter over one element of an attribute: of its value, and of whether it is the primary one.
func (a *Attribute) equalities(e expression, out map[string]string) {
	inner := map[string]string{}
	c := a.compiler()
	c.equalities(e, inner)
	v, ok := inner["value"]
	if !ok {
		return
	}
	if made := map[string]any{}; c.made(e, made) && made["primary"] == true {
		out[a.Name+"[primary].value"] = v
		return
	}
	out[a.Name+".value"] = v
}

// name is the path of what is compared: that of the value, for a complex attribute by itself.
func (t Target) name() string {
	switch {
	case t.Part != nil:
		return t.Attr.Name + "." + t.Part.Name
	case t.Attr.Part("value") != nil:
		return t.Attr.Name + ".value"
	}
	return t.Attr.Name
}

// Equalities are the conditions of a filter of AWS's dialect, eq joined by and, by their names in lower case without URNs. Any other
// filter is a fault.
func Equalities(text string) (map[string]string, error) {
	bad := fault.Invalidf("Invalid Filter format").WithReason("invalidFilter")
	e, err := parse(text, MaxPath)
	if err != nil {
		return nil, bad
	}
	out := map[string]string{}
	if !flatten(e, out) {
		return nil, bad
	}
	return out, nil
}

func flatten(e expression, out map[string]string) bool {
	switch e := e.(type) {
	case *logical:
		for _, one := range e.all {
			if !e.and || !flatten(one, out) {
				return false
			}
		}
		return true
	case *comparison:
		value, ok := e.value.(string)
		name := strings.ToLower(e.name[strings.LastIndexByte(e.name, ':')+1:])
		if _, twice := out[name]; twice || !ok || e.op != "eq" {
			return false
		}
		out[name] = value
		return true
	}
	return false
}
