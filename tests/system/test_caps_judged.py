"""Caps through the pipeline, against the oracle of caps: random requests, sends and their results, told in any order and twice;
and a customer with so many contacts that a decision must not look at each of them for each request."""

import json
import random
import shutil
import time

import pytest

from cluster import RETAILER
from test_requests import DAY, HOUR, NEXT_YEAR, START, request, touchpoint

EMAIL = {"channel": "email"}
RULES = [
    {"id": "upset", "kind": "hold", "classes": ["marketing"], "on": ["Complaint Filed"], "for": "P2D"},
    {"id": "all3", "kind": "cap", "per": "P3D", "limit_by_priority": {"low": 1, "normal": 2, "high": 4}},
    {"id": "campaign", "kind": "cap", "classes": ["marketing"], "by": "campaign", "per": "P5D", "limit": 1},
    {"id": "tag", "kind": "cap", "by": "tag", "tags": ["loan", "card"], "per": "P1D", "limit": 1},
    {"id": "purpose", "kind": "cap", "channels": ["E-Mail"], "by": "purpose", "per": "P2D", "limit": 1},
    {"id": "department", "kind": "cap", "by": "department", "per": "P30D", "limit": 8, "on_fail": "drop"},
]


@pytest.fixture
def capped(tmp_path):
    folder = tmp_path / "policies"
    shutil.copytree(RETAILER, folder)
    contact = json.loads((folder / "contact.json").read_text())
    contact |= {"rules": RULES, "consent": {"*": {"on_unknown": "allow"}}, "reservation": {"default": "P2D"}}
    (folder / "contact.json").write_text(json.dumps(contact))
    return folder


def random_request(chance, number, person):
    at = START + chance.randrange(80) * 6 * HOUR
    more = {
        "planned_at": at + chance.choice([0, 0, HOUR, DAY]),
        "priority": chance.choice([None, 1, 2, 3]),
        "tags_json": chance.choice([None, '["loan"]', '["card","loan"]', '["other"]']),
        "purpose": chance.choice([None, "care", "offers"]),
        "class": chance.choice(["marketing", "marketing", "marketing", "service", "transactional"]),
    }
    more = {name: value for name, value in more.items() if value is not None}
    asked = request(f"ask-{number}", person, at, chance.choice(["loans", "cards"]), chance.choice(["email", "sms"]), **more)
    return {**asked, **chance.choice([{}, {"campaign": {"id": "spring"}}, {"campaign": {"id": "autumn"}}])}


def results(chance, world, asked):
    """What the channels tell of some decisions, and sends that nobody asked for."""
    ids = {row[0]: str(row[1]) for row in world.query("SELECT message_id, touchpoint_id FROM tutti.fct_touchpoints")}
    for number, one in enumerate(asked):
        event = chance.choice(["Contact Sent", "Contact Sent", "Contact Delivered", "Contact Failed", "Contact Cancelled", None])
        at = one["occurred_at"] + chance.randrange(12) * HOUR
        if event and one["message_id"] in ids:
            answer = {"decision_id": ids[one["message_id"]], "channel": one["channel"]}
            yield touchpoint(f"{one['message_id']}-{number}", one["user_id"], at, event, **answer)
            if event == "Contact Sent" and chance.random() < 0.5:
                yield touchpoint(f"{one['message_id']}-d", one["user_id"], at + 5 * DAY, "Contact Delivered", **answer)
        elif chance.random() < 0.5:
            yield touchpoint(f"unasked-{one['message_id']}", one["user_id"], at, "Campaign Sent", campaign={"id": "spring"})


def test_caps_are_as_the_oracle_says(stack, make_world, capped):
    world = make_world(stack, "caps", policies=capped)
    chance = random.Random(world.key)
    asked = [random_request(chance, number, f"person-{number % 6}") for number in range(240)]
    world.start()
    for part in range(0, len(asked), 60):
        step = asked[part : part + 60]
        step += [touchpoint(f"angry-{part}", "person-1", START + chance.randrange(20) * DAY, "Complaint Filed")]
        for _ in range(2):  # the results of the requests that are decided by then, and everything once more
            world.lines += [json.dumps(record) for record in step]
            world.produce([json.dumps(record) for record in chance.sample(step, len(step))])
            world.settle()
            step += list(results(chance, world, asked[part : part + 60]))
    assert world.verdicts_recorded_wrongly() == []
    contact = json.loads((capped / "contact.json").read_text())
    contact["rules"][4]["per"] = "P3D"
    assert world.verdicts_recorded_wrongly(contact) != []  # it looks at them
    denied = world.query("SELECT rule_id, count(*) FROM tutti.fct_contact_decision_rules WHERE NOT passed GROUP BY 1")
    assert {name for name, _ in denied} == {rule["id"] for rule in RULES}, denied
    world.assert_verdicts()
    world.stop()


def test_a_customer_with_very_many_contacts_stops_nobody(stack, make_world, capped):
    """Each of 15,000 contacts has its request and its send; then 300 more requests arrive at once, and one of somebody else."""
    world = make_world(stack, "many", policies=capped)
    count = 15_000
    asked = [request(f"m-{n}", "monitor", START + n * 60_000_000, **EMAIL, planned_at=START + n * 60_000_000) for n in range(count)]
    world.start(names=["identity-resolver", "suppression"])
    world.produce(json.dumps(one) for one in asked)
    world.produce(json.dumps(touchpoint(f"s-{n}", "monitor", one["occurred_at"] + 1, "Contact Sent", **EMAIL)) for n, one in enumerate(asked))
    world.settle(names=["identity-resolver", "suppression"])
    begin = time.monotonic()
    world.produce(json.dumps(request(f"again-{n}", "monitor", START + 40 * DAY + n, **EMAIL, expires_at=NEXT_YEAR)) for n in range(300))
    world.produce([json.dumps(request("ann", "ann", START + 40 * DAY, **EMAIL))])
    world.settle(names=["identity-resolver", "suppression"])
    assert time.monotonic() - begin < 60
    ((decided,),) = world.query("SELECT count(*) FROM tutti.fct_contact_decisions")
    assert decided == count + 301
    world.stop()
