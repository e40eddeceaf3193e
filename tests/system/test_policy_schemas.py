"""The JSON schemas of the policy files beside identity.json: the shipped policies fit them, each mistake of shape does not, and the
program says the same. Needs no stack."""

import copy
import json
import re
import shutil

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from stack import ROOT
from test_policy_schema import REMOVED, places_of_members, tutti

FOLDER = ROOT / "schemas" / "policy"
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.schema.json"))}
REGISTRY = Registry().with_resources((f"{name}.schema.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items())
CHECKED_KEYS, LITERAL = re.compile(r"json_check_keys\((.*?)err\)", re.DOTALL), re.compile(r'"([^"]*)"')
ORDERED = {"events": ["Order Completed"]}
FILTER = {
    "events": ["Order Completed"], "channels": ["web"], "networks": ["*"], "departments": ["crm"], "purposes": ["brand"], "campaigns": ["c*"],
    "categories": ["ink*"], "direction": "inbound", "value": "positive", "score_kind": "nps", "score_min": -100, "score_max": 100,
}  # fmt: skip

# Every key of a file. Names are those that the shipped policies or the other files here declare.
FULL = {
    "traits": {
        "$schema": "traits.schema.json",
        "keep": "declared",
        "traits": [
            {"name": "city", "type": "text", "rule": "first", "sources": ["urn:crm"], "title": "Town"},
            {"name": "age", "type": "number", "rule": "max"},
            {"name": "born", "type": "date", "rule": "min"},
            {"name": "vip", "type": "boolean", "rule": "latest"},
        ],
    },
    "segments": {
        "$schema": "segments.schema.json",
        "segments": [
            {"id": "complaining", "title": "Complains", "owner": "service", "figures": True, "when": {"did": FILTER, "at_least": 2, "within": "P30D"}},
            {"id": "recent_buyers", "when": {"all": [{"did": ORDERED, "at_most": 3}, {"not": {"segment": "complaining"}}]}},
            {"id": "c", "when": {"any": [
                {"spent": ORDERED, "measure": "margin", "currency": "EUR", "at_least": "1000.50", "within": "P365D"},
                {"spent": ORDERED, "measure": "value", "currency": "EUR", "below": "-1", "within": "P1D"},
                {"open": ORDERED, "until": {"events": ["Order Returned"]}, "within": "PT1H"},
                {"trait": "city", "is": "Bonn"}, {"trait": "city", "in": ["Rome"]}, {"trait": "age", "at_least": 18},
                {"trait": "born", "at_most": "2000-02-29"}, {"trait": "vip", "known": True},
                {"last_score": {"at_least": -50, "kind": "nps"}, "within": "P60D"}, {"last_score": {"at_most": 0}},
                {"stage": ["purchase"]}, {"stage_at_least": "purchase"}, {"status": ["lapsed", "at_risk"]}, {"new_within": "P60D"},
            ]}},
        ],
        "tiers": [{"tier": "gold", "segment": "c"}],
    },
    "orchestration": {
        "$schema": "orchestration.schema.json",
        "never_if": ["complaining"],
        "rules": [{
            "id": "printer", "on": FILTER, "cancel_on": ORDERED, "not_if": ["recent_buyers"], "priority": "high",
            "offers": [{
                "id": "ink", "product": "ink", "owner": "web", "expires": "P75D", "after": "P30D", "cooling": "P90D", "title": "Ink",
                "done_on": {"categories": ["ink*"]}, "cancel_on": {"events": ["Order Returned"]}, "not_if": ["complaining"],
            }],
        }],
        "gestures": {
            "case_on": {"events": ["Complaint Filed"]}, "case_until": {"events": ["Complaint Resolved"]}, "approver": "manager",
            "limits": [{"currency": "USD", "per_case": "50", "per_agent_month": "500.5"}],
        },
    },
    "goals": {
        "$schema": "goals.schema.json",
        "goals": [
            {"id": "sale", "title": "Sales", "unit": "USD", "measure": "value", "direction": "up", "on": FILTER, "windows": ["week", "month", "quarter"]},
            {"id": "first_redemption", "parent": "sale", "measure": "count", "on": ORDERED, "nth": 1, "within": "P30D", "credited": False},
            {"id": "active", "measure": "stock", "direction": "down", "status": "active", "from_stage": "purchase", "identified": True},
            {"id": "buyers", "measure": "entries", "segment": "recent_buyers"},
            {"id": "redemptions", "measure": "count", "on": {"events": ["Coupon Redeemed"]}},
        ],
    },
}  # fmt: skip

MISTAKES = {
    "traits": [
        ("traits", REMOVED), ("traits", {}), ("keep", "some"), ("colour", 1), ("traits.0.name", REMOVED), ("traits.0.name", "a b"), ("traits.0.name", "x" * 65),
        ("traits.0.type", "list"), ("traits.0.rule", "sum"), ("traits.0.rule", "max"), ("traits.3.rule", "min"), ("traits.0.sources", []),
        ("traits.0.sources", ["a", "a"]), ("traits.0.sources", ["x"] * 9), ("traits.0.title", 3), ("traits.0.owner", "crm"),
        ("traits", [{"name": f"t{n}", "type": "text", "rule": "latest"} for n in range(33)]),
    ],
    "segments": [
        ("segments", REMOVED), ("segment", []), ("tiers", []), ("tiers.0.tier", ""), ("tiers.0.tier", REMOVED), ("tiers.0.rank", 1), ("segments.0.id", "(a)"),
        ("segments.0.id", ""), ("segments.0.when", REMOVED), ("segments.0.when", {}), ("segments.0.when", {"did": ORDERED, "segment": "a"}),
        ("segments.0.when.did", {}), ("segments.0.when.did.events", []), ("segments.0.when.did.events.0", ""), ("segments.0.when.did.event", ["x"]),
        ("segments.0.when.did.direction", "up"), ("segments.0.when.did.value", "negative"), ("segments.0.when.did.score_min", -101),
        ("segments.0.when.at_least", 0), ("segments.0.when.at_least", 17), ("segments.0.when.at_most", 3), ("segments.0.when.within", "30d"),
        ("segments.0.figures", "yes"), ("segments.1.when.all", []), ("segments.1.when.all.0.at_most", 16), ("segments.1.when.any", [{"segment": "a"}]),
        ("segments.2.when.any.0.within", REMOVED), ("segments.2.when.any.0.below", "3"), ("segments.2.when.any.0.at_least", 1000),
        ("segments.2.when.any.0.measure", "revenue"), ("segments.2.when.any.0.currency", "EURO"), ("segments.2.when.any.2.until", REMOVED),
        ("segments.2.when.any.3.is", REMOVED), ("segments.2.when.any.3.in", ["Rome"]), ("segments.2.when.any.4.in", []), ("segments.2.when.any.7.known", False),
        ("segments.2.when.any.8.last_score.at_most", 3), ("segments.2.when.any.8.last_score.at_least", 101), ("segments.2.when.any.9.last_score", {}),
        ("segments.2.when.any.10.stage", []), ("segments.2.when.any.10.stage", ["buying"]), ("segments.2.when.any.11.stage_at_least", ["purchase"]),
        ("segments.2.when.any.12.status", ["new"]), ("segments.2.when.any.13.new_within", 60), ("segments.2.when.any.13.within", "P60D"),
    ],
    "orchestration": [
        ("rules", REMOVED), ("never", []), ("never_if", "complaining"), ("rules.0.id", "(x)"), ("rules.0.on", REMOVED), ("rules.0.on", {}),
        ("rules.0.priority", "urgent"), ("rules.0.offers", []), ("rules.0.offers.0.product", REMOVED), ("rules.0.offers.0.owner", ""),
        ("rules.0.offers.0.expires", REMOVED), ("rules.0.offers.0.after", "30d"), ("rules.0.offers.0.cooling", 90), ("rules.0.offers.0.price", "1"),
        ("rules.0.offers.0.product", "x" * 65), ("gestures.case_on", REMOVED), ("gestures.case_on", {"value": "positive"}),
        ("gestures.case_until", {"events": ["a"], "categories": ["b"]}), ("gestures.limits", {}), ("gestures.limits.0.per_case", 50),
        ("gestures.limits.0.currency", "dollar"), ("gestures.limits.0.per_agent_month", REMOVED), ("gestures.limit", 1), ("gestures.approver", ""),
    ],
    "goals": [
        ("goals", REMOVED), ("goal", []), ("goals.0.id", REMOVED), ("goals.0.id", 3), ("goals.0.measure", "sum"), ("goals.0.measure", "stock"),
        ("goals.0.on", REMOVED), ("goals.0.on", {}), ("goals.0.status", "active"), ("goals.0.target", 3), ("goals.0.direction", "left"), ("goals.0.windows", []),
        ("goals.0.windows", ["day"]), ("goals.0.windows", ["week", "week"]), ("goals.0.within", "P3D"), ("goals.1.nth", 0), ("goals.1.nth", 1001),
        ("goals.1.nth", REMOVED), ("goals.1.within", "3 days"), ("goals.1.credited", "no"), ("goals.2.status", "gone"), ("goals.2.status", REMOVED),
        ("goals.2.measure", "count"), ("goals.2.from_stage", "buying"), ("goals.2.windows", ["week"]), ("goals.3.segment", REMOVED),
        ("goals.3.identified", True), ("goals.3.from_stage", "purchase"),
    ],
}  # fmt: skip


def accepts(name, policy):
    return Draft202012Validator(SCHEMAS[name], registry=REGISTRY).is_valid(policy)


def changed(name, path, value):
    """FULL with another value at "rules.0.id", or without any."""
    policy = copy.deepcopy(FULL[name])
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = policy
    for step in way:
        place = place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return policy


def said_of(name, policy, folder):
    """What `tutti policy check` says of the shipped policies with these files."""
    shutil.copytree(ROOT / "policies", folder, dirs_exist_ok=True)
    for other, text in {**FULL, name: policy, "targets": {"targets": []}}.items():
        (folder / f"{other}.json").write_text(json.dumps(text))
    return tutti("policy", "check", folder)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name):
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("folder", ["policies", "policies/bank"])
@pytest.mark.parametrize("name", sorted(SCHEMAS.keys() - {"filter"}))
def test_the_shipped_policies_fit(name, folder):
    Draft202012Validator(SCHEMAS[name], registry=REGISTRY).validate(json.loads((ROOT / folder / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", FULL)
def test_everything_at_once_fits(name, tmp_path):
    assert accepts(name, FULL[name])
    check = said_of(name, FULL[name], tmp_path)
    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize("name, path, value", [(name, *mistake) for name, mistakes in MISTAKES.items() for mistake in mistakes])
def test_a_mistake_does_not_fit_and_the_program_agrees(name, path, value, tmp_path):
    policy = changed(name, path, value)
    assert not accepts(name, policy)
    check = said_of(name, policy, tmp_path)
    assert check.returncode == 1 and check.stderr.startswith(f"error: {tmp_path}/{name}.json: "), check.stderr


@pytest.mark.parametrize("name", FULL)
def test_no_member_is_null(name):
    for *way, last in places_of_members(FULL[name]):
        assert not accepts(name, changed(name, ".".join(map(str, (*way, last))), None)), (way, last)


@pytest.mark.parametrize("name", FULL)
def test_the_full_file_has_every_key(name):
    """So a key that is new in a schema is tried here, too."""
    used = {key for place in map(list, places_of_members(FULL[name])) for key in place if isinstance(key, str)}
    assert set(keys_of(SCHEMAS[name])) <= used and FILTER.keys() == SCHEMAS["filter"]["properties"].keys()


@pytest.mark.parametrize("name", [*FULL, "filter"])
def test_every_key_that_the_program_reads_is_in_the_schema(name):
    text = (ROOT / "services" / "journey-tracker" / "policy" / f"journey_{name}.c").read_text()
    read = [word for keys in CHECKED_KEYS.findall(text) for literal in LITERAL.findall(keys) for word in literal.split()]
    assert read and set(read) <= set(keys_of(SCHEMAS[name]))


def keys_of(schema):
    """Keys of all objects that a schema describes."""
    for key, each in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        if key == "properties":
            yield from each
        yield from keys_of(each)
