package e2e

import (
	"fmt"
	"slices"
	"strings"

	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// peopleRows are about users.
var peopleRows = []behaviour{
	{
		what: "create a user without a name", aws: "ValidationException",
		source: "API Reference, CreateUser: required by Identity Center", run: func(w *realm) string {
			return w.call("CreateUser", w.person(with{"Name": nil})).code()
		},
	},
	{
		what: "a user with two mail addresses", aws: "ValidationException",
		source: "model, Emails", run: func(w *realm) string {
			return w.call("CreateUser", w.person(with{"Emails": []with{{"Value": "a@example.org"}, {"Value": "b@example.org"}}})).code()
		},
	},
	{
		what: "a user name of 129 characters", aws: "ValidationException",
		source: "model, UserName", run: func(w *realm) string {
			return w.call("CreateUser", w.person(with{"UserName": strings.Repeat("u", 129)})).code()
		},
	},
	{
		what: "CreateUser answers an ARN and a revision", aws: "ARN and revision",
		source: "model of 2026-11, CreateUserResponse", run: func(w *realm) string {
			made := w.must("CreateUser", w.person(nil))
			if made.at("UserArn") == "" || made.at("Revision") == "" {
				return "neither"
			}
			return "ARN and revision"
		},
	},
	{
		what: "the status of a new user", aws: "ENABLED",
		source: "model, UserStatus", run: func(w *realm) string {
			return orNone(w.must("DescribeUser", with{"UserId": w.user()}).at("UserStatus"))
		},
	},
	{
		what: "enterprise attributes in DescribeUser, when not asked for and when asked for", aws: "none, then there",
		source: "API Reference, DescribeUser: Extensions", run: func(w *realm) string {
			user := w.must("CreateUser", w.person(with{"Extensions": with{enterprise: map[string]any{"department": "Sails"}}})).at("UserId")
			there := func(asked []string) string {
				if w.must("DescribeUser", with{"UserId": user, "Extensions": asked}).value("Extensions") == nil {
					return "none"
				}
				return "there"
			}
			return there(nil) + ", then " + there([]string{enterprise})
		},
	},
	{
		what: "describe a user who is not there", aws: "ResourceNotFoundException, USER",
		source: "API Reference, ResourceNotFoundException", run: func(w *realm) string { return w.call("DescribeUser", with{"UserId": nobodysID}).of() },
	},
	{
		what: "an id with ten digits before it, as old stores have them", aws: "ResourceNotFoundException, USER",
		source: "model, ResourceId; terraform-aws-sso-elevator #94", run: func(w *realm) string {
			return w.call("DescribeUser", with{"UserId": "906731adeb-" + nobodysID}).of()
		},
	},
	{
		what: "a user id that is none", aws: "ValidationException",
		source: "model, ResourceId", run: func(w *realm) string { return w.call("DescribeUser", with{"UserId": "alice"}).code() },
	},
	{
		what: "an identity store that is not there", aws: "ResourceNotFoundException, IDENTITY_STORE",
		source: "model, ResourceType", run: func(w *realm) string { return w.call("ListUsers", with{"IdentityStoreId": "d-0123456789"}).of() },
	},
	{
		what: "find a user by mail address, where others have none", aws: "found",
		source: "API Reference, UniqueAttribute; terraform #31624", run: func(w *realm) string {
			mail := w.name() + "@example.org"
			w.must("CreateUser", w.person(with{"Emails": []with{{"Value": mail, "Primary": true}}}))
			return w.found("GetUserId", unique("emails.value", mail))
		},
	},
	{
		what: "find a user by an attribute that is not unique", aws: "ValidationException",
		source: "API Reference, UniqueAttribute; terraform #27830", run: func(w *realm) string { return w.found("GetUserId", unique("title", "Pilot")) },
	},
	{
		what: "find a user who is not there", aws: "ResourceNotFoundException, USER",
		source: "API Reference, GetUserId", run: func(w *realm) string { return w.found("GetUserId", unique("userName", w.name())) },
	},
	{
		what: "find a user by an external id that nobody has", aws: "ResourceNotFoundException, USER",
		source: "API Reference, GetUserId; moto #9375", run: func(w *realm) string {
			issuer, id := "idp", w.name()
			return w.found("GetUserId", with{"AlternateIdentifier": &identitytypes.AlternateIdentifierMemberExternalId{
				Value: identitytypes.ExternalId{Issuer: &issuer, Id: &id},
			}})
		},
	},
	{
		what: "UpdateUser sets a title, and then takes it away by leaving the value out", aws: "Pilot, then none",
		source: "API Reference, AttributeOperation", run: func(w *realm) string {
			user := w.user()
			title := func(value any) string {
				w.must("UpdateUser", with{"UserId": user, "Operations": attribute("title", value)})
				return orNone(w.must("DescribeUser", with{"UserId": user}).at("Title"))
			}
			return title("Pilot") + ", then " + title(nil)
		},
	},
	{
		what: "UpdateUser under a revision that is over", aws: "ConflictException, CONCURRENT_MODIFICATION",
		source: "model of 2026-11, UpdateUserRequest", run: func(w *realm) string {
			made := w.must("CreateUser", w.person(nil))
			in := with{"UserId": made.at("UserId"), "Revision": orNone(made.at("Revision")), "Operations": attribute("title", "Pilot")}
			w.must("UpdateUser", in)
			return w.call("UpdateUser", in).because()
		},
	},
}

const enterprise = "aws:identitystore:enterprise"

// groupsRows are about groups, and who is in them.
var groupsRows = []behaviour{
	{
		what: "find a group by its display name", aws: "found",
		source: "API Reference, UniqueAttribute; terraform #27830", run: func(w *realm) string {
			name := w.name()
			w.must("CreateGroup", with{"DisplayName": name})
			return w.found("GetGroupId", unique("displayName", name))
		},
	},
	{
		what: "find a group by an attribute that is not unique", aws: "ValidationException",
		source: "API Reference, UniqueAttribute", run: func(w *realm) string { return w.found("GetGroupId", unique("description", "d")) },
	},
	{
		what: "describe a group that is not there", aws: "ResourceNotFoundException, GROUP",
		source: "API Reference, ResourceNotFoundException", run: func(w *realm) string { return w.call("DescribeGroup", with{"GroupId": nobodysID}).of() },
	},
	{
		what: "add a user to a group twice", aws: "ConflictException",
		source: "API Reference, CreateGroupMembership", run: func(w *realm) string {
			in := with{"GroupId": w.group(), "MemberId": member(w.user())}
			w.must("CreateGroupMembership", in)
			return w.call("CreateGroupMembership", in).code()
		},
	},
	{
		what: "add a user to a group eight times at once", aws: "1 accepted, 7 ConflictException",
		source: "as above", run: func(w *realm) string {
			return w.atOnce("CreateGroupMembership", with{"GroupId": w.group(), "MemberId": member(w.user())})
		},
	},
	{
		what: "add a user who is not there to a group", aws: "ResourceNotFoundException, USER",
		source: "API Reference, CreateGroupMembership", run: func(w *realm) string {
			return w.call("CreateGroupMembership", with{"GroupId": w.group(), "MemberId": member(nobodysID)}).of()
		},
	},
	{
		what: "add a group to a group", aws: "refused",
		source: "User Guide, groups: they do not nest", run: func(w *realm) string {
			return w.call("CreateGroupMembership", with{"GroupId": w.group(), "MemberId": member(w.group())}).refused()
		},
	},
	{
		what: "delete a user: the memberships left", aws: "0",
		source: "User Guide, deleting users", run: func(w *realm) string {
			user, group := w.user(), w.group()
			w.joins(user, group)
			w.must("DeleteUser", with{"UserId": user})
			return fmt.Sprint(len(w.must("ListGroupMemberships", with{"GroupId": group}).list("GroupMemberships")))
		},
	},
	{
		what: "delete a group: the memberships of who was in it", aws: "0",
		source: "API Reference, DeleteGroup", run: func(w *realm) string {
			user, group := w.user(), w.group()
			w.joins(user, group)
			w.must("DeleteGroup", with{"GroupId": group})
			return fmt.Sprint(len(w.must("ListGroupMembershipsForMember", with{"MemberId": member(user)}).list("GroupMemberships")))
		},
	},
	{
		what: "IsMemberInGroups about two groups, of which one has the user", aws: "true, false",
		source: "API Reference, IsMemberInGroups", run: func(w *realm) string {
			user, in, out := w.user(), w.group(), w.group()
			w.joins(user, in)
			results := w.must("IsMemberInGroups", with{"MemberId": member(user), "GroupIds": []string{in, out}}).list("Results")
			said := map[any]any{}
			for _, result := range results {
				said[result.(map[string]any)["GroupId"]] = result.(map[string]any)["MembershipExists"]
			}
			return fmt.Sprintf("%v, %v", said[in], said[out])
		},
	},
	{
		what: "IsMemberInGroups about 101 groups", aws: "ValidationException",
		source: "model, GroupIds", run: func(w *realm) string {
			return w.call("IsMemberInGroups", with{"MemberId": member(w.user()), "GroupIds": slices.Repeat([]string{nobodysID}, 101)}).code()
		},
	},
	{
		what: "find a membership that is not there", aws: "ResourceNotFoundException, GROUP_MEMBERSHIP",
		source: "API Reference, GetGroupMembershipId; model, ResourceType", run: func(w *realm) string {
			return w.call("GetGroupMembershipId", with{"GroupId": w.group(), "MemberId": member(w.user())}).of()
		},
	},
}
