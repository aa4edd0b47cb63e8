package resource

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/internal/fault"
)

// FuzzFilter: a filter is refused as one, or it and its negation divide the resources between them.
func FuzzFilter(f *testing.F) {
	for text := range filters {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		yes, err := User.Filter(text)
		if err != nil {
			if fault.As(err) == nil || fault.As(err).Reason != "invalidFilter" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		p := person(t)
		if no, err := User.Filter("not (" + text + ")"); err == nil && no.Match(p) == yes.Match(p) {
			t.Errorf("%q is true with its negation", text)
		}
		yes.Match(map[string]any{})
		if in, err := Equalities(text); err == nil && len(in) == 0 {
			t.Errorf("%q has no conditions", text)
		}
	})
}

// FuzzPatch: whatever a PATCH does, what it leaves is a resource that reads as it is.
func FuzzPatch(f *testing.F) {
	for _, c := range patches {
		f.Add(c[1])
	}
	f.Fuzz(func(t *testing.T, op string) {
		var body map[string]any
		if json.Unmarshal([]byte(`{"Operations":[`+op+`]}`), &body) != nil {
			return
		}
		for _, typ := range []*Type{User, StrictUser, Group} {
			have := person(t)
			if patched(typ, have, body) != nil {
				continue
			}
			if _, err := typ.Read(have); err != nil {
				t.Errorf("%s leaves what cannot be read: %v", op, err)
			}
		}
	})
}

// FuzzRead: what is read of a body is read again as the same.
func FuzzRead(f *testing.F) {
	f.Add(`{"USERNAME":"a","emails":{"value":"a","primary":"true"},"active":"FALSE"}`)
	f.Add(`{"` + EnterpriseURN + `":{"manager":"m"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		var in map[string]any
		if d.Decode(&in) != nil {
			return
		}
		once, err := User.Read(in)
		if err != nil {
			return
		}
		first, _ := json.Marshal(once)
		twice, err := User.Read(once)
		if second, _ := json.Marshal(twice); err != nil || string(first) != string(second) {
			t.Errorf("%s is read as %s, and that as %s: %v", body, first, second, err)
		}
	})
}
