package sallyport_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
)

// TestSCIMTargets: a target is told of as it is, but for its token, which is kept sealed.
func TestSCIMTargets(t *testing.T) {
	w := newWorld(t)
	const secret = "a-very-secret-token"
	create := &api.CreateScimTargetRequest{Name: "aws", Url: "https://scim.example.test/1/scim/v2/", Token: secret}
	made := must[api.CreateScimTargetResponse](w, create).ScimTarget
	if made.State != "ON" || made.Dialect != "STRICT" || made.Deprovision != "DISABLE" || made.RequestsPerSecond != 25 || made.Groups != nil || *made.SyncPhase != "REMOTE_USERS" {
		t.Errorf("%+v", made)
	}
	fails(w, create, "ConflictException")
	for _, url := range []string{"http://example.test/scim", "https://", "ftp://example.test", "https://u:p@example.test/scim", "https://example.test/scim?x=1", "http://127.0.0.1.example.test/"} {
		fails(w, &api.CreateScimTargetRequest{Name: "x", Url: url, Token: secret}, "ValidationException")
	}
	fails(w, &api.CreateScimTargetRequest{Name: "x", Url: create.Url, Token: "two words"}, "ValidationException")
	fails(w, &api.CreateScimTargetRequest{Name: "x", Url: create.Url, Token: secret, Groups: []string{unknown}}, notFound)
	id := made.TargetId
	fails(w, &api.UpdateScimTargetRequest{TargetId: id, Url: new("https://elsewhere.test/scim")}, "ValidationException")
	off := api.ScimTargetStateOff
	out := must[api.UpdateScimTargetResponse](w, &api.UpdateScimTargetRequest{TargetId: id, State: &off, RequestsPerSecond: new(int32(3))}).ScimTarget
	if out.State != "OFF" || out.RequestsPerSecond != 3 {
		t.Errorf("%+v", out)
	}
	fails(w, &api.StartScimTargetSyncRequest{TargetId: id}, "ConflictException")
	w.person("bob")
	seen := must[api.DescribeScimTargetResponse](w, &api.DescribeScimTargetRequest{TargetId: id})
	if seen.Waiting != 1 || seen.Failed != 0 || seen.OldestChangeAt == nil {
		t.Errorf("%+v", seen)
	}
	w.update(func(tx *store.Tx) error {
		kept, err := tx.SCIMTarget(id)
		if bytes.Contains(kept.Token, []byte(secret)) || len(kept.Token) == 0 {
			t.Error("the token is kept as it is")
		}
		all, e := tx.AuditLog(0, 1000)
		for _, ev := range all {
			if bytes.Contains(ev.JSON, []byte(secret)) {
				t.Errorf("the token is on record: %s", ev.JSON)
			}
		}
		if e != nil {
			return e
		}
		return err
	})
	fails(w, &api.DescribeScimTargetRequest{TargetId: unknown}, notFound)
	fails(w, &api.UpdateScimTargetRequest{TargetId: unknown}, notFound)
	fails(w, &api.DeleteScimTargetRequest{TargetId: unknown}, notFound)
	fails(w, &api.ListScimTargetErrorsRequest{TargetId: unknown}, notFound)
	fails(w, &api.StartScimTargetSyncRequest{TargetId: unknown}, notFound)
	if all := must[api.ListScimTargetsResponse](w, &api.ListScimTargetsRequest{}).ScimTargets; len(all) != 1 || all[0].TargetId != id {
		t.Errorf("%+v", all)
	}
	must[api.DeleteScimTargetResponse](w, &api.DeleteScimTargetRequest{TargetId: id})
	if all := must[api.ListScimTargetsResponse](w, &api.ListScimTargetsRequest{}).ScimTargets; len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

type silent func(*http.Request) (*http.Response, error)

func (f silent) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestDryRunAndErrors: a dry run tells what would be done, and what the other server says against it.
func TestDryRunAndErrors(t *testing.T) {
	w := newWorld(t)
	answer := `{"Resources":[]}`
	status := http.StatusOK
	w.service.Push = &scimpush.Worker{
		DB: w.db, Keys: w.service.OperatorKeys, Store: w.instance.StoreID, Owner: "test", Log: slog.New(slog.DiscardHandler),
		Transport: silent(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}),
	}
	id := must[api.CreateScimTargetResponse](w, &api.CreateScimTargetRequest{Name: "aws", Url: "https://scim.example.test/1/scim/v2", Token: "x"}).ScimTarget.TargetId
	plan := must[api.StartScimTargetSyncResponse](w, &api.StartScimTargetSyncRequest{TargetId: id, DryRun: new(true)})
	if !*plan.Complete || len(plan.Counts) != 1 || plan.Counts[0] != (api.ScimPlannedCount{Change: "CREATE_USER", Count: 1}) || *plan.Changes[0].Name != "ana" {
		t.Errorf("%+v", plan)
	}
	must[api.StartScimTargetSyncResponse](w, &api.StartScimTargetSyncRequest{TargetId: id})
	answer, status = `{"detail":"Not you."}`, http.StatusUnauthorized
	fails(w, &api.StartScimTargetSyncRequest{TargetId: id, DryRun: new(true)}, "ValidationException")
	w.update(func(tx *store.Tx) error {
		if err := tx.MarkDirty(id, store.PushUser, w.user.ID); err != nil {
			return err
		}
		d, err := tx.Dirty(id, store.PushUser, w.user.ID)
		if err != nil {
			return err
		}
		d.Error, d.Attempts = "No.", 2
		return tx.PutDirtyOff(d)
	})
	all := must[api.ListScimTargetErrorsResponse](w, &api.ListScimTargetErrorsRequest{TargetId: id}).ScimTargetErrors
	if len(all) != 1 || all[0].Error != "No." || all[0].Attempts != 2 || *all[0].Name != "ana" || all[0].Kind != "USER" {
		t.Errorf("%+v", all)
	}
}
