package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
)

// regions lists the instance's regions, one a page, with their states.
func (w *world) regions() (all []string) {
	w.t.Helper()
	in := &api.ListRegionsRequest{InstanceArn: w.instance, MaxResults: new(int32(1))}
	for {
		out := admintest.Must[api.ListRegionsResponse](w.t, w.World, in)
		for _, r := range out.Regions {
			all = append(all, fmt.Sprint(*r.RegionName, " ", *r.Status, " ", *r.IsPrimaryRegion))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all
		}
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(name string) *api.AddRegionRequest {
		return &api.AddRegionRequest{InstanceArn: w.instance, RegionName: name}
	}
	remove := func(name string) *api.RemoveRegionRequest {
		return &api.RemoveRegionRequest{InstanceArn: w.instance, RegionName: name}
	}
	is := func(want ...string) {
		t.Helper()
		if d := cmp.Diff(append(want, "us-east-1 ACTIVE true"), w.regions()); d != "" {
			t.Error(d)
		}
	}
	is()
	admintest.Fails[api.AddRegionResponse](t, w.World, add("us-east-1"), "ConflictException")
	if s := admintest.Must[api.AddRegionResponse](t, w.World, add("eu-west-1")).Status; *s != api.RegionStatusAdding {
		t.Errorf("the status is %s", *s)
	}
	is("eu-west-1 ADDING false")
	admintest.Fails[api.AddRegionResponse](t, w.World, add("eu-west-2"), "ConflictException") // one at a time
	admintest.Fails[api.RemoveRegionResponse](t, w.World, remove("eu-west-1"), "ConflictException")
	w.Clock.Advance(2 * time.Second)
	is("eu-west-1 ACTIVE false")
	one := admintest.Must[api.DescribeRegionResponse](t, w.World, &api.DescribeRegionRequest{InstanceArn: w.instance, RegionName: "eu-west-1"})
	if *one.Status != api.RegionStatusActive || !one.AddedDate.Equal(w.Clock.Now().Add(-2*time.Second)) {
		t.Errorf("the region is %s since %v", *one.Status, one.AddedDate)
	}
	for n := range 4 {
		admintest.Must[api.AddRegionResponse](t, w.World, add(fmt.Sprintf("ap-north-%d", n)))
		w.Clock.Advance(2 * time.Second)
	}
	admintest.Fails[api.AddRegionResponse](t, w.World, add("eu-west-2"), "ServiceQuotaExceededException")
	for n := range 4 {
		admintest.Must[api.RemoveRegionResponse](t, w.World, remove(fmt.Sprintf("ap-north-%d", n)))
		w.Clock.Advance(2 * time.Second)
	}
	admintest.Must[api.RemoveRegionResponse](t, w.World, remove("eu-west-1"))
	is("eu-west-1 REMOVING false")
	w.Clock.Advance(2 * time.Second)
	is()
	admintest.Fails[api.RemoveRegionResponse](t, w.World, remove("eu-west-1"), "ResourceNotFoundException")
	admintest.Fails[api.DescribeRegionResponse](t, w.World, &api.DescribeRegionRequest{InstanceArn: w.instance, RegionName: "eu-west-1"}, "ResourceNotFoundException")
	admintest.Fails[api.RemoveRegionResponse](t, w.World, remove("us-east-1"), "ConflictException")
	admintest.Must[api.AddRegionResponse](t, w.World, add("eu-west-1")) // again
	is("eu-west-1 ADDING false")
	if n := len(admintest.Must[api.DescribeInstanceResponse](t, w.World, &api.DescribeInstanceRequest{InstanceArn: w.instance}).Regions); n != 2 {
		t.Errorf("DescribeInstance tells of %d regions", n)
	}
}

func TestUpdateInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := func() string {
		return *admintest.Must[api.DescribeInstanceResponse](t, w.World, &api.DescribeInstanceRequest{InstanceArn: w.instance}).Name
	}
	admintest.Must[api.UpdateInstanceResponse](t, w.World, &api.UpdateInstanceRequest{InstanceArn: w.instance, Name: new("renamed")})
	owned := &api.EncryptionConfiguration{KeyType: api.KmsKeyTypeAwsOwnedKmsKey}
	admintest.Must[api.UpdateInstanceResponse](t, w.World, &api.UpdateInstanceRequest{InstanceArn: w.instance, EncryptionConfiguration: owned})
	admintest.Must[api.UpdateInstanceResponse](t, w.World, &api.UpdateInstanceRequest{InstanceArn: w.instance, PermissionSetsEnabled: new(true)})
	for _, in := range []*api.UpdateInstanceRequest{
		{EncryptionConfiguration: owned, PermissionSetsEnabled: new(true)},
		{PermissionSetsEnabled: new(false)},
		{EncryptionConfiguration: &api.EncryptionConfiguration{KeyType: api.KmsKeyTypeCustomerManagedKey, KmsKeyArn: new("arn:aws:kms:us-east-1:999900000001:key/" + strings.Repeat("0", 8) + "-0000-0000-0000-000000000000")}},
	} {
		in.InstanceArn, in.Name = w.instance, new("no")
		admintest.Fails[api.UpdateInstanceResponse](t, w.World, in, "ValidationException")
	}
	if name() != "renamed" {
		t.Errorf("the instance is called %s", name())
	}
}
