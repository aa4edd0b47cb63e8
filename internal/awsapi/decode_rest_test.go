package awsapi_test

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi/sso"
	"sallyport/internal/fault"
)

func TestDecodeREST(t *testing.T) {
	t.Parallel()
	op := operation(t, &sso.Info, "ListAccountRoles")
	r := httptest.NewRequest("GET", "/assignment/roles?account_id=1234%2012&max_result=5&x=y", nil)
	r.Header.Set("X-Amz-Sso_bearer_token", "secret")
	five := int32(5)
	want := &sso.ListAccountRolesRequest{AccessToken: "secret", AccountId: "1234 12", MaxResults: &five}
	in, err := sso.Info.DecodeRequest(op, r, []byte("not looked at"))
	if diff := cmp.Diff(any(want), in); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for query, kind := range map[string]fault.Kind{
		"account_id=1&account_id=2":   fault.Malformed,
		"account_id=%zz":              fault.Malformed,
		"account_id=%00":              fault.Invalid,
		"account_id=%ff":              fault.Malformed,
		"account_id=1&max_result=x":   fault.Malformed,
		"account_id=1&max_result=101": fault.Invalid,
		"accountId=1":                 fault.Invalid,
	} {
		r.URL.RawQuery = query
		if _, err := sso.Info.DecodeRequest(op, r, nil); fault.KindOf(err) != kind {
			t.Errorf("%s: %v", query, err)
		}
	}
	r.URL.RawQuery = "account_id=1"
	r.Header.Add("X-Amz-Sso_bearer_token", "another")
	if _, err := sso.Info.DecodeRequest(op, r, nil); fault.KindOf(err) != fault.Malformed {
		t.Errorf("two tokens: %v", err)
	}
}
