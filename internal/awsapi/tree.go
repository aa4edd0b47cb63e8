package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// MaxBody bounds the body of a request. The largest member of any model, a SAML assertion, has 100,000 characters.
const MaxBody = 1 << 20

const (
	// maxDepth bounds nesting. The models need six; documents may bring their own.
	maxDepth = 64
	// maxValues bounds how many values a request has: a tree is some twenty times as large as its text. The models' own limits
	// allow a thousand.
	maxValues = 20000
	// bytesPerValue is how few bytes a value of a large body has on average: a member by its id has half of fifty.
	bytesPerValue = 20
)

// All protocols are first read into a tree, which the walker binds: nil, bool, json.Number and string, []any and
// map[string]any as JSON has them; text and form where everything came as text.
type (
	// text is a scalar from a header, a query string or a form. Numbers and booleans are read out of it, which is never done
	// to a JSON string.
	text string
	// form is a structure or a list from a form: its fields, or "member" with a field for each number.
	form map[string]any
)

// ParseJSON reads one JSON value for protocols beside AWS's: nil, bool, json.Number, string, []any and map[string]any. It is as
// strict as requests of AWS's protocols are read: see parseJSON.
func ParseJSON(body []byte) (any, error) { return parseJSON(body) }

// ParseLargeJSON is ParseJSON for a body of up to so many bytes, with values in proportion.
func ParseLargeJSON(body []byte, most int) (any, error) {
	return parseTree(body, most, max(maxValues, most/bytesPerValue))
}

// parseJSON reads one JSON value with nothing after it. It refuses what encoding/json is lenient about: repeated names,
// invalid UTF-8, boundless depth.
func parseJSON(body []byte) (any, error) { return parseTree(body, MaxBody, maxValues) }

func parseTree(body []byte, most, values int) (any, error) {
	if len(body) > most {
		return nil, fault.Newf(fault.Malformed, "The request body is larger than %d bytes.", most)
	}
	if !utf8.Valid(body) {
		return nil, fault.Newf(fault.Malformed, "The request body is not UTF-8.")
	}
	p := treeParser{dec: json.NewDecoder(bytes.NewReader(body)), most: values}
	p.dec.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, malformedJSON(err)
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Newf(fault.Malformed, "The request body goes on after its JSON value.")
	}
	return v, nil
}

// malformedJSON keeps a fault and makes one of a decoder's error, whose text speaks of offsets and characters only.
func malformedJSON(err error) error {
	if fault.As(err) != nil {
		return err
	}
	f := fault.Newf(fault.Malformed, "The request body is not valid JSON.")
	f.Err = err
	return f
}

type treeParser struct {
	dec    *json.Decoder
	values int
	most   int // values
}

func (p *treeParser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.Newf(fault.Malformed, "The request body is nested deeper than %d levels.", maxDepth)
	}
	if p.values++; p.values > p.most {
		return nil, fault.Newf(fault.Malformed, "The request body has more than %d values.", p.most)
	}
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		return p.object(depth)
	case json.Delim('['):
		return p.list(depth)
	}
	return tok, nil // a scalar: the decoder itself refuses a closing bracket that fits nothing
}

func (p *treeParser) object(depth int) (any, error) {
	obj := map[string]any{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := tok.(string)
		if !ok {
			return nil, fault.Newf(fault.Malformed, "The request body has a member without a name.")
		}
		if _, twice := obj[name]; twice {
			return nil, fault.Newf(fault.Malformed, "The request body has a member twice.")
		}
		if obj[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.Token() // the closing brace
	return obj, err
}

func (p *treeParser) list(depth int) (any, error) {
	list := []any{}
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := p.dec.Token()
	return list, err
}
