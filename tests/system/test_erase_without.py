"""Erasing while a service that was given up will never read who the person is; and starting it again all the same."""

import json

import pytest

from people import HOUR, JANE, NOW, RECENT, US, assert_plan_is_quiet, feed, identity_tables, touchpoint
from service import NAMES
from test_erase_grants import asked, revocations
from traces import erase, traces

JOURNEY, SUPPRESSION = "journey-tracker", "suppression"
PHONE = "+15550001111"
NO = {"email": False}


def order(message_id, at, **who):
    return touchpoint(message_id, at, "Order Completed", value_micros=US, currency="USD", **who)


def told_before():
    """The phone is Jane's, the loyalty number Bob's; each of the four has bought something."""
    yield touchpoint("1", RECENT + 2 * HOUR, user_id="jane", email="home@example1.com", phone=PHONE)
    yield touchpoint("2", RECENT + 2 * HOUR, "Consent Withdrawn", user_id="bob", loyalty_id="b-1", consent=NO)
    yield order("3", RECENT + 3 * HOUR, user_id="jane")
    yield order("4", RECENT + 4 * HOUR, user_id="bob")
    yield order("5", RECENT + 5 * HOUR, phone=PHONE)
    yield order("6", RECENT + 6 * HOUR, loyalty_id="b-1")
    yield asked("ask-jane", NOW, {"user_id": "jane"})
    yield asked("ask-phone", NOW + 1, {"phone": PHONE})
    yield asked("ask-loyalty", NOW + 2, {"loyalty_id": "b-1"})


def told_late():
    """Older evidence: the phone was Bob's all the time, and the loyalty number Jane's."""
    yield touchpoint("7", RECENT, user_id="bob", phone=PHONE)
    yield touchpoint("8", RECENT, user_id="jane", loyalty_id="b-1")


def left(world):
    """Everybody else, as the views have it, and the map of both services."""
    return (
        identity_tables(world),
        world.query("SELECT * FROM tutti.dim_profiles ORDER BY profile_id"),
        world.query("SELECT profile_id, source, message_id FROM tutti.fct_touchpoints ORDER BY 3"),
        world.query("SELECT request_id, profile_id, verdict, outcome FROM tutti.fct_contact_decisions ORDER BY 1"),
        world.query("SELECT conversion_id, profile_id, channel FROM tutti.fct_conversions ORDER BY 1"),
        world.query("SELECT profile_id, to_stage, changed_at FROM tutti.fct_stage_changes ORDER BY 1, 3"),
        *(world.query(f"SELECT anchor_id, profile_id FROM {schema}.anchors ORDER BY 1") for schema in ("journey", "suppression")),
    )


def world_of(make_world, stack):
    world = make_world(stack, "without")
    world.start()
    feed(world, *told_before())
    return world


@pytest.fixture
def undisturbed(stack, make_world):
    """What an erasure leaves when everybody has read everything."""
    world = world_of(make_world, stack)
    feed(world, *told_late())
    assert len(erase(world, JANE)["identifiers"]) == 3
    found = left(world)
    world.stop()
    return found


@pytest.mark.parametrize("name", [JOURNEY, SUPPRESSION])
def test_without_a_service(stack, make_world, undisturbed, name):
    world = world_of(make_world, stack)
    (given_up,) = world.of(name)
    others = [service for service in world.services if service is not given_up]
    given_up.stop()
    world.produce([json.dumps(record) for record in told_late()])
    world.settle(names=[one for one in NAMES if one not in (name, "metrics-aggregator")])
    words = ("erase", JANE, "--reason", "asked for it", "--execute", "--wait", 1)
    refused = world.tool(*words, check=False)
    assert refused.returncode == 1 and name in refused.stderr and "--without" in refused.stderr, refused.stderr
    (running,) = {JOURNEY, SUPPRESSION} - {name}
    for action in (words, words[:4]):
        refused = world.tool(*action, "--without", running, check=False)
        assert refused.returncode == 1 and f"{running} runs" in refused.stderr, refused.stderr
    assert world.query("SELECT count(*) FROM identity.erased") == [(0,)]
    said = erase(world, JANE, "--without", name)
    assert said["without"] == name and said["moved"] >= 2 and said["messages_waiting"] == 0
    assert len(said["identifiers"]) == 3 and traces(world, said["identifiers"]) == {}
    assert_told(world, said, name)
    given_up.start().wait_ready()
    world.settle()
    assert traces(world, said["identifiers"]) == {}
    assert left(world) == undisturbed
    assert_plan_is_quiet(world)
    world.stop([given_up, *others])


def assert_told(world, said, name):
    """Two grants of Jane's are open, her own and that of the loyalty number."""
    if name == JOURNEY:
        assert said["grants_revoked"] == 2 and said["grants_untold"] == [] and len(revocations(world)) == 2
        return
    assert said["grants_revoked"] == 0 and world.query("SELECT count(*) FROM suppression.outbox") == [(0,)]
    assert [(one["channel"], one["department"]) for one in said["grants_untold"]] == [("direct_mail", "cards")] * 2
    assert all(one["expires_at"] and one["request_id"] for one in said["grants_untold"])


def test_the_report_in_words(world):
    """Only the two that read who is who can be left out."""
    services = world.start()
    feed(world, *told_before(), {**asked("ask-again", NOW + 3, {"user_id": "jane"}), "department": "cards\x1b[2J"})
    (suppression,) = world.of(SUPPRESSION)
    suppression.stop()
    wrong = world.tool("erase", JANE, "--reason", "r", "--without", "metrics-aggregator", check=False)
    assert wrong.returncode == 2 and "journey-tracker or suppression" in wrong.stderr
    for act in ((), ("--execute",)):
        said = world.tool("erase", JANE, "--reason", "r", "--without", SUPPRESSION, *act).stdout
        assert "no service tells their channels" in said and said.count("by hand: request") == 3, said
        assert "(cards\\u001b[2J)" in said and "\x1b" not in said, "a department does not steer the terminal"
    world.stop([service for service in services if service is not suppression])


def test_a_grant_that_a_move_revokes(world):
    """Whose it is shows in what suppression has not read, and that person wants no mail: no service tells of its revocation."""
    services = world.start()
    feed(world, touchpoint("no", RECENT, "Consent Withdrawn", user_id="jane", consent={"direct_mail": False}))
    feed(world, touchpoint("1", RECENT + HOUR, user_id="bob", loyalty_id="b-1"), asked("ask", NOW, {"loyalty_id": "b-1"}))
    assert world.query("SELECT verdict, outcome FROM suppression.decisions") == [(1, 0)]
    (suppression,) = world.of(SUPPRESSION)
    suppression.stop()
    world.produce([json.dumps(touchpoint("late", RECENT - HOUR, user_id="jane", loyalty_id="b-1"))])
    world.settle(names=[one for one in NAMES if one not in (SUPPRESSION, "metrics-aggregator")])
    said = erase(world, JANE, "--without", SUPPRESSION)
    assert said["moved"] == 1 and len(said["identifiers"]) == 2
    assert [one["channel"] for one in said["grants_untold"]] == ["direct_mail"]
    assert world.query("SELECT count(*) FROM suppression.outbox") == [(0,)] and traces(world, said["identifiers"]) == {}
    world.stop([service for service in services if service is not suppression])
