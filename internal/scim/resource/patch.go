package resource

import (
	"maps"
	"slices"
	"strings"

	"sallyport/internal/fault"
)

// MaxOperations bounds a PATCH.
const MaxOperations = 1000

// Operation is one of a PATCH (RFC 7644 §3.5.2): about one attribute, since those without a path are taken apart.
type Operation struct {
	Op    string // add, replace, remove
	Path  Path
	Value any  // as the client sent it
	Given bool // Value is there
	of    *Type
}

// Operations reads those of a PATCH's body. What tolerant types do not keep is left out.
func (t *Type) Operations(body map[string]any) ([]Operation, error) {
	raw, _ := Field(body, "Operations")
	ops, ok := raw.([]any)
	if !ok || len(ops) == 0 || len(ops) > MaxOperations {
		return nil, ErrSyntax()
	}
	var out []Operation
	for _, raw := range ops {
		fields, ok := raw.(map[string]any)
		if !ok {
			return nil, ErrSyntax()
		}
		name, _ := Field(fields, "op")
		op, _ := name.(string)
		op = strings.ToLower(op) // Entra's older mode writes Add, Replace (case S02)
		if op != "add" && op != "replace" && op != "remove" {
			return nil, fault.Invalidf("The op of a PATCH is add, replace or remove.").WithReason("invalidSyntax")
		}
		value, given := Field(fields, "value")
		path, _ := Field(fields, "path")
		some, err := t.operations(Operation{Op: op, Value: value, Given: given, of: t}, path)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

func (t *Type) operations(o Operation, path any) ([]Operation, error) {
	text, isText := path.(string)
	if path != nil && !isText {
		return nil, ErrSyntax()
	}
	if text = strings.TrimSpace(text); text != "" {
		return t.operation(o, text, true)
	}
	if o.Op == "remove" {
		return nil, fault.Invalidf("Missing path in PATCH request").WithReason("noTarget")
	}
	fields, ok := o.Value.(map[string]any)
	if !ok {
		return nil, ErrSyntax()
	}
	var out []Operation
	for _, k := range slices.Sorted(maps.Keys(fields)) { // a key may be a path itself, as Entra writes them
		o.Value, o.Given = fields[k], true
		some, err := t.operation(o, k, false)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// operation is one with a path. Without named, the path is a member of a resource, which may be sent back as it was read.
func (t *Type) operation(o Operation, text string, named bool) ([]Operation, error) {
	path, known, err := t.path(text)
	if err != nil {
		return nil, err
	}
	switch {
	case path.Attr != nil && path.Attr.Name == "password":
		if !t.Tolerant {
			break
		}
		return nil, fault.Invalidf("Passwords are not taken by SCIM: people set their own.").WithReason("mutability")
	case t.Tolerant && (known == foreign || known == unknown && !named):
		return nil, nil
	case known == kept && path.Attr == nil:
		return t.extensionOperations(o)
	}
	if known != kept || unsaid(path) && !t.Tolerant {
		return nil, errPath("The path %s is not supported.", clip(text))
	}
	if unsaid(path) {
		return nil, nil
	}
	if skip, err := t.writable(path, named); skip || err != nil {
		return nil, err
	}
	o.Path = path
	return []Operation{o}, o.check()
}

func unsaid(p Path) bool { return p.Part != nil && p.Part.Unsaid }

// writable refuses what is read only; what is only sent back as it was read is skipped.
func (t *Type) writable(p Path, named bool) (skip bool, err error) {
	a := p.Attr
	sentBack := !named && a.Mutability == ReadOnly && (t.Tolerant || a.Name != "groups")
	switch {
	case sentBack:
		return true, nil
	case a.Name == "groups":
		return false, errMutability("groups is read only: members are written at their group.")
	case a.Mutability == ReadOnly:
		return false, errMutability("%s cannot be changed.", a.Name)
	case p.Part != nil && or(p.Part.Mutability, ReadWrite) != ReadWrite:
		return false, errMutability("%s.%s cannot be changed.", a.Name, p.Part.Name)
	}
	return false, nil
}

func errMutability(format string, args ...any) error {
	return fault.Invalidf(format, args...).WithReason("mutability")
}

// extensionOperations are those on the parts of an extension that is written as a whole.
func (t *Type) extensionOperations(o Operation) ([]Operation, error) {
	inner, ok := o.Value.(map[string]any)
	if o.Op == "remove" {
		inner = map[string]any{}
		for _, a := range t.Extension.Attributes {
			inner[a.Name] = nil
		}
	} else if !ok {
		return nil, ErrSyntax()
	}
	var out []Operation
	for _, part := range slices.Sorted(maps.Keys(inner)) {
		o.Value, o.Given = inner[part], o.Op != "remove"
		some, err := t.operation(o, t.Extension.URN+":"+part, false)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// check makes a removal of what is set to null (RFC 7643 §2.5), and refuses a list of which a tolerant type would have to guess what is
// meant: members that a client sends by mistake must neither go nor stay by chance.
func (o *Operation) check() error {
	a := o.Path.Attr
	if whole := a.Many && o.Path.Part == nil; whole && o.of.Tolerant {
		all, isList := o.Value.([]any)
		switch {
		case o.Op == "remove" && o.Given && (o.Value == nil || isList && len(all) == 0):
			return fault.Invalidf("It is not said which of %s to remove: without a value, all are.", a.Name)
		case o.Op == "add" && o.Value == nil, o.Op == "replace" && !o.Given:
			return fault.Invalidf("The value of %s is missing.", a.Name)
		}
	}
	if o.Op != "remove" && o.Value == nil {
		o.Op, o.Given = "remove", false
	}
	return nil
}

// Values are the values of the elements that an operation on a list names, such as the ids of members.
func (o Operation) Values() ([]string, error) {
	if !o.Given || o.Value == nil {
		return nil, nil
	}
	read, err := o.Path.Attr.read(o.Value, o.of.Tolerant)
	if err != nil {
		return nil, err
	}
	all, _ := read.([]any)
	ids := make([]string, 0, len(all))
	for _, e := range all {
		part, _ := e.(map[string]any)
		id, ok := part["value"].(string)
		if !ok || id == "" {
			return nil, fault.Invalidf("One of %s has no value.", o.Path.Attr.Name).WithReason("invalidValue")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Chosen says whether the path has a filter, and the value when that is all that it asks for.
func (p Path) Chosen() (filtered bool, value string) {
	if p.filter == nil {
		return false, ""
	}
	if v, ok := p.filter.equal["value"].(string); ok && len(p.filter.equal) == 1 {
		return true, v
	}
	return true, ""
}

// Chooses says whether an element is one that the path's filter chooses.
func (p Path) Chooses(e map[string]any) bool { return p.filter == nil || p.filter.match(e) }
