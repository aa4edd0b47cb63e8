package e2e

import (
	"fmt"
	"strings"
	"sync"
)

// assignRows are about assignments of accounts, and the requests for them.
var assignRows = []behaviour{
	{
		what: "the status that CreateAccountAssignment answers, and then", aws: "IN_PROGRESS, then SUCCEEDED",
		source: "API Reference, CreateAccountAssignment: it is asynchronous", run: func(w *realm) string {
			a := w.must("CreateAccountAssignment", w.grants(w.set(), "USER", w.user()))
			return a.at("AccountAssignmentCreationStatus.Status") + ", then " + w.ends(a)
		},
	},
	{
		what: "ask again for an assignment that is there", aws: "SUCCEEDED, listed once",
		source: "reported by client authors", run: func(w *realm) string {
			set := w.set()
			grant := w.grants(set, "USER", w.user())
			w.assigned(grant)
			end := w.ends(w.call("CreateAccountAssignment", grant))
			listed := w.must("ListAccountAssignments", with{"AccountId": w.account, "PermissionSetArn": set}).list("AccountAssignments")
			return fmt.Sprintf("%s, listed %s", end, times(len(listed)))
		},
	},
	{
		what: "assign to a group that is not there", aws: "FAILED: Received a 404 status error: the GROUP assignee ID was not found in directory ID",
		source: "ig.nore.me, Fixing AWS SSO's CloudFormation, 2020", run: func(w *realm) string {
			return w.ends(w.call("CreateAccountAssignment", w.grants(w.set(), "GROUP", nobodysID)))
		},
	},
	{
		what: "a principal id that is none", aws: "ValidationException",
		source: "model, PrincipalId", run: func(w *realm) string {
			return w.call("CreateAccountAssignment", w.grants(w.set(), "USER", "alice")).code()
		},
	},
	{
		what: "an account id of eleven digits", aws: "ValidationException",
		source: "model, TargetId", run: func(w *realm) string {
			grant := w.grants(w.set(), "USER", w.user())
			grant["TargetId"] = "11112222333"
			return w.call("CreateAccountAssignment", grant).code()
		},
	},
	{
		what: "an account that is not in the organization", ours: "ResourceNotFoundException",
		run: func(w *realm) string {
			grant := w.grants(w.set(), "USER", w.user())
			grant["TargetId"] = "999999999999"
			return w.ends(w.call("CreateAccountAssignment", grant))
		},
	},
	{
		what: "assign a permission set that is not there", aws: "ResourceNotFoundException",
		source: "API Reference, CreateAccountAssignment", run: func(w *realm) string {
			return w.call("CreateAccountAssignment", w.grants(noSet, "USER", w.user())).code()
		},
	},
	{
		what: "delete an assignment that is not there, of a permission set that is", aws: "FAILED with a 404 reason",
		source: "terraform-provider-aws, account_assignment.go", run: func(w *realm) string {
			return notFound(w.ends(w.call("DeleteAccountAssignment", w.grants(w.assignedSet(), "USER", w.user()))))
		},
	},
	{
		what: "delete the assignment of a user who was deleted", ours: "SUCCEEDED",
		source: "terraform #19341: FAILED with a 404 reason, but not where the console had deleted the user", run: func(w *realm) string {
			user := w.user()
			grant := w.grants(w.set(), "USER", user)
			w.assigned(grant)
			w.must("DeleteUser", with{"UserId": user})
			return w.ends(w.call("DeleteAccountAssignment", grant))
		},
	},
	{
		what: "the status of a request that nobody made", aws: "ResourceNotFoundException",
		source: "API Reference, DescribeAccountAssignmentCreationStatus", run: func(w *realm) string {
			return w.call("DescribeAccountAssignmentCreationStatus", with{"AccountAssignmentCreationRequestId": nobodysID}).code()
		},
	},
	{
		what: "the members of an item of ListAccountAssignmentCreationStatus", aws: "CreatedDate RequestId Status",
		source: "model, AccountAssignmentOperationStatusMetadata", run: func(w *realm) string {
			w.assigned(w.grants(w.set(), "USER", w.user()))
			item := w.must("ListAccountAssignmentCreationStatus", nil).list("AccountAssignmentsCreationStatus")[0].(map[string]any)
			return filled(item)
		},
	},
	{
		what: "a member of an assigned group: ListAccountAssignmentsForPrincipal lists", aws: "the group's assignment",
		source: "API Reference, ListAccountAssignmentsForPrincipal", run: func(w *realm) string {
			user, group := w.user(), w.group()
			w.joins(user, group)
			w.assigned(w.grants(w.set(), "GROUP", group))
			listed := w.must("ListAccountAssignmentsForPrincipal", with{"PrincipalType": "USER", "PrincipalId": user}).list("AccountAssignments")
			if len(listed) == 1 && listed[0].(map[string]any)["PrincipalId"] == group {
				return "the group's assignment"
			}
			return fmt.Sprintf("%d assignments", len(listed))
		},
	},
	{
		what: "more than 15 requests outstanding", aws: "ThrottlingException",
		source: "User Guide, quotas; terraform #24858", run: outstanding,
	},
	{
		what: "how many groups one permission set takes in an account", aws: "100, then ServiceQuotaExceededException",
		source: "User Guide, quotas", run: func(w *realm) string {
			set := w.set()
			return until(105, func(int) answer {
				a := w.call("CreateAccountAssignment", w.grants(set, "GROUP", w.group()))
				w.ends(a)
				return a
			})
		},
	},
}

// outstanding asks for many assignments at once, some times over: they end quickly.
func outstanding(w *realm) string {
	set, user := w.set(), w.user()
	for range 5 {
		burst := make([]answer, 100)
		var clients sync.WaitGroup
		for i := range burst {
			clients.Go(func() { burst[i] = w.call("CreateAccountAssignment", w.grants(set, "USER", user)) })
		}
		clients.Wait()
		refused := ""
		for _, a := range burst {
			if w.ends(a); a.err != nil {
				refused = a.code()
			}
		}
		if refused != "" {
			return refused
		}
	}
	return "accepted"
}

// driftRows are about what reaches the accounts, and when.
var driftRows = []behaviour{
	{
		what: "edit a policy of a permission set that is assigned: the account is", aws: "drifted",
		source: "terraform PR #15808", run: func(w *realm) string {
			set := w.assignedSet()
			w.must("AttachManagedPolicyToPermissionSet", with{"PermissionSetArn": set, "ManagedPolicyArn": readOnly})
			return w.drifted(set)
		},
	},
	{
		what: "then ProvisionPermissionSet: the account is", aws: "latest",
		source: "terraform PR #15808", run: func(w *realm) string {
			set := w.assignedSet()
			w.must("AttachManagedPolicyToPermissionSet", with{"PermissionSetArn": set, "ManagedPolicyArn": readOnly})
			if end := w.ends(w.must("ProvisionPermissionSet", w.provision(set))); end != "SUCCEEDED" {
				return end
			}
			return w.drifted(set)
		},
	},
	{
		what: "change the session duration of a permission set that is assigned: the account is", aws: "drifted",
		source: "API Reference, ProvisionPermissionSet", run: func(w *realm) string {
			set := w.assignedSet()
			w.must("UpdatePermissionSet", with{"PermissionSetArn": set, "SessionDuration": "PT2H"})
			return w.drifted(set)
		},
	},
	{
		what: "the last assignment in an account is deleted: the permission set there is", aws: "not provisioned",
		source: "User Guide, permission sets: the role goes with its last assignment", run: func(w *realm) string {
			set := w.set()
			grant := w.grants(set, "USER", w.user())
			w.assigned(grant)
			w.unassigned(grant)
			return w.drifted(set)
		},
	},
	{
		what: "provision a permission set where it is not assigned", aws: "FAILED with a 404 reason",
		source: "reported by client authors", run: func(w *realm) string {
			return notFound(w.ends(w.call("ProvisionPermissionSet", w.provision(w.set()))))
		},
	},
	{
		what: "provision an account without saying which", aws: "ValidationException",
		source: "API Reference, ProvisionPermissionSet", run: func(w *realm) string {
			return w.call("ProvisionPermissionSet", with{"PermissionSetArn": w.assignedSet(), "TargetType": "AWS_ACCOUNT"}).code()
		},
	},
	{
		what: "assign a permission set with a customer's policy that the account does not have", aws: "FAILED with a 404 reason",
		source: "terraform #27889; terraform-provider-aws, account_assignment_test.go", run: func(w *realm) string {
			set := w.set()
			w.must("AttachCustomerManagedPolicyReferenceToPermissionSet", customers(set, "NotThere"))
			return notFound(w.ends(w.call("CreateAccountAssignment", w.grants(set, "USER", w.user()))))
		},
	},
}

// assignedSet is a permission set that is assigned in the sample account.
func (w *realm) assignedSet() string {
	set := w.set()
	w.assigned(w.grants(set, "USER", w.user()))
	return set
}

func (w *realm) provision(set string) with {
	return with{"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": w.account}
}

// notFound is an end whose reason is told no closer than its status: the rest of the text has changed over the years.
func notFound(end string) string {
	if strings.HasPrefix(end, "FAILED: Received a 404 status error") {
		return "FAILED with a 404 reason"
	}
	return end
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
