package scim

import (
	"testing"

	"sallyport/internal/awsapi"
)

// FuzzPatch: no PATCH breaks a tree so that it is not a resource any more, or a refusal.
func FuzzPatch(f *testing.F) {
	f.Add(`{"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}]}`)
	f.Add(`{"operations":[{"op":"Replace","value":{"name.givenName":"New","active":"False"}}]}`)
	f.Add(`{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		parsed, err := awsapi.ParseJSON([]byte(body))
		tree, ok := parsed.(map[string]any)
		if err != nil || !ok {
			return
		}
		all, err := (&call{tree: tree}).changes(users)
		if err != nil {
			return
		}
		record := map[string]any{"userName": "a", "emails": []any{map[string]any{"value": "a@x.test", "type": "work", "primary": true}}, "active": true}
		for _, ch := range all {
			if ch.apply(record, users) != nil {
				return
			}
		}
		var u user
		_ = decode(record, &u, users)
	})
}

// FuzzFilter: no filter does harm, and what is understood has conditions.
func FuzzFilter(f *testing.F) {
	f.Add(`userName eq "a"`)
	f.Add(`ID eq "a" and members EQ "b\"c"`)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := conditions(text, [][]string{{"username"}, {"id", "members"}})
		if err == nil && len(in) == 0 {
			t.Errorf("%q has no conditions", text)
		}
	})
}
