package resource

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"
)

// maxKey bounds what is kept of a value to sort by, in bytes.
const maxKey = 256

// Order is what resources are sorted by.
type Order struct {
	target Target
	leaf   *Attribute
	part   string
}

// Order reads a name to sort by (RFC 7644 §3.4.2.3). One that is not kept, or another type's, is nil: all are equal by it.
func (t *Type) Order(name string, others ...*Type) (*Order, error) {
	target, known := t.among(others)(name)
	switch known {
	case unknown:
		return nil, errPath("There is no attribute %s to sort by.", clip(name))
	case foreign:
		return nil, nil
	}
	leaf, part := target.leaf()
	if leaf == nil {
		return nil, errPath("%s has parts, one of which is to be named.", clip(name))
	}
	return &Order{target, leaf, part}, nil
}

// Needs says whether the order looks at what is under a name of the tree.
func (o *Order) Needs(root string) bool { return o != nil && o.target.Root() == root }

// Key is a text by which resources are in order when it is compared byte by byte; "" when there is no value. Of a list it is that of
// the primary element, or else of the first.
func (o *Order) Key(tree map[string]any) string {
	if o == nil {
		return ""
	}
	var v any
	first := true
	o.target.each(tree, func(e any) bool {
		if m, ok := e.(map[string]any); ok && o.part != "" {
			if is := m["primary"] == true; first || is {
				v = m[o.part]
			}
			first = false
			return m["primary"] == true
		}
		v = e
		return true
	})
	return o.leaf.key(v)
}

func (a *Attribute) key(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "1"
		}
		return "0"
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return ""
		}
		bits := math.Float64bits(f)
		if f < 0 {
			bits = ^bits
		} else {
			bits |= 1 << 63
		}
		return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, bits))
	case string:
		if at, err := time.Parse(time.RFC3339, v); a.Kind == DateTime && err == nil {
			return at.UTC().Format("2006-01-02T15:04:05.000000000")
		}
		if !a.Exact {
			v = Fold(v)
		}
		return cut(v)
	}
	return ""
}

// cut is a text's beginning.
func cut(s string) string {
	if len(s) <= maxKey {
		return s
	}
	n := maxKey
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
