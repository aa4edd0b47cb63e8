package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

func completeWorld(t *testing.T) *world { return newWorld(t, store.CompleteSCIM) }

// listed are the ids that a list has for a filter.
func (w *world) listed(kind, filter string) []string {
	w.t.Helper()
	return w.do("GET", kind+"?count=1000&filter="+url.QueryEscape(filter), "").expect(http.StatusOK).ids()
}

// shownMembers are the values of a shown group's members.
func (a reply) shownMembers() (out []string) {
	all, _ := a.at("members").([]any)
	for _, m := range all {
		out = append(out, m.(map[string]any)["value"].(string))
	}
	slices.Sort(out)
	return out
}

func sorted(ids ...string) []string { slices.Sort(ids); return ids }

// TestCompleteMembers: groups show members unless they are excluded (case S09), and take whole lists of them (case S10).
func TestCompleteMembers(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	g := w.group("G", a, b)
	got := w.do("GET", "/Groups/"+g, "").expect(http.StatusOK)
	if diff := cmp.Diff(sorted(a, b), got.shownMembers()); diff != "" {
		t.Error(diff)
	}
	first, _ := got.at("members").([]any)[0].(map[string]any)
	if first["type"] != "User" || !strings.HasPrefix(first["display"].(string), "The ") || !strings.HasSuffix(first["$ref"].(string), "/scim/v2/Users/"+first["value"].(string)) {
		t.Errorf("a member is %v", first)
	}
	for _, path := range []string{"/Groups/" + g + "?excludedAttributes=members", "/Groups/" + g + "?attributes=displayName"} {
		if out := w.do("GET", path, "").expect(http.StatusOK); out.at("members") != nil || out.at("displayName") != "G" {
			t.Errorf("%s: %v", path, out.body)
		}
	}
	before := membership(w, g, b)
	w.do("PUT", "/Groups/"+g, fmt.Sprintf(`{"displayName":"H","externalId":"e","members":[{"value":%q},{"value":%q}]}`, b, c)).expect(http.StatusOK)
	if diff := cmp.Diff(sorted(b, c), w.members(g)); diff != "" || membership(w, g, b) != before {
		t.Errorf("who stays joined again, or %s", diff)
	}
	w.do("PATCH", "/Groups/"+g, patch(fmt.Sprintf(`{"op":"replace","path":"members","value":[{"value":%q}]}`, strings.ToUpper(a)))).expect(http.StatusNoContent)
	out := w.do("PATCH", "/Groups/"+g+"?attributes=displayName,members.value", patch(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, c))).expect(http.StatusOK)
	if diff := cmp.Diff(sorted(a, c), out.shownMembers()); diff != "" || out.at("displayName") != "H" {
		t.Errorf("%v: %s", out.body, diff)
	}
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"remove","path":"members[display eq \"the a\" or value eq \"x\"]"}`)).expect(http.StatusNoContent)
	if diff := cmp.Diff([]string{c}, w.members(g)); diff != "" {
		t.Error(diff)
	}
	w.do("PUT", "/Groups/"+g, `{"displayName":"H"}`).expect(http.StatusOK)
	if left := w.members(g); left != nil {
		t.Errorf("left are %v", left)
	}
}

func membership(w *world, g, u string) (id string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		m, err := tx.MembershipOf(g, u)
		id = m.ID
		return err
	})
	return id
}

// TestLastWordOnMembers: operations are done in their order, as if each had come alone.
func TestLastWordOnMembers(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	g := w.group("G", a, b)
	member := func(op, id string) string {
		return fmt.Sprintf(`{"op":%q,"path":"members","value":[{"value":%q}]}`, op, id)
	}
	for _, step := range []struct {
		ops  []string
		want []string
	}{
		{[]string{member("add", b), member("replace", a)}, []string{a}},
		{[]string{member("replace", b), member("add", c), member("remove", b)}, []string{c}},
		{[]string{member("add", a), `{"op":"remove","path":"members"}`, member("add", b)}, []string{b}},
		{[]string{member("remove", b), member("add", strings.ToUpper(b)), member("add", a), `{"op":"remove","path":"members[value eq \"` + a + `\"]"}`}, []string{b}},
	} {
		w.do("PATCH", "/Groups/"+g, patch(step.ops...)).expect(http.StatusNoContent)
		if diff := cmp.Diff(step.want, w.members(g)); diff != "" {
			t.Errorf("%v: %s", step.ops, diff)
		}
	}
}

// TestMembersAreNotGuessed: what a client may not have meant changes nobody.
func TestMembersAreNotGuessed(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	a, b := w.user("a"), w.user("b")
	g := w.group("G", a)
	for _, op := range []string{
		`{"op":"remove","path":"members","value":[]}`, `{"op":"remove","path":"members","value":null}`, `{"op":"remove","path":"members","value":[{"type":"User"}]}`,
		`{"op":"remove","path":"members","value":[null]}`, `{"op":"remove","path":"members","value":[{"value":""}]}`, `{"op":"add","path":"members"}`, `{"op":"replace","path":"members"}`,
		`{"op":"replace","path":"members","value":[{"type":"User"}]}`, `{"op":"replace","path":"members[value eq \"` + a + `\"]","value":[{"value":"` + b + `"}]}`,
		`{"op":"add","path":"members","value":[{"value":"00000000-0000-0000-0000-000000000000"}]}`, `{"op":"add","path":"members[display eq \"x\"]","value":[{"value":"` + b + `"}]}`,
		`{"op":"replace","path":"members[value eq \"` + a + `\"].value","value":"` + b + `"}`, `{"op":"replace","path":"members[value eq \"` + a + `\"].display","value":"B"}`,
		`{"op":"replace","path":"meta.version","value":"x"}`, `{"op":"remove","path":"displayName"}`, `{"op":"replace","path":"shoe","value":"x"}`,
	} {
		// Whatever comes first is not done either.
		out := w.do("PATCH", "/Groups/"+g, patch(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, b), op))
		if out.status != http.StatusBadRequest && out.status != http.StatusNotFound {
			t.Errorf("%s: %d %v", op, out.status, out.body)
		}
		if diff := cmp.Diff([]string{a}, w.members(g)); diff != "" {
			t.Fatalf("%s: %s", op, diff)
		}
	}
	w.do("PUT", "/Groups/"+g, `{"displayName":"G","members":[{"type":"User"}]}`).refused(http.StatusBadRequest, "no value")
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"remove","path":"members"}`)).expect(http.StatusNoContent)
	if left := w.members(g); left != nil {
		t.Errorf("left are %v", left)
	}
}

// TestCompleteManyMembers: thousands are changed whole or not at all (case S08).
func TestCompleteManyMembers(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	var all []string
	for i := range 1200 {
		all = append(all, fmt.Sprintf(`{"value":%q}`, w.made(fmt.Sprintf("u%d", i))))
	}
	g := w.group("G")
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"add","path":"members","value":[`+strings.Join(all, ",")+`,{"value":"nobody"}]}`)).refused(http.StatusNotFound, "USER not found")
	if n := len(w.members(g)); n != 0 {
		t.Errorf("%d joined all the same", n)
	}
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"add","path":"members","value":[`+strings.Join(all, ",")+`]}`)).expect(http.StatusNoContent)
	if n := len(w.do("GET", "/Groups/"+g, "").shownMembers()); n != 1200 {
		t.Errorf("%d are shown", n)
	}
	w.approve(time.Hour)
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"replace","path":"members","value":[`+strings.Join(all[:7], ",")+`]}`)).expect(http.StatusNoContent)
	if n := len(w.members(g)); n != 7 {
		t.Errorf("%d are left", n)
	}
	w.do("POST", "/Users", userJSON("big", `"title":"`+strings.Repeat("x", 5<<20)+`"`)).refused(http.StatusRequestEntityTooLarge, "larger than 4194304")
}

// made makes a user in the database itself.
func (w *world) made(name string) string {
	w.t.Helper()
	u := store.User{ID: fmt.Sprintf("00000000-0000-0000-0000-%012x", len(name)<<40|hash(name)), StoreID: storeID, UserName: name, DisplayName: "The " + name, Status: store.UserEnabled, Revision: 1, Source: tenant}
	u.CreatedAt = w.clock.Now()
	w.update(func(tx *store.Tx) error { return tx.InsertUser(u) })
	return u.ID
}

func hash(s string) (n int) {
	for _, b := range []byte(s) {
		n = (n*31 + int(b)) & (1<<40 - 1)
	}
	return n
}

// TestCompleteUsers: ten values of a list, photos, groups that are asked for; what is not kept is forgotten.
func TestCompleteUsers(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	id := w.user("a", `"emails":[{"value":"a@x.test","type":"work","primary":true},{"value":"b@x.test","type":"home","display":"B"}]`, `"photos":[{"value":"https://x.test/p","type":"photo"}]`,
		`"roles":["admin",{"value":"dev","primary":"True"}]`, `"password":"secret","ims":[{"value":"x"}],"shoeSize":42,"urn:x:2.0:User":{"a":1},"nickName":null`)
	out := w.do("GET", "/Users/"+id, "").expect(http.StatusOK)
	want := []any{map[string]any{"value": "a@x.test", "type": "work", "primary": true}, map[string]any{"value": "b@x.test", "type": "home", "display": "B"}}
	if diff := cmp.Diff(want, out.at("emails")); diff != "" || len(out.at("photos").([]any)) != 1 || len(out.at("roles").([]any)) != 2 || out.at("groups") != nil {
		t.Errorf("%s in %v", diff, out.body)
	}
	if text := fmt.Sprint(out.body, w.recorded()); strings.Contains(text, "secret") || strings.Contains(fmt.Sprint(out.body), "shoe") {
		t.Error("what is not kept is there")
	}
	g := w.group("G", id)
	out = w.do("GET", "/Users/"+id+"?attributes=groups,userName", "").expect(http.StatusOK)
	groups := []any{map[string]any{"value": g, "$ref": w.URL + "/" + tenant + "/scim/v2/Groups/" + g, "display": "G", "type": "direct"}}
	if diff := cmp.Diff(groups, out.at("groups")); diff != "" || out.at("meta") != nil || out.at("userName") != "a" {
		t.Errorf("%v: %s", out.body, diff)
	}
	if out := w.do("GET", "/Users/"+id+"?attributes=&excludedAttributes=", "").expect(http.StatusOK); out.at("userName") != "a" {
		t.Errorf("with empty lists: %v", out.body)
	}
	out = w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`)).expect(http.StatusOK)
	if got := out.at("emails").([]any); got[0].(map[string]any)["primary"] != nil || got[1].(map[string]any)["primary"] != true {
		t.Errorf("addresses %v", got)
	}
	out = w.do("PATCH", "/Users/"+id, patch(`{"op":"remove","path":"emails[type eq \"work\"].value"}`, `{"op":"add","path":"phoneNumbers[type eq \"fax\"].primary","value":true}`)).expect(http.StatusOK)
	if got := out.at("emails").([]any); len(got) != 1 || out.at("phoneNumbers") != nil {
		t.Errorf("what has no value is kept: %v", out.body)
	}
	var eleven []string
	for i := range 11 {
		eleven = append(eleven, fmt.Sprintf(`{"value":"%d"}`, i))
	}
	w.do("POST", "/Users", userJSON("b", `"phoneNumbers":[`+strings.Join(eleven, ",")+`]`)).refused(http.StatusBadRequest, "exceeds allowed limit of 10")
	w.do("POST", "/Users", userJSON("b", `"phoneNumbers":[`+strings.Join(eleven[1:], ",")+`]`)).expect(http.StatusCreated)
	for _, active := range []string{`"yes"`, `1`, `[]`, `{}`, `"t"`} {
		w.do("POST", "/Users", userJSON("c", `"active":`+active)).refused(http.StatusBadRequest, "true or false")
		w.do("PUT", "/Users/"+id, userJSON("a", `"active":`+active)).refused(http.StatusBadRequest, "true or false")
	}
	for op, reason := range map[string]string{
		`{"op":"replace","path":"password","value":"x"}`: "mutability", `{"op":"replace","path":"shoe","value":"x"}`: "invalidPath", `{"op":"remove","path":"active"}`: "mutability",
		`{"op":"replace","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`: "noTarget", `{"op":"replace","path":"active","value":"no"}`: "invalidValue",
		`{"op":"replace","path":"groups","value":[]}`: "mutability", `{"op":"add","path":"emails[","value":"x"}`: "invalidFilter",
	} {
		if out := w.do("PATCH", "/Users/"+id, patch(op)).expect(http.StatusBadRequest); out.at("scimType") != reason {
			t.Errorf("%s: %v", op, out.body)
		}
	}
	w.do("GET", "/Users/"+id+"?attributes=userName&excludedAttributes=emails", "").refused(http.StatusBadRequest, "exclude each other")
}

// TestSchemasAreTrue: whatever the schemas tell of as written can be written and is read back.
func TestSchemasAreTrue(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	body := map[string]any{"schemas": []any{resource.UserURN, resource.EnterpriseURN}}
	for urn, into := range map[string]map[string]any{resource.UserURN: body, resource.EnterpriseURN: {}} {
		told := w.do("GET", "/Schemas/"+urn, "").expect(http.StatusOK)
		if !strings.HasSuffix(told.at("meta", "location").(string), "/Schemas/"+urn) {
			t.Errorf("location %v", told.at("meta"))
		}
		for k, v := range sample(told.at("attributes").([]any)) {
			into[k] = v
		}
		if urn != resource.UserURN {
			body[urn] = into
		}
	}
	id := w.do("POST", "/Users", jsonText(t, body)).expect(http.StatusCreated).id()
	got := w.do("GET", "/Users/"+id, "").expect(http.StatusOK).body
	for k, v := range body {
		if diff := cmp.Diff(v, got[k]); diff != "" {
			t.Errorf("%s is not read as it was written: %s", k, diff)
		}
	}
	if n := len(w.do("GET", "/Schemas", "").expect(http.StatusOK).at("Resources").([]any)); n != 3 {
		t.Errorf("%d schemas", n)
	}
}

// sample has a value of each attribute that clients may write.
func sample(attributes []any) map[string]any {
	out := map[string]any{}
	for _, raw := range attributes {
		a := raw.(map[string]any)
		if a["mutability"] == "readOnly" {
			continue
		}
		var v any = "some " + a["name"].(string)
		switch {
		case a["type"] == "boolean":
			v = true
		case a["type"] == "complex":
			v = sample(a["subAttributes"].([]any))
		case a["canonicalValues"] != nil:
			v = a["canonicalValues"].([]any)[0]
		case a["name"] == "userName":
			v = "somebody"
		}
		if a["multiValued"] == true {
			v = []any{v}
		}
		out[a["name"].(string)] = v
	}
	return out
}
