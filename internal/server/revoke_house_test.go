package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// revokeHouse is a story of alice, whom a trigger is about, and of bob, who has the same and whom it is not. Alice has the permission set
// Audit in $security by a group alone, View by herself alone, Both by both. All of these are new for each trigger.
type revokeHouse struct {
	*story
	round  string  // ends the names of what is this trigger's
	places []place // where it is served: by the story's server, then by others
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
	h.places = []place{{"the first node", h.client, h.web, h.api.Recorder}}
	return h
}

// furnish makes people, a group and permission sets for a trigger. $NAMES are theirs from now on.
func (h *revokeHouse) furnish(t *testing.T, round int) {
	t.Helper()
	for _, p := range h.places {
		writeDown(p.audit)
	}
	h.round = fmt.Sprint(round)
	h.clock.Advance(time.Minute) // there are limits to how many clients register at once
	for _, user := range []string{"alice", "bob"} {
		h.create(t, user, "identitystore", "CreateUser", `{"UserName": %q, "DisplayName": "A", "Name": {"GivenName": "A", "FamilyName": "A"}}`, "UserId")
	}
	h.create(t, "auditors", "identitystore", "CreateGroup", `{"DisplayName": %q}`, "GroupId")
	errs := []error{h.admin("identitystore", "CreateGroupMembership", `{"GroupId": "$auditors", "MemberId": {"UserId": "$alice"}}`)}
	for set, principals := range map[string][][2]string{
		"Audit": {{"GROUP", "auditors"}, {"USER", "bob"}}, "View": {{"USER", "alice"}, {"USER", "bob"}}, "Both": {{"USER", "alice"}, {"GROUP", "auditors"}, {"USER", "bob"}},
	} {
		h.create(t, set, "sso-admin", "CreatePermissionSet", `{"Name": %q}`, "PermissionSetArn")
		for _, p := range principals {
			errs = append(errs, h.admin("sso-admin", "CreateAccountAssignment", assignmentOf(set, p[0], p[1])))
		}
	}
	if err := errors.Join(append(errs, h.worker.Drain(t.Context()))...); err != nil {
		t.Fatal(err)
	}
}

// create makes something that is this trigger's.
func (h *revokeHouse) create(t *testing.T, name, service, operation, input, member string) {
	t.Helper()
	out, err := h.call(t.Context(), h.callers["operator"], service, operation, fmt.Sprintf(input, name+h.round))
	if err != nil {
		t.Fatal(err)
	}
	if set, ok := out.(map[string]any)["PermissionSet"]; ok {
		out = set
	}
	h.names[name] = text(out, member)
}

// sign signs somebody in, who gets role credentials of a permission set.
func (h *revokeHouse) sign(t *testing.T, user, set string) *held {
	t.Helper()
	a := &held{name: user}
	if err := h.signIn(t.Context(), user+h.round, user); err != nil {
		t.Fatal(err)
	}
	if err := h.credentials(t.Context(), user, string(sampleMember), set+h.round, user+" keys"); err != nil {
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

// alive says which of what somebody holds works.
func (h *revokeHouse) alive(t *testing.T, a *held) int {
	t.Helper()
	return h.use(t, a, everyKind)
}

// use uses some kinds of what somebody holds, and says which work. Refreshing comes last: it gives a client new tokens.
func (h *revokeHouse) use(t *testing.T, a *held, kinds int) (work int) {
	t.Helper()
	ctx := t.Context()
	try := func(kind int, use func() error) {
		if kinds&kind == 0 {
			return
		}
		var refused *awsapi.ResponseError
		switch err := use(); {
		case err == nil:
			work |= kind
		case !errors.As(err, &refused) || refused.Status >= 500:
			t.Errorf("%s: %v", kindsOf(kind), err)
		}
	}
	call := func(who, service, operation string) error {
		_, err := h.call(ctx, h.callers[who], service, operation, "{}")
		return err
	}
	try(cookies, func() error { return h.open(ctx, h.sessions[a.name].cookie) })
	try(tokens, func() error { return call(a.name, "sso", "ListAccounts") })
	try(keys, func() error { return call(a.name+" keys", "sts", "GetCallerIdentity") })
	try(families, func() error { return h.refresh(ctx, a.name) })
	return work
}

// open opens the portal in the browser. Whoever is not signed in is sent to sign in.
func (h *revokeHouse) open(ctx context.Context, cookie string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.web.URL+"/portal", http.NoBody)
	if err != nil {
		return err
	}
	r.Host = h.cfg.Listen // browsers know all nodes by one name
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
	slices.Sort(names)
	return fmt.Sprint(names)
}
