"""A rule that names an event for the first time knows its past: `tutti policy apply` gives the ledger that was always there."""

import json
import shutil

import psycopg
import pytest

from cluster import RETAILER
from people import HOUR, NOW, RECENT, feed, request, touchpoint
from test_chaos import SETTINGS

HOLD = {"id": "held", "kind": "hold", "on": ["Chargeback Filed", {"score_max": -80}], "release": ["Chargeback Closed"], "by": "case_id"}
BOUGHT = {"id": "had", "kind": "already_bought", "on": ["Policy Issued"], "until": ["Policy Ended"]}
OPEN = {"*": {"on_unknown": "allow"}}
# Identifiers have other ids in every world.
LEDGER = (
    "SELECT occurred_at, event_id, kind, flags, event, channel, department, class, product_id, product_category, lines, source,"
    " case_id, order_id, received_at, score, length(others), length(addresses) FROM suppression.facts WHERE kind = 6 ORDER BY event_id, flags"
)


def policies_of(directory, *rules):
    shutil.copytree(RETAILER, directory, dirs_exist_ok=True)
    contact = json.loads((RETAILER / "contact.json").read_text())
    contact["consent"], contact["rules"] = OPEN, list(rules)
    (directory / "contact.json").write_text(json.dumps(contact))
    return directory


def past():
    phone = {"phone": "+15550001111"}
    lines = json.dumps([{"product_id": "p1", "category": "home/all"}, {"sku": "p2"}])
    yield touchpoint("1", RECENT, user_id="mum", **phone)
    yield touchpoint("2", RECENT + HOUR, "Chargeback Filed", user_id="dad", **phone, case_id="7")
    yield touchpoint("3", RECENT + 2 * HOUR, "Chargeback Filed", user_id="kid", case_id="8")
    yield touchpoint("4", RECENT + 3 * HOUR, "Chargeback Closed", user_id="kid", case_id="8")
    yield touchpoint("5", RECENT + 4 * HOUR, "Survey Answered", user_id="ann", score=-90)
    yield touchpoint("6", RECENT + 5 * HOUR, "Policy Issued", user_id="bob", order_id="o1", items_json=lines)
    yield touchpoint("7", RECENT + 6 * HOUR, "Policy Issued", user_id="cid", order_id="o2", items_json=lines)
    yield touchpoint("8", RECENT + 7 * HOUR, "Policy Ended", user_id="cid", order_id="o2")
    yield touchpoint("sms", RECENT + 7 * HOUR, "Chargeback Filed", "SMS", user_id="flo", phone="+15550002222", email="flo@example1.com", case_id="9")
    yield touchpoint("nobody", RECENT + 7 * HOUR, "Chargeback Filed", case_id="10")
    yield touchpoint("9", RECENT + 8 * HOUR, "Policy Issued", user_id="eve")  # no product: it concerns nobody


def ledger(world):
    with psycopg.connect(world.url) as connection:
        return connection.execute(LEDGER).fetchall()


def asked(name, at, **more):
    return [request(f"{name}-{who}", at + n, user_id=who, **more) for n, who in enumerate(("mum", "dad", "kid", "ann", "bob", "cid"))]


def reasons(world):
    rows = world.query(
        "SELECT t.message_id, coalesce(d.reason, d.verdict), d.outcome, d.outcome_cause FROM tutti.fct_contact_decisions AS d"
        " JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id"
    )
    return {name: rest for name, *rest in rows}


@pytest.fixture
def later_and_always(stack, make_world, tmp_path):
    make = lambda name, *rules: make_world(stack, name, policies=policies_of(tmp_path / name, *rules), settings=SETTINGS)  # noqa: E731
    return make("later"), make("always", HOLD, BOUGHT)


def test_a_new_rule_knows_its_past(later_and_always):
    later, always = later_and_always
    for world in later_and_always:
        world.started = world.start()
        feed(world, *past())
    feed(later, *asked("before", NOW - 2 * HOUR, product_id="p2"))
    assert {name: reason for name, (reason, *_) in reasons(later).items()} == dict.fromkeys(
        [f"before-{who}" for who in ("mum", "dad", "kid", "ann", "bob", "cid")], "grant"
    )
    later.stop(later.started)
    policies_of(later.policies, HOLD, BOUGHT)
    later.tool("policy", "apply")
    assert len(ledger(always)) == 11 and ledger(later) == ledger(always)
    for service in later.started:
        service.start().wait_ready()
    later.settle()
    found = reasons(later)
    assert [found[f"before-{who}"][1:] for who in ("mum", "dad", "kid", "ann", "bob", "cid")] == [
        ["revoked", "hold"], ["revoked", "hold"], ["open", None], ["revoked", "hold"], ["revoked", "purchase"], ["open", None],
    ]  # fmt: skip
    feed(later, *asked("after", NOW - HOUR, product_id="p2"))
    assert [reasons(later)[f"after-{who}"][0] for who in ("mum", "dad", "kid", "ann", "bob", "cid")] == [
        "hold", "hold", "grant", "hold", "already_bought", "grant",
    ]  # fmt: skip
    before = ledger(later)
    later.stop(later.started)
    policies_of(later.policies, HOLD)
    later.tool("policy", "apply")
    assert ledger(later) == before, "what another policy asked for stays"
    always.stop()
