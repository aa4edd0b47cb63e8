package resource

import (
	"strconv"
	"strings"

	"sallyport/internal/fault"
)

// Target is what a name leads to: an attribute, a part of it, or with neither the extension as a whole.
type Target struct {
	URN  string // of the extension; "": the core schema
	Attr *Attribute
	Part *Attribute
}

// Root is the name in a resource's tree under which the target is.
func (t Target) Root() string {
	if t.URN != "" {
		return t.URN
	}
	return t.Attr.Name
}

// knowledge is what a type knows of a name.
type knowledge int

const (
	unknown knowledge = iota
	foreign           // nothing that is kept
	kept
)

// resolve looks a name up: an attribute, a sub-attribute after a dot, with a URN before it or without.
func (t *Type) resolve(name string) (Target, knowledge) {
	in, urn, full := t.attribute, "", name
	switch rest, isCore := after(name, t.Core.URN); {
	case isCore:
		name = rest
	case t.Extension != nil && strings.EqualFold(name, t.Extension.URN):
		return Target{URN: t.Extension.URN}, kept
	case strings.EqualFold(name, t.Core.URN):
		return Target{}, unknown
	case isURN(name):
		if t.Extension == nil {
			return Target{}, foreign
		}
		if name, isCore = after(name, t.Extension.URN); !isCore {
			return Target{}, foreign
		}
		urn = t.Extension.URN
		in = func(name string) *Attribute { return t.Extension.byName[strings.ToLower(name)] }
	}
	first, part, dotted := strings.Cut(name, ".")
	out := Target{URN: urn, Attr: in(first)}
	if out.Attr == nil && !isURN(full) {
		out = t.bare(first)
	}
	switch {
	case out.Attr == nil:
		return out, unknown
	case out.Attr.Foreign:
		return out, foreign
	case !dotted:
		return out, kept
	}
	return out.with(part)
}

func isURN(name string) bool { return len(name) > 4 && strings.EqualFold(name[:4], "urn:") }

// bare is an attribute of the extension by its name alone, as AWS's filter has manager, and Entra's paths.
func (t *Type) bare(name string) Target {
	if !t.Tolerant || t.Extension == nil {
		return Target{}
	}
	return Target{URN: t.Extension.URN, Attr: t.Extension.byName[strings.ToLower(name)]}
}

// with is the target's part of a name.
func (t Target) with(part string) (Target, knowledge) {
	if t.Attr == nil || t.Part != nil {
		return t, unknown
	}
	if t.Part = t.Attr.Part(part); t.Part == nil {
		return t, unknown
	}
	return t, kept
}

// after is what comes after a URN and its colon.
func after(name, urn string) (string, bool) {
	if len(name) > len(urn)+1 && name[len(urn)] == ':' && strings.EqualFold(name[:len(urn)], urn) {
		return name[len(urn)+1:], true
	}
	return name, false
}

// Path is the path of a PATCH's operation (RFC 7644 §3.5.2).
type Path struct {
	Target
	filter *element // nil: none
	text   string
}

// element is a filter in brackets, with what it is made of when it is nothing but eq and and.
type element struct {
	match func(map[string]any) bool
	equal map[string]any // by the names of parts; nil: there is more to it
}

func errPath(format string, args ...any) error {
	return fault.Invalidf(format, args...).WithReason("invalidPath")
}

// path reads a path.
func (t *Type) path(text string) (Path, knowledge, error) {
	bad := errPath("The path of a PATCH is not understood.")
	if len(text) > MaxPath {
		return Path{}, unknown, bad
	}
	p := &parser{text: text}
	name := p.word()
	var inner expression
	var err error
	part := ""
	if p.take('[') {
		if inner, err = p.closed(']', 0, true); err != nil {
			return Path{}, unknown, err
		}
		if p.take('.') {
			if part = p.word(); part == "" {
				return Path{}, unknown, bad
			}
		}
	}
	if name == "" || p.at < len(p.text) {
		return Path{}, unknown, bad
	}
	target, known := t.resolve(name)
	if known == kept && part != "" {
		target, known = target.with(part)
	}
	out := Path{Target: target, text: text}
	if known != kept || inner == nil {
		return out, known, nil
	}
	if target.Attr == nil || target.Attr.Kind != Complex {
		return out, unknown, nil
	}
	out.filter, err = target.Attr.element(inner)
	return out, kept, err
}

// clip is a text of a client's as it can be shown to it.
func clip(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strconv.QuoteToASCII(s)
}
