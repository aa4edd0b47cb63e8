package ascode

import (
	"context"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// Sallyport reads a deployment of ours.
type Sallyport struct{}

func (Sallyport) accounts(ctx context.Context, r *Reader) ([]Account, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any { return &api.ListOrganizationAccountsRequest{NextToken: next} },
		func(out *api.ListOrganizationAccountsResponse) ([]api.Account, *string) {
			return out.Accounts, out.NextToken
		})
	out := make([]Account, len(rows))
	for i, a := range rows {
		out[i] = Account{ID: a.AccountId, Name: a.Name, closed: a.Status != api.AccountStatusActive}
	}
	return out, err
}

func (Sallyport) settings(ctx context.Context, r *Reader) (map[string]string, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any { return &api.ListSettingsRequest{NextToken: next} },
		func(out *api.ListSettingsResponse) ([]api.Setting, *string) { return out.Settings, out.NextToken })
	out := map[string]string{}
	for _, s := range rows {
		out[s.Name] = s.Value
	}
	return out, err
}

func (Sallyport) sets(ctx context.Context, r *Reader, l *Live) ([]PermissionSet, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &api.ListPermissionSetDetailsRequest{InstanceArn: l.Instance, NextToken: next}
		},
		func(out *api.ListPermissionSetDetailsResponse) ([]api.PermissionSetDetails, *string) {
			r.progress("permission sets", len(l.sets), 0)
			return out.PermissionSets, out.NextToken
		})
	out := make([]PermissionSet, len(rows))
	for i, p := range rows {
		l.sets[p.Name] = p.PermissionSetArn
		l.provisioned[p.Name], l.outdated[p.Name] = int(p.ProvisionedAccounts), int(p.OutdatedAccounts)
		out[i] = PermissionSet{
			Name: p.Name, Description: deref(p.Description), SessionDuration: p.SessionDuration, RelayState: deref(p.RelayState),
			MaxMFAAgeMinutes: int(deref(p.MaxMfaAgeMinutes)), ManagedPolicies: p.ManagedPolicyArns, InlinePolicy: deref(p.InlinePolicy), Tags: map[string]string{},
		}
		for _, t := range p.Tags {
			out[i].Tags[t.Key] = t.Value
		}
		for _, c := range p.CustomerManagedPolicyReferences {
			out[i].CustomerManagedPolicies = append(out[i].CustomerManagedPolicies, PolicyReference{c.Name, c.Path})
		}
		switch {
		case p.BoundaryPolicyArn != nil:
			out[i].Boundary = &Boundary{ManagedPolicy: *p.BoundaryPolicyArn}
		case p.BoundaryPolicyReference != nil:
			out[i].Boundary = &Boundary{Customer: &PolicyReference{p.BoundaryPolicyReference.Name, p.BoundaryPolicyReference.Path}}
		}
	}
	return out, err
}

func (Sallyport) assignments(ctx context.Context, r *Reader, l *Live) ([]assigned, error) {
	names := make(map[string]string, len(l.sets))
	for name, arn := range l.sets {
		names[arn] = name
	}
	var out []assigned
	for next := (*string)(nil); ; {
		page, _, err := apiclient.Ask[api.ListAssignmentsResponse](ctx, r.Client,
			&api.ListAssignmentsRequest{InstanceArn: l.Instance, MaxResults: new(int32(1000)), NextToken: next})
		if err != nil {
			return nil, err
		}
		for _, a := range page.Assignments {
			if a.State == api.AssignmentStateGranted || a.State == api.AssignmentStatePending {
				out = append(out, assigned{names[a.PermissionSetArn], a.AccountId, adminapi.PrincipalType(a.PrincipalType), a.PrincipalId})
			}
		}
		r.progress("assignments", len(out), 0)
		if next = page.NextToken; next == nil {
			return out, nil
		}
	}
}
