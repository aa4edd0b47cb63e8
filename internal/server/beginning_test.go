package server

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/web"
)

var founding = regexp.MustCompile(`http://localhost:8080/link/(\S+)`)

// TestBeginning: from the first start a server says what is left to do, until a person administers it and the operator's key
// is off.
func TestBeginning(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	w.says("there is no administrator yet", 1, 0)
	out := new(bytes.Buffer)
	check(t, w.foundingLink(t.Context(), out))
	token := founding.FindStringSubmatch(out.String())
	if token == nil {
		t.Fatalf("no link: %s", out)
	}
	who := web.Founder{UserName: "ada", GivenName: "Ada", FamilyName: "Byron", Email: "ada@example.org"}
	invitation, err := w.makeFirst(t.Context(), token[1], who, session.Origin{IP: "192.0.2.7"})
	check(t, err)
	if _, err := w.makeFirst(t.Context(), token[1], who, session.Origin{}); fault.KindOf(err) != fault.Expired {
		t.Errorf("the link worked twice: %v", err)
	}
	out.Reset()
	check(t, w.foundingLink(t.Context(), out))
	if out.Len() > 0 || !strings.Contains(string(invitation), "/link/") {
		t.Errorf("another link %s, invitation %s", out, invitation)
	}
	w.says("the first administrator has not signed in yet", 1, 0)

	u := w.administrates("ada")
	w.update(func(tx *store.Tx) error {
		return tx.PutSignInState(store.SignInState{UserID: u.ID, SignedInAt: tx.Now()})
	})
	w.says(`the operator's key works`, 1, 1)
	w.update(func(tx *store.Tx) error {
		return credential.SetAccessKeyStatus(tx, w.key.AccessKeyID, store.KeyInactive)
	})
	w.says("", 0, 1)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// says checks what a start would put into the log, and what monitoring sees.
func (w *testWorld) says(text string, keys, first int) {
	w.t.Helper()
	log := new(bytes.Buffer)
	check(w.t, w.warnBeginning(w.t.Context(), slog.New(slog.NewTextHandler(log, nil))))
	if text == "" && log.Len() > 0 || !strings.Contains(log.String(), text) || strings.Contains(log.String(), w.key.SecretAccessKey) {
		w.t.Errorf("log: %s, want %q", log, text)
	}
	rec := httptest.NewRecorder()
	w.handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost:8080/metrics", nil))
	for name, want := range map[string]int{"sallyport_operator_keys_active": keys, "sallyport_first_administrator": first} {
		if line := name + " " + string(rune('0'+want)) + "\n"; !strings.Contains(rec.Body.String(), line) {
			w.t.Errorf("metrics lack %q", line)
		}
	}
}

// administrates is a user who can be an administrator of the management account, once that is provisioned.
func (w *testWorld) administrates(name string) (u store.User) {
	w.t.Helper()
	for range 250 {
		var ok bool
		w.update(func(tx *store.Tx) (err error) {
			if u, err = tx.UserByName(sampleStore, name); err != nil {
				return err
			}
			set, err := access.SetByName(tx, sampleInstance, adminSet)
			if err != nil {
				return err
			}
			policies, _, err := tx.AttachedPolicies(set.PermissionSet, page.Query{Limit: 2})
			if err != nil {
				return err
			}
			ok, err = access.Granted(tx, u.ID, sampleManagement, set.PermissionSet)
			ok = ok && len(policies) == 1 && policies[0] == administrator
			return err
		})
		if ok {
			return u
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatalf("%s is no administrator of %s", name, sampleManagement)
	return u
}
