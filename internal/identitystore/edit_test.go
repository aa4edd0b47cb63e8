package identitystore

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Whatever an operation says, it changes one attribute or is refused as invalid; and the result reads back as it was written.
func FuzzEditUser(f *testing.F) {
	for path, value := range map[string]string{
		"title": `"Dr"`, "name.givenName": `"A"`, "name": `{"GivenName":"A"}`, "emails": `[{"Value":"a","Primary":true}]`, "externalIds": `[{"Issuer":"a","Id":"b"}]`,
		"aws:identitystore:enterprise.manager.value": `7`, "aws:identitystore:enterprise": `null`, "extensions": `{}`, "addresses": `[{}]`, "": ``,
	} {
		f.Add(path, []byte(value))
	}
	was := store.User{UserName: "ana", DisplayName: "Ana", UserAttrs: store.UserAttrs{
		Name: store.Name{GivenName: "A", FamilyName: "B"}, Title: "Dr", Emails: []store.TypedValue{{Value: "a@x.test", Primary: true}},
		Extensions: map[string]json.RawMessage{"aws:identitystore:enterprise": json.RawMessage(`{"department":"x"}`)},
	}}
	f.Fuzz(func(t *testing.T, path string, value []byte) {
		got, err := editUser(was, []api.AttributeOperation{{AttributePath: path, AttributeValue: value}})
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		raw, err := json.Marshal(got.UserAttrs)
		if err != nil {
			t.Fatal(err)
		}
		var again store.UserAttrs
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatal(err)
		}
		rest, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(raw), string(rest)); diff != "" {
			t.Error(diff)
		}
	})
}
