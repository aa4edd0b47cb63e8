"""One call of an operation, or one that must be refused, as a row of a table; and what every answer must look like."""

import dataclasses

from botocore import xform_name
from botocore.exceptions import ClientError

MISSING, INVALID, CONFLICT, QUOTA, DENIED = (
    "ResourceNotFoundException",
    "ValidationException",
    "ConflictException",
    "ServiceQuotaExceededException",
    "AccessDeniedException",
)

# Members of errors that callers go by.
DETAILS = {("identitystore", MISSING): "ResourceType", ("identitystore", CONFLICT): "Reason"}

# Members of answers that Debian's boto3 does not know yet, and therefore leaves out.
LATER = {"UserStatus", "CreatedAt"}

# Texts that may be empty although the model says otherwise: AWS answers so too.
EMPTY = {"GetInlinePolicyForPermissionSet.InlinePolicy"}


class Failure(Exception):
    """What a case found to be wrong."""


@dataclasses.dataclass
class Case:
    """A call of `op` that is answered, unless it is only there to be `refused`.

    missing, invalid, conflict, quota and denied are members that take the place of those in params (None: left out) and
    bring the error about. They are asked for before the call, conflicts and quotas after it. That a caller without
    permission is denied is tried with params themselves. unless has the errors of the model that no input causes, with
    the reason. by is the caller whose calls all the others are, one of [World.callers].
    """

    op: str
    params: dict
    want: dict = dataclasses.field(default_factory=dict)
    missing: dict = None
    invalid: dict = None
    conflict: dict = None
    quota: dict = None
    denied: dict = None
    unless: dict = dataclasses.field(default_factory=dict)
    keep: callable = None  # is given the answer, to remember ids
    refused: bool = False
    by: str = "operator"

    def before(self):
        return [(MISSING, self.missing), (INVALID, self.invalid), (DENIED, self.denied)]

    def after(self):
        return [(CONFLICT, self.conflict), (QUOTA, self.quota)]

    def covers(self):
        found = {name for name, change in self.before() + self.after() if change is not None}
        return found if self.refused else found | {DENIED}


def changed(params, change):
    merged = {**params, **change}
    return {k: v for k, v in merged.items() if v is not None}


def call(client, op, params):
    return getattr(client, xform_name(op))(**params)


def refusal(client, op, params, name):
    """Has the call fail with the exception class of that name, as clients look at it."""
    try:
        out = call(client, op, params)
    except ClientError as e:
        check_error(client, op, e, name)
        return
    raise Failure(f"{op}: answered {out}, want {name}")


def check_error(client, op, e, name):
    code, message = e.response["Error"].get("Code"), e.response["Error"].get("Message")
    status = e.response["ResponseMetadata"].get("HTTPStatusCode")
    if code != name or type(e) is not getattr(client.exceptions, name):
        raise Failure(f"{op}: {type(e).__name__} {code}: {message}; want {name}")
    if status != 400 or not message:
        raise Failure(f"{op}: {name} with status {status} and message {message!r}")
    shape = client.meta.service_model.shape_for(name)
    detail = DETAILS.get((client.meta.service_model.service_name, name))
    if detail and not e.response.get(detail):
        raise Failure(f"{op}: {name} without a {detail}: {e.response}")
    told = {k: v for k, v in e.response.items() if k not in ("Error", "ResponseMetadata")}
    conforms(shape, told, f"{op}: {name}")


def conforms(shape, value, at):
    """Holds an answer against the model: required members, the values of enumerations, the lengths of texts."""
    if shape.type_name == "structure":
        lacks = [m for m in shape.required_members if m not in value]
        if lacks:
            raise Failure(f"{at} lacks {lacks}")
        for k, v in value.items():
            if k in shape.members:
                conforms(shape.members[k], v, f"{at}.{k}")
    elif shape.type_name == "list":
        for i, v in enumerate(value):
            conforms(shape.member, v, f"{at}[{i}]")
    elif shape.type_name == "string":
        enum, low = getattr(shape, "enum", None), shape.metadata.get("min", 0)
        if enum and value not in enum:
            raise Failure(f"{at} is {value!r}, none of {enum}")
        if at in EMPTY and value == "":
            return
        if len(value) < low or len(value) > shape.metadata.get("max", len(value)):
            raise Failure(f"{at} has {len(value)} characters")


def agrees(want, got, at):
    """Looks for what is wanted in an answer, which may have more. Lists have as many elements; ... is anything but nothing."""
    if want is ...:
        if got in (None, "", [], {}):
            raise Failure(f"{at} is {got!r}")
    elif isinstance(want, dict):
        for k, v in want.items():
            if k not in got:
                raise Failure(f"{at} lacks {k}: {got}")
            agrees(v, got[k], f"{at}.{k}")
    elif isinstance(want, list):
        if len(want) != len(got):
            raise Failure(f"{at} has {len(got)} elements, want {len(want)}: {got}")
        for i, v in enumerate(want):
            agrees(v, got[i], f"{at}[{i}]")
    elif want != got:
        raise Failure(f"{at} is {got!r}, want {want!r}")


def readable(want, shape):
    """What is wanted, without the members that this boto3 does not read."""
    if shape is None:  # the inside of a document, of which the model knows nothing
        return want
    if isinstance(want, list):
        return [readable(v, shape.member) for v in want]
    if not isinstance(want, dict):
        return want
    return {k: readable(v, shape.members.get(k)) for k, v in want.items() if k in shape.members or k not in LATER}


def steps(case, client, nobody):
    """The calls of a case, each with its name: nobody is the same client for a caller without permission."""
    if not case.refused:
        yield DENIED, lambda: refusal(nobody, case.op, case.params, DENIED)
    yield from refusals(case, client, case.before())
    if not case.refused:
        yield "answer", lambda: answer(case, client)
    yield from refusals(case, client, case.after())


def refusals(case, client, changes):
    for name, change in changes:
        if change is not None:
            params = changed(case.params, change)
            yield name, lambda name=name, params=params: refusal(client, case.op, params, name)


def answer(case, client):
    out = call(client, case.op, case.params)
    shape = client.meta.service_model.operation_model(case.op).output_shape
    if out["ResponseMetadata"]["HTTPStatusCode"] != 200 or not out["ResponseMetadata"].get("RequestId"):
        raise Failure(f"{case.op}: {out['ResponseMetadata']}")
    if shape is not None:
        conforms(shape, out, case.op)
    agrees(readable(case.want, shape), out, case.op)
    if case.keep:
        case.keep(out)
