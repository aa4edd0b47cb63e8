package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

func (w *world) tags(resource string) (all []api.Tag) {
	w.t.Helper()
	return admintest.Must[api.ListTagsForResourceResponse](w.t, w.World, &api.ListTagsForResourceRequest{ResourceArn: resource}).Tags
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := admintest.Must[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{
		InstanceArn: w.instance, Name: "Tagged", Tags: []api.Tag{{Key: "team", Value: "a"}, {Key: "Env", Value: ""}},
	})
	set := *made.PermissionSet.PermissionSetArn
	admintest.Must[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: set, InstanceArn: &w.instance, Tags: []api.Tag{{Key: "team", Value: "b"}, {Key: "env", Value: "c"}}})
	want := []api.Tag{{Key: "Env", Value: ""}, {Key: "env", Value: "c"}, {Key: "team", Value: "b"}}
	if d := cmp.Diff(want, w.tags(set)); d != "" {
		t.Error(d)
	}
	admintest.Must[api.UntagResourceResponse](t, w.World, &api.UntagResourceRequest{ResourceArn: set, TagKeys: []string{"env", "absent"}})
	if d := cmp.Diff([]api.Tag{want[0], want[2]}, w.tags(set)); d != "" {
		t.Error(d)
	}
	admintest.Must[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: w.instance, Tags: want[:1]})
	if d := cmp.Diff(want[:1], w.tags(w.instance)); d != "" {
		t.Error(d)
	}
	admintest.Must[api.DeletePermissionSetResponse](t, w.World, &api.DeletePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set})
	w.View(t, func(tx *store.Tx) error {
		if all, _, err := tx.Tags(set, pageOf(10)); err != nil || len(all) != 0 {
			t.Errorf("tags stay behind: %v, %v", all, err)
		}
		return nil
	})
}

func TestTagsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Tagged")
	other := "arn:aws:sso:::instance/ssoins-0000000000000000"
	for name, c := range map[string]struct {
		in   api.TagResourceRequest
		code string
	}{
		"twice":          {api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "a"}, {Key: "a"}}}, "ValidationException"},
		"kept for AWS":   {api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "AWS:x"}}}, "ValidationException"},
		"other instance": {api.TagResourceRequest{ResourceArn: set, InstanceArn: &other, Tags: []api.Tag{{Key: "a"}}}, "ValidationException"},
		"no such set":    {api.TagResourceRequest{ResourceArn: set[:len(set)-16] + "0000000000000000", Tags: []api.Tag{{Key: "a"}}}, "ResourceNotFoundException"},
		"no such thing":  {api.TagResourceRequest{ResourceArn: "arn:aws:sso::999900000001:application/ssoins-1234567890abcdef/apl-0000000000000000", Tags: []api.Tag{{Key: "a"}}}, "ResourceNotFoundException"},
		"too many":       {api.TagResourceRequest{ResourceArn: set, Tags: manyTags(51)}, "ServiceQuotaExceededException"},
	} {
		t.Run(name, func(t *testing.T) {
			admintest.Fails[api.TagResourceResponse](t, w.World, &c.in, c.code)
		})
	}
	admintest.Must[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: set, Tags: manyTags(50)})
	admintest.Fails[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "one more"}}}, "ServiceQuotaExceededException")
	admintest.Fails[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Half", Tags: manyTags(51)}, "ServiceQuotaExceededException")
	w.set("Half") // nothing stayed of the one that failed
}

func manyTags(n int) (tags []api.Tag) {
	for i := range n {
		tags = append(tags, api.Tag{Key: fmt.Sprintf("k%02d", i)})
	}
	return tags
}

// TestTagConditions: what a policy says of tags holds for the resource's and for the request's.
func TestTagConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := admintest.Must[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Mine", Tags: []api.Tag{{Key: "Team", Value: "blue"}}})
	set, others := *mine.PermissionSet.PermissionSetArn, w.set("Others")
	w.limit(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Effect":"Deny","Action":"sso:UpdatePermissionSet","Resource":"arn:aws:sso:::permissionSet/*","Condition":{"StringNotEquals":{"aws:ResourceTag/team":"blue"}}},
		{"Effect":"Deny","Action":["sso:CreatePermissionSet"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestTag/Team":"blue"}}},
		{"Effect":"Deny","Action":"sso:DeletePermissionSet","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"blue"}}},
		{"Effect":"Deny","Action":["sso:TagResource","sso:UntagResource"],"Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"Team"}}}]}`)
	update := func(set string) *api.UpdatePermissionSetRequest {
		return &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, Description: new("x")}
	}
	admintest.Must[api.UpdatePermissionSetResponse](t, w.World, update(set))
	elsewhere := strings.Replace(others, "arn:aws:", "arn:aws-cn:", 1) // as clients of other partitions write it
	admintest.Fails[api.UpdatePermissionSetResponse](t, w.World, update(elsewhere), "AccessDeniedException")
	admintest.Fails[api.UpdatePermissionSetResponse](t, w.World, update(others), "AccessDeniedException")
	for _, arn := range []string{set, strings.Replace(set, "arn:aws:", "arn:aws-cn:", 1)} {
		admintest.Fails[api.DeletePermissionSetResponse](t, w.World, &api.DeletePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: arn}, "AccessDeniedException")
	}
	admintest.Must[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "More", Tags: []api.Tag{{Key: "team", Value: "blue"}}})
	for _, tags := range [][]api.Tag{nil, {{Key: "Team", Value: "red"}}} {
		admintest.Fails[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "No", Tags: tags}, "AccessDeniedException")
	}
	admintest.Must[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "Other", Value: "x"}}})
	admintest.Fails[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "Team", Value: "x"}}}, "AccessDeniedException")
	admintest.Fails[api.UntagResourceResponse](t, w.World, &api.UntagResourceRequest{ResourceArn: set, TagKeys: []string{"Team"}}, "AccessDeniedException")
}
