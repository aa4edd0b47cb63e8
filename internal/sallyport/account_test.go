package sallyport_test

import (
	"strings"
	"testing"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestCloseAccount: with an account that is closed, the keys of its users are refused, and no key of it administers; the keys are good
// again when it is reopened.
func TestCloseAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		d := w.as(w.keys[delegate])
		must[api.ListSessionsResponse](d, &api.ListSessionsRequest{})
		closing, reopening := &api.CloseAccountRequest{AccountId: string(delegate)}, &api.ReopenAccountRequest{AccountId: string(delegate)}
		fails(d, closing, "AccessDeniedException")
		out := must[api.CloseAccountResponse](w, closing).Account
		if out.Status != api.AccountStatusSuspended || out.AccountId != string(delegate) || out.Name == "" || out.Email == nil {
			t.Errorf("closed: %+v", out)
		}
		if message, _ := fails(d, &api.ListSessionsRequest{}, "ExpiredTokenException"); !strings.Contains(message, "closed") {
			t.Errorf("refused by %q", message)
		}
		fails(d, reopening, "ExpiredTokenException")
		if out := must[api.ReopenAccountResponse](w, reopening).Account; out.Status != api.AccountStatusActive {
			t.Errorf("reopened: %+v", out)
		}
		must[api.ListSessionsResponse](d, &api.ListSessionsRequest{})

		fails(w, &api.CloseAccountRequest{AccountId: string(management)}, "ConflictException")
		fails(w.as(w.keys[member]), &api.CloseAccountRequest{AccountId: string(delegate)}, "AccessDeniedException")
		fails(w.as(w.keys[arn.AccountID("")]), &api.CloseAccountRequest{AccountId: string(member)}, "AccessDeniedException")
		if _, fields := fails(w, &api.ReopenAccountRequest{AccountId: "000000000000"}, "ResourceNotFoundException"); fields["ResourceType"] != "ACCOUNT" {
			t.Errorf("%v", fields)
		}
	})
}
