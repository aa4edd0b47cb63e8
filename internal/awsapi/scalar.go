package awsapi

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// bindScalar reads a string, number, boolean or time.
func bindScalar(s *Shape, at *path, src any, dst reflect.Value) (scalar, error) {
	switch s.Type {
	case Integer, Long:
		return bindInt(at, src, dst)
	case Boolean:
		return scalar{}, bindBool(at, src, dst)
	case Timestamp:
		return scalar{}, bindTime(at, src, dst)
	case Blob:
		return bindBlob(at, src, dst)
	}
	str, ok := src.(string)
	if t, isText := src.(text); isText {
		str, ok = string(t), true
	}
	if !ok {
		return scalar{}, unexpected(src, "String", at)
	}
	dst.SetString(str)
	return scalar{text: str, size: runes(str)}, nil
}

// bindBlob reads bytes in base64; their number is their size.
func bindBlob(at *path, src any, dst reflect.Value) (scalar, error) {
	str, ok := src.(string)
	if t, isText := src.(text); isText {
		str, ok = string(t), true
	}
	if !ok {
		return scalar{}, unexpected(src, "Blob", at)
	}
	b, err := base64.StdEncoding.DecodeString(str)
	if err != nil {
		return scalar{}, unexpected(src, "Blob", at)
	}
	dst.SetBytes(b)
	return scalar{text: str, size: int64(len(b))}, nil
}

func bindInt(at *path, src any, dst reflect.Value) (scalar, error) {
	var digits string
	switch v := src.(type) {
	case json.Number:
		digits = v.String()
	case text:
		digits = string(v)
	default:
		return scalar{}, unexpected(src, "Integer", at)
	}
	n, err := strconv.ParseInt(digits, 10, dst.Type().Bits())
	if err != nil {
		return scalar{}, unexpected(src, "Integer", at)
	}
	dst.SetInt(n)
	return scalar{text: digits, size: n}, nil
}

func bindBool(at *path, src any, dst reflect.Value) error {
	switch v := src.(type) {
	case bool:
		dst.SetBool(v)
		return nil
	case text:
		if v == "true" || v == "false" {
			dst.SetBool(v == "true")
			return nil
		}
	}
	return unexpected(src, "Boolean", at)
}

// maxSeconds is the last second of the year 9999, beyond which a time has no ISO 8601 form.
const maxSeconds = 253402300799

// bindTime reads epoch seconds from JSON, where a fraction is allowed, and ISO 8601 from text.
func bindTime(at *path, src any, dst reflect.Value) error {
	var t time.Time
	switch v := src.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.Abs(f) > maxSeconds {
			return unexpected(src, "Timestamp", at)
		}
		t = time.UnixMicro(int64(math.Round(f * 1e6))).UTC()
	case text:
		var err error
		if t, err = time.Parse(time.RFC3339, string(v)); err != nil {
			return unexpected(src, "Timestamp", at)
		}
		t = t.UTC()
	default:
		return unexpected(src, "Timestamp", at)
	}
	dst.Set(reflect.ValueOf(t))
	return nil
}

// unexpected says that a value has the wrong type, in the words of AWS's own parsers, and where.
func unexpected(src any, want string, at *path) error {
	what := ""
	switch src.(type) {
	case []any:
		what = "Start of list found where not expected"
	case map[string]any, form:
		what = "Start of structure or map found where not expected"
	case bool:
		what = "BOOLEAN_VALUE can not be converted to " + want
	case json.Number:
		what = "NUMBER_VALUE can not be converted to " + want
	default:
		what = "STRING_VALUE can not be converted to " + want
	}
	if at == nil {
		return fault.Newf(fault.Malformed, "%s.", what)
	}
	return fault.Newf(fault.Malformed, "%s at '%s'.", what, at)
}

// runes counts as the models' limits do: characters, not bytes.
func runes(s string) int64 { return int64(utf8.RuneCountInString(s)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
