"""Where customers are: evidence of their touchpoints, quiet hours by it, what a new rule knows of the past, and its erasure."""

import json

import pytest

from cluster import NAMES, RETAILER
from test_requests import DAY, HOUR, START, request, touchpoint
from test_verdicts_judged import policies_of

SERVICES = ["identity-resolver", "suppression"]
QUIET = {"id": "quiet", "kind": "quiet_hours", "from": "21:00", "to": "09:00"}
ROWS = "SELECT kind, value, first_day::text, last_day::text FROM suppression.places ORDER BY 1, 2"
NIGHT = START + 13 * HOUR  # 22:00Z on 1 March: 23:00 in Berlin, 17:00 in New York


def contact(*rules):
    shipped = json.loads((RETAILER / "contact.json").read_text())
    own = {"consent": {"*": {"on_unknown": "allow"}}, "zones": {"unknown": ["US", "Europe/Berlin"]}}
    return {**{name: shipped[name] for name in ("owner", "classes")}, **own, "rules": list(rules)}


def seen(name, person, at, **more):
    return touchpoint(name, person, at, "Page Viewed", channel="web", direction="inbound", **more)


def visits(person):
    return [
        seen(f"{person}-1", person, START, timezone="America/New_York", geo={"country": "us", "region": "US-NY"}),
        seen(f"{person}-2", person, START - 3 * DAY, timezone="America/New_York"),
        seen(f"{person}-3", person, START - 9 * DAY, timezone="Mars/Olympus", geo={"country": "USA"}),
        touchpoint(f"{person}-4", person, START, "Call Ended", channel="call_center", identifiers=[{"type": "phone", "value": "+43 660 5550123"}]),
    ]


EVIDENCE = [
    (1, "America/New_York", "2025-02-26", "2025-03-01"),
    (2, "US", "2025-03-01", "2025-03-01"),
    (3, "US-NY", "2025-03-01", "2025-03-01"),
    (4, "AT", "2025-03-01", "2025-03-01"),
]


def feed(world, *records, names=SERVICES):
    world.produce([json.dumps(record) for record in records])
    world.settle(names=names)


def verdicts(world):
    rows = world.query(
        "SELECT t.message_id, d.verdict, d.reason, d.zones, d.zone_data IS NOT NULL"
        " FROM tutti.fct_contact_decisions AS d JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id"
    )
    return {name: tuple(rest) for name, *rest in rows}


def test_evidence_is_kept_and_erased(stack, make_world, tmp_path):
    world = make_world(stack, "places", policies=policies_of(tmp_path / "policies", contact(QUIET)))
    services = world.start(names=SERVICES)
    feed(world, *reversed(visits("jane")), *visits("jane")[:1])
    assert world.query(ROWS) == EVIDENCE
    feed(world, seen("jane-5", "jane", START + DAY, timezone="America/New_York"))
    assert world.query(ROWS)[0] == (1, "America/New_York", "2025-02-26", "2025-03-02")
    before = world.query(ROWS)
    world.read_again(SERVICES, services)
    assert world.query(ROWS) == before
    world.stop(services)
    report = json.loads(world.tool("erase", "user_id:jane", "--reason", "asked for it", "--execute", "--json").stdout)
    assert report["tables"]["suppression.places"] == 4 and world.query(ROWS) == []
    world.rewind("identity-resolver")
    for service in services:
        service.start().wait_ready()
    world.settle(names=SERVICES)
    assert world.query(ROWS) == [], "what was before the erasure stays away"
    world.stop(services)


@pytest.fixture
def without(stack, make_world, tmp_path):
    return make_world(stack, "without", policies=policies_of(tmp_path / "policies", contact()))


def test_a_new_rule_knows_where_customers_were(without):
    world = without
    services = world.start()
    feed(world, *visits("jane"), seen("mary-1", "mary", START, timezone="Europe/Berlin"), names=NAMES)
    assert world.query(ROWS) == [], "no rule asks"
    world.stop(services)
    (world.policies / "contact.json").write_text(json.dumps(contact(QUIET)))
    world.tool("policy", "apply")
    assert world.query(ROWS) == [EVIDENCE[0], (1, "Europe/Berlin", "2025-03-01", "2025-03-01")], "zones are known of the past"
    for service in services:
        service.start().wait_ready()
    feed(world, *(request(f"ask-{who}", who, NIGHT, channel="sms") for who in ("jane", "mary", "nobody")), names=NAMES)
    assert verdicts(world) == {
        "ask-jane": ("grant", None, "America/New_York", True),
        "ask-mary": ("deny", "quiet_hours", "Europe/Berlin", True),
        "ask-nobody": ("deny", "quiet_hours", verdicts(world)["ask-nobody"][2], True),
    }
    assert "Pacific/Honolulu" in verdicts(world)["ask-nobody"][2]
    world.stop(services)




def test_hours_that_the_customer_asks_for_end_a_grant(stack, make_world, tmp_path):
    own = {"id": "own", "kind": "own_hours"}
    world = make_world(stack, "hours", policies=policies_of(tmp_path / "policies", contact(QUIET, own)))
    services = world.start()
    feed(world, seen("jane-1", "jane", NIGHT, timezone="America/New_York"), names=NAMES)
    feed(world, request("ask", "jane", NIGHT, channel="sms"), names=NAMES)
    assert verdicts(world)["ask"][0] == "grant"
    wish = {"preferences_json": json.dumps({"hours": {"from": "08:00", "to": "12:00"}})}
    feed(world, touchpoint("wish", "jane", NIGHT + 60_000_000, "Preferences Updated", channel="web", direction="inbound", **wish), names=NAMES)
    assert world.query("SELECT outcome, outcome_cause FROM tutti.fct_contact_decisions") == [("revoked", "hours")]
    world.stop(services)
