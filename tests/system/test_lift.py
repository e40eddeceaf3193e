"""tutti.rpt_holdout_lift: its formulas by their vectors, and its figures against the oracle, through the pipeline.

TUTTI_SEED=<number> plays other customers.
"""

import json
import os
import random
import shutil
import time

import pytest

import database  # of tests/oracle, by cluster
import oracle
import policy
from cluster import AS_OF, RETAILER
from holdouts import Lift, newcombe
from people import feed
from rows import Rows
from test_requests import DAY, HOUR, START, request, touchpoint

HOLDOUTS = [
    {"id": "global", "kind": "holdout", "classes": ["marketing"], "percent": 50},
    {"id": "spring", "kind": "holdout", "classes": ["marketing"], "channels": ["E-Mail"], "campaigns": ["spring"], "percent": 20},
]
PEOPLE = 400
ARMS = "SELECT r.holdout, a.anchor_id, r.arm = 1, r.basis_points, r.assigned_at FROM suppression.arms AS r JOIN suppression.anchors AS a USING (anchor)"
DECISIONS = "SELECT request_id, channel, class, tags FROM suppression.decisions"
VECTORS = [
    ((56, 70, 48, 80), (0.2, 0.052431, 0.333873)),
    ((0, 100, 0, 100), (0, -0.036993, 0.036993)),
    ((10, 100, 0, 20), (0.1, -0.067230, 0.174366)),
    ((5, 5, 0, 5), (1, 0.385549, 1)),
]


@pytest.fixture
def world(stack, make_world, tmp_path):
    shutil.copytree(RETAILER, tmp_path / "policies")
    path = tmp_path / "policies" / "contact.json"
    contact = json.loads(path.read_text())
    path.write_text(json.dumps(contact | {"rules": HOLDOUTS, "consent": {"*": {"on_unknown": "allow"}}}))
    return make_world(stack, "lift", policies=tmp_path / "policies")


def test_vectors(world):
    for counts, wanted in VECTORS:
        ((found),) = world.query("SELECT (tutti_meta.newcombe(%s, %s, %s, %s)).*", *counts)
        assert tuple(map(float, found)) == wanted
        assert tuple(round(one, 6) for one in newcombe(*counts)) == wanted
    assert world.query("SELECT (tutti_meta.newcombe(1, 10, 0, 0)).*") == [(None, None, None)]
    ((found),) = world.query("SELECT (tutti_meta.welch(4, 100, 3000, 3, 30, 500)).*")
    assert tuple(map(float, found)) == (15, -1.973786, 31.973786)


def asked(chance, n, person, at):
    campaign = {"campaign": {"id": chance.choice(["spring", "autumn"])}}
    return {**request(f"ask-{n}", person, at, channel=chance.choice(["email", "E-Mail", "sms"])), **campaign}


def requests(chance):
    for n in range(PEOPLE):
        at = START + n * 2 * HOUR
        yield asked(chance, n, f"p-{n}", at)
        if chance.random() < 0.5:
            yield asked(chance, f"{n}-b", f"p-{n}", at + 3 * DAY)


def sends(chance, world, records):
    """What was granted is sent; and some of it that nobody asked for, also to control."""
    granted = {row[0]: str(row[1]) for row in world.query(
        "SELECT f.message_id, d.request_id FROM tutti.fct_contact_decisions AS d JOIN journey.facts AS f ON f.event_id = d.request_id WHERE d.verdict = 'grant'")}
    for one in records:
        shared = {"channel": one["channel"], "campaign": one["campaign"], "direction": "outbound"}
        at = one["occurred_at"] + chance.randrange(1, 24) * HOUR
        if one["message_id"] in granted:
            yield touchpoint(f"sent-{one['message_id']}", one["user_id"], at, "Contact Sent", **shared, decision_id=granted[one["message_id"]])
        elif chance.random() < 0.3:
            contact = chance.choice([{}, {"contact": {"class": "marketing"}}])
            yield touchpoint(f"unasked-{one['message_id']}", one["user_id"], at, "Campaign Sent", **shared, **contact)


def orders(chance):
    for n in range(PEOPLE):
        for k in range(chance.choice([0, 1, 1, 2, 2])):
            at = START + n * 2 * HOUR + chance.choice([-1, 0, 2, 5, 20, 20, 60]) * DAY + chance.randrange(24) * HOUR
            money = {"value_micros": chance.randrange(1, 10**8), "currency": chance.choice(["USD"] * 9 + ["EUR"]), "order_id": f"o-{n}-{k}"}
            yield touchpoint(f"order-{n}-{k}", f"p-{n}", at, "Order Completed", **money)
            if chance.random() < 0.15:
                yield touchpoint(f"back-{n}-{k}", f"p-{n}", at + chance.randrange(1, 30) * DAY, "Order Returned", **{**money, "value_micros": money["value_micros"] // 2})


def joined(chance, loyal):
    """Some people turn out to be one: with a card that has drawn by itself."""
    for n in range(0, PEOPLE, 20):
        yield {**asked(chance, f"card-{n}", None, START + n * HOUR), "identifiers": [{"type": "loyalty_id", "value": f"card-{n}"}]}
        loyal.append({**touchpoint(f"join-{n}", f"p-{n}", START + 90 * DAY, "Page Viewed"), "identifiers": [{"type": "loyalty_id", "value": f"card-{n}"}]})


def found_by_oracle(world):
    policies = policy.Policies.load(world.policies)
    contact = json.loads((world.policies / "contact.json").read_text())
    seen = oracle.Oracle(policies, world.key, int(time.time() * policy.US), world.topic("touchpoints"))
    for line in world.lines:
        seen.add(json.loads(line))
    rows = Rows(seen, AS_OF).all()
    us = lambda at: policy.instant(at.isoformat())  # noqa: E731
    drawn = {(holdout, anchor.bytes): (is_control, points, us(at)) for holdout, anchor, is_control, points, at in world.query(ARMS)}
    decisions = {id.bytes: {"channel": channel, "contact_class": name or "", "tags": (tags or "").split("\n")}
                 for id, channel, name, tags in world.query(DECISIONS)}  # fmt: skip
    goals = [row[0] for row in world.query("SELECT goal_id FROM journey.goals WHERE is_credited AND generation IN (SELECT generation FROM tutti_meta.generations WHERE is_active)")]
    return Lift(seen, rows, contact, drawn, decisions, AS_OF).all(goals)


def shown(world):
    with database.connect(world.url, AS_OF) as connection:
        cursor = connection.execute("SELECT * FROM tutti.rpt_holdout_lift")
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row)) for row in cursor]
    key = ("holdout_id", "assigned_month", "goal_id", "horizon_days", "currency")
    return {tuple(row.pop(name) for name in key): row for row in rows}


def is_same(found, wanted):
    """Rounded to a millionth, and that times the customers."""
    if found is None or wanted is None or isinstance(wanted, bool):
        return found is wanted
    return abs(float(found) - wanted) < (1e-6 if abs(wanted) < 1 else 3e-4)


def test_as_the_oracle_says(world):
    chance, loyal = random.Random(os.environ.get("TUTTI_SEED", "7")), []
    world.start()
    records = [*requests(chance), *joined(chance, loyal)]
    feed(world, *records)
    feed(world, *sends(chance, world, records), *orders(chance), *loyal)
    wanted, found = found_by_oracle(world), shown(world)
    assert wanted.keys() == found.keys()
    for key, figures in wanted.items():
        for name, value in figures.items():
            assert is_same(found[key][name], value), (key, name, value, found[key][name])
    whole = [row for key, row in found.items() if key[:2] == ("global", None) and key[4] == "USD" and key[3] == 90]
    assert any(row["revenue_lift"] is not None and row["credited_revenue"] > 0 for row in whole), "nothing is measured"
    assert any(row["mixed_profiles"] for row in whole)
    arms = dict(world.query("SELECT holdout_arm, count(*) FROM tutti.dim_profiles GROUP BY 1"))
    assert arms["control"] > 100 and arms["treated"] > 100
    world.stop()
