package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// revokeHouse is a story of alice, whom a trigger is about, and of bob, who has the same and whom it is not. Alice has the permission set
// Audit in $security by a group alone, View by herself alone, Both by both.
type revokeHouse struct {
	*story
}

type noBinder struct{}

func (noBinder) Setenv(string, string) {}

// held is what somebody holds, under a name in the story.
type held struct {
	name, refresh string
	portal        store.Session
	client        store.Session
}

func newRevokeHouse(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *revokeHouse {
	t.Helper()
	h := &revokeHouse{story: newStory(t, open)}
	if err := h.begin(noBinder{}); err != nil {
		t.Fatal(err)
	}
	for set, principals := range map[string][][2]string{
		"Audit": {{"GROUP", "auditors"}, {"USER", "bob"}}, "View": {{"USER", "alice"}, {"USER", "bob"}}, "Both": {{"USER", "alice"}, {"GROUP", "auditors"}, {"USER", "bob"}},
	} {
		out, err := h.call(t.Context(), h.callers["operator"], "sso-admin", "CreatePermissionSet", fmt.Sprintf(`{"Name": %q}`, set))
		if err != nil {
			t.Fatal(err)
		}
		h.names[set] = text(out.(map[string]any)["PermissionSet"], "PermissionSetArn")
		for _, p := range principals {
			if err := h.admin("sso-admin", "CreateAccountAssignment", assignmentOf(set, p[0], p[1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// sign signs somebody in, who gets role credentials of a permission set.
func (h *revokeHouse) sign(t *testing.T, user, set string) *held {
	t.Helper()
	a := &held{name: user}
	if err := h.signIn(t.Context(), user, user); err != nil {
		t.Fatal(err)
	}
	if err := h.credentials(t.Context(), user, string(sampleMember), set, user+" keys"); err != nil {
		t.Fatal(err)
	}
	a.refresh = h.sessions[user].refresh
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		rows, _, err := tx.SessionsOf(h.names[user], false, page.Query{Limit: 10})
		for _, s := range rows {
			if s.ParentID == "" {
				a.portal = s
			} else {
				a.client = s
			}
		}
		return err
	})
	if err != nil || a.client.ParentID != a.portal.ID {
		t.Fatalf("sessions of %s: %v", user, err)
	}
	if user == "alice" {
		h.names["portal"], h.names["session"], h.names["client"] = a.portal.ID, a.client.ID, a.client.ClientKey
	}
	return a
}

// alive says which of what somebody holds works. Refreshing comes last: it gives a client new tokens.
func (h *revokeHouse) alive(t *testing.T, a *held) (kinds int) {
	t.Helper()
	ctx := t.Context()
	works := func(kind int, err error) {
		var refused *awsapi.ResponseError
		switch {
		case err == nil:
			kinds |= kind
		case !errors.As(err, &refused) || refused.Status >= 500:
			t.Errorf("%s: %v", kindsOf(kind), err)
		}
	}
	works(cookies, h.open(ctx, h.sessions[a.name].cookie))
	_, err := h.call(ctx, h.callers[a.name], "sso", "ListAccounts", "{}")
	works(tokens, err)
	_, err = h.call(ctx, h.callers[a.name+" keys"], "sts", "GetCallerIdentity", "{}")
	works(keys, err)
	works(families, h.refresh(ctx, a.name))
	return kinds
}

// open opens the portal in the browser. Whoever is not signed in is sent to sign in.
func (h *revokeHouse) open(ctx context.Context, cookie string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.web.URL+"/portal", http.NoBody)
	if err != nil {
		return err
	}
	r.AddCookie(&http.Cookie{Name: "__Host-sallyport-session", Value: cookie})
	res, _, err := h.do(r)
	if err == nil && res.StatusCode != http.StatusOK {
		err = &awsapi.ResponseError{Status: res.StatusCode}
	}
	return err
}

// admin calls an operation as the operator. $NAMES are filled in.
func (h *revokeHouse) admin(service, operation, input string) error {
	for name, value := range h.names {
		input = strings.ReplaceAll(input, `"$`+name+`"`, `"`+value+`"`)
	}
	_, err := h.call(context.Background(), h.callers["operator"], service, operation, input)
	return err
}

func kindsOf(kinds int) string {
	var names []string
	for kind, name := range map[int]string{cookies: "cookie", tokens: "token", families: "refresh token", keys: "role credentials"} {
		if kinds&kind != 0 {
			names = append(names, name)
		}
	}
	return fmt.Sprint(names)
}
