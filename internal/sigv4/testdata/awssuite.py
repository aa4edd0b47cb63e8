"""Put AWS's Signature Version 4 test suite, one directory a case, into one JSON file: see README.md."""

import json
import pathlib
import sys


def variant(case, kind):
    read = lambda what: (case / f"{kind}-{what}.txt").read_text("utf-8")
    return {
        "canonical_request": read("canonical-request"),
        "string_to_sign": read("string-to-sign"),
        "signature": read("signature"),
        "signed_request": read("signed-request"),
    }


def main(suite):
    cases = []
    for signature in sorted(pathlib.Path(suite).glob("*/header-signature.txt")):
        case = signature.parent
        context = json.loads((case / "context.json").read_text())
        if context["normalize"]:
            cases.append({"name": case.name, "context": context, "header": variant(case, "header"), "query": variant(case, "query")})
    json.dump(cases, sys.stdout, indent=1, ensure_ascii=False)
    print()


main(sys.argv[1])
