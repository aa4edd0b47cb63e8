package ascode

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

func (r *Reader) readIssuers(ctx context.Context, l *Live) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListTrustedTokenIssuersRequest{InstanceArn: l.Instance, NextToken: next}
		},
		func(out *adminapi.ListTrustedTokenIssuersResponse) ([]adminapi.TrustedTokenIssuerMetadata, *string) {
			return out.TrustedTokenIssuers, out.NextToken
		})
	if err != nil {
		return err
	}
	l.TrustedTokenIssuers = []Issuer{}
	for _, m := range rows { // at most ten
		out, _, err := apiclient.Ask[adminapi.DescribeTrustedTokenIssuerResponse](ctx, r.Client,
			&adminapi.DescribeTrustedTokenIssuerRequest{TrustedTokenIssuerArn: deref(m.TrustedTokenIssuerArn)})
		if err != nil {
			return err
		}
		i := Issuer{Name: deref(out.Name)}
		if c := out.TrustedTokenIssuerConfiguration; c != nil && c.OidcJwtConfiguration != nil {
			o := c.OidcJwtConfiguration
			i.IssuerURL, i.ClaimAttributePath, i.IdentityStoreAttributePath = o.IssuerUrl, o.ClaimAttributePath, o.IdentityStoreAttributePath
			i.JwksRetrievalOption = string(o.JwksRetrievalOption)
		}
		l.issuers[i.Name] = deref(out.TrustedTokenIssuerArn)
		l.TrustedTokenIssuers = append(l.TrustedTokenIssuers, i)
	}
	return nil
}

func (r *Reader) readApplications(ctx context.Context, l *Live) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListApplicationsRequest{InstanceArn: l.Instance, NextToken: next}
		},
		func(out *adminapi.ListApplicationsResponse) ([]adminapi.Application, *string) {
			return out.Applications, out.NextToken
		})
	if err != nil {
		return err
	}
	l.Applications = []Application{}
	var mu sync.Mutex
	return each(ctx, r, "applications", rows, func(ctx context.Context, a adminapi.Application) error {
		app, err := r.application(ctx, l, a)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		l.Applications, l.apps[app.Name] = append(l.Applications, app), deref(a.ApplicationArn)
		return nil
	})
}

// application reads all of one application.
func (r *Reader) application(ctx context.Context, l *Live, a adminapi.Application) (app Application, err error) {
	app = Application{
		Name: deref(a.Name), Provider: deref(a.ApplicationProviderArn), Description: deref(a.Description), Status: string(deref(a.Status)),
		Grants: map[string]any{}, Methods: map[string]any{},
	}
	if o := a.PortalOptions; o != nil {
		app.Visibility = string(deref(o.Visibility))
		if o.SignInOptions != nil {
			app.SignInOrigin, app.URL = string(o.SignInOptions.Origin), deref(o.SignInOptions.ApplicationUrl)
		}
	}
	arn := deref(a.ApplicationArn)
	for _, read := range []func(context.Context, *Live, string, *Application) error{r.appConfig, r.appScopes, r.appRecords, r.appAssignments} {
		if err := read(ctx, l, arn, &app); err != nil {
			return app, err
		}
	}
	app.Tags, err = r.tags(ctx, l, arn)
	return app, err
}

func (r *Reader) appConfig(ctx context.Context, _ *Live, arn string, app *Application) error {
	out, _, err := apiclient.Ask[adminapi.GetApplicationAssignmentConfigurationResponse](ctx, r.Client, &adminapi.GetApplicationAssignmentConfigurationRequest{ApplicationArn: arn})
	if err == nil {
		app.AssignmentRequired = &out.AssignmentRequired
	}
	return err
}

func (r *Reader) appScopes(ctx context.Context, _ *Live, arn string, app *Application) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListApplicationAccessScopesRequest{ApplicationArn: arn, NextToken: next}
		},
		func(out *adminapi.ListApplicationAccessScopesResponse) ([]adminapi.ScopeDetails, *string) {
			return out.Scopes, out.NextToken
		})
	for _, s := range rows {
		app.Scopes = append(app.Scopes, Scope{s.Scope, s.AuthorizedTargets})
	}
	return err
}

// appRecords reads grants and authentication methods as they came: their forms are many, and nothing of them is interpreted here
// but the ARNs of issuers, which are written as names.
func (r *Reader) appRecords(ctx context.Context, l *Live, arn string, app *Application) error {
	for next := (*string)(nil); ; {
		out, raw, err := apiclient.Ask[adminapi.ListApplicationGrantsResponse](ctx, r.Client, &adminapi.ListApplicationGrantsRequest{ApplicationArn: arn, NextToken: next})
		if err != nil {
			return err
		}
		var rows struct {
			Grants []struct {
				GrantType string
				Grant     any
			}
		}
		if err := json.Unmarshal(raw, &rows); err != nil {
			return fmt.Errorf("read grants: %w", err)
		}
		for _, g := range rows.Grants {
			app.Grants[g.GrantType] = renamed(g.Grant, swapped(l.issuers))
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	_, raw, err := apiclient.Ask[adminapi.ListApplicationAuthenticationMethodsResponse](ctx, r.Client, &adminapi.ListApplicationAuthenticationMethodsRequest{ApplicationArn: arn})
	if err != nil {
		return err
	}
	var rows struct {
		AuthenticationMethods []struct {
			AuthenticationMethodType string
			AuthenticationMethod     any
		}
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return fmt.Errorf("read authentication methods: %w", err)
	}
	for _, m := range rows.AuthenticationMethods {
		app.Methods[m.AuthenticationMethodType] = m.AuthenticationMethod
	}
	return nil
}

// renamed has other words where a string is one of names.
func renamed(v any, names map[string]string) any {
	switch v := v.(type) {
	case string:
		if name, ok := names[v]; ok {
			return name
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = renamed(v[i], names)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = renamed(v[k], names)
		}
		return out
	}
	return v
}

func swapped(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

func (r *Reader) appAssignments(ctx context.Context, l *Live, arn string, app *Application) error {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListApplicationAssignmentsRequest{ApplicationArn: arn, NextToken: next}
		},
		func(out *adminapi.ListApplicationAssignmentsResponse) ([]adminapi.ApplicationAssignment, *string) {
			return out.ApplicationAssignments, out.NextToken
		})
	app.Assignments = &Principals{Groups: []string{}, Users: []string{}}
	for _, a := range rows {
		name := l.nameOf(a.PrincipalId)
		if a.PrincipalType == adminapi.PrincipalTypeGroup {
			app.Assignments.Groups = append(app.Assignments.Groups, name)
		} else {
			app.Assignments.Users = append(app.Assignments.Users, name)
		}
	}
	return err
}

// tags are a resource's.
func (r *Reader) tags(ctx context.Context, l *Live, arn string) (map[string]string, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &adminapi.ListTagsForResourceRequest{InstanceArn: &l.Instance, ResourceArn: arn, NextToken: next}
		},
		func(out *adminapi.ListTagsForResourceResponse) ([]adminapi.Tag, *string) {
			return out.Tags, out.NextToken
		})
	out := map[string]string{}
	for _, t := range rows {
		out[t.Key] = t.Value
	}
	return out, err
}
