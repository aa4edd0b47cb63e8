package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// kinds of what a person holds. Each is a way in of its own.
const (
	cookies  = 1 << iota // the portal session's, in the browser
	tokens               // access token of a client
	families             // refresh tokens
	keys                 // role credentials, used at sts:GetCallerIdentity

	nothing   = 0
	ofClient  = tokens | families | keys
	everyKind = cookies | ofClient
)

// TestTriggers: what cuts people off does so at the first use of everything that it is to cut, and of nothing else. On PostgreSQL there
// are two more nodes, which do so too once they have the news: one is told, the other polls.
func TestTriggers(t *testing.T) {
	t.Parallel()
	for engine, newHouse := range map[string]func(*testing.T) *revokeHouse{
		"sqlite": func(t *testing.T) *revokeHouse { return newRevokeHouse(t, storetest.Open) }, "postgres": newRevokeHouses,
	} {
		for half := range slices.Chunk(triggers, (len(triggers)+1)/2) { // which mostly wait
			t.Run(engine, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				for i, c := range half {
					t.Run(c.name, func(t *testing.T) { h.pull(t, i, c) })
				}
			})
		}
	}
}

// pull does what a trigger does to alice, and looks at what she and bob hold, on each node.
func (h *revokeHouse) pull(t *testing.T, round int, c trigger) {
	h.furnish(t, round)
	alice, bob := h.sign(t, "alice", c.set), h.sign(t, "bob", c.set)
	h.everywhere(t, "before, ", everyKind, alice, bob)
	h.known(t, alice, bob)
	if err := c.do(t, h, alice); err != nil {
		t.Fatal(err)
	}
	since := clock.System{}.Now()
	for i := range h.places {
		h.cut(t, i, since, alice, everyKind&^c.cuts)
		h.cut(t, i, since, bob, everyKind&^c.cutsAll)
	}
	h.everywhere(t, "", everyKind&^c.cuts, alice)
	h.everywhere(t, "", everyKind&^c.cutsAll, bob)
}

// trigger is what happens, and what of alice's it cuts. cutsAll is what it cuts of everybody's.
type trigger struct {
	name, set     string
	do            func(*testing.T, *revokeHouse, *held) error
	cuts, cutsAll int
}

var triggers = []trigger{
	{"user disabled", "View", admin("sallyport", "DisableUser", `{"UserId": "$alice"}`), everyKind, nothing},
	{"user disabled by SCIM", "View", bySCIM, everyKind, nothing},
	{"user disabled and enabled", "View", func(t *testing.T, h *revokeHouse, a *held) error {
		return errors.Join(h.admin("sallyport", "DisableUser", `{"UserId": "$alice"}`), h.admin("sallyport", "EnableUser", `{"UserId": "$alice"}`))
	}, everyKind, nothing},
	{"user deleted", "View", admin("identitystore", "DeleteUser", `{"UserId": "$alice"}`), everyKind, nothing},
	{"membership removed", "Audit", leaveGroup, keys, nothing},
	{"group deleted", "Audit", admin("identitystore", "DeleteGroup", `{"GroupId": "$auditors"}`), keys, nothing},
	{"assignment removed", "View", admin("sso-admin", "DeleteAccountAssignment", assignmentOf("View", "USER", "alice")), keys, nothing},
	{"one of two paths removed", "Both", leaveGroup, nothing, nothing},
	{"the other of two paths removed", "Both", admin("sso-admin", "DeleteAccountAssignment", assignmentOf("Both", "USER", "alice")), nothing, nothing},
	{"permission set deleted", "View", deleteSet, keys, keys},
	{"account closed", "View", func(t *testing.T, h *revokeHouse, _ *held) error {
		t.Cleanup(func() {
			if err := h.admin("sallyport", "ReopenAccount", `{"AccountId": "$security"}`); err != nil {
				t.Error(err)
			}
		})
		return h.admin("sallyport", "CloseAccount", `{"AccountId": "$security"}`)
	}, keys, keys},
	{"account closed and reopened", "View", func(_ *testing.T, h *revokeHouse, _ *held) error {
		return errors.Join(h.admin("sallyport", "CloseAccount", `{"AccountId": "$security"}`), h.admin("sallyport", "ReopenAccount", `{"AccountId": "$security"}`))
	}, keys, keys},
	{"session ended by an administrator", "View", admin("sallyport", "EndSession", `{"SessionId": "$portal"}`), everyKind, nothing},
	{"all sessions ended by their person", "View", func(t *testing.T, h *revokeHouse, a *held) error {
		return h.post(t.Context(), h.sessions[a.name].cookie, "/account/end-all", nil)
	}, everyKind, nothing},
	{"sessions of a user ended", "View", admin("sallyport", "EndUserSessions", `{"UserId": "$alice"}`), everyKind, nothing},
	{"signed out in the browser", "View", func(t *testing.T, h *revokeHouse, a *held) error {
		return h.post(t.Context(), h.sessions[a.name].cookie, "/signout", map[string][]string{"sure": {"yes"}})
	}, everyKind, nothing},
	{"client signed out", "View", func(t *testing.T, h *revokeHouse, a *held) error {
		_, err := h.call(t.Context(), h.callers[a.name], "sso", "Logout", "{}")
		return err
	}, ofClient, nothing},
	{"signed out but for roles, then ended", "View", signedOutThenEnded, everyKind, nothing},
	{"device removed", "View", removeDevice, everyKind, nothing},
	{"one-time password given", "View", admin("sallyport", "CreateOneTimePassword", `{"UserId": "$alice"}`), everyKind, nothing},
	{"password changed by a link", "View", passwordByLink, everyKind, nothing},
	{"permission set provisioned narrower", "View", narrow, nothing, nothing},
	{"refresh token used twice", "View", reuse, ofClient, nothing},
	{"client blocked", "View", admin("sallyport", "BlockClient", `{"ClientKey": "$client"}`), ofClient, nothing},
	{"revoke user", "View", admin("sallyport", "Revoke", `{"UserId": "$alice", "Reason": "stolen laptop"}`), everyKind, nothing},
	{"revoke and disable user", "View", admin("sallyport", "Revoke", `{"UserId": "$alice", "DisableUser": true}`), everyKind, nothing},
	{"revoke session", "View", admin("sallyport", "Revoke", `{"SessionId": "$portal"}`), everyKind, nothing},
	{"revoke client session", "View", admin("sallyport", "Revoke", `{"SessionId": "$session"}`), ofClient, nothing},
	{"revoke permission set", "View", admin("sallyport", "Revoke", `{"PermissionSetArn": "$View"}`), keys, keys},
	{"revoke permission set in account", "View", admin("sallyport", "Revoke", `{"PermissionSetArn": "$View", "AccountId": "$security"}`), keys, keys},
	{"revoke permission set elsewhere", "View", admin("sallyport", "Revoke", `{"PermissionSetArn": "$View", "AccountId": "$production"}`), nothing, nothing},
	{"revoke another permission set", "View", admin("sallyport", "Revoke", `{"PermissionSetArn": "$Audit"}`), nothing, nothing},
	{"revoke account", "View", admin("sallyport", "Revoke", `{"AccountId": "$security"}`), keys, keys},
	{"dry run", "View", admin("sallyport", "Revoke", `{"UserId": "$alice", "DryRun": true}`), nothing, nothing},
}

func admin(service, operation, input string) func(*testing.T, *revokeHouse, *held) error {
	return func(_ *testing.T, h *revokeHouse, _ *held) error { return h.admin(service, operation, input) }
}

func assignmentOf(set, kind, principal string) string {
	return fmt.Sprintf(`{"TargetId": %q, "TargetType": "AWS_ACCOUNT", "PermissionSetArn": "$%s", "PrincipalType": %q, "PrincipalId": "$%s"}`, sampleMember, set, kind, principal)
}

func leaveGroup(t *testing.T, h *revokeHouse, _ *held) error {
	var id string
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		m, err := tx.MembershipOf(h.names["auditors"], h.names["alice"])
		id = m.ID
		return err
	})
	if err != nil {
		return err
	}
	return h.admin("identitystore", "DeleteGroupMembership", fmt.Sprintf(`{"MembershipId": %q}`, id))
}

// deleteSet takes all assignments away first: one that is assigned cannot be deleted.
func deleteSet(t *testing.T, h *revokeHouse, _ *held) error {
	err := errors.Join(
		h.admin("sso-admin", "DeleteAccountAssignment", assignmentOf("View", "USER", "alice")),
		h.admin("sso-admin", "DeleteAccountAssignment", assignmentOf("View", "USER", "bob")),
	)
	if err != nil {
		return err
	}
	if err := h.worker.Drain(t.Context()); err != nil {
		return err
	}
	return h.admin("sso-admin", "DeletePermissionSet", `{"PermissionSetArn": "$View"}`)
}

// signedOutThenEnded: on AWS role credentials outlive the sign-out. An administrator who ends the user's sessions ends them all the same.
func signedOutThenEnded(t *testing.T, h *revokeHouse, a *held) error {
	set := func(value string) error {
		return h.admin("sallyport", "PutSetting", fmt.Sprintf(`{"Name": "session.sign-out-ends-roles", "Value": %q}`, value))
	}
	if err := set("false"); err != nil {
		return err
	}
	if err := h.post(t.Context(), h.sessions[a.name].cookie, "/signout", map[string][]string{"sure": {"yes"}}); err != nil {
		return err
	}
	if got := h.alive(t, a); got != keys {
		t.Errorf("signed out, alice's work: %s", kindsOf(got))
	}
	return errors.Join(set("true"), h.admin("sallyport", "EndUserSessions", `{"UserId": "$alice"}`))
}

func removeDevice(t *testing.T, h *revokeHouse, _ *held) error {
	f := store.Factor{ID: arn.NewUUID(), UserID: h.names["alice"], Kind: store.TOTP, Name: "phone", Sealed: []byte("seed"), CreatedAt: h.clock.Now()}
	if err := h.db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertFactor(f) }); err != nil {
		return err
	}
	return h.admin("sallyport", "DeleteMfaDevice", fmt.Sprintf(`{"UserId": "$alice", "DeviceId": %q}`, f.ID))
}

// reuse uses a refresh token again when nobody honest does any more.
func reuse(t *testing.T, h *revokeHouse, a *held) error {
	if err := h.refresh(t.Context(), a.name); err != nil {
		return err
	}
	h.clock.Advance(2 * time.Minute)
	c := h.sessions[a.name]
	_, err := h.oidc(t.Context(), "CreateToken", map[string]any{
		"clientId": c.clientID, "clientSecret": c.clientSecret, "grantType": session.RefreshGrant, "refreshToken": a.refresh,
	})
	if err == nil {
		return errors.New("the used token was taken")
	}
	h.calls[len(h.calls)-1].recorded = true // it ends a session, and so is on record
	return nil
}

// bySCIM disables alice as a source of people does.
func bySCIM(t *testing.T, h *revokeHouse, _ *held) error {
	operator := h.callers["operator"]
	out, err := h.call(t.Context(), operator, "sallyport", "CreateScimTenant", `{"Name": "okta"}`)
	if err != nil {
		return err
	}
	tenant := text(out.(map[string]any)["ScimTenant"], "TenantId")
	out, err = h.call(t.Context(), operator, "sallyport", "CreateScimToken", fmt.Sprintf(`{"TenantId": %q}`, tenant))
	if err != nil {
		return err
	}
	token := text(out, "BearerToken")
	h.secrets[token] = "SCIM token"
	body, err := json.Marshal(map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []map[string]any{{"op": "replace", "path": "active", "value": false}},
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, h.web.URL+"/"+tenant+"/scim/v2/Users/"+h.names["alice"], strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	res, answer, err := h.do(r)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("SCIM answers %s: %s", res.Status, answer)
	}
	return err
}
