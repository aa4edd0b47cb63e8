package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// Parse reads a pattern. An Invalid fault says what is wrong with it, and where.
func Parse(text string) (*Pattern, error) {
	if len(text) > MaxSize {
		return nil, fault.Invalidf("The pattern has %d characters: it may have %d.", len(text), MaxSize)
	}
	if !utf8.ValidString(text) {
		return nil, fault.Invalidf("The pattern is not valid UTF-8.")
	}
	r := &reader{d: json.NewDecoder(bytes.NewReader([]byte(text)))}
	r.d.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Invalidf("The pattern goes on after its end.")
	}
	root, isObject := v.(members)
	if !isObject {
		return nil, fault.Invalidf(`The pattern is not an object such as {"detail":{"eventName":["CreateUser"]}}.`)
	}
	o, n, err := r.object(root, nil)
	if err != nil {
		return nil, err
	}
	if n > maxCombinations {
		return nil, fault.Invalidf("The pattern has %d combinations of $or: it may have %d.", n, maxCombinations)
	}
	return &Pattern{o, text}, nil
}

// members are an object's, in order: encoding/json takes the last of two of one name without a word.
type members []member

type member struct {
	name  string
	value any
}

func (m members) get(name string) (any, bool) {
	i := slices.IndexFunc(m, func(x member) bool { return x.name == name })
	if i < 0 {
		return nil, false
	}
	return m[i].value, true
}

// reader reads a pattern.
type reader struct {
	d         *json.Decoder
	wildcards int
}

func (r *reader) token() (json.Token, error) {
	t, err := r.d.Token()
	if err != nil {
		return nil, fault.Invalidf("The pattern is not JSON: %v, after %d characters.", err, r.d.InputOffset())
	}
	return t, nil
}

func (r *reader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.Invalidf("The pattern is more than %d levels deep.", maxDepth)
	}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return r.members(depth)
	case json.Delim('['):
		return r.list(depth)
	}
	return t, nil
}

func (r *reader) members(depth int) (members, error) {
	all := members{}
	for r.d.More() {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder takes nothing else
		if _, twice := all.get(name); twice {
			return nil, fault.Invalidf("The pattern has %q twice in one object.", name)
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, member{name, v})
	}
	_, err := r.token()
	return all, err
}

func (r *reader) list(depth int) ([]any, error) {
	all := []any{}
	for r.d.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, err := r.token()
	return all, err
}

// object reads an object of the pattern, and counts its combinations of $or.
func (r *reader) object(all members, path []string) (*object, int, error) {
	if len(all) == 0 {
		return nil, 0, fault.Invalidf("The pattern has an empty object%s: leave it out, or say what is in it.", at(path))
	}
	o, combinations := &object{}, 1
	for _, m := range all {
		n := 1
		var err error
		if m.name == "$or" {
			n, err = r.or(o, m.value, path)
		} else {
			n, err = r.field(o, m, path)
		}
		if err != nil {
			return nil, 0, err
		}
		combinations = min(combinations*n, maxCombinations+1)
	}
	return o, combinations, nil
}

func (r *reader) or(o *object, v any, path []string) (sum int, err error) {
	list, _ := v.([]any)
	if len(list) < 2 {
		return 0, fault.Invalidf(`The pattern's $or%s is not a list of two or more objects.`, at(path))
	}
	var alternatives []*object
	for _, one := range list {
		below, isObject := one.(members)
		if !isObject {
			return 0, fault.Invalidf(`The pattern's $or%s is not a list of objects.`, at(path))
		}
		a, n, err := r.object(below, path)
		if err != nil {
			return 0, err
		}
		alternatives, sum = append(alternatives, a), sum+n
	}
	o.or = append(o.or, alternatives)
	return sum, nil
}

func (r *reader) field(o *object, m member, path []string) (int, error) {
	f := field{name: m.name, path: append(slices.Clone(path), m.name)}
	n := 1
	switch v := m.value.(type) {
	case members:
		var err error
		if f.below, n, err = r.object(v, f.path); err != nil {
			return 0, err
		}
	case []any:
		if err := r.leaf(&f, v); err != nil {
			return 0, err
		}
	default:
		return 0, fault.Invalidf("The pattern has a single value%s: write a list, such as [%q].", at(f.path), "value")
	}
	o.fields = append(o.fields, f)
	return n, nil
}

func (r *reader) leaf(f *field, list []any) error {
	if len(list) == 0 {
		return fault.Invalidf("The pattern has an empty list%s, which nothing matches.", at(f.path))
	}
	for _, v := range list {
		switch v := v.(type) {
		case []any:
			return fault.Invalidf("The pattern has a list in a list%s.", at(f.path))
		case members:
			if err := r.operator(f, v); err != nil {
				return err
			}
		default:
			f.values = append(f.values, exactly{v})
		}
	}
	return nil
}
