package ascode

import (
	"context"
	"fmt"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

// applicationEdits are what makes one application another, but for its name.
func (p *planner) applicationEdits(l, w Application, d *differences) (edits []edit) {
	if l.Description != w.Description || l.Status != w.Status || l.SignInOrigin != w.SignInOrigin || l.URL != w.URL {
		d.text("Description", l.Description, w.Description)
		d.text("Status", l.Status, w.Status)
		d.text("SignInOrigin", l.SignInOrigin, w.SignInOrigin)
		d.text("ApplicationUrl", l.URL, w.URL)
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			status := adminapi.ApplicationStatus(w.Status)
			return ask[adminapi.UpdateApplicationResponse](ctx, a, &adminapi.UpdateApplicationRequest{
				ApplicationArn: app, Description: ptr(w.Description), Status: &status, PortalOptions: &adminapi.UpdateApplicationPortalOptions{SignInOptions: w.portal().SignInOptions},
			})
		})
	}
	if *l.AssignmentRequired != *w.AssignmentRequired {
		d.text("AssignmentRequired", fmt.Sprint(*l.AssignmentRequired), fmt.Sprint(*w.AssignmentRequired))
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			return ask[adminapi.PutApplicationAssignmentConfigurationResponse](ctx, a, &adminapi.PutApplicationAssignmentConfigurationRequest{ApplicationArn: app, AssignmentRequired: *w.AssignmentRequired})
		})
	}
	set, removed := d.tags(l.Tags, w.Tags)
	edits = append(edits, retag(set, removed)...)
	edits = append(edits, scopeEdits(l, w, d)...)
	edits = append(edits, p.grantEdits(l, w, d)...)
	edits = append(edits, p.methodEdits(l, w, d)...)
	if w.Assignments != nil {
		edits = append(edits, p.appAssignmentEdits(l, w, d)...)
	}
	return edits
}

func scopeEdits(l, w Application, d *differences) (edits []edit) {
	put := func(s Scope) {
		*d = append(*d, "+ access scope "+s.Scope)
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			return ask[adminapi.PutApplicationAccessScopeResponse](ctx, a, &adminapi.PutApplicationAccessScopeRequest{ApplicationArn: app, Scope: s.Scope, AuthorizedTargets: s.Targets})
		})
	}
	matched(l.Scopes, w.Scopes, func(s Scope) string { return s.Scope }, func(was, s Scope) {
		if !same(was, s) {
			put(s)
		}
	}, put, func(s Scope) {
		*d = append(*d, "- access scope "+s.Scope)
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			return ask[adminapi.DeleteApplicationAccessScopeResponse](ctx, a, &adminapi.DeleteApplicationAccessScopeRequest{ApplicationArn: app, Scope: s.Scope})
		})
	})
	return edits
}

func (p *planner) grantEdits(l, w Application, d *differences) (edits []edit) {
	for _, kind := range sortedKeys(w.Grants) {
		grant, ok := w.Grants[kind].(map[string]any)
		if err := into(grant, &adminapi.Grant{}); !ok || err != nil {
			p.faults = append(p.faults, fault.Invalidf("Application %s: grant %s is not one of PutApplicationGrant: %v", w.Name, kind, err))
			continue
		}
		if same(l.Grants[kind], grant) {
			continue
		}
		d.text("grant "+kind, jsonText(l.Grants[kind]), jsonText(grant))
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			in := &adminapi.PutApplicationGrantRequest{ApplicationArn: app, GrantType: adminapi.GrantType(kind)}
			if err := into(renamed(grant, a.live.issuers).(map[string]any), &in.Grant); err != nil {
				return err
			}
			return ask[adminapi.PutApplicationGrantResponse](ctx, a, in)
		})
	}
	for _, kind := range sortedKeys(l.Grants) {
		if _, ok := w.Grants[kind]; !ok {
			d.text("grant "+kind, jsonText(l.Grants[kind]), "")
			edits = append(edits, func(ctx context.Context, a *apply, app string) error {
				return ask[adminapi.DeleteApplicationGrantResponse](ctx, a, &adminapi.DeleteApplicationGrantRequest{ApplicationArn: app, GrantType: adminapi.GrantType(kind)})
			})
		}
	}
	return edits
}

func (p *planner) methodEdits(l, w Application, d *differences) (edits []edit) {
	for _, kind := range sortedKeys(w.Methods) {
		method, ok := w.Methods[kind].(map[string]any)
		if err := into(method, &adminapi.AuthenticationMethod{}); !ok || err != nil {
			p.faults = append(p.faults, fault.Invalidf("Application %s: authentication method %s is not one of PutApplicationAuthenticationMethod: %v", w.Name, kind, err))
			continue
		}
		if same(l.Methods[kind], method) {
			continue
		}
		d.text("authentication method "+kind, jsonText(l.Methods[kind]), jsonText(method))
		edits = append(edits, func(ctx context.Context, a *apply, app string) error {
			in := &adminapi.PutApplicationAuthenticationMethodRequest{ApplicationArn: app, AuthenticationMethodType: adminapi.AuthenticationMethodType(kind)}
			if err := into(method, &in.AuthenticationMethod); err != nil {
				return err
			}
			return ask[adminapi.PutApplicationAuthenticationMethodResponse](ctx, a, in)
		})
	}
	for _, kind := range sortedKeys(l.Methods) {
		if _, ok := w.Methods[kind]; !ok {
			d.text("authentication method "+kind, jsonText(l.Methods[kind]), "")
			edits = append(edits, func(ctx context.Context, a *apply, app string) error {
				return ask[adminapi.DeleteApplicationAuthenticationMethodResponse](ctx, a, &adminapi.DeleteApplicationAuthenticationMethodRequest{ApplicationArn: app, AuthenticationMethodType: adminapi.AuthenticationMethodType(kind)})
			})
		}
	}
	return edits
}

func (p *planner) appAssignmentEdits(l, w Application, d *differences) (edits []edit) {
	was := Principals{}
	if l.Assignments != nil {
		was = *l.Assignments
	}
	for _, side := range []struct {
		kind     adminapi.PrincipalType
		from, to []string
	}{{adminapi.PrincipalTypeGroup, was.Groups, w.Assignments.Groups}, {adminapi.PrincipalTypeUser, was.Users, w.Assignments.Users}} {
		matched(side.from, side.to, fold, func(string, string) {}, func(name string) {
			who := principal{side.kind, name}
			p.exists(who, "Assignments of application "+w.Name)
			*d = append(*d, "+ "+kindOf(who)+" "+name)
			edits = append(edits, func(ctx context.Context, a *apply, app string) error { return a.assignApp(ctx, app, who) })
		}, func(name string) {
			who := principal{side.kind, name}
			*d = append(*d, "- "+kindOf(who)+" "+name)
			edits = append(edits, func(ctx context.Context, a *apply, app string) error { return a.unassignApp(ctx, app, who) })
		})
	}
	return edits
}

func (a *apply) assignApp(ctx context.Context, app string, who principal) error {
	id, err := a.id(who)
	if err != nil {
		return err
	}
	err = ask[adminapi.CreateApplicationAssignmentResponse](ctx, a, &adminapi.CreateApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: who.Type, PrincipalId: id})
	if apiclient.IsCode(err, "ConflictException") {
		return nil // as wanted
	}
	return err
}

func (a *apply) unassignApp(ctx context.Context, app string, who principal) error {
	id, err := a.id(who)
	if err != nil {
		return err
	}
	err = ask[adminapi.DeleteApplicationAssignmentResponse](ctx, a, &adminapi.DeleteApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: who.Type, PrincipalId: id})
	if apiclient.IsCode(err, "ResourceNotFoundException") {
		return nil // as wanted
	}
	return err
}
