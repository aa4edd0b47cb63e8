package resource

import (
	"maps"
	"reflect"
	"slices"

	"sallyport/internal/fault"
)

// Apply does an operation on a resource's tree, which it changes.
func (o Operation) Apply(tree map[string]any) error {
	in := tree
	if o.Path.URN != "" {
		in = objectAt(tree, o.Path.URN)
		defer func() {
			if len(in) == 0 {
				delete(tree, o.Path.URN)
			}
		}()
	}
	a := o.Path.Attr
	switch {
	case a.Many && a.Kind == Complex:
		return o.applyList(in)
	case o.Path.Part != nil:
		inner := objectAt(in, a.Name)
		err := o.set(inner, o.Path.Part)
		if len(inner) == 0 {
			delete(in, a.Name)
		}
		return err
	}
	return o.set(in, a)
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

func (o Operation) set(in map[string]any, a *Attribute) error {
	if o.Op == "remove" {
		delete(in, a.Name)
		return nil
	}
	v, err := a.read(o.Value, o.of.Tolerant)
	if err != nil {
		return err
	}
	parts, isComplex := v.(map[string]any)
	if !isComplex || a.Name == "manager" {
		in[a.Name] = v
		return nil
	}
	maps.Copy(objectAt(in, a.Name), parts) // the parts that are named are replaced, the others stay
	return nil
}

// applyList changes a list, or what a filter chooses of it. What is removed and not there is gone (case S01).
func (o Operation) applyList(in map[string]any) error {
	a := o.Path.Attr
	all, _ := in[a.Name].([]any)
	var err error
	switch {
	case o.Path.filter == nil && o.Path.Part == nil:
		all, err = o.whole(all)
	case !o.of.Tolerant && o.Path.filter != nil && o.Path.filter.equal == nil:
		err = fault.Invalidf("A filter in a path compares with eq, joined by and.").WithReason("invalidFilter")
	default:
		all, err = o.chosen(all)
	}
	if err != nil {
		return err
	}
	if in[a.Name] = all; len(all) == 0 {
		delete(in, a.Name)
	}
	return nil
}

// chosen changes the elements that the path chooses. When it chooses none, one is made as the filter describes it: as Entra expects,
// and AWS does (case S03).
func (o Operation) chosen(all []any) ([]any, error) {
	left := make([]any, 0, len(all)+1)
	var hits []map[string]any
	for _, e := range all {
		inner, _ := e.(map[string]any)
		if f := o.Path.filter; f != nil && !f.match(inner) {
			left = append(left, e)
			continue
		}
		keep, err := o.applyElement(inner)
		if err != nil {
			return nil, err
		}
		same := func(hit map[string]any) bool { return reflect.DeepEqual(hit, inner) }
		if o.replaces() && slices.ContainsFunc(hits, same) {
			continue // all have become the same one
		}
		if hits = append(hits, inner); keep {
			left = append(left, inner)
		}
	}
	if len(hits) == 0 && o.Op != "remove" {
		made, err := o.made()
		if err != nil {
			return nil, err
		}
		if keep, err := o.applyElement(made); err != nil || !keep {
			return left, err
		}
		if o.Path.Attr.Part("primary") != nil && len(left) == 0 && made["primary"] == nil {
			made["primary"] = true // the only one
		}
		hits, left = []map[string]any{made}, append(left, made)
	}
	if o.of.Tolerant {
		return left, o.prefer(left, hits)
	}
	return left, nil
}

// made is the element that the path's filter describes.
func (o Operation) made() (map[string]any, error) {
	f := o.Path.filter
	switch {
	case f == nil:
		return map[string]any{}, nil
	case f.equal == nil:
		return nil, fault.Invalidf("Nothing is at %s, and what to make there cannot be told.", clip(o.Path.text)).WithReason("noTarget")
	}
	return maps.Clone(f.equal), nil
}

// prefer takes primary from the elements beside those that an operation has made so (RFC 7643 §2.4).
func (o Operation) prefer(all []any, changed []map[string]any) error {
	var first map[string]any
	for _, e := range changed {
		if e["primary"] != true || o.Op == "remove" {
			continue
		}
		if first != nil {
			return fault.Invalidf("Only one of %s can be primary.", o.Path.Attr.Name)
		}
		first = e
	}
	if first == nil {
		return nil
	}
	for _, e := range all {
		if inner, ok := e.(map[string]any); ok && reflect.ValueOf(inner).Pointer() != reflect.ValueOf(first).Pointer() {
			delete(inner, "primary")
		}
	}
	return nil
}

// applyElement changes one element; keep is false when it goes.
func (o Operation) applyElement(e map[string]any) (keep bool, err error) {
	if o.Path.Part != nil {
		return true, o.set(e, o.Path.Part)
	}
	if o.Op == "remove" {
		return false, nil
	}
	if o.replaces() {
		return o.replace(e)
	}
	v, err := o.Path.Attr.read(o.Value, o.of.Tolerant)
	if err != nil {
		return true, err
	}
	for _, one := range v.([]any) {
		maps.Copy(e, one.(map[string]any))
	}
	return true, nil
}

// replaces says whether elements that a path's filter chooses are replaced as wholes. AWS's dialect changes the parts that are named.
func (o Operation) replaces() bool {
	return o.Op == "replace" && o.of.Tolerant && o.Path.filter != nil && o.Path.Part == nil
}

// replace makes an element another (RFC 7644 §3.5.2.3). What chose it, and the new one does not name, it still is: so the same request
// finds it again. One that is blank goes.
func (o Operation) replace(e map[string]any) (keep bool, err error) {
	by := o.Value
	if all, isList := by.([]any); isList {
		if len(all) != 1 {
			return true, fault.Invalidf("What %s chooses is replaced by one value.", clip(o.Path.text)).WithReason("invalidValue")
		}
		by = all[0]
	}
	v, err := o.Path.Attr.one(by, true)
	if err != nil {
		return true, err
	}
	clear(e)
	maps.Copy(e, o.Path.filter.equal)
	maps.Copy(e, v.(map[string]any))
	return !isBlank(e), nil
}

// whole changes a list as a whole.
func (o Operation) whole(all []any) ([]any, error) {
	if o.Op == "remove" && (!o.Given || !o.of.Tolerant) {
		return nil, nil
	}
	v, err := o.Path.Attr.read(o.Value, o.of.Tolerant)
	if err != nil {
		return nil, err
	}
	named := v.([]any)
	switch {
	case o.Op == "replace":
		return named, nil
	case o.Op == "remove":
		return slices.DeleteFunc(all, func(e any) bool {
			return slices.ContainsFunc(named, func(n any) bool { return isOf(e, n) })
		}), nil
	}
	var changed []map[string]any
	for _, n := range named {
		at := slices.IndexFunc(all, func(e any) bool { return reflect.DeepEqual(e, n) || o.of.Tolerant && sameValue(e, n) })
		if at < 0 {
			at, all = len(all), append(all, n)
		}
		maps.Copy(all[at].(map[string]any), n.(map[string]any))
		changed = append(changed, all[at].(map[string]any))
	}
	if o.of.Tolerant {
		return all, o.prefer(all, changed)
	}
	return all, nil
}

// isOf says whether an element has all that another names of it.
func isOf(e, named any) bool {
	have, _ := e.(map[string]any)
	want, _ := named.(map[string]any)
	for k, v := range want {
		if have[k] != v && !(v == false && have[k] == nil) {
			return false
		}
	}
	return len(want) > 0
}

// sameValue says whether two elements are one: of one value and type.
func sameValue(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return isPresent(x["value"]) && x["value"] == y["value"] && x["type"] == y["type"]
}
