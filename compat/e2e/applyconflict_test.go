package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedoc "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"sallyport/internal/apiclient"
	"sallyport/internal/ascode"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// TestApplyConflict: a plan that was made stops at what somebody else has changed since, and leaves that as it is.
func TestApplyConflict(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	ctx, admin, directory := t.Context(), ssoadmin.NewFromConfig(s.operatorConfig()), identitystore.NewFromConfig(s.operatorConfig())
	s.cli("apply", "--yes", "-f", s.write("first.yaml", wanted(s, "ReadOnlyAccess")))
	reader := &ascode.Reader{
		Client: apiclient.At(s.Endpoint, s.Region, sigv4.Credentials{AccessKeyID: s.Operator.AccessKeyID, SecretAccessKey: s.Operator.SecretAccessKey}),
		Source: ascode.Sallyport{}, WithUsers: true,
	}
	sets := map[string]string{}
	list, err := admin.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: &s.InstanceARN})
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range list.PermissionSets {
		out, err := admin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: &s.InstanceARN, PermissionSetArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		sets[*out.PermissionSet.Name] = arn
	}
	group := func(name string) *string {
		out, err := directory.GetGroupId(ctx, &identitystore.GetGroupIdInput{IdentityStoreId: &s.IdentityStoreID, AlternateIdentifier: &storetypes.AlternateIdentifierMemberUniqueAttribute{
			Value: storetypes.UniqueAttribute{AttributePath: aws.String("displayName"), AttributeValue: value(name)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return out.GroupId
	}
	for name, test := range map[string]struct {
		from, to string
		meddle   func() error
	}{
		"permission set": {"Description: number 3\n", "Description: another\n", func() error {
			_, err := admin.UpdatePermissionSet(ctx, &ssoadmin.UpdatePermissionSetInput{InstanceArn: &s.InstanceARN, PermissionSetArn: aws.String(sets["Set03"]), SessionDuration: aws.String("PT7H"), Description: aws.String("number 3")})
			return err
		}},
		"its policy": {"Description: number 4\n", "Description: another\n", func() error {
			_, err := admin.DeleteInlinePolicyFromPermissionSet(ctx, &ssoadmin.DeleteInlinePolicyFromPermissionSetInput{InstanceArn: &s.InstanceARN, PermissionSetArn: aws.String(sets["Set04"])})
			return err
		}},
		"group": {"Description: group 5\n", "Description: another\n", func() error {
			_, err := directory.UpdateGroup(ctx, &identitystore.UpdateGroupInput{IdentityStoreId: &s.IdentityStoreID, GroupId: group("g05"), Operations: []storetypes.AttributeOperation{{
				AttributePath: aws.String("description"), AttributeValue: value("theirs"),
			}}})
			return err
		}},
		"setting": {"Version: 1\n", "Version: 1\nSettings: {session.idle: 20m}\n", func() error { s.cli("settings", "set", "session.idle", "40m"); return nil }},
	} {
		want, err := ascode.Parse(strings.NewReader(strings.Replace(wanted(s, "ReadOnlyAccess"), test.from, test.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		live, err := reader.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := ascode.New(live, want)
		if err != nil || len(plan.Steps) == 0 {
			t.Fatalf("%s: %d steps, %v", name, len(plan.Steps), err)
		}
		if err := test.meddle(); err != nil {
			t.Fatal(err)
		}
		before := s.exported()
		if err := plan.Apply(ctx, reader); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "changed elsewhere") {
			t.Errorf("%s: applied with %v", name, err)
		}
		if after := s.exported(); len(plan.Steps) == 1 && after != before {
			t.Errorf("%s: what somebody else did was changed", name)
		}
	}
}

func value(v any) storedoc.Interface { return storedoc.NewLazyDocument(v) }
