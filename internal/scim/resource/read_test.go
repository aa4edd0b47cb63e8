package resource

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"USERNAME":"a","Name":{"GIVENNAME":"G"},"active":"FALSE","title":null}`:                                                                      `{"userName":"a","name":{"givenName":"G"},"active":false}`,
		`{"emails":{"value":"a"},"phoneNumbers":"1","roles":["r",{"VALUE":"s","Primary":"true"}]}`:                                                     `{"emails":[{"value":"a"}],"phoneNumbers":[{"value":"1"}],"roles":[{"value":"r"},{"value":"s","primary":true}]}`,
		`{"password":"p","ims":[1],"shoeSize":42,"urn:x:2.0:User":{"a":1},"meta":5,"groups":"x","x509Certificates":null}`:                              `{}`,
		`{"` + EnterpriseURN + `":{"MANAGER":"m","shoe":1,"costCenter":null}}`:                                                                         `{"` + EnterpriseURN + `":{"manager":{"value":"m"}}}`,
		`{"` + EnterpriseURN + `":{"manager":{"value":"m","displayName":"M","$REF":"r"}}}`:                                                             `{"` + EnterpriseURN + `":{"manager":{"value":"m","$ref":"r"}}}`,
		`{"schemas":["` + UserURN + `"],"id":"i","externalId":"e","photos":[{"value":"p","display":"d","type":"photo"}],"` + EnterpriseURN + `":null}`: `{"schemas":["` + UserURN + `"],"id":"i","externalId":"e","photos":[{"value":"p","display":"d","type":"photo"}]}`,
		`{"emails":[{"type":"work"},{"value":"","primary":true},null]}`:                                                                                `{"emails":[]}`,
	} {
		got, err := User.Read(tree(t, body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if diff := cmp.Diff(tree(t, want), got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	for _, body := range []string{
		`{"userName":4}`, `{"active":"yes"}`, `{"active":1}`, `{"active":"t"}`, `{"active":{}}`, `{"userName":"a","USERNAME":"b"}`, `{"name":[]}`, `{"name":"x"}`, `{"emails":[4]}`, `{"emails":[{"value":{}}]}`,
		`{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a","VALUE":"b"}]}`, `{"` + EnterpriseURN + `":"x"}`, `{"schemas":[4]}`, `{"externalId":[]}`,
	} {
		if _, err := User.Read(tree(t, body)); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
	for _, body := range []string{`{"shoeSize":42}`, `{"password":"p"}`, `{"photos":[]}`, `{"name":{"shoe":1}}`, `{"urn:x:2.0:User":{}}`} {
		if _, err := StrictUser.Read(tree(t, body)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestProjection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		only, without []string
		want          string
	}{
		{nil, nil, `{"schemas":["s"],"id":"i","title":"T","name":{"givenName":"G","familyName":"F"},"emails":[{"value":"a","type":"t"}],"` + EnterpriseURN + `":{"department":"D","manager":{"value":"m","$ref":"r"}}}`},
		{[]string{"TITLE"}, nil, `{"schemas":["s"],"id":"i","title":"T"}`},
		{[]string{}, nil, `{"schemas":["s"],"id":"i"}`},
		{[]string{"shoe", "groups"}, nil, `{"schemas":["s"],"id":"i","groups":[{"value":"g"}]}`},
		{[]string{"name.givenName", "emails.value", UserURN + ":title"}, nil, `{"schemas":["s"],"id":"i","title":"T","name":{"givenName":"G"},"emails":[{"value":"a"}]}`},
		{[]string{"name.givenName", "name"}, nil, `{"schemas":["s"],"id":"i","name":{"givenName":"G","familyName":"F"}}`},
		{[]string{"name", "name.givenName"}, nil, `{"schemas":["s"],"id":"i","name":{"givenName":"G","familyName":"F"}}`},
		{[]string{EnterpriseURN + ":manager.value"}, nil, `{"schemas":["s"],"id":"i","` + EnterpriseURN + `":{"manager":{"value":"m"}}}`},
		{[]string{EnterpriseURN}, nil, `{"schemas":["s"],"id":"i","` + EnterpriseURN + `":{"department":"D","manager":{"value":"m","$ref":"r"}}}`},
		{nil, []string{"emails", "id", "schemas", "name.familyName", EnterpriseURN + ":manager"}, `{"schemas":["s"],"id":"i","title":"T","name":{"givenName":"G"},"` + EnterpriseURN + `":{"department":"D"}}`},
		{nil, []string{EnterpriseURN, "title", "emails.type", "name"}, `{"schemas":["s"],"id":"i","emails":[{"value":"a"}]}`},
	} {
		p, err := User.Projection(c.only, c.without)
		if err != nil {
			t.Fatal(err)
		}
		have := tree(t, `{"schemas":["s"],"id":"i","title":"T","name":{"givenName":"G","familyName":"F"},"emails":[{"value":"a","type":"t"}],"groups":[{"value":"g"}],
			"`+EnterpriseURN+`":{"department":"D","manager":{"value":"m","$ref":"r"}}}`)
		if diff := cmp.Diff(tree(t, c.want), p.Apply(have)); diff != "" {
			t.Errorf("%v, %v: %s", c.only, c.without, diff)
		}
	}
	if _, err := User.Projection([]string{"title"}, []string{"name"}); err == nil {
		t.Error("both are taken")
	}
	p, _ := Group.Projection(nil, []string{"members"})
	if p.Wants("members") || !p.Wants("displayName") || !p.Wants("id") {
		t.Error("what is excluded is wanted")
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	key := func(name, of string) string {
		o, err := User.Order(name)
		if err != nil {
			t.Fatal(err)
		}
		return o.Key(tree(t, of))
	}
	if key("title", `{"title":"boss"}`) != key("TITLE", `{"title":"BOSS"}`) || key("externalId", `{"externalId":"a"}`) == key("externalId", `{"externalId":"A"}`) {
		t.Error("case")
	}
	two := `{"emails":[{"value":"b"},{"value":"a","primary":true}]}`
	if key("emails", two) != "A" || key("emails.value", two) != "A" || key("emails", `{"emails":[{"value":"b"},{"value":"a"}]}`) != "B" || key("emails", `{}`) != "" {
		t.Errorf("lists: %q", key("emails", two))
	}
	if a, b := key("meta.created", `{"meta":{"created":"2026-01-01T00:00:00.5Z"}}`), key("meta.created", `{"meta":{"created":"2026-01-01T01:00:00+01:00"}}`); a <= b {
		t.Errorf("times: %q, %q", a, b)
	}
	if key("active", `{"active":false}`) >= key("active", `{"active":true}`) || key(EnterpriseURN+":manager", `{"`+EnterpriseURN+`":{"manager":{"value":"m"}}}`) != "M" {
		t.Error("booleans or extensions")
	}
	for _, name := range []string{"shoe", "name", EnterpriseURN} {
		if _, err := User.Order(name); err == nil {
			t.Errorf("%s is sorted by", name)
		}
	}
	if o, err := User.Order("ims"); o != nil || err != nil || o.Needs("ims") {
		t.Errorf("ims: %v, %v", o, err)
	}
}

// TestDocuments: what /Schemas tells is what is read: of each attribute that is told a value is taken, of no other one.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, typ := range []*Type{User, Group, StrictUser, StrictGroup} {
		for _, s := range typ.Schemas() {
			doc := s.Document()
			if _, err := json.Marshal(doc); err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, a := range doc["attributes"].([]any) {
				told = append(told, a.(map[string]any)["name"].(string))
			}
			for _, a := range s.Attributes {
				if got := slices.Contains(told, a.Name); got == (a.Foreign || a.Unsaid) {
					t.Errorf("%s of %s is told: %v", a.Name, s.URN, got)
				}
			}
		}
	}
}
