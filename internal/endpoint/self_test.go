package endpoint_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// TestSelfCallers: a self operation acts on the records of the person who is proved, by a portal token or by a role of any
// account, and only for a person. A person with a role may what the role may.
func TestSelfCallers(t *testing.T) {
	t.Parallel()
	w := newSelfWorld(t)
	signed := func(operation, body, key string) *http.Request {
		return w.sign(w.ours(operation, body), key, "sallyport")
	}
	const person = "acts on the caller's own records"
	for name, tc := range map[string]struct {
		request       *http.Request
		status        int
		code, message string
	}{
		"token":               {by(bearer, w.ours("ListMyMfaDevices", "{}")), 200, "", ""},
		"token of nobody":     {by("x", w.ours("ListMyMfaDevices", "{}")), 400, "UnrecognizedClientException", "Session token not found"},
		"token that is over":  {by(expiredOne, w.ours("ListMyMfaDevices", "{}")), 400, "ExpiredTokenException", "Session token not found"},
		"empty token":         {by("", w.ours("ListMyMfaDevices", "{}")), 400, "MissingAuthenticationTokenException", "Missing"},
		"nothing":             {w.ours("ListMyMfaDevices", "{}"), 400, "MissingAuthenticationTokenException", "Missing"},
		"role":                {signed("ListMyMfaDevices", "{}", annaAdmin), 200, "", ""},
		"role without right":  {signed("ListMyMfaDevices", "{}", annaViewer), 400, "AccessDeniedException", "no identity-based policy allows"},
		"role without person": {signed("ListMyMfaDevices", "{}", machine), 400, "AccessDeniedException", person},
		"operator":            {signed("ListMyMfaDevices", "{}", full), 400, "AccessDeniedException", person},
		"user without right":  {signed("ListMyMfaDevices", "{}", none), 400, "AccessDeniedException", person},
	} {
		a := w.send(tc.request)
		if a.status != tc.status || a.code != tc.code || !strings.Contains(a.message, tc.message) {
			t.Errorf("%s: %d %s %s", name, a.status, a.code, a.message)
		}
		if whose := strings.Contains(a.body, "of u-1"); whose != (tc.status == 200) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

// TestSelfIsNoMore: a portal token opens the self operations and nothing else; administrators sign, and their account counts.
func TestSelfIsNoMore(t *testing.T) {
	t.Parallel()
	w := newSelfWorld(t)
	for name, tc := range map[string]struct {
		request *http.Request
		code    string
	}{
		"token":                       {by(bearer, w.ours("EndAllSessions", "{}")), "MissingAuthenticationTokenException"},
		"token, operation of AWS's":   {by(bearer, w.target("ListPermissionSets", listInput)), "MissingAuthenticationTokenException"},
		"person of a member account":  {w.sign(w.ours("EndAllSessions", "{}"), annaAdmin, "sallyport"), "AccessDeniedException"},
		"administrator without right": {w.sign(w.ours("EndAllSessions", "{}"), none, "sallyport"), "AccessDeniedException"},
		"administrator":               {w.sign(w.ours("EndAllSessions", "{}"), full, "sallyport"), ""},
		"administrator with a token":  {w.sign(by(bearer, w.ours("EndAllSessions", "{}")), full, "sallyport"), ""},
	} {
		if a := w.send(tc.request); a.code != tc.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if len(w.asked) > 0 {
		t.Errorf("self-service was asked about: %v", w.asked)
	}
}

// TestSignatureCounts: of a signature and a token the signature is the caller's proof, whether or not it is good for anything:
// who breaks a signature does not become somebody else.
func TestSignatureCounts(t *testing.T) {
	t.Parallel()
	w := newSelfWorld(t)
	remove := func() *http.Request { return by(bearer, w.ours("DeleteMyMfaDevice", deleteInput)) }
	wrong, right := sigv4.Credentials{AccessKeyID: annaAdmin, SecretAccessKey: "wrong"}, sigv4.Credentials{AccessKeyID: annaAdmin, SecretAccessKey: secret}
	presigned := remove()
	presigned.URL.RawQuery = "X-Amz-Signature=0"
	malformed := remove()
	malformed.URL.RawQuery = "a=%zz"
	other := remove()
	other.Header.Set("Authorization", "Bearer "+bearer)
	for name, tc := range map[string]struct {
		request *http.Request
		code    string
	}{
		"wrong secret":         {w.signAs(remove(), wrong, region, "sallyport", w.clock.Now()), "InvalidSignatureException"},
		"late":                 {w.signAs(remove(), right, region, "sallyport", w.clock.Now().Add(-time.Hour)), "InvalidSignatureException"},
		"for another service":  {w.sign(remove(), annaAdmin, "sso"), "InvalidSignatureException"},
		"unknown key":          {w.sign(remove(), "AKIANOBODY", "sallyport"), "UnrecognizedClientException"},
		"of the operator":      {w.sign(remove(), full, "sallyport"), "AccessDeniedException"},
		"role without right":   {w.sign(remove(), annaViewer, "sallyport"), "AccessDeniedException"},
		"presigned, in part":   {presigned, "IncompleteSignatureException"},
		"query string, broken": {malformed, "IncompleteSignatureException"},
		"another scheme":       {other, "IncompleteSignatureException"},
	} {
		if a := w.send(tc.request); a.code != tc.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if by := w.deletedBy(); by != "" {
		t.Fatalf("the device was deleted by %s", by)
	}
	if a := w.send(w.sign(by("not a token", w.ours("DeleteMyMfaDevice", deleteInput)), annaAdmin, "sallyport")); a.status != 200 || w.deletedBy() != "u-1" {
		t.Errorf("a good signature beside a bad token: %d %s", a.status, a.body)
	}
}

// TestSelfDenied: what the operator has taken away, no role gives back.
func TestSelfDenied(t *testing.T) {
	t.Parallel()
	w := newSelfWorld(t)
	w.denied = fault.Deniedf("People may not manage their devices here.").WithReason("SELF_SERVICE_OFF")
	for name, r := range map[string]*http.Request{
		"token": by(bearer, w.ours("DeleteMyMfaDevice", deleteInput)),
		"role":  w.sign(w.ours("DeleteMyMfaDevice", deleteInput), annaAdmin, "sallyport"),
	} {
		a := w.send(r)
		if a.code != "AccessDeniedException" || a.message != "People may not manage their devices here." || !strings.Contains(a.body, "SELF_SERVICE_OFF") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if got := strings.Join(w.asked, " "); w.deletedBy() != "" || got != "DeleteMyMfaDevice DeleteMyMfaDevice" {
		t.Errorf("deleted by %q, asked about %s", w.deletedBy(), got)
	}
}

// TestSelfIsRecorded: a call by token has the form of the portal API's events (behaviour reference §10.5): what was asked is
// in the details. A call by role is recorded as that of the role, on behalf of the person.
func TestSelfIsRecorded(t *testing.T) {
	t.Parallel()
	w := newSelfWorld(t)
	w.send(by(bearer, w.ours("DeleteMyMfaDevice", deleteInput)))
	w.send(by(bearer, w.ours("EndMyOtherSessions", "{}")))
	w.send(by(bearer, w.ours("DeleteMyMfaDevice", `{"DeviceId":"x"}`)))
	w.send(by(bearer, w.ours("EndMyOtherSessions", "{")))
	w.send(w.sign(w.ours("DeleteMyMfaDevice", deleteInput), annaAdmin, "sallyport"))
	w.send(by(bearer, w.ours("ListMyMfaDevices", "{}")))
	w.send(by(expiredOne, w.ours("ListMyMfaDevices", "{}"))) // nobody: no event
	var got []string
	for _, e := range w.events() {
		got = append(got, fmt.Sprint(e["eventSource"], " ", e["eventType"], " ", e["userIdentity"].(map[string]any)["type"], " ", e["eventName"], " ", e["readOnly"],
			" ", e["errorCode"], " ", e["requestParameters"], " ", e["responseElements"], " ", e["serviceEventDetails"]))
		if p := e["userIdentity"].(map[string]any)["onBehalfOf"]; p.(map[string]any)["userId"] != "u-1" {
			t.Errorf("on behalf of %v", p)
		}
	}
	want := []string{
		"sallyport AwsServiceEvent IdentityCenterUser DeleteMyMfaDevice false <nil> <nil> <nil> map[deviceId:" + device + "]",
		"sallyport AwsServiceEvent IdentityCenterUser EndMyOtherSessions false <nil> <nil> <nil> <nil>",
		"sallyport AwsServiceEvent IdentityCenterUser DeleteMyMfaDevice false ValidationException <nil> <nil> map[deviceId:x]",
		"sallyport AwsServiceEvent IdentityCenterUser EndMyOtherSessions false SerializationException <nil> <nil> <nil>",
		"sallyport AwsApiCall AssumedRole DeleteMyMfaDevice false <nil> map[deviceId:" + device + "] <nil> <nil>",
		"sallyport AwsServiceEvent IdentityCenterUser ListMyMfaDevices true <nil> <nil> <nil> <nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
