package pattern

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"sallyport/internal/fault"
)

// largest is the bound of numbers that are compared: EventBridge's.
const largest = 5e9

// at tells where in a pattern something is.
func at(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return " at " + strings.Join(path, ".")
}

func unfit(path []string, format string, args ...any) error {
	f := fault.Invalidf(format, args...)
	f.Message = "The pattern will not do" + at(path) + ": " + f.Message
	return f
}

// operator reads an object that stands where a value could.
func (r *reader) operator(f *field, all members) error {
	if len(all) != 1 {
		return unfit(f.path, "an operator is an object of one member, such as {\"prefix\":\"a\"}.")
	}
	name, of := all[0].name, all[0].value
	if name == "exists" {
		there, isBool := of.(bool)
		switch {
		case !isBool:
			return unfit(f.path, "exists is true or false.")
		case there:
			f.values = append(f.values, present{})
		default:
			f.absent = true
		}
		return nil
	}
	v, err := r.comparison(f.path, name, of)
	if err == nil {
		f.values = append(f.values, v)
	}
	return err
}

func (r *reader) comparison(path []string, name string, of any) (value, error) {
	switch name {
	case "prefix", "suffix":
		return r.affix(path, name, of)
	case "equals-ignore-case":
		text, err := word(path, name, of)
		return foldEqual{text}, err
	case "wildcard":
		text, err := word(path, name, of)
		if err != nil {
			return nil, err
		}
		return r.wildcard(path, text)
	case "anything-but":
		return r.not(path, of)
	case "numeric":
		return numbers(path, of)
	case "cidr":
		return addresses(path, of)
	}
	return nil, unfit(path, "there is no operator %q: there are prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr and exists.", name)
}

func word(path []string, name string, of any) (string, error) {
	text, isText := of.(string)
	if !isText {
		return "", unfit(path, "%s takes a text.", name)
	}
	return text, nil
}

// affix reads prefix and suffix: of a text, or of {"equals-ignore-case": text}.
func (r *reader) affix(path []string, name string, of any) (value, error) {
	if m, isObject := of.(members); isObject {
		inner, there := m.get("equals-ignore-case")
		text, isText := inner.(string)
		if !there || len(m) != 1 || !isText || text == "" {
			return nil, unfit(path, `%s takes a text, or {"equals-ignore-case":"text"}.`, name)
		}
		if text = strings.ToLower(text); name == "prefix" {
			return foldPrefix{text}, nil
		}
		return foldSuffix{text}, nil
	}
	text, err := word(path, name, of)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, unfit(path, "an empty %s is that of every text: write {\"exists\":true}.", name)
	}
	if name == "prefix" {
		return prefix{text}, nil
	}
	return suffix{text}, nil
}

// wildcard reads a text in which * stands for any characters; \* and \\ are those characters themselves.
func (r *reader) wildcard(path []string, text string) (value, error) {
	var part strings.Builder
	var parts []string
	star := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*' && star:
			return nil, unfit(path, "a wildcard cannot have two stars in a row.")
		case c == '*':
			if r.wildcards++; r.wildcards > maxWildcards {
				return nil, unfit(path, "there are more than %d stars in the pattern.", maxWildcards)
			}
			parts = append(parts, part.String())
			part.Reset()
			star = true
			continue
		case c == '\\':
			if i++; i == len(text) || text[i] != '*' && text[i] != '\\' {
				return nil, unfit(path, `in a wildcard, \ stands before * or \.`)
			}
			part.WriteByte(text[i])
		default:
			part.WriteByte(c)
		}
		star = false
	}
	return wildcard{append(parts, part.String())}, nil
}

// not reads anything-but: of a value or a list of them, or of an operator whose operand may be a list.
func (r *reader) not(path []string, of any) (value, error) {
	m, isObject := of.(members)
	if !isObject {
		return notValues(path, of)
	}
	if len(m) != 1 {
		return nil, unfit(path, "anything-but takes one operator.")
	}
	name := m[0].name
	switch name {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
	default:
		return nil, unfit(path, "anything-but takes values, prefix, suffix, equals-ignore-case or wildcard.")
	}
	var all []value
	for _, one := range listed(m[0].value) {
		v, err := r.comparison(path, name, one)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, unfit(path, "anything-but has an empty list.")
	}
	return not{all}, nil
}

func notValues(path []string, of any) (value, error) {
	var all []value
	for _, one := range listed(of) {
		switch one.(type) {
		case string, json.Number:
		default:
			return nil, unfit(path, "anything-but takes texts or numbers.")
		}
		all = append(all, exactly{one})
	}
	if len(all) == 0 {
		return nil, unfit(path, "anything-but has an empty list.")
	}
	return not{all}, nil
}

func listed(v any) []any {
	if list, isList := v.([]any); isList {
		return list
	}
	return []any{v}
}

var comparisons = []string{"<", "<=", ">", ">=", "="}

// numbers reads a list such as [">", 0, "<=", 5].
func numbers(path []string, of any) (value, error) {
	list, isList := of.([]any)
	if !isList || len(list) != 2 && len(list) != 4 {
		return nil, unfit(path, `numeric takes a list such as ["=",5] or [">",0,"<=",5].`)
	}
	var n numeric
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		number, isNumber := list[i+1].(json.Number)
		f, err := number.Float64()
		if !slices.Contains(comparisons, operator) || !isNumber || err != nil {
			return nil, unfit(path, `numeric takes a list such as ["=",5] or [">",0,"<=",5].`)
		}
		if f < -largest || f > largest {
			return nil, unfit(path, "numbers are compared from -5e9 to 5e9.")
		}
		n.all = append(n.all, comparison{operator, f})
	}
	if len(n.all) == 2 && (n.all[0].operator[0] != '>' || n.all[1].operator[0] != '<' || n.all[0].number >= n.all[1].number) {
		return nil, unfit(path, `a range is written from below, such as [">",0,"<=",5].`)
	}
	return n, nil
}

func addresses(path []string, of any) (value, error) {
	text, err := word(path, "cidr", of)
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return network{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, unfit(path, "%q is not an address range such as 10.0.0.0/24.", text)
	}
	return network{p.Masked()}, nil
}
