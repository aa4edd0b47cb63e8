// Package pattern has Amazon EventBridge's event patterns (behaviour reference §10.8; EventBridge user guide, "Comparison operators for use in
// event patterns"): it reads a pattern, and says whether an event matches. It is pure and its work is bounded.
//
// It is ours because quamina, the Go library for such patterns, has neither of numeric, cidr, suffix and $or, which EventBridge's users
// write, and takes anything-but for lists of strings alone. An engine for millions of rules is not needed: an event is held against the
// patterns that could match its eventName, and those are few.
package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds of a pattern.
const (
	// MaxSize is EventBridge's own.
	MaxSize         = 2048
	maxCombinations = 1000 // of the alternatives of $or: EventBridge's
	maxWildcards    = 32   // in all of a pattern
	maxDepth        = 32
)

// Pattern is a pattern that was read.
type Pattern struct {
	root *object
	text string
}

// Decode reads an event as [Pattern.Matches] takes it.
func Decode(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // EventBridge compares numbers as they are spelled
	var event map[string]any
	if err := d.Decode(&event); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode event: there is something after it")
	}
	return event, nil
}

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// Matches says whether an event, which [Decode] has read, matches.
func (p *Pattern) Matches(event map[string]any) bool { return p.root.matches(event, event) }

// Only tells which texts alone an event that matches can have at a path: nil, when it may be others too, or none.
func (p *Pattern) Only(path ...string) []string { return p.root.only(path) }

// object is a pattern's object: all its fields must match, and one of each list of alternatives.
type object struct {
	fields []field
	or     [][]*object // in $or: several lists only where one was written inside another's object
}

// field is a field of an object: exactly one of below and values is set.
type field struct {
	name   string
	path   []string // from the root, with the name
	below  *object
	values []value
	absent bool // {"exists": false} is among the values
}

func (o *object) only(path []string) []string {
	for _, f := range o.fields {
		if f.name != path[0] {
			continue
		}
		if f.below != nil && len(path) > 1 {
			if texts := f.below.only(path[1:]); texts != nil {
				return texts
			}
		}
		if f.below == nil && len(path) == 1 {
			return f.texts()
		}
	}
	for _, alternatives := range o.or {
		if texts := union(alternatives, path); texts != nil {
			return texts
		}
	}
	return nil
}

func union(alternatives []*object, path []string) []string {
	var all []string
	for _, a := range alternatives {
		texts := a.only(path)
		if texts == nil {
			return nil
		}
		all = append(all, texts...)
	}
	return all
}

// texts are the values of a field that takes texts alone.
func (f *field) texts() []string {
	if f.absent {
		return nil
	}
	texts := []string{}
	for _, v := range f.values {
		text, ok := v.(exactly)
		s, isText := text.value.(string)
		if !ok || !isText {
			return nil
		}
		texts = append(texts, s)
	}
	return texts
}
