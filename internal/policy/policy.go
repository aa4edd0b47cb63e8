package policy

import (
	"fmt"
	"regexp"

	"sallyport/internal/fault"
)

// Malformed is the fault reason of a document that is refused; IAM and STS answer it with their
// exception of the same name.
const Malformed = "MalformedPolicyDocument"

// Policy is a compiled document. It never changes and may be used by many goroutines.
type Policy struct {
	statements []statement
}

// use is where a document will stand, which decides the elements that it may have.
type use uint8

const (
	stored   use = iota // anywhere, and unreadable parts fail closed instead of being refused
	identity            // attached to a principal, or a boundary, or passed for a session
	resource            // attached to a resource, or a role's trust policy
)

// Parse reads an identity-based policy, permissions boundary or session policy that somebody wants
// to store. The error is a fault that says what to change.
func Parse(doc []byte) (*Policy, error) { return parse(doc, identity) }

// ParseResource reads a resource-based policy or a role's trust policy that somebody wants to store.
// Resource may be missing, as it is in trust policies.
func ParseResource(doc []byte) (*Policy, error) { return parse(doc, resource) }

// Load reads a document that is already stored, of any kind. Where Parse would refuse a statement's
// element (an operator of a later version, say), a Deny denies without regard to it and an Allow does
// not match. A document that is no policy at all is an error; its Named must then keep a nil Policy,
// which denies.
func Load(doc []byte) (*Policy, error) { return parse(doc, stored) }

func parse(doc []byte, u use) (*Policy, error) {
	root, err := readJSON(doc)
	if err != nil {
		return nil, malformed(err)
	}
	if u != stored {
		if err := checkCharacters(doc); err != nil {
			return nil, malformed(err)
		}
	}
	p, err := readPolicy(root, u)
	if err != nil {
		return nil, malformed(err)
	}
	return p, nil
}

func malformed(err error) error {
	f := fault.Invalidf("The policy is malformed: %v.", err).WithReason(Malformed)
	return f
}

// checkCharacters holds a document to the characters of the models' policy document shapes
// ([\u0009\u000A\u000D\u0020-\u00FF]).
func checkCharacters(doc []byte) error {
	for i, c := range string(doc) {
		if c > 0xFF || c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return fmt.Errorf("the character %q at byte %d is outside Latin-1; in JSON it may be written as \\u%04X", c, i, c)
		}
	}
	return nil
}

func readPolicy(root node, u use) (*Policy, error) {
	if root.kind != isObject {
		return nil, fmt.Errorf("the document must be a JSON object, and is %s", root.kind)
	}
	r := reader{use: u}
	var statements *node
	for i := range root.fields {
		f := &root.fields[i]
		switch f.name {
		case "Version":
			if err := r.version(f.value); err != nil {
				return nil, err
			}
		case "Id":
			if f.value.kind != isText {
				//lint:ignore ST1005 the text begins with the name of an element
				return nil, fmt.Errorf("Id must be a string, and is %s", f.value.kind)
			}
		case "Statement":
			statements = &f.value
		default:
			return nil, fmt.Errorf("unknown field %s", f.name)
		}
	}
	if statements == nil {
		return nil, fmt.Errorf("the policy has no Statement")
	}
	return r.policy(*statements)
}

// reader carries what the reading of a statement depends on.
type reader struct {
	use       use
	variables bool
}

// version notes whether ${…} is a variable; in the older language, and in a document that names no
// version, it is plain text.
func (r *reader) version(n node) error {
	switch {
	case n.kind == isText && n.text == "2012-10-17":
		r.variables = true
	case n.kind == isText && n.text == "2008-10-17":
	default:
		//lint:ignore ST1005 the text begins with the name of an element
		return fmt.Errorf("Version must be 2012-10-17 or 2008-10-17, and is %q", n.text)
	}
	return nil
}

var (
	identitySid = regexp.MustCompile(`^[0-9A-Za-z]*$`)
	resourceSid = regexp.MustCompile(`^[ -ÿ]*$`)
)

func (r *reader) policy(n node) (*Policy, error) {
	items := n.asList()
	if len(items) == 0 && r.use != stored {
		return nil, fmt.Errorf("the policy has no statements")
	}
	p := &Policy{statements: make([]statement, 0, len(items))}
	sids := map[string]bool{}
	for i, item := range items {
		s, err := r.statement(item)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		if r.use != stored && s.sid != "" && sids[s.sid] {
			return nil, fmt.Errorf("statement IDs (SID) in a single policy must be unique, and %q occurs twice", s.sid)
		}
		sids[s.sid] = true
		p.statements = append(p.statements, s)
	}
	return p, nil
}

// NonSpaceSize is the size of a document in bytes as IAM's quotas count it: without white space.
func NonSpaceSize(doc string) int {
	n := 0
	for i := range len(doc) {
		switch doc[i] {
		case ' ', '\t', '\n', '\r':
		default:
			n++
		}
	}
	return n
}
