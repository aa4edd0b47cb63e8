package sts_test

import (
	"testing"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sts"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/sts"
)

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	c := &endpoint.Call{Caller: credential.Caller{Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/R/anna", PrincipalID: "AROAX:anna"}}
	out, err := sts.Service{}.GetCallerIdentity(t.Context(), c, &api.GetCallerIdentityRequest{})
	if err != nil || *out.Account != "111122223333" || *out.Arn != c.Caller.ARN || *out.UserId != "AROAX:anna" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestGetAccessKeyInfo: a key id tells its account, whether there is such a key or not; what is no key id of ours tells nothing.
func TestGetAccessKeyInfo(t *testing.T) {
	t.Parallel()
	ask := func(id string) (string, error) {
		out, err := sts.Service{}.GetAccessKeyInfo(t.Context(), &endpoint.Call{}, &api.GetAccessKeyInfoRequest{AccessKeyId: id})
		if err != nil {
			return "", err
		}
		return *out.Account, nil
	}
	for _, prefix := range []string{"AKIA", "ASIA"} {
		if got, err := ask(arn.NewAccessKeyID(prefix, "000000000042")); err != nil || got != "000000000042" {
			t.Errorf("%s: %s, %v", prefix, got, err)
		}
	}
	for _, id := range []string{"AKIA", "AKIA00000000AAAAAAAA", "akiaaaaaaaaaaaaaaaaa", "AKIA////////////////", "AKIA7777777777777777"} {
		if got, err := ask(id); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
}
