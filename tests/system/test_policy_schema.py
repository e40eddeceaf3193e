"""schemas/policy/identity.schema.json: the shipped policies fit it, each mistake of shape does not, and the
program says the same. Needs no stack."""

import copy
import functools
import json
import operator
import re
import shutil
import subprocess

import pytest
from jsonschema import Draft202012Validator

from stack import BIN, ROOT, plain_environment
from waiting import patient

SCHEMA = json.loads((ROOT / "schemas/policy/identity.schema.json").read_text())
FULL = {
    "$schema": "https://example.com/identity.schema.json",
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
    "min_time": "2015-01-01",
}

REMOVED = object()

MISTAKES = [
    ("types", REMOVED),
    ("types", []),
    ("types", [{"type": f"t{n}", "rank": n + 1} for n in range(33)]),
    ("types.0.type", REMOVED),
    ("types.0.type", ""),
    ("types.0.type", 7),
    ("types.0.type", "user:id"),
    ("types.0.rank", REMOVED),
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
    ("types.1.limit.count", REMOVED),
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
    ("blocked.patterns.0.pattern", "^te?st.*$"),
    ("blocked.patterns.0.pattern", "^[a]|[b]*$"),
    ("blocked.patterns.0.pattern", "^[\\d]+$"),
    ("blocked.patterns.0.pattern", "^[\u00e9]+$"),
    ("blocked.patterns.0.kind", "x"),
    ("blocked.types", []),
    ("blocked.types.email", "x"),
    ("pairs", {}),
    ("pairs.0.types", REMOVED),
    ("pairs.0.types", ["email"]),
    ("pairs.0.types", ["email", "phone", "device_id"]),
    ("pairs.0.types", ["email", 3]),
    ("pairs.0.link", False),
    ("pairs.0.strength", "week"),
    ("max_identifiers", 1),
    ("max_identifiers", 1000001),
    ("max_degree", 0),
    ("min_time", 1971),
    ("min_time", "1969-12-31"),
    ("min_time", "1971-1-1"),
    ("min_time", "1971-01-01T00:00:00Z"),
    ("colour", "red"),
    ("$schema", 7),
    ("types.0.$schema", "x"),
]
# A place that may be left out is not one for null.
NULLS = [
    "types.0.unique",
    "types.0.normalise",
    "types.1.limit",
    "types.1.limit.window",
    "types.3.links",
    "types.3.max_links",
    "types.3.max_links.email",
    "min_time",
    "default_calling_code",
    "blocked",
    "blocked.values",
    "blocked.types.email",
    "blocked.patterns.1.type",
    "pairs.0.links",
    "max_identifiers",
    "$schema",
]


def accepts(policy):
    return Draft202012Validator(SCHEMA).is_valid(policy)


def changed(path, value):
    """FULL with another value at "types.1.limit", or without any."""
    policy = copy.deepcopy(FULL)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = policy
    for step in way:
        place = place[step]
    if value is REMOVED:
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


@pytest.mark.parametrize("path, value", [*MISTAKES, *((path, None) for path in NULLS)])
def test_a_mistake_does_not_fit(path, value):
    assert not accepts(changed(path, value))


def tutti(*words):
    command = [BIN / "tutti", *words]
    return subprocess.run(command, env=plain_environment(), capture_output=True, text=True, timeout=patient(60), check=False)


def said_of(text, folder):
    """What `tutti policy check` says of the shipped policies with this identity.json, and `identity plan` of that alone: it has no
    database here, which is all that it finds wrong with a good one."""
    shutil.copytree(ROOT / "policies", folder, dirs_exist_ok=True)
    (folder / "identity.json").write_text(text)
    check = tutti("policy", "check", folder)
    plan = tutti("identity", "plan", "--policy", folder / "identity.json", "--database.url", "postgresql://nobody@127.0.0.1:9/x")
    assert plan.returncode == 1 and plan.stdout == "", plan
    return check, plan


@pytest.mark.parametrize(
    "path, value",
    [*MISTAKES, *((path, None) for path in NULLS), ("max_degree", 1000000), ("min_time", "1970-01-01"), ("types.1.limit.window", "PT1S")],
)
def test_the_program_agrees(path, value, tmp_path):
    policy = changed(path, value)
    check, plan = said_of(json.dumps(policy), tmp_path)
    if accepts(policy):
        assert check.returncode == 0 and "error: database: " in plan.stderr
    else:
        assert check.returncode == 1 and check.stderr.startswith(f"error: {tmp_path}/identity.json: "), check
        assert check.stderr == plan.stderr


@pytest.mark.parametrize(
    "before, after, says",
    [
        ('"rank": 3,', '"rank": 3,,', r":6:\d+: .* near ','"),
        ('"unique": true', '"uniqe": true', r': types\[0\].uniqe: unknown key, did you mean "unique"\?'),
        ('"normalise": "phone"', '"normalise": "fone"', r': types\[2\].normalise: expected one of .*, got "fone"'),
        ('"max_links": {"user_id": 5, "email"', '"max_links": {"user": 5, "email"', r': types\[2\].max_links.user: no type is called "user", did you mean "user_id"\?'),
        ('"max_degree": 1000', '"max_degree": null', ": max_degree: null is no value: leave the key out for the default"),
    ],
)
def test_an_error_has_one_text(before, after, says, tmp_path):
    text = (ROOT / "policies/identity.json").read_text()
    assert before in text
    check, plan = said_of(text.replace(before, after, 1), tmp_path)
    assert re.fullmatch(f"error: {tmp_path}/identity.json{says}\n", check.stderr), check.stderr
    assert plan.stderr == check.stderr


@pytest.mark.parametrize(
    "path, value, says",
    [
        ("types", [{"type": "a", "rank": 1, "links": False}, {"type": "b", "rank": 2, "links": False}], "nothing links: "),
        ("types", [{"type": "a", "rank": 1, "links": False, "unique": True}, {"type": "b", "rank": 2}], 'the type "a" links'),
        ("types", [{"type": "a", "rank": 1, "max_links": {"b": 2}, "links": False}, {"type": "b", "rank": 2}], 'the type "a": '),
    ],
)
def test_what_acts_on_nothing_is_a_warning(path, value, says, tmp_path):
    check, plan = said_of(json.dumps({path: value}), tmp_path)
    warning = f"warning: {tmp_path}/identity.json: {says}"
    assert check.returncode == 0 and check.stdout == ""
    assert check.stderr.startswith(warning) and check.stderr.endswith(" are valid\n") and check.stderr.count("\n") == 2
    assert plan.stderr.startswith(warning) and "error: database: " in plan.stderr


@pytest.mark.parametrize(
    "name, before, after, says",
    [
        ("contact", '"kind": "opt_out", "classes": ["marketing"]', '"kind": "opt_out"', 'rules[0] ("optout"): has no "classes"'),
        ("contact", '"low": 3', '"low": 9', 'rules[7] ("all7"): "limit_by_priority" falls'),
        ("journey", '"PT30M"', '"PT0S"', "session: is zero"),
    ],
)
def test_what_is_hardly_meant_is_a_warning(name, before, after, says, tmp_path):
    shutil.copytree(ROOT / "policies", tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"{name}.json"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))
    check = tutti("policy", "check", tmp_path)
    warning, end = check.stderr.splitlines()
    assert check.returncode == 0 and warning.startswith(f"warning: {path}: {says}") and end.endswith(" are valid"), check


def places_of_members(value, way=()):
    """The way to every member of every object."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(value, dict):
            yield (*way, key)
        yield from places_of_members(each, (*way, key))


@pytest.mark.parametrize("folder", ["policies", "policies/bank"])
@pytest.mark.parametrize("name", ["identity", "journey", "goals", "contact", "channels"])
def test_no_member_is_null(name, folder, tmp_path):
    shutil.copytree(ROOT / folder, tmp_path, dirs_exist_ok=True)
    text = (ROOT / folder / f"{name}.json").read_text()
    for *way, last in places_of_members(json.loads(text)):
        policy = json.loads(text)
        functools.reduce(operator.getitem, way, policy)[last] = None
        (tmp_path / f"{name}.json").write_text(json.dumps(policy))
        check = tutti("policy", "check", tmp_path)
        assert check.returncode == 1 and f"{name}.json: " in check.stderr, (way, last, check)


@pytest.mark.parametrize("name", ["identity", "journey", "goals", "contact", "channels"])
def test_a_file_may_name_its_schema(name, tmp_path):
    shutil.copytree(ROOT / "policies", tmp_path, dirs_exist_ok=True)
    policy = json.loads((tmp_path / f"{name}.json").read_text())
    (tmp_path / f"{name}.json").write_text(json.dumps({"$schema": f"../schemas/policy/{name}.schema.json", **policy}))
    check = tutti("policy", "check", tmp_path)
    assert (check.returncode, check.stderr) == (0, f"the policies in {tmp_path} are valid\n")
