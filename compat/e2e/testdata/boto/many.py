"""Makes 250 of everything that can be so many, and as many as there may be of the rest."""

from applications import JWT
from case import call
from world import NO_ACCOUNT, NO_ID, World, wait_until

MANY = 250
POLICY = "arn:aws:iam::aws:policy/"
MANAGED = [f"Amazon{n}FullAccess" for n in "S3 EC2 SQS SNS SES RDS VPC Route53 DynamoDB Redshift ElastiCache Kinesis".split()]
MANAGED += [f"Amazon{n}ReadOnlyAccess" for n in "S3 EC2 SQS SNS SES RDS VPC Route53".split()]
MANAGED += ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "IAMFullAccess"]


def fill(w: World):
    number = range(MANY)
    w.users = [w.user(f"many-{n:03}") for n in number]
    w.groups = [w.group(f"many-{n:03}") for n in number]
    w.sets = [w.set(f"Many-{n:03}") for n in number]
    w.apps = [w.application(f"many {n:03}") for n in number]
    w.many_accounts = [a for a in w.accounts if a.startswith("5000")][:MANY]
    memberships(w)
    application_assignments(w)
    account_assignments(w)
    small(w)


def memberships(w):
    """The first group has every user, and the first user is in every group."""

    def member(group, user):
        return w.people.create_group_membership(IdentityStoreId=w.store, GroupId=group, MemberId={"UserId": user})["MembershipId"]

    both = member(w.groups[0], w.users[0])
    w.members = [both] + [member(w.groups[0], u) for u in w.users[1:]]
    member(w.groups[1], w.users[2])
    w.joined = [both] + [member(g, w.users[0]) for g in w.groups[1:]]


def application_assignments(w):
    """The first application is every user's, and the second user has every application."""
    for user in w.users:
        w.admin.create_application_assignment(ApplicationArn=w.apps[0], PrincipalId=user, PrincipalType="USER")
    for app in w.apps[1:]:
        w.admin.create_application_assignment(ApplicationArn=app, PrincipalId=w.users[1], PrincipalType="USER")


def account_assignments(w):
    """One set in every account for a user and a group of theirs, one account's set for every user, and every set in one account."""
    w.wide, w.deep, w.home = w.set("Many-wide"), w.set("Many-deep"), w.many_accounts[0]
    asks = [w.assignment(w.wide, a, "USER", w.users[2]) for a in w.many_accounts]
    asks += [w.assignment(w.wide, a, "GROUP", w.groups[1]) for a in w.many_accounts]
    asks += [w.assignment(w.deep, w.account, "USER", u) for u in w.users]
    asks += [w.assignment(s, w.home, "USER", w.users[3]) for s in w.sets]
    nobody = [w.assignment(w.deep, a, "USER", NO_ID) for a in w.many_accounts]
    w.created = [accepted(w, "CreateAccountAssignment", a)["RequestId"] for a in asks + nobody]
    w.failed = w.created[len(asks) :]
    # Nothing of this is assigned: the requests fail, and are listed.
    asks = [w.assignment(w.deep, w.management, "USER", u) for u in w.users]
    w.deleted = [accepted(w, "DeleteAccountAssignment", a)["RequestId"] for a in asks]
    w.settled()
    asks = [{"InstanceArn": w.instance, "PermissionSetArn": s, "TargetType": "ALL_PROVISIONED_ACCOUNTS"} for s in w.sets]
    w.provisioned = [accepted(w, "ProvisionPermissionSet", a)["RequestId"] for a in asks]
    w.settled()


def accepted(w, op, params):
    """The status of a request that is made again for as long as so many are in progress that there is no room for it."""
    answers = []

    def ask():
        try:
            answers.append(call(w.admin, op, params))
        except w.admin.exceptions.ThrottlingException as e:
            if e.response["ResponseMetadata"]["HTTPHeaders"].get("retry-after") != "1":
                raise
        return answers

    wait_until(ask)
    return next(status for name, status in answers[0].items() if name.endswith("Status"))


def small(w):
    w.managed = w.set("Many-managed")
    for name in MANAGED:
        w.admin.attach_managed_policy_to_permission_set(InstanceArn=w.instance, PermissionSetArn=w.managed, ManagedPolicyArn=POLICY + name)
    w.admin.tag_resource(ResourceArn=w.managed, Tags=[{"Key": f"k{n:02}", "Value": "v"} for n in range(50)])
    grants = {
        "authorization_code": {"AuthorizationCode": {"RedirectUris": ["https://app.example/"]}},
        "refresh_token": {"RefreshToken": {}},
        JWT: {"JwtBearer": {}},
        JWT.replace("jwt-bearer", "token-exchange"): {"TokenExchange": {}},
    }
    for kind, grant in grants.items():
        call(w.admin, "PutApplicationGrant", {"ApplicationArn": w.busy, "GrantType": kind, "Grant": grant})
    w.grants = list(grants)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": NO_ACCOUNT}, "Action": "*", "Resource": "*"}]}
    method = {"Iam": {"ActorPolicy": policy}}
    w.admin.put_application_authentication_method(ApplicationArn=w.busy, AuthenticationMethodType="IAM", AuthenticationMethod=method)
