package ascode

import (
	"context"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

func (p *planner) issuers() {
	if p.want.TrustedTokenIssuers == nil {
		return
	}
	matched(p.live.TrustedTokenIssuers, p.want.TrustedTokenIssuers, func(i Issuer) string { return i.Name }, p.changeIssuer, p.createIssuer, func(l Issuer) {
		p.add(Step{Action: Delete, Kind: "trusted token issuer", Name: l.Name, phase: ofDeletingIssuers, do: func(ctx context.Context, a *apply) error {
			return ask[adminapi.DeleteTrustedTokenIssuerResponse](ctx, a, &adminapi.DeleteTrustedTokenIssuerRequest{TrustedTokenIssuerArn: a.arnOf(a.live.issuers, l.Name)})
		}})
	})
}

func (p *planner) createIssuer(w Issuer) {
	p.add(Step{Action: Create, Kind: "trusted token issuer", Name: w.Name, phase: ofIssuers, do: func(ctx context.Context, a *apply) error {
		out, _, err := apiclient.Ask[adminapi.CreateTrustedTokenIssuerResponse](ctx, a.reader.Client, &adminapi.CreateTrustedTokenIssuerRequest{
			InstanceArn: a.live.Instance, Name: w.Name, TrustedTokenIssuerType: adminapi.TrustedTokenIssuerTypeOidcJwt,
			TrustedTokenIssuerConfiguration: adminapi.TrustedTokenIssuerConfiguration{OidcJwtConfiguration: &adminapi.OidcJwtConfiguration{
				IssuerUrl: w.IssuerURL, ClaimAttributePath: w.ClaimAttributePath, IdentityStoreAttributePath: w.IdentityStoreAttributePath,
				JwksRetrievalOption: adminapi.JwksRetrievalOption(w.JwksRetrievalOption),
			}},
		})
		if err == nil {
			a.madeIssuer(w.Name, deref(out.TrustedTokenIssuerArn))
		}
		return err
	}})
}

func (p *planner) changeIssuer(l, w Issuer) {
	var d differences
	d.text("ClaimAttributePath", l.ClaimAttributePath, w.ClaimAttributePath)
	d.text("IdentityStoreAttributePath", l.IdentityStoreAttributePath, w.IdentityStoreAttributePath)
	d.text("JwksRetrievalOption", l.JwksRetrievalOption, w.JwksRetrievalOption)
	if l.IssuerURL != w.IssuerURL {
		p.faults = append(p.faults, fault.Invalidf("Trusted token issuer %s: its IssuerUrl cannot be changed. Give the new one another name.", w.Name))
	}
	if len(d) == 0 {
		return
	}
	option := adminapi.JwksRetrievalOption(w.JwksRetrievalOption)
	p.add(Step{
		Action: Change, Kind: "trusted token issuer", Name: w.Name, Details: d, phase: ofIssuers,
		still: func(ctx context.Context, a *apply) (bool, error) {
			now := &Live{Instance: a.live.Instance, issuers: map[string]string{}}
			err := a.reader.readIssuers(ctx, now)
			for _, i := range now.TrustedTokenIssuers {
				if i == l {
					return true, err
				}
			}
			return false, err
		},
		do: func(ctx context.Context, a *apply) error {
			return ask[adminapi.UpdateTrustedTokenIssuerResponse](ctx, a, &adminapi.UpdateTrustedTokenIssuerRequest{
				TrustedTokenIssuerArn: a.arnOf(a.live.issuers, w.Name),
				TrustedTokenIssuerConfiguration: &adminapi.TrustedTokenIssuerUpdateConfiguration{OidcJwtConfiguration: &adminapi.OidcJwtUpdateConfiguration{
					ClaimAttributePath: &w.ClaimAttributePath, IdentityStoreAttributePath: &w.IdentityStoreAttributePath, JwksRetrievalOption: &option,
				}},
			})
		},
	})
}

func (p *planner) applications() {
	if p.want.Applications == nil {
		return
	}
	matched(p.live.Applications, p.want.Applications, func(a Application) string { return a.Name }, p.changeApplication, p.createApplication, func(l Application) {
		p.add(Step{Action: Delete, Kind: "application", Name: l.Name, phase: ofDeletingApplications, do: func(ctx context.Context, a *apply) error {
			return ask[adminapi.DeleteApplicationResponse](ctx, a, &adminapi.DeleteApplicationRequest{ApplicationArn: a.arnOf(a.live.apps, l.Name)})
		}})
	})
}

func (p *planner) createApplication(w Application) {
	var d differences
	fresh := Application{
		Name: w.Name, Provider: w.Provider, Description: w.Description, Status: w.Status, Visibility: w.Visibility, SignInOrigin: w.SignInOrigin, URL: w.URL,
		AssignmentRequired: new(true), Tags: w.Tags, Assignments: &Principals{},
	}
	edits := p.applicationEdits(fresh, w, &d)
	status := adminapi.ApplicationStatus(w.Status)
	p.add(Step{Action: Create, Kind: "application", Name: w.Name, Details: d, phase: ofApplications, do: func(ctx context.Context, a *apply) error {
		in := &adminapi.CreateApplicationRequest{
			InstanceArn: a.live.Instance, ApplicationProviderArn: w.Provider, Name: w.Name, Description: ptr(w.Description), Status: &status, PortalOptions: w.portal(),
		}
		for _, k := range sortedKeys(w.Tags) {
			in.Tags = append(in.Tags, adminapi.Tag{Key: k, Value: w.Tags[k]})
		}
		out, _, err := apiclient.Ask[adminapi.CreateApplicationResponse](ctx, a.reader.Client, in)
		if err != nil {
			return err
		}
		a.madeApp(w.Name, deref(out.ApplicationArn))
		return a.editApp(ctx, w.Name, edits)
	}})
}

func (w Application) portal() *adminapi.PortalOptions {
	visibility := adminapi.ApplicationVisibility(w.Visibility)
	o := &adminapi.PortalOptions{Visibility: &visibility}
	if w.SignInOrigin != "" {
		o.SignInOptions = &adminapi.SignInOptions{Origin: adminapi.SignInOrigin(w.SignInOrigin), ApplicationUrl: ptr(w.URL)}
	}
	return o
}

func (p *planner) changeApplication(l, w Application) {
	var d differences
	if l.Provider != w.Provider || l.Visibility != w.Visibility {
		p.faults = append(p.faults, fault.Invalidf("Application %s: its ApplicationProviderArn and Visibility cannot be changed.", w.Name))
	}
	edits := p.applicationEdits(l, w, &d)
	if len(d) == 0 {
		return
	}
	p.add(Step{
		Action: Change, Kind: "application", Name: w.Name, Details: d, phase: ofApplications,
		still: func(ctx context.Context, a *apply) (bool, error) {
			return a.sameApplication(ctx, l)
		},
		do: func(ctx context.Context, a *apply) error { return a.editApp(ctx, w.Name, edits) },
	})
}

// sameApplication says whether an application is as it was read.
func (a *apply) sameApplication(ctx context.Context, l Application) (bool, error) {
	arn := a.arnOf(a.live.apps, l.Name)
	out, _, err := apiclient.Ask[adminapi.DescribeApplicationResponse](ctx, a.reader.Client, &adminapi.DescribeApplicationRequest{ApplicationArn: arn})
	if err != nil {
		return false, err
	}
	now, err := a.reader.application(ctx, a.live, adminapi.Application{
		ApplicationArn: &arn, Name: out.Name, ApplicationProviderArn: out.ApplicationProviderArn, Description: out.Description,
		Status: out.Status, PortalOptions: out.PortalOptions,
	})
	if err != nil {
		return false, err
	}
	d, err := normal(Document{Version: Version, Applications: []Application{now}})
	return err == nil && same(d.Applications[0], l), err
}
