package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/session"
	"sallyport/internal/store"
)

func TestS12ExternalIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for n, external := range []string{"urn:a:b", "a/b?c#d", "00u1", "ünï"} {
			id := w.user(fmt.Sprintf("u%d", n), fmt.Sprintf(`"externalId":%q`, external))
			out := w.do("GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf(`externalId eq %q`, external)), "").expect(http.StatusOK)
			if diff := cmp.Diff([]string{id}, out.ids()); diff != "" {
				t.Errorf("%s: %s", external, diff)
			}
		}
		w.do("POST", "/Users", userJSON("long", fmt.Sprintf(`"externalId":%q`, strings.Repeat("a", 300)))).refused(http.StatusBadRequest, "ExternalIds")
		w.do("POST", "/Users", userJSON("again", `"externalId":"00u1"`)).refused(http.StatusConflict, "Duplicate ExternalId")
	})
}

// TestS12OutsideThePattern: what AWS's pattern does not have is refused in AWS's dialect in every place, and is as good as any other
// text in the complete one. U+0000 is in no text.
func TestS12OutsideThePattern(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		u, g := w.user("u"), w.group("G")
		for n, external := range []string{"a b", " a", `tab\there`, "zero\u200bwidth", `line\nbreak`} {
			text := `"` + external + `"`
			status, words := http.StatusBadRequest, "ExternalIds"
			filter := "?filter=" + url.QueryEscape("externalId eq "+text)
			if w.dialect == store.CompleteSCIM {
				status = http.StatusOK
			}
			for path, id := range map[string]string{"/Users": u, "/Groups": g} {
				change := w.do("PATCH", path+"/"+id, patch(`{"op":"replace","path":"externalId","value":`+text+`}`))
				if status == http.StatusBadRequest {
					change.refused(status, words)
					continue
				}
				if diff := cmp.Diff([]string{id}, w.do("GET", path+filter, "").expect(status).ids()); diff != "" {
					t.Errorf("%s %s: %s", path, text, diff)
				}
			}
			made := w.do("POST", "/Users", userJSON(fmt.Sprint("new", n), `"externalId":"new `+external+`"`))
			team := w.do("POST", "/Groups", fmt.Sprintf(`{"displayName":"new %d","externalId":"new %s"}`, n, external))
			if status == http.StatusBadRequest {
				made.refused(status, words)
				team.refused(status, words)
			} else {
				made.expect(http.StatusCreated)
				team.expect(http.StatusCreated)
			}
		}
		w.do("PATCH", "/Users/"+u, patch(`{"op":"replace","path":"externalId","value":"a\u0000b"}`)).expect(http.StatusBadRequest)
	})
}

// TestS14DeactivationKills: who is disabled by PATCH or PUT has lost their sessions when the answer is given.
func TestS14DeactivationKills(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for name, disable := range map[string]func(id, name string){
			"patch": func(id, _ string) {
				w.do("PATCH", "/Users/"+id, patch(`{"op":"Replace","path":"active","value":"False"}`)).expect(http.StatusOK)
			},
			"put": func(id, name string) {
				w.do("PUT", "/Users/"+id, userJSON(name, `"active":false`)).expect(http.StatusOK)
			},
			"delete": func(id, _ string) { w.do("DELETE", "/Users/"+id, "").expect(http.StatusNoContent) },
		} {
			id := w.user(name)
			var p store.Session
			w.update(func(tx *store.Tx) error {
				u, err := tx.User(id)
				if err != nil {
					return err
				}
				_, p, err = w.Login.Sessions.StartPortal(tx, u, session.Origin{IP: home}, tx.Now())
				return err
			})
			w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"boss"}`)).expect(http.StatusOK)
			if ended(t, w, p.ID) {
				t.Errorf("%s: a new title ended the session", name)
			}
			disable(id, name)
			if !ended(t, w, p.ID) {
				t.Errorf("%s: the session goes on", name)
			}
		}
	})
}

func ended(t *testing.T, w *world, id string) (is bool) {
	t.Helper()
	err := w.db.View(t.Context(), func(tx *store.Tx) (err error) { is, err = session.Ended(tx, id); return err })
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// TestPut replaces what SCIM has of a user, and lets no leaver in by saying nothing.
func TestPut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("a", `"title":"boss"`, `"externalId":"e"`, `"emails":[{"value":"a@x.test","type":"work","primary":true}]`, `"active":false`)
		out := w.do("PUT", "/Users/"+id, userJSON("b", `"nickName":"bee"`, `"id":"`+id+`"`, `"meta":{"resourceType":"User"}`)).expect(http.StatusOK)
		if out.at("userName") != "b" || out.at("nickName") != "bee" || out.at("title") != nil || out.at("emails") != nil || out.at("externalId") != nil || out.at("active") != false {
			t.Errorf("got %v", out.body)
		}
		w.do("PUT", "/Users/"+id, userJSON("b", `"id":"00000000-0000-0000-0000-000000000000"`)).refused(http.StatusBadRequest, "id cannot be changed")
		w.do("PUT", "/Users/"+id, `{"displayName":"b"}`).refused(http.StatusBadRequest, "required")
		w.do("PUT", "/Users/00000000-0000-0000-0000-000000000000", userJSON("b")).expect(http.StatusNotFound)
	})
}

// TestAWSRefuses what is not in its dialect.
func TestAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	for member, words := range map[string]string{
		`"emails":[{"value":"a@x.test","primary":true},{"value":"b@x.test"}]`: "List attribute emails exceeds allowed limit of 1",
		`"phoneNumbers":[{"value":"1"},{"value":"2"}]`:                        "List attribute phoneNumbers exceeds allowed limit of 1",
		`"emails":[{"value":"a@x.test"}]`:                                     "must be primary",
		`"password":"x"`:                                                      `"password" is not supported`,
		`"photos":[]`:                                                         "not supported",
		`"groups":[{"value":"x"}]`:                                            "read only",
		`"shoeSize":42`:                                                       `"shoeSize" is not supported`,
		`"title":42`:                                                          "unparsable",
		`"name":"x"`:                                                          "unparsable",
		`"title":"` + strings.Repeat("x", 2000) + `"`:                         "Title",
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"favourite":"x"}`: "not supported",
	} {
		body := userJSON("x", member)
		if strings.HasPrefix(member, `"name"`) {
			body = `{"userName":"x","name":"x"}`
		}
		w.do("POST", "/Users", body).refused(http.StatusBadRequest, words)
	}
	id := w.user("a")
	for op, words := range map[string]string{
		`{"op":"remove"}`:                                                                              "Missing path in PATCH request",
		`{"op":"remove","path":"userName"}`:                                                            "userName cannot be removed",
		`{"op":"remove","path":"active"}`:                                                              "active cannot be removed",
		`{"op":"move","path":"title"}`:                                                                 "add, replace or remove",
		`{"op":"replace","path":"title","value":{"a":"b"}}`:                                            "unparsable",
		`{"op":"replace","path":"emails[","value":"x"}`:                                                "not understood",
		`{"op":"replace","path":"shoe","value":"x"}`:                                                   "not supported",
		`{"op":"replace","path":"id","value":"x"}`:                                                     "cannot be changed",
		`{"op":"replace","path":"emails[type ne \"work\"].value","value":1}`:                           "eq, joined by and",
		`{"op":"replace","value":"x"}`:                                                                 "unparsable",
		`{"op":"replace","path":"name.familyName","value":null}`:                                       "required",
		`{"op":"replace","path":"active","value":true},{"op":"replace","path":"active","value":false}`: "twice",
	} {
		w.do("PATCH", "/Users/"+id, patch(op)).refused(http.StatusBadRequest, words)
	}
	w.do("GET", "/Me", "").refused(http.StatusNotFound, "no such endpoint")
	w.do("POST", "/Bulk", "{}").refused(http.StatusNotFound, "no such endpoint")
	if out := w.do("GET", "/ServiceProviderConfig", "").expect(http.StatusOK); out.at("patch", "supported") != true || out.at("bulk", "supported") != false || out.at("etag", "supported") != false {
		t.Errorf("config %v", out.body)
	}
	for _, path := range []string{"/Schemas", "/ResourceTypes", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User"} {
		w.do("GET", path, "").expect(http.StatusOK)
	}
	w.do("GET", "/Schemas/urn:none", "").expect(http.StatusNotFound)
}

// TestClients: what Okta and Entra send is understood.
func TestClients(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("a", `"emails":[{"value":"a@x.test","type":"work","primary":true}]`)
		out := w.do("PATCH", "/Users/"+id, patch( // Entra's flattened values and extension paths
			`{"op":"Add","value":{"name.givenName":"New","emails[type eq \"work\"].value":"n@x.test","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"D"}}`,
			`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}`,
			`{"op":"Add","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"T"}`,
		)).expect(http.StatusOK)
		extension := "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
		if out.at("name", "givenName") != "New" || out.at("name", "familyName") != "Family" || out.at("title") != "T" ||
			out.at(extension, "department") != "D" || out.at(extension, "manager", "value") != "m1" {
			t.Errorf("got %v", out.body)
		}
		g := w.group("G")
		w.do("PATCH", "/Groups/"+g, patch(`{"op":"replace","value":{"id":"`+g+`","displayName":"Renamed"}}`)).expect(http.StatusNoContent) // Okta
		if name := w.do("GET", "/Groups/"+g, "").at("displayName"); name != "Renamed" {
			t.Errorf("the group is %v", name)
		}
	})
}
