"""What an erased person said for others: an opt-out or a hold that is read late binds them as if it had been read in time."""

import json

import psycopg
import pytest

from people import HOUR, NOW, RECENT, US, assert_plan_is_quiet, feed, identity_tables, request, touchpoint
from test_key_rotation import give, keys, rotate  # noqa: F401 (keys is a fixture)
from traces import erase, traces

READERS = ("identity-resolver", "journey-tracker", "suppression")
PHONE, FRESH = "+15550001111", "+15550002222"
JANE = {"user_id": "jane", "email": "jane@example1.com"}
YES = {"email": True, "sms": True, "push": True}


def known_people():
    """The phone is Bob's; Jane never has it, for no person has two user ids."""
    yield touchpoint("bob", RECENT, "Consent Given", user_id="bob", phone=PHONE, consent=YES)
    yield touchpoint("kim", RECENT, "Consent Given", user_id="kim", consent=YES)
    yield touchpoint("jane", RECENT, "Consent Given", consent=YES, **JANE)


def said_late():
    """By Jane, with Bob's phone: an opt-out, a hold, a bad score; and what is only hers."""
    at = RECENT + HOUR
    yield touchpoint("no", at, "Consent Withdrawn", user_id="jane", phone=PHONE, consent={"sms": False})
    yield touchpoint("angry", at + 1, "Complaint Filed", user_id="jane", phone=PHONE)
    yield touchpoint("bad", at + 2, "Survey Answered", user_id="jane", phone=PHONE, score=-80)
    yield touchpoint("view", at + 3, user_id="jane", phone=PHONE, device_id="hers")
    yield touchpoint("buy", at + 4, "Order Completed", user_id="jane", phone=PHONE, value_micros=US, currency="USD")
    yield touchpoint("yes", at + 5, "Consent Given", user_id="jane", phone=PHONE, consent=YES)
    yield touchpoint("own", at + 6, "Consent Withdrawn", consent={"sms": False}, **JANE)


def asked(number):
    for who in ("bob", "kim"):
        for channel in ("sms", "email"):
            yield request(f"{who}-{channel}-{number}", NOW + number, channel, user_id=who)


def ledger(world):
    """Opt-outs and holds under everybody's identifiers, and the map that leads to them."""
    with psycopg.connect(world.url) as connection:
        return (
            connection.execute(
                "SELECT anchor, occurred_at, event_id, kind, flags, event, consent, score, others FROM suppression.facts"
                " WHERE flags & 4 = 0 OR consent LIKE '%%-%%' OR event IN ('Complaint Filed', 'Survey Answered') ORDER BY 1, 2, 3"
            ).fetchall(),
            connection.execute("SELECT anchor, anchor_id, profile_id FROM suppression.anchors ORDER BY 1").fetchall(),
            connection.execute("SELECT anchor, occurred_at, event_id FROM journey.facts ORDER BY 1, 2, 3").fetchall(),
        )


def verdicts(world):
    rows = world.query(
        "SELECT f.message_id, coalesce(d.reason, d.verdict), d.outcome, d.outcome_cause FROM tutti.fct_contact_decisions AS d"
        " JOIN journey.facts AS f ON f.event_id = d.request_id ORDER BY 1"
    )
    return {name: tuple(rest) for name, *rest in rows}


def replay(world, services):
    world.read_again(READERS, services)
    world.settle()


def test_read_late_is_read_in_time(stack, make_world):
    """One world reads before the erasure, the other one after it and then everything again."""
    in_time, late = (make_world(stack, "late") for _ in range(2))
    found = []
    for world in (in_time, late):
        services = world.start()
        feed(world, *known_people(), *asked(0))
        if world is in_time:
            feed(world, *said_late())
        erased = erase(world, "user_id:jane", "--opt-outs-too")["identifiers"]
        if world is late:
            feed(world, *said_late())
        feed(world, *asked(1))
        found.append((identity_tables(world), ledger(world), verdicts(world)))
        assert traces(world, erased) == {}
        assert_plan_is_quiet(world)
        world.assert_verdicts()
        replay(world, services)
        assert (identity_tables(world), ledger(world), verdicts(world)) == found[-1], "a replay changes nothing"
        assert traces(world, erased) == {}
        world.stop(services)
    assert found[1] == found[0]
    assert found[1][2] == {
        "bob-sms-0": ("grant", "revoked", "opt_out"),
        "bob-email-0": ("grant", "revoked", "hold"),
        "kim-sms-0": ("grant", "open", None),
        "kim-email-0": ("grant", "open", None),
        "bob-sms-1": ("opt_out", None, None),
        "bob-email-1": ("hold", None, None),
        "kim-sms-1": ("cap", None, None),
        "kim-email-1": ("grant", "open", None),
    }


@pytest.mark.parametrize("is_owner_first", [True, False])
def test_whoever_comes_later_is_bound(world, is_owner_first):
    """The identifier that Jane named was never seen before, or was: no difference. Facts that bind no one are not stored."""
    services = world.start(instances=2)
    feed(world, touchpoint("jane", RECENT, **JANE), touchpoint("yes", RECENT, "Consent Given", user_id="carol", consent=YES))
    erased = erase(world, "user_id:jane")["identifiers"]
    carol = touchpoint("carol", RECENT + 2 * HOUR, user_id="carol", phone=FRESH)
    no = touchpoint("no", RECENT + HOUR, "Consent Withdrawn", user_id="jane", phone=FRESH, consent={"sms": False})
    view = touchpoint("view", RECENT + HOUR, user_id="jane", phone="+15550003333", device_id="hers")
    for record in (view, carol, no) if is_owner_first else (view, no, carol):
        feed(world, record)
    feed(world, request("sms", NOW, "sms", user_id="carol"), request("email", NOW, user_id="carol"))
    assert verdicts(world) == {"sms": ("opt_out", None, None), "email": ("grant", "open", None)}
    ((first_seen,),) = world.query("SELECT min(first_seen_at) FROM tutti.dim_identifiers WHERE type = 'phone'")
    assert first_seen.timestamp() == (RECENT + HOUR) / US
    assert len(world.query("SELECT FROM identity.identifiers")) == 2 and len(world.query("SELECT FROM identity.links")) == 1
    assert world.query("SELECT message_id FROM journey.facts ORDER BY 1") == [("carol",), ("email",), ("sms",), ("yes",)]
    assert traces(world, erased) == {}
    assert_plan_is_quiet(world)
    before = identity_tables(world), ledger(world), verdicts(world)
    replay(world, services)
    assert (identity_tables(world), ledger(world), verdicts(world)) == before
    world.stop(services)


def test_erased_before_it_was_read(world):
    """The phone's owner is erased, too, while what Jane said lies unread before suppression."""
    services = world.start()
    feed(world, *known_people())
    gone = erase(world, "user_id:jane")["identifiers"]
    (suppression,) = world.of("suppression")
    suppression.stop()
    world.produce([json.dumps(record) for record in said_late()])
    world.settle(names=["identity-resolver", "journey-tracker", "metrics-aggregator"])
    gone += erase(world, "user_id:bob", "--wait", "1")["identifiers"]
    suppression.start().wait_ready()
    world.settle()
    assert len(gone) == 4 and traces(world, gone) == {}
    assert world.query("SELECT count(*) FROM suppression.facts") == [(1,)]
    world.stop(services)


def test_under_another_key(world, keys):
    """The values are met first since the key was exchanged: who was erased, and who is left, shows only when their ids are known."""
    services = world.start()
    feed(world, *known_people())
    erased = erase(world, "user_id:jane")["identifiers"]
    for service in world.of("identity-resolver"):
        give(world, service, 1)
    for phase in ("announced", "rotating"):
        rotate(world, 1, "--to", phase, "--execute")
    before = world.query("SELECT identifier_id FROM identity.identifiers ORDER BY 1")
    feed(world, *said_late())
    feed(world, *asked(1))
    found = verdicts(world)
    assert found["bob-sms-1"] == ("opt_out", None, None) and found["bob-email-1"] == ("hold", None, None)
    assert world.query("SELECT identifier_id FROM identity.identifiers ORDER BY 1") == before
    assert traces(world, erased) == {}
    world.stop(services)
