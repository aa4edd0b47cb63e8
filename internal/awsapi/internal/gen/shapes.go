package main

import (
	"fmt"
	"regexp"
	"slices"
)

var locations = map[string]string{"": "", "header": "awsapi.InHeader", "querystring": "awsapi.InQuery"}

var kinds = map[string]string{
	"structure": "Structure", "list": "List", "map": "Map", "string": "String",
	"integer": "Integer", "long": "Long", "boolean": "Boolean", "timestamp": "Timestamp", "blob": "Blob",
}

// matchers are the patterns that RE2 cannot express, by shape, with the hand-written check in their place.
var matchers = map[string]string{"Duration": "awsapi.MatchDuration"}

// unicodeEscape is Java's \uXXXX, which RE2 writes \x{XXXX}. The sts model has \u10000 and \u10FFFF as well and means them.
var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4,6})`)

// shapes writes the tables.
func (g *generator) shapes() error {
	g.p("var (\n")
	for _, name := range g.types {
		g.claim(shapeVar(name), name)
		if err := g.shape(name, g.Shapes[name]); err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
	}
	g.p(")\n")
	return nil
}

func (g *generator) shape(name string, s *shape) error {
	kind := kinds[s.Type]
	if s.Document {
		kind = "Document"
	}
	g.p("%s = awsapi.Shape{Name: %q, Type: awsapi.%s", shapeVar(name), name, kind)
	if err := g.constraints(name, s); err != nil {
		return err
	}
	if s.Key.Shape != "" {
		g.p(", Key: &%s, Elem: &%s", shapeVar(s.Key.Shape), shapeVar(s.Value.Shape))
	}
	if s.Member.Shape != "" {
		g.p(", Elem: &%s", shapeVar(s.Member.Shape))
	}
	if len(s.Members) > 0 && !s.Document {
		g.p(", Members: []awsapi.Member{\n")
		for _, m := range sortedMembers(s) {
			g.member(s, m)
		}
		g.p("}")
	}
	g.p("}\n")
	return nil
}

func (g *generator) member(s *shape, name string) {
	r := s.Members[name]
	g.p("{Name: %q, Shape: &%s", name, shapeVar(r.Shape))
	if slices.Contains(s.Required, name) {
		g.p(", Required: true")
	}
	if r.Location != "" {
		g.p(", Location: %s, LocationName: %q", locations[r.Location], r.LocationName)
	}
	g.p("},\n")
}

func (g *generator) constraints(name string, s *shape) error {
	if s.Min != nil {
		g.p(", HasMin: true, Min: %d", *s.Min)
	}
	if s.Max != nil {
		g.p(", HasMax: true, Max: %d", *s.Max)
	}
	if len(s.Enum) > 0 {
		g.p(", Enum: %s", stringList(s.Enum))
	}
	if s.Sensitive {
		g.p(", Sensitive: true")
	}
	if s.Union {
		g.p(", Union: true")
	}
	if s.Pattern == "" {
		return nil
	}
	g.p(", Pattern: %q", s.Pattern)
	if m, ok := matchers[name]; ok {
		g.p(", Match: %s", m)
		return nil
	}
	re2 := unicodeEscape.ReplaceAllString(s.Pattern, `\x{$1}`)
	if _, err := regexp.Compile(re2); err != nil {
		return fmt.Errorf("pattern needs a hand-written check: %w", err)
	}
	if re2 != s.Pattern {
		g.p(", RE2: %q", re2)
	}
	return nil
}
