"""The cases of a member account's own instance: what it has, who sees it, and how it goes."""

from applications import CUSTOM
from case import Case
from sets import TAGS
from world import NOT_AN_ARN, World

MEMBER = {"by": "member"}
LARGE = {"ConflictException": "only while the rest of a large instance goes"}


def cases(w: World):
    (admin, people), i = w.callers["member"], {"InstanceArn": w.own}
    w.own_store = admin.describe_instance(**i)["IdentityStoreId"]
    ids = {"IdentityStoreId": w.own_store}
    user = people.create_user(**ids, UserName="boto-ann", DisplayName="Ann", Name={"GivenName": "Ann", "FamilyName": "Own"})["UserId"]
    group = people.create_group(**ids, DisplayName="boto-red")["GroupId"]
    app = admin.create_application(**i, Name="own", ApplicationProviderArn=CUSTOM)["ApplicationArn"]
    return seen(w) + content(w, ids, user, group, app) + deletion(w, app)


def seen(w):
    """The member and the operator each see their own instance, and neither the other's."""
    i = {"InstanceArn": w.own}
    about = {**i, "IdentityStoreId": w.own_store, "OwnerAccountId": w.owner, "Name": "own", "Status": "ACTIVE", "CreatedDate": ...}
    return [
        Case("ListInstances", {}, {"Instances": [about]}, **MEMBER),
        Case("ListInstances", {}, {"Instances": [{"InstanceArn": w.instance, "OwnerAccountId": w.management}]}),
        Case("DescribeInstance", i, about, denied={"InstanceArn": w.instance}, **MEMBER),
        Case("DescribeInstance", i, refused=True, denied={}),
        Case("ListTagsForResource", {"ResourceArn": w.own}, {"Tags": TAGS}, **MEMBER),
        Case("UpdateInstance", {**i, "Name": "owned"}, **MEMBER),
        Case("DescribeInstance", i, {**about, "Name": "owned"}, **MEMBER),
        Case("ListPermissionSets", i, refused=True, invalid={}, **MEMBER),
        Case("ListRegions", i, {"Regions": [{"RegionName": w.region, "IsPrimaryRegion": True}]}, **MEMBER),
    ]


def content(w, ids, user, group, app):
    member, to_group = {"UserId": user}, {"ApplicationArn": app, "PrincipalType": "GROUP", "PrincipalId": group}
    effective = {"InstanceArn": w.own, "PrincipalType": "USER", "PrincipalId": user}
    # people of the organization
    other, others = {"PrincipalId": w.sailor, "PrincipalType": "USER"}, {"UserId": w.sailor}
    return [
        Case("ListUsers", ids, {"Users": [{"UserName": "boto-ann", "UserId": user}]}, denied={"IdentityStoreId": w.store}, **MEMBER),
        Case("DescribeUser", {**ids, "UserId": user}, refused=True, denied={}),
        Case("CreateGroupMembership", {**ids, "GroupId": group, "MemberId": member}, {"MembershipId": ...}, missing={"MemberId": others},
             **MEMBER),
        Case("ListGroupMemberships", {**ids, "GroupId": group}, {"GroupMemberships": [{"GroupId": group, "MemberId": member}]}, **MEMBER),
        Case("CreateApplicationAssignment", to_group, missing=other, conflict={}, **MEMBER),
        Case("ListApplicationAssignmentsForPrincipal", effective, {"ApplicationAssignments": [to_group]}, **MEMBER),
        Case("ListApplications", {"InstanceArn": w.own}, {"Applications": [{"ApplicationArn": app, "ApplicationAccount": w.owner}]},
             **MEMBER),
        Case("DescribeApplication", {"ApplicationArn": app}, refused=True, denied={}),
    ]


def deletion(w, app):
    i = {"InstanceArn": w.own}
    return [
        Case("DeleteInstance", {"InstanceArn": w.instance}, refused=True, invalid={}),  # that of the organization
        Case("DeleteInstance", i, refused=True, denied={}),
        Case("DeleteInstance", i, denied={"InstanceArn": w.instance}, invalid={"InstanceArn": NOT_AN_ARN}, unless=LARGE, **MEMBER),
        Case("DescribeInstance", i, refused=True, denied={}, **MEMBER),
        Case("DescribeApplication", {"ApplicationArn": app}, refused=True, denied={}, **MEMBER),
        Case("ListUsers", {"IdentityStoreId": w.own_store}, refused=True, denied={}, **MEMBER),
        Case("ListInstances", {}, refused=True, denied={}, **MEMBER),
    ]
