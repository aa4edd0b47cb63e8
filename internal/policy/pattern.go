package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A compiled pattern writes its wildcards as bytes that no UTF-8 text contains, so that a "*" which
// came out of a variable's value stays an ordinary character.
const (
	anyRun        = 0xFF // *
	anyChar       = 0xFE // ?
	anyRunInPart  = 0xFD // * that does not match a colon
	anyCharInPart = 0xFC // ? that does not match a colon
)

// syntax says what a text means where it stands.
type syntax struct {
	wildcards bool // * and ? are wildcards
	variables bool // ${…} is a variable: version 2012-10-17, in Resource and in string and ARN conditions
	arn       bool // wildcards of the first five colon-separated segments stay inside them
}

// piece is a part of a pattern: text with its wildcards, or a variable.
type piece struct {
	text     string
	variable string // lower-cased context key
	fallback string
	hasFall  bool
}

type patternKind uint8

const (
	literal patternKind = iota
	prefix
	general
	template // has variables
)

// pattern is one compiled text of a policy.
type pattern struct {
	kind   patternKind
	arn    bool
	text   string
	pieces []piece
}

func compilePattern(s string, sx syntax) (pattern, error) {
	pieces, err := split(s, sx)
	if err != nil {
		return pattern{}, err
	}
	p := pattern{kind: template, arn: sx.arn, pieces: pieces}
	if len(pieces) > 1 || len(pieces) == 1 && pieces[0].variable != "" {
		return p, nil
	}
	whole, _ := p.expand(nil, nil)
	p.text, p.pieces = string(whole), nil
	switch i := firstWildcard(p.text); {
	case i == len(p.text):
		p.kind = literal
	case i == len(p.text)-1 && p.text[i] == anyRun:
		p.kind, p.text = prefix, p.text[:i]
	default:
		p.kind = general
	}
	return p, nil
}

func firstWildcard(s string) int {
	for i := range len(s) {
		if s[i] >= anyCharInPart {
			return i
		}
	}
	return len(s)
}

// split cuts s into pieces: runs of text, with wildcards marked, and variables.
func split(s string, sx syntax) ([]piece, error) {
	var pieces []piece
	var run []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case sx.variables && strings.HasPrefix(s[i:], "${"):
			v, length, err := readVariable(s[i:])
			if err != nil {
				return nil, err
			}
			i += length - 1
			if v.variable == "" { // ${*}, ${?} or ${$}
				run = append(run, v.text...)
				continue
			}
			if len(run) > 0 {
				pieces = append(pieces, piece{text: string(run)})
				run = nil
			}
			pieces = append(pieces, v)
		case sx.wildcards && c == '*':
			run = append(run, anyRun)
		case sx.wildcards && c == '?':
			run = append(run, anyChar)
		default:
			run = append(run, c)
		}
	}
	if len(run) > 0 || len(pieces) == 0 {
		pieces = append(pieces, piece{text: string(run)})
	}
	return pieces, nil
}

// readVariable reads ${key}, ${key, 'default'} or an escaped character at the start of s, and
// returns how long it was.
func readVariable(s string) (piece, int, error) {
	body, length, err := variableBody(s)
	if err != nil {
		return piece{}, 0, err
	}
	switch body {
	case "*", "?", "$":
		return piece{text: body}, length, nil
	}
	key, rest, hasFall := strings.Cut(body, ",")
	v := piece{variable: strings.ToLower(strings.TrimSpace(key)), hasFall: hasFall}
	if v.variable == "" || strings.ContainsAny(v.variable, "*?${ \t\r\n") {
		return piece{}, 0, fmt.Errorf("the policy variable %q names no context key", s[:length])
	}
	if hasFall {
		rest = strings.TrimSpace(rest)
		if len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			return piece{}, 0, fmt.Errorf("the default in the policy variable %q must stand in single quotes", s[:length])
		}
		v.fallback = rest[1 : len(rest)-1]
		if strings.Contains(v.fallback, "'") {
			return piece{}, 0, fmt.Errorf("the default in the policy variable %q contains a quote", s[:length])
		}
	}
	return v, length, nil
}

// variableBody is what stands between ${ and its }, which may also occur inside a quoted default.
func variableBody(s string) (string, int, error) {
	quoted := false
	for i := len("${"); i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == '}' && !quoted:
			return s[len("${"):i], i + 1, nil
		}
	}
	return "", 0, fmt.Errorf("the policy variable %q is not closed", s)
}

// expand appends the pattern to buf with its variables replaced. It reports false when a variable
// has no single value and no default: such a text matches nothing (AWS: "no match").
func (p *pattern) expand(buf []byte, ctx Context) ([]byte, bool) {
	for i := range p.pieces {
		piece := &p.pieces[i]
		if piece.variable == "" {
			buf = append(buf, piece.text...)
			continue
		}
		value, ok := single(ctx, piece.variable)
		if !ok && piece.hasFall {
			value, ok = piece.fallback, true
		}
		if !ok || !utf8.ValidString(value) { // invalid bytes could pass for wildcards
			return nil, false
		}
		buf = append(buf, value...)
	}
	if p.arn {
		keepInParts(buf)
	}
	return buf, true
}

// single is the value of a key that has exactly one; a variable cannot stand for several.
func single(ctx Context, key string) (string, bool) {
	values, ok := ctx.Lookup(key)
	if !ok || len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// keepInParts confines the wildcards of an ARN pattern's first five segments to their segments.
func keepInParts(p []byte) {
	colons := 0
	for i, c := range p {
		switch {
		case c == ':':
			if colons++; colons == 5 {
				return
			}
		case c == anyChar:
			p[i] = anyCharInPart
		case c == anyRun && i < len(p)-1:
			p[i] = anyRunInPart
		}
	}
}

func (p *pattern) match(s string, ctx Context) bool {
	switch p.kind {
	case literal:
		return s == p.text
	case prefix:
		return strings.HasPrefix(s, p.text)
	case general:
		return glob(p.text, s)
	default:
		var space [256]byte
		whole, ok := p.expand(space[:0], ctx)
		return ok && glob(whole, s)
	}
}

// glob matches with two pointers: when the text stops fitting, the last run takes one character
// more. Earlier runs need no second look, since a shorter match of theirs is never worse; that holds
// with confined runs too, because they all stand before any free one.
func glob[P string | []byte](p P, s string) bool {
	at, in := 0, 0
	run, runStart := -1, 0
	for in < len(s) || at < len(p) {
		if at < len(p) {
			switch c := p[at]; c {
			case anyRun, anyRunInPart:
				run, runStart = at, in
				at++
				continue
			case anyChar, anyCharInPart:
				if in < len(s) && (c == anyChar || s[in] != ':') {
					at, in = at+1, in+width(s[in:])
					continue
				}
			default:
				if in < len(s) && s[in] == c {
					at, in = at+1, in+1
					continue
				}
			}
		}
		if run < 0 || runStart == len(s) || p[run] == anyRunInPart && s[runStart] == ':' {
			return false
		}
		runStart += width(s[runStart:])
		at, in = run+1, runStart
	}
	return true
}

// width is the length of the first character of s: ? stands for one character, not one byte.
func width(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
