package server

import (
	"regexp"
	"strings"
	"testing"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/endpoint"
	"sallyport/internal/instance"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// Names as the probes have them.
var (
	anInstance = regexp.MustCompile(`(sso)?ins-[A-Za-z0-9.-]{16}`)
	aResource  = regexp.MustCompile(`"ResourceArn":"[^"]*"`)
	aStore     = regexp.MustCompile(`"IdentityStoreId":"[^"]*"`)
)

// about is a minimal request that names the given instance, or its identity store; ok is false if it names none.
func (w *testWorld) about(i store.Instance, op awsapi.Operation[*endpoint.Call]) (p probe.Probe, ok bool) {
	w.t.Helper()
	p, err := probe.Minimal(op.Service, op.OperationMeta, w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	body := anInstance.ReplaceAllString(string(p.Body), string(i.ID))
	body = aResource.ReplaceAllString(body, `"ResourceArn":"`+i.ID.ARN()+`"`)
	body = aStore.ReplaceAllString(body, `"IdentityStoreId":"`+string(i.StoreID)+`"`)
	ok = body != string(p.Body)
	if op.Name == "ProvisionPermissionSet" { // the other target type needs an account as well
		body = strings.ReplaceAll(body, "AWS_ACCOUNT", "ALL_PROVISIONED_ACCOUNTS")
	}
	p.Body = []byte(body)
	return p, ok
}

// TestInstancesAreTheirOwners calls every operation about the organization's instance and about an account's own, each from the
// other's account and from a third: however a request names an instance, nothing is given. And the account itself gets of its
// own all but what account instances do not have (behaviour reference §9).
func TestInstancesAreTheirOwners(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	owner, err := administratorOf(t.Context(), w.Server, "444455556666")
	if err != nil {
		t.Fatal(err)
	}
	delegate, err := administratorOf(t.Context(), w.Server, sampleMember)
	if err != nil {
		t.Fatal(err)
	}
	var own store.Instance
	w.update(func(tx *store.Tx) (err error) {
		own, err = instance.Create(tx, "444455556666", "own", "us-east-1")
		return err
	})
	named := 0
	for _, s := range w.services()[:2] {
		for _, op := range s.operations {
			p, ok := w.about(own, op)
			if !ok {
				continue
			}
			named++
			for who, key := range map[arn.AccountID]sigv4.Credentials{sampleManagement: w.operator(), sampleMember: delegate} {
				if _, _, body := w.send(op.OperationMeta, op.Service, p, key); !strings.Contains(body, "You do not have sufficient access") {
					t.Errorf("%s of another's instance by %s: %s", op.Name, who, body)
				}
			}
			theirs, _ := w.about(w.instance, op)
			if _, _, body := w.send(op.OperationMeta, op.Service, theirs, owner); !strings.Contains(body, "You do not have sufficient access") {
				t.Errorf("%s of the organization's instance by %s: %s", op.Name, own.Owner, body)
			}
			if op.Name == "DeleteInstance" {
				continue
			}
			status, _, body := w.send(op.OperationMeta, op.Service, p, owner)
			if status >= 500 || strings.Contains(body, "AccessDenied") {
				t.Errorf("%s of their own instance by %s: %s", op.Name, own.Owner, body)
			}
			if none := strings.Contains(body, "is an account instance"); none != organizationOnly.MatchString(op.Name) {
				t.Errorf("%s in an account instance: %s", op.Name, body)
			}
		}
	}
	if named != 79-4+22-1 {
		t.Errorf("%d operations name an instance or its identity store, want 96", named)
	}
}

// organizationOnly matches the operations about what account instances do not have.
var organizationOnly = regexp.MustCompile(`PermissionSet|AccountAssignment|AccessControlAttribute|AddRegion`)
