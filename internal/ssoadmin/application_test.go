package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
)

func (w *world) application(name string) string {
	w.t.Helper()
	return *admintest.Must[api.CreateApplicationResponse](w.t, w.World, w.newApplication(name)).ApplicationArn
}

func (w *world) newApplication(name string) *api.CreateApplicationRequest {
	return &api.CreateApplicationRequest{InstanceArn: w.instance, ApplicationProviderArn: application.CustomProvider, Name: name}
}

func (w *world) describe(app string) *api.DescribeApplicationResponse {
	w.t.Helper()
	return admintest.Must[api.DescribeApplicationResponse](w.t, w.World, &api.DescribeApplicationRequest{ApplicationArn: app})
}

func TestApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.newApplication("Wiki")
	in.Description, in.Tags = new("Where we write"), []api.Tag{{Key: "team", Value: "docs"}}
	in.PortalOptions = &api.PortalOptions{
		Visibility:    new(api.ApplicationVisibilityDisabled),
		SignInOptions: &api.SignInOptions{Origin: api.SignInOriginApplication, ApplicationUrl: new("https://wiki.example.test/")},
	}
	app := *admintest.Must[api.CreateApplicationResponse](t, w.World, in).ApplicationArn
	want := &api.DescribeApplicationResponse{
		ApplicationAccount: new(string(admintest.Management)), ApplicationArn: &app, ApplicationProviderArn: &in.ApplicationProviderArn,
		CreatedFrom: new("us-east-1"), Description: in.Description, IdentityStoreArn: new("arn:aws:identitystore::999900000001:identitystore/d-1234567890"),
		InstanceArn: &w.instance, Name: &in.Name, PortalOptions: in.PortalOptions, Status: new(api.ApplicationStatusEnabled),
	}
	same := func() {
		t.Helper()
		if d := cmp.Diff(want, w.describe(app), cmpopts.IgnoreFields(api.DescribeApplicationResponse{}, "CreatedDate")); d != "" {
			t.Error(d)
		}
	}
	same()
	admintest.Must[api.UpdateApplicationResponse](t, w.World, &api.UpdateApplicationRequest{ApplicationArn: app, Name: new("Book"), Status: new(api.ApplicationStatusDisabled)})
	want.Name, want.Status = new("Book"), new(api.ApplicationStatusDisabled)
	same()
	noURL := &api.UpdateApplicationPortalOptions{SignInOptions: &api.SignInOptions{Origin: api.SignInOriginApplication}}
	admintest.Fails[api.UpdateApplicationResponse](t, w.World, &api.UpdateApplicationRequest{ApplicationArn: app, PortalOptions: noURL}, "ValidationException")
	if d := cmp.Diff(in.Tags, w.tags(app)); d != "" {
		t.Error(d)
	}
	admintest.Must[api.DeleteApplicationResponse](t, w.World, &api.DeleteApplicationRequest{ApplicationArn: app})
	admintest.Fails[api.DescribeApplicationResponse](t, w.World, &api.DescribeApplicationRequest{ApplicationArn: app}, "ResourceNotFoundException")
	admintest.Fails[api.DeleteApplicationResponse](t, w.World, &api.DeleteApplicationRequest{ApplicationArn: app}, "ResourceNotFoundException")
}

func TestApplicationsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.newApplication("SAML")
	in.ApplicationProviderArn += "-saml"
	if e := admintest.Fails[api.CreateApplicationResponse](t, w.World, in, "ValidationException"); !strings.HasPrefix(e.Message, "The application provider with arn "+in.ApplicationProviderArn+" is not supported for this action") {
		t.Errorf("the message is %q", e.Message)
	}
	in.ApplicationProviderArn += "-other"
	admintest.Fails[api.CreateApplicationResponse](t, w.World, in, "ResourceNotFoundException")
	app := w.application("One")
	elsewhere := strings.Replace(app, "999900000001", "111122223333", 1)
	admintest.Fails[api.DescribeApplicationResponse](t, w.World, &api.DescribeApplicationRequest{ApplicationArn: elsewhere}, "ResourceNotFoundException")
}

// TestClientToken: asking again is not doing again.
func TestClientToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.newApplication("Once")
	in.ClientToken = new("token-1")
	first := *admintest.Must[api.CreateApplicationResponse](t, w.World, in).ApplicationArn
	if again := *admintest.Must[api.CreateApplicationResponse](t, w.World, in).ApplicationArn; again != first {
		t.Errorf("again it is %s, first %s", again, first)
	}
	in.Name = "Other"
	admintest.Fails[api.CreateApplicationResponse](t, w.World, in, "ConflictException")
	in.ClientToken = new("token-2")
	if other := *admintest.Must[api.CreateApplicationResponse](t, w.World, in).ApplicationArn; other == first {
		t.Error("another token made nothing")
	}
	if n := len(w.applications("", "", 100)); n != 2 {
		t.Errorf("%d applications, want 2", n)
	}
	in.Name = "Other" // of another account, the token is another
	if of := *admintest.Must[api.CreateApplicationResponse](t, w.As(admintest.Delegate), in).ApplicationArn; !strings.Contains(of, string(admintest.Delegate)) {
		t.Errorf("the delegate's is %s", of)
	}
}

func (w *world) applications(account, provider string, size int32) (names []string) {
	w.t.Helper()
	in := &api.ListApplicationsRequest{InstanceArn: w.instance, MaxResults: &size, Filter: &api.ListApplicationsFilter{}}
	if account != "" {
		in.Filter.ApplicationAccount = &account
	}
	if provider != "" {
		in.Filter.ApplicationProvider = &provider
	}
	for {
		out := admintest.Must[api.ListApplicationsResponse](w.t, w.World, in)
		for _, a := range out.Applications {
			names = append(names, *a.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return names
		}
	}
}

func TestListApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 7 {
		w.application(fmt.Sprintf("App%d", n))
	}
	admintest.Must[api.CreateApplicationResponse](t, w.As(admintest.Delegate), w.newApplication("Theirs"))
	for _, c := range []struct {
		account, provider string
		want              int
	}{{"", "", 8}, {string(admintest.Delegate), "", 1}, {string(admintest.Management), application.CustomProvider, 7}, {"", application.CustomProvider + "-saml", 0}} {
		for _, size := range []int32{2, 100} {
			if got := w.applications(c.account, c.provider, size); len(got) != c.want {
				t.Errorf("%v in pages of %d: %v", c, size, got)
			}
		}
	}
	providers := admintest.Must[api.ListApplicationProvidersResponse](t, w.World, &api.ListApplicationProvidersRequest{MaxResults: new(int32(1))})
	if len(providers.ApplicationProviders) != 1 || providers.NextToken == nil {
		t.Errorf("a page of one provider: %+v", providers)
	}
	p := providers.ApplicationProviders[0]
	one := admintest.Must[api.DescribeApplicationProviderResponse](t, w.World, &api.DescribeApplicationProviderRequest{ApplicationProviderArn: p.ApplicationProviderArn})
	if d := cmp.Diff(p.DisplayData, one.DisplayData); d != "" {
		t.Error(d)
	}
	admintest.Fails[api.DescribeApplicationProviderResponse](t, w.World, &api.DescribeApplicationProviderRequest{ApplicationProviderArn: application.CustomProvider + "-x"}, "ResourceNotFoundException")
}
