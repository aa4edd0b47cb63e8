package sallyport_test

import (
	"strings"
	"testing"
	"time"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/store"
)

// stopRemovals makes guards of a source stop: of its users and of a group's members, not of groups.
func (w *world) stopRemovals(tenant string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		now := tx.Now()
		for _, g := range []store.SCIMGuard{
			{TenantID: tenant, Kind: store.SCIMUsers, Removed: []store.SCIMRemovals{{From: now, N: 12}, {From: now, N: 1}}, Owned: 130, TrippedAt: now, RefusedAt: now},
			{TenantID: tenant, Kind: store.SCIMMemberships, GroupID: "g", Owned: 30, TrippedAt: now, RefusedAt: now},
			{TenantID: tenant, Kind: store.SCIMGroups, Owned: 30},
			{TenantID: "another", Kind: store.SCIMUsers, RefusedAt: now},
		} {
			if err := tx.PutSCIMGuard(g); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestApproveScimRemovals: what was stopped is shown until somebody approves of it, which is on record, and ends by itself or at once.
func TestApproveScimRemovals(t *testing.T) {
	w := newWorld(t)
	source := func() api.ScimTenant {
		return must[api.ListScimTenantsResponse](w, &api.ListScimTenantsRequest{}).ScimTenants[0]
	}
	id := must[api.CreateScimTenantResponse](w, &api.CreateScimTenantRequest{Name: "okta"}).ScimTenant.TenantId
	if s := source(); s.RemovalsApprovedUntil != nil || len(s.RemovalsStopped) != 0 {
		t.Errorf("at first: %+v", s)
	}
	now := w.clock.Now()
	w.stopRemovals(id)
	all := source().RemovalsStopped
	if len(all) != 2 {
		t.Fatalf("stopped are %+v", all)
	}
	for _, s := range all {
		switch {
		case s.Kind == api.ScimRemovalKindUsers && s.GroupId == nil && s.Removed == 13 && s.Owned == 130 && s.StoppedAt.Equal(now) && s.LastRefusedAt.Equal(now):
		case s.Kind == api.ScimRemovalKindMemberships && s.GroupId != nil && *s.GroupId == "g" && s.Removed == 0:
		default:
			t.Errorf("stopped is %+v", s)
		}
	}

	out := must[api.ApproveScimRemovalsResponse](w, &api.ApproveScimRemovalsRequest{TenantId: id})
	if !out.ApprovedUntil.Equal(now.Add(time.Hour)) {
		t.Errorf("approved until %v", out.ApprovedUntil)
	}
	if s := source(); s.RemovalsApprovedUntil == nil || !s.RemovalsApprovedUntil.Equal(now.Add(time.Hour)) || len(s.RemovalsStopped) != 0 {
		t.Errorf("approved: %+v", s)
	}
	if log := w.events("ApproveScimRemovals"); len(log) != 1 || !strings.Contains(log[0]["text"].(string), `"approvedUntil":`) {
		t.Errorf("the approval is not on record: %v", log)
	}
	w.clock.Advance(time.Hour)
	if s := source(); s.RemovalsApprovedUntil != nil {
		t.Errorf("the approval does not end: %+v", s)
	}
	must[api.ApproveScimRemovalsResponse](w, &api.ApproveScimRemovalsRequest{TenantId: id, DurationSeconds: new(int32(60))})
	must[api.ApproveScimRemovalsResponse](w, &api.ApproveScimRemovalsRequest{TenantId: id, DurationSeconds: new(int32(0))})
	if s := source(); s.RemovalsApprovedUntil != nil {
		t.Errorf("the approval was not ended: %+v", s)
	}
	w.stopRemovals(id)
	w.clock.Advance(24 * time.Hour)
	if s := source(); len(s.RemovalsStopped) != 0 {
		t.Errorf("a day after: %+v", s)
	}
	fails(w, &api.ApproveScimRemovalsRequest{TenantId: "00000000000-0000-0000-0000-000000000000"}, notFound)
	fails(w, &api.ApproveScimRemovalsRequest{TenantId: id, DurationSeconds: new(int32(604801))}, "ValidationException")
	must[api.DeleteScimTenantResponse](w, &api.DeleteScimTenantRequest{TenantId: id})
	w.update(func(tx *store.Tx) error {
		g, err := tx.SCIMGuard(id, store.SCIMUsers, "")
		if !g.RefusedAt.IsZero() {
			t.Error("a source that is gone has left removals")
		}
		return err
	})
}
