"""Contact requests: exactly one verdict each, one grant for one last slot, and an opt-out that takes a grant back."""

import json
import os
import shutil
import struct

import pytest

from cluster import RETAILER, run_tool
from topics import framed

RACES = int(os.environ.get("TUTTI_TEST_RACES") or 100)
START = 1740819600000000  # 2025-03-01T09:00:00Z
HOUR, DAY = 3600 * 1000000, 24 * 3600 * 1000000
NEXT_YEAR = 2114380800000000  # reservations of the past are over


def one_slot_policies(folder):
    """The retailer's policies with one contact a month for everybody, in a folder of their own."""
    folder = folder / "policies"
    shutil.copytree(RETAILER, folder)
    contact = json.loads((folder / "contact.json").read_text())
    contact["rules"] = [
        {"id": "optout", "kind": "opt_out"},
        {"id": "one", "kind": "cap", "channels": "*", "per": "P30D", "limit": 1},
    ]
    (folder / "contact.json").write_text(json.dumps(contact))
    return folder


@pytest.fixture
def one_slot(tmp_path):
    return one_slot_policies(tmp_path)


def touchpoint(message_id, person, occurred_at, event, **more):
    return {
        "message_id": message_id,
        "source": "urn:test",
        "type": "track",
        "channel": "direct_mail",
        "occurred_at": occurred_at,
        "event_name": event,
        "user_id": person,
        **more,
    }


def request(message_id, person, occurred_at, department="marketing", channel="direct_mail", **contact):
    details = {"class": "marketing", "planned_at": occurred_at + HOUR, "expires_at": NEXT_YEAR, **contact}
    return touchpoint(
        message_id,
        person,
        occurred_at,
        "Contact Requested",
        direction="outbound",
        department=department,
        contact=details,
        **{"channel": channel},
    )


def pairs(count):
    """Two departments ask for the same person at the same moment."""
    for number in range(count):
        for department in ("insurance", "cards"):
            yield request(f"{department}-{number}", f"person-{number}", START, department)


def granted(world):
    """{person's profile: grants}."""
    rows = world.query(
        "SELECT profile_id, count(*), count(*) FILTER (WHERE verdict = 'grant')"
        " FROM tutti.fct_contact_decisions GROUP BY 1"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def assert_one_grant_each(world, people):
    found = granted(world)
    assert len(found) == people
    wrong = {profile: counts for profile, counts in found.items() if counts != (2, 1)}
    assert not wrong, f"{len(wrong)} of {people} races were not won once: {wrong}"
    decisions = world.decisions()
    assert len(decisions) == 2 * people and set(decisions.values()) == {1}
    world.assert_verdicts()


def test_last_slot_is_granted_once(stack, make_world, one_slot):
    world = make_world(stack, "slot", policies=one_slot)
    world.start(instances=2)
    world.lines = [json.dumps(record) for record in pairs(RACES)]
    world.produce(world.lines, key="message_id")
    world.settle()
    assert_one_grant_each(world, RACES)
    world.assert_equals_oracle()
    world.stop()


def resolved(number, record):
    """A resolved touchpoint of a person, as identity-resolver would send it."""
    person = struct.pack(">QQ", number + 1, 77)
    event_id = struct.pack(">QQ", number, record["department"] == "cards")
    return b"\x00" + struct.pack(">I", 2000001) + event_id + person + person + bytes(8) + bytes(3) + framed(1, record)[5:]


def send_to_both_partitions(world):
    """The two requests of a person to two partitions, which two instances read."""
    both = list(pairs(RACES))
    for partition in (0, 1):
        values = [(None, resolved(at // 2, record), None) for at, record in enumerate(both) if at % 2 == partition]
        world.topics.produce(world.topic("resolved"), values, partition=partition)


@pytest.mark.parametrize("is_waiting", [False, True])
def test_last_slot_is_granted_once_across_instances(stack, make_world, one_slot, is_waiting):
    """Every profile is locked from two sides; is_waiting: all requests are there when the instances start."""
    world = make_world(stack, "race", policies=one_slot, partitions={"resolved": 2})
    if is_waiting:
        send_to_both_partitions(world)
    instances = world.start(instances=2, names=["suppression"])
    if not is_waiting:
        send_to_both_partitions(world)
    world.settle(names=["suppression"])
    assert_one_grant_each(world, RACES)
    consumed = [service.metric("tutti_records_consumed_total") for service in instances]
    assert sum(consumed) >= 2 * RACES
    world.stop()


def test_opt_out_revokes(world):
    consent = touchpoint("consent", "jane", START, "Consent Given", channel="web", consent={"email": True})
    asked = request("asked", "jane", START + HOUR, channel="email")
    others = request("others", "jane", START + 2 * HOUR, channel="direct_mail")
    no = {"email": False}
    withdrawn = touchpoint("out", "jane", START + 3 * HOUR, "Consent Withdrawn", channel="web", consent=no)
    late = request("late", "jane", START + 4 * HOUR, channel="email")
    world.start()
    for step in ([consent], [asked, others], [withdrawn], [late]):
        world.lines += [json.dumps(record) for record in step]
        world.produce([json.dumps(record) for record in step])
        world.settle()
    rows = world.query(
        "SELECT channel, verdict, reason, outcome, outcome_cause FROM tutti.fct_contact_decisions ORDER BY requested_at"
    )
    assert rows == [
        ("email", "grant", None, "revoked", "opt_out"),
        ("direct_mail", "grant", None, "expired", None),  # untouched, and long over by the time of the query
        ("email", "deny", "opt_out", None, None),
    ]
    world.assert_chronicles()
    verdicts = [message["verdict"] for message in world.messages("decisions")]
    assert sorted(verdicts) == ["deny", "grant", "grant", "revoked"]
    world.assert_equals_oracle()
    world.stop()


def test_every_request_has_one_verdict_with_its_rules(world):
    """Identified or not, well-formed or not; the correlation id comes back."""
    plain = [
        request("fine", "ann", START),
        request("again", "ann", START),
        {**request("nobody", None, START), "user_id": "null"},
        {**request("shapeless", "bob", START), "contact": None},
        request("tags", "carl", START, tags_json="not a list"),
        request("expired", "dora", START, planned_at=START + 2 * HOUR, expires_at=START + HOUR),
    ]
    records = [(None, framed(1, record), [("kafka_correlationId", record["message_id"].encode())]) for record in plain]
    world.start()
    world.topics.produce(world.topic("touchpoints"), records + records)
    world.settle()
    told = list(world.topics.read(world.topic("decisions")))
    assert sorted(dict(message.headers())["kafka_correlationId"] for message in told) == sorted(
        record["message_id"].encode() for record in plain
    )
    rows = world.query("SELECT verdict, count(*) FROM tutti.fct_contact_decisions GROUP BY 1")
    assert sum(number for _, number in rows) == len(plain)
    assert dict(rows)["invalid"] >= 1 and dict(rows)["grant"] >= 1, rows
    ((unidentified,),) = world.query("SELECT count(*) FROM tutti.fct_contact_decisions WHERE reason = 'unidentified'")
    assert unidentified == 1
    world.assert_verdicts()
    world.stop()


def test_the_tool_shows_decisions(world):
    world.start()
    world.lines = [json.dumps(request("shown", "eve", START))]
    world.produce(world.lines)
    world.settle()
    assert run_tool("help").returncode == 0
    assert "grant" in world.tool("explain", "user_id:eve").stdout
    world.stop()
