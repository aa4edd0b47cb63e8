package endpoint

import (
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/credential"
	"sallyport/internal/policy"
)

// TestSelfServicePolicy: the built-in policy allows what the model marks as self, on whatever it names, and nothing else of
// any service.
func TestSelfServicePolicy(t *testing.T) {
	t.Parallel()
	if _, err := policy.Parse([]byte(selfService)); err != nil {
		t.Fatal(err)
	}
	a := &API{Policies: policy.NewCache(1 << 20)}
	c := credential.Caller{Kind: credential.Bearer, UserID: "u-1"}
	layers, err := a.layers(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	self := 0
	for _, s := range []*awsapi.Service{&sallyport.Info, &ssoadmin.Info, &identitystore.Info, &sts.Info} {
		for _, o := range s.Operations {
			if o.Action == "" {
				continue
			}
			for _, resource := range []string{"*", "arn:aws:sallyport::999988887777:mfa-device/x", "arn:aws:identitystore:::user/u-1"} {
				d := policy.Evaluate(policy.Request{Principal: policy.Principal{ARN: principal(c)}, Action: o.Action, Resource: resource}, layers)
				if d.Allowed != o.Self {
					t.Errorf("%s on %s: allowed %t, self %t", o.Action, resource, d.Allowed, o.Self)
				}
			}
			if o.Self {
				self++
			}
		}
	}
	if self != 10 {
		t.Errorf("%d self operations", self)
	}
}
