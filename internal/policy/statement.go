package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// statement is one compiled statement. An element that it leaves unset matches everything.
type statement struct {
	sid        string
	deny       bool
	unreadable bool // an Allow that cannot be read in full: it never matches
	principal  *principals
	actions    *actions
	resources  *resources
	conditions []condition
}

// elements of one statement, by name, as far as they are present.
type elements map[string]node

var known = map[string]bool{
	"Sid": true, "Effect": true, "Principal": true, "NotPrincipal": true, "Action": true, "NotAction": true,
	"Resource": true, "NotResource": true, "Condition": true,
}

func (r *reader) statement(n node) (statement, error) {
	var s statement
	if n.kind != isObject {
		return s, fmt.Errorf("a statement must be an object, and is %s", n.kind)
	}
	e := elements{}
	for _, f := range n.fields {
		e[f.name] = f.value
	}
	effect, ok := e["Effect"]
	if !ok || effect.kind != isText || effect.text != "Allow" && effect.text != "Deny" {
		//lint:ignore ST1005 the text begins with the name of an element
		return s, fmt.Errorf("Effect must be Allow or Deny, with exactly these letters, and is %q", effect.text)
	}
	s.deny = effect.text == "Deny"
	for _, read := range []func(*statement, elements) error{r.names, r.sid, r.principals, r.actions, r.resources, r.conditions} {
		err := read(&s, e)
		if err == nil {
			continue
		}
		if r.use != stored {
			return s, err
		}
		s.unreadable = !s.deny
	}
	return s, nil
}

func (r *reader) names(_ *statement, e elements) error {
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if !known[name] {
			return fmt.Errorf("unknown field %s", name)
		}
	}
	return nil
}

// either is the element name or its negation, whichever the statement has.
func (e elements) either(name string) (n node, not, ok bool, err error) {
	n, is := e[name]
	negated, not := e["Not"+name]
	if is && not {
		return n, false, false, fmt.Errorf("a statement cannot have both %s and Not%s", name, name)
	}
	if not {
		n = negated
	}
	return n, not, is || not, nil
}

func (r *reader) sid(s *statement, e elements) error {
	n, ok := e["Sid"]
	if !ok {
		return nil
	}
	if n.kind != isText {
		//lint:ignore ST1005 the text begins with the name of an element
		return fmt.Errorf("Sid must be a string, and is %s", n.kind)
	}
	s.sid = n.text
	if r.use == identity && !identitySid.MatchString(n.text) {
		return fmt.Errorf("statement IDs (SID) must be alpha-numeric, and %q is not", n.text)
	}
	if r.use == resource && !resourceSid.MatchString(n.text) {
		return fmt.Errorf("the statement ID (SID) %q has characters that are not allowed", n.text)
	}
	return nil
}

func (r *reader) principals(s *statement, e elements) error {
	n, not, ok, err := e.either("Principal")
	switch {
	case err != nil:
		return err
	case !ok && r.use == resource:
		return errors.New("missing required field Principal")
	case !ok:
		return nil
	case r.use == identity:
		return errors.New("policy document should not specify a principal")
	case not && !s.deny:
		return errors.New("NotPrincipal may only be used with Effect Deny")
	}
	p, err := readPrincipals(n)
	if err != nil {
		return err
	}
	p.not = not
	s.principal = p
	return nil
}

func (r *reader) actions(s *statement, e elements) error {
	n, not, ok, err := e.either("Action")
	if err != nil {
		return err
	}
	names, err := n.strings("Action", false)
	switch {
	case !ok || err == nil && len(names) == 0:
		return errors.New("policy statement must contain actions")
	case err != nil:
		return err
	}
	for _, name := range names {
		if err := checkAction(name); err != nil {
			return err
		}
	}
	s.actions, err = compileActions(names, not)
	return err
}

// checkAction holds an action to vendor:name. Its texts are IAM's.
func checkAction(name string) error {
	if name == "*" {
		return nil
	}
	vendor, rest, ok := strings.Cut(name, ":")
	switch {
	case !ok:
		return fmt.Errorf("actions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc., and %q is not", name)
	case strings.Contains(rest, ":"):
		return fmt.Errorf("actions can contain only one colon, and %q has more", name)
	case rest == "":
		return fmt.Errorf("the action %q names nothing after its vendor", name)
	case vendor != "*" && (vendor == "" || strings.Trim(vendor, vendorCharacters) != ""):
		return fmt.Errorf("vendor %s is not valid", vendor)
	}
	return nil
}

const vendorCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

func (r *reader) resources(s *statement, e elements) error {
	n, not, ok, err := e.either("Resource")
	if err != nil {
		return err
	}
	// Trust policies have none: they stand on the resource that they are about.
	if !ok && (r.use == resource || r.use == stored && s.principal != nil) {
		return nil
	}
	texts, err := n.strings("Resource", false)
	switch {
	case !ok || err == nil && len(texts) == 0:
		return errors.New("policy statement must contain resources")
	case err != nil:
		return err
	}
	for _, t := range texts {
		if t != "*" && !strings.HasPrefix(t, "arn:") {
			return fmt.Errorf(`resource %s must be in ARN format or "*"`, t)
		}
	}
	patterns, err := compilePatterns(texts, syntax{wildcards: true, variables: r.variables})
	if err != nil {
		return err
	}
	s.resources = &resources{patterns, not}
	return nil
}

func (r *reader) conditions(s *statement, e elements) error {
	n, ok := e["Condition"]
	if !ok {
		return nil
	}
	conditions, err := compileConditions(n, r.variables)
	s.conditions = conditions
	return err
}
