"""What must have a case: every operation that the server implements and boto3 knows, with every error of its model."""

import re
from functools import partial

import boto3
from botocore import xform_name

from case import Failure

# Operations that Sallyport implements and a boto3 does not know, by boto3's version. The newest entry is also what
# versions after it are held against: one that knows more needs cases.
NEWER = ["DescribeIdentityStore", "ListIdentityStores", "UpdateIdentityStore"]
REGIONS = ["AddRegion", "DescribeRegion", "ListRegions", "RemoveRegion"]
UNKNOWN = {
    (1, 37): [*REGIONS, "GetApplicationSessionConfiguration", "PutApplicationSessionConfiguration", *NEWER],
    (1, 43): NEWER,
}

# Errors that no caller can bring about.
OURS = {"InternalServerException", "ThrottlingException"}


def implemented(coverage, service):
    """The names of a service's operations in docs/coverage.txt, and those of them that are implemented."""
    part = re.search(rf"^{service}: .*\n((?:  .*\n)*)", coverage, re.MULTILINE)
    rows = re.findall(r"\[([x ])\] (\w+)", part[1])
    return {name for _, name in rows}, {name for mark, name in rows if mark == "x"}


def unknown_here():
    version = tuple(int(n) for n in boto3.__version__.split(".")[:2])
    return set(UNKNOWN[max(v for v in UNKNOWN if v <= version)])


def check(w, cases, listed):
    """Yields each thing to hold the tables against, with its name."""
    unknown, called = set(), {c.op for c in cases if not c.refused}
    for client, title in ((w.admin, "SSO Admin"), (w.people, "identitystore")):
        known = set(client.meta.service_model.operation_names)
        every, done = implemented(w.coverage, title)
        unknown |= done - known
        yield f"{title} names", partial(none, "operations that docs/coverage.txt does not have", known - every)
        yield f"{title} cases", partial(none, "operations without a case", (known & done) - called)
        yield f"{title} errors", partial(none, "errors without a case", untried(client, known & done, cases))
        yield f"{title} paginators", partial(none, "paginators without a list", unpaged(client, known & done, listed))
    what = f"operations that boto3 {boto3.__version__} knows or not, other than UNKNOWN says"
    yield "unknown", partial(none, what, unknown ^ unknown_here())


def none(what, names):
    if names:
        raise Failure(f"{what}: {sorted(names)}")


def untried(client, ops, cases):
    """The errors that the model gives an operation and no case has; and those both tried and said to be impossible."""
    out = set()
    for op in ops:
        of = [c for c in cases if c.op == op]
        modelled = {e.name for e in client.meta.service_model.operation_model(op).error_shapes} - OURS
        tried, unless = set().union(*(c.covers() for c in of)), set().union(*(c.unless for c in of))
        out |= {f"{op}: {e}" for e in modelled - tried - unless}
        out |= {f"{op}: {e} is tried, and its case says that nothing causes it" for e in tried & unless}
    return out


def unpaged(client, ops, listed):
    return {op for op in ops if client.can_paginate(xform_name(op))} - {item.op for item in listed}
