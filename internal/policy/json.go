package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxBytes bounds a document. The largest AWS managed policy has 152,297 bytes; the smaller limits
// of single APIs are checked by those who know them.
const maxBytes = 256 << 10

// maxDepth bounds nesting. A condition's value is five deep: document, statement list, statement,
// condition, operator, list.
const maxDepth = 8

type kind uint8

const (
	isObject kind = iota
	isList
	isText
	isScalar // number or boolean: IAM takes them where it expects a string, in conditions
	isNull
)

func (k kind) String() string {
	return [...]string{"an object", "a list", "a string", "a number or boolean", "null"}[k]
}

// node is a JSON value that has kept its order and its exact member names, which encoding/json's
// structs would match without case.
type node struct {
	kind   kind
	text   string
	items  []node
	fields []field
}

type field struct {
	name  string
	value node
}

// readJSON reads one strict JSON value: bounded, valid UTF-8, no member twice, nothing after it.
// Two members of one name are the classic way to show a reviewer one policy and the engine another.
func readJSON(doc []byte) (node, error) {
	if len(doc) > maxBytes {
		return node{}, fmt.Errorf("the document has %d bytes; at most %d are read", len(doc), maxBytes)
	}
	if !utf8.Valid(doc) {
		return node{}, errors.New("the document is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	if err != nil {
		return node{}, jsonError(err, dec)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, fmt.Errorf("there is more after the JSON document, at byte %d", dec.InputOffset())
	}
	return n, nil
}

func jsonError(err error, dec *json.Decoder) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the document is not valid JSON at byte %d: %w", syntax.Offset, err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the JSON document ends early, at byte %d", dec.InputOffset())
	}
	return err
}

func readNode(dec *json.Decoder, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("the document is nested more than %d deep", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return node{}, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return readObject(dec, depth)
		}
		return readList(dec, depth)
	case string:
		return node{kind: isText, text: t}, nil
	case json.Number:
		return node{kind: isScalar, text: t.String()}, nil
	case bool:
		return node{kind: isScalar, text: fmt.Sprint(t)}, nil
	default:
		return node{kind: isNull}, nil
	}
}

func readObject(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: isObject}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return node{}, err
		}
		name, ok := token.(string)
		if !ok {
			return node{}, errors.New("a member's name must be a string")
		}
		if seen[name] {
			return node{}, fmt.Errorf("the member %q appears twice in one object", name)
		}
		seen[name] = true
		value, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.fields = append(n.fields, field{name, value})
	}
	_, err := dec.Token()
	return n, err
}

func readList(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: isList}
	for dec.More() {
		item, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

// asList is the value itself, as IAM lets a list of one be written without its brackets.
func (n node) asList() []node {
	if n.kind == isList {
		return n.items
	}
	return []node{n}
}

// strings are the value's strings; with scalars, numbers and booleans count as their text.
func (n node) strings(what string, scalars bool) ([]string, error) {
	items := n.asList()
	out := make([]string, 0, len(items))
	for _, item := range items {
		if item.kind != isText && !(scalars && item.kind == isScalar) {
			return nil, fmt.Errorf("%s must be a string or a list of strings, and holds %s", what, item.kind)
		}
		out = append(out, item.text)
	}
	return out, nil
}
