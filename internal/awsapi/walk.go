package awsapi

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sallyport/internal/fault"
)

// walker binds a tree to a structure in one walk, and checks the constraints on the way.
// An error of its methods means that the bytes were not the protocol's; broken constraints are collected.
type walker struct {
	check bool // off where we are the client: a server's answer is not ours to validate
	violations
}

func (w *walker) value(s *Shape, at *path, src any, dst reflect.Value) error {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	switch s.Type {
	case Structure:
		return w.structure(s, at, src, dst)
	case List:
		return w.list(s, at, src, dst)
	case Map:
		return w.mapping(s, at, src, dst)
	case Document:
		if w.check && hasZero(src) {
			w.add(at, "", zeroText)
		}
		return document(src, dst)
	}
	v, err := bindScalar(s, at, src, dst)
	if err != nil || !w.check {
		return err
	}
	for _, c := range s.broken(v) {
		w.add(at, s.shown(v.text), c)
	}
	return nil
}

// structure binds members by their exact names. Unknown ones are ignored, and null is the same as absent, as on AWS.
func (w *walker) structure(s *Shape, at *path, src any, dst reflect.Value) error {
	fields, ok := src.(map[string]any)
	if f, isForm := src.(form); isForm {
		fields, ok = f, true
	}
	if !ok {
		return unexpected(src, "structure", at)
	}
	set := 0
	for i := range s.Members {
		m := &s.Members[i]
		here := &path{parent: at, member: m.Name}
		v := fields[m.Name]
		if v == nil {
			if m.Required && w.check {
				w.missing(here)
			}
			continue
		}
		set++
		if err := w.value(m.Shape, here, v, dst.Field(i)); err != nil {
			return err
		}
	}
	if s.Union && set != 1 && w.check {
		w.add(at, "", "Member must have exactly one member set")
	}
	return nil
}

func (w *walker) list(s *Shape, at *path, src any, dst reflect.Value) error {
	items, ok := items(src)
	if !ok {
		return unexpected(src, "list", at)
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
	if w.check {
		for _, c := range s.brokenSize(int64(len(items))) {
			w.add(at, s.shownList(items), c)
		}
	}
	bad := false
	for i, v := range items {
		broken, err := w.item(s.Elem, &path{parent: at, index: i + 1}, v, dst.Index(i))
		if err != nil {
			return err
		}
		bad = bad || broken
	}
	if bad { // AWS says this once for the list, not once for each item
		w.add(at, s.shownList(items), "Member must satisfy constraint: "+s.Elem.constraints())
	}
	return nil
}

// item binds one element of a list and tells whether it is a scalar that breaks a constraint.
func (w *walker) item(s *Shape, at *path, src any, dst reflect.Value) (bool, error) {
	if src == nil {
		if w.check {
			w.missing(at)
		}
		return false, nil
	}
	if !s.Type.scalar() {
		return false, w.value(s, at, src, dst)
	}
	v, err := bindScalar(s, at, src, dst)
	return w.check && err == nil && len(s.broken(v)) > 0, err
}

func (w *walker) mapping(s *Shape, at *path, src any, dst reflect.Value) error {
	fields, ok := src.(map[string]any)
	if !ok {
		return unexpected(src, "map", at)
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), len(fields)))
	if w.check {
		for _, c := range s.brokenSize(int64(len(fields))) {
			w.add(at, "", c)
		}
	}
	for _, k := range sortedKeys(fields) {
		if w.check && len(s.Key.broken(scalar{k, runes(k)})) > 0 {
			w.add(at, s.Key.shown("["+k+"]"), "Map keys must satisfy constraint: "+s.Key.constraints())
		}
		if fields[k] == nil {
			continue
		}
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := w.value(s.Elem, &path{parent: at, member: k}, fields[k], v); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(k), v)
	}
	return nil
}

// document keeps any JSON value as JSON.
func document(src any, dst reflect.Value) error {
	if t, ok := src.(text); ok {
		src = string(t)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(src); err != nil {
		return fault.Newf(fault.Malformed, "A document is not JSON.")
	}
	dst.SetBytes(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	return nil
}

// hasZero tells whether a text of a JSON value, or the name of a member, has a zero character.
func hasZero(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case text:
		return strings.ContainsRune(string(v), 0)
	case []any:
		return slices.ContainsFunc(v, hasZero)
	case map[string]any:
		for name, e := range v {
			if strings.ContainsRune(name, 0) || hasZero(e) {
				return true
			}
		}
	}
	return false
}

// items are a list's elements: a JSON array, or the numbered members of a form in the order of their numbers.
// An empty list is sent as an empty field.
func items(src any) ([]any, bool) {
	switch v := src.(type) {
	case []any:
		return v, true
	case text:
		return nil, v == ""
	case form:
		members, ok := v["member"].(form)
		if !ok {
			return nil, false
		}
		keys := make([]int, 0, len(members))
		for k := range members {
			n, err := strconv.Atoi(k)
			if err != nil || n < 1 || strconv.Itoa(n) != k {
				return nil, false
			}
			keys = append(keys, n)
		}
		slices.Sort(keys)
		out := make([]any, len(keys))
		for i, n := range keys {
			out[i] = members[strconv.Itoa(n)]
		}
		return out, true
	}
	return nil, false
}

// shownList is how a message repeats a list of scalars; a list of structures is not repeated.
func (s *Shape) shownList(items []any) string {
	if s.Sensitive || s.Elem.Sensitive || !s.Elem.Type.scalar() {
		return ""
	}
	shown := make([]string, 0, len(items))
	for _, v := range items {
		switch v := v.(type) {
		case string:
			shown = append(shown, v)
		case text:
			shown = append(shown, string(v))
		case json.Number:
			shown = append(shown, v.String())
		}
		if len(shown) == maxShown {
			break
		}
	}
	return s.shown("[" + strings.Join(shown, ", ") + "]")
}
