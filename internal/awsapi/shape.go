package awsapi

import (
	"regexp"
	"sync"
)

// Type is the kind of value that a shape describes.
type Type uint8

// The types.
const (
	Structure Type = iota
	List
	Map
	String
	Integer
	Long
	Boolean
	Timestamp
	Blob     // bytes, in base64
	Document // any JSON value
)

func (t Type) scalar() bool { return t >= String && t <= Blob }

// Location is where a member of an input travels.
type Location uint8

// The locations.
const (
	InBody Location = iota
	InHeader
	InQuery
)

// Shape is a table of the model: the form of a value and the constraints on it.
type Shape struct {
	Name           string
	Type           Type
	Members        []Member // Structure: in the order of the Go fields
	Elem           *Shape   // List: element; Map: value
	Key            *Shape   // Map
	HasMin, HasMax bool
	Min, Max       int64 // characters, items, or the value itself
	Enum           []string
	Pattern        string            // as the model has it, for messages
	RE2            string            // the same for Go, where it differs
	Match          func(string) bool // in place of a pattern that RE2 cannot express
	Sensitive      bool
	Union          bool // a structure with exactly one member set

	compile sync.Once
	re      *regexp.Regexp
}

// Member is a member of a structure.
type Member struct {
	Name         string
	Shape        *Shape
	Required     bool
	Location     Location
	LocationName string // of a header or query parameter
}

// Matches tells whether the whole value fits the pattern. Patterns are compiled when they are first needed: there are
// hundreds, and most processes meet a few.
func (s *Shape) Matches(value string) bool {
	if s.Match != nil {
		return s.Match(value)
	}
	s.compile.Do(func() {
		expr := s.RE2
		if expr == "" {
			expr = s.Pattern
		}
		s.re = regexp.MustCompile(`^(?:` + expr + `)$`) // the generator has compiled it before
	})
	return s.re.MatchString(value)
}
