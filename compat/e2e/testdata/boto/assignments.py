"""The cases of account assignments and of provisioning. What is asked for is done a little later: the cases wait for it."""

from case import Case
from world import NO_ACCOUNT, NO_ID, NO_INSTANCE, NO_SET, NOT_AN_ARN, NOT_AN_ID, RACE, SIZE, World

BUSY = {"ConflictException": "only while an earlier request about the same assignment is in progress"}


def cases(w: World):
    w.given = w.set("Boto-given")
    w.sailor = w.user("boto-sailor")
    w.crew = w.group("boto-crew")
    w.people.create_group_membership(IdentityStoreId=w.store, GroupId=w.crew, MemberId={"UserId": w.sailor})
    created = w.admin.create_account_assignment(**w.assignment(w.given, w.account, "GROUP", w.crew))
    provisioned = w.admin.create_account_assignment(**w.assignment(w.given, w.management, "GROUP", w.crew))
    w.settled()
    deleted = w.admin.delete_account_assignment(**w.assignment(w.given, w.management, "GROUP", w.crew))
    provision = w.admin.provision_permission_set(InstanceArn=w.instance, PermissionSetArn=w.given, TargetType="ALL_PROVISIONED_ACCOUNTS")
    w.settled()
    return (
        creation(w, created["AccountAssignmentCreationStatus"])
        + lists(w)
        + deletion(w, deleted["AccountAssignmentDeletionStatus"])
        + provisioning(w, provision["PermissionSetProvisioningStatus"])
        + failures(w, provisioned["AccountAssignmentCreationStatus"])
    )


def status(assignment):
    """What a status repeats of a request."""
    return {k: v for k, v in assignment.items() if k != "InstanceArn"}


def creation(w, created):
    i = {"InstanceArn": w.instance}
    ask = w.assignment(w.given, w.account, "USER", w.sailor)
    done = w.assignment(w.given, w.account, "GROUP", w.crew)
    name = "AccountAssignmentCreationRequestId"
    return [
        Case("CreateAccountAssignment", ask,
             {"AccountAssignmentCreationStatus": {**status(ask), "Status": "IN_PROGRESS", "RequestId": ..., "CreatedDate": ...}},
             missing={"TargetId": NO_ACCOUNT}, invalid={"TargetId": "twelve-chars"}, unless={**BUSY, "ServiceQuotaExceededException": SIZE},
             keep=lambda out: w.settled()),
        Case("CreateAccountAssignment", {**ask, "PermissionSetArn": NO_SET}, refused=True, missing={}),
        Case("DescribeAccountAssignmentCreationStatus", {**i, name: created["RequestId"]},
             {"AccountAssignmentCreationStatus": {**status(done), "Status": "SUCCEEDED", "RequestId": created["RequestId"]}},
             missing={name: NO_ID}, invalid={name: NOT_AN_ID + "x" * 30}),
        Case("ListAccountAssignmentCreationStatus", {**i, "MaxResults": 1, "Filter": {"Status": "SUCCEEDED"}},
             {"AccountAssignmentsCreationStatus": [{"Status": "SUCCEEDED", "RequestId": ..., "CreatedDate": ...}], "NextToken": ...},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"Filter": {"Status": "DONE"}}),
    ]


def lists(w):
    i = {"InstanceArn": w.instance}
    row = {"PermissionSetArn": w.given, "AccountId": w.account}
    user, group = {**row, "PrincipalType": "USER", "PrincipalId": w.sailor}, {**row, "PrincipalType": "GROUP", "PrincipalId": w.crew}
    by_kind, by_id = [group, user], sorted([group, user], key=lambda a: a["PrincipalId"])
    of = {**i, "PrincipalType": "USER", "PrincipalId": w.sailor}
    return [
        Case("ListAccountAssignments", {**i, **row}, {"AccountAssignments": by_kind}, missing={"PermissionSetArn": NO_SET},
             invalid={"AccountId": "twelve-chars"}),
        Case("ListAccountAssignmentsForPrincipal", of, {"AccountAssignments": by_id}, missing={"InstanceArn": NO_INSTANCE},
             invalid={"PrincipalId": NOT_AN_ID}),
        Case("ListAccountAssignmentsForPrincipal", {**of, "Filter": {"AccountId": w.management}}, {"AccountAssignments": []}),
        Case("ListAccountAssignmentsForPrincipal", {**of, "PrincipalType": "GROUP", "PrincipalId": w.crew},
             {"AccountAssignments": [group]}),
        Case("ListAccountsForProvisionedPermissionSet", {**i, "PermissionSetArn": w.given}, {"AccountIds": [w.account]},
             missing={"PermissionSetArn": NO_SET},
             invalid={"ProvisioningStatus": "OLD"}),
        Case("ListPermissionSetsProvisionedToAccount",
             {**i, "AccountId": w.account, "ProvisioningStatus": "LATEST_PERMISSION_SET_PROVISIONED"},
             {"PermissionSets": [w.given]}, missing={"InstanceArn": NO_INSTANCE}, invalid={"AccountId": "twelve-chars"}),
        Case("ListPermissionSetsProvisionedToAccount",
             {**i, "AccountId": w.account, "ProvisioningStatus": "LATEST_PERMISSION_SET_NOT_PROVISIONED"}, {"PermissionSets": []}),
        Case("DeletePermissionSet", {**i, "PermissionSetArn": w.given}, refused=True, conflict={}),
    ]


def deletion(w, deleted):
    i = {"InstanceArn": w.instance}
    ask = w.assignment(w.given, w.account, "USER", w.sailor)
    name = "AccountAssignmentDeletionRequestId"
    return [
        Case("DeleteAccountAssignment", ask,
             {"AccountAssignmentDeletionStatus": {**status(ask), "Status": "IN_PROGRESS", "RequestId": ..., "CreatedDate": ...}},
             missing={"PermissionSetArn": NO_SET}, invalid={"PrincipalId": NOT_AN_ID}, unless=BUSY, keep=lambda out: w.settled()),
        Case("DescribeAccountAssignmentDeletionStatus", {**i, name: deleted["RequestId"]},
             {"AccountAssignmentDeletionStatus": {"TargetId": w.management, "Status": "SUCCEEDED", "RequestId": deleted["RequestId"]}},
             missing={name: NO_ID}, invalid={name: NOT_AN_ID + "x" * 30}),
        Case("ListAccountAssignmentDeletionStatus", {**i, "MaxResults": 1},
             {"AccountAssignmentsDeletionStatus": [{"Status": "SUCCEEDED", "RequestId": ..., "CreatedDate": ...}], "NextToken": ...},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"NextToken": "bWFkZSB1cA=="}),
    ]


def provisioning(w, provision):
    i = {"InstanceArn": w.instance}
    name = "ProvisionPermissionSetRequestId"
    ask = {**i, "PermissionSetArn": w.given, "TargetType": "AWS_ACCOUNT", "TargetId": w.account}
    started = {"Status": "IN_PROGRESS", "RequestId": ..., "AccountId": w.account, "PermissionSetArn": w.given}
    return [
        Case("ProvisionPermissionSet", ask,
             {"PermissionSetProvisioningStatus": {**started, "CreatedDate": ...}},
             missing={"PermissionSetArn": NO_SET}, invalid={"TargetId": None}, unless={"ConflictException": RACE},
             keep=lambda out: w.settled()),
        Case("DescribePermissionSetProvisioningStatus", {**i, name: provision["RequestId"]},
             {"PermissionSetProvisioningStatus": {"Status": "SUCCEEDED", "RequestId": provision["RequestId"], "PermissionSetArn": w.given}},
             missing={name: NO_ID}, invalid={name: NOT_AN_ID + "x" * 30}),
        Case("ListPermissionSetProvisioningStatus", {**i, "MaxResults": 1},
             {"PermissionSetsProvisioningStatus": [{"RequestId": ..., "CreatedDate": ...}], "NextToken": ...},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"InstanceArn": NOT_AN_ARN}),
    ]


def failures(w, created):
    """A request of one family is not found as one of another."""
    i = {"InstanceArn": w.instance}
    return [
        Case("DescribeAccountAssignmentDeletionStatus", {**i, "AccountAssignmentDeletionRequestId": created["RequestId"]}, refused=True,
             missing={}),
        Case("DescribePermissionSetProvisioningStatus", {**i, "ProvisionPermissionSetRequestId": created["RequestId"]}, refused=True,
             missing={}),
    ]
