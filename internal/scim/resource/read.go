package resource

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"sallyport/internal/fault"
)

// ErrSyntax is AWS's word for requests that are not SCIM.
func ErrSyntax() error {
	return fault.Newf(fault.Malformed, "Request is unparsable, syntactically incorrect, or violates schema.").WithReason("invalidSyntax")
}

// Read makes a resource of what a client sent. Names are taken in any case (RFC 7643 §2.1), booleans as texts, one value for a list; null
// is as if it were absent (§2.5). What is read only is left out, but for id and schemas. What is not known is forgotten by tolerant
// types, and a fault of others.
func (t *Type) Read(tree map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(tree))
	for k, v := range tree {
		if s := t.extension(k); s != nil {
			part, ok := v.(map[string]any)
			if _, twice := out[s.URN]; twice || !ok && v != nil {
				return nil, ErrSyntax()
			}
			read, err := readParts(part, s.byName, t.Tolerant)
			if err != nil {
				return nil, err
			}
			if len(read) > 0 {
				out[s.URN] = read
			}
			continue
		}
		if err := t.readInto(out, k, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *Type) readInto(out map[string]any, k string, v any) error {
	a := t.attribute(k)
	switch {
	case (a == nil || a.Foreign) && t.Tolerant, a != nil && a.Foreign && v == nil:
		return nil
	case a == nil || a.Foreign:
		return errUnsupported(k)
	case a.Mutability == ReadOnly && a.Name != "id" && a.Name != "schemas":
		return nil
	case v == nil:
		return nil
	}
	if _, twice := out[a.Name]; twice {
		return ErrSyntax()
	}
	read, err := a.read(v, t.Tolerant)
	if err == nil {
		out[a.Name] = read
	}
	return err
}

func errUnsupported(name string) error {
	return fault.Invalidf("The attribute %s is not supported.", clip(name))
}

func readParts(tree map[string]any, known map[string]*Attribute, tolerant bool) (map[string]any, error) {
	out := make(map[string]any, len(tree))
	for k, v := range tree {
		a := known[strings.ToLower(k)]
		switch {
		case a == nil && !tolerant:
			return nil, errUnsupported(k)
		case a == nil || v == nil || a.Unsaid || a.Mutability == ReadOnly:
			continue
		}
		if _, twice := out[a.Name]; twice {
			return nil, ErrSyntax()
		}
		var err error
		if out[a.Name], err = a.read(v, tolerant); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read reads the value of an attribute.
func (a *Attribute) read(v any, tolerant bool) (any, error) {
	if !a.Many {
		return a.one(v, tolerant)
	}
	all, ok := v.([]any)
	if !ok {
		all = []any{v} // one, by clients that send no list
	}
	out := make([]any, 0, len(all))
	for _, e := range all {
		forms := tolerant && a.parts["primary"] != nil // lists of labelled values, which forms send blank; a blank member is a mistake
		if e == nil && forms {
			continue
		}
		e, err := a.one(e, tolerant)
		if err != nil {
			return nil, err
		}
		if part, ok := e.(map[string]any); ok && forms && isBlank(part) {
			continue
		}
		out = append(out, e)
	}
	if tolerant && preferred(out) > 1 {
		return nil, fault.Invalidf("Only one of %s can be primary.", a.Name)
	}
	return out, nil
}

// isBlank says that an element has nothing but labels.
func isBlank(part map[string]any) bool {
	for k, v := range part {
		if k != "type" && k != "primary" && isPresent(v) {
			return false
		}
	}
	return true
}

// WithoutBlanks are the elements that have more than labels.
func WithoutBlanks(all []any) []any {
	return slices.DeleteFunc(all, func(e any) bool {
		part, ok := e.(map[string]any)
		return ok && isBlank(part)
	})
}

func preferred(all []any) (n int) {
	for _, e := range all {
		if part, ok := e.(map[string]any); ok && part["primary"] == true {
			n++
		}
	}
	return n
}

// one reads one value.
func (a *Attribute) one(v any, tolerant bool) (any, error) {
	switch a.Kind {
	case Boolean:
		return truth(a.Name, v)
	case Integer, Decimal:
		if n, ok := v.(json.Number); ok {
			return n, nil
		}
	case Complex:
		if all, ok := v.([]any); ok && tolerant && len(all) == 1 { // as Entra has the manager
			v = all[0]
		}
		if s, ok := v.(string); ok && a.parts["value"] != nil { // its value alone, as Entra has it
			v = map[string]any{"value": s}
		}
		if part, ok := v.(map[string]any); ok {
			return readParts(part, a.parts, tolerant)
		}
	default:
		if s, ok := v.(string); ok {
			return s, nil
		}
	}
	if tolerant {
		return nil, fault.Invalidf("%s must be of type %s.", a.Name, or(a.Kind, String))
	}
	return nil, ErrSyntax()
}

// truth reads a boolean, also as a text (case S02).
func truth(attribute string, v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil && len(v) > 1 {
			return b, nil
		}
	}
	return false, fault.Invalidf("%s must be true or false.", attribute).WithReason("invalidValue")
}

// Declares says whether a resource that was read is of a schema; one that says nothing is.
func Declares(tree map[string]any, urn string) bool {
	all, _ := tree["schemas"].([]any)
	return len(all) == 0 || slices.ContainsFunc(all, func(v any) bool { s, _ := v.(string); return strings.EqualFold(s, urn) })
}

// Field is a member of a message by its name in any case, and whether it is there.
func Field(fields map[string]any, name string) (any, bool) {
	if v, ok := fields[name]; ok {
		return v, true
	}
	for k, v := range fields {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}
