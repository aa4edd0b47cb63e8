package scim

import (
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/fault"
)

// change is one operation of a PATCH (RFC 7644 §3.5.2).
type change struct {
	op    string // add, replace, remove
	path  filter.Path
	value any
}

// changes reads the operations of a PATCH. Operations without a path are taken apart into ones with a path for each attribute.
func (c *call) changes(known *schema) ([]change, error) {
	ops, ok := fieldOf(c.tree, "Operations").([]any)
	if !ok || len(ops) == 0 || len(ops) > maxOps {
		return nil, errSyntax()
	}
	var out []change
	for _, raw := range ops {
		fields, ok := raw.(map[string]any)
		if !ok {
			return nil, errSyntax()
		}
		op, _ := fieldOf(fields, "op").(string)
		op = strings.ToLower(op) // Entra's older mode writes Add, Replace (case S02)
		if op != "add" && op != "replace" && op != "remove" {
			return nil, fault.Invalidf("The op of a PATCH is add, replace or remove.").WithReason("invalidSyntax")
		}
		some, err := changesOf(op, fieldOf(fields, "path"), fieldOf(fields, "value"), known)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// fieldOf is a member by its name in any case.
func fieldOf(fields map[string]any, name string) any {
	if v, ok := fields[name]; ok {
		return v
	}
	for k, v := range fields {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

func changesOf(op string, path, value any, known *schema) ([]change, error) {
	text, isText := path.(string)
	if path != nil && !isText {
		return nil, errSyntax()
	}
	if text = strings.TrimSpace(text); text != "" {
		one, err := changeAt(op, text, value, known)
		return []change{one}, err
	}
	if op == "remove" {
		return nil, fault.Invalidf("Missing path in PATCH request").WithReason("noTarget")
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, errSyntax()
	}
	var out []change
	for _, k := range sortedKeys(fields) { // a key may be a path itself, as Entra writes them
		if k == "schemas" || k == "id" || k == "meta" {
			continue // sent back as read
		}
		if strings.EqualFold(k, enterpriseSchema) {
			inner, ok := fields[k].(map[string]any)
			if !ok {
				return nil, errSyntax()
			}
			for _, part := range sortedKeys(inner) {
				one, err := changeAt(op, enterpriseSchema+":"+part, inner[part], known)
				if err != nil {
					return nil, err
				}
				out = append(out, one)
			}
			continue
		}
		one, err := changeAt(op, k, fields[k], known)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// maxPath bounds a path and a filter, in bytes.
const maxPath = 1024

func changeAt(op, text string, value any, known *schema) (change, error) {
	bad := fault.Invalidf("The path of a PATCH is not understood.").WithReason("invalidPath")
	if len(text) > maxPath {
		return change{}, bad
	}
	p, err := parsePath(text)
	if err != nil {
		return change{}, bad
	}
	if _, ok := known.at(p); !ok {
		return change{}, fault.Invalidf("The path %s is not supported.", clip(text)).WithReason("invalidPath")
	}
	if op != "remove" && value == nil {
		op = "remove" // null is absent (RFC 7643 §2.5)
	}
	return change{op, p, value}, nil
}

// parsePath reads a path; the schema's own URN before it says nothing.
func parsePath(text string) (filter.Path, error) {
	for _, urn := range []string{userSchema + ":", groupSchema + ":"} {
		if len(text) > len(urn) && strings.EqualFold(text[:len(urn)], urn) {
			text = text[len(urn):]
		}
	}
	return filter.ParsePathNumber([]byte(text))
}

// at is the attribute that a path is about.
func (s *schema) at(p filter.Path) (attribute, bool) {
	in := s.attributes
	if uri := p.AttributePath.URI(); uri != "" {
		extension, ok := in[strings.ToLower(uri)]
		if !ok {
			return attribute{}, false
		}
		in = extension.parts
	}
	a, ok := in[strings.ToLower(p.AttributePath.AttributeName)]
	if !ok || a.refused {
		return a, false
	}
	if part := partOf(p); part != "" {
		_, ok = a.parts[strings.ToLower(part)]
	}
	return a, ok
}

// partOf is the sub-attribute that a path names, before or after a filter.
func partOf(p filter.Path) string {
	if s := p.SubAttributeName(); s != "" {
		return s
	}
	return p.AttributePath.SubAttributeName()
}
