package main

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"slices"
)

// generator writes one package.
type generator struct {
	bytes.Buffer
	service
	*model
	authz  authz
	ops    []string            // operation names, sorted
	types  []string            // shapes reachable from operations, sorted
	secret map[string]bool     // shapes that hold something sensitive at any depth
	names  map[string]string   // Go names given so far, with what they were given to
	clash  error               // two names that became one
	empty  map[string]struct{} // synthetic types of operations without output
}

func generate(s service, m *model, a authz) ([]byte, error) {
	g := &generator{service: s, model: m, authz: a, secret: map[string]bool{}, names: map[string]string{}, empty: map[string]struct{}{}}
	g.ops = slices.Sorted(maps.Keys(m.Operations))
	if err := g.check(); err != nil {
		return nil, err
	}
	g.types = g.reachable()
	g.header()
	g.info()
	g.interfaces()
	g.operations()
	g.structs()
	g.enums()
	if err := g.shapes(); err != nil {
		return nil, err
	}
	if g.clash != nil {
		return nil, g.clash
	}
	src, err := format.Source(g.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format: %w\n%s", err, g.Bytes())
	}
	return src, nil
}

func (g *generator) p(format string, args ...any) { fmt.Fprintf(g, format, args...) }

// reachable lists the shapes that some input or output is made of.
func (g *generator) reachable() []string {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if name == "" || seen[name] {
			return
		}
		seen[name] = true
		s := g.Shapes[name]
		for _, r := range s.Members {
			visit(r.Shape)
		}
		visit(s.Member.Shape)
		visit(s.Key.Shape)
		visit(s.Value.Shape)
	}
	for _, op := range g.Operations {
		visit(op.Input.Shape)
		visit(op.Output.Shape)
	}
	return slices.Sorted(maps.Keys(seen))
}

// check refuses what the generator or the walker has no answer for, instead of generating something that is nearly right.
func (g *generator) check() error {
	if _, ok := protocols[g.Metadata.Protocol]; !ok {
		return fmt.Errorf("protocol %q is not one that the walker knows", g.Metadata.Protocol)
	}
	for _, op := range g.ops {
		row, ok := g.authz.Operations[op]
		if !ok {
			return fmt.Errorf("authz.json has no row for %s", op)
		}
		if row.Access != "read" && row.Access != "write" {
			return fmt.Errorf("authz.json: access of %s is %q, want read or write", op, row.Access)
		}
		if g.Operations[op].Input.Shape == "" {
			return fmt.Errorf("%s has no input", op)
		}
		if err := g.checkSelf(op); err != nil {
			return err
		}
	}
	for op := range g.authz.Operations {
		if _, ok := g.Operations[op]; !ok {
			return fmt.Errorf("authz.json has a row for %s, which the model lacks", op)
		}
	}
	return g.checkMembers()
}

// checkSelf refuses a self operation that could reach beyond the caller: it is authenticated, decided by policy, and names no user.
func (g *generator) checkSelf(name string) error {
	op := g.Operations[name]
	if !op.Self {
		return nil
	}
	if op.AuthType == "none" || g.authz.Operations[name].Action == "" {
		return fmt.Errorf("%s is a self operation and is not authorized", name)
	}
	if in, ok := g.Shapes[op.Input.Shape]; ok {
		if _, named := in.Members["UserId"]; named {
			return fmt.Errorf("%s is a self operation and names a user", name)
		}
	}
	return nil
}

func (g *generator) checkMembers() error {
	for name, s := range g.Shapes {
		if _, ok := kinds[s.Type]; !ok {
			return fmt.Errorf("%s has type %q, which the walker does not know", name, s.Type)
		}
		refs := map[string]ref{}
		maps.Copy(refs, s.Members)
		for part, r := range map[string]ref{"(member)": s.Member, "(key)": s.Key, "(value)": s.Value} {
			if r.Shape != "" {
				refs[part] = r
			}
		}
		for m, r := range refs {
			if _, ok := g.Shapes[r.Shape]; !ok {
				return fmt.Errorf("%s.%s refers to %q, which the model lacks", name, m, r.Shape)
			}
			if _, ok := locations[r.Location]; !ok && !s.Exception {
				return fmt.Errorf("%s.%s has location %q, which the walker does not know", name, m, r.Location)
			}
		}
	}
	return nil
}

// claim keeps two model names from becoming one Go name.
func (g *generator) claim(goName, from string) {
	if old, taken := g.names[goName]; taken && old != from {
		g.clash = fmt.Errorf("%s and %s would both be %s", old, from, goName)
	}
	g.names[goName] = from
}

func sortedMembers(s *shape) []string { return slices.Sorted(maps.Keys(s.Members)) }
