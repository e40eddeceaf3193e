"""A rule that names an event for the first time knows its past: `tutti policy apply` gives the ledger that was always there."""

import json
import shutil

import psycopg
import pytest

from cluster import RETAILER
from feeding import Feeder
from people import HOUR, NOW, RECENT, feed, request, touchpoint
from test_chaos import SETTINGS
from waiting import until

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


PEOPLE = 24


def customer(number):
    return {"user_id": f"user-{number}", "phone": f"+1555000{number:04}"}


def complaints(numbers):
    """Each with a request that follows it, which no rule denies yet."""
    for number in numbers:
        yield touchpoint(f"angry-{number}", RECENT + HOUR, "Chargeback Filed", **customer(number), case_id=str(number))
        yield request(f"asked-{number}", NOW - 2 * HOUR, **customer(number), department="care")


def tell(world, records):
    world.produce([json.dumps(record) for record in records])


def decided(world, count):
    return world.query("SELECT count(*) FROM tutti.fct_contact_decisions WHERE department = 'care'") == [(count,)]


def read_all_again(world):
    """The ledger of a database that always had the policy: suppression has nothing, and reads its topic from the start."""
    services = world.of("suppression")
    alive = [service for service in services if service.is_alive()]
    world.stop(alive)
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("TRUNCATE suppression.facts, suppression.known_addresses, suppression.anchors, suppression.states")
    world.rewind("suppression")
    alive[0].start().wait_ready()
    world.settle(names=("suppression",))


def test_what_only_suppression_has_read_is_read_again(stack, make_world, tmp_path):
    """Events flow, journey-tracker is behind, and an instance dies without a word; apply finds the complaints that nobody kept."""
    world = make_world(stack, "flowing", policies=policies_of(tmp_path / "flowing"), settings=SETTINGS)
    load = world.generate("bank", people=60, events=900)
    early, late = range(PEOPLE // 2), range(PEOPLE // 2, PEOPLE)
    started = world.start(instances=2, names=("identity-resolver", "journey-tracker", "suppression"))
    with Feeder(world, load, pieces=12) as feeder:
        tell(world, complaints(early))
        until(lambda: decided(world, PEOPLE // 2), 60, "the first answers")
        journeys = world.of("journey-tracker")
        world.stop(journeys)
        tell(world, complaints(late))
        until(lambda: decided(world, PEOPLE), 60, "the last answers")
        victim, *others = [service for service in started if service not in journeys and service.name == "suppression"]
        victim.kill()
        world.stop([*others, *world.of("identity-resolver")])
        policies_of(world.policies, HOLD, BOUGHT)
        said = world.tool("policy", "apply").stderr
        feeder.wait_for_pieces(1)
        for service in started:
            service.start()
    world.settle(names=("identity-resolver", "journey-tracker", "suppression"))
    assert "touchpoints again, which journey-tracker has not stored yet" in said
    assert {tuple(rest) for name, rest in reasons(world).items() if name.startswith("asked-")} == {("grant", "revoked", "hold")}
    found = facts(world)
    read_all_again(world)
    assert facts(world) == found and len(found) > 2 * PEOPLE
    world.stop([service for service in started if service.is_alive()])


def facts(world):
    """All of the ledger but when its rows were stored."""
    columns = "anchor, event_id, occurred_at, kind, flags, event, channel, department, class, purpose, tags, priority, product_id"
    more = "product_category, campaign_id, lines, source, case_id, order_id, received_at, consent, score, planned_at, expires_at, decision_id"
    return world.query(f"SELECT {columns}, {more}, others, addresses FROM suppression.facts ORDER BY anchor, event_id, occurred_at")
