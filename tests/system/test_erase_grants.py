"""Open grants of a person who is erased: the channel that holds one is told, once, whatever is killed."""

import json
import uuid

import psycopg
import pytest

from people import DAY, HOUR, NOW, RECENT, US, feed, request, touchpoint
from test_command_kills import AFTER_IT, Held, wait_gone
from traces import erase, traces
from waiting import until

RESCUE_AFTER = "500ms"  # what a command or a killed service left unsaid; no service is busy here
JANE = {"user_id": "jane", "email": "jane@example1.com"}
OF_JANE = "user_id:jane"


@pytest.fixture
def world(world):
    world.rescue_after = RESCUE_AFTER
    return world


def asked(message_id, at, person=None):
    """Of a class that no cap counts; by direct mail a grant holds for two weeks."""
    record = request(message_id, at, channel="direct_mail", department="cards", **(person or JANE))
    record["contact"]["class"] = "transactional"
    return record


def id_of(world, message_id):
    ((request_id,),) = world.query("SELECT event_id FROM journey.facts WHERE message_id = %s", message_id)
    return request_id


def answered(world, message_id, at, event):
    return touchpoint(f"{message_id}-{event}", at, event, "direct_mail", decision_id=str(id_of(world, message_id)), **JANE)


def revocations(world):
    return [message for message in world.messages("decisions") if message["verdict"] == "revoked"]


def outcomes(world):
    return dict(
        world.query(
            "SELECT t.message_id, d.outcome FROM suppression.decisions AS d"
            " JOIN journey.facts AS t ON t.event_id = d.request_id WHERE d.verdict = 1"
        )
    )


def wait_told(world):
    until(lambda: world.query("SELECT count(*) FROM suppression.outbox") == [(0,)], 60, "the revocation is published")


def assert_told(world, told):
    """Nothing but request, profile, channel, department and times."""
    (message,) = revocations(world)
    asked_at, told_at, ends_at = (message.pop(name).timestamp() * US for name in ("requested_at", "decided_at", "expires_at"))
    assert asked_at < NOW <= told_at < ends_at
    assert {name: value for name, value in message.items() if value is not None} == told


def test_channels_are_told(world):
    """Of four grants one is open; another person's is, too. Two instances, of which one owns the lane."""
    services = world.start(instances=2)
    feed(
        world,
        asked("over", NOW - 100 * DAY),
        asked("sent", RECENT),
        asked("cancelled", RECENT + HOUR),
        asked("open", RECENT + 2 * HOUR),
        asked("other", RECENT, {"user_id": "other"}),
    )
    feed(
        world,
        answered(world, "sent", RECENT + DAY, "Contact Sent"),
        answered(world, "cancelled", RECENT + DAY, "Contact Cancelled"),
    )
    assert outcomes(world) == {"over": 0, "sent": 3, "cancelled": 2, "open": 0, "other": 0}
    ((profile,),) = world.query("SELECT profile_id FROM tutti.fct_contact_decisions WHERE request_id = %s", id_of(world, "open"))
    told = {
        "request_id": id_of(world, "open").bytes,
        "profile_id": profile.bytes,
        "verdict": "revoked",
        "channel": "direct_mail",
        "department": "cards",
        "cause": "erasure",
    }
    plan = json.loads(world.tool("erase", OF_JANE, "--reason", "look", "--json").stdout)
    said = erase(world, OF_JANE)
    assert said["grants_revoked"] == plan["grants_revoked"] == 1 and said["messages_waiting"] == 0
    assert said["tables"] == plan["tables"] and traces(world, said["identifiers"]) == {}
    assert_told(world, told)
    world.read_again(("identity-resolver", "suppression"), services)
    world.settle()
    assert_told(world, told)
    assert outcomes(world) == {"other": 0}
    world.stop(services)


def test_no_service_tells_the_channels(world):
    """Without suppression the command says so, and what it stored is published when suppression starts."""
    services = world.start()
    feed(world, asked("open", RECENT))
    (suppression,) = world.of("suppression")
    suppression.stop()
    done = world.tool("erase", OF_JANE, "--reason", "asked for it", "--execute", "--json", "--wait", 1)
    said = json.loads(done.stdout)
    assert said["grants_revoked"] == said["messages_waiting"] == 1
    assert "start suppression (1)" in done.stderr and "may still contact the person" in done.stderr, done.stderr
    assert revocations(world) == []
    left = traces(world, said["identifiers"])
    assert left.keys() <= {"suppression.outbox.profile_id", "suppression.outbox.payload"} and left
    suppression.start().wait_ready()
    wait_told(world)
    assert len(revocations(world)) == 1 and traces(world, said["identifiers"]) == {}
    world.stop(services)


def test_the_command_is_killed(world):
    """In its transaction no message goes out. After it the channel is told, without another run of the command."""
    services = world.start()
    feed(
        world,
        asked("open", RECENT),
        touchpoint("bob", RECENT + HOUR, user_id="bob", email=JANE["email"]),
    )
    words = ("erase", OF_JANE, "--reason", "asked for it", "--execute")
    with Held(world, ("SELECT FROM identity.links FOR KEY SHARE",)) as held:
        held.kill(*words)
    wait_gone(world)
    assert world.query("SELECT count(*) FROM suppression.outbox") == [(0,)] and outcomes(world) == {"open": 0}
    with Held(world, (AFTER_IT[0],)) as held:
        held.kill(*words)
        wait_told(world)
        assert len(revocations(world)) == 1
    wait_gone(world)
    erase(world, OF_JANE)
    world.settle()
    assert len(revocations(world)) == 1
    world.stop(services)


def test_a_revocation_of_before_is_not_lost(world):
    """The service that revoked the grant before the erasure was killed before it told the channel."""
    services = world.start()
    feed(world, asked("open", RECENT))
    request_id, stray = id_of(world, "open"), uuid.uuid4().bytes
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("UPDATE suppression.decisions SET outcome = 1, outcome_cause = 'opt_out'")
        connection.execute(
            "INSERT INTO suppression.outbox (request_id, kind, lane, instance, profile_id, channel, payload)"
            " SELECT request_id, 1, 99, 1, profile_id, channel, %s FROM suppression.decisions",
            (stray,),
        )
    done = json.loads(world.tool("erase", OF_JANE, "--reason", "r", "--execute", "--json", "--wait", 1).stdout)
    assert done["grants_revoked"] == 0 and done["messages_waiting"] == 1
    assert world.query("SELECT request_id, payload FROM suppression.outbox") == [(request_id, stray)]
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("DELETE FROM suppression.outbox")
    world.stop(services)
