"""The word of an address: whoever shares it, nobody is granted a contact with an address that said no."""

import json
import random

import pytest

from people import HOUR, NOW, START, identity, request, touchpoint
from test_chaos import SETTINGS
from test_command_kills import Held
from waiting import until

FAMILIES = 40
YES = {"email": True}


def families():
    """Two customers for each mailbox, who both agreed with it."""
    for number in range(FAMILIES):
        for name in ("alice", "bob"):
            yield touchpoint(f"{name}-{number}", START, "Signed Up", user_id=f"{name}-{number}", email=home(number), consent=YES)


def home(number):
    return f"home-{number}@shop.example"


def asked(number):
    """By the name of the mailbox, by none, and both through the customer who does not own it, too."""
    for name in ("alice", "bob"):
        who = {"user_id": f"{name}-{number}"}
        yield request(f"named-{name}-{number}", START + 2 * HOUR, **who, email=home(number))
        yield request(f"unnamed-{name}-{number}", START + 2 * HOUR, **who)


def left(number):
    return touchpoint(f"left-{number}", START + 3 * HOUR, "Unsubscribed", "email", email=home(number))


@pytest.fixture
def neighbours(stack, make_world):
    world = make_world(stack, "addresses", partitions={"resolved": 2}, settings=SETTINGS)
    world.start(instances=2)
    yield world
    world.stop()


def tell(world, records, key="message_id"):
    world.produce([json.dumps(record) for record in records], key=key)


def open_grants(world):
    return world.query(
        "SELECT t.message_id, d.outcome FROM tutti.fct_contact_decisions AS d"
        " JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id"
        " WHERE d.verdict = 'grant' AND d.outcome IS DISTINCT FROM 'revoked' ORDER BY 1"
    )


def opted_out(number):
    """Each says no, and said yes before: with a clock that is ahead, in a message that is told twice."""
    who = {"user_id": f"alice-{number}"}
    ahead = touchpoint(f"ahead-{number}", NOW + HOUR // 4, "Consent Given", consent=YES, **who)
    yield touchpoint(f"no-{number}", NOW - HOUR, "Consent Withdrawn", consent={"email": False}, **who)
    yield {**ahead, "received_at": NOW - HOUR // 2}
    yield {**ahead, "received_at": NOW - 2 * HOUR}


def asked_now(number):
    for name in ("named", "unnamed"):
        yield request(f"{name}-{number}", NOW - HOUR // 4, user_id=f"alice-{number}", **({"email": home(number)} if name == "named" else {}))


STORIES = {"of an address": (lambda number: [left(number)], asked), "dated ahead": (opted_out, asked_now)}


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("story", STORIES)
def test_nobody_who_said_no_is_granted(neighbours, story, is_killed):
    """Requests and opt-outs meet on two instances; is_killed: one of them dies between them."""
    world = neighbours
    say_no, ask = STORIES[story]
    tell(world, families())
    world.settle()
    requests = [one for number in range(FAMILIES) for one in ask(number)]
    opt_outs = [one for number in range(FAMILIES) for one in say_no(number)]
    if is_killed:
        tell(world, opt_outs)
        victim = world.of("suppression")[0]
        victim.kill()
        victim.start()
        tell(world, requests)
    else:
        both = requests + opt_outs
        tell(world, random.Random(1).sample(both, len(both)))
    world.settle()
    assert world.query("SELECT count(*) FROM tutti.fct_contact_decisions") == [(len(requests),)]
    assert open_grants(world) == []
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(0,)]
    world.assert_decisions_once()


def test_a_copy_that_came_in_earlier_revokes(neighbours):
    """Of a yes that is dated ahead the earliest time counts, of whichever copy: it is before the no, though the first copy was not."""
    world = neighbours
    no, later, earlier = opted_out(0)
    asks = list(asked_now(0))
    tell(world, families())
    tell(world, [no, later])
    world.settle()
    tell(world, asks)
    world.settle()
    assert [name for name, _ in open_grants(world)] == ["named-0", "unnamed-0"]
    tell(world, [earlier])
    world.settle()
    assert open_grants(world) == []


def test_an_opt_out_of_a_shared_mailbox_revokes_for_all(neighbours):
    """And only for those who rely on it: a yes that names another address keeps that one free."""
    world = neighbours
    tell(world, families())
    world.settle()
    other = touchpoint("other", START + HOUR, "Signed Up", user_id="bob-0", email="bob@work.example", consent=YES)
    tell(world, [other])
    world.settle()
    tell(world, [*asked(0), request("work", START + 2 * HOUR, user_id="bob-0", email="bob@work.example")])
    world.settle()
    assert [name for name, _ in open_grants(world)] == ["named-alice-0", "named-bob-0", "unnamed-alice-0", "unnamed-bob-0", "work"]
    tell(world, [left(0)])
    world.settle()
    assert [name for name, _ in open_grants(world)] == ["work"]
    causes = world.query("SELECT DISTINCT outcome_cause FROM tutti.fct_contact_decisions WHERE outcome = 'revoked'")
    assert causes == [("opt_out",)]
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(1,)]
    tell(world, [touchpoint("sent", START + 4 * HOUR, "Contact Sent", "email", user_id="bob-0", decision_id=request_id(world, "work"))])
    world.settle()
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(0,)]


def request_id(world, message_id):
    ((found,),) = world.query("SELECT touchpoint_id::text FROM tutti.fct_touchpoints WHERE message_id = %s", message_id)
    return found


GRANTED = [
    touchpoint("alice", START, "Signed Up", user_id="alice-0", email=home(0), consent=YES),
    touchpoint("bob", START, "Signed Up", user_id="bob-0", email="bob@work.example", consent=YES),
]
ASKED, LEFT = request("asked", START + 4 * HOUR, user_id="bob-0"), left(0)
SEEN = touchpoint("seen", START + 5 * HOUR, user_id="bob-0", email=home(0))  # which is Alice's, so it does not join them


@pytest.mark.parametrize("told", [(LEFT, ASKED, SEEN), (ASKED, LEFT, SEEN), (ASKED, SEEN, LEFT), (LEFT, SEEN, ASKED)])
def test_an_address_that_becomes_known_binds_what_is_open(neighbours, told):
    """It belongs to another customer and said no, before or after it was seen, before or after the grant."""
    world = neighbours
    tell(world, GRANTED)
    for record in told:
        world.settle()
        tell(world, [record])
    world.settle()
    assert open_grants(world) == []
    expected = "deny" if told[-1] is ASKED else "revoked"
    assert world.query("SELECT coalesce(outcome_cause, reason), CASE verdict WHEN 'grant' THEN outcome ELSE verdict END"
                       " FROM tutti.fct_contact_decisions") == [("opt_out", expected)]  # fmt: skip
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(0,)]


def test_whoever_is_joined_brings_his_addresses(neighbours):
    """The grant is listed under them, too: it is found by a no that comes when they belong to somebody else again."""
    world = neighbours
    phone, box = {"phone": "+15550001111"}, {"email": "box@work.example"}
    tell(world, [touchpoint("bob", START, "Signed Up", user_id="bob-0", consent={"sms": True}), touchpoint("other", START, **box, **phone)])
    world.settle()
    tell(world, [request("asked", START + 2 * HOUR, "sms", user_id="bob-0")])
    world.settle()
    assert [name for name, _ in open_grants(world)] == ["asked"]
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(0,)]
    tell(world, [touchpoint("joins", START - HOUR, user_id="bob-0", **box)])
    world.settle()
    assert world.query("SELECT count(*) FROM suppression.address_grants") == [(1,)]
    identity(world, "unlink", "phone:+15550001111", "user_id:bob-0", "--reason", "another one", "--execute")
    world.settle()
    tell(world, [touchpoint("left", START + 3 * HOUR, "Unsubscribed", "sms", **phone)])
    world.settle()
    assert open_grants(world) == []


BOXES = [f"box-{number}@work.example" for number in range(6)]
MET = """
SELECT (SELECT count(*) = 2 FROM suppression.anchors)
       OR (SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tutti_suppression' AND wait_event_type = 'Lock')
"""


def test_an_address_that_joins_while_the_first_grant_is_made(neighbours):
    """The other instance puts it into the map and sees no grant yet, or waits for it. When it is cut off again, the grant is listed under it."""
    world = neighbours
    tell(world, [touchpoint("bob", START, "Signed Up", user_id="bob-0", consent=YES)])
    tell(world, [touchpoint(box, START, direction="outbound", email=box) for box in BOXES])  # so nobody was seen with it yet
    world.settle()
    records = list(world.topics.read(world.topic("resolved")))
    (bob,) = (record.partition() for record in records if b"Signed Up" in record.value())
    box = next(box for box in BOXES for record in records if box.encode() in record.value() and record.partition() != bob)
    with Held(world, ("LOCK TABLE suppression.decisions IN SHARE MODE",)) as held:
        tell(world, [request("asked", START + 2 * HOUR, user_id="bob-0")])
        until(lambda: held.stops("suppression"), 60, "the grant at the lock")
        tell(world, [touchpoint("joins", START + HOUR, user_id="bob-0", email=box)])
        until(lambda: world.query(MET) == [(True,)], 60, "the address in the map, or the other instance at a lock")
    world.settle()
    assert [name for name, _ in open_grants(world)] == ["asked"]
    identity(world, "unlink", f"email:{box}", "user_id:bob-0", "--reason", "another one", "--execute")
    world.settle()
    tell(world, [touchpoint("left", START + 3 * HOUR, "Unsubscribed", "email", email=box)])
    world.settle()
    assert open_grants(world) == []


def test_another_persons_word_is_not_shown(neighbours):
    world = neighbours
    tell(world, families())
    tell(world, [left(0)])
    world.settle()
    tell(world, [request("asked", START + 4 * HOUR, user_id="bob-0", email=home(0))])
    world.settle()
    rows = world.query("SELECT observed FROM tutti.fct_contact_decision_rules WHERE NOT passed")
    assert ("address said no",) in rows
