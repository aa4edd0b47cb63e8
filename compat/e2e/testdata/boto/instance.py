"""The cases of the instance itself: its name, attributes, regions and trusted token issuers."""

from case import Case
from world import NO_INSTANCE, NO_ISSUER, NOT_AN_ARN, RACE, World, wait_until
from sets import MANY_TAGS, TAGS

RACES = {"ConflictException": RACE}


def cases(w: World):
    return instance(w) + attributes(w) + issuers(w) + regions(w) + creation(w)


def instance(w):
    i = {"InstanceArn": w.instance}
    about = {**i, "IdentityStoreId": w.store, "OwnerAccountId": w.management, "Status": "ACTIVE", "CreatedDate": ...}
    own = {"KeyType": "AWS_OWNED_KMS_KEY"}
    return [
        Case("UpdateInstance", {**i, "Name": "boto"}, missing={"InstanceArn": NO_INSTANCE}, invalid={"Name": "a/b?"}, unless=RACES),
        Case("DescribeInstance", i, {**about, "Name": "boto"}, denied={"InstanceArn": NO_INSTANCE}, invalid={"InstanceArn": NOT_AN_ARN}),
        Case("ListInstances", {}, {"Instances": [{**about, "Name": "boto"}]}, invalid={"NextToken": "bWFkZSB1cA=="}),
    ]


def attributes(w):
    def configuration(path):
        return {"AccessControlAttributes": [{"Key": "who", "Value": {"Source": [path]}}]}

    i, name = {"InstanceArn": w.instance}, "InstanceAccessControlAttributeConfiguration"
    first, then = configuration("${path:userName}"), configuration("${path:displayName}")
    bad = {name: configuration("${path:shoeSize}")}
    kind = "InstanceAccessControlAttributeConfiguration"
    return [
        Case("Describe" + kind, i, refused=True, missing={}),
        Case("Update" + kind, {**i, name: first}, refused=True, missing={}),
        Case("Delete" + kind, i, refused=True, missing={}),
        Case("Create" + kind, {**i, name: first}, missing={"InstanceArn": NO_INSTANCE}, invalid=bad, conflict={}),
        Case("Describe" + kind, i, {"Status": "ENABLED", name: first}, invalid={"InstanceArn": NOT_AN_ARN}),
        Case("Update" + kind, {**i, name: then}, invalid=bad, unless=RACES),
        Case("Describe" + kind, i, {"Status": "ENABLED", name: then}),
        Case("Delete" + kind, i, invalid={"InstanceArn": NOT_AN_ARN}, unless=RACES),
    ]


def issuer(w, n):
    oidc = {
        "IssuerUrl": f"https://issuer.example/{n}",
        "ClaimAttributePath": "sub",
        "IdentityStoreAttributePath": "userName",
        "JwksRetrievalOption": "OPEN_ID_DISCOVERY",
    }
    return {
        "InstanceArn": w.instance,
        "Name": f"issuer-{n}",
        "TrustedTokenIssuerType": "OIDC_JWT",
        "TrustedTokenIssuerConfiguration": {"OidcJwtConfiguration": oidc},
    }


def issuers(w):
    w.issuers = [w.admin.create_trusted_token_issuer(**issuer(w, n))["TrustedTokenIssuerArn"] for n in range(9)]
    t = {"TrustedTokenIssuerArn": w.issuers[0]}
    made = {k: v for k, v in issuer(w, 0).items() if k != "InstanceArn"}
    rename = {**t, "Name": "renamed", "TrustedTokenIssuerConfiguration": {"OidcJwtConfiguration": {"ClaimAttributePath": "email"}}}
    unknown = {"TrustedTokenIssuerConfiguration": {"OidcJwtConfiguration": {"IdentityStoreAttributePath": "title"}}}
    return [
        Case("CreateTrustedTokenIssuer", {**issuer(w, 9), "Tags": TAGS}, {"TrustedTokenIssuerArn": ...},
             denied={"InstanceArn": NO_INSTANCE},
             invalid={"InstanceArn": NOT_AN_ARN}, conflict={}, quota={**issuer(w, 10)},
             keep=lambda out: w.issuers.append(out["TrustedTokenIssuerArn"])),
        Case("DescribeTrustedTokenIssuer", t, {**made, **t}, missing={"TrustedTokenIssuerArn": NO_ISSUER},
             invalid={"TrustedTokenIssuerArn": NOT_AN_ARN}),
        Case("UpdateTrustedTokenIssuer", rename, missing={"TrustedTokenIssuerArn": NO_ISSUER}, invalid=unknown,
             conflict={"Name": "issuer-1"}),
        Case("DescribeTrustedTokenIssuer", t,
             {"Name": "renamed", "TrustedTokenIssuerConfiguration": {"OidcJwtConfiguration": {"ClaimAttributePath": "email"}}}),
        Case("ListTrustedTokenIssuers", {"InstanceArn": w.instance, "MaxResults": 2},
             {"TrustedTokenIssuers": [{"TrustedTokenIssuerArn": ..., "Name": ..., "TrustedTokenIssuerType": "OIDC_JWT"}] * 2, "NextToken": ...},
             denied={"InstanceArn": NO_INSTANCE}, invalid={"NextToken": "bWFkZSB1cA=="}),
        Case("DeleteTrustedTokenIssuer", t, missing={"TrustedTokenIssuerArn": NO_ISSUER}, invalid={"TrustedTokenIssuerArn": NOT_AN_ARN},
             unless=RACES,
             keep=lambda out: w.issuers.remove(t["TrustedTokenIssuerArn"])),
        Case("CreateTrustedTokenIssuer", {**issuer(w, 11), "Tags": MANY_TAGS}, refused=True, quota={}),
    ]


def regions(w):
    i = {"InstanceArn": w.instance}
    w.regions = [w.region]

    def added(name):
        def wait(_):
            wait_until(lambda: w.admin.describe_region(**i, RegionName=name)["Status"] == "ACTIVE")
            w.regions.append(name)

        return wait

    def removed(_):
        wait_until(lambda: len(w.admin.list_regions(**i)["Regions"]) == len(w.regions) - 1)
        w.regions.remove("eu-central-1")

    first = {**i, "RegionName": "eu-central-1"}
    more = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"]
    about = {"RegionName": "eu-central-1", "Status": "ACTIVE", "IsPrimaryRegion": False, "AddedDate": ...}
    return [
        Case("AddRegion", first, {"Status": "ADDING"}, denied={"InstanceArn": NO_INSTANCE}, invalid={"RegionName": "Mars"}, conflict={},
             keep=added("eu-central-1")),
        Case("DescribeRegion", first, about, missing={"RegionName": "ap-east-1"}, invalid={"RegionName": "Mars"}),
        *[Case("AddRegion", {**i, "RegionName": n}, {"Status": "ADDING"}, keep=added(n)) for n in more],
        Case("AddRegion", {**i, "RegionName": "ap-east-1"}, refused=True, quota={}),
        Case("ListRegions", {**i, "MaxResults": 1}, {"Regions": [about], "NextToken": ...}, denied={"InstanceArn": NO_INSTANCE},
             invalid={"NextToken": "bWFkZSB1cA=="}),
        Case("RemoveRegion", first, {"Status": "REMOVING"}, missing={"RegionName": "ap-east-1"}, invalid={"RegionName": "Mars"},
             keep=removed,
             conflict={"RegionName": w.region}),
    ]


def creation(w):
    """A member account gets an instance of its own, whose cases are in ofaccount.py."""

    def made(out):
        w.own = out["InstanceArn"]

    whose = {"by": "member"}
    return [
        Case("ListInstances", {}, refused=True, denied={}, **whose),
        Case("CreateInstance", {"Tags": MANY_TAGS}, refused=True, quota={}, **whose),
        Case("CreateInstance", {"Name": "own"}, refused=True, invalid={}),  # by the management account
        Case("CreateInstance", {"Name": "own", "Tags": TAGS, "ClientToken": "boto-own"}, {"InstanceArn": ...}, invalid={"Name": "a/b?"},
             conflict={"ClientToken": None}, keep=made, **whose),
    ]
