package e2e

import (
	"strings"
	"testing"
	"time"
)

// What testdata/create_and_assign.py names.
const (
	sampleInstance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
	sampleAccount  = "111122223333"
	sampleGroup    = "906731adeb-12345678-1234-5678-90ab-cdef12345678"
	sampleRole     = "SecurityAuditAccess"
)

// runSample has boto3 run the sample as its author wrote it, waits until the assignment is made, and returns the
// permission set's ARN.
func (s *server) runSample(u *awsUser) (permissionSet string) {
	s.tb.Helper()
	if got := strings.TrimSpace(u.python("create_and_assign.py")); got != "Assignment status: IN_PROGRESS" {
		s.tb.Fatalf("the sample printed %q", got)
	}
	var requests struct {
		AccountAssignmentsCreationStatus []struct{ RequestId, Status string }
	}
	u.aws(&requests, "sso-admin", "list-account-assignment-creation-status", "--instance-arn", sampleInstance)
	if len(requests.AccountAssignmentsCreationStatus) != 1 {
		s.tb.Fatalf("requests after the sample: %+v", requests)
	}
	return u.assigned(requests.AccountAssignmentsCreationStatus[0].RequestId)
}

// assigned waits until a request to assign has succeeded, and returns its permission set's ARN.
func (u *awsUser) assigned(requestID string) (permissionSet string) {
	u.tb.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		var out struct {
			AccountAssignmentCreationStatus struct{ Status, PermissionSetArn, FailureReason string }
		}
		u.aws(&out, "sso-admin", "describe-account-assignment-creation-status",
			"--instance-arn", sampleInstance, "--account-assignment-creation-request-id", requestID)
		switch request := out.AccountAssignmentCreationStatus; request.Status {
		case "SUCCEEDED":
			return request.PermissionSetArn
		case "FAILED":
			u.tb.Fatalf("assignment failed: %s", request.FailureReason)
		}
	}
	u.tb.Fatal("assignment stays in progress")
	return ""
}

// TestSample: an operator grants access with the Boto3 sample, unchanged.
func TestSample(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	u := s.operator()
	permissionSet := s.runSample(u)

	var listed struct {
		AccountAssignments []struct{ AccountId, PermissionSetArn, PrincipalType, PrincipalId string }
	}
	u.aws(&listed, "sso-admin", "list-account-assignments",
		"--instance-arn", sampleInstance, "--account-id", sampleAccount, "--permission-set-arn", permissionSet)
	if len(listed.AccountAssignments) != 1 || listed.AccountAssignments[0].PrincipalId != sampleGroup {
		t.Errorf("assignments: %+v", listed)
	}
	var provisioned struct{ PermissionSets []string }
	u.aws(&provisioned, "sso-admin", "list-permission-sets-provisioned-to-account",
		"--instance-arn", sampleInstance, "--account-id", sampleAccount)
	if !strings.Contains(strings.Join(provisioned.PermissionSets, " "), permissionSet) {
		t.Errorf("permission sets in the account: %q, without %s", provisioned.PermissionSets, permissionSet)
	}
	var described struct {
		PermissionSet struct{ Name, Description, SessionDuration string }
	}
	u.aws(&described, "sso-admin", "describe-permission-set", "--instance-arn", sampleInstance, "--permission-set-arn", permissionSet)
	if p := described.PermissionSet; p.Name != sampleRole || p.SessionDuration != "PT4H" {
		t.Errorf("permission set: %+v", p)
	}
	var attached struct{ AttachedManagedPolicies []struct{ Arn string } }
	u.aws(&attached, "sso-admin", "list-managed-policies-in-permission-set", "--instance-arn", sampleInstance, "--permission-set-arn", permissionSet)
	if len(attached.AttachedManagedPolicies) != 1 || attached.AttachedManagedPolicies[0].Arn != "arn:aws:iam::aws:policy/SecurityAudit" {
		t.Errorf("managed policies: %+v", attached)
	}
	s.stop()
}
