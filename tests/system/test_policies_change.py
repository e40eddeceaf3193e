"""Other policies become active while every service runs: each goes on with them, and no figure is wrong."""

import time

import psycopg
import pytest

from cluster import BANK
from door import Door
from people import HOUR, RECENT, feed, touchpoint
from service import NAMES
from switching import copy_slot, switched
from traces import erase, traces
from test_requests import DAY, START, one_slot_policies, request
from waiting import until

SWITCHES = 3


def renewals(world):
    """How often each instance took other policies."""
    return {service.log.name: service.log.read_text(encoding="utf-8").count("policies_renewed") for service in world.services}


def active(world):
    return world.query("SELECT count(*), max(slot) FILTER (WHERE is_active) FROM tutti_meta.generations")[0]


def test_every_service_goes_on(stack, make_world):
    """Two instances of each; records arrive while the switch holds them all up."""
    world = make_world(stack, "policies-change", policies=BANK)
    lines = world.generate("bank", people=60, events=4000)
    services = world.start(instances=2)
    size = -(-len(lines) // (SWITCHES + 1))
    pieces = [lines[at : at + size] for at in range(0, len(lines), size)]
    world.produce(pieces[0])
    world.settle()
    for number, piece in enumerate(pieces[1:], 1):
        with switched(world):
            world.produce(piece)
        world.settle()
        assert active(world) == (number + 1, number % 2)
    assert len(services) == 2 * len(NAMES)
    assert all(service.is_alive() for service in services)
    world.assert_equals_oracle()
    world.assert_numbers_dense()
    taken = renewals(world)
    assert all(any(count for log, count in taken.items() if log.startswith(name)) for name in NAMES), taken


def test_other_files_are_refused_and_the_database_is_taken(stack, make_world, tmp_path):
    world = make_world(stack, "policies-from", policies=BANK)
    lines = world.generate("bank", people=20, events=400)
    with switched(world):
        pass
    for name in NAMES:
        service = world.service(name).start()
        until(lambda s=service: not s.is_alive(), 60, lambda s=service: f"{s.name} ends\n{s.last_lines()}")
        assert service.process.returncode == 1 and "tutti policy apply" in service.last_lines()
        world.services.remove(service)
    empty = tmp_path / "empty"
    empty.mkdir()
    world.settings = {"policy.from": "database"}
    services = [world.service(name) for name in NAMES]
    for service in services:
        if service.name != "identity-resolver":  # identity.json of the folder becomes the first
            service.settings["policy.dir"] = empty
        service.start()
    for service in services:
        service.wait_ready()
    world.produce(lines)
    world.settle()
    world.assert_equals_oracle()


def two_slots(contact):
    (rule,) = [rule for rule in contact["rules"] if rule["id"] == "one"]
    rule["limit"] = 2


@pytest.mark.parametrize("with_services", [False, True])
def test_the_door_decides_by_the_new_policy(stack, make_world, tmp_path, with_services):
    world = make_world(stack, "policies-door", policies=one_slot_policies(tmp_path))
    services = world.start() if with_services else []
    door = Door(world).start().wait_ready()
    assert [door.ask(request(f"m{n}", "p1", START + n * DAY))["verdict"] for n in (1, 2)] == ["grant", "deny"]
    if services:
        world.settle()
    with switched(world, contact=two_slots):
        pass
    assert [door.ask(request(f"m{n}", "p1", START + n * DAY))["verdict"] for n in (3, 4)] == ["grant", "deny"]
    assert renewals(world)[door.log.name] >= 2  # the two steps of each worker
    assert all(service.is_alive() for service in services)


def test_the_door_answers_claims_under_the_new_policy(stack, make_world, tmp_path):
    """It asks the rules that hold now."""
    world = make_world(stack, "policies-claims", policies=one_slot_policies(tmp_path))
    door = Door(world).start().wait_ready()
    at = time.time_ns() // 1000 - HOUR
    asked = [door.ask(request(f"m{n}", f"p{n}", at, planned_at=at)) for n in (1, 2)]
    assert [one["verdict"] for one in asked] == ["grant", "grant"]

    def claim(one):
        answer = door.call("POST", "/v1/contact-claims", {"request_id": one["request_id"]})[2]
        return answer["claim"], answer["reason"]

    def ask_first(contact):
        contact["consent"]["direct_mail"]["on_unknown"] = "deny"

    assert claim(asked[0]) == ("ok", None)
    with switched(world, contact=ask_first):
        pass
    assert [claim(one) for one in asked] == [("ok", None), ("void", "opt_out")]


def test_who_is_erased_is_in_neither_slot(world):
    """While other policies are derived the other slot has rows of everyone."""
    services = world.start()
    sale = {"value_micros": 5_000_000, "currency": "USD"}
    feed(world, touchpoint("1", RECENT, user_id="jane", email="jane@example.com"),
         touchpoint("2", RECENT + HOUR, "Order Completed", user_id="jane", order_id="o1", **sale),
         touchpoint("3", RECENT + HOUR, "Order Completed", user_id="joe", **sale))
    with psycopg.connect(world.url) as connection:
        copy_slot(connection, 0, 2)
    everyone = world.query("SELECT slot, count(*) FROM journey.conversions GROUP BY 1 ORDER BY 1")
    assert everyone == [(0, 2), (1, 2)]
    gone = erase(world, "user_id:jane")["identifiers"]
    world.settle()
    assert traces(world, gone) == {}
    assert world.query("SELECT slot, count(*) FROM journey.conversions GROUP BY 1 ORDER BY 1") == [(0, 1), (1, 1)]
    assert world.query("SELECT count(*) FROM journey.kept_sales") == [(1,)]
    world.stop(services)
