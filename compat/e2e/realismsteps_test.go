package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	storedoc "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// Ids that nothing has.
const (
	nobodysID = "12345678-1234-1234-1234-123456789012"
	noSet     = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-0123456789abcdef"
	readOnly  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// name is one that nothing has yet.
func (w *realm) name() string {
	w.made++
	return fmt.Sprintf("realism-%d", w.made)
}

// set makes a permission set.
func (w *realm) set() string {
	return w.must("CreatePermissionSet", with{"Name": w.name()}).at("PermissionSet.PermissionSetArn")
}

func (w *realm) group() string {
	return w.must("CreateGroup", with{"DisplayName": w.name()}).at("GroupId")
}

// person is a request to make a user.
func (w *realm) person(also with) with {
	in := with{"UserName": w.name(), "DisplayName": "R", "Name": with{"GivenName": "R", "FamilyName": "R"}}
	for member, value := range also {
		in[member] = value
	}
	return in
}

func (w *realm) user() string { return w.must("CreateUser", w.person(nil)).at("UserId") }

func (w *realm) joins(user, group string) string {
	return w.must("CreateGroupMembership", with{"GroupId": group, "MemberId": member(user)}).at("MembershipId")
}

func member(id string) identitytypes.MemberId { return &identitytypes.MemberIdMemberUserId{Value: id} }

// unique looks somebody or something up by an attribute.
func unique(path, value string) with {
	return with{"AlternateIdentifier": &identitytypes.AlternateIdentifierMemberUniqueAttribute{Value: identitytypes.UniqueAttribute{
		AttributePath: &path, AttributeValue: storedoc.NewLazyDocument(value),
	}}}
}

// attribute is an operation of UpdateUser or UpdateGroup; without a value it removes the attribute.
func attribute(path string, value any) []with {
	return []with{{"AttributePath": path, "AttributeValue": value}}
}

// grants is an assignment to a user in the sample account.
func (w *realm) grants(set, kind, id string) with {
	return with{"PermissionSetArn": set, "PrincipalType": kind, "PrincipalId": id, "TargetType": "AWS_ACCOUNT", "TargetId": w.account}
}

// assigned makes an assignment and waits for it.
func (w *realm) assigned(grant with) {
	if end := w.ends(w.must("CreateAccountAssignment", grant)); end != "SUCCEEDED" {
		panic(unreached("the assignment ended " + end))
	}
}

// unassigned takes an assignment away and waits for it.
func (w *realm) unassigned(grant with) {
	if end := w.ends(w.must("DeleteAccountAssignment", grant)); end != "SUCCEEDED" {
		panic(unreached("the deletion ended " + end))
	}
}

// drifted is whether the sample account has another state of the set than its definition.
func (w *realm) drifted(set string) string {
	for status, said := range map[string]string{"LATEST_PERMISSION_SET_PROVISIONED": "latest", "LATEST_PERMISSION_SET_NOT_PROVISIONED": "drifted"} {
		listed := w.must("ListAccountsForProvisionedPermissionSet", with{"PermissionSetArn": set, "ProvisioningStatus": status}).list("AccountIds")
		if slices.Contains(listed, any(w.account)) {
			return said
		}
	}
	return "not provisioned"
}

// atOnce makes the same call eight times at the same time, and counts the answers.
func (w *realm) atOnce(op string, in with) string {
	var clients sync.WaitGroup
	codes := make([]string, 8)
	for i := range codes {
		clients.Go(func() { codes[i] = w.call(op, in).code() })
	}
	clients.Wait()
	return counted(codes)
}

// counted is how often which answer came, the accepted ones first.
func counted(codes []string) string {
	times := map[string]int{}
	for _, code := range codes {
		times[code]++
	}
	var kinds []string
	for code := range times {
		kinds = append(kinds, code)
	}
	slices.SortFunc(kinds, func(a, b string) int {
		return strings.Compare(strings.Replace(a, "accepted", "", 1), strings.Replace(b, "accepted", "", 1))
	})
	for i, code := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", times[code], code)
	}
	return strings.Join(kinds, ", ")
}

// until makes calls that differ by their number until one is refused, at most the given number.
func until(most int, call func(i int) answer) string {
	for i := range most {
		if a := call(i); a.err != nil {
			return fmt.Sprintf("%d, then %s", i, a.code())
		}
	}
	return fmt.Sprintf("%d and more", most)
}

// filled are the names of an item's members that have a value.
func filled(item map[string]any) string {
	var names []string
	for name, value := range item {
		if value != nil && value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
