package endpoint_test

import (
	"context"
	"net/http"
	"testing"

	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// TestOrderOfFailures: of all that is wrong with a request, its caller hears of the first in this order and learns nothing of
// what comes after: operation, proof, right, form, account, permission, state.
func TestOrderOfFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write = func(context.Context, *endpoint.Call, *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
		return nil, fault.Conflictf("There is one already.")
	}
	const good, bad, broken = `{"InstanceArn":"` + instance + `","Name":"x"}`, `{"Name":"x"}`, `{"Name":`
	send := func(operation, body, key, secret string, gate error) string {
		t.Helper()
		w.gate = gate
		r := w.target(operation, body)
		if key != "" {
			r = w.signAs(r, sigv4.Credentials{AccessKeyID: key, SecretAccessKey: secret}, region, "sso", w.clock.Now())
		}
		return w.send(r).code
	}
	revoked := fault.Unauthenticatedf(fault.AuthRevoked, "revoked")
	for _, tc := range []struct{ operation, body, key, secret, want string }{
		{"Nothing", broken, other, "wrong", "UnknownOperationException"},
		{"CreatePermissionSet", broken, "", "", "MissingAuthenticationTokenException"},
		{"CreatePermissionSet", broken, other, "wrong", "InvalidSignatureException"},
		{"CreatePermissionSet", broken, other, secret, "ExpiredTokenException"},
	} {
		if got := send(tc.operation, tc.body, tc.key, tc.secret, revoked); got != tc.want {
			t.Errorf("%s %s by %s: %s, want %s", tc.operation, tc.body, tc.key, got, tc.want)
		}
	}
	for _, tc := range []struct{ body, key, want string }{
		{broken, other, "SerializationException"},
		{bad, other, "ValidationException"},
		{good, other, "AccessDeniedException"}, // its account may not, whatever its policies say
		{good, none, "AccessDeniedException"},
		{good, full, "ConflictException"},
	} {
		if got := send("CreatePermissionSet", tc.body, tc.key, secret, nil); got != tc.want {
			t.Errorf("%s by %s: %s, want %s", tc.body, tc.key, got, tc.want)
		}
	}
	want := []string{"ExpiredTokenException", "SerializationException", "ValidationException", "AccessDeniedException", "AccessDeniedException", "ConflictException"}
	events := w.events()
	if len(events) != len(want) {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e["errorCode"] != want[i] || e["responseElements"] != nil {
			t.Errorf("event %d: %v", i, e)
		}
	}
}

// TestImplicitDenyIsExplained: what is told of a denial is the layer and the kind of policy, in AWS's words.
func TestImplicitDenyIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.create(none, "x")
	const want = "User: arn:aws:iam::999988887777:user/nobody is not authorized to perform: sso:CreatePermissionSet on resource: " + instance +
		" because no identity-based policy allows the sso:CreatePermissionSet action"
	if a.message != want {
		t.Errorf("got  %s\nwant %s", a.message, want)
	}
	if a := w.send(w.sign(w.action(whoAmI), none, "sts")); a.status != http.StatusOK {
		t.Errorf("who am I: %s", a.body)
	}
}
