package resource

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

// patched does the operations on a tree.
func patched(t *Type, tree map[string]any, body map[string]any) error {
	ops, err := t.Operations(body)
	if err != nil {
		return err
	}
	for _, o := range ops {
		if err := o.Apply(tree); err != nil {
			return err
		}
	}
	return nil
}

const (
	dept    = `"` + EnterpriseURN + `":{"department":"R&D"}`
	twoMail = `"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home"}]`
)

// patches are operations on a tree, and what comes of them; those of RFC 7644 §3.5.2 are among them.
var patches = map[string][3]string{
	"add to a list (§3.5.2.1)": {`{}`, `{"op":"add","path":"emails","value":[{"value":"babs@jensen.org","type":"home"}]}`, `{"emails":[{"value":"babs@jensen.org","type":"home"}]}`},
	"add without a path (§3.5.2.1)": {
		`{` + twoMail + `}`, `{"op":"add","value":{"emails":[{"value":"c@x.test","type":"other"}],"nickname":"Babs"}}`,
		`{"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home"},{"value":"c@x.test","type":"other"}],"nickName":"Babs"}`,
	},
	"add what is there":              {`{` + twoMail + `}`, `{"op":"add","path":"emails","value":{"value":"b@x.test","type":"home"}}`, `{` + twoMail + `}`},
	"add what is there, with more":   {`{` + twoMail + `}`, `{"op":"add","path":"emails","value":{"value":"b@x.test","type":"home","display":"B"}}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home","display":"B"}]}`},
	"add primary takes it (§3.5.2)":  {`{` + twoMail + `}`, `{"op":"add","path":"emails","value":{"value":"c@x.test","primary":true}}`, `{"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test","type":"home"},{"value":"c@x.test","primary":true}]}`},
	"primary of one takes it":        {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`, `{"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test","type":"home","primary":true}]}`},
	"remove one (§3.5.2.2)":          {`{` + twoMail + `}`, `{"op":"remove","path":"emails[type eq \"work\" and value ew \"x.test\"]"}`, `{"emails":[{"value":"b@x.test","type":"home"}]}`},
	"remove by the full filter":      {`{` + twoMail + `}`, `{"op":"remove","path":"emails[not (type eq \"work\") or value eq \"x\"]"}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true}]}`},
	"remove all":                     {`{"title":"T",` + twoMail + `}`, `{"op":"remove","path":"emails"}`, `{"title":"T"}`},
	"remove by value":                {`{` + twoMail + `}`, `{"op":"remove","path":"emails","value":[{"value":"a@x.test"}]}`, `{"emails":[{"value":"b@x.test","type":"home"}]}`},
	"remove a part of each":          {`{` + twoMail + `}`, `{"op":"remove","path":"emails.type"}`, `{"emails":[{"value":"a@x.test","primary":true},{"value":"b@x.test"}]}`},
	"remove what is not there":       {`{` + twoMail + `}`, `{"op":"remove","path":"emails[type eq \"other\"].value"}`, `{` + twoMail + `}`},
	"replace a list (§3.5.2.3)":      {`{` + twoMail + `}`, `{"op":"replace","path":"emails","value":[{"value":"c@x.test"}]}`, `{"emails":[{"value":"c@x.test"}]}`},
	"replace an element (§3.5.2.3)":  {`{"addresses":[{"type":"work","country":"DE"},{"type":"home"}]}`, `{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work","streetAddress":"911 Universal City Plaza","country":"US"}}`, `{"addresses":[{"type":"work","country":"US","streetAddress":"911 Universal City Plaza"},{"type":"home"}]}`},
	"replaced is what is named":      {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@x.test","type":"work"}}`, `{"emails":[{"value":"n@x.test","type":"work"},{"value":"b@x.test","type":"home"}]}`},
	"replaced, and of what chose it": {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"work\" and primary eq true]","value":[{"value":"n@x.test","display":"N"}]}`, `{"emails":[{"value":"n@x.test","display":"N","type":"work","primary":true},{"value":"b@x.test","type":"home"}]}`},
	"replaced by what it was not":    {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"b@x.test","type":"other","primary":true}}`, `{"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test","type":"other","primary":true}]}`},
	"several replaced":               {`{` + twoMail + `}`, `{"op":"replace","path":"emails[value ew \"x.test\"]","value":{"value":"n@x.test","primary":true}}`, `{"emails":[{"value":"n@x.test","primary":true}]}`},
	"replaced by a blank one":        {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"home","value":""}}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true}]}`},
	"replaced label":                 {`{` + twoMail + `}`, `{"op":"replace","path":"emails[value eq \"b@x.test\"]","value":{"type":"other"}}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"other"}]}`},
	"nothing replaced by a blank":    {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"other\"]","value":[{"value":""}]}`, `{` + twoMail + `}`},
	"made where nothing is replaced": {`{` + twoMail + `}`, `{"op":"replace","path":"emails[type eq \"other\"]","value":{"value":"o@x.test"}}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home"},{"type":"other","value":"o@x.test"}]}`},
	"added to one":                   {`{` + twoMail + `}`, `{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"A"}}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true,"display":"A"},{"value":"b@x.test","type":"home"}]}`},
	"replace a part (§3.5.2.3)":      {`{"addresses":[{"type":"work","country":"DE"}]}`, `{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"1010 Broadway Ave"}`, `{"addresses":[{"type":"work","country":"DE","streetAddress":"1010 Broadway Ave"}]}`},
	"replace without a path":         {`{` + twoMail + `,"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","value":{"emails":[{"value":"c@x.test","type":"work"}],"name":{"givenName":"C"}}}`, `{"emails":[{"value":"c@x.test","type":"work"}],"name":{"givenName":"C","familyName":"B"}}`},
	"replace with nothing":           {`{` + twoMail + `}`, `{"op":"replace","path":"emails","value":[]}`, `{}`},
	"replace with null":              {`{"title":"T"}`, `{"op":"replace","path":"title","value":null}`, `{}`},
	"made as the filter says":        {`{}`, `{"op":"replace","path":"emails[type eq \"work\" and display eq \"W\"].value","value":"w@x.test"}`, `{"emails":[{"type":"work","display":"W","value":"w@x.test","primary":true}]}`},
	"made beside others":             {`{` + twoMail + `}`, `{"op":"add","path":"emails[type eq \"other\"].value","value":"o@x.test"}`, `{"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home"},{"type":"other","value":"o@x.test"}]}`},
	"made and preferred":             {`{` + twoMail + `}`, `{"op":"add","path":"emails[type eq \"other\" and primary eq true].value","value":"o@x.test"}`, `{"emails":[{"value":"a@x.test","type":"work"},{"value":"b@x.test","type":"home"},{"type":"other","primary":true,"value":"o@x.test"}]}`},
	"a part of an extension":         {`{` + dept + `}`, `{"op":"Add","path":"` + EnterpriseURN + `:manager","value":"m"}`, `{"` + EnterpriseURN + `":{"department":"R&D","manager":{"value":"m"}}}`},
	"a part of a part of one":        {`{` + dept + `}`, `{"op":"add","path":"` + EnterpriseURN + `:manager.value","value":"m"}`, `{"` + EnterpriseURN + `":{"department":"R&D","manager":{"value":"m"}}}`},
	"an extension":                   {`{` + dept + `}`, `{"op":"replace","path":"` + EnterpriseURN + `","value":{"Division":"D","unknown":1}}`, `{"` + EnterpriseURN + `":{"department":"R&D","division":"D"}}`},
	"an extension as a member":       {`{}`, `{"op":"add","value":{"` + EnterpriseURN + `":{"division":"D"},"` + EnterpriseURN + `:department":"R&D"}}`, `{"` + EnterpriseURN + `":{"department":"R&D","division":"D"}}`},
	"an extension goes":              {`{"title":"T",` + dept + `}`, `{"op":"remove","path":"` + EnterpriseURN + `"}`, `{"title":"T"}`},
	"the last part of one goes":      {`{` + dept + `}`, `{"op":"remove","path":"` + EnterpriseURN + `:department"}`, `{}`},
	"with the schema's URN":          {`{}`, `{"op":"add","path":"` + UserURN + `:name.givenName","value":"G"}`, `{"name":{"givenName":"G"}}`},
	"Entra's flattened members":      {`{}`, `{"op":"Add","value":{"name.givenName":"G","emails[type eq \"work\"].value":"w@x.test","active":"False"}}`, `{"name":{"givenName":"G"},"emails":[{"type":"work","value":"w@x.test","primary":true}],"active":false}`},
	"the RFC's that are not kept":    {`{}`, `{"op":"add","path":"ims","value":[{"value":"x"}]},{"op":"add","path":"entitlements[type eq \"x\"].value","value":"y"},{"op":"replace","path":"urn:example:2.0:User:thing","value":1}`, `{}`},
	"unknown members":                {`{}`, `{"op":"replace","value":{"shoeSize":42,"id":"x","meta":{},"schemas":[],"groups":[{"value":"g"}],"title":"T","ims":[]}}`, `{"title":"T"}`},
	"the manager's name":             {`{}`, `{"op":"replace","path":"` + EnterpriseURN + `:manager.displayName","value":"M"}`, `{}`},
	"one for a list, text for value": {`{}`, `{"op":"add","path":"phoneNumbers","value":"123"}`, `{"phoneNumbers":[{"value":"123"}]}`},
	"blank elements":                 {`{` + twoMail + `}`, `{"op":"replace","path":"emails","value":[{"type":"work","value":"","primary":true},null]}`, `{}`},
}

func TestPatch(t *testing.T) {
	t.Parallel()
	for name, c := range patches {
		have := tree(t, c[0])
		if err := patched(User, have, tree(t, `{"Operations":[`+c[1]+`]}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(tree(t, c[2]), have); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	t.Parallel()
	for op, reason := range map[string]string{
		`{"op":"move","path":"title"}`: "invalidSyntax", `{"op":"remove"}`: "noTarget", `{"op":"add","value":"x"}`: "invalidSyntax", `{"op":"add","path":4,"value":"x"}`: "invalidSyntax", `4`: "invalidSyntax",
		`{"op":"add","path":"shoeSize","value":1}`: "invalidPath", `{"op":"add","path":"name.shoe","value":1}`: "invalidPath", `{"op":"add","path":"title.x","value":1}`: "invalidPath",
		`{"op":"add","path":"emails[type eq \"work\"].shoe","value":1}`: "invalidPath", `{"op":"add","path":"title[value eq \"x\"]","value":1}`: "invalidPath", `{"op":"add","path":"a b","value":1}`: "invalidPath",
		`{"op":"add","path":"emails[type eq","value":1}`: "invalidFilter", `{"op":"add","path":"emails[shoe eq 1]","value":1}`: "invalidFilter", `{"op":"add","path":"emails]","value":1}`: "invalidPath",
		`{"op":"add","path":"emails[type eq \"x\"].","value":1}`:                                             "invalidPath",
		`{"op":"replace","path":"emails[type ne \"work\"].value","value":"x"}`:                               "noTarget",
		`{"op":"replace","path":"emails[type eq \"a\" or type eq \"b\"].value","value":"x"}`:                 "noTarget",
		`{"op":"replace","path":"emails[value co \"x\"]","value":{"value":"x"}}`:                             "noTarget",
		`{"op":"replace","path":"emails[type eq \"x\"]","value":[{"value":"a"},{"value":"b"}]}`:              "invalidValue",
		`{"op":"replace","path":"emails[type eq \"x\"]","value":[]}`:                                         "invalidValue",
		`{"op":"replace","path":"emails[type eq \"x\"]","value":[null]}`:                                     "",
		`{"op":"replace","path":"emails[type eq \"x\"]","value":4}`:                                          "",
		`{"op":"replace","path":"id","value":"x"}`:                                                           "mutability",
		`{"op":"remove","path":"meta.created"}`:                                                              "mutability",
		`{"op":"add","path":"groups","value":[{"value":"x"}]}`:                                               "mutability",
		`{"op":"replace","path":"password","value":"x"}`:                                                     "mutability",
		`{"op":"replace","value":{"password":"x"}}`:                                                          "mutability",
		`{"op":"remove","path":"emails","value":[]}`:                                                         "",
		`{"op":"remove","path":"emails","value":null}`:                                                       "",
		`{"op":"add","path":"emails"}`:                                                                       "",
		`{"op":"replace","path":"emails"}`:                                                                   "",
		`{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":"true"}]}`: "",
		`{"op":"add","path":"emails","value":[4]}`:                                                           "",
		`{"op":"add","path":"title","value":4}`:                                                              "",
		`{"op":"add","path":"name","value":"x"}`:                                                             "",
		`{"op":"replace","path":"active","value":"yes"}`:                                                     "invalidValue",
		`{"op":"replace","value":{"` + EnterpriseURN + `":"x"}}`:                                             "invalidSyntax",
	} {
		err := patched(User, map[string]any{}, tree(t, `{"Operations":[`+op+`]}`))
		if f := fault.As(err); f == nil || f.Reason != reason {
			t.Errorf("%s: %v", op, err)
		}
	}
	for _, body := range []string{`{}`, `{"Operations":[]}`, `{"Operations":{}}`} {
		if err := patched(User, nil, tree(t, body)); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
	// AWS's dialect changes the parts that are named.
	strict := tree(t, `{"emails":[{"value":"a","type":"work","primary":true}]}`)
	if err := patched(StrictUser, strict, tree(t, `{"Operations":[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"b"}}]}`)); err != nil ||
		!cmp.Equal(strict, tree(t, `{"emails":[{"value":"b","type":"work","primary":true}]}`)) {
		t.Errorf("%v, %v", strict, err)
	}
	// Two are made primary at once.
	two := tree(t, `{"emails":[{"value":"a"},{"value":"b"}]}`)
	if err := patched(User, two, tree(t, `{"Operations":[{"op":"replace","path":"emails.primary","value":true}]}`)); err == nil {
		t.Error("two primary addresses")
	}
}
