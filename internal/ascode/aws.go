package ascode

import (
	"context"
	"sync"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// AWS reads a deployment by the operations that AWS publishes, its own or anybody's.
type AWS struct {
	// Accounts are told by another service; nil: they are not told.
	Accounts func(context.Context) ([]Account, error)
}

func (s AWS) accounts(ctx context.Context, _ *Reader) ([]Account, error) {
	if s.Accounts == nil {
		return nil, nil
	}
	return s.Accounts(ctx)
}

// settings are told by no API of AWS.
func (AWS) settings(context.Context, *Reader) (map[string]string, error) { return nil, nil }

func (AWS) sets(ctx context.Context, r *Reader, l *Live) ([]PermissionSet, error) {
	arns, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListPermissionSetsRequest{InstanceArn: l.Instance, NextToken: next}
		},
		func(out *adminapi.ListPermissionSetsResponse) ([]string, *string) {
			return out.PermissionSets, out.NextToken
		})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var out []PermissionSet
	err = each(ctx, r, "permission sets", arns, func(ctx context.Context, arn string) error {
		s, err := r.set(ctx, l, arn)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out, l.sets[s.Name] = append(out, s), arn
		return nil
	})
	return out, err
}

// set reads one permission set, in its normal form and without who has it.
func (r *Reader) set(ctx context.Context, l *Live, arn string) (s PermissionSet, err error) {
	out, _, err := apiclient.Ask[adminapi.DescribePermissionSetResponse](ctx, r.Client, &adminapi.DescribePermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: arn})
	if err != nil {
		return s, err
	}
	p := out.PermissionSet
	s = PermissionSet{Name: deref(p.Name), Description: deref(p.Description), SessionDuration: deref(p.SessionDuration), RelayState: deref(p.RelayState), SourceARN: arn}
	for _, read := range []func(context.Context, *Live, string, *PermissionSet) error{r.managed, r.customer, r.inline, r.boundary} {
		if err := read(ctx, l, arn, &s); err != nil {
			return s, err
		}
	}
	if s.Tags, err = r.tags(ctx, l, arn); err != nil {
		return s, err
	}
	return s, normalSet(&s)
}

func (r *Reader) managed(ctx context.Context, l *Live, arn string, s *PermissionSet) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListManagedPoliciesInPermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: arn, NextToken: next}
		},
		func(out *adminapi.ListManagedPoliciesInPermissionSetResponse) ([]adminapi.AttachedManagedPolicy, *string) {
			return out.AttachedManagedPolicies, out.NextToken
		})
	for _, p := range rows {
		s.ManagedPolicies = append(s.ManagedPolicies, deref(p.Arn))
	}
	return err
}

func (r *Reader) customer(ctx context.Context, l *Live, arn string, s *PermissionSet) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListCustomerManagedPolicyReferencesInPermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: arn, NextToken: next}
		},
		func(out *adminapi.ListCustomerManagedPolicyReferencesInPermissionSetResponse) ([]adminapi.CustomerManagedPolicyReference, *string) {
			return out.CustomerManagedPolicyReferences, out.NextToken
		})
	for _, p := range rows {
		s.CustomerManagedPolicies = append(s.CustomerManagedPolicies, PolicyReference{p.Name, deref(p.Path)})
	}
	return err
}

func (r *Reader) inline(ctx context.Context, l *Live, arn string, s *PermissionSet) error {
	out, _, err := apiclient.Ask[adminapi.GetInlinePolicyForPermissionSetResponse](ctx, r.Client, &adminapi.GetInlinePolicyForPermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: arn})
	if err == nil {
		s.InlinePolicy = deref(out.InlinePolicy)
	}
	return err
}

func (r *Reader) boundary(ctx context.Context, l *Live, arn string, s *PermissionSet) error {
	out, _, err := apiclient.Ask[adminapi.GetPermissionsBoundaryForPermissionSetResponse](ctx, r.Client, &adminapi.GetPermissionsBoundaryForPermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: arn})
	if apiclient.IsCode(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil || out.PermissionsBoundary == nil {
		return err
	}
	s.Boundary = &Boundary{ManagedPolicy: deref(out.PermissionsBoundary.ManagedPolicyArn)}
	if c := out.PermissionsBoundary.CustomerManagedPolicyReference; c != nil {
		s.Boundary.Customer = &PolicyReference{c.Name, deref(c.Path)}
	}
	return nil
}

func (AWS) assignments(ctx context.Context, r *Reader, l *Live) ([]assigned, error) {
	var mu sync.Mutex
	var places []place
	err := each(ctx, r, "where permission sets are", sortedKeys(l.sets), func(ctx context.Context, name string) error {
		accounts, err := apiclient.Pages(ctx, r.Client,
			func(next *string) any {
				return &adminapi.ListAccountsForProvisionedPermissionSetRequest{InstanceArn: l.Instance, PermissionSetArn: l.sets[name], NextToken: next}
			},
			func(out *adminapi.ListAccountsForProvisionedPermissionSetResponse) ([]string, *string) {
				return out.AccountIds, out.NextToken
			})
		mu.Lock()
		defer mu.Unlock()
		l.provisioned[name] = len(accounts)
		for _, account := range accounts {
			places = append(places, place{name, account})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []assigned
	err = each(ctx, r, "assignments", places, func(ctx context.Context, where place) error {
		rows, err := apiclient.Pages(ctx, r.Client,
			func(next *string) any {
				return &adminapi.ListAccountAssignmentsRequest{InstanceArn: l.Instance, PermissionSetArn: l.sets[where.set], AccountId: where.account, NextToken: next}
			},
			func(out *adminapi.ListAccountAssignmentsResponse) ([]adminapi.AccountAssignment, *string) {
				return out.AccountAssignments, out.NextToken
			})
		mu.Lock()
		defer mu.Unlock()
		for _, a := range rows {
			out = append(out, assigned{where.set, where.account, deref(a.PrincipalType), deref(a.PrincipalId)})
		}
		return err
	})
	return out, err
}
