package probe

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"sallyport/internal/awsapi"
)

// sample is a value that satisfies the shape with as little as it can: scalars, []any, map[string]any.
func sample(s *awsapi.Shape) any {
	switch s.Type {
	case awsapi.Structure:
		fields := sampleStructure(s)
		if len(fields) == 0 && len(s.Members) > 0 { // a form has no way to say that there is an empty structure
			fields[s.Members[0].Name] = sample(s.Members[0].Shape)
		}
		return fields
	case awsapi.List:
		list := []any{}
		for range max(s.Min, 1) {
			list = append(list, sample(s.Elem))
		}
		return list
	case awsapi.Map:
		return map[string]any{sampleString(s.Key): sample(s.Elem)}
	case awsapi.Integer, awsapi.Long:
		return max(s.Min, 0)
	case awsapi.Boolean:
		return true
	case awsapi.Document:
		return "document"
	case awsapi.Timestamp:
		return 946684800
	}
	return sampleString(s)
}

func sampleStructure(s *awsapi.Shape) map[string]any {
	fields := map[string]any{}
	for i, m := range s.Members {
		if m.Required || s.Union && i == 0 {
			fields[m.Name] = sample(m.Shape)
		}
	}
	return fields
}

// sampleString finds a string by building from the pattern, with ever more repetitions until it is long enough.
func sampleString(s *awsapi.Shape) string {
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Match != nil: // Duration is the only shape with a hand-written check
		return "PT1H"
	case s.Pattern == "":
		return strings.Repeat("x", int(max(s.Min, 1)))
	}
	for extra := range 64 {
		v := fromPattern(s, extra)
		if n := int64(utf8.RuneCountInString(v)); n >= s.Min && n > 0 && s.Matches(v) {
			return v
		}
	}
	panic(fmt.Sprintf("no sample for pattern %s of %s", s.Pattern, s.Name)) // a new model; the builder must learn its pattern
}

func fromPattern(s *awsapi.Shape, extra int) string {
	expr := s.RE2
	if expr == "" {
		expr = s.Pattern
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		panic(err) // the generator has compiled it
	}
	var b strings.Builder
	write(&b, re, extra)
	return b.String()
}

// write appends a string that the expression matches; every open repetition is repeated extra times more than it must be.
func write(b *strings.Builder, re *syntax.Regexp, extra int) {
	repeat := func(n int) {
		for range n {
			write(b, re.Sub[0], extra)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpCapture:
		repeat(1)
	case syntax.OpStar:
		repeat(extra)
	case syntax.OpPlus:
		repeat(1 + extra)
	case syntax.OpRepeat:
		n := re.Min
		if re.Max < 0 || re.Max >= re.Min+extra {
			n += extra
		}
		repeat(n)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			write(b, sub, extra)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[0], extra)
	}
}

// pick takes a plain character of the class where it has one.
func pick(ranges []rune) rune {
	for _, want := range "a0Ax-/ " {
		for i := 0; i < len(ranges); i += 2 {
			if want >= ranges[i] && want <= ranges[i+1] {
				return want
			}
		}
	}
	return ranges[0]
}
