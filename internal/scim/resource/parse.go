package resource

import (
	"encoding/json"
	"strings"

	"sallyport/internal/fault"
)

// Bounds of filters and paths.
const (
	MaxFilter = 8 << 10 // bytes
	MaxPath   = 1 << 10
	maxDepth  = 32 // parentheses
)

// expression is a filter as it is written (RFC 7644 §3.4.2.2), with names that nobody has looked up.
type expression interface{}

type (
	// logical joins more than one by and, or by or.
	logical struct {
		and bool
		all []expression
	}
	negation struct{ of expression }
	// comparison compares with nil, a bool, a json.Number or a string; pr with nothing.
	comparison struct {
		name, op string
		value    any
	}
	// within is about one and the same element of an attribute.
	within struct {
		name string
		of   expression
	}
)

var operators = map[string]bool{"eq": true, "ne": true, "co": true, "sw": true, "ew": true, "pr": true, "gt": true, "ge": true, "lt": true, "le": true}

func errFilter(why string) error {
	return fault.Invalidf("The filter is not understood: %s.", why).WithReason("invalidFilter")
}

// parser reads filters and paths by recursive descent.
type parser struct {
	text string
	at   int
}

// parse reads a whole filter.
func parse(text string, most int) (expression, error) {
	if len(text) > most {
		return nil, errFilter("it is too long")
	}
	p := &parser{text: text}
	e, err := p.or(0, false)
	if err != nil {
		return nil, err
	}
	if p.spaces(); p.at < len(p.text) {
		return nil, errFilter("it goes on after its end, at " + clip(p.text[p.at:]))
	}
	return e, nil
}

func (p *parser) spaces() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// take passes over a character, if it is next.
func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// word is the name or keyword that is next, or "".
func (p *parser) word() string {
	from := p.at
	for p.at < len(p.text) && isName(p.text[p.at]) {
		p.at++
	}
	return p.text[from:p.at]
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_$.:", c) >= 0
}

// keyword passes over a word, if it is next.
func (p *parser) keyword(word string) bool {
	from := p.at
	p.spaces()
	if strings.EqualFold(p.word(), word) {
		return true
	}
	p.at = from
	return false
}

func (p *parser) or(depth int, inner bool) (expression, error) {
	return p.joined("or", depth, func() (expression, error) {
		return p.joined("and", depth, func() (expression, error) { return p.term(depth, inner) })
	})
}

// joined reads one, and those that the word joins to it.
func (p *parser) joined(word string, depth int, one func() (expression, error)) (expression, error) {
	var all []expression
	for {
		e, err := one()
		if err != nil {
			return nil, err
		}
		if all = append(all, e); p.keyword(word) {
			continue
		}
		if len(all) == 1 {
			return e, nil
		}
		return &logical{word == "and", all}, nil
	}
}

func (p *parser) term(depth int, inner bool) (expression, error) {
	if depth > maxDepth {
		return nil, errFilter("it is nested too deeply")
	}
	p.spaces()
	if p.take('(') {
		return p.closed(')', depth, inner)
	}
	name := p.word()
	switch {
	case name == "":
		return nil, errFilter("an attribute is missing")
	case p.take('['):
		if inner {
			return nil, errFilter("brackets within brackets")
		}
		e, err := p.closed(']', depth, true)
		if err == nil && p.take('.') { // no RFC has it, and Entra asks for emails[type eq "work"].value eq "a"
			e, err = p.also(e)
		}
		return &within{name, e}, err
	}
	if p.spaces(); strings.EqualFold(name, "not") && p.take('(') {
		e, err := p.closed(')', depth, inner)
		return &negation{e}, err
	}
	return p.compared(name)
}

// compared reads the rest of a comparison.
func (p *parser) compared(name string) (expression, error) {
	p.spaces()
	op := strings.ToLower(p.word())
	if !operators[op] {
		return nil, errFilter("an operator is missing after " + clip(name))
	}
	if op == "pr" {
		return &comparison{name: name, op: op}, nil
	}
	p.spaces()
	value, err := p.value()
	return &comparison{name, op, value}, err
}

// also reads a comparison of a part after brackets, which is about the element that they choose.
func (p *parser) also(e expression) (expression, error) {
	name := p.word()
	if name == "" {
		return nil, errFilter("an attribute is missing")
	}
	c, err := p.compared(name)
	return &logical{true, []expression{e, c}}, err
}

// closed reads what is in brackets that have been opened.
func (p *parser) closed(by byte, depth int, inner bool) (expression, error) {
	e, err := p.or(depth+1, inner)
	if err != nil {
		return nil, err
	}
	if p.spaces(); !p.take(by) {
		return nil, errFilter("a bracket is not closed")
	}
	return e, nil
}

// value reads what is compared with: JSON (RFC 7644 §3.4.2.2), but that keywords are taken in any case.
func (p *parser) value() (any, error) {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	from := p.at
	for p.at < len(p.text) && (isName(p.text[p.at]) || p.text[p.at] == '+') {
		p.at++
	}
	word := p.text[from:p.at]
	switch strings.ToLower(word) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if word != "" && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word)) {
		return json.Number(word), nil
	}
	return nil, errFilter("a value is missing, or a text without quotes")
}

func (p *parser) quoted() (any, error) {
	from := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\\':
			p.at++
		case '"':
			p.at++
			var text string
			if json.Unmarshal([]byte(p.text[from:p.at]), &text) != nil {
				return nil, errFilter("a text is not written as JSON has it")
			}
			return text, nil
		}
	}
	return nil, errFilter("a text is not closed")
}
