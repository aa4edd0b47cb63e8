package probe

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// violation is an input that breaks the model in one place.
type violation struct {
	name  string
	input any
	kind  fault.Kind
	want  string
}

// place is a spot in the input: how to put a value there, all around it being valid, and what AWS calls it.
type place struct {
	path     string
	put      func(v any) any
	protocol awsapi.Protocol
}

func violations(in *awsapi.Shape, protocol awsapi.Protocol) []violation {
	return at(in, place{put: func(v any) any { return v }, protocol: protocol})
}

// at lists the violations of a shape and of everything below it.
func at(s *awsapi.Shape, p place) []violation {
	out := p.wrongType(s)
	switch s.Type {
	case awsapi.Structure:
		return append(out, p.structure(s)...)
	case awsapi.List:
		return append(out, p.list(s)...)
	case awsapi.Map:
		return append(out, p.mapping(s)...)
	}
	for _, b := range broken(s) {
		out = append(out, p.breaks(b))
	}
	return out
}

// bad is a value that breaks one constraint.
type bad struct {
	how, constraint string
	value           any
}

func (p place) breaks(b bad) violation {
	want := fmt.Sprintf("at '%s' failed to satisfy constraint: %s", p.path, b.constraint)
	return violation{name: p.path + " " + b.how, input: p.put(b.value), kind: fault.Invalid, want: want}
}

func (p place) structure(s *awsapi.Shape) []violation {
	var out []violation
	if s.Union {
		const one = "Member must have exactly one member set"
		out = append(out, p.breaks(bad{"without a member", one, map[string]any{}}))
		if len(s.Members) > 1 {
			two := map[string]any{s.Members[0].Name: sample(s.Members[0].Shape), s.Members[1].Name: sample(s.Members[1].Shape)}
			out = append(out, p.breaks(bad{"with two members", one, two}))
		}
	}
	for _, m := range s.Members {
		if m.Location == awsapi.InHeader {
			continue
		}
		below := p.member(s, &m)
		if m.Required {
			without := maps.Clone(sampleStructure(s))
			delete(without, m.Name)
			if p.protocol != awsapi.Query || len(without) > 0 || p.path == "" { // as in sample
				want := fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", below.path)
				out = append(out, violation{name: below.path + " missing", input: p.put(without), kind: fault.Invalid, want: want})
			}
		}
		out = append(out, at(m.Shape, below)...)
	}
	return out
}

func (p place) list(s *awsapi.Shape) []violation {
	var out []violation
	for _, b := range brokenSize(s) {
		b.value = repeated(sample(s.Elem), b.value.(int64))
		out = append(out, p.breaks(b))
	}
	if isScalar(s.Elem) {
		for _, b := range broken(s.Elem) { // AWS names the list, and all that its items must satisfy
			b.how, b.constraint, b.value = "item "+b.how, "Member must satisfy constraint: [", []any{b.value}
			out = append(out, p.breaks(b))
		}
		return out
	}
	return append(out, at(s.Elem, p.item())...)
}

// member is the place of a member, beside the members that must be there.
func (p place) member(s *awsapi.Shape, m *awsapi.Member) place {
	return place{path: join(p.path, lowerCamel(m.Name)), protocol: p.protocol, put: func(v any) any {
		fields := sampleStructure(s)
		if s.Union {
			clear(fields)
		}
		fields[m.Name] = v
		return p.put(fields)
	}}
}

// item is the place of a list's only item.
func (p place) item() place {
	return place{path: p.path + ".1.member", protocol: p.protocol, put: func(v any) any { return p.put([]any{v}) }}
}

func (p place) mapping(s *awsapi.Shape) []violation {
	var out []violation
	for _, b := range brokenSize(s) {
		entries := map[string]any{}
		for i := range b.value.(int64) {
			entries[sampleString(s.Key)+strings.Repeat("x", int(i))] = sample(s.Elem)
		}
		b.value = entries
		out = append(out, p.breaks(b))
	}
	for _, b := range broken(s.Key) {
		key, _ := b.value.(string)
		b.how, b.constraint, b.value = "key "+b.how, "Map keys must satisfy constraint: [", map[string]any{key: sample(s.Elem)}
		out = append(out, p.breaks(b))
	}
	return out
}

// wrongType gives a value that JSON can tell from the right one, or text that is no number.
func (p place) wrongType(s *awsapi.Shape) []violation {
	var wrong any
	switch {
	case s.Type == awsapi.Document || p.path == "":
		return nil
	case s.Type == awsapi.Integer || s.Type == awsapi.Long || s.Type == awsapi.Boolean:
		wrong = "text"
	case p.protocol != awsapi.JSON:
		return nil
	case s.Type == awsapi.String:
		wrong = 7
	default:
		wrong = "text"
	}
	return []violation{{name: p.path + " of the wrong type", input: p.put(wrong), kind: fault.Malformed, want: "at '" + p.path + "'"}}
}

// broken lists values that break one constraint of a scalar each; some cannot help breaking its pattern as well.
func broken(s *awsapi.Shape) []bad {
	out := brokenSize(s)
	for i := range out {
		n := out[i].value.(int64)
		if s.Type == awsapi.String {
			out[i].value = strings.Repeat("0", int(n))
		}
	}
	if s.Pattern != "" {
		if v, ok := mismatch(s); ok {
			out = append(out, bad{"against its pattern", "Member must satisfy regular expression pattern: " + s.Pattern, v})
		}
	}
	if len(s.Enum) > 0 {
		out = append(out, bad{"not of its enumeration", "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]", "NO_SUCH_VALUE"})
	}
	return out
}

// brokenSize lists the sizes just outside the limits.
func brokenSize(s *awsapi.Shape) []bad {
	measure, small, large := "length", "too short", "too long"
	if s.Type == awsapi.Integer || s.Type == awsapi.Long {
		measure, small, large = "value", "too small", "too large"
	}
	var out []bad
	if s.HasMin && (s.Min > 0 || measure == "value") {
		out = append(out, bad{small, fmt.Sprintf("Member must have %s greater than or equal to %d", measure, s.Min), s.Min - 1})
	}
	if s.HasMax {
		out = append(out, bad{large, fmt.Sprintf("Member must have %s less than or equal to %d", measure, s.Max), s.Max + 1})
	}
	return out
}

// mismatch finds a string of a valid length that the pattern refuses.
func mismatch(s *awsapi.Shape) (string, bool) {
	for _, c := range []string{"!", " ", "é", "\x01", "一"} {
		v := strings.Repeat(c, int(max(s.Min, 1)))
		if utf8.ValidString(v) && !s.Matches(v) {
			return v, true
		}
	}
	return "", false
}

func isScalar(s *awsapi.Shape) bool {
	return s.Type >= awsapi.String && s.Type <= awsapi.Timestamp
}

func repeated(v any, n int64) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

func lowerCamel(s string) string {
	if s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}
