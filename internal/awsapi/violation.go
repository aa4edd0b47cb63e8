package awsapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// Bounds on what a message repeats of a request.
const (
	maxShown      = 256 // characters of a value
	maxViolations = 100
)

// path leads to a value inside the input. It is written out only when there is something to say about it.
type path struct {
	parent *path
	member string
	index  int // of a list, from 1
}

// String is the path in AWS's notation: members in lowerCamel, list items as 1.member.
func (p *path) String() string {
	if p == nil {
		return ""
	}
	step := lowerCamel(p.member)
	if p.index > 0 {
		step = strconv.Itoa(p.index) + ".member"
	}
	if p.parent == nil {
		return step
	}
	return p.parent.String() + "." + step
}

// lowerCamel lowers the first letter and no other: SAMLAssertion is sAMLAssertion on AWS too.
func lowerCamel(name string) string {
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		return name
	}
	return string(name[0]+'a'-'A') + name[1:]
}

// violations collects everything that is wrong with an input, in AWS's wording (wire-protocols §3.1).
type violations struct {
	count int
	texts []string
}

// add records that the value at p, shown as given, breaks a constraint.
func (v *violations) add(p *path, shown, constraint string) {
	if v.count++; len(v.texts) < maxViolations {
		v.texts = append(v.texts, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s", shown, p, constraint))
	}
}

func (v *violations) missing(p *path) { v.add(p, " null", "Member must not be null") }

// fault is nil when there was nothing.
func (v *violations) fault() error {
	if v.count == 0 {
		return nil
	}
	noun := "errors"
	if v.count == 1 {
		noun = "error"
	}
	return fault.Invalidf("%d validation %s detected: %s", v.count, noun, strings.Join(v.texts, "; "))
}

// shown is how a message repeats a value. Sensitive ones are left out, as on AWS.
func (s *Shape) shown(value string) string {
	if s.Sensitive {
		return ""
	}
	if len(value) > maxShown {
		end := maxShown
		for end > 0 && !utf8.RuneStart(value[end]) {
			end--
		}
		value = value[:end] + "..."
	}
	return " '" + value + "'"
}

// scalar is a bound value as constraints see it.
type scalar struct {
	text string
	size int64 // characters of a string, the number itself for a number
}

// zeroText is a constraint that no model has and that holds everywhere: PostgreSQL stores no such character, and a text
// that one engine takes and another does not is no text.
const zeroText = "Member must not have a zero character (U+0000)"

// broken lists the constraints that v does not satisfy.
func (s *Shape) broken(v scalar) []string {
	out := s.brokenSize(v.size)
	if strings.ContainsRune(v.text, 0) {
		out = append(out, zeroText)
	}
	if s.Pattern != "" && !s.Matches(v.text) {
		out = append(out, s.patternText())
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v.text) {
		out = append(out, s.enumText())
	}
	return out
}

func (s *Shape) brokenSize(size int64) []string {
	var out []string
	if s.HasMax && size > s.Max {
		out = append(out, s.maxText())
	}
	if s.HasMin && size < s.Min {
		out = append(out, s.minText())
	}
	return out
}

// constraints is every constraint of the shape, for the places where AWS lists them all: list items and map keys.
func (s *Shape) constraints() string {
	var out []string
	if s.HasMax {
		out = append(out, s.maxText())
	}
	if s.HasMin {
		out = append(out, s.minText())
	}
	if s.Pattern != "" {
		out = append(out, s.patternText())
	}
	if len(s.Enum) > 0 {
		out = append(out, s.enumText())
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// measure is what a limit counts.
func (s *Shape) measure() string {
	if s.Type == Integer || s.Type == Long {
		return "value"
	}
	return "length"
}

func (s *Shape) maxText() string {
	return fmt.Sprintf("Member must have %s less than or equal to %d", s.measure(), s.Max)
}

func (s *Shape) minText() string {
	return fmt.Sprintf("Member must have %s greater than or equal to %d", s.measure(), s.Min)
}

func (s *Shape) patternText() string {
	return "Member must satisfy regular expression pattern: " + s.Pattern
}

func (s *Shape) enumText() string {
	return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
}
