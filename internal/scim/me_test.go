package scim_test

import (
	"net/http"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// bearer is an access token of a person, as `aws sso login` gets one.
func (w *world) bearer(id string) string {
	w.t.Helper()
	token, hash := credential.NewBearer(credential.AccessToken)
	w.update(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		_, p, err := w.Login.Sessions.StartPortal(tx, u, session.Origin{IP: home}, tx.Now())
		if err != nil {
			return err
		}
		of := store.Session{
			ID: arn.NewUUID(), UserID: id, ParentID: p.ID, Scopes: session.AccountAccess, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(8 * time.Hour),
		}
		if err := tx.InsertSession(of); err != nil {
			return err
		}
		return tx.InsertAccessToken(store.AccessToken{Hash: hash, SessionID: of.ID, IssuedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour)})
	})
	return "Bearer " + string(token)
}

// TestMe: people see themselves and change nothing; a source's token is nobody.
func TestMe(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	id := w.user("a")
	token := w.bearer(id)
	out := w.do("GET", "/Me?excludedAttributes=name", "", "Authorization", token).expect(http.StatusOK)
	if out.id() != id || out.at("userName") != "a" || out.at("name") != nil || out.header.Get("Location") != w.URL+"/"+tenant+"/scim/v2/Users/"+id {
		t.Errorf("%v at %s", out.body, out.header.Get("Location"))
	}
	if last := w.events[len(w.events)-1]; last.EventName != "Me" || last.UserIdentity.OnBehalfOf.UserID != id {
		t.Errorf("event %+v", last)
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		w.do(method, "/Me", "{}", "Authorization", token).refused(http.StatusForbidden, "in the portal")
	}
	for _, path := range []string{"/Users", "/Users/" + id, "/Groups"} { // for the rest they need a source's token
		w.do("GET", path, "", "Authorization", token).expect(http.StatusUnauthorized)
	}
	w.do("GET", "/Me", "").refused(http.StatusNotFound, "a source's, not a person's")
	w.do("GET", "/Me", "", "Authorization", "Bearer none").expect(http.StatusUnauthorized)
	w.do("GET", "/Me", "", "Authorization", "").expect(http.StatusUnauthorized)
	w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"active","value":false}`)).expect(http.StatusOK)
	w.do("GET", "/Me", "", "Authorization", token).expect(http.StatusUnauthorized)
}
