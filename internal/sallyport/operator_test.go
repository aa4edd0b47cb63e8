package sallyport_test

import (
	"strings"
	"testing"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestOperatorKeys: a key is replaced by another, and one that is taken away stops working at once.
func TestOperatorKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		old := w.caller.AccessKeyID
		off := func(id string) *api.UpdateOperatorKeyRequest {
			return &api.UpdateOperatorKeyRequest{AccessKeyId: id, Status: "INACTIVE"}
		}
		for _, m := range []string{first(fails(w, off(old), "ConflictException")), first(fails(w, &api.DeleteOperatorKeyRequest{AccessKeyId: old}, "ConflictException"))} {
			if !strings.Contains(m, "operator rotate") {
				t.Errorf("the last key: %s", m)
			}
		}
		made := must[api.CreateOperatorKeyResponse](w, &api.CreateOperatorKeyRequest{})
		fails(w, &api.CreateOperatorKeyRequest{}, "ServiceQuotaExceededException")
		next := w.as(sigv4.Credentials{AccessKeyID: made.AccessKeyId, SecretAccessKey: made.SecretAccessKey})
		out := must[api.ListOperatorKeysResponse](next, &api.ListOperatorKeysRequest{MaxResults: new(int32(1))})
		rest := must[api.ListOperatorKeysResponse](next, &api.ListOperatorKeysRequest{NextToken: out.NextToken})
		if keys := append(out.OperatorKeys, rest.OperatorKeys...); len(keys) != 2 || keys[0].Status != "ACTIVE" || rest.NextToken != nil {
			t.Errorf("keys: %+v", keys)
		}

		must[api.UpdateOperatorKeyResponse](next, off(old))
		fails(w, &api.ListOperatorKeysRequest{}, "ExpiredTokenException")
		must[api.UpdateOperatorKeyResponse](next, &api.UpdateOperatorKeyRequest{AccessKeyId: old, Status: "ACTIVE"})
		must[api.ListOperatorKeysResponse](w, &api.ListOperatorKeysRequest{})
		must[api.DeleteOperatorKeyResponse](next, &api.DeleteOperatorKeyRequest{AccessKeyId: old})
		fails(w, &api.ListOperatorKeysRequest{}, "ExpiredTokenException")
		fails(next, &api.DeleteOperatorKeyRequest{AccessKeyId: made.AccessKeyId}, "ConflictException")

		w.signIn(w.user, client1) // somebody is there who can administer
		must[api.UpdateOperatorKeyResponse](next, off(made.AccessKeyId))
		fails(next, &api.ListOperatorKeysRequest{}, "ExpiredTokenException")
	})
}

func first(message string, _ map[string]any) string { return message }

// TestOperatorKeysOfOthers: keys of other users are none of the operator's, and other accounts manage none.
func TestOperatorKeysOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{w.keys[""].AccessKeyID, w.keys[delegate].AccessKeyID, "AKIAABCDEFGHIJKLMNOP"} {
		if _, fields := fails(w, &api.DeleteOperatorKeyRequest{AccessKeyId: id}, notFound); fields["ResourceType"] != "OPERATOR_KEY" {
			t.Errorf("%v", fields)
		}
		fails(w, &api.UpdateOperatorKeyRequest{AccessKeyId: id, Status: "INACTIVE"}, notFound)
	}
	d := w.as(w.keys[delegate])
	fails(d, &api.CreateOperatorKeyRequest{}, "AccessDeniedException")
	fails(d, &api.ListOperatorKeysRequest{}, "AccessDeniedException")
	fails(d, &api.UpdateOperatorKeyRequest{AccessKeyId: w.caller.AccessKeyID, Status: "INACTIVE"}, "AccessDeniedException")
	fails(d, &api.DeleteOperatorKeyRequest{AccessKeyId: w.caller.AccessKeyID}, "AccessDeniedException")
}
