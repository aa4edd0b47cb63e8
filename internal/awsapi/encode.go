package awsapi

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// present gives a member's value, or false where there is nothing to send. A required list or map is sent even when it is nil.
func present(m *Member, v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		return v.Elem(), !v.IsNil()
	case reflect.Slice, reflect.Map:
		return v, !v.IsNil() || m.Required
	}
	return v, true
}

// appendJSON encodes the body members of a value.
func appendJSON(b []byte, s *Shape, v reflect.Value) []byte {
	switch s.Type {
	case Structure:
		return appendObject(b, s, v)
	case List:
		return appendList(b, s, v)
	case Map:
		return appendMap(b, s, v)
	case String:
		return appendString(b, v.String())
	case Integer, Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Timestamp:
		return appendSeconds(b, v.Interface().(time.Time))
	case Blob:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes()), '"')
	}
	if v.Len() == 0 { // a document that must be there and is not
		return append(b, "null"...)
	}
	return append(b, v.Bytes()...)
}

func appendList(b []byte, s *Shape, v reflect.Value) []byte {
	b = append(b, '[')
	for i, n := 0, v.Len(); i < n; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		start := len(b)
		b = appendJSON(b, s.Elem, v.Index(i))
		if i == 0 { // the others are likely as long as the first
			b = slices.Grow(b, (n-1)*(len(b)-start+1))
		}
	}
	return append(b, ']')
}

func appendObject(b []byte, s *Shape, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	for i := range s.Members {
		m := &s.Members[i]
		f, ok := present(m, v.Field(i))
		if !ok || m.Location != InBody {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, m.Name...)
		b = append(b, '"', ':')
		b = appendJSON(b, m.Shape, f)
	}
	return append(b, '}')
}

// appendMap writes the keys in order, so that equal values have equal bytes.
func appendMap(b []byte, s *Shape, v reflect.Value) []byte {
	b = append(b, '{')
	for i, k := range mapKeys(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = append(b, ':')
		b = appendJSON(b, s.Elem, v.MapIndex(reflect.ValueOf(k)))
	}
	return append(b, '}')
}

func mapKeys(v reflect.Value) []string {
	keys := map[string]struct{}{}
	for _, k := range v.MapKeys() {
		keys[k.String()] = struct{}{}
	}
	return sortedKeys(keys)
}

// appendSeconds writes epoch seconds as a plain decimal with at most milliseconds: Go's clients refuse strings, some refuse
// exponents.
func appendSeconds(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(b, ms/1000, 10)
	}
	return strconv.AppendFloat(b, math.Round(float64(ms))/1000, 'f', -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendString quotes for JSON. encoding/json would escape <, > and & as well, which AWS does not.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) && plain(s[i:i+8]) {
			i += 8
			continue
		}
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscape(b, c)
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// plain tells that none of eight bytes needs a look of its own: in each of them, the highest bit of what is computed says that the byte
// is beyond ASCII, below the space, a quote or a backslash.
func plain(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, slash := w^ones*'"', w^ones*'\\'
	return (w|(w-ones*' ')|(quote-ones)|(slash-ones))&high == 0
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// writeXML encodes a value as an element of the Query protocol.
func writeXML(b *bytes.Buffer, name string, s *Shape, v reflect.Value) {
	b.WriteString("<" + name + ">")
	switch s.Type {
	case Structure:
		for i := range s.Members {
			m := &s.Members[i]
			if f, ok := present(m, v.Field(i)); ok {
				writeXML(b, m.Name, m.Shape, f)
			}
		}
	case List:
		for i := range v.Len() {
			writeXML(b, "member", s.Elem, v.Index(i))
		}
	case Map:
		for _, k := range mapKeys(v) {
			b.WriteString("<entry>")
			writeElement(b, "key", k)
			writeXML(b, "value", s.Elem, v.MapIndex(reflect.ValueOf(k)))
			b.WriteString("</entry>")
		}
	default:
		_ = xml.EscapeText(b, []byte(scalarText(s, v))) // a bytes.Buffer does not fail
	}
	b.WriteString("</" + name + ">")
}

func writeElement(b *bytes.Buffer, name, value string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(value))
	b.WriteString("</" + name + ">")
}

// scalarText is a scalar where everything is text: in forms, query strings, headers and XML.
func scalarText(s *Shape, v reflect.Value) string {
	switch s.Type {
	case Integer, Long:
		return strconv.FormatInt(v.Int(), 10)
	case Boolean:
		return strconv.FormatBool(v.Bool())
	case Timestamp:
		return v.Interface().(time.Time).UTC().Format("2006-01-02T15:04:05Z")
	case Blob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case Document:
		return string(v.Bytes())
	}
	return v.String()
}
