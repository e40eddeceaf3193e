"""Claims at the door: a channel that asks just before it acts does not act after a no, and nothing takes back what it claimed."""

import json
import subprocess
import sys
import threading
import time
import uuid

import psycopg
import pytest

from cluster import World
from door import TOKENS, Door
from test_door import same
from test_requests import DAY, HOUR, one_slot_policies, request, touchpoint
from stack import ROOT, plain_environment
from waiting import until

SERVICES = ("identity-resolver", "suppression")
MINUTE = 60 * 1000000


def now():
    return time.time_ns() // 1000


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory):
    """With a pipeline, which reads the customers' words."""
    policies = one_slot_policies(tmp_path_factory.mktemp("policies"))
    found = World(stack, tmp_path_factory.mktemp("claims"), "claims", policies=policies)
    found.start(names=SERVICES)
    yield found
    found.remove()


@pytest.fixture(scope="module")
def door(world):
    return Door(world).start().wait_ready()


def ask(world, door, message_id, person, days_ago=0, **contact):
    """For then, or for when the contact is planned."""
    at = now() - MINUTE - days_ago * DAY
    body = request(message_id, person, at, **{"planned_at": at, **contact})
    world.lines.append(json.dumps(body))
    return door.ask(body)


def granted(world, door, person, days_ago=0, **contact):
    answer = ask(world, door, f"ask-{person}", person, days_ago, **contact)
    assert answer["verdict"] == "grant", answer
    return answer["request_id"]


def tell(world, *records):
    world.lines += [json.dumps(record) for record in records]
    world.produce([json.dumps(record) for record in records])
    world.settle(names=SERVICES)


def claim(door, request_id, token="all", status=200):
    found, _, answer = door.call("POST", "/v1/contact-claims", {"request_id": request_id}, token)
    assert found == status, answer
    return answer


def void(door, request_id):
    answer = claim(door, request_id)
    assert (answer["claim"], answer["claimed_at"], answer["is_repeat"]) == ("void", None, False)
    return answer["reason"]


def say_no(world, *people):
    words = {"channel": "web", "consent": {"direct_mail": False}}
    tell(world, *(touchpoint(f"no-{person}", person, now(), "Consent Withdrawn", **words) for person in people))


def revoked(world):
    return {uuid.UUID(bytes=message["request_id"]) for message in world.messages("decisions") if message["verdict"] == "revoked"}


def test_p4_a_claim_before_and_after_a_no(world, door):
    """Who claimed first acts, and hears of no revocation; who comes later may not."""
    early, late = granted(world, door, "early"), granted(world, door, "late")
    first = claim(door, early)
    assert (first["claim"], first["reason"], first["rule_id"], first["is_repeat"]) == ("ok", None, None, False)
    say_no(world, "early", "late")
    assert void(door, late) == "revoked"
    assert claim(door, early) == {**first, "is_repeat": True}
    assert revoked(world) & {uuid.UUID(early), uuid.UUID(late)} == {uuid.UUID(late)}
    shown = door.call("GET", f"/v1/contact-decisions/{early}")[2]
    assert (shown["outcome"], shown["claimed_at"]) == ("open", first["claimed_at"])


def test_p5_a_claim_has_its_time(world, door):
    assert void(door, granted(world, door, "ahead", planned_at=now() + HOUR)) == "too_early"
    assert void(door, granted(world, door, "over", expires_at=now() - MINUTE // 2)) == "expired"


def test_only_an_open_grant_is_claimed(world, door):
    used = granted(world, door, "used")
    denied = ask(world, door, "again", "used")
    assert void(door, denied["request_id"]) == "not_granted"
    tell(world, touchpoint("sent-used", "used", now(), "Contact Sent", decision_id=used))
    assert void(door, used) == "sent"


def test_who_may_claim(world, door):
    """The right, the department and the channel of the verdict; whatever a token may not see is not there."""
    mine = granted(world, door, "theirs")
    claim(door, mine, "letters", 403)
    claim(door, str(uuid.uuid4()), status=404)
    for body in (b"", b"{}", b'{"request_id": "mine"}', b'{"request_id": 7}', json.dumps({"request_id": mine, "now": True}).encode()):
        assert door.call("POST", "/v1/contact-claims", body)[0] == 400, body
    assert door.call("GET", "/v1/contact-claims")[0] == 405
    door.write_tokens({**TOKENS, "calls": ("*", "call_center", "claim"), "post": ("marketing", "direct_mail", "claim")})
    door.signal(1)
    while door.call("POST", "/v1/contact-claims", {"request_id": mine}, "calls")[0] == 401:
        pass
    claim(door, mine, "calls", 404)
    assert claim(door, mine, "post")["is_repeat"] is False


def test_a_claim_lasts_a_quarter_of_an_hour(world, door):
    """Then the place is free again, and the grant is shown as expired."""
    held = granted(world, door, "silent")
    assert claim(door, held)["claim"] == "ok"
    with psycopg.connect(world.stack.url(world.name), autocommit=True) as connection:
        connection.execute("UPDATE suppression.decisions SET claimed_at = claimed_at - interval '15 minutes' WHERE request_id = %s", (held,))
        answer = claim(door, held)
        assert (answer["claim"], answer["reason"]) == ("void", "expired")
        shown = "SELECT outcome, outcome_at - claimed_at, is_late_send FROM tutti.fct_contact_decisions WHERE request_id = %s"
        ((outcome, lasted, is_late),) = connection.execute(shown, (held,)).fetchall()
        assert (outcome, lasted.total_seconds(), is_late) == ("expired", 900, False)
        assert ask(world, door, "next", "silent")["verdict"] == "grant"
        late = "UPDATE suppression.decisions SET expires_at = expires_at - %s * interval '100 years' WHERE request_id = %s"
        connection.execute(late, (1, held))
        tell(world, touchpoint("sent-silent", "silent", now(), "Contact Sent", decision_id=held))
        ((outcome, _, is_late),) = connection.execute(shown, (held,)).fetchall()
        assert (outcome, is_late) == ("sent", False)  # it was claimed in time
        connection.execute(late, (-1, held))


def test_claims_and_noes_at_once(world, door):
    """Whatever comes first: nobody is told ok and revoked, and whoever is told void was revoked."""
    people = [f"race-{number}" for number in range(30)]
    ids = {person: granted(world, door, person) for person in people}
    answers = {}

    def claim_all(mine):
        for person in mine:
            answers[person] = claim(door, ids[person])

    threads = [threading.Thread(target=claim_all, args=(people[part::3],)) for part in range(3)]
    for thread in threads:
        thread.start()
    say_no(world, *people)
    for thread in threads:
        thread.join()
    told = revoked(world)
    ok = {person for person in people if answers[person]["claim"] == "ok"}
    assert {person for person in people if uuid.UUID(ids[person]) in told} == set(people) - ok
    assert {answers[person]["reason"] for person in people} <= {None, "revoked"}


def test_an_erasure_tells_nobody_of_what_is_claimed(world, door):
    held, other = granted(world, door, "gone"), granted(world, door, "gone-too")
    claim(door, held)
    for person, told in (("gone", 0), ("gone-too", 1)):
        done = world.tool("erase", f"user_id:{person}", "--reason", "asked for it", "--without", "journey-tracker", "--execute", "--json")
        assert json.loads(done.stdout)["grants_revoked"] == told, done.stdout
    claim(door, other, status=404)


def test_a_claimed_contact_takes_the_place_of_its_time(world, door):
    """The oracle says so, too. Claimed now, it is no contact of the time for which it was planned."""
    held = granted(world, door, "moved", 10)
    assert ask(world, door, "before", "moved", 35)["reason"] == "cap"
    assert claim(door, held)["claim"] == "ok"
    assert ask(world, door, "then", "moved", 35)["verdict"] == "grant"
    assert ask(world, door, "now", "moved")["reason"] == "cap"
    wrong = world.verdicts_recorded_wrongly()
    assert wrong == [], "\n".join(wrong)


def run_until_answered(command, environment):
    """The examples give up after 3 s, in which a machine with much to do does not even start Java."""
    ran = []

    def answered():
        ran.append(subprocess.run(command, cwd=ROOT / "docs/producers/door", env=environment, capture_output=True, text=True))
        return ran[-1].stdout

    until(answered, 60, lambda: f"an answer: {ran[-1].stderr[-500:]}")
    return ran[-1]


@pytest.mark.parametrize("command", [["sh", "claim.sh"], [sys.executable, "claim.py"], ["java", "Claim.java"]], ids=["curl", "python", "java"])
def test_the_examples_work(world, door, command):
    held = granted(world, door, f"example-{command[-1]}")
    more = {"TUTTI_DOOR": f"http://127.0.0.1:{door.listen}", "TUTTI_DOOR_TOKEN": "all"}
    answers = []
    for request_id, code in ((held, 0), (held, 0), (granted(world, door, f"ahead-{command[-1]}", planned_at=now() + HOUR), 1)):
        done = run_until_answered([*command, request_id], plain_environment(**more))
        assert done.returncode == code, done
        answers.append(json.loads(done.stdout))
    assert same(answers[0]) == same(answers[1])
    assert [answer["claim"] for answer in answers] == ["ok", "ok", "void"]
