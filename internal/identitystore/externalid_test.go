package identitystore

import (
	"testing"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// TestExternalIDsOfTheAPI: it takes those of AWS's pattern, and leaves be what a source has written before.
func TestExternalIDsOfTheAPI(t *testing.T) {
	t.Parallel()
	was := []store.ExternalID{{Issuer: "https://scim.test", ID: "a b"}}
	for value, good := range map[string]bool{
		`[{"Issuer":"https://scim.test","Id":"a b"},{"Issuer":"i","Id":"urn:x/y"}]`: true,
		`[{"Issuer":"https://scim.test","Id":"a c"}]`:                               false,
		`[{"Issuer":"i","Id":"zero\u200bwidth"}]`:                                   false,
		`[{"Issuer":"i"}]`: false,
	} {
		ops := []api.AttributeOperation{{AttributePath: "externalIds", AttributeValue: []byte(value)}}
		_, userErr := editUser(store.User{UserAttrs: store.UserAttrs{ExternalIDs: was}}, ops)
		_, groupErr := editGroup(store.Group{GroupAttrs: store.GroupAttrs{ExternalIDs: was}}, ops)
		for of, err := range map[string]error{"user": userErr, "group": groupErr} {
			if good && err != nil || !good && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %s: %v", of, value, err)
			}
		}
	}
	other := []api.AttributeOperation{{AttributePath: "displayName", AttributeValue: []byte(`"x"`)}}
	if _, err := editGroup(store.Group{GroupAttrs: store.GroupAttrs{ExternalIDs: was}}, other); err != nil {
		t.Error(err)
	}
}
