"""The cases of identitystore."""

from case import Case
from world import NO_ID, NO_STORE, NOT_AN_ID, RACE, SIZE, World

BIG = {"ServiceQuotaExceededException": SIZE}
RACES = {"ConflictException": RACE}
REVISION = {"ConflictException": "it takes a Revision that boto3 does not know"}


def cases(w: World):
    w.ann, w.ben, w.zed = w.user("boto-ann"), w.user("boto-ben"), w.user("boto-zed")
    w.red, w.blue, w.grey = w.group("boto-red"), w.group("boto-blue"), w.group("boto-grey")
    w.membership = w.people.create_group_membership(IdentityStoreId=w.store, GroupId=w.red, MemberId={"UserId": w.ann})["MembershipId"]
    w.last = w.people.create_group_membership(IdentityStoreId=w.store, GroupId=w.grey, MemberId={"UserId": w.zed})["MembershipId"]
    return users(w) + groups(w) + memberships(w) + deletions(w)


def users(w):
    s = {"IdentityStoreId": w.store}
    name = {"GivenName": "Cleo", "FamilyName": "Boto", "MiddleName": "M.", "HonorificPrefix": "Dr"}
    full = {
        "UserName": "boto-cleo", "DisplayName": "Cleo Boto", "Name": name, "NickName": "C", "ProfileUrl": "https://example.org/cleo",
        "Emails": [{"Value": "cleo@example.org", "Type": "work", "Primary": True}],
        "Addresses": [{"StreetAddress": "1 Quay", "Locality": "Kiel", "Country": "DE", "Type": "work", "Primary": True}],
        "PhoneNumbers": [{"Value": "+49 431 1", "Type": "work", "Primary": True}],
        "UserType": "Staff", "Title": "Captain", "PreferredLanguage": "de", "Locale": "de-DE", "Timezone": "Europe/Berlin",
    }
    alternate = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "boto-ann"}}
    nobody = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "boto-nobody"}}
    title = [{"AttributePath": "title", "AttributeValue": "Pilot"}]
    return [
        Case("CreateUser", {**s, **full}, {"IdentityStoreId": w.store, "UserId": ...}, keep=lambda out: setattr(w, "cleo", out["UserId"]),
             missing={"IdentityStoreId": NO_STORE}, invalid={"UserName": None}, conflict={}, unless=BIG),
        Case("ListUsers", {**s, "Filters": [{"AttributePath": "UserName", "AttributeValue": "boto-cleo"}]},
             {"Users": [{**full, "UserStatus": "ENABLED", "CreatedAt": ...}]},
             missing={"IdentityStoreId": NO_STORE}, invalid={"Filters": [{"AttributePath": "Title", "AttributeValue": "x"}]}),
        Case("DescribeUser", {**s, "UserId": w.ann},
             {"UserName": "boto-ann", "UserId": w.ann, "IdentityStoreId": w.store, "Name": {"FamilyName": "Boto"}},
             missing={"UserId": NO_ID}, invalid={"UserId": NOT_AN_ID}),
        Case("GetUserId", {**s, "AlternateIdentifier": alternate}, {"UserId": w.ann, "IdentityStoreId": w.store},
             missing={"AlternateIdentifier": nobody},
             invalid={"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": "title", "AttributeValue": "x"}}}),
        Case("UpdateUser", {**s, "UserId": w.ann, "Operations": title}, missing={"UserId": NO_ID},
             invalid={"Operations": [{"AttributePath": "shoeSize", "AttributeValue": "44"}]},
             conflict={"Operations": [{"AttributePath": "userName", "AttributeValue": "boto-ben"}]}, unless=BIG),
        Case("DescribeUser", {**s, "UserId": w.ann}, {"Title": "Pilot", "UserName": "boto-ann"}),
    ]


def groups(w):
    s = {"IdentityStoreId": w.store}
    alternate = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "boto-red"}}
    nobody = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "boto-none"}}
    text = [{"AttributePath": "description", "AttributeValue": "Sails"}]
    return [
        Case("CreateGroup", {**s, "DisplayName": "boto-green", "Description": "d"}, {"GroupId": ..., "IdentityStoreId": w.store},
             missing={"IdentityStoreId": NO_STORE}, invalid={"DisplayName": None}, conflict={}, unless=BIG),
        Case("ListGroups", {**s, "Filters": [{"AttributePath": "DisplayName", "AttributeValue": "boto-green"}]},
             {"Groups": [{"DisplayName": "boto-green", "Description": "d"}]},
             missing={"IdentityStoreId": NO_STORE}, invalid={"Filters": [{"AttributePath": "Description", "AttributeValue": "x"}]}),
        Case("UpdateGroup", {**s, "GroupId": w.red, "Operations": text}, missing={"GroupId": NO_ID},
             invalid={"Operations": [{"AttributePath": "members", "AttributeValue": "x"}]},
             conflict={"Operations": [{"AttributePath": "displayName", "AttributeValue": "boto-blue"}]}, unless=BIG),
        Case("DescribeGroup", {**s, "GroupId": w.red},
             {"DisplayName": "boto-red", "Description": "Sails", "GroupId": w.red, "IdentityStoreId": w.store},
             missing={"GroupId": NO_ID}, invalid={"GroupId": NOT_AN_ID}),
        Case("GetGroupId", {**s, "AlternateIdentifier": alternate}, {"GroupId": w.red, "IdentityStoreId": w.store},
             missing={"AlternateIdentifier": nobody},
             invalid={"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": "description", "AttributeValue": "x"}}}),
    ]


def memberships(w):
    s, ann, ben, no = {"IdentityStoreId": w.store}, {"UserId": w.ann}, {"UserId": w.ben}, {"UserId": NO_ID}
    row = {"IdentityStoreId": w.store, "MembershipId": w.membership, "GroupId": w.red, "MemberId": ann}
    exists = [{"GroupId": g, "MemberId": ann, "MembershipExists": g == w.red} for g in (w.red, w.blue)]
    return [
        Case("CreateGroupMembership", {**s, "GroupId": w.blue, "MemberId": ben}, {"MembershipId": ..., "IdentityStoreId": w.store},
             missing={"GroupId": NO_ID}, invalid={"GroupId": NOT_AN_ID}, conflict={}, unless=BIG),
        Case("CreateGroupMembership", {**s, "GroupId": w.blue, "MemberId": no}, refused=True, missing={}),
        Case("DescribeGroupMembership", {**s, "MembershipId": w.membership}, row, missing={"MembershipId": NO_ID},
             invalid={"MembershipId": NOT_AN_ID}),
        Case("GetGroupMembershipId", {**s, "GroupId": w.red, "MemberId": ann}, {"MembershipId": w.membership, "IdentityStoreId": w.store},
             missing={"MemberId": ben}, invalid={"GroupId": NOT_AN_ID}),
        Case("IsMemberInGroups", {**s, "MemberId": ann, "GroupIds": [w.red, w.blue]}, {"Results": exists}, missing={"MemberId": no},
             invalid={"GroupIds": [NOT_AN_ID]}),
        Case("ListGroupMemberships", {**s, "GroupId": w.red}, {"GroupMemberships": [row]}, missing={"GroupId": NO_ID},
             invalid={"NextToken": "made up"}),
        Case("ListGroupMembershipsForMember", {**s, "MemberId": ann}, {"GroupMemberships": [row]}, missing={"MemberId": no},
             invalid={"NextToken": "made up"}),
    ]


def deletions(w):
    s = {"IdentityStoreId": w.store}
    return [
        Case("DeleteGroupMembership", {**s, "MembershipId": w.last}, missing={"MembershipId": NO_ID}, invalid={"MembershipId": NOT_AN_ID},
             unless=RACES),
        Case("DeleteGroup", {**s, "GroupId": w.grey}, missing={"GroupId": NO_ID}, invalid={"GroupId": NOT_AN_ID}, unless=REVISION),
        Case("DeleteUser", {**s, "UserId": w.zed}, missing={"UserId": NO_ID}, invalid={"UserId": NOT_AN_ID}, unless=REVISION),
        Case("DescribeUser", {**s, "UserId": w.zed}, refused=True, missing={}),
        Case("DescribeGroup", {**s, "GroupId": w.grey}, refused=True, missing={}),
        Case("DescribeGroupMembership", {**s, "MembershipId": w.last}, refused=True, missing={}),
    ]
