package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/sso/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	oidctypes "github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// config is an SDK configuration for the server, without credentials.
func (s *server) config() aws.Config {
	return aws.Config{Region: s.Region, BaseEndpoint: aws.String(s.Endpoint)}
}

// operatorConfig is an SDK configuration with the operator's keys.
func (s *server) operatorConfig() aws.Config {
	c := s.config()
	c.Credentials = credentials.NewStaticCredentialsProvider(s.Operator.AccessKeyID, s.Operator.SecretAccessKey, "")
	return c
}

// want fails the test unless err is, or wraps, an exception of type E.
func want[E error](tb testing.TB, err error) E {
	tb.Helper()
	var exception E
	if !errors.As(err, &exception) {
		tb.Fatalf("got %v, want %T", err, exception)
	}
	return exception
}

// TestSDKDeviceFlow: the AWS SDK for Go signs in by device code and uses what it is given.
func TestSDKDeviceFlow(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := startDev(t)
	s.runSample(s.operator())
	oidc, portal := ssooidc.NewFromConfig(s.config()), sso.NewFromConfig(s.config())

	client, err := oidc.RegisterClient(ctx, &ssooidc.RegisterClientInput{
		ClientName: aws.String("e2e"), ClientType: aws.String("public"), Scopes: []string{"sso:account:access"},
	})
	if err != nil {
		t.Fatal(err)
	}
	device, err := oidc.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: client.ClientId, ClientSecret: client.ClientSecret, StartUrl: aws.String(s.StartURL),
	})
	if err != nil {
		t.Fatal(err)
	}
	poll := &ssooidc.CreateTokenInput{
		ClientId: client.ClientId, ClientSecret: client.ClientSecret, DeviceCode: device.DeviceCode,
		GrantType: aws.String("urn:ietf:params:oauth:grant-type:device_code"),
	}
	for range 2 { // the AWS CLI polls twice at once, and neither may be slowed down
		_, err = oidc.CreateToken(ctx, poll)
		want[*oidctypes.AuthorizationPendingException](t, err)
	}
	_, err = oidc.CreateToken(ctx, poll)
	want[*oidctypes.SlowDownException](t, err)

	b := newBrowser(t)
	b.open(*device.VerificationUriComplete)
	b.consent(s.member(t, sampleGroup))
	b.press(approve)
	every := time.Duration(device.Interval) * time.Second
	token, err := pollUnhurried(ctx, oidc, poll, every)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pollUnhurried(ctx, oidc, poll, every)
	want[*oidctypes.InvalidGrantException](t, err) // a code works once

	s.useToken(token.AccessToken)
	if _, err := portal.Logout(ctx, &sso.LogoutInput{AccessToken: token.AccessToken}); err != nil {
		t.Fatal(err)
	}
	_, err = portal.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: token.AccessToken})
	want[*ssotypes.UnauthorizedException](t, err)
}

// pollUnhurried asks for a token until it gets another answer than to slow down, which it obeys (RFC 8628 §3.5).
func pollUnhurried(ctx context.Context, oidc *ssooidc.Client, in *ssooidc.CreateTokenInput, every time.Duration) (*ssooidc.CreateTokenOutput, error) {
	for {
		out, err := oidc.CreateToken(ctx, in)
		if slower := (*oidctypes.SlowDownException)(nil); !errors.As(err, &slower) {
			return out, err
		}
		every += 5 * time.Second
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(every):
		}
	}
}

// useToken finds the sample's role with a portal token, and takes and uses its credentials.
func (s *server) useToken(token *string) {
	s.tb.Helper()
	ctx := s.tb.Context()
	portal := sso.NewFromConfig(s.config())
	var roles []string
	accounts := sso.NewListAccountsPaginator(portal, &sso.ListAccountsInput{AccessToken: token, MaxResults: aws.Int32(1)})
	for accounts.HasMorePages() {
		page, err := accounts.NextPage(ctx)
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, account := range page.AccountList {
			list, err := portal.ListAccountRoles(ctx, &sso.ListAccountRolesInput{AccessToken: token, AccountId: account.AccountId})
			if err != nil {
				s.tb.Fatal(err)
			}
			for _, role := range list.RoleList {
				roles = append(roles, *account.AccountId+"/"+*role.RoleName)
			}
		}
	}
	if len(roles) != 1 || roles[0] != sampleAccount+"/"+sampleRole {
		s.tb.Fatalf("roles: %q", roles)
	}
	got, err := portal.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{
		AccessToken: token, AccountId: aws.String(sampleAccount), RoleName: aws.String(sampleRole),
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	c := s.config()
	keys := got.RoleCredentials
	c.Credentials = credentials.NewStaticCredentialsProvider(*keys.AccessKeyId, *keys.SecretAccessKey, *keys.SessionToken)
	who, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		s.tb.Fatal(err)
	}
	if *who.Account != sampleAccount {
		s.tb.Errorf("credentials are of account %s", *who.Account)
	}
	_, err = ssoadmin.NewFromConfig(c).CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{
		InstanceArn: aws.String(sampleInstance), Name: aws.String("Mine"),
	})
	want[*admintypes.AccessDeniedException](s.tb, err)
}

// TestSDKPagesAndErrors: the SDK's paginators see every record once, and its typed errors say what went wrong.
func TestSDKPagesAndErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := startDev(t)
	admin, people := ssoadmin.NewFromConfig(s.operatorConfig()), identitystore.NewFromConfig(s.operatorConfig())

	made := map[string]int{}
	for _, name := range []string{"One", "Two", "Three", "Four", "Five"} {
		made[s.permissionSet(admin, name)] = 0
	}
	sets := ssoadmin.NewListPermissionSetsPaginator(admin, &ssoadmin.ListPermissionSetsInput{InstanceArn: &s.InstanceARN, MaxResults: aws.Int32(2)})
	for sets.HasMorePages() {
		page, err := sets.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, arn := range page.PermissionSets {
			made[arn]++
		}
	}
	for arn, times := range made {
		if times != 1 {
			t.Errorf("%s listed %d times", arn, times)
		}
	}
	users := identitystore.NewListUsersPaginator(people, &identitystore.ListUsersInput{IdentityStoreId: &s.IdentityStoreID, MaxResults: aws.Int32(1)})
	seen := map[string]bool{}
	for users.HasMorePages() {
		page, err := users.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range page.Users {
			seen[*user.UserName] = true
		}
	}
	if len(seen) != len(s.Users) {
		t.Errorf("pages show %d users of %d", len(seen), len(s.Users))
	}

	_, err := admin.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: &s.InstanceARN, Name: aws.String("One")})
	want[*admintypes.ConflictException](t, err)
	_, err = admin.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: &s.InstanceARN, Name: aws.String("not a name")})
	want[*admintypes.ValidationException](t, err)
	_, err = admin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{
		InstanceArn: &s.InstanceARN, PermissionSetArn: aws.String("arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-0000000000000000"),
	})
	want[*admintypes.ResourceNotFoundException](t, err)
	_, err = people.CreateUser(ctx, &identitystore.CreateUserInput{
		IdentityStoreId: &s.IdentityStoreID, UserName: &s.Users[0].UserName, DisplayName: aws.String("Double"),
		Name: &identitytypes.Name{GivenName: aws.String("Double"), FamilyName: aws.String("Ganger")},
	})
	if conflict := want[*identitytypes.ConflictException](t, err); conflict.Reason != identitytypes.ConflictExceptionReasonUniquenessConstraintViolation {
		t.Errorf("conflict for reason %q", conflict.Reason)
	}
}

// permissionSet makes a permission set and returns its ARN.
func (s *server) permissionSet(admin *ssoadmin.Client, name string) string {
	s.tb.Helper()
	out, err := admin.CreatePermissionSet(s.tb.Context(), &ssoadmin.CreatePermissionSetInput{InstanceArn: &s.InstanceARN, Name: &name})
	if err != nil {
		s.tb.Fatal(err)
	}
	return *out.PermissionSet.PermissionSetArn
}
