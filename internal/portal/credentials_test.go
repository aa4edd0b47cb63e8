package portal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestGetRoleCredentials: what comes out opens as a session of the provisioned role (cases S30, S33).
func TestGetRoleCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(1)
	w.grant("u-1", account(1), w.admin, 4*time.Hour)
	anna := w.login("u-1", "anna")
	w.clock.Advance(59 * time.Minute) // the token has a minute left
	a := w.get("/federation/credentials?account_id=000000000001&role_name=AdministratorAccess", anna)
	if a.status != http.StatusOK {
		t.Fatalf("answered %d %v", a.status, a.body)
	}
	keys := a.body["roleCredentials"].(map[string]any)
	if want := w.clock.Now().Add(4 * time.Hour).UnixMilli(); int64(keys["expiration"].(float64)) != want {
		t.Errorf("expiration %v, want milliseconds %d", keys["expiration"], want)
	}
	who, secret, err := w.minter.Open(keys["sessionToken"].(string), keys["accessKeyId"].(string), w.clock.Now())
	if err != nil || string(secret) != keys["secretAccessKey"] {
		t.Fatalf("the credentials do not open: %v", err)
	}
	if who.Account != account(1) || who.SessionName != "anna" || who.UserID != "u-1" || who.ParentID == "" || who.SessionID == who.ParentID ||
		who.PermissionSet != w.admin.ARN() || !strings.HasPrefix(who.RoleARN, "arn:aws:iam::000000000001:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_") {
		t.Errorf("the credentials are %+v", who)
	}

	events := w.events()
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	id, details := e["userIdentity"].(map[string]any), e["serviceEventDetails"].(map[string]any)
	if e["eventName"] != "GetRoleCredentials" || e["eventType"] != "AwsServiceEvent" || e["readOnly"] != true || e["requestParameters"] != nil ||
		e["responseElements"] != nil || details["account_id"] != "000000000001" || details["role_name"] != "AdministratorAccess" ||
		id["type"] != "IdentityCenterUser" || id["credentialId"] != who.ParentID || id["onBehalfOf"].(map[string]any)["userId"] != "u-1" {
		t.Errorf("event: %v", e)
	}
}

// TestSignedCallIsAccepted is a part of case S33: some clients sign the call, though nothing asks for it.
func TestSignedCallIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(1)
	w.grant("u-1", account(1), w.reader, time.Hour)
	anna := w.login("u-1", "anna")
	r := httptest.NewRequest(http.MethodGet, "/federation/credentials?account_id=000000000001&role_name=ReadOnly", nil)
	r.Header.Set("X-Amz-Sso_bearer_token", anna)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261125/us-east-1/awsssoportal/aws4_request, SignedHeaders=host, Signature=00")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Errorf("answered %d %s", rec.Code, rec.Body)
	}
}

// TestSessionName: STS takes fewer characters than user names have.
func TestSessionName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(1)
	w.grant("u-1", account(1), w.reader, time.Hour)
	names := map[string]string{} // by user id
	for id, userName := range map[string]string{
		"u-1": "a.b+c=d,e@f-g_h", "u-2": "änne", "u-3": "önne", "u-4": "x", "u-5": strings.Repeat("n", 128), "u-6": strings.Repeat("n", 127) + "m",
	} {
		bearer := w.login(id, userName)
		if id != "u-1" {
			w.grantAgain(id, account(1), w.reader)
		}
		a := w.get("/federation/credentials?account_id=000000000001&role_name=ReadOnly", bearer)
		if a.status != http.StatusOK {
			t.Fatalf("%s: answered %d %v", userName, a.status, a.body)
		}
		keys := a.body["roleCredentials"].(map[string]any)
		who, _, err := w.minter.Open(keys["sessionToken"].(string), keys["accessKeyId"].(string), w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		names[id] = who.SessionName
	}
	seen := map[string]bool{}
	for id, name := range names {
		valid := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") == "" && len(name) >= 2 && len(name) <= 64
		if !valid || seen[name] {
			t.Errorf("%s: session name %q is repeated or not STS's", id, name)
		}
		seen[name] = true
	}
	if names["u-1"] != "a.b+c=d,e@f-g_h" {
		t.Errorf("a name that STS takes was changed: %q", names["u-1"])
	}
}

func BenchmarkGetRoleCredentials(b *testing.B) {
	w := newWorld(b)
	w.accounts(1)
	w.grant("u-1", account(1), w.admin, 4*time.Hour)
	anna := w.login("u-1", "anna")
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(http.MethodGet, "/federation/credentials?account_id=000000000001&role_name=AdministratorAccess", nil)
			r.Header.Set("X-Amz-Sso_bearer_token", anna)
			rec := httptest.NewRecorder()
			w.api.ServeHTTP(rec, r)
			if rec.Code != http.StatusOK {
				b.Errorf("answered %d", rec.Code)
			}
		}
	})
}
