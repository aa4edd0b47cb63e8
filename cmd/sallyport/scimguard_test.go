package main

import (
	"testing"
	"time"

	api "sallyport/internal/awsapi/sallyport"
)

func TestDaysLeft(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{
		365 * day: "365", 90*day + 1: "91", 90 * day: "90 (make another)", day: "1 (make another)", time.Second: "1 (make another)", 0: "expired!", -day: "expired!",
	} {
		if got := daysLeft(now.Add(left), now); got != want {
			t.Errorf("%v: %s, want %s", left, got, want)
		}
	}
}

func TestRemovals(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	users := api.ScimRemovalStop{Kind: api.ScimRemovalKindUsers, Removed: 13, Owned: 130, StoppedAt: at, LastRefusedAt: at.Add(time.Hour)}
	if got := stop(users); got != "users since 2026-11-25 09:00 UTC, when 13 of 130 had been removed; last asked for 2026-11-25 10:00 UTC" {
		t.Error(got)
	}
	of := api.ScimRemovalStop{Kind: api.ScimRemovalKindMemberships, GroupId: new("g\x1b[31m")}
	if got, want := stop(of)[:len("memberships of the group g")], "memberships of the group g"; got != want {
		t.Error(got)
	}
	for want, tenant := range map[string]api.ScimTenant{
		"": {}, "stopped": {RemovalsStopped: []api.ScimRemovalStop{users}}, "approved until 2026-11-25 09:00 UTC": {RemovalsApprovedUntil: &at},
	} {
		if got := removals(tenant); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
