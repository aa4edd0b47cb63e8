package contract

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/scim/resource"
)

// scimAnswer is what a peer made of a case.
type scimAnswer struct {
	Value any
	Error string
}

// scimCase is a filter, or a PATCH, of a resource. But says where a peer does otherwise, and why ours is right.
type scimCase struct {
	Filter     string          `json:"filter,omitempty"`
	Resource   json.RawMessage `json:"resource"`
	Operations json.RawMessage `json:"operations,omitempty"`

	want any // of ours: a bool, or a resource as JSON
	but  map[string]string
}

// askPeers has the peers do the cases.
func askPeers(t *testing.T, kind string, cases []scimCase) []map[string]scimAnswer {
	t.Helper()
	where, err := exec.Command("../../scripts/scim-peers").Output()
	if err != nil {
		t.Fatalf("get peers by scripts/scim-peers: %v", err)
	}
	in, err := json.Marshal(map[string]any{kind: cases})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/scim.mjs", strings.TrimSpace(string(where)))
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run node: %v", err)
	}
	var answers map[string][]map[string]scimAnswer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers[kind]) != len(cases) {
		t.Fatalf("%v: %s", err, out)
	}
	return answers[kind]
}

// agree compares the peers' answers with ours: a peer that does otherwise without a reason fails, and so does a reason without need.
func agree(t *testing.T, cases []scimCase, kind string, cut func(any) any) {
	t.Helper()
	for i, answers := range askPeers(t, kind, cases) {
		c := cases[i]
		name := c.Filter + string(c.Operations)
		if len(answers) != 2 {
			t.Errorf("%s: answers of %d peers", name, len(answers))
		}
		for peer, a := range answers {
			same := a.Error == "" && cmp.Equal(c.want, cut(a.Value))
			switch reason, known := c.but[peer]; {
			case !same && !known:
				t.Errorf("%s: %s says %v%s, ours %v", name, peer, cut(a.Value), a.Error, c.want)
			case same && known:
				t.Errorf("%s: %s does the same, though %q is said of it", name, peer, reason)
			}
		}
	}
}

func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

const enterprise = resource.EnterpriseURN

const scimPerson = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"id":"aa-11","externalId":"Ext","userName":"anna@x.test","displayName":"A \"Q\" \\ K",
	"title":"Boss","name":{"familyName":"A","givenName":"Anna"},"active":true,
	"emails":[{"value":"anna@x.test","type":"work","primary":true},{"value":"anna@home.test","type":"home"}],
	"meta":{"resourceType":"User","created":"2026-01-01T00:00:00Z","lastModified":"2026-03-01T12:00:00Z"},"` + enterprise + `":{"department":"RD","manager":{"value":"m-1"}}}`

// Reasons of differences.
const (
	inCase    = "texts that are not caseExact are compared without case (RFC 7643 §2.2)"
	escapes   = "it does not read JSON's escapes in texts (RFC 7644 §3.4.2.2)"
	brackets  = "it does not read brackets in brackets"
	urns      = "it has no extensions in filters"
	oneAndAll = "a filter in brackets is about one and the same element (RFC 7644 §3.4.2.2)"
	noValue   = "a list without a part is compared by value (RFC 7644 §3.4.2.2)"
	absent    = "what is absent is not equal to anything"
	negated   = "it does not read not in brackets"
	anyCase   = "names of attributes have no case (RFC 7643 §2.1)"
	asText    = "booleans as texts are Entra's (case S02)"
	merged    = "the parts that are not named stay (RFC 7644 §3.5.2.3)"
	replaced  = "values that a filter chooses are replaced, not added to (RFC 7644 §3.5.2.3)"
	inOrder   = "what is replaced stays where it was: the order of values tells nothing"
	asIs      = "what is there already is not added again (RFC 7644 §3.5.2.1)"
	wanted    = "what Entra adds by a filter is made as the filter says (case S03)"
	preferred = "the only one of a list is the primary one, as AWS wants it"
	extension = "the URN of an extension has dots, and is one name (RFC 7643 §3.3)"
)

// One or both peers, with a reason.
func parser(why string) map[string]string  { return map[string]string{"scim2-parse-filter": why} }
func patcher(why string) map[string]string { return map[string]string{"scim-patch": why} }
func scimmy(why string) map[string]string  { return map[string]string{"scimmy": why} }

func both(a, b map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// scimFilters are filters, and where a peer does otherwise.
var scimFilters = map[string]map[string]string{
	`userName eq "anna@x.test"`: nil, `userName eq "nobody"`: nil, `userName ne "nobody"`: nil, `userName eq "ANNA@x.test"`: both(parser(inCase), scimmy(inCase)), `USERNAME EQ "anna@x.test"`: nil,
	`userName co "a@x"`: nil, `userName sw "anna"`: nil, `userName ew ".test"`: nil, `userName co "zz"`: nil, `title pr`: nil, `nickName pr`: nil, `not (nickName pr)`: nil,
	`not (title pr)`: nil, `nickName ne "x"`: parser(absent), `nickName eq "x"`: nil, `title gt "Boa"`: nil, `title lt "Boa"`: nil, `title ge "Boss"`: nil, `title le "Boss"`: nil,
	`active eq true`: nil, `active eq false`: nil, `externalId eq "Ext"`: nil, `externalId eq "ext"`: nil, `displayName eq "A \"Q\" \\ K"`: both(parser(escapes), scimmy(escapes)),
	`title eq "x" or title eq "Boss" and userName sw "anna"`: nil, `(title eq "Boss" or title eq "x") and title eq "y"`: nil, `title eq "Boss" or title eq "x" and title eq "y"`: nil,
	`not (title eq "x") and not (title eq "Boss")`: nil, `not (title eq "x" or title eq "y")`: nil, `((title eq "Boss"))`: scimmy(brackets),
	`name.familyName eq "A"`: nil, `name.givenName sw "B"`: nil, `emails.value eq "anna@home.test"`: nil, `emails.type eq "other"`: nil, `emails eq "anna@home.test"`: both(parser(noValue), scimmy(noValue)), `emails pr`: scimmy(noValue),
	`emails[type eq "work"]`: nil, `emails[type eq "work" and value co "@x"]`: nil, `emails[value eq "anna@x.test" and type eq "home"]`: parser(oneAndAll),
	`emails[type eq "work" and (value ew "home.test" or primary eq true)]`: scimmy(brackets), `emails[not (type eq "work")]`: parser(negated), `emails[type eq "other"]`: nil,
	`emails[type eq "work"] and title pr`: nil, `meta.lastModified gt "2026-02-01T00:00:00Z"`: nil, `meta.created lt "2025-01-01T00:00:00Z"`: nil,
	enterprise + `:department eq "RD"`: scimmy(urns), enterprise + `:manager.value eq "m-1"`: scimmy(urns), enterprise + `:division pr`: nil,
}

func TestSCIMFilters(t *testing.T) {
	t.Parallel()
	var cases []scimCase
	for text, but := range scimFilters {
		f, err := resource.User.Filter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		cases = append(cases, scimCase{Filter: text, Resource: json.RawMessage(scimPerson), want: f.Match(tree(t, scimPerson)), but: but})
	}
	agree(t, cases, "filters", func(v any) any { return v })
}

// scimPatches are resources, operations, and where a peer does otherwise.
var scimPatches = []struct {
	resource, operations string
	but                  map[string]string
}{
	{`{}`, `{"op":"add","path":"title","value":"T"}`, nil},
	{`{"title":"T"}`, `{"op":"replace","path":"title","value":"U"}`, nil},
	{`{}`, `{"op":"replace","path":"title","value":"U"}`, nil},
	{`{"title":"T"}`, `{"op":"remove","path":"title"}`, nil},
	{`{}`, `{"op":"remove","path":"title"}`, nil},
	{`{"title":"T"}`, `{"op":"Replace","path":"title","value":"U"}`, nil},
	{`{"title":"T"}`, `{"op":"replace","path":"TITLE","value":"U"}`, both(patcher(anyCase), scimmy(anyCase))},
	{`{"active":true}`, `{"op":"replace","path":"active","value":false}`, nil},
	{`{"active":true}`, `{"op":"replace","value":{"active":false}}`, nil},
	{`{"active":true}`, `{"op":"Replace","path":"active","value":"False"}`, both(patcher(asText), scimmy(asText))},
	{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","path":"name.familyName","value":"C"}`, nil},
	{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"add","path":"name","value":{"middleName":"M"}}`, nil},
	{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","value":{"name":{"familyName":"C"}}}`, patcher(merged)},
	{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","value":{"name.familyName":"C"}}`, nil},
	{`{"name":{"givenName":"A","middleName":"B"}}`, `{"op":"remove","path":"name.middleName"}`, nil},
	{`{}`, `{"op":"add","path":"name.givenName","value":"A"}`, nil},
	{`{}`, `{"op":"add","path":"emails","value":[{"value":"a@x.test","type":"work"}]}`, nil},
	{`{EMAILS}`, `{"op":"add","path":"emails","value":[{"value":"c@x.test","type":"other"}]}`, nil},
	{`{EMAILS}`, `{"op":"add","path":"emails","value":[{"value":"b@x.test","type":"home"}]}`, scimmy(asIs)},
	{`{EMAILS}`, `{"op":"replace","path":"emails","value":[{"value":"c@x.test","type":"other"}]}`, nil},
	{`{EMAILS}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@x.test"}`, nil},
	{`{EMAILS}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@x.test","type":"work"}}`, both(patcher(replaced), scimmy(inOrder))},
	{`{EMAILS}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, nil},
	{`{EMAILS}`, `{"op":"remove","path":"emails[type eq \"home\" and value eq \"b@x.test\"]"}`, nil},
	{`{EMAILS}`, `{"op":"remove","path":"emails[type eq \"other\"]"}`, nil},
	{`{EMAILS}`, `{"op":"remove","path":"emails[value ew \"x.test\"]"}`, nil},
	{`{EMAILS}`, `{"op":"remove","path":"emails"}`, nil},
	{`{EMAILS}`, `{"op":"add","path":"emails[type eq \"home\"].display","value":"Home"}`, nil},
	{`{}`, `{"op":"add","path":"emails[type eq \"work\"].value","value":"w@x.test"}`, both(patcher(preferred), scimmy(wanted))},
	{`{EMAILS}`, `{"op":"add","path":"emails[type eq \"other\"].value","value":"o@x.test"}`, scimmy(wanted)},
	{`{EMAILS}`, `{"op":"remove","path":"emails[type eq \"work\"].type"}`, nil},
	{`{}`, `{"op":"add","value":{"title":"T","emails":[{"value":"a@x.test","type":"work"}]}}`, nil},
	{`{"title":"T"}`, `{"op":"replace","path":"title","value":"U"},{"op":"replace","path":"title","value":"V"}`, nil},
	{`{"title":"T"}`, `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"V"}`, nil},
	{`{}`, `{"op":"add","path":"` + enterprise + `:department","value":"D"}`, nil},
	{`{"` + enterprise + `":{"department":"D","division":"V"}}`, `{"op":"replace","path":"` + enterprise + `:department","value":"E"}`, nil},
	{`{"` + enterprise + `":{"department":"D","division":"V"}}`, `{"op":"remove","path":"` + enterprise + `:division"}`, nil},
	{`{}`, `{"op":"add","path":"` + enterprise + `:manager.value","value":"m"}`, scimmy(extension)},
	{`{"` + enterprise + `":{"department":"D"}}`, `{"op":"add","value":{"` + enterprise + `":{"division":"V"}}}`, patcher(extension)},
	{`{}`, `{"op":"replace","value":{"` + enterprise + `:department":"D"}}`, nil},
}

func TestSCIMPatches(t *testing.T) {
	t.Parallel()
	var cases []scimCase
	for _, p := range scimPatches {
		text := strings.Replace(p.resource, `EMAILS`, `"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home"}]`, 1)
		text = `{"userName":"anna"` + strings.TrimSuffix(","+text[1:], ",}")
		if p.resource == `{}` {
			text = `{"userName":"anna"}`
		}
		ours := tree(t, text)
		ops, err := resource.User.Operations(tree(t, `{"Operations":[`+p.operations+`]}`))
		for _, o := range ops {
			if err == nil {
				err = o.Apply(ours)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", p.operations, err)
			continue
		}
		cases = append(cases, scimCase{Resource: json.RawMessage(text), Operations: json.RawMessage("[" + p.operations + "]"), want: any(ours), but: p.but})
	}
	agree(t, cases, "patches", func(v any) any {
		if m, ok := v.(map[string]any); ok {
			for _, k := range []string{"schemas", "id", "meta"} { // scimmy's own
				delete(m, k)
			}
		}
		return v
	})
}
