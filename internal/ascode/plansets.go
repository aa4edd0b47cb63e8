package ascode

import (
	"context"
	"fmt"
	"slices"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

func (p *planner) sets() {
	if p.want.PermissionSets == nil {
		return
	}
	matched(p.live.PermissionSets, p.want.PermissionSets, func(s PermissionSet) string { return s.Name }, p.changeSet, p.createSet, p.deleteSet)
}

func (p *planner) createSet(w PermissionSet) {
	var d differences
	edits := p.edits(PermissionSet{Name: w.Name, SessionDuration: w.SessionDuration, Description: w.Description, RelayState: w.RelayState, Tags: w.Tags}, w, &d)
	p.add(Step{Action: Create, Kind: "permission set", Name: w.Name, Details: d, phase: ofSets, do: func(ctx context.Context, a *apply) error {
		in := &adminapi.CreatePermissionSetRequest{
			InstanceArn: a.live.Instance, Name: w.Name, Description: ptr(w.Description), RelayState: ptr(w.RelayState), SessionDuration: &w.SessionDuration,
		}
		for _, k := range sortedKeys(w.Tags) {
			in.Tags = append(in.Tags, adminapi.Tag{Key: k, Value: w.Tags[k]})
		}
		out, _, err := apiclient.Ask[adminapi.CreatePermissionSetResponse](ctx, a.reader.Client, in)
		if err != nil {
			return err
		}
		a.madeSet(w.Name, deref(out.PermissionSet.PermissionSetArn))
		return a.edit(ctx, w.Name, edits)
	}})
	p.assignments(w.Name, nil, w)
}

func (p *planner) changeSet(l, w PermissionSet) {
	var d differences
	edits := p.edits(l, w, &d)
	if len(d) > 0 {
		p.add(Step{
			Action: Change, Kind: "permission set", Name: w.Name, Details: d, phase: ofSets,
			still: func(ctx context.Context, a *apply) (bool, error) {
				now, err := a.reader.set(ctx, a.live, a.arnOf(a.live.sets, w.Name))
				now.MaxMFAAgeMinutes = l.MaxMFAAgeMinutes // not among AWS's; its operation sets it as a whole
				return err == nil && same(comparable(now), comparable(l)), err
			},
			do: func(ctx context.Context, a *apply) error { return a.edit(ctx, w.Name, edits) },
		})
	}
	if accounts := p.live.provisioned[w.Name]; p.live.outdated[w.Name] > 0 || accounts > 0 && reachesRoles(l, w) {
		p.add(Step{
			Action: Provision, Kind: "permission set", Name: w.Name, Details: []string{fmt.Sprintf("in %d accounts", accounts)}, phase: ofProvisioning,
			do: func(ctx context.Context, a *apply) error { return a.provision(ctx, w.Name) },
		})
	}
	if w.Assignments != nil {
		p.assignments(w.Name, l.Assignments, w)
	}
}

// comparable is what a permission set itself is, without who has it.
func comparable(s PermissionSet) PermissionSet {
	s.Assignments, s.SourceARN, s.InlinePolicy = nil, "", canonical(s.InlinePolicy)
	if len(s.Tags) == 0 {
		s.Tags = nil
	}
	s.ManagedPolicies, s.CustomerManagedPolicies = slices.Clip(s.ManagedPolicies), slices.Clip(s.CustomerManagedPolicies)
	if len(s.ManagedPolicies) == 0 {
		s.ManagedPolicies = nil
	}
	if len(s.CustomerManagedPolicies) == 0 {
		s.CustomerManagedPolicies = nil
	}
	return s
}

// reachesRoles says whether the difference is one that roles show.
func reachesRoles(l, w PermissionSet) bool {
	l, w = comparable(l), comparable(w)
	l.Description, l.Tags, l.MaxMFAAgeMinutes = w.Description, w.Tags, w.MaxMFAAgeMinutes
	return !same(l, w)
}

// edit changes one part of a permission set.
type edit func(ctx context.Context, a *apply, set string) error

// edits are what makes one permission set another, but for its name.
func (p *planner) edits(l, w PermissionSet, d *differences) (edits []edit) {
	if l.Description != w.Description || l.SessionDuration != w.SessionDuration || l.RelayState != w.RelayState {
		d.text("Description", l.Description, w.Description)
		d.text("SessionDuration", l.SessionDuration, w.SessionDuration)
		d.text("RelayState", l.RelayState, w.RelayState)
		if l.Description != "" && w.Description == "" {
			p.faults = append(p.faults, fault.Invalidf("Permission set %s: its Description cannot be taken away again, only changed: no API does that.", w.Name))
		}
		edits = append(edits, func(ctx context.Context, a *apply, set string) error {
			return ask[adminapi.UpdatePermissionSetResponse](ctx, a, &adminapi.UpdatePermissionSetRequest{
				InstanceArn: a.live.Instance, PermissionSetArn: set, Description: ptr(w.Description), SessionDuration: &w.SessionDuration, RelayState: ptr(w.RelayState),
			})
		})
	}
	edits = append(edits, managedEdits(l, w, d)...)
	edits = append(edits, customerEdits(l, w, d)...)
	edits = append(edits, inlineEdit(l, w, d)...)
	edits = append(edits, boundaryEdit(l, w, d)...)
	edits = append(edits, tagEdits(l, w, d)...)
	return append(edits, stepUpEdit(l, w, d)...)
}

func managedEdits(l, w PermissionSet, d *differences) (edits []edit) {
	added, removed := d.list("managed policy", l.ManagedPolicies, w.ManagedPolicies)
	for _, arn := range removed {
		edits = append(edits, func(ctx context.Context, a *apply, set string) error {
			return ask[adminapi.DetachManagedPolicyFromPermissionSetResponse](ctx, a, &adminapi.DetachManagedPolicyFromPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set, ManagedPolicyArn: arn})
		})
	}
	for _, arn := range added {
		edits = append(edits, func(ctx context.Context, a *apply, set string) error {
			return ask[adminapi.AttachManagedPolicyToPermissionSetResponse](ctx, a, &adminapi.AttachManagedPolicyToPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set, ManagedPolicyArn: arn})
		})
	}
	return edits
}

func customerEdits(l, w PermissionSet, d *differences) (edits []edit) {
	key := func(r PolicyReference) string { return r.Path + r.Name }
	matched(l.CustomerManagedPolicies, w.CustomerManagedPolicies, key, func(_, _ PolicyReference) {}, func(r PolicyReference) {
		*d = append(*d, "+ customer managed policy "+key(r))
		edits = append(edits, func(ctx context.Context, a *apply, set string) error {
			return ask[adminapi.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](ctx, a, &adminapi.AttachCustomerManagedPolicyReferenceToPermissionSetRequest{
				InstanceArn: a.live.Instance, PermissionSetArn: set, CustomerManagedPolicyReference: wire(r),
			})
		})
	}, func(r PolicyReference) {
		*d = append(*d, "- customer managed policy "+key(r))
		edits = append(edits, func(ctx context.Context, a *apply, set string) error {
			return ask[adminapi.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse](ctx, a, &adminapi.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest{
				InstanceArn: a.live.Instance, PermissionSetArn: set, CustomerManagedPolicyReference: wire(r),
			})
		})
	})
	return edits
}

func wire(r PolicyReference) adminapi.CustomerManagedPolicyReference {
	return adminapi.CustomerManagedPolicyReference{Name: r.Name, Path: &r.Path}
}

func inlineEdit(l, w PermissionSet, d *differences) []edit {
	if canonical(l.InlinePolicy) == canonical(w.InlinePolicy) {
		return nil
	}
	*d = append(*d, lineDiff(indented(l.InlinePolicy), indented(w.InlinePolicy))...)
	return []edit{func(ctx context.Context, a *apply, set string) error {
		if w.InlinePolicy == "" {
			return ask[adminapi.DeleteInlinePolicyFromPermissionSetResponse](ctx, a, &adminapi.DeleteInlinePolicyFromPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set})
		}
		return ask[adminapi.PutInlinePolicyToPermissionSetResponse](ctx, a, &adminapi.PutInlinePolicyToPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set, InlinePolicy: w.InlinePolicy})
	}}
}

func boundaryEdit(l, w PermissionSet, d *differences) []edit {
	if same(l.Boundary, w.Boundary) {
		return nil
	}
	d.text("PermissionsBoundary", boundaryText(l.Boundary), boundaryText(w.Boundary))
	return []edit{func(ctx context.Context, a *apply, set string) error {
		if w.Boundary == nil {
			return ask[adminapi.DeletePermissionsBoundaryFromPermissionSetResponse](ctx, a, &adminapi.DeletePermissionsBoundaryFromPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set})
		}
		b := adminapi.PermissionsBoundary{ManagedPolicyArn: ptr(w.Boundary.ManagedPolicy)}
		if c := w.Boundary.Customer; c != nil {
			ref := wire(*c)
			b.CustomerManagedPolicyReference = &ref
		}
		return ask[adminapi.PutPermissionsBoundaryToPermissionSetResponse](ctx, a, &adminapi.PutPermissionsBoundaryToPermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: set, PermissionsBoundary: b})
	}}
}

func boundaryText(b *Boundary) string {
	switch {
	case b == nil:
		return ""
	case b.Customer != nil:
		return b.Customer.Path + b.Customer.Name
	}
	return b.ManagedPolicy
}

func tagEdits(l, w PermissionSet, d *differences) (edits []edit) {
	set, removed := d.tags(l.Tags, w.Tags)
	return append(edits, retag(set, removed)...)
}

// retag gives and takes tags of a resource.
func retag(set map[string]string, removed []string) (edits []edit) {
	if len(set) > 0 {
		edits = append(edits, func(ctx context.Context, a *apply, arn string) error {
			in := &adminapi.TagResourceRequest{InstanceArn: &a.live.Instance, ResourceArn: arn}
			for _, k := range sortedKeys(set) {
				in.Tags = append(in.Tags, adminapi.Tag{Key: k, Value: set[k]})
			}
			return ask[adminapi.TagResourceResponse](ctx, a, in)
		})
	}
	if len(removed) > 0 {
		edits = append(edits, func(ctx context.Context, a *apply, arn string) error {
			return ask[adminapi.UntagResourceResponse](ctx, a, &adminapi.UntagResourceRequest{InstanceArn: &a.live.Instance, ResourceArn: arn, TagKeys: removed})
		})
	}
	return edits
}

func stepUpEdit(l, w PermissionSet, d *differences) []edit {
	if l.MaxMFAAgeMinutes == w.MaxMFAAgeMinutes {
		return nil
	}
	d.text("MaxMfaAgeMinutes", fmt.Sprint(l.MaxMFAAgeMinutes), fmt.Sprint(w.MaxMFAAgeMinutes))
	return []edit{func(ctx context.Context, a *apply, set string) error {
		if w.MaxMFAAgeMinutes == 0 {
			return ask[api.DeletePermissionSetStepUpResponse](ctx, a, &api.DeletePermissionSetStepUpRequest{InstanceArn: a.live.Instance, PermissionSetArn: set})
		}
		return ask[api.PutPermissionSetStepUpResponse](ctx, a, &api.PutPermissionSetStepUpRequest{InstanceArn: a.live.Instance, PermissionSetArn: set, MaxMfaAgeMinutes: int32(w.MaxMFAAgeMinutes)})
	}}
}

func (p *planner) deleteSet(l PermissionSet) {
	p.assignments(l.Name, l.Assignments, PermissionSet{Name: l.Name})
	p.add(Step{Action: Delete, Kind: "permission set", Name: l.Name, phase: ofDeletingSets, do: func(ctx context.Context, a *apply) error {
		return ask[adminapi.DeletePermissionSetResponse](ctx, a, &adminapi.DeletePermissionSetRequest{InstanceArn: a.live.Instance, PermissionSetArn: a.arnOf(a.live.sets, l.Name)})
	}})
}
