"""The cases of permission sets, their policies and their tags."""

import json

from case import Case
from world import NO_INSTANCE, NO_SET, NOT_AN_ARN, RACE, World

POLICY = "arn:aws:iam::aws:policy/"
RACES = {"ConflictException": RACE}
TAGS = [{"Key": "team", "Value": "sails"}]
MANY_TAGS = [{"Key": f"k{i}", "Value": "v"} for i in range(51)]


def cases(w: World):
    w.main, w.doomed, w.full = w.set("Boto-main"), w.set("Boto-doomed"), w.set("Boto-full")
    for i in range(25):
        w.admin.attach_customer_managed_policy_reference_to_permission_set(
            InstanceArn=w.instance, PermissionSetArn=w.full, CustomerManagedPolicyReference={"Name": f"customer-{i:02}"}
        )
    return sets(w) + managed(w) + customer(w) + inline(w) + boundary(w) + tags(w) + deletion(w)


def sets(w):
    full = {"Name": "Boto-made", "Description": "d", "SessionDuration": "PT2H", "RelayState": "https://example.org/"}
    i = {"InstanceArn": w.instance}
    s = {**i, "PermissionSetArn": w.main}
    return [
        Case("CreatePermissionSet", {**i, **full, "Tags": TAGS}, {"PermissionSet": {**full, "PermissionSetArn": ..., "CreatedDate": ...}},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"SessionDuration": "PT13H"}, conflict={},
             quota={"Name": "Boto-tagged", "Tags": MANY_TAGS}),
        Case("CreatePermissionSet", {**i, "Name": "two words"}, refused=True, invalid={}),
        Case("DescribePermissionSet", s, {"PermissionSet": {"Name": "Boto-main", "PermissionSetArn": w.main, "SessionDuration": "PT1H"}},
             missing={"PermissionSetArn": NO_SET}, invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("UpdatePermissionSet", {**s, "Description": "new", "SessionDuration": "PT12H"}, missing={"PermissionSetArn": NO_SET},
             invalid={"SessionDuration": "1h"}, unless=RACES),
        Case("DescribePermissionSet", s, {"PermissionSet": {"Description": "new", "SessionDuration": "PT12H"}}),
        Case("ListPermissionSets", {**i, "MaxResults": 1}, {"PermissionSets": [...], "NextToken": ...},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"NextToken": "bWFkZSB1cA=="}),
    ]


def managed(w):
    s = {"InstanceArn": w.instance, "PermissionSetArn": w.main}
    p = {**s, "ManagedPolicyArn": POLICY + "ReadOnlyAccess"}
    return [
        Case("AttachManagedPolicyToPermissionSet", p, missing={"PermissionSetArn": NO_SET}, conflict={}, quota={"PermissionSetArn": w.full},
             invalid={"ManagedPolicyArn": "arn:aws:iam::111122223333:policy/Mine"}),
        Case("AttachManagedPolicyToPermissionSet", {**p, "ManagedPolicyArn": POLICY + "NoSuchPolicyAnywhere"}, refused=True, missing={}),
        Case("ListManagedPoliciesInPermissionSet", s,
             {"AttachedManagedPolicies": [{"Name": "ReadOnlyAccess", "Arn": POLICY + "ReadOnlyAccess"}]},
             missing={"PermissionSetArn": NO_SET}, invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("DetachManagedPolicyFromPermissionSet", p, missing={"ManagedPolicyArn": POLICY + "SecurityAudit"},
             invalid={"ManagedPolicyArn": NOT_AN_ARN}, unless=RACES),
        Case("DetachManagedPolicyFromPermissionSet", p, refused=True, missing={}),
        Case("ListManagedPoliciesInPermissionSet", s, {"AttachedManagedPolicies": []}),
    ]


def customer(w):
    s = {"InstanceArn": w.instance, "PermissionSetArn": w.main}
    r = {**s, "CustomerManagedPolicyReference": {"Name": "Ours", "Path": "/team/"}}
    other = {"CustomerManagedPolicyReference": {"Name": "Theirs"}}
    return [
        Case("AttachCustomerManagedPolicyReferenceToPermissionSet", r, missing={"PermissionSetArn": NO_SET}, conflict={},
             quota={"PermissionSetArn": w.full},
             invalid={"CustomerManagedPolicyReference": {"Name": "two words"}}),
        Case("AttachCustomerManagedPolicyReferenceToPermissionSet", {**s, "CustomerManagedPolicyReference": {"Name": "Plain"}}),
        Case("ListCustomerManagedPolicyReferencesInPermissionSet", s,
             {"CustomerManagedPolicyReferences": [{"Name": "Ours", "Path": "/team/"}, {"Name": "Plain", "Path": "/"}]},
             missing={"PermissionSetArn": NO_SET}, invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("DetachCustomerManagedPolicyReferenceFromPermissionSet", r, missing=other, invalid={"PermissionSetArn": NOT_AN_ARN},
             unless=RACES),
        Case("DetachCustomerManagedPolicyReferenceFromPermissionSet", r, refused=True, missing={}),
    ]


def inline(w):
    s = {"InstanceArn": w.instance, "PermissionSetArn": w.main}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}, indent=1)
    names = [f"s3:GetObject{i:04}" for i in range(800)]
    long = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": names, "Resource": "*"}]})
    return [
        Case("GetInlinePolicyForPermissionSet", s, {"InlinePolicy": ""}),
        Case("PutInlinePolicyToPermissionSet", {**s, "InlinePolicy": document}, missing={"PermissionSetArn": NO_SET},
             invalid={"InlinePolicy": "{}"},
             quota={"InlinePolicy": long}, unless=RACES),
        Case("GetInlinePolicyForPermissionSet", s, {"InlinePolicy": document}, missing={"PermissionSetArn": NO_SET},
             invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("DeleteInlinePolicyFromPermissionSet", s, missing={"PermissionSetArn": NO_SET}, invalid={"PermissionSetArn": NOT_AN_ARN},
             unless=RACES),
        Case("DeleteInlinePolicyFromPermissionSet", s, refused=True, missing={}),
    ]


def boundary(w):
    s = {"InstanceArn": w.instance, "PermissionSetArn": w.main}
    ours = {"CustomerManagedPolicyReference": {"Name": "Fence", "Path": "/team/"}}
    both = {**ours, "ManagedPolicyArn": POLICY + "ReadOnlyAccess"}
    aws = {"ManagedPolicyArn": POLICY + "PowerUserAccess"}
    return [
        Case("GetPermissionsBoundaryForPermissionSet", s, refused=True, missing={}),
        Case("PutPermissionsBoundaryToPermissionSet", {**s, "PermissionsBoundary": ours}, missing={"PermissionSetArn": NO_SET},
             invalid={"PermissionsBoundary": both}, unless=RACES),
        Case("GetPermissionsBoundaryForPermissionSet", s, {"PermissionsBoundary": ours}, missing={"PermissionSetArn": NO_SET},
             invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("PutPermissionsBoundaryToPermissionSet", {**s, "PermissionsBoundary": aws}),
        Case("GetPermissionsBoundaryForPermissionSet", s, {"PermissionsBoundary": aws}),
        Case("DeletePermissionsBoundaryFromPermissionSet", s, missing={"PermissionSetArn": NO_SET},
             invalid={"PermissionSetArn": NOT_AN_ARN}, unless=RACES),
        Case("DeletePermissionsBoundaryFromPermissionSet", s, refused=True, missing={}),
    ]


def tags(w):
    r = {"InstanceArn": w.instance, "ResourceArn": w.main}
    return [
        Case("TagResource", {**r, "Tags": TAGS + [{"Key": "cost", "Value": ""}]}, missing={"ResourceArn": NO_SET},
             quota={"Tags": MANY_TAGS},
             invalid={"Tags": [{"Key": "aws:mine", "Value": "v"}]}, unless=RACES),
        Case("ListTagsForResource", r, {"Tags": [{"Key": "cost", "Value": ""}, *TAGS]}, missing={"ResourceArn": NO_SET},
             invalid={"ResourceArn": NOT_AN_ARN}),
        Case("UntagResource", {**r, "TagKeys": ["cost"]}, missing={"ResourceArn": NO_SET}, invalid={"ResourceArn": NOT_AN_ARN},
             unless=RACES),
        Case("ListTagsForResource", {"ResourceArn": w.main}, {"Tags": TAGS}),
    ]


def deletion(w):
    s = {"InstanceArn": w.instance, "PermissionSetArn": w.doomed}
    return [
        Case("DeletePermissionSet", s, missing={"PermissionSetArn": NO_SET}, invalid={"PermissionSetArn": NOT_AN_ARN}),
        Case("DescribePermissionSet", s, refused=True, missing={}),
    ]
