"""schemas/policy/identity.schema.json: the shipped policies fit it, each mistake of shape does not, and the
program says the same. Needs no stack."""

import copy
import json
import shutil
import subprocess

import pytest
from jsonschema import Draft202012Validator

from stack import BIN, ROOT, plain_environment

SCHEMA = json.loads((ROOT / "schemas/policy/identity.schema.json").read_text())
FULL = {
    "types": [
        {"type": "user_id", "rank": 1, "unique": True, "normalise": "plain"},
        {"type": "email", "rank": 2, "match_hashed": True, "limit": {"count": 3, "window": "P1Y2W3DT4H5M6S"}},
        {"type": "session_id", "rank": 4, "counts": False, "scope": "source"},
        {"type": "device_id", "rank": 3, "links": True, "limit": {"count": 9}, "max_links": {"user_id": 3, "email": 5}},
    ],
    "default_calling_code": "49",
    "gmail_dots_and_plus": True,
    "blocked": {
        "values": ["null"],
        "patterns": [{"pattern": "^[0-]*$"}, {"pattern": "^[a-f]+$", "type": "email"}],
        "types": {"email": ["nobody@example1.com"]},
    },
    "pairs": [{"types": ["email", "device_id"], "links": False}, {"types": ["email", "email"], "strength": "weak"}],
    "max_identifiers": 2,
    "max_degree": 1,
}

MISTAKES = [
    ("types", None),
    ("types", []),
    ("types", [{"type": f"t{n}", "rank": n + 1} for n in range(33)]),
    ("types.0.type", None),
    ("types.0.type", ""),
    ("types.0.type", 7),
    ("types.0.type", "user:id"),
    ("types.0.rank", None),
    ("types.0.rank", 0),
    ("types.0.rank", 32768),
    ("types.0.rank", 1.5),
    ("types.0.uniqe", True),
    ("types.0.unique", 1),
    ("types.0.links", "no"),
    ("types.0.normalise", "e-mail"),
    ("types.1.match_hashed", "yes"),
    ("types.2.counts", 0),
    ("types.2.scope", "site"),
    ("types.1.limit", 3),
    ("types.1.limit.count", None),
    ("types.1.limit.count", 0),
    ("types.1.limit.per", "P1D"),
    ("types.1.limit.window", "30d"),
    ("types.1.limit.window", "PT0S"),
    ("types.1.limit.window", "P"),
    ("types.1.limit.window", "P1DT"),
    ("types.1.limit.window", "P1M"),
    ("types.1.limit.window", "P1D2W"),
    ("types.3.max_links", 3),
    ("types.3.max_links.user_id", 0),
    ("types.3.max_links.user_id", "3"),
    ("default_calling_code", "+49"),
    ("default_calling_code", ""),
    ("default_calling_code", "1234"),
    ("gmail_dots_and_plus", "yes"),
    ("blocked", []),
    ("blocked.value", []),
    ("blocked.values.0", 3),
    ("blocked.values.0", "x" * 65),
    ("blocked.patterns.0", "^[0]*$"),
    ("blocked.patterns.0.pattern", "^[0-]{3}$"),
    ("blocked.patterns.0.pattern", "[0-]*"),
    ("blocked.patterns.0.pattern", "^[]*$"),
    ("blocked.patterns.0.pattern", "^[^0]*$"),
    ("blocked.patterns.0.pattern", "^test.*$"),
    ("blocked.patterns.0.pattern", "^[a]|[b]*$"),
    ("blocked.patterns.0.pattern", "^[\\d]+$"),
    ("blocked.patterns.0.pattern", "^[\u00e9]+$"),
    ("blocked.patterns.0.kind", "x"),
    ("blocked.types", []),
    ("blocked.types.email", "x"),
    ("pairs", {}),
    ("pairs.0.types", None),
    ("pairs.0.types", ["email"]),
    ("pairs.0.types", ["email", "phone", "device_id"]),
    ("pairs.0.types", ["email", 3]),
    ("pairs.0.link", False),
    ("pairs.0.strength", "week"),
    ("max_identifiers", 1),
    ("max_identifiers", 1000001),
    ("max_degree", 0),
    ("colour", "red"),
]


def accepts(policy):
    return Draft202012Validator(SCHEMA).is_valid(policy)


def changed(path, value):
    """FULL with another value at "types.1.limit"; None removes it."""
    policy = copy.deepcopy(FULL)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = policy
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return policy


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", ["policies/identity.json", "policies/bank/identity.json"])
def test_the_shipped_policies_fit(path):
    Draft202012Validator(SCHEMA).validate(json.loads((ROOT / path).read_text()))


def test_everything_at_once_and_the_least_fit():
    assert accepts(FULL)
    assert accepts({"types": FULL["types"][:1]})


@pytest.mark.parametrize("path, value", MISTAKES)
def test_a_mistake_does_not_fit(path, value):
    assert not accepts(changed(path, value))


def program_accepts(policy, folder):
    """What `tutti policy check` says of the shipped policies with this identity.json."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    (folder / "policies/identity.json").write_text(json.dumps(policy))
    command = [BIN / "tutti", "policy", "check", folder / "policies"]
    done = subprocess.run(command, env=plain_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 or "identity.json" in done.stderr, done
    return done.returncode == 0


@pytest.mark.parametrize("path, value", [*MISTAKES, ("max_degree", 1000000), ("types.1.limit.window", "PT1S")])
def test_the_program_agrees(path, value, tmp_path):
    policy = changed(path, value)
    assert program_accepts(policy, tmp_path) == accepts(policy)
