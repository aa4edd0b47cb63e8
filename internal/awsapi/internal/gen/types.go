package main

import (
	"fmt"
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// structs writes the Go types, with a redacting LogValue where a member at any depth is sensitive.
func (g *generator) structs() {
	for _, name := range g.types {
		s := g.Shapes[name]
		if s.Type != "structure" || s.Document {
			continue
		}
		goName := exported(name)
		g.claim(goName, name)
		g.p("// %s is a structure of the model.\ntype %s struct {\n", goName, goName)
		for _, m := range sortedMembers(s) {
			g.p("%s %s\n", exported(m), g.memberType(s, m))
		}
		g.p("}\n\n")
		if g.sensitive(name) {
			g.p("// LogValue hides the sensitive members.\nfunc (v %s) LogValue() slog.Value { return awsapi.LogValue(&%s, v) }\n\n", goName, shapeVar(name))
		}
	}
	for _, name := range sortedKeys(g.empty) {
		g.claim(name, name)
		g.p("// %s is the answer of an operation that returns nothing.\ntype %s struct{}\n\n", name, name)
	}
}

// memberType is a value for a required member and something that can be absent for any other.
func (g *generator) memberType(s *shape, member string) string {
	name := s.Members[member].Shape
	t := g.goType(name)
	kind := g.Shapes[name]
	if slices.Contains(s.Required, member) || kind.Document || kind.Type == "list" || kind.Type == "map" || kind.Type == "blob" {
		return t
	}
	return "*" + t
}

func (g *generator) goType(name string) string {
	s := g.Shapes[name]
	switch {
	case s.Document:
		return "json.RawMessage"
	case len(s.Enum) > 0, s.Type == "structure":
		return exported(name)
	}
	switch s.Type {
	case "list":
		return "[]" + g.goType(s.Member.Shape)
	case "map":
		return "map[string]" + g.goType(s.Value.Shape)
	case "string":
		return "string"
	case "integer":
		return "int32"
	case "long":
		return "int64"
	case "boolean":
		return "bool"
	case "timestamp":
		return "time.Time"
	case "blob":
		return "[]byte"
	}
	panic(fmt.Sprintf("shape %s has type %s", name, s.Type)) // checkMembers has refused it
}

// enums writes a string type with its constants for every enumeration of the model, those of exceptions included.
func (g *generator) enums() {
	for _, name := range sortedKeys(g.Shapes) {
		s := g.Shapes[name]
		if len(s.Enum) == 0 {
			continue
		}
		goName := exported(name)
		g.claim(goName, name)
		g.p("// %s is an enumeration of the model.\ntype %s string\n\n// The values of %s.\nconst (\n", goName, goName, goName)
		for _, v := range s.Enum {
			g.claim(constName(name, v), name+"="+v)
			g.p("%s %s = %q\n", constName(name, v), goName, v)
		}
		g.p(")\n\n")
	}
}

// sensitive tells whether anything in the shape must not be written to a log.
func (g *generator) sensitive(name string) bool {
	if known, ok := g.secret[name]; ok {
		return known
	}
	s := g.Shapes[name]
	g.secret[name] = s.Sensitive // also ends a recursion
	for _, r := range s.Members {
		if g.sensitive(r.Shape) {
			g.secret[name] = true
		}
	}
	for _, r := range []ref{s.Member, s.Value} {
		if r.Shape != "" && g.sensitive(r.Shape) {
			g.secret[name] = true
		}
	}
	return g.secret[name]
}

func (g *generator) anySensitive() bool {
	return slices.ContainsFunc(g.types, func(n string) bool { return g.Shapes[n].Type == "structure" && g.sensitive(n) })
}
