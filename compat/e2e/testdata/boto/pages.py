"""Every paginator that boto3 has: lists of 250, or of as many as there can be, show each item exactly once."""

import dataclasses
import math

from botocore import xform_name

from case import Failure
from many import MANAGED, POLICY, fill
from world import World


@dataclasses.dataclass
class Listed:
    """A list, the members that tell its items from others, and what was made that it must show beside what it showed before."""

    op: str
    params: dict
    members: tuple  # of an item; none: the item itself
    made: callable = lambda w: []
    before: list = dataclasses.field(default_factory=list)
    note: str = ""  # tells apart lists of one operation
    most: int = 100  # items on a page, however many are asked for

    def name(self, item):
        return "/".join(item[m] for m in self.members) if self.members else item


def lists(w: World):
    """Lists that exist before there is much in them, and then those of what was made: an order that run keeps to."""
    i, s = {"InstanceArn": w.instance}, {"IdentityStoreId": w.store}
    general = [
        Listed("ListUsers", s, ("UserId",), lambda w: w.users),
        Listed("ListGroups", s, ("GroupId",), lambda w: w.groups),
        Listed("ListInstances", {}, ("InstanceArn",)),
        Listed("ListRegions", i, ("RegionName",)),
        Listed("ListApplicationProviders", {}, ("ApplicationProviderArn",)),
        Listed("ListTrustedTokenIssuers", i, ("TrustedTokenIssuerArn",)),
        Listed("ListPermissionSets", i, (), lambda w: [*w.sets, w.wide, w.deep, w.managed]),
        Listed("ListApplications", i, ("ApplicationArn",), lambda w: w.apps, most=50),
        Listed("ListAccountAssignmentCreationStatus", i, ("RequestId",), lambda w: w.created),
        Listed("ListAccountAssignmentDeletionStatus", i, ("RequestId",), lambda w: w.deleted),
        Listed("ListPermissionSetProvisioningStatus", i, ("RequestId",), lambda w: w.provisioned),
        Listed("ListCustomerManagedPolicyReferencesInPermissionSet", {**i, "PermissionSetArn": w.full}, ("Path", "Name")),
        Listed("ListApplicationAccessScopes", {"ApplicationArn": w.busy}, ("Scope",)),
    ]
    for listed in general:
        client = w.client_of(listed.op)
        if client is not None:
            listed.before = names(listed, client.get_paginator(xform_name(listed.op)).paginate(**listed.params))
    fill(w)
    return general + of_made(w)


def of_made(w):
    i, s = {"InstanceArn": w.instance}, {"IdentityStoreId": w.store}
    a, full = {"ApplicationArn": w.busy}, {**i, "PermissionSetArn": w.managed}
    assignment = ("AccountId", "PermissionSetArn", "PrincipalType", "PrincipalId")
    target = ("ApplicationArn", "PrincipalType", "PrincipalId")
    user = {"PrincipalType": "USER"}
    return [
        Listed("ListGroupMemberships", {**s, "GroupId": w.groups[0]}, ("MembershipId",), lambda w: w.members),
        Listed("ListGroupMembershipsForMember", {**s, "MemberId": {"UserId": w.users[0]}}, ("MembershipId",), lambda w: w.joined),
        Listed("ListAccountAssignments", {**i, "AccountId": w.account, "PermissionSetArn": w.deep}, assignment,
               lambda w: [f"{w.account}/{w.deep}/USER/{u}" for u in w.users]),
        Listed("ListAccountAssignmentsForPrincipal", {**i, **user, "PrincipalId": w.users[2]}, assignment,
               granted_to_user),
        Listed("ListAccountAssignmentsForPrincipal", {**i, "PrincipalType": "GROUP", "PrincipalId": w.groups[1]}, assignment,
               lambda w: [f"{a}/{w.wide}/GROUP/{w.groups[1]}" for a in w.many_accounts], note="of a group"),
        Listed("ListAccountsForProvisionedPermissionSet", {**i, "PermissionSetArn": w.wide}, (), lambda w: w.many_accounts),
        Listed("ListPermissionSetsProvisionedToAccount", {**i, "AccountId": w.home}, (), lambda w: [*w.sets, w.wide]),
        Listed("ListPermissionSetsProvisionedToAccount",
               {**i, "AccountId": w.home, "ProvisioningStatus": "LATEST_PERMISSION_SET_PROVISIONED"}, (),
               lambda w: [*w.sets, w.wide], note="up to date"),
        Listed("ListAccountAssignmentCreationStatus", {**i, "Filter": {"Status": "FAILED"}}, ("RequestId",), lambda w: w.failed,
               note="failed"),
        Listed("ListApplicationAssignments", {"ApplicationArn": w.apps[0]}, target, lambda w: [f"{w.apps[0]}/USER/{u}" for u in w.users]),
        Listed("ListApplicationAssignmentsForPrincipal", {**i, **user, "PrincipalId": w.users[1]}, target,
               lambda w: [f"{a}/USER/{w.users[1]}" for a in w.apps]),
        Listed("ListManagedPoliciesInPermissionSet", full, ("Arn",), lambda w: [POLICY + n for n in MANAGED]),
        Listed("ListTagsForResource", {"ResourceArn": w.managed}, ("Key",), lambda w: [f"k{n:02}" for n in range(50)]),
        Listed("ListApplicationGrants", a, ("GrantType",), lambda w: w.grants),
        Listed("ListApplicationAuthenticationMethods", a, ("AuthenticationMethodType",), lambda w: ["IAM"]),
    ]


def granted_to_user(w):
    """What the user has directly, and by way of a group that the user is in."""
    rows = [f"{w.account}/{w.deep}/USER/{w.users[2]}"]
    for account in w.many_accounts:
        rows += [f"{account}/{w.wide}/USER/{w.users[2]}", f"{account}/{w.wide}/GROUP/{w.groups[1]}"]
    return rows


def names(listed, pages):
    key = pages.result_keys[0].expression
    return [listed.name(item) for page in pages for item in page[key]]


def steps(listed, client, w):
    """The ways to go through a list, each with its name."""
    cap = client.meta.service_model.operation_model(listed.op).input_shape.members.get("MaxResults")
    want = [*listed.before, *listed.made(w)]
    yield "default pages", lambda: whole(listed, client, want, None, min(listed.most, cap.metadata["max"]) if cap else len(want))
    if cap:
        most = cap.metadata["max"]
        for size in (most, 7 if len(want) > most else 1):
            yield f"pages of {size}", lambda size=size: whole(listed, client, want, size, min(listed.most, size))
        yield "interrupted", lambda: interrupted(listed, client, want)


def whole(listed, client, want, ask, size):
    """Goes through the list by pages of a size; ask is what is asked for, None: nothing."""
    pages = client.get_paginator(xform_name(listed.op)).paginate(**listed.params, PaginationConfig={"PageSize": ask} if ask else {})
    key, got, counts = pages.result_keys[0].expression, [], []
    for page in pages:
        got += [listed.name(item) for item in page[key]]
        counts.append(len(page[key]))
    same(listed, got, want)
    full = [size] * (math.ceil(len(want) / size) - 1)
    if counts[:-1] != full or not 0 < counts[-1] <= size:
        raise Failure(f"{listed.op}: pages of {counts}, want at most {size} on each and no page too many")


def interrupted(listed, client, want):
    """Takes some of the list, and goes on another time from the token that boto3 gives for this."""
    paginator = client.get_paginator(xform_name(listed.op))
    first = paginator.paginate(**listed.params, PaginationConfig={"MaxItems": len(want) // 2 + 1})
    out = first.build_full_result()
    key = first.result_keys[0].expression
    got = [listed.name(item) for item in out[key]]
    if "NextToken" in out:
        rest = paginator.paginate(**listed.params, PaginationConfig={"StartingToken": out["NextToken"]}).build_full_result()
        got += [listed.name(item) for item in rest[key]]
    same(listed, got, want)


def same(listed, got, want):
    twice = sorted({n for n in got if got.count(n) > 1}) if len(set(got)) < len(got) else []
    left, more = sorted(set(want) - set(got)), sorted(set(got) - set(want))
    if twice or left or more or not want:
        raise Failure(f"{listed.op}: {len(got)} items, want {len(want)}; twice {twice[:3]}, left out {left[:3]}, not expected {more[:3]}")
