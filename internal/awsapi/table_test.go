package awsapi_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/fault"
)

// TestOperationsAreComplete: the published APIs and our own have this many operations, bound in the order of the table, and each answers
// honestly until somebody writes it.
func TestOperationsAreComplete(t *testing.T) {
	t.Parallel()
	checkService(t, &ssoadmin.Info, ssoadmin.Operations(ssoadmin.Service[int](ssoadmin.Unimplemented[int]{})), 79)
	checkService(t, &identitystore.Info, identitystore.Operations(identitystore.Service[int](identitystore.Unimplemented[int]{})), 22)
	checkService(t, &sso.Info, sso.Operations(sso.Service[int](sso.Unimplemented[int]{})), 4)
	checkService(t, &ssooidc.Info, ssooidc.Operations(ssooidc.Service[int](ssooidc.Unimplemented[int]{})), 4)
	checkService(t, &sts.Info, sts.Operations(sts.Service[int](sts.Unimplemented[int]{})), 12)
	checkService(t, &cloudtrail.Info, cloudtrail.Operations(cloudtrail.Service[int](cloudtrail.Unimplemented[int]{})), 48)
	checkService(t, &sallyport.Info, sallyport.Operations(sallyport.Service[int](sallyport.Unimplemented[int]{})), 125)
}

func checkService(t *testing.T, s *awsapi.Service, bound []awsapi.Operation[int], want int) {
	t.Helper()
	if len(s.Operations) != want || len(bound) != want {
		t.Errorf("%s: %d operations, %d bound, want %d", s.ID, len(s.Operations), len(bound), want)
	}
	for i, o := range bound {
		if o.OperationMeta != s.Operations[i] || o.Service != s {
			t.Errorf("%s: %s is bound at the place of %s", s.ID, o.Name, s.Operations[i].Name)
		}
		out, err := o.Invoke(context.Background(), 0, o.NewIn())
		if out != nil || fault.KindOf(err) != fault.Unimplemented || !strings.Contains(err.Error(), o.Name) {
			t.Errorf("%s: %v, %v", o.Name, out, err)
		}
		if _, err := o.Invoke(context.Background(), 0, "wrong"); err == nil || fault.As(err) != nil {
			t.Errorf("%s took a string: %v", o.Name, err)
		}
		for _, x := range o.Errors {
			if !slices.ContainsFunc(s.Exceptions, func(e awsapi.Exception) bool { return e.Name == x }) {
				t.Errorf("%s: %s is not an exception of %s", o.Name, x, s.ID)
			}
		}
	}
}

var action = regexp.MustCompile(`^(sso|identitystore|sso-oauth|sts|cloudtrail|sallyport):[A-Z][A-Za-z]+$`)

// TestAuthorizationRows: each of the 169 published operations and our own 44 has its row, and an operation without an action is one of the few that need
// none. The generator refuses a model that has an operation without a row.
func TestAuthorizationRows(t *testing.T) {
	t.Parallel()
	open := []string{
		"GetRoleCredentials", "ListAccountRoles", "ListAccounts", "Logout", "RegisterClient", "StartDeviceAuthorization", "CreateToken",
		"GetCallerIdentity", "GetSessionToken",
	}
	n := 0
	for _, s := range services {
		for _, o := range s.Operations {
			n++
			if slices.Contains(open, o.Name) {
				if o.Action != "" || len(o.Resources) != 0 {
					t.Errorf("%s has action %q", o.Name, o.Action)
				}
				continue
			}
			if !action.MatchString(o.Action) || !strings.HasSuffix(o.Action, ":"+o.Name) || len(o.Resources) == 0 {
				t.Errorf("%s has action %q and resources %q", o.Name, o.Action, o.Resources)
			}
			checkTemplates(t, o)
		}
	}
	if n != 169+125 {
		t.Errorf("%d operations", n)
	}
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// checkTemplates: a template names members that the input has.
func checkTemplates(t *testing.T, o *awsapi.OperationMeta) {
	t.Helper()
	for _, r := range o.Resources {
		for _, m := range placeholder.FindAllStringSubmatch(r, -1) {
			if m[1] != "Account" && m[1] != "Region" && !hasMember(o.In, strings.Split(strings.TrimSuffix(m[1], "|id"), ".")) {
				t.Errorf("%s: %s has no member", o.Name, r)
			}
		}
	}
}

func hasMember(s *awsapi.Shape, path []string) bool {
	i := slices.IndexFunc(s.Members, func(m awsapi.Member) bool { return m.Name == path[0] })
	return i >= 0 && (len(path) == 1 || hasMember(s.Members[i].Shape, path[1:]))
}

// TestUnsigned: these and no others may come without a signature (wire-protocols §1).
func TestUnsigned(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range services {
		for _, o := range s.Operations {
			if o.Unsigned {
				got = append(got, o.Name)
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "CreateToken", "GetRoleCredentials", "ListAccountRoles", "ListAccounts",
		"Logout", "RegisterClient", "StartDeviceAuthorization",
	}
	if !slices.Equal(got, want) {
		t.Errorf("unsigned: %v", got)
	}
}

// TestSelf: a person may call these for themselves, and no others. None of them names a user: whose records it acts on is the
// caller's to prove.
func TestSelf(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range services {
		for _, o := range s.Operations {
			if !o.Self {
				continue
			}
			got = append(got, o.Name)
			if o.Unsigned || o.Action == "" || hasMember(o.In, []string{"UserId"}) {
				t.Errorf("%s: unsigned %t, action %q, or it names a user", o.Name, o.Unsigned, o.Action)
			}
		}
	}
	want := []string{
		"DeleteMyMfaDevice", "DisownNotice", "EndMyClient", "EndMyOtherSessions", "EndMySession", "ListMyClients", "ListMyMfaDevices",
		"ListMyNotices", "ListMySessions", "RenameMyMfaDevice",
	}
	if !slices.Equal(got, want) {
		t.Errorf("self: %v", got)
	}
}

// TestSallyport holds our own API against the conventions of AWS's: names tell what only reads, lists have pages of at most 100, but
// for one whose rows are short and many.
func TestSallyport(t *testing.T) {
	t.Parallel()
	reads := regexp.MustCompile(`^(List|Get|Describe)`)
	for _, o := range sallyport.Info.Operations {
		if o.ReadOnly != reads.MatchString(o.Name) {
			t.Errorf("%s: read-only is %t", o.Name, o.ReadOnly)
		}
		if strings.HasPrefix(o.Name, "List") != hasMember(o.In, []string{"MaxResults"}) || hasMember(o.In, []string{"NextToken"}) != hasMember(o.Out, []string{"NextToken"}) {
			t.Errorf("%s: not paged as lists are", o.Name)
		}
		for _, m := range o.In.Members {
			most := int64(100)
			if o.Name == "ListAssignments" {
				most = 1000
			}
			if m.Name == "MaxResults" && (m.Shape.Min != 1 || m.Shape.Max != most) {
				t.Errorf("%s: pages of %d to %d", o.Name, m.Shape.Min, m.Shape.Max)
			}
		}
	}
}
