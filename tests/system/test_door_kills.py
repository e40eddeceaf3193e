"""kill -9 of the door between every two of its steps: one verdict for each request, and none without its touchpoint in Kafka.

The door is held at a step by a lock that the test takes, or by a broker that sleeps, and killed there. What a killed door had
sent to the database goes on there: a commit that was under way takes place.
"""

import contextlib
import json
import os
import signal
import threading
import uuid

import psycopg
import pytest

from cluster import World
from door import Door
from test_command_kills import Held
from test_door import decisions
from test_requests import START, one_slot_policies, request
from topics import unframed
from touchpoint import event_id
from waiting import NotInTime, until

SERVICES = ("identity-resolver", "suppression")
GATE = 4711

# Where a transaction stands at its commit, and where what was sent is forgotten.
GATES = f"""
CREATE FUNCTION suppression.gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    AS $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN coalesce(OLD, NEW); END $$;
CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR UPDATE ON suppression.decisions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION suppression.gate();
"""
FORGETTING = "CREATE TRIGGER gate BEFORE DELETE ON suppression.outbox FOR EACH ROW EXECUTE FUNCTION suppression.gate()"
AT_THE_GATE = f"SELECT pg_advisory_lock({GATE})"

STEPS = {  # what holds it there
    "in Kafka, nobody looked for": "LOCK TABLE identity.identifiers IN ACCESS EXCLUSIVE MODE",
    "found, not stored": "LOCK TABLE identity.identifiers IN SHARE MODE",
    "stored, not asked for": "LOCK TABLE suppression.facts IN ACCESS EXCLUSIVE MODE",
    "the fact is in": "LOCK TABLE suppression.anchors IN SHARE MODE",
    "the ledger is read": "LOCK TABLE suppression.states IN SHARE MODE",
    "decided, not stored": "LOCK TABLE suppression.decisions IN SHARE MODE",
    "stored, not for the outbox": "LOCK TABLE suppression.outbox IN SHARE MODE",
    "at its commit": AT_THE_GATE,
}


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory):
    found = World(stack, tmp_path_factory.mktemp("door"), "door-kills", policies=one_slot_policies(tmp_path_factory.mktemp("policies")))
    with psycopg.connect(found.url, autocommit=True) as connection:
        connection.execute(GATES)
    yield found
    found.remove()


def asked(number):
    return request(f"m{number}", f"p{number}", START)


class Call(threading.Thread):
    """One call on a thread of its own. answer stays None if the door dies."""

    def __init__(self, door, path, body):
        super().__init__(daemon=True)
        self.door, self.path, self.body, self.answer = door, path, body, None
        self.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            status, _, answer = self.door.call("POST", self.path, self.body)
            self.answer = answer if status == 200 else None


def kill_at(world, lock, path, body):
    door = Door(world, door_timeout="60s", door_workers=1).start().wait_ready()
    with Held(world, (lock,)) as held:
        call = Call(door, path, body)
        until(lambda: held.stops("door"), 60, f"the door at {lock}")
        door.kill()
    call.join()
    assert call.answer is None
    gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'door' AND datname = current_database()"
    until(lambda: world.query(gone) == [(0,)], 60, "its sessions end")


def is_decided(world, number):
    key = uuid.UUID(bytes=event_id("urn:test", f"m{number}"))
    return key in {row[0] for row in decisions(world)}


def in_kafka(world):
    return {unframed(message.value())["message_id"] for message in world.topics.read(world.topic("touchpoints"))}


@contextlib.contextmanager
def broker_asleep(stack):
    pid = int((stack.run / "kafka.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def assert_one_verdict_each(world, numbers):
    """Stored once, told alike, with its touchpoint; and the same when a door is asked again."""
    door = Door(world).start().wait_ready()
    world.start(names=SERVICES)
    world.settle(names=SERVICES)
    answers = {number: door.ask(asked(number)) for number in numbers}
    assert {answer["is_repeat"] for answer in answers.values()} == {True}
    assert {f"m{number}" for number in numbers} <= in_kafka(world)
    told = {}
    for message in world.messages("decisions"):
        told.setdefault(uuid.UUID(bytes=message["request_id"]), []).append(message["verdict"])
    for answer in answers.values():
        assert set(told[uuid.UUID(answer["request_id"])]) == {answer["verdict"]} == {"grant"}
    stored = [row[0] for row in decisions(world)]
    assert len(stored) == len(set(stored)) == len(world.query("SELECT DISTINCT event_id FROM suppression.facts WHERE kind = 1"))
    stop(world)


def stop(world):
    for service in world.services:
        if service.is_alive():
            service.stop()


def test_a_door_is_killed_while_it_decides(world):
    """Of each step one request is decided by the next door, and one by the pipeline."""
    for number, (step, lock) in enumerate(STEPS.items()):
        for again in (0, 1):
            mine = 2 * number + again
            kill_at(world, lock, "/v1/contact-decisions", asked(mine))
            assert is_decided(world, mine) == (step == "at its commit"), step
            assert f"m{mine}" in in_kafka(world), step
        door = Door(world).start().wait_ready()
        answer = door.ask(asked(2 * number))
        assert (answer["verdict"], answer["is_repeat"]) == ("grant", step == "at its commit"), step
        door.kill()
    assert_one_verdict_each(world, range(2 * len(STEPS)))


@pytest.fixture
def fragile_world(fragile, tmp_path):
    found = World(fragile, tmp_path, "door-kills", policies=one_slot_policies(tmp_path))
    yield found
    found.remove()


def test_a_door_is_killed_while_the_broker_sleeps(fragile_world):
    """Before Kafka has the touchpoint, and between the answer and the message."""
    world = fragile_world
    door = Door(world, door_timeout="60s").start().wait_ready()
    early, late = asked(1), asked(2)
    with broker_asleep(world.stack):
        call = Call(door, "/v1/contact-decisions", early)
        with contextlib.suppress(NotInTime):  # nothing tells from outside that it waits there
            until(lambda: call.answer, 1, "an answer")
        door.kill()
    assert call.answer is None and not is_decided(world, 1)
    assert Door(world).start().wait_ready().ask(early)["is_repeat"] is False
    stop(world)
    door = Door(world, door_timeout="60s", door_workers=1).start().wait_ready()
    with Held(world, ("LOCK TABLE suppression.decisions IN SHARE MODE",)) as held:
        call = Call(door, "/v1/contact-decisions", late)
        until(lambda: held.stops("door"), 60, "the door decides")
        with broker_asleep(world.stack):
            held.connection.rollback()
            until(lambda: call.answer, 60, "the answer")
            door.kill()
    assert is_decided(world, 2)
    assert world.query("SELECT count(*) FROM suppression.outbox") == [(1,)]
    assert_one_verdict_each(world, [1, 2])


def test_a_door_is_killed_before_it_forgets_the_message(world):
    door = Door(world).start().wait_ready()
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(FORGETTING)
        connection.execute("ALTER TABLE suppression.decisions DISABLE TRIGGER gate")
        with Held(world, (AT_THE_GATE,)) as held:
            answer = door.ask(asked(300))
            until(lambda: held.stops("door"), 60, "the door has told")
            door.kill()
        connection.execute("ALTER TABLE suppression.decisions ENABLE TRIGGER gate")
        connection.execute("DROP TRIGGER gate ON suppression.outbox")
    assert answer["verdict"] == "grant"
    assert_one_verdict_each(world, [300])


@pytest.mark.parametrize("lock", ["LOCK TABLE suppression.states IN ACCESS EXCLUSIVE MODE", "LOCK TABLE suppression.decisions IN SHARE MODE", AT_THE_GATE])
def test_a_door_is_killed_while_it_answers_a_claim(world, lock):
    """Whether it took place or not: the next claim is ok, and the place is taken once."""
    number = 400 + sum(map(ord, lock))
    door = Door(world).start().wait_ready()
    body = {**asked(number), "contact": {"class": "marketing"}}
    held = door.ask(body)["request_id"]
    with psycopg.connect(world.url, autocommit=True) as connection:
        now = "UPDATE suppression.decisions SET planned_at = now(), expires_at = now() + interval '1 day' WHERE request_id = %s"
        connection.execute(now, (held,))
    door.kill()
    kill_at(world, lock, "/v1/contact-claims", {"request_id": held})
    ((claimed,),) = world.query("SELECT claimed_at IS NOT NULL FROM suppression.decisions WHERE request_id = %s", held)
    assert claimed == (lock == AT_THE_GATE)
    status, _, answer = Door(world).start().wait_ready().call("POST", "/v1/contact-claims", json.dumps({"request_id": held}).encode())
    assert (status, answer["claim"], answer["is_repeat"]) == (200, "ok", claimed)
    stop(world)
