package e2e

import (
	"fmt"
	"strings"
)

// setsRows are about permission sets themselves, and what they may be.
var setsRows = []behaviour{
	{
		what: "the session duration when none is given", aws: "PT1H",
		source: "API Reference, CreatePermissionSet", run: func(w *realm) string {
			duration := w.must("DescribePermissionSet", with{"PermissionSetArn": w.set()}).at("PermissionSet.SessionDuration")
			return orNone(duration)
		},
	},
	{
		what: "a session duration of 13 hours", aws: "ValidationException",
		source: "User Guide, session duration: 1 to 12 hours; model, Duration", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": w.name(), "SessionDuration": "PT13H"}).code()
		},
	},
	{
		what: "a session duration of `1 hour`", aws: "ValidationException",
		source: "model, Duration", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": w.name(), "SessionDuration": "1 hour"}).code()
		},
	},
	{
		what: "a description of 701 characters", aws: "ValidationException",
		source: "model, PermissionSetDescription", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": w.name(), "Description": strings.Repeat("d", 701)}).code()
		},
	},
	{
		what: "a relay state of 241 characters", aws: "ValidationException",
		source: "model, RelayState", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": w.name(), "RelayState": "https://" + strings.Repeat("r", 233)}).code()
		},
	},
	{
		what: "update the description alone: what becomes of the relay state", aws: "none",
		source: "terraform #17411", run: func(w *realm) string {
			set := w.must("CreatePermissionSet", with{"Name": w.name(), "RelayState": "https://example.org/"}).at("PermissionSet.PermissionSetArn")
			w.must("UpdatePermissionSet", with{"PermissionSetArn": set, "Description": "new"})
			return orNone(w.must("DescribePermissionSet", with{"PermissionSetArn": set}).at("PermissionSet.RelayState"))
		},
	},
	{
		what: "describe a permission set that is not there", aws: "ResourceNotFoundException",
		source: "API Reference, DescribePermissionSet", run: func(w *realm) string {
			return w.call("DescribePermissionSet", with{"PermissionSetArn": noSet}).code()
		},
	},
	{
		what: "describe a permission set by a text that is no ARN", aws: "ValidationException",
		source: "model, PermissionSetArn", run: func(w *realm) string {
			return w.call("DescribePermissionSet", with{"PermissionSetArn": "permission-set"}).code()
		},
	},
	{
		what: "delete a permission set that is assigned", aws: "ConflictException, and the set stays",
		source: "terraform #26757", run: func(w *realm) string {
			set := w.set()
			w.assigned(w.grants(set, "USER", w.user()))
			refused := w.call("DeletePermissionSet", with{"PermissionSetArn": set}).code()
			if w.call("DescribePermissionSet", with{"PermissionSetArn": set}).err != nil {
				return refused + ", and the set is gone"
			}
			return refused + ", and the set stays"
		},
	},
	{
		what: "delete it as soon as the deletion of its last assignment says SUCCEEDED", aws: "accepted",
		source: "terraform #26757", run: func(w *realm) string {
			set := w.set()
			grant := w.grants(set, "USER", w.user())
			w.assigned(grant)
			w.unassigned(grant)
			return w.call("DeletePermissionSet", with{"PermissionSetArn": set}).code()
		},
	},
	{
		what: "delete a permission set that is not there", aws: "ResourceNotFoundException",
		source: "API Reference, DeletePermissionSet", run: func(w *realm) string {
			return w.call("DeletePermissionSet", with{"PermissionSetArn": noSet}).code()
		},
	},
}

// policiesRows are about what a permission set allows.
var policiesRows = []behaviour{
	{
		what: "attach a managed policy twice", aws: "ConflictException",
		source: "terraform #26138", run: func(w *realm) string {
			in := with{"PermissionSetArn": w.set(), "ManagedPolicyArn": readOnly}
			w.must("AttachManagedPolicyToPermissionSet", in)
			return w.call("AttachManagedPolicyToPermissionSet", in).code()
		},
	},
	{
		what: "detach a managed policy that is not attached", aws: "ResourceNotFoundException",
		source: "API Reference, DetachManagedPolicyFromPermissionSet; terraform #26138", run: func(w *realm) string {
			return w.call("DetachManagedPolicyFromPermissionSet", with{"PermissionSetArn": w.set(), "ManagedPolicyArn": readOnly}).code()
		},
	},
	{
		what: "attach a customer's policy as if it were AWS's", aws: "ValidationException",
		source: "model, ManagedPolicyArn; aws-iam-identity-center-automation #4", run: func(w *realm) string {
			return w.call("AttachManagedPolicyToPermissionSet", with{"PermissionSetArn": w.set(), "ManagedPolicyArn": "arn:aws:iam::111122223333:policy/X"}).code()
		},
	},
	{
		what: "attach a customer's policy by name twice", aws: "ConflictException",
		source: "API Reference, AttachCustomerManagedPolicyReferenceToPermissionSet", run: func(w *realm) string {
			in := customers(w.set(), "Ours")
			w.must("AttachCustomerManagedPolicyReferenceToPermissionSet", in)
			return w.call("AttachCustomerManagedPolicyReferenceToPermissionSet", in).code()
		},
	},
	{
		what: "detach a customer's policy that is not attached", aws: "ResourceNotFoundException",
		source: "API Reference, DetachCustomerManagedPolicyReferenceFromPermissionSet", run: func(w *realm) string {
			return w.call("DetachCustomerManagedPolicyReferenceFromPermissionSet", customers(w.set(), "Ours")).code()
		},
	},
	{
		what: "how many managed policies a permission set takes", aws: "25, then ServiceQuotaExceededException",
		source: "User Guide, quotas; 20 in editions before 2026", run: func(w *realm) string {
			set := w.set()
			return until(30, func(i int) answer {
				return w.call("AttachCustomerManagedPolicyReferenceToPermissionSet", customers(set, fmt.Sprintf("Ours%d", i)))
			})
		},
	},
	{
		what: "an inline policy that is no JSON", aws: "ValidationException",
		source: "API Reference, PutInlinePolicyToPermissionSet", run: func(w *realm) string { return w.inline(w.set(), "{").code() },
	},
	{
		what: "an inline policy with a statement that has no action", aws: "refused",
		source: "IAM User Guide, policy grammar", run: func(w *realm) string {
			return w.inline(w.set(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}`).refused()
		},
	},
	{
		what: "an inline policy with a condition operator that does not exist", aws: "refused",
		source: "IAM User Guide, condition operators; seaweedfs #11283", run: func(w *realm) string {
			return w.inline(w.set(), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}]}`).refused()
		},
	},
	{
		what: "an inline policy of 10,300 bytes, none of them white space", aws: "refused",
		source: "User Guide, quotas: 10,240", run: func(w *realm) string { return w.inline(w.set(), policyOf(10_300, 0)).refused() },
	},
	{
		what: "an inline policy of 10,000 bytes and 20,000 of white space", aws: "accepted",
		source: "User Guide, quotas: white space is not counted", run: func(w *realm) string { return w.inline(w.set(), policyOf(10_000, 20_000)).code() },
	},
	{
		what: "an inline policy of 33,000 characters", aws: "ValidationException",
		source: "model, PermissionSetPolicyDocument", run: func(w *realm) string { return w.inline(w.set(), policyOf(5_000, 28_000)).code() },
	},
	{
		what: "read the inline policy of a permission set without one", ours: "accepted, none",
		run: func(w *realm) string {
			a := w.call("GetInlinePolicyForPermissionSet", with{"PermissionSetArn": w.set()})
			return a.code() + ", " + orNone(a.at("InlinePolicy"))
		},
	},
	{
		what: "delete an inline policy that is not there", ours: "ResourceNotFoundException",
		run: func(w *realm) string {
			return w.call("DeleteInlinePolicyFromPermissionSet", with{"PermissionSetArn": w.set()}).code()
		},
	},
	{
		what: "read the permissions boundary of a permission set without one", ours: "ResourceNotFoundException",
		run: func(w *realm) string {
			return w.call("GetPermissionsBoundaryForPermissionSet", with{"PermissionSetArn": w.set()}).code()
		},
	},
	{
		what: "a permissions boundary that is both AWS's and the customer's", aws: "ValidationException",
		source: "API Reference, PermissionsBoundary: one of the two", run: func(w *realm) string {
			both := with{"ManagedPolicyArn": readOnly, "CustomerManagedPolicyReference": with{"Name": "Ours"}}
			return w.call("PutPermissionsBoundaryToPermissionSet", with{"PermissionSetArn": w.set(), "PermissionsBoundary": both}).code()
		},
	},
}

func customers(set, policy string) with {
	return with{"PermissionSetArn": set, "CustomerManagedPolicyReference": with{"Name": policy}}
}

func (w *realm) inline(set, policy string) answer {
	return w.call("PutInlinePolicyToPermissionSet", with{"PermissionSetArn": set, "InlinePolicy": policy})
}

// policyOf is a policy of so many bytes, and so many of white space.
func policyOf(bytes, space int) string {
	head, tail := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::`, `"}]}`
	return head + strings.Repeat("b", bytes-len(head)-len(tail)) + tail + strings.Repeat(" ", space)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
