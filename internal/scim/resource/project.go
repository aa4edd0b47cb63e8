package resource

import (
	"maps"
	"strings"

	"sallyport/internal/fault"
)

// chosen are names, with what of them is chosen; of an empty one all is.
type chosen map[string]chosen

// Projection is what a client wants to see of resources (RFC 7644 §3.9).
type Projection struct {
	of      *Type
	only    chosen // nil: what is shown by default
	without chosen
}

// Projection reads lists of names. Names that are not known choose nothing.
func (t *Type) Projection(only, without []string) (Projection, error) {
	if only != nil && without != nil {
		return Projection{}, fault.Invalidf("attributes and excludedAttributes exclude each other.")
	}
	return Projection{t, t.choose(only), t.choose(without)}, nil
}

func (t *Type) choose(names []string) chosen {
	if names == nil {
		return nil
	}
	out := chosen{}
	for _, name := range names {
		target, known := t.resolve(strings.TrimSpace(name))
		if known != kept {
			continue
		}
		steps := []string{}
		if target.URN != "" {
			steps = append(steps, target.URN)
		}
		if target.Attr != nil {
			steps = append(steps, target.Attr.Name)
		}
		if target.Part != nil {
			steps = append(steps, target.Part.Name)
		}
		out.add(steps)
	}
	return out
}

// add chooses one more; what is chosen whole stays so.
func (c chosen) add(steps []string) {
	for i, s := range steps {
		next, ok := c[s]
		last := i == len(steps)-1
		switch {
		case ok && len(next) == 0:
			return
		case !ok || last:
			next = chosen{}
			c[s] = next
		}
		c = next
	}
}

// Wants says whether what is under a name of a tree may be shown, so that it is looked for only then.
func (p Projection) Wants(root string) bool {
	a := p.of.attribute(root)
	if a != nil && a.Returned == Always {
		return true
	}
	if p.only != nil {
		_, ok := p.only[root]
		return ok
	}
	inner, not := p.without[root]
	return (a == nil || a.Returned != OnRequest) && (!not || len(inner) > 0)
}

// Asked says whether the client said anything about what it wants.
func (p Projection) Asked() bool { return p.only != nil || p.without != nil }

// Apply leaves of a tree what is to be shown. The tree itself may be changed.
func (p Projection) Apply(tree map[string]any) map[string]any {
	maps.DeleteFunc(tree, func(k string, _ any) bool { return !p.Wants(k) })
	for k, v := range tree {
		if a := p.of.attribute(k); a != nil && a.Returned == Always {
			continue
		}
		if in := p.only[k]; len(in) > 0 {
			prune(v, in, true)
		} else if in := p.without[k]; len(in) > 0 {
			prune(v, in, false)
		}
	}
	return tree
}

// prune leaves in, or takes from, an attribute the parts that are chosen.
func prune(v any, in chosen, keep bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			prune(e, in, keep)
		}
	case map[string]any:
		maps.DeleteFunc(v, func(k string, _ any) bool {
			inner, ok := in[k]
			if ok && len(inner) > 0 {
				prune(v[k], inner, keep)
				return false
			}
			return ok != keep
		})
	}
}
