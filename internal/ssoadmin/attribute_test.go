package ssoadmin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

// attributes makes a configuration of pairs of key and source.
func attributes(pairs ...string) (c api.InstanceAccessControlAttributeConfiguration) {
	c.AccessControlAttributes = []api.AccessControlAttribute{}
	for i := 0; i < len(pairs); i += 2 {
		c.AccessControlAttributes = append(c.AccessControlAttributes, api.AccessControlAttribute{
			Key: pairs[i], Value: api.AccessControlAttributeValue{Source: []string{pairs[i+1]}},
		})
	}
	return c
}

func TestAccessControlAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := &api.CreateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: attributes("cost", "${path:enterprise.costCenter}", "Who", "${path:userName}")}
	update := &api.UpdateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: attributes()}
	describe := &api.DescribeInstanceAccessControlAttributeConfigurationRequest{InstanceArn: w.instance}
	remove := &api.DeleteInstanceAccessControlAttributeConfigurationRequest{InstanceArn: w.instance}
	shown := func(want api.InstanceAccessControlAttributeConfiguration) {
		t.Helper()
		got := admintest.Must[api.DescribeInstanceAccessControlAttributeConfigurationResponse](t, w.World, describe)
		if d := cmp.Diff(&want, got.InstanceAccessControlAttributeConfiguration); d != "" || *got.Status != api.InstanceAccessControlAttributeConfigurationStatusEnabled {
			t.Errorf("%s:\n%s", *got.Status, d)
		}
	}
	admintest.Fails[api.DescribeInstanceAccessControlAttributeConfigurationResponse](t, w.World, describe, "ResourceNotFoundException")
	admintest.Fails[api.UpdateInstanceAccessControlAttributeConfigurationResponse](t, w.World, update, "ResourceNotFoundException")
	admintest.Fails[api.DeleteInstanceAccessControlAttributeConfigurationResponse](t, w.World, remove, "ResourceNotFoundException")
	admintest.Must[api.CreateInstanceAccessControlAttributeConfigurationResponse](t, w.World, create)
	shown(create.InstanceAccessControlAttributeConfiguration)
	admintest.Fails[api.CreateInstanceAccessControlAttributeConfigurationResponse](t, w.World, create, "ConflictException")
	admintest.Must[api.UpdateInstanceAccessControlAttributeConfigurationResponse](t, w.World, update)
	shown(attributes())
	for name, bad := range map[string]api.InstanceAccessControlAttributeConfiguration{
		"twice": attributes("a", "${path:userName}", "A", "${path:title}"), "AWS's": attributes("aws:x", "${path:userName}"),
		"unknown path": attributes("a", "${path:shoeSize}"), "no path": attributes("a", "userName"), "open": attributes("a", "${path:userName"),
	} {
		update.InstanceAccessControlAttributeConfiguration = bad
		e := admintest.Fails[api.UpdateInstanceAccessControlAttributeConfigurationResponse](t, w.World, update, "ValidationException")
		if e.Message == "" {
			t.Errorf("%s: no message", name)
		}
	}
	admintest.Must[api.DeleteInstanceAccessControlAttributeConfigurationResponse](t, w.World, remove)
	admintest.Fails[api.DescribeInstanceAccessControlAttributeConfigurationResponse](t, w.World, describe, "ResourceNotFoundException")
}

// TestSessionTags: attributes that a person has become tags, others do not, and one that can't be a tag lets nobody in.
func TestSessionTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tags := func() (tags map[string]string, err error) {
		w.View(t, func(tx *store.Tx) error { tags, err = access.SessionTags(tx, w.Instance.ID, w.user); return nil })
		return tags, err
	}
	if got, err := tags(); err != nil || got != nil {
		t.Errorf("without a configuration: %v, %v", got, err)
	}
	admintest.Must[api.CreateInstanceAccessControlAttributeConfigurationResponse](t, w.World, &api.CreateInstanceAccessControlAttributeConfigurationRequest{
		InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: attributes(
			"cost", "${path:enterprise.costCenter}", "who", "${path:userName}", "mail", "${path:emails[primary eq true].value}",
			"city", `${path:addresses[type eq "work"].locality}`, "boss", "${path:enterprise.manager.value}", "title", "${path:title}", "ad", "${dir:department}"),
	})
	set := func(path, value string) {
		t.Helper()
		admintest.Must[directoryapi.UpdateUserResponse](t, w.World, &directoryapi.UpdateUserRequest{
			IdentityStoreId: string(w.Instance.StoreID), UserId: w.user,
			Operations: []directoryapi.AttributeOperation{{AttributePath: path, AttributeValue: []byte(value)}},
		})
	}
	set("emails", `[{"Value":"ana@example.test","Primary":true,"Type":"work"}]`)
	set("addresses", `[{"Type":"work","Locality":"São Paulo"}]`)
	set("aws:identitystore:enterprise", `{"costCenter":"4711","manager":{"value":"boss-1"}}`)
	want := map[string]string{"cost": "4711", "who": "ana", "mail": "ana@example.test", "city": "São Paulo", "boss": "boss-1"}
	got, err := tags()
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for _, bad := range []string{`"a*b"`, `"` + strings.Repeat("x", 257) + `"`} {
		set("title", bad)
		if got, err := tags(); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "title") {
			t.Errorf("title %s gives %v, %v", bad, got, err)
		}
	}
}
