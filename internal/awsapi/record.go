package awsapi

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"time"
)

// Hidden stands where a sensitive value was, as in CloudTrail's records.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// RequestParameters is an input for the audit record: members as CloudTrail spells them, sensitive ones hidden. It is nil where
// nothing was given.
func (o *OperationMeta) RequestParameters(in any) map[string]any { return record(o.In, in) }

// ResponseElements is the same of an output.
func (o *OperationMeta) ResponseElements(out any) map[string]any {
	if o.Out == nil {
		return nil
	}
	return record(o.Out, out)
}

func record(s *Shape, v any) map[string]any {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		rv = rv.Elem()
	}
	if !rv.IsValid() {
		return nil
	}
	fields := recordFields(s, rv)
	if len(fields) == 0 {
		return nil
	}
	return fields
}

func recordFields(s *Shape, v reflect.Value) map[string]any {
	fields := map[string]any{}
	for i := range s.Members {
		m := &s.Members[i]
		if f, ok := present(m, v.Field(i)); ok {
			fields[lowerCamel(m.Name)] = recordValue(m.Shape, f)
		}
	}
	return fields
}

func recordValue(s *Shape, v reflect.Value) any {
	if s.Sensitive {
		return Hidden
	}
	switch s.Type {
	case Structure:
		return recordFields(s, v)
	case List:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = recordValue(s.Elem, v.Index(i))
		}
		return items
	case Map:
		entries := map[string]any{}
		for _, k := range mapKeys(v) {
			entries[k] = recordValue(s.Elem, v.MapIndex(reflect.ValueOf(k)))
		}
		return entries
	case Integer, Long:
		return v.Int()
	case Boolean:
		return v.Bool()
	case Timestamp:
		return v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
	case Blob:
		return v.Bytes() // encoding/json writes base64
	case Document:
		return json.RawMessage(v.Bytes())
	}
	return v.String()
}

// LogValue is a structure for a log line, with the sensitive members hidden. Generated code calls it.
func LogValue(s *Shape, v any) slog.Value { return slog.AnyValue(recordValue(s, reflect.ValueOf(v))) }
