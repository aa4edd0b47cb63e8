"""The world that the cases run in: clients, the ids that the server came with, and ids that nothing has."""

import json
import time
from functools import partial

import boto3
from botocore.config import Config

NO_INSTANCE = "arn:aws:sso:::instance/ssoins-0000000000000000"
NO_SET = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-0000000000000000"
NO_APPLICATION = "arn:aws:sso::999988887777:application/ssoins-1234567890abcdef/apl-0000000000000000"
NO_ISSUER = "arn:aws:sso::999988887777:trustedTokenIssuer/ssoins-1234567890abcdef/tti-00000000-0000-0000-0000-000000000000"
NO_ACCOUNT = "000000000000"
NO_ID = "00000000-0000-0000-0000-000000000000"
NO_STORE = "d-0000000000"
NOT_AN_ARN = "arn:aws:sso:::nothing/of-the-kind"
NOT_AN_ID = "no id!"

# Why an error of the model is not tried.
RACE = "only another request at the same moment causes it"
SIZE = "a bound that the test does not reach"


class World:
    """What is known of the server; the tables add what they make."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            given = json.load(f)
        self.instance = given["instance_arn"]
        self.store = given["identity_store_id"]
        self.management = given["management_account_id"]
        self.accounts = [a["id"] for a in given["accounts"]]
        self.account, self.owner = "444455556666", given["member"]["account"]
        self.coverage = given["coverage"]
        self.endpoint, self.region = given["endpoint"], given["region"]
        # The operator administers the organization's instance; the member is an administrator of an account that does not, and
        # that owns an instance later; nobody is in an account that does, and may do nothing.
        self.callers = {who: self.clients(given[who]) for who in ("operator", "member", "nobody")}
        self.admin, self.people = self.callers["operator"]

    def clients(self, keys):
        return self.client("sso-admin", keys), self.client("identitystore", keys)

    def client(self, service, keys):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            aws_session_token=keys.get("session_token"),
            config=Config(retries={"total_max_attempts": 1}),
        )

    def client_of(self, op, by="operator"):
        """A caller's client that knows an operation; None when this boto3 does not know it."""
        for client in self.callers[by]:
            if op in client.meta.service_model.operation_names:
                return client
        return None

    def set(self, name):
        out = self.admin.create_permission_set(InstanceArn=self.instance, Name=name)
        return out["PermissionSet"]["PermissionSetArn"]

    def user(self, name):
        out = self.people.create_user(
            IdentityStoreId=self.store,
            UserName=name,
            DisplayName=name,
            Name={"GivenName": name, "FamilyName": "Boto"},
        )
        return out["UserId"]

    def group(self, name):
        return self.people.create_group(IdentityStoreId=self.store, DisplayName=name)["GroupId"]

    def application(self, name):
        out = self.admin.create_application(
            InstanceArn=self.instance, Name=name, ApplicationProviderArn="arn:aws:sso::aws:applicationProvider/custom"
        )
        return out["ApplicationArn"]

    def assignment(self, permission_set, account, kind, principal):
        return {
            "InstanceArn": self.instance,
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": permission_set,
            "PrincipalType": kind,
            "PrincipalId": principal,
        }

    def settled(self):
        """Waits until no request is in progress, by the lists of their states."""
        for operation in (
            "list_account_assignment_creation_status",
            "list_account_assignment_deletion_status",
            "list_permission_set_provisioning_status",
        ):
            wait_until(partial(self.idle, operation))

    def idle(self, operation):
        out = getattr(self.admin, operation)(InstanceArn=self.instance, Filter={"Status": "IN_PROGRESS"})
        return not any(isinstance(v, list) and v for v in out.values())


def wait_until(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"still not so after {seconds} s")
        time.sleep(0.05)
