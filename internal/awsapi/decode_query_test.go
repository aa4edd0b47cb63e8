package awsapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi/sts"
	"sallyport/internal/fault"
)

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	op := operation(t, &sts.Info, "AssumeRole")
	const common = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=s1"
	role := "arn:aws:iam::123456789012:role/r"
	seconds, policy := int32(900), "arn:aws:iam::aws:policy/ReadOnlyAccess"
	for _, c := range []struct {
		form string
		want sts.AssumeRoleRequest
	}{
		{"", sts.AssumeRoleRequest{}},
		{"&DurationSeconds=900&Tags=", sts.AssumeRoleRequest{DurationSeconds: &seconds, Tags: []sts.Tag{}}},
		{
			"&Tags.member.10.Key=c&Tags.member.10.Value=3&Tags.member.2.Value=2&Tags.member.2.Key=b",
			sts.AssumeRoleRequest{Tags: []sts.Tag{{Key: "b", Value: "2"}, {Key: "c", Value: "3"}}},
		},
		{
			"&PolicyArns.member.1.arn=" + policy + "&TransitiveTagKeys.member.1=k",
			sts.AssumeRoleRequest{PolicyArns: []sts.PolicyDescriptorType{{Arn: &policy}}, TransitiveTagKeys: []string{"k"}},
		},
	} {
		c.want.RoleArn, c.want.RoleSessionName = role, "s1"
		in, err := sts.Info.DecodeRequest(op, httptest.NewRequest("POST", "/", nil), []byte(common+c.form))
		if diff := cmp.Diff(any(&c.want), in); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.form, err, diff)
		}
	}
	for _, form := range []string{
		"&DurationSeconds=x", "&DurationSeconds=1e3", "&Tags.member.x.Key=k", "&Tags.member.01.Key=k", "&Tags.member.0.Key=k",
		"&Tags.member.1=k", "&Tags.1.Key=k", "&Tags=x", "&Tags=&Tags.member.1.Key=k", "&RoleSessionName=s2", "&RoleSessionName.x=1", "&SourceIdentity=%ff",
		"&a%zz=1", "&" + strings.Repeat("a.", 100) + "a=1", strings.Repeat("&a", 20001),
	} {
		if in, err := sts.Info.DecodeRequest(op, httptest.NewRequest("POST", "/", nil), []byte(common+form)); in != nil || fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v, %v", form, in, err)
		}
	}
}

// TestPresignedGet: STS takes GetCallerIdentity in a URL, with the signature's parameters beside it.
func TestPresignedGet(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=x", nil)
	name, err := sts.Info.OperationName(r, nil)
	if err != nil || name != "GetCallerIdentity" {
		t.Fatalf("%q, %v", name, err)
	}
	if _, err := sts.Info.DecodeRequest(operation(t, &sts.Info, name), r, nil); err != nil {
		t.Error(err)
	}
}
