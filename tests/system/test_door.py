"""The door: the verdicts of the pipeline over HTTP, each touchpoint in Kafka before its answer."""

import json
import os
import subprocess
import sys
import threading
import uuid

import psycopg
import pytest
from psycopg import sql

from cluster import World
from door import TOKENS, Door
from test_requests import DAY, HOUR, START, one_slot_policies, request, touchpoint
from stack import BIN, ROOT, plain_environment
from waiting import until

RACES = int(os.environ.get("TUTTI_TEST_RACES") or 50)


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    return one_slot_policies(tmp_path_factory.mktemp("policies"))


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory, policies):
    """For all tests that change nothing but what is said of people of their own."""
    found = World(stack, tmp_path_factory.mktemp("door"), "door", policies=policies)
    yield found
    found.remove()


@pytest.fixture(scope="module")
def door(world):
    return Door(world).start().wait_ready()


@pytest.fixture
def own_world(stack, tmp_path, policies):
    found = World(stack, tmp_path, "door-own", policies=policies)
    yield found
    found.remove()


def decisions(world):
    return world.query("SELECT request_id, verdict, reason FROM suppression.decisions ORDER BY requested_at, request_id")


def records(world):
    return sum(1 for _ in world.topics.read(world.topic("touchpoints")))


def same(answer, *without):
    return {key: value for key, value in answer.items() if key not in ("decided_at", "is_repeat", *without)}


def test_a_request_is_decided_before_it_is_read(own_world):
    """D1: no service runs, and the verdict is there; twice the same; what the pipeline reads later changes nothing."""
    world, door = own_world, Door(own_world).start().wait_ready()
    first = door.ask(request("m1", "p1", START))
    again = door.ask(request("m1", "p1", START))
    denied = door.ask(request("m2", "p1", START + DAY))
    assert (first["verdict"], first["is_repeat"], again["is_repeat"]) == ("grant", False, True)
    assert same(first) == same(again)
    assert (denied["verdict"], denied["reason"], denied["rule_id"]) == ("deny", "cap", "one")
    assert [rule["rule_id"] for rule in denied["rules"]] == ["optout", "one"]
    before = decisions(world)
    assert len(before) == 2
    assert records(world) == 3
    world.start(names=("identity-resolver", "suppression"))
    world.settle(names=("identity-resolver", "suppression"))
    assert decisions(world) == before
    assert world.query("SELECT count(*) FROM suppression.facts")[0][0] == 2
    status, _, shown = door.call("GET", f"/v1/contact-decisions/{first['request_id']}")
    assert (status, same(shown)) == (200, same(first))


def test_a_peek_leaves_nothing(world, door):
    """D2: no row, no record, and the verdict of the call right after it."""
    identifiers = "SELECT count(*) FROM identity.identifiers"
    before = decisions(world), records(world), world.query(identifiers)
    peeked = door.peek(request("peek", "peeked", START))
    assert (decisions(world), records(world), world.query(identifiers)) == before
    assert door.peek(request("peek", "peeked", START))["verdict"] == "grant"
    assert same(door.ask(request("peek", "peeked", START))) == same(peeked)


def test_who_may_ask(world, door):
    """D3, and all other ways to be turned away: nothing is sent."""
    good, before = request("who", "asked", START), records(world)
    for token, body, status in [
        (None, good, 401),
        ("nobody", good, 401),
        ("risk", good, 403),
        ("letters", request("who", "asked", START, channel="sms"), 403),
        ("reader", good, 403),
        ("all", b"{", 400),
        ("all", b'{"requests": []}', 400),
        ("all", touchpoint("who", "asked", START, "Order Completed"), 400),
        ("all", {**good, "prioriti": 1}, 400),
        ("all", {**good, "is_test": True}, 400),
    ]:
        assert door.call("POST", "/v1/contact-decisions", body, token)[0] == status, (token, body[:60] if isinstance(body, bytes) else body)
    assert door.call("GET", "/v1/contact-decisions/nonsense")[0] == 400
    assert door.call("GET", f"/v1/contact-decisions/{uuid.uuid4()}")[0] == 404
    assert door.call("DELETE", "/v1/contact-decisions")[0] == 405
    assert records(world) == before
    answer = door.ask(good, token="letters")
    assert "profile_id" not in answer
    assert door.call("GET", f"/v1/contact-decisions/{answer['request_id']}", token="risk")[0] == 404
    door.write_tokens({"new": ("*", "*", "*")})
    door.signal(1)
    until(lambda: door.call("POST", "/v1/contact-decisions", good, "all")[0] == 401, 30, "the tokens are read again")
    assert door.ask(good, token="new")["is_repeat"]
    door.write_tokens(TOKENS)
    door.signal(1)
    until(lambda: door.call("POST", "/v1/contact-decisions", good, "all")[0] == 200, 30, "the tokens are read again")


def test_unknown_people_and_blocked_values(world, door):
    """D4, D8: an identifier that nobody saw is kept, and has not agreed; a filler is nobody."""
    new = door.ask({**request("new", None, START, channel="email"), "identifiers": [{"type": "email", "value": "New@Example.com"}]})
    assert (new["verdict"], new["reason"]) == ("deny", "opt_out")
    assert world.query("SELECT count(*) FROM tutti.dim_identifiers WHERE type = 'email'")[0][0] == 1
    nobody = door.ask({**request("nobody", None, START, channel="email"), "identifiers": [{"type": "email", "value": "none"}]})
    assert (nobody["verdict"], nobody["reason"]) == ("deny", "unidentified")
    assert nobody["sentence"] == "No, not by email: we do not know who this is. No date can be given."
    assert new["sentence"].startswith("No, not by email: the customer said no to this channel, or has not said yes to it (unknown). Rule ")


def test_two_identifiers_are_one_customer(world, door):
    """D7: what identity joins in this call counts together in it."""
    email, phone = {"type": "email", "value": "a@example.com"}, {"type": "phone", "value": "+491701234567"}
    assert door.ask({**request("d1", None, START), "identifiers": [email]})["verdict"] == "grant"
    assert door.peek({**request("d2", None, START + HOUR), "identifiers": [phone]})["verdict"] == "grant"
    assert door.ask({**request("d3", None, START + HOUR), "identifiers": [email, phone]})["reason"] == "cap"


def test_a_list_is_answered_in_its_order(world, door):
    bodies = [request(f"list-{i}", f"listed-{i % 3}", START + i) for i in range(9)]
    before = records(world)
    answers = door.ask({"requests": bodies})["decisions"]
    assert [a["verdict"] for a in answers] == ["grant"] * 3 + ["deny"] * 6
    assert records(world) == before + 9


def test_a_peek_on_several_channels(own_world):
    """Each as if it were the only one, the customer's favourites first; nothing is left of it."""
    world, door = own_world, Door(own_world).start().wait_ready()
    world.start(names=("identity-resolver", "suppression"))
    centre = {"channel": "web", "direction": "inbound", "consent": {"sms": False, "email": True}}
    wishes = [touchpoint(f"wish-{n}", "jane", START - DAY + n, "Preferences Updated", preferences_json=json.dumps({"channels": names}), **centre)
              for n, names in enumerate((["sms"], ["direct mail", "Text", "fax"]))]  # fmt: skip
    world.produce([json.dumps(wish) for wish in wishes])
    world.settle(names=("identity-resolver", "suppression"))
    body = {name: value for name, value in request("which", "jane", START).items() if name != "channel"}
    before = records(world)
    asked = {"request": body, "channels": ["email", "sms", "direct_mail"]}
    answers = door.peek(asked)["decisions"]
    verdicts = [(answer["channel"], answer["verdict"], answer["reason"]) for answer in answers]
    assert verdicts == [("direct_mail", "grant", None), ("sms", "deny", "opt_out"), ("email", "grant", None)]
    stranger = door.peek({**asked, "request": {**body, "user_id": "nobody knows"}})["decisions"]
    assert [answer["channel"] for answer in stranger] == asked["channels"]
    assert (decisions(world), records(world)) == ([], before)
    for wrong in ({**asked, "channels": []}, {**asked, "channels": [7]}, {**asked, "channels": "email"}, {"channels": ["email"]},
                  {**asked, "request": {**body, "channel": "email"}}, {**asked, "request": 7}):  # fmt: skip
        assert door.call("POST", "/v1/contact-decisions?peek=1", wrong)[0] == 400, wrong
    assert door.call("POST", "/v1/contact-decisions", asked)[0] == 400
    assert door.call("POST", "/v1/contact-decisions?peek=1", asked, "letters")[0] == 403


def test_one_slot_and_many_who_ask(own_world):
    """Through Kafka and two doors at once: exactly one grant a person, whoever is first."""
    people, world = RACES, own_world
    doors = [Door(world).start() for _ in range(2)]
    world.start(names=("identity-resolver", "suppression"))
    for door in doors:
        door.wait_ready()
    answers = []

    def ask(door, name):
        for i in range(people):
            answers.append((i, door.ask(request(f"{name}-{i}", f"p{i}", START + i))["verdict"]))

    threads = [threading.Thread(target=ask, args=(door, name)) for door, name in zip(doors, "ab", strict=True)]
    for thread in threads:
        thread.start()
    world.produce([json.dumps(request(f"k-{i}", f"p{i}", START + i)) for i in range(people)])
    for thread in threads:
        thread.join()
    world.settle(names=("identity-resolver", "suppression"))
    assert len(answers) == 2 * people
    assert len(decisions(world)) == 3 * people
    grants = world.query("SELECT profile_id, count(*) FROM suppression.decisions WHERE verdict = 1 GROUP BY 1")
    assert len(grants) == people
    assert {count for _, count in grants} == {1}


@pytest.mark.parametrize("command", [["sh", "ask.sh"], [sys.executable, "ask.py"], ["java", "Ask.java"]], ids=["curl", "python", "java"])
def test_the_examples_work(door, command):
    """Nobody has agreed to calls, so the answer is no, twice the same."""
    more = {"TUTTI_DOOR": f"http://127.0.0.1:{door.listen}", "TUTTI_DOOR_TOKEN": "all", "MESSAGE_ID": f"example-{command[-1]}"}
    ran = [
        subprocess.run(
            [*command, "+491701234567"], cwd=ROOT / "docs/producers/door", env=plain_environment(**more), capture_output=True, text=True
        )
        for _ in range(2)
    ]
    assert [done.returncode for done in ran] == [1, 1], ran
    first, again = (json.loads(done.stdout) for done in ran)
    assert (first["reason"], again["is_repeat"]) == ("opt_out", True)
    assert same(first) == same(again)


def test_a_setting_that_is_unknown_is_named():
    done = subprocess.run([BIN / "tutti-door"], env=plain_environment(TUTTI_DOOR_TOKEN="all"), capture_output=True, text=True)
    assert done.returncode == 1 and "TUTTI_DOOR_TOKEN" in done.stderr, done


def connections(world, allowed):
    """Whether the database lets anybody in."""
    with psycopg.connect(world.stack.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(world.name), sql.Literal(allowed)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (world.name,))


def test_without_the_database_the_answer_is_no(own_world):
    """D6: 503, and the pipeline decides about the touchpoint, which is in Kafka."""
    world, door = own_world, Door(own_world, door_timeout="500ms").start().wait_ready()
    door.ask(request("m1", "p1", START))
    connections(world, False)
    assert door.call("POST", "/v1/contact-decisions", request("m2", "p2", START))[0] == 503
    connections(world, True)
    assert records(world) == 2
    world.start(names=("identity-resolver", "suppression"))
    world.settle(names=("identity-resolver", "suppression"))
    assert len(decisions(world)) == 2
    until(lambda: door.call("POST", "/v1/contact-decisions", request("m2", "p2", START))[0] == 200, 30, "the door has the database again")
    assert door.ask(request("m2", "p2", START))["is_repeat"]


def test_without_kafka_nothing_is_decided(own_world):
    """D5: what is not in Kafka has no verdict."""
    world, door = own_world, Door(own_world, door_timeout="500ms").start().wait_ready()
    world.topics.delete([world.topic("touchpoints")])
    asked = iter(range(1000))
    answers = []

    def refused():  # the brokers take records for a moment after the command that deletes a topic
        answers.append(door.call("POST", "/v1/contact-decisions", request(f"m{next(asked)}", "p1", START)))
        return answers[-1][0] == 503

    until(refused, 60, "the door notices")
    assert answers[-1][1]["Retry-After"] == "1"
    assert len(decisions(world)) == len(answers) - 1
    door.kill()
