package endpoint_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// TestRefusedCallers: who could not be established gets the code that SDKs know on each wire, with its status
// (wire-protocols §3). A signed REST operation is CreateTokenWithIAM.
func TestRefusedCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wires := []struct {
		service string
		request func() *http.Request
		codes   func(json, query string) (code string, status int)
	}{
		{"sso", func() *http.Request { return w.target("ListPermissionSets", listInput) }, func(j, _ string) (string, int) { return j, 400 }},
		{"sts", func() *http.Request { return w.action(whoAmI) }, func(_, q string) (string, int) {
			if q == "IncompleteSignature" {
				return q, 400
			}
			return q, 403
		}},
		{
			"sso-oauth", func() *http.Request { return w.request("POST", "/token?aws_iam=t", `{"clientId":"a","grantType":"b"}`) },
			func(j, _ string) (string, int) { return j, 403 },
		},
	}
	key := sigv4.Credentials{AccessKeyID: full, SecretAccessKey: secret}
	for _, wire := range wires {
		signed := func(c sigv4.Credentials, now time.Time) *http.Request {
			return w.signAs(wire.request(), c, region, wire.service, now)
		}
		now := w.clock.Now()
		incomplete := wire.request()
		incomplete.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAFULL")
		changed := signed(key, now)
		changed.Header.Set("X-Amz-Meta", "1")
		elsewhere := w.signAs(wire.request(), key, "eu-north-1", wire.service, now)
		wrongService := w.signAs(wire.request(), key, region, "s3", now)
		for _, tc := range []struct {
			name        string
			request     *http.Request
			json, query string
		}{
			{"nothing", wire.request(), "MissingAuthenticationTokenException", "MissingAuthenticationToken"},
			{"incomplete", incomplete, "IncompleteSignatureException", "IncompleteSignature"},
			{"unknown key", signed(sigv4.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: secret}, now), "UnrecognizedClientException", "InvalidClientTokenId"},
			{"token that is not ours", signed(sigv4.Credentials{AccessKeyID: full, SecretAccessKey: secret, SessionToken: "x"}, now), "UnrecognizedClientException", "InvalidClientTokenId"},
			{"wrong secret", signed(sigv4.Credentials{AccessKeyID: full, SecretAccessKey: "wrong"}, now), "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"header added", changed, "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"other region", elsewhere, "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"other service", wrongService, "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"late", signed(key, now.Add(-6*time.Minute)), "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"early", signed(key, now.Add(6*time.Minute)), "InvalidSignatureException", "SignatureDoesNotMatch"},
			{"expired", signed(sigv4.Credentials{AccessKeyID: expired, SecretAccessKey: secret, SessionToken: "t"}, now), "ExpiredTokenException", "ExpiredToken"},
		} {
			code, status := wire.codes(tc.json, tc.query)
			if a := w.send(tc.request); a.code != code || a.status != status || a.message == "" {
				t.Errorf("%s, %s: %d %s %q, want %d %s", wire.service, tc.name, a.status, a.code, a.message, status, code)
			}
		}
	}
	if e := w.events(); len(e) > 0 {
		t.Errorf("strangers are on record: %v", e)
	}
}

// TestRevoked: a caller whose right is gone looks expired, and is on record.
func TestRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gate = fault.Unauthenticatedf(fault.AuthRevoked, "These credentials were revoked: the user is disabled.")
	if a := w.list(full, listInput); a.code != "ExpiredTokenException" || a.status != 400 || !strings.Contains(a.message, "revoked") {
		t.Errorf("%d %s %s", a.status, a.code, a.message)
	}
	if a := w.send(w.sign(w.action(whoAmI), full, "sts")); a.code != "ExpiredToken" || a.status != 403 {
		t.Errorf("%d %s %s", a.status, a.code, a.message)
	}
	if e := w.events(); len(e) != 2 || e[0]["errorCode"] != "ExpiredTokenException" || e[1]["errorCode"] != "ExpiredToken" {
		t.Errorf("recorded %v", e)
	}
}

// TestCutOff: when it cannot be told whether a right stands, the caller is to come back, and nothing is recorded of it: the
// database that would hold the record is what is missing.
func TestCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gate = &fault.Error{Kind: fault.Throttled, Message: "It cannot be told at present.", RetryAfter: 1500 * time.Millisecond}
	a := w.list(full, listInput)
	if a.code != "ThrottlingException" || a.header.Get("Retry-After") != "2" {
		t.Errorf("%s, after %q", a.code, a.header.Get("Retry-After"))
	}
	if a := w.send(w.sign(w.action(whoAmI), full, "sts")); a.code != "Throttling" {
		t.Error(a.code)
	}
	if len(w.events()) > 0 {
		t.Error("recorded")
	}
}

// TestPresigned: a URL that was signed for GetCallerIdentity works (EKS and Vault authenticate by it), until it expires.
func TestPresigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request(http.MethodGet, "/?"+whoAmI, "")
	key := sigv4.Credentials{AccessKeyID: full, SecretAccessKey: secret}
	if err := sigv4.Presign(r, nil, key, "eu-west-1", "sts", time.Minute, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if a := w.send(r); a.status != 200 || !strings.Contains(a.body, "<Arn>arn:aws:iam::999988887777:user/admin</Arn>") {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.clock.Advance(61 * time.Second)
	if a := w.send(r.Clone(t.Context())); a.code != "SignatureDoesNotMatch" || a.status != 403 {
		t.Errorf("after its end: %d %s", a.status, a.body)
	}
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "GetCallerIdentity", "GetSessionToken", 1)
	if a := w.send(r); a.code != "SignatureDoesNotMatch" {
		t.Errorf("for another action: %s", a.body)
	}
}

// TestBearer: the portal token is taken in whatever case its header is written, and from clients that sign too (case S33).
func TestBearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"x-amz-sso_bearer_token", "X-Amz-Sso_bearer_token", "X-AMZ-SSO_BEARER_TOKEN"} {
		r := w.request(http.MethodGet, "/assignment/accounts", "")
		r.Header[name] = []string{bearer} // as it is
		if a := w.send(r); a.status != 200 || !strings.Contains(a.body, "anna") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r := w.request(http.MethodGet, "/assignment/accounts", "")
	r.Header.Set("X-Amz-Sso_bearer_token", bearer)
	if a := w.send(w.sign(r, "AKIAWHATEVER", "awsssoportal")); a.status != 200 {
		t.Errorf("signed: %d %s", a.status, a.body)
	}
	for name, set := range map[string]func(http.Header){
		"none":   func(http.Header) {},
		"empty":  func(h http.Header) { h.Set("X-Amz-Sso_bearer_token", "") },
		"wrong":  func(h http.Header) { h.Set("X-Amz-Sso_bearer_token", "x") },
		"dashed": func(h http.Header) { h.Set("X-Amz-Sso-Bearer-Token", bearer) },
		"OAuth":  func(h http.Header) { h.Set("Authorization", "Bearer "+bearer) },
	} {
		r := w.request(http.MethodGet, "/assignment/accounts", "")
		set(r.Header)
		if a := w.send(r); a.status != 401 || a.code != "UnauthorizedException" || a.message != "Session token not found or invalid" {
			t.Errorf("%s: %d %s %s", name, a.status, a.code, a.message)
		}
	}
	twice := w.request(http.MethodGet, "/assignment/accounts", "")
	twice.Header["X-Amz-Sso_bearer_token"] = []string{bearer, "x"}
	if a := w.send(twice); a.status != 400 || a.code != "InvalidRequestException" {
		t.Errorf("twice: %d %s", a.status, a.code)
	}
}
