"""Record requests signed by botocore: whole clients up to the wire, and its bare signers on odd input. See README.md."""

import datetime
import json
import sys
from unittest import mock

import botocore
import botocore.session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTfl=="
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
SET = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"

CALLS = [
    ("sso-admin", "sso", "list_instances", {}),
    ("sso-admin", "sso", "create_permission_set", {"InstanceArn": INSTANCE, "Name": "Réader", "Description": "a & b = c + d"}),
    ("sso-admin", "sso", "create_account_assignment", {
        "InstanceArn": INSTANCE, "PermissionSetArn": SET, "TargetId": "111122223333", "TargetType": "AWS_ACCOUNT",
        "PrincipalType": "GROUP", "PrincipalId": "906731adeb-12345678-1234-5678-90ab-cdef12345678"}),
    ("identitystore", "identitystore", "list_users", {"IdentityStoreId": "d-1234567890"}),
    ("sts", "sts", "get_caller_identity", {}),
    ("sts", "sts", "assume_role", {
        "RoleArn": "arn:aws:iam::111122223333:role/a", "RoleSessionName": "s+1@example.org",
        "Policy": '{"Version": "2012-10-17", "Statement": []}', "Tags": [{"Key": "k", "Value": "ä b"}]}),
    ("iam", "iam", "list_roles", {"PathPrefix": "/aws-reserved/"}),
    ("organizations", "organizations", "list_accounts", {}),
    ("cloudtrail", "cloudtrail", "lookup_events", {}),
]

ODD = [  # method, path and query as sent, headers, body
    ("GET", "/", "", {}, b""),
    ("GET", "//a/./b/../c//", "", {}, b""),
    ("GET", "/a%20b/%E1%88%B4/c%2Fd/~x_y-z.", "", {}, b""),
    ("GET", "/", "b=2&a=1&A=3&a-b=4", {}, b""),
    ("GET", "/", "x=%20%2B%2F%3D%26~&empty=&bare", {}, b""),
    ("POST", "/token", "aws_iam=t", {"Content-Type": "application/json"}, b'{"grantType":"x"}'),
    ("POST", "/", "", {"My-Header": "  a   b\tc  ", "X-Amz-Target": "SWBExternalService.ListInstances"}, b"{}"),
    ("POST", "/", "", {"X-Amz-Content-Sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}, b"{}"),
]


def record(name, service, region, token, method, url, headers, body):
    text = lambda v: v.decode("utf-8") if isinstance(v, bytes) else str(v)
    return {
        "name": name, "service": service, "region": region, "access_key_id": KEY, "secret_access_key": SECRET,
        "session_token": token or "", "method": method, "url": url,
        # The user agent is not signed, and names the machine.
        "headers": [[k, text(v)] for k, v in headers.items() if k != "User-Agent"],
        "body": text(body or b""),
    }


def from_clients(token):
    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET, token)
    for endpoint, region in (("http://127.0.0.1:8080", "eu-west-1"), (None, "us-east-1")):
        for client_name, service, operation, params in CALLS:
            client = session.create_client(client_name, region_name=region, endpoint_url=endpoint, config=Config(retries={"max_attempts": 0}))
            sent = []

            def capture(request, **_):
                sent.append(request)
                return AWSResponse(request.url, 500, {}, None)

            client.meta.events.register("before-send", capture)
            try:
                getattr(client, operation)(**params)
            except Exception as e:  # the made-up answer; what matters was captured
                if not sent:
                    raise e
            r = sent[0]
            yield record(f"{client_name} {operation}", service, region, token, r.method, r.url, r.headers, r.body)
        sts = session.create_client("sts", region_name=region, endpoint_url=endpoint)
        for method in ("GET", "POST"):
            url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod=method)
            yield record(f"presigned {method}", "sts", region, token, method, url, {}, b"")


def from_signers(token):
    for signer, kind in ((SigV4Auth, "header"), (SigV4QueryAuth, "query")):
        for i, (method, path, query, headers, body) in enumerate(ODD):
            if kind == "query" and body:
                continue
            url = "http://id.example.org:8443" + path + ("?" + query if query else "")
            request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
            auth = signer(Credentials(KEY, SECRET, token), "sts", "local-1")
            auth.add_auth(request)
            yield record(f"signer {kind} {i}", "sts", "local-1", token, method, request.url, request.headers, body)


def main():
    frozen = lambda *_, **__: NOW
    with mock.patch("botocore.auth.get_current_datetime", frozen), mock.patch("botocore.signers.get_current_datetime", frozen, create=True):
        cases = [c for token in (None, TOKEN) for make in (from_clients, from_signers) for c in make(token)]
    json.dump({"made_by": f"botocore {botocore.__version__}", "cases": cases}, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
