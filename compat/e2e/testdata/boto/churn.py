"""Lists that lose their items while they are read, as a script that clears up does it: nothing is skipped for that."""

from botocore import xform_name

from case import Failure
from world import World


def steps(w: World, listed):
    s, i = {"IdentityStoreId": w.store}, {"InstanceArn": w.instance}
    rows = [
        ("ListUsers", w.user, lambda name: w.people.delete_user(**s, UserId=name)),
        ("ListGroups", w.group, lambda name: w.people.delete_group(**s, GroupId=name)),
        ("ListPermissionSets", w.set, lambda name: w.admin.delete_permission_set(**i, PermissionSetArn=name)),
        ("ListApplications", w.application, lambda name: w.admin.delete_application(ApplicationArn=name)),
    ]
    for op, make, delete in rows:
        of = next(item for item in listed if item.op == op)
        yield op, lambda of=of, make=make, delete=delete: deleting(w, of, make, delete)


def deleting(w, listed, make, delete):
    """Makes some items more and deletes them where they come on a page."""
    made = {make(f"gone-{n:02}") for n in range(30)}
    pages = w.client_of(listed.op).get_paginator(xform_name(listed.op)).paginate(**listed.params, PaginationConfig={"PageSize": 7})
    key, seen = pages.result_keys[0].expression, []
    for page in pages:
        for name in map(listed.name, page[key]):
            seen.append(name)
            if name in made:
                delete(name)
    want = {*listed.before, *listed.made(w), *made}
    if len(seen) != len(set(seen)) or set(seen) != want:
        raise Failure(f"{listed.op}: {len(seen)} items, {len(set(seen))} of them different, want {len(want)}")
