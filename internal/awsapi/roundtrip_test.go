package awsapi_test

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// TestRoundTrip: whatever fits the types comes out as it went in, for the input and the output of every operation.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for _, o := range s.Operations {
			t.Run(s.ID+"/"+o.Name, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					input(t, s, o)
					output(t, s, o)
				})
			})
		}
	}
}

func input(t *rapid.T, s *awsapi.Service, o *awsapi.OperationMeta) {
	in := o.NewIn()
	fill(t, reflect.ValueOf(in).Elem(), s.Protocol)
	r, err := s.NewRequest(t.Context(), "https://example.com", o, in)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	got, err := s.DecodeRequest(o, r, body)
	if err != nil && fault.KindOf(err) != fault.Invalid {
		t.Fatalf("%v for %s", err, body)
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Fatalf("input (-sent +received):\n%s", diff)
	}
}

func output(t *rapid.T, s *awsapi.Service, o *awsapi.OperationMeta) {
	out := o.NewOut()
	fill(t, reflect.ValueOf(out).Elem(), s.Protocol)
	w := httptest.NewRecorder()
	s.WriteResult(w, o, out, requestID)
	got, err := s.ReadResult(o, w.Result(), w.Body.Bytes())
	if err != nil {
		t.Fatalf("%v for %s", err, w.Body)
	}
	if diff := cmp.Diff(out, got); diff != "" {
		t.Fatalf("output (-sent +received):\n%s", diff)
	}
}

// fill gives a structure random contents. Query cannot say that a structure is empty, so there everything is set; and text in
// XML and in headers has no control characters.
func fill(t *rapid.T, v reflect.Value, p awsapi.Protocol) {
	switch v.Kind() {
	case reflect.Pointer:
		if p == awsapi.Query || rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), p)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), p)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.Set(reflect.ValueOf(json.RawMessage(rapid.SampledFrom([]string{`{"a":[1,"<x>"]}`, `"s"`, `[]`, `1.50`, `true`}).Draw(t, "document"))))
			return
		}
		n := rapid.IntRange(0, 2).Draw(t, "items")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), p)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(t, e, p)
			v.SetMapIndex(reflect.ValueOf(rapid.StringMatching(`[a-z:]{1,5}`).Draw(t, "key")), e)
		}
	case reflect.String:
		v.SetString(text(p).Draw(t, "text"))
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(rapid.Int32().Draw(t, "number")))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "truth"))
	}
}

func text(p awsapi.Protocol) *rapid.Generator[string] {
	if p == awsapi.JSON {
		return rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 })) // which no text may have
	}
	return rapid.StringMatching(`[a-zA-Z0-9 <&>"'=+%äß漢😀]{0,8}`)
}
