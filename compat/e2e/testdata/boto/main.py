"""Calls every operation of sso-admin and identitystore with boto3. Prints a line of JSON for each test, and then the lists
that were made, for others to read."""

import json
import sys
import time
import traceback

import boto3
from botocore import xform_name

import applications
import assignments
import case
import churn
import complete
import directory
import instance
import ofaccount
import pages
import sets
from world import World


def test(name, step):
    """Runs one test and prints what became of it."""
    began = time.monotonic()
    try:
        step()
        problem = ""
    except case.Failure as e:
        problem = str(e)
    except Exception:  # a fault of boto3's or of the test: of this test alone
        problem = traceback.format_exc()
    print(json.dumps({"test": name, "problem": problem, "seconds": round(time.monotonic() - began, 3)}))


def run_cases(w, cases):
    for n, c in enumerate(cases):
        client = w.client_of(c.op, c.by)
        if client is None:
            continue
        for what, step in case.steps(c, client, w.client_of(c.op, "nobody")):
            test(f"{c.op}/{n}-{what}", step)


def run_lists(w, listed):
    for item in listed:
        client = w.client_of(item.op)
        if client is None:
            continue
        for what, step in pages.steps(item, client, w):
            test(f"{item.op}/{item.note or 'all'}/{what}", step)
        key = client.get_paginator(xform_name(item.op)).result_keys[0].expression
        about = {"operation": item.op, "service": client.meta.service_model.service_name, "params": item.params}
        about |= {"note": item.note, "key": key, "members": item.members, "items": len(item.before) + len(item.made(w))}
        print(json.dumps({"list": about}))


def main():
    w = World(sys.argv[1])
    print(json.dumps({"boto3": boto3.__version__}))
    cases = []
    for table in (sets, assignments, instance, ofaccount, applications, directory):
        rows = table.cases(w)
        run_cases(w, rows)
        cases += rows
    listed = pages.lists(w)
    run_lists(w, listed)
    for name, step in churn.steps(w, listed):
        test(f"{name}/while deleting", step)
    for name, step in complete.check(w, cases, listed):
        test(f"complete/{name}", step)


main()
