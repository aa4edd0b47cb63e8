package main

import (
	"strings"
	"testing"
	"time"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// TestWhyIsUndecided: what is not known of a time is named, and is neither a yes nor a no.
func TestWhyIsUndecided(t *testing.T) {
	t.Parallel()
	role, long := "arn:aws:iam::111122223333:role/r", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	known := api.AccessDecision{PermissionSetName: "Known", RoleArn: &role, Layer: "identity-based policy"}
	lost := api.AccessDecision{PermissionSetName: "Lost", NotKnown: []string{"What the permission set was in the account then is not kept."}}
	allowed := known
	allowed.Allowed = true
	q := whyQuery{account: "111122223333", action: "s3:GetObject", resource: "*", at: "2026-01-01"}
	for name, c := range map[string]struct {
		decisions []api.AccessDecision
		forgotten *time.Time
		err       string
	}{
		"not":                    {[]api.AccessDecision{known}, nil, "ana might not do s3:GetObject on * in 111122223333."},
		"by one that is lost":    {[]api.AccessDecision{known, lost}, nil, "It is not known whether ana might do s3:GetObject on * in 111122223333 then."},
		"by what is forgotten":   {nil, &long, "It is not known whether ana might do s3:GetObject on * in 111122223333 then."},
		"whatever else there is": {[]api.AccessDecision{lost, allowed}, &long, ""},
	} {
		out := &api.GetAccessDecisionResponse{UserName: "ana", Decisions: c.decisions, ForgottenBefore: c.forgotten}
		err, got := q.verdict(out), ""
		if err != nil {
			got = err.Error()
		}
		if got != c.err || err != nil && fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
		var b strings.Builder
		q.tell(&b, out)
		if said := strings.Contains(b.String(), "What ended before 2026-01-31"); said != (c.forgotten != nil) {
			t.Errorf("%s: told of what is forgotten: %t\n%s", name, said, &b)
		}
	}
	var b strings.Builder
	q.tell(&b, &api.GetAccessDecisionResponse{Decisions: []api.AccessDecision{lost}})
	if got, want := b.String(), "undecided by Lost\n  not known  What the permission set was in the account then is not kept.\n"; got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}
