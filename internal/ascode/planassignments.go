package ascode

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

// assignments plans who gets and who loses a permission set where.
func (p *planner) assignments(set string, from []Assignment, w PermissionSet) {
	was, err := PermissionSet{Name: set, Assignments: from}.grants()
	if err != nil { // of what is live, account ids are right
		p.faults = append(p.faults, err)
		return
	}
	will, err := w.grants()
	if err != nil {
		p.faults = append(p.faults, err)
		return
	}
	for _, g := range sortedGrants(will) {
		p.exists(g.who, fmt.Sprintf("Assignments of permission set %s", set))
		if _, ok := was[g]; ok {
			continue
		}
		if p.closed(g.account) {
			p.faults = append(p.faults, fault.Invalidf("Assignments of permission set %s has account %s, which is closed: nothing new can be assigned there. Reopen it (`sallyport accounts reopen`), or take it out.", set, g.account))
			continue
		}
		p.add(Step{Action: Create, Kind: "assignment", Name: assignmentName(set, g, will[g]), phase: ofAssigning, do: func(ctx context.Context, a *apply) error {
			return a.assign(ctx, set, g)
		}})
	}
	for _, g := range sortedGrants(was) {
		if _, ok := will[g]; ok {
			continue
		}
		p.add(Step{Action: Delete, Kind: "assignment", Name: assignmentName(set, g, was[g]), phase: ofUnassigning, do: func(ctx context.Context, a *apply) error {
			return a.unassign(ctx, set, g)
		}})
	}
}

func (p *planner) closed(account string) bool {
	return slices.ContainsFunc(p.live.Accounts, func(a Account) bool { return a.closed && a.ID == account })
}

func assignmentName(set string, g grant, name string) string {
	return fmt.Sprintf("%s in %s for %s %s", set, g.account, kindOf(g.who), name)
}

func sortedGrants(all map[grant]string) []grant {
	return slices.SortedFunc(maps.Keys(all), func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.who.Type, b.who.Type), cmp.Compare(a.who.Name, b.who.Name))
	})
}

func (p *planner) attributes() {
	if p.want.AccessControlAttributes == nil || same(p.live.AccessControlAttributes, p.want.AccessControlAttributes) {
		return
	}
	var d differences
	d.tags(p.live.AccessControlAttributes, p.want.AccessControlAttributes)
	was, want := p.live.AccessControlAttributes, p.want.AccessControlAttributes
	p.add(Step{
		Action: Change, Kind: "access control attributes", Name: "of the instance", Details: d, phase: ofAttributes,
		still: func(ctx context.Context, a *apply) (bool, error) {
			now := &Live{Instance: a.live.Instance}
			err := a.reader.readAttributes(ctx, now)
			return err == nil && same(now.AccessControlAttributes, was), err
		},
		do: func(ctx context.Context, a *apply) error { return a.putAttributes(ctx, was, want) },
	})
}

func (a *apply) putAttributes(ctx context.Context, was, want map[string]string) error {
	c := adminapi.InstanceAccessControlAttributeConfiguration{AccessControlAttributes: []adminapi.AccessControlAttribute{}}
	for _, k := range sortedKeys(want) {
		c.AccessControlAttributes = append(c.AccessControlAttributes, adminapi.AccessControlAttribute{Key: k, Value: adminapi.AccessControlAttributeValue{Source: []string{want[k]}}})
	}
	switch {
	case len(want) == 0:
		return ask[adminapi.DeleteInstanceAccessControlAttributeConfigurationResponse](ctx, a, &adminapi.DeleteInstanceAccessControlAttributeConfigurationRequest{InstanceArn: a.live.Instance})
	case len(was) == 0:
		err := ask[adminapi.CreateInstanceAccessControlAttributeConfigurationResponse](ctx, a,
			&adminapi.CreateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: a.live.Instance, InstanceAccessControlAttributeConfiguration: c})
		if !apiclient.IsCode(err, "ConflictException") { // there may be a configuration without attributes
			return err
		}
	}
	return ask[adminapi.UpdateInstanceAccessControlAttributeConfigurationResponse](ctx, a,
		&adminapi.UpdateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: a.live.Instance, InstanceAccessControlAttributeConfiguration: c})
}
