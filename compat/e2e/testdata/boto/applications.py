"""The cases of applications: what they are, who is assigned to them, and how they get tokens."""

from case import Case
from world import NO_APPLICATION, NO_ID, NO_INSTANCE, NO_ISSUER, NOT_AN_ARN, NOT_AN_ID, RACE, World
from sets import MANY_TAGS, TAGS

CUSTOM = "arn:aws:sso::aws:applicationProvider/custom"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
RACES = {"ConflictException": RACE}


def cases(w: World):
    w.app, w.spare, w.busy = w.application("boto app"), w.application("boto spare"), w.application("boto busy")
    w.reader, w.readers = w.user("boto-reader"), w.group("boto-readers")
    w.people.create_group_membership(IdentityStoreId=w.store, GroupId=w.readers, MemberId={"UserId": w.reader})
    for i in range(25):
        w.admin.put_application_access_scope(ApplicationArn=w.busy, Scope=f"scope:{i:02}")
    for i in range(100):
        w.admin.create_application_assignment(ApplicationArn=w.busy, PrincipalType="GROUP", PrincipalId=w.group(f"boto-crowd-{i:02}"))
    return applications(w) + settings(w) + assignments(w) + scopes(w) + methods(w) + grants(w) + deletion(w)


def applications(w):
    i = {"InstanceArn": w.instance}
    portal = {"SignInOptions": {"Origin": "APPLICATION", "ApplicationUrl": "https://app.example/"}, "Visibility": "DISABLED"}
    told = {"Name": "boto new", "Description": "d", "Status": "DISABLED", "PortalOptions": portal, "ApplicationProviderArn": CUSTOM}
    nowhere = {"PortalOptions": {"SignInOptions": {"Origin": "APPLICATION"}}}
    made = {"ApplicationArn": w.app, "ApplicationAccount": w.management, "InstanceArn": w.instance, "ApplicationProviderArn": CUSTOM}
    made["CreatedDate"] = ...
    sign_in = {"PortalOptions": {"SignInOptions": portal["SignInOptions"]}}
    provider = {"ApplicationProviderArn": CUSTOM, "FederationProtocol": "OAUTH", "DisplayData": {"DisplayName": ..., "Description": ...}}
    return [
        Case("ListApplicationProviders", {}, {"ApplicationProviders": [provider, {"FederationProtocol": "SAML"}]},
             invalid={"NextToken": "bWFkZSB1cA=="}),
        Case("DescribeApplicationProvider", {"ApplicationProviderArn": CUSTOM}, provider,
             missing={"ApplicationProviderArn": CUSTOM + "-none"},
             invalid={"ApplicationProviderArn": NOT_AN_ARN}),
        Case("CreateApplication", {**i, **told, "Tags": TAGS, "ClientToken": "boto-once"}, {"ApplicationArn": ...},
             missing={"InstanceArn": NO_INSTANCE}, invalid=nowhere,
             conflict={"Name": "another"}, quota={"Tags": MANY_TAGS, "ClientToken": None}),
        Case("CreateApplication", {**i, **told, "ApplicationProviderArn": CUSTOM + "-none"}, refused=True, missing={}),
        Case("DescribeApplication", {"ApplicationArn": w.app},
             {**made, "Name": "boto app", "Status": "ENABLED", "PortalOptions": {"Visibility": "ENABLED"}},
             missing={"ApplicationArn": NO_APPLICATION}, invalid={"ApplicationArn": NOT_AN_ARN}),
        Case("UpdateApplication",
             {"ApplicationArn": w.app, "Name": "boto renamed", "Description": "d", "Status": "DISABLED", **sign_in},
             missing={"ApplicationArn": NO_APPLICATION}, invalid=nowhere, unless=RACES),
        Case("DescribeApplication", {"ApplicationArn": w.app}, {**made, "Name": "boto renamed", "Description": "d", "Status": "DISABLED"}),
        Case("ListApplications", {**i, "MaxResults": 2, "Filter": {"ApplicationProvider": CUSTOM, "ApplicationAccount": w.management}},
             {"Applications": [{"ApplicationArn": ..., "Name": ...}] * 2, "NextToken": ...}, denied={"InstanceArn": NO_INSTANCE},
             invalid={"NextToken": "bWFkZSB1cA=="}),
    ]


def settings(w):
    a, bad = {"ApplicationArn": w.app}, {"missing": {"ApplicationArn": NO_APPLICATION}, "invalid": {"ApplicationArn": NOT_AN_ARN}}
    background = "UserBackgroundSessionApplicationStatus"
    return [
        Case("GetApplicationAssignmentConfiguration", a, {"AssignmentRequired": True}, **bad),
        Case("PutApplicationAssignmentConfiguration", {**a, "AssignmentRequired": False}, **bad, unless=RACES),
        Case("GetApplicationAssignmentConfiguration", a, {"AssignmentRequired": False}),
        Case("GetApplicationSessionConfiguration", a, {background: "DISABLED"}, **bad),
        Case("PutApplicationSessionConfiguration", {**a, background: "ENABLED"}, missing=bad["missing"], invalid={background: "MAYBE"},
             unless=RACES),
        Case("GetApplicationSessionConfiguration", a, {background: "ENABLED"}),
    ]


def assignments(w):
    a, i = {"ApplicationArn": w.app}, {"InstanceArn": w.instance}
    user, group = {"PrincipalType": "USER", "PrincipalId": w.reader}, {"PrincipalType": "GROUP", "PrincipalId": w.readers}
    both = [{**a, **group}, {**a, **user}]
    return [
        Case("CreateApplicationAssignment", {**a, **user}, missing={"PrincipalId": NO_ID}, invalid={"PrincipalId": NOT_AN_ID}, conflict={}),
        Case("CreateApplicationAssignment", {**a, **group}, missing={"ApplicationArn": NO_APPLICATION}, conflict={},
             quota={"ApplicationArn": w.busy}),
        Case("DescribeApplicationAssignment", {**a, **user}, {**a, **user}, missing={"PrincipalId": NO_ID},
             invalid={"ApplicationArn": NOT_AN_ARN}),
        Case("ListApplicationAssignments", a, {"ApplicationAssignments": both}, missing={"ApplicationArn": NO_APPLICATION},
             invalid={"ApplicationArn": NOT_AN_ARN}),
        Case("ListApplicationAssignmentsForPrincipal", {**i, **user}, {"ApplicationAssignments": both},
             missing={"InstanceArn": NO_INSTANCE}, invalid={"PrincipalId": NOT_AN_ID}),
        Case("ListApplicationAssignmentsForPrincipal", {**i, **user, "Filter": {"ApplicationArn": w.spare}},
             {"ApplicationAssignments": []}),
        Case("DeleteApplicationAssignment", {**a, **user}, missing={"ApplicationArn": NO_APPLICATION}, invalid={"PrincipalId": NOT_AN_ID},
             unless=RACES),
        Case("DescribeApplicationAssignment", {**a, **user}, refused=True, missing={}),
    ]


def scopes(w):
    a, s = {"ApplicationArn": w.app}, {"ApplicationArn": w.app, "Scope": "boto:read"}
    targets = {"AuthorizedTargets": [w.spare]}
    missing, invalid = {"ApplicationArn": NO_APPLICATION}, {"Scope": "two words"}
    return [
        Case("PutApplicationAccessScope", {**s, **targets}, missing=missing, invalid=invalid, conflict={"ApplicationArn": w.busy}),
        Case("GetApplicationAccessScope", s, {"Scope": "boto:read", **targets}, missing={"Scope": "boto:write"}, invalid=invalid),
        Case("ListApplicationAccessScopes", a, {"Scopes": [{"Scope": "boto:read", **targets}]}, missing=missing,
             invalid={"ApplicationArn": NOT_AN_ARN}),
        Case("DeleteApplicationAccessScope", s, missing=missing, invalid=invalid, unless=RACES),
        Case("GetApplicationAccessScope", s, refused=True, missing={}),
    ]


def methods(w):
    a = {"ApplicationArn": w.app}
    m = {**a, "AuthenticationMethodType": "IAM"}
    allow = {"Effect": "Allow", "Principal": {"AWS": w.management}, "Action": "sso-oauth:CreateTokenWithIAM", "Resource": "*"}
    method = {"Iam": {"ActorPolicy": {"Version": "2012-10-17", "Statement": [allow]}}}
    missing, invalid = {"ApplicationArn": NO_APPLICATION}, {"ApplicationArn": NOT_AN_ARN}
    return [
        Case("GetApplicationAuthenticationMethod", m, refused=True, missing={}),
        Case("PutApplicationAuthenticationMethod", {**m, "AuthenticationMethod": method}, missing=missing, unless=RACES,
             invalid={"AuthenticationMethod": {"Iam": {"ActorPolicy": {"Statement": 1}}}}),
        Case("GetApplicationAuthenticationMethod", m, {"AuthenticationMethod": method}, missing=missing,
             invalid={"AuthenticationMethodType": "SECRET"}),
        Case("ListApplicationAuthenticationMethods", a,
             {"AuthenticationMethods": [{"AuthenticationMethodType": "IAM", "AuthenticationMethod": method}]}, missing=missing,
             invalid=invalid),
        Case("DeleteApplicationAuthenticationMethod", m, missing=missing, invalid=invalid, unless=RACES),
        Case("ListApplicationAuthenticationMethods", a, {"AuthenticationMethods": []}),
    ]


def grants(w):
    a = {"ApplicationArn": w.app}
    code, refresh = {"AuthorizationCode": {"RedirectUris": ["https://app.example/back"]}}, {"RefreshToken": {}}
    g = {**a, "GrantType": "authorization_code"}
    trusting = {"JwtBearer": {"AuthorizedTokenIssuers": [{"TrustedTokenIssuerArn": NO_ISSUER, "AuthorizedAudiences": ["me"]}]}}
    missing, invalid = {"ApplicationArn": NO_APPLICATION}, {"ApplicationArn": NOT_AN_ARN}
    both = [{"GrantType": "authorization_code", "Grant": code}, {"GrantType": "refresh_token", "Grant": refresh}]
    return [
        Case("PutApplicationGrant", {**g, "Grant": code}, missing=missing, invalid={"Grant": refresh}, unless=RACES),
        Case("PutApplicationGrant", {**a, "GrantType": "refresh_token", "Grant": refresh}),
        Case("PutApplicationGrant", {**a, "GrantType": JWT, "Grant": trusting}, refused=True, missing={}),
        Case("GetApplicationGrant", g, {"Grant": code}, missing={"GrantType": JWT}, invalid={"GrantType": "password"}),
        Case("ListApplicationGrants", a, {"Grants": both}, missing=missing, invalid=invalid),
        Case("DeleteApplicationGrant", g, missing=missing, invalid=invalid, unless=RACES),
        Case("ListApplicationGrants", a, {"Grants": both[1:]}),
    ]


def deletion(w):
    a = {"ApplicationArn": w.spare}
    return [
        Case("DeleteApplication", a, missing={"ApplicationArn": NO_APPLICATION}, invalid={"ApplicationArn": NOT_AN_ARN}, unless=RACES),
        Case("DescribeApplication", a, refused=True, missing={}),
    ]
