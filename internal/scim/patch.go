package scim

import (
	"reflect"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/fault"
	"sallyport/internal/store"
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

// patchUser changes parts of a user.
func patchUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	all, err := c.changes(users)
	if err != nil {
		return answer{}, err
	}
	if err := c.allowed(all); err != nil {
		return answer{}, err
	}
	out, err := c.userOut(u)
	if err != nil {
		return answer{}, err
	}
	tree, err := treeOf(out)
	if err != nil {
		return answer{}, err
	}
	delete(tree, "meta")
	for _, ch := range all {
		if err := ch.apply(tree, users); err != nil {
			return answer{}, err
		}
	}
	var in user
	if err := decode(tree, &in, users); err != nil {
		return answer{}, err
	}
	if in.Active == nil {
		return answer{}, fault.Invalidf("active cannot be removed.").WithReason("mutability")
	}
	return c.update(u, in)
}

// allowed refuses what AWS's dialect does: to remove userName or active, or to change one of them twice.
func (c *call) allowed(all []change) error {
	seen := map[string]int{}
	for _, ch := range all {
		a, _ := users.at(filter.Path{AttributePath: filter.AttributePath{URIPrefix: ch.path.AttributePath.URIPrefix, AttributeName: ch.path.AttributePath.AttributeName}})
		switch name := a.name; name {
		case "id", "meta", "schemas":
			return fault.Invalidf("%s cannot be changed.", name).WithReason("mutability")
		case "groups":
			return fault.Invalidf("groups is read only: members are written at their group.").WithReason("mutability")
		case "userName", "active":
			if ch.op == "remove" {
				return fault.Invalidf("%s cannot be removed.", name).WithReason("mutability")
			}
			if seen[name]++; seen[name] > 1 && c.token.Dialect == store.StrictSCIM {
				return fault.Invalidf("%s is changed twice in one request.", name)
			}
		}
	}
	return nil
}
