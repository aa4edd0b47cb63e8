package scim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// outcome are the operations of a bulk's answer: method, bulkId and status of each.
func (a reply) outcome() (out []string) {
	all, _ := a.at("Operations").([]any)
	for _, raw := range all {
		o := raw.(map[string]any)
		out = append(out, fmt.Sprint(o["method"], " ", o["bulkId"], " ", o["status"]))
	}
	return out
}

func bulkOf(more string, ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]` + more + `,"Operations":[` + strings.Join(ops, ",") + `]}`
}

func post(path, id, data string) string {
	return fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":%q,"data":%s}`, path, id, data)
}

const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// TestBulk: references forward, backward and in a circle lead to what is made; answers come in the order of the request.
func TestBulk(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	managed := func(by string) string { return fmt.Sprintf(`%q:{"manager":{"value":"bulkId:%s"}}`, enterpriseURN, by) }
	old := w.user("old")
	out := w.do("POST", "/Bulk", bulkOf("",
		post("/Groups", "g", `{"displayName":"G","members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]}`),
		post("/Users", "a", userJSON("a", managed("b"))),
		post("/Users", "b", userJSON("b", managed("a"))),
		`{"method":"patch","path":"/Groups/bulkId:g","data":`+patch(`{"op":"remove","path":"members[value eq \"bulkId:b\"]"}`, `{"op":"add","path":"members","value":[{"value":"`+old+`"}]}`)+`}`,
		`{"method":"PUT","path":"/Users/`+old+`","data":`+userJSON("older")+`}`,
		post("/Users", "c", userJSON("c")),
		`{"method":"DELETE","path":"/Users/bulkId:c"}`,
	)).expect(http.StatusOK)
	if diff := cmp.Diff([]string{"POST g 201", "POST a 201", "POST b 201", "PATCH <nil> 204", "PUT <nil> 200", "POST c 201", "DELETE <nil> 204"}, out.outcome()); diff != "" {
		t.Fatalf("%s: %v", diff, out.body)
	}
	ids := map[string]string{}
	for _, raw := range out.at("Operations").([]any) {
		o := raw.(map[string]any)
		location, _ := o["location"].(string)
		if name, ok := o["bulkId"].(string); ok {
			ids[name] = location[strings.LastIndexByte(location, '/')+1:]
		}
		if location == "" || (o["version"] == nil) != (o["status"] == "204") {
			t.Errorf("%v", o)
		}
	}
	if diff := cmp.Diff(sorted(ids["a"], old), w.members(ids["g"])); diff != "" {
		t.Error(diff)
	}
	for one, by := range map[string]string{"a": "b", "b": "a"} {
		if got := w.do("GET", "/Users/"+ids[one], "").at(enterpriseURN, "manager", "value"); got != ids[by] {
			t.Errorf("%s is managed by %v, not %s", one, got, ids[by])
		}
	}
	var events []string
	for _, e := range w.recorded() {
		if e.EventType == "AwsApiCall" {
			events = append(events, e.EventName)
		}
	}
	if want := []string{"CreateUser", "CreateUser", "CreateUser", "CreateGroup", "PatchGroup", "PutUser", "CreateUser", "DeleteUser"}; !slices.Equal(events, want) {
		t.Errorf("events %v", events)
	}
	w.do("GET", "/Users/"+ids["c"], "").expect(http.StatusNotFound)
}

// TestBulkFailures: each operation stands alone, but for those that need one that failed.
func TestBulkFailures(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	w.user("taken")
	ops := []string{
		post("/Users", "a", userJSON("taken")),
		post("/Groups", "g", `{"displayName":"G","members":[{"value":"bulkId:a"}]}`),
		post("/Groups", "h", `{"displayName":"H"}`),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":{}}`,
		`{"method":"DELETE","path":"/Groups/bulkId:nobody"}`,
		`{"method":"GET","path":"/Users"}`, `{"method":"POST","path":"/Bulk","bulkId":"x","data":{}}`, `{"method":"DELETE","path":"/Nothing"}`, `{"method":"PUT","path":"/Groups/bulkId:h"}`,
		`{"method":"DELETE","path":"/Groups/bulkId:h","version":"W/\"9.9\""}`,
		post("/Users", "z", userJSON("z")),
	}
	out := w.do("POST", "/Bulk", bulkOf("", ops...)).expect(http.StatusOK)
	want := []string{
		"POST a 409", "POST g 409", "POST h 201", "PATCH <nil> 409", "DELETE <nil> 400", "GET <nil> 405", "POST x 405", "DELETE <nil> 404", "PUT <nil> 400", "DELETE <nil> 412", "POST z 201",
	}
	if diff := cmp.Diff(want, out.outcome()); diff != "" {
		t.Fatalf("%s: %v", diff, out.body)
	}
	first := out.at("Operations").([]any)[0].(map[string]any)
	if r := first["response"].(map[string]any); r["scimType"] != "uniqueness" || r["status"] != "409" || first["location"] != nil {
		t.Errorf("%v", first)
	}
	if got := w.listed("/Groups", `displayName eq "G"`); got != nil {
		t.Errorf("a group was made all the same: %v", got)
	}
	out = w.do("POST", "/Bulk", bulkOf(`,"failOnErrors":2`, post("/Users", "p", userJSON("p")), ops[0], ops[5], post("/Users", "q", userJSON("q")))).expect(http.StatusOK)
	if diff := cmp.Diff([]string{"POST p 201", "POST a 409", "GET <nil> 405"}, out.outcome()); diff != "" || w.listed("/Users", `userName eq "q"`) != nil {
		t.Error(diff)
	}
}

func TestBulkRefuses(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	one := post("/Users", "a", userJSON("a"))
	for body, words := range map[string]string{
		`{}`: "unparsable", `{"Operations":[4]}`: "unparsable", bulkOf("", `{"method":"POST","path":"/Users","data":{}}`): "bulkId", bulkOf("", one, one): "bulkId", bulkOf(`,"failOnErrors":"x"`, one): "failOnErrors",
		bulkOf("", `{"method":"PUT","path":"/Users/x","data":4}`): "unparsable",
	} {
		w.do("POST", "/Bulk", body).refused(http.StatusBadRequest, words)
	}
	var many []string
	for range 1001 {
		many = append(many, `{"method":"DELETE","path":"/Users/x"}`)
	}
	w.do("POST", "/Bulk", bulkOf("", many...)).refused(http.StatusRequestEntityTooLarge, "at most 1000")
	w.do("POST", "/Bulk", bulkOf("", post("/Users", "a", userJSON(strings.Repeat("x", 5<<20))))).refused(http.StatusRequestEntityTooLarge, "4194304")
	if got := w.listed("/Users", `userName pr`); got != nil {
		t.Errorf("made are %v", got)
	}
	config := w.do("GET", "/ServiceProviderConfig", "").expect(http.StatusOK)
	if config.at("bulk", "maxOperations") != float64(1000) || config.at("bulk", "maxPayloadSize") != float64(4194304) || config.at("etag", "supported") != true || config.at("sort", "supported") != true ||
		config.at("pagination", "cursor") != true || config.at("filter", "maxResults") != float64(1000) || config.at("changePassword", "supported") != false {
		t.Errorf("told is %v", config.body)
	}
}

// TestVersions: a change that was made for another version is refused, and what a client has is not sent again (RFC 7644 §3.14).
func TestVersions(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	id := w.user("a")
	g := w.group("G")
	for _, path := range []string{"/Users/" + id, "/Groups/" + g} {
		out := w.do("GET", path, "").expect(http.StatusOK)
		first := out.header.Get("ETag")
		if !strings.HasPrefix(first, `W/"`) || out.at("meta", "version") != first {
			t.Errorf("%s: version %s, %v", path, first, out.at("meta"))
		}
		for _, have := range []string{first, strings.TrimPrefix(first, "W/"), "*", `"x", ` + first} {
			if out := w.do("GET", path, "", "If-None-Match", have).expect(http.StatusNotModified); out.header.Get("ETag") != first || out.body != nil {
				t.Errorf("%s: %v", have, out.body)
			}
		}
		w.do("GET", path, "", "If-None-Match", `W/"x"`).expect(http.StatusOK)
		change := patch(`{"op":"replace","path":"displayName","value":"New"}`)
		w.do("PATCH", path, change, "If-Match", `W/"x"`).refused(http.StatusPreconditionFailed, "has changed")
		w.do("PUT", path, userJSON("a"), "If-Match", `W/"x"`).expect(http.StatusPreconditionFailed)
		w.do("DELETE", path, "", "If-Match", `W/"x"`).expect(http.StatusPreconditionFailed)
		if out := w.do("PATCH", path, change, "If-Match", first); out.status > 204 {
			t.Errorf("%s: %v", path, out.body)
		}
		w.do("PATCH", path, change, "If-Match", first).expect(http.StatusPreconditionFailed)
		if out := w.do("PATCH", path, change, "If-Match", "*"); out.status > 204 {
			t.Errorf("%s: %v", path, out.body)
		}
	}
	before := w.do("GET", "/Groups/"+g, "").header.Get("ETag")
	w.do("PATCH", "/Groups/"+g, patch(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)).expect(http.StatusNoContent)
	joined := w.do("GET", "/Groups/"+g, "").header.Get("ETag")
	w.do("DELETE", "/Users/"+id, "").expect(http.StatusNoContent)
	gone := w.do("GET", "/Groups/"+g, "").header.Get("ETag")
	if before == joined || joined == gone {
		t.Errorf("versions with other members: %s, %s, %s", before, joined, gone)
	}
}

// TestVersionsAreNotAWS: the strict dialect says and heeds none.
func TestVersionsAreNotAWS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	id := w.user("a")
	out := w.do("GET", "/Users/"+id+"?attributes=userName", "", "If-None-Match", "*").expect(http.StatusOK)
	if out.at("meta", "version") != nil || out.header.Get("ETag") != "" || out.at("displayName") == nil {
		t.Errorf("%v", out.body)
	}
	w.do("DELETE", "/Users/"+id, "", "If-Match", `W/"x"`).expect(http.StatusNoContent)
	for _, path := range []string{"/Users/.search", "/Groups/.search", "/.search", "/Bulk"} {
		w.do("POST", path, "{}").refused(http.StatusNotFound, "no such endpoint")
	}
	w.do("GET", "/ResourceTypes/User", "").expect(http.StatusNotFound)
}

// TestBothDialects: a token of AWS's dialect leaves alone what one of the complete dialect has written.
func TestBothDialects(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	id := w.user("a", `"emails":[{"value":"a@x.test","display":"A","primary":true},{"value":"b@x.test"}]`, `"photos":[{"value":"https://x.test/p"}]`)
	before := w.do("GET", "/Users/"+id, "").body
	complete := w.token
	w.token = w.newToken(tenant, store.StrictSCIM)
	out := w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"T"}`)).expect(http.StatusOK)
	if out.at("photos") != nil || strings.Contains(fmt.Sprint(out.body), "display:A") {
		t.Errorf("AWS's dialect shows %v", out.body)
	}
	w.do("PATCH", "/Users/"+id, patch(`{"op":"add","path":"emails","value":[{"value":"c@x.test"}]}`)).refused(http.StatusBadRequest, "allowed limit")
	w.token = complete
	after := w.do("GET", "/Users/"+id, "").body
	for _, name := range []string{"emails", "photos"} {
		if diff := cmp.Diff(before[name], after[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
