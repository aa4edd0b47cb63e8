package server

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/alert"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/page"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// tale is what a default rule is for, and what is like it but no reason to be told.
type tale struct {
	counter, story func(t *testing.T, h alertHouse)
}

// does is somebody's calls, each a service, an operation and its input.
func does(who string, calls ...[3]string) func(*testing.T, alertHouse) {
	return func(t *testing.T, h alertHouse) {
		t.Helper()
		for _, c := range calls {
			if _, err := h.try(t, who, c[0], c[1], h.fill(c[2])); err != nil {
				t.Fatalf("%s: %v", c[1], err)
			}
		}
	}
}

// happens is an event that no operation here makes yet, or a worker makes in its own time.
func happens(e audit.Event) func(*testing.T, alertHouse) {
	return func(t *testing.T, h alertHouse) {
		t.Helper()
		e := e
		e.SourceIPAddress, e.RecipientAccountID, e.RequestID, e.AWSRegion, e.UserAgent = "192.0.2.7", string(sampleManagement), arn.NewUUID(), "us-east-1", "test"
		if err := h.db.Update(t.Context(), e.Store); err != nil {
			t.Fatal(err)
		}
	}
}

func inTurn(steps ...func(*testing.T, alertHouse)) func(*testing.T, alertHouse) {
	return func(t *testing.T, h alertHouse) {
		t.Helper()
		for _, f := range steps {
			f(t, h)
		}
	}
}

// trusted has the operator be a pipeline while something is done.
func trusted(f func(*testing.T, alertHouse)) func(*testing.T, alertHouse) {
	return func(t *testing.T, h alertHouse) {
		t.Helper()
		h.put(t, "alerts.pipelines", "arn:aws:iam::"+string(sampleManagement)+":user/operator")
		f(t, h)
		h.alarm(t) // while it is one
		h.put(t, "alerts.pipelines", setting.None)
	}
}

// put sets a setting without a trace in the log.
func (h alertHouse) put(t *testing.T, name, value string) {
	t.Helper()
	if err := h.db.Update(t.Context(), func(tx *store.Tx) error { _, err := setting.Put(tx, name, value, "test"); return err }); err != nil {
		t.Fatal(err)
	}
}

func (h alertHouse) fill(text string) string {
	for name, value := range h.names {
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	return text
}

// made counts the alerts of a rule.
func alertsOf(t *testing.T, db *store.DB, name string) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		rows, _, err := alert.List(tx, "", name, page.Query{Limit: 100})
		for _, a := range rows {
			n += 1 + int(a.Repeats)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var assign = [3]string{"sso-admin", "CreateAccountAssignment", `{"TargetId": "$production", "TargetType": "AWS_ACCOUNT", "PermissionSetArn": "$set", "PrincipalType": "GROUP", "PrincipalId": "$auditors"}`}

func attach(policy string) [3]string {
	return [3]string{"sso-admin", "AttachManagedPolicyToPermissionSet", `{"PermissionSetArn": "$set", "ManagedPolicyArn": "arn:aws:iam::aws:policy/` + policy + `"}`}
}

func join(group string) [3]string {
	return [3]string{"identitystore", "CreateGroupMembership", `{"GroupId": "$` + group + `", "MemberId": {"UserId": "$bob"}}`}
}

func set(name, value string) [3]string {
	return [3]string{"sallyport", "PutSetting", fmt.Sprintf(`{"Name": %q, "Value": %q}`, name, value)}
}

func someoneElse(source, name string) audit.Event {
	return audit.Event{
		UserIdentity: audit.UserIdentity{Type: "IAMUser", ARN: "arn:aws:iam::111111111111:user/mallory"}, EventSource: source, EventName: name,
	}
}

func byPipeline(e audit.Event) func(*testing.T, alertHouse) {
	e.UserIdentity = audit.UserIdentity{Type: "IAMUser", ARN: "arn:aws:iam::" + string(sampleManagement) + ":user/operator"}
	return trusted(happens(e))
}

func refused(e audit.Event) func(*testing.T, alertHouse) {
	e.ErrorCode = "AccessDenied"
	return happens(e)
}

func own(name string) audit.Event {
	return audit.Event{UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: "sallyport"}, EventSource: "sallyport", EventName: name, EventType: "AwsServiceEvent"}
}

// tales are of the default rules, but for those of signing in: see TestDefaultRulesOfSignIn.
var tales = map[string]tale{
	"access-changed": {
		inTurn(trusted(does("operator", assign)), does("operator", [3]string{"sso-admin", "CreatePermissionSet", `{"Name": "Nothing"}`})),
		does("operator", attach("SecurityAudit")),
	},
	"administrator-access": {does("operator", attach("SecurityAudit")), does("operator", attach("AdministratorAccess"))},
	"alerting-changed": {
		trusted(does("operator", [3]string{"sallyport", "SetAlertRuleEnabled", `{"Name": "mfa-removed", "Enabled": false}`})),
		inTurn( // even what turns off the rule that tells, or silences it
			does("operator", [3]string{"sallyport", "CreateAlertSilence", `{"RuleName": "alerting-changed", "DurationSeconds": 600, "Reason": "quiet"}`}),
			does("operator", [3]string{"sallyport", "SetAlertRuleEnabled", `{"Name": "alerting-changed", "Enabled": false}`}),
		),
	},
	"break-glass":           {happens(own("CloseEmergencyAccess")), happens(own("OpenEmergencyAccess"))},
	"break-glass-not-ready": {happens(own("EmergencySelfTestPassed")), happens(own("EmergencySelfTestFailed"))},
	"control-policy-detached": {
		inTurn(byPipeline(someoneElse("organizations.amazonaws.com", "DetachPolicy")), refused(someoneElse("organizations.amazonaws.com", "DetachPolicy"))),
		happens(someoneElse("organizations.amazonaws.com", "DetachPolicy")),
	},
	"delegated-administrator-changed": {
		byPipeline(someoneElse("organizations.amazonaws.com", "RegisterDelegatedAdministrator")),
		happens(someoneElse("organizations.amazonaws.com", "RegisterDelegatedAdministrator")),
	},
	"group-with-access-joined": {
		joinIdle,
		does("operator", join("auditors")),
	},
	"identity-provider-changed": {
		byPipeline(someoneElse("sso-directory.amazonaws.com", "UpdateExternalIdPConfigurationForDirectory")),
		inTurn(
			happens(someoneElse("sso-directory.amazonaws.com", "UpdateExternalIdPConfigurationForDirectory")),
			does("operator", [3]string{"sso-admin", "CreateTrustedTokenIssuer", `{"Name": "tti", "TrustedTokenIssuerType": "OIDC_JWT", "TrustedTokenIssuerConfiguration": {"OidcJwtConfiguration": {"IssuerUrl": "https://issuer.example.org", "ClaimAttributePath": "email", "IdentityStoreAttributePath": "emails.value", "JwksRetrievalOption": "OPEN_ID_DISCOVERY"}}}`}),
		),
	},
	"mfa-removed":              {does("operator", set("mfa.mode", "context-aware")), removeMFA},
	"mfa-weakened":             {does("operator", set("mfa.mode", "always"), set("session.life", "1d")), does("operator", set("mfa.mode", "off"))},
	"operator-key-new-address": {does("operator", attach("SecurityAudit"), set("session.life", "9h")), elsewhereByOperator},
	"operator-key-made":        {trusted(operatorKeyMade), operatorKeyMade},
	"refresh-token-reused": {
		func(t *testing.T, h alertHouse) { h.signedIn(t); h.again(t, h.sessions["alice"].refresh) },
		func(t *testing.T, h alertHouse) {
			h.signedIn(t)
			old := h.sessions["alice"].refresh
			h.again(t, old)
			h.clock.Advance(2 * time.Minute)
			h.again(t, old)
		},
	},
	"scim-token-made":            {inTurn(source, trusted(does("operator", scimToken))), does("operator", scimToken)},
	"scim-token-outside-network": {inTurn(source, useSCIM("127.0.0.0/8")), useSCIM("192.0.2.0/24")},
	"setting-weakened": {
		inTurn(does("operator", set("session.life", "1h")), trusted(does("operator", set("session.life", "2h")))),
		does("operator", set("session.life", "3h")),
	},
	"trail-invalid": {happens(own("TrailValidationPassed")), happens(own("TrailValidationFailed"))},
	"trail-stopped": {happens(someoneElse("cloudtrail.amazonaws.com", "StartLogging")), happens(someoneElse("cloudtrail.amazonaws.com", "StopLogging"))},
}

var scimToken = [3]string{"sallyport", "CreateScimToken", `{"TenantId": "` + tenantID + `"}`}

const tenantID = "01234567890-2222-3333-4444-555555555555"

// source is a source of people that has been there all along.
func source(t *testing.T, h alertHouse) {
	t.Helper()
	err := h.db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertSCIMTenant(store.SCIMTenant{ID: tenantID, StoreID: sampleStore, Name: "okta", CreatedAt: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// useSCIM uses a token that is good from a network.
func useSCIM(network string) func(*testing.T, alertHouse) {
	return func(t *testing.T, h alertHouse) {
		t.Helper()
		secret, hash := credential.NewBearer("scim_")
		err := h.db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.InsertSCIMToken(store.SCIMToken{
				ID: arn.NewUUID(), TenantID: tenantID, Hash: hash, Dialect: store.StrictSCIM, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour), Networks: []string{network},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/"+tenantID+"/scim/v2/Users", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+string(secret))
		res, err := h.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if refused := network == "192.0.2.0/24"; refused != (res.StatusCode == http.StatusForbidden) || !refused && res.StatusCode != http.StatusOK {
			t.Fatalf("SCIM answers %d: %s", res.StatusCode, body)
		}
	}
}

// joinIdle puts somebody into a group without access, and has a pipeline put somebody into one with it.
func joinIdle(t *testing.T, h alertHouse) {
	t.Helper()
	h.bindAnswer("idle", h.ask(t, "identitystore", "CreateGroup", `{"DisplayName": "idle"}`), "GroupId")
	does("operator", join("idle"))(t, h)
	trusted(does("operator", assign, join("auditors")))(t, h)
	h.bindAnswer("membership", h.ask(t, "identitystore", "GetGroupMembershipId", h.fill(`{"GroupId": "$auditors", "MemberId": {"UserId": "$bob"}}`)), "MembershipId")
	does("operator", [3]string{"identitystore", "DeleteGroupMembership", `{"MembershipId": "$membership"}`})(t, h)
}

func operatorKeyMade(t *testing.T, h alertHouse) {
	t.Helper()
	made := h.must(t, "CreateOperatorKey", `{}`)
	h.secrets[fmt.Sprint(made["SecretAccessKey"])] = "operator's secret"
	h.must(t, "DeleteOperatorKey", fmt.Sprintf(`{"AccessKeyId": %q}`, made["AccessKeyId"]))
}

func removeMFA(t *testing.T, h alertHouse) {
	t.Helper()
	f := store.Factor{ID: arn.NewUUID(), UserID: h.names["alice"], Kind: store.TOTP, Name: "phone", Sealed: []byte("seed"), CreatedAt: h.clock.Now()}
	if err := h.db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertFactor(f) }); err != nil {
		t.Fatal(err)
	}
	h.must(t, "DeleteMfaDevice", h.fill(`{"UserId": "$alice", "DeviceId": "`+f.ID+`"}`))
}

// elsewhereByOperator is the operator's key, used from another address.
func elsewhereByOperator(t *testing.T, h alertHouse) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.9")}}
	thief := h.client
	transport := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, to)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	thief.http = &http.Client{Transport: transport}
	if _, _, err := thief.exchange(t.Context(), h.callers["operator"], "sso-admin", "ListInstances", "{}"); err != nil {
		t.Fatal(err)
	}
}

func (h alertHouse) signedIn(t *testing.T) {
	t.Helper()
	if err := h.signIn(t.Context(), "alice", "alice"); err != nil {
		t.Fatal(err)
	}
}

// again uses a refresh token, which may be refused.
func (h alertHouse) again(t *testing.T, token string) {
	t.Helper()
	c := h.sessions["alice"]
	in := fmt.Sprintf(`{"ClientId": %q, "ClientSecret": %q, "GrantType": %q, "RefreshToken": %q}`, c.clientID, c.clientSecret, session.RefreshGrant, token)
	out, _, err := h.exchange(t.Context(), caller{}, "sso-oidc", "CreateToken", in)
	if err == nil {
		h.secrets[text(out, "refreshToken")], h.secrets[text(out, "accessToken")] = "refresh token", "access token"
	}
}

// TestDefaultRules: each fires on its story, and is silent on what is only like it.
func TestDefaultRules(t *testing.T) {
	t.Parallel()
	for name, tale := range tales {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newAlertHouse(t, storetest.Open)
			h.bindAnswer("set", h.ask(t, "sso-admin", "CreatePermissionSet", `{"Name": "Some"}`), "PermissionSet", "PermissionSetArn")
			h.alarm(t)
			tale.counter(t, h)
			h.alarm(t)
			if n := alertsOf(t, h.db, name); n != 0 {
				t.Errorf("%d alerts of what is none", n)
			}
			tale.story(t, h)
			h.alarm(t)
			if alertsOf(t, h.db, name) == 0 {
				t.Error("no alert")
			}
		})
	}
}

func (h alertHouse) bindAnswer(name string, answer map[string]any, path ...string) {
	for ; len(path) > 1; path = path[1:] {
		answer, _ = answer[path[0]].(map[string]any)
	}
	h.names[name], _ = answer[path[0]].(string)
}

// TestDefaultRulesOfSignIn: guesses at passwords from an address.
func TestDefaultRulesOfSignIn(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	h := alertHouse{&story{Server: s.Server, clock: s.clock}}
	h.alarm(t)
	for i := range 6 {
		s.hire(fmt.Sprint("user", i), rightPassword)
	}
	expect := func(after string, want map[string]bool) {
		t.Helper()
		h.alarm(t)
		for name, fires := range want {
			if n := alertsOf(t, h.db, name); (n > 0) != fires {
				t.Errorf("after %s: %d alerts of %s", after, n, name)
			}
		}
	}
	for i := range 4 { // from one address, at fewer than five people
		s.visit("127.0.0.5").signIn(fmt.Sprint("user", i), "a guess")
		s.visit("127.0.0.5").signIn("user0", "a guess")
	}
	s.visit("127.0.0.6").signIn("user4", "a guess")
	s.visit("127.0.0.5").signIn("user5", rightPassword)
	expect("some mistakes", map[string]bool{"password-spraying": false, "password-guessing": false, "sign-in-locked": false})
	s.visit("127.0.0.5").signIn("user4", "a guess")
	expect("a fifth person", map[string]bool{"password-spraying": true, "password-guessing": false, "sign-in-locked": false})
	for range 8 {
		s.clock.Advance(2 * time.Minute)
		s.visit("127.0.0.7").signIn("user1", "a guess")
	}
	expect("one name again and again", map[string]bool{"sign-in-locked": true, "password-guessing": false})
	for i := range 20 {
		s.visit("127.0.0.8").signIn(fmt.Sprint("nobody", i), "a guess")
	}
	expect("twenty strangers", map[string]bool{"password-guessing": true})
}

// TestEveryDefaultRuleHasItsStory.
func TestEveryDefaultRuleHasItsStory(t *testing.T) {
	t.Parallel()
	pack, err := alert.Pack()
	if err != nil {
		t.Fatal(err)
	}
	told := slices.AppendSeq([]string{"password-guessing", "password-spraying", "sign-in-locked"}, maps.Keys(tales))
	for _, r := range pack {
		if !slices.Contains(told, r.Name) {
			t.Errorf("%s has no story", r.Name)
		}
	}
	if len(told) != len(pack) {
		t.Errorf("%d stories of %d rules", len(told), len(pack))
	}
}
