package scim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/store"
)

// FuzzRequests: whatever a client that is known says, the answer is one of SCIM's and no failure of the server's, and nobody who was
// disabled is let in but by true.
func FuzzRequests(f *testing.F) {
	const leaver = `{"userName":"leaver","displayName":"L","name":{"givenName":"G","familyName":"F"},"active":false}`
	for _, seed := range [][2]string{
		{"POST /Users", userJSON("a", `"emails":"a@x.test"`)},
		{"PUT /Users/id", leaver},
		{"PATCH /Users/id", patch(`{"op":"replace","path":"emails[type eq \"x\"].value","value":"y"}`)},
		{"PATCH /Users/id", patch(`{"op":"add","value":{"active":"False","name.givenName":"x"}}`)},
		{"POST /Groups", `{"displayName":"G","members":[{"value":"id"}]}`},
		{"PUT /Groups/id", `{"displayName":"G"}`},
		{"PATCH /Groups/id", patch(`{"op":"remove","path":"members[display sw \"x\"]"}`)},
		{"POST /.search", `{"filter":"title pr","sortBy":"userName","count":2,"cursor":""}`},
		{"POST /Bulk", bulkOf(`,"failOnErrors":1`, post("/Users", "b", `{"userName":"bulkId:b"}`), `{"method":"DELETE","path":"/Groups/bulkId:b"}`)},
		{"GET /Users", `filter=userName+eq+"x"&attributes=id,name.x&startIndex=-1`},
		{"GET /Groups", `filter=members[value+co+"x"]&sortBy=meta.created&cursor=x`},
	} {
		f.Add(seed[0], seed[1])
	}
	w := newWorld(f, store.CompleteSCIM)
	id := w.do("POST", "/Users", leaver).id()
	group := w.group("Some", id)
	f.Fuzz(func(t *testing.T, operation, body string) {
		method, path, ok := strings.Cut(operation, " ")
		if !ok || !slices.Contains([]string{"GET", "POST", "PUT", "PATCH"}, method) {
			return
		}
		of := id
		if strings.HasPrefix(path, "/Groups") {
			of = group
		}
		target := "https://id.example.test/" + tenant + "/scim/v2" + strings.ReplaceAll(path, "/id", "/"+of)
		if method == "GET" {
			target += "?" + url.PathEscape(body)
		}
		r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "Bearer "+w.token)
		if !w.Serves(r) {
			return
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code >= 500 || rec.Body.Len() > 0 && !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", operation, body, rec.Code, rec.Body)
		}
		if said := strings.ToLower(body); !strings.Contains(said, "true") && !strings.Contains(said, `\u`) && w.enabled(t, id) {
			t.Errorf("%s %s lets a leaver in", operation, body)
		}
	})
}

// enabled says whether a user may sign in; one who is gone may not.
func (w *world) enabled(t *testing.T, id string) (is bool) {
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		u, err := tx.User(id)
		is = err == nil && u.Status == store.UserEnabled
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return is
}
