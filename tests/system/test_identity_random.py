"""Random evidence flows while operators link, cut and release: what three instances of each service end with is the oracle's.

The graphs are those of tests/oracle/identity_graphs.py. Here every link is a touchpoint of its two identifiers, an indirect one
with a third identifier, and all graphs share one policy in which every rule is tight.
"""

import json
import random

import pytest

import identity_graphs  # of tests/oracle, by cluster
import scenarios
from cluster import AS_OF
from feeding import Feeder
from test_identity_scenarios import give, policies_of, produce, tables, world_of

GRAPHS, ORDERS = 120, 30
UNIQUE = {"user_id", "loyalty_id"}
START = AS_OF - 300 * identity_graphs.DAY
PATCH = {
    "types": {
        "email": {"max_links": {"user_id": 2}},
        "phone": {"limit": {"count": 2, "window": "P3D"}},
        "device_id": {"max_links": {"user_id": 2, "email": 3}},
        "anonymous_id": {"limit": {"count": 3}},
        "loyalty_id": {"unique": True},
    },
    "pairs": [
        {"types": ["device_id", "user_id"], "strength": "weak"},
        {"types": ["email", "device_id"], "strength": "strong"},
        {"types": ["loyalty_id", "anonymous_id"], "links": False},
    ],
    "max_degree": 7,
    "max_identifiers": 6,
}


def named(graph, seed):
    """type and value of each identifier, values that stay as they are in their kind."""
    for i, (kind, _, _) in enumerate(graph["identifiers"]):
        yield kind, {"phone": f"+49{seed:05}{i:04}", "email": f"g{seed}-{i}@x.de"}.get(kind, f"g{seed}-{i}")


def touchpoint(seed, number, time, identifiers, event="Product Viewed", **more):
    found = [{"type": kind, "value": value} for kind, value in identifiers]
    return {
        "message_id": f"m{number}",
        "source": f"urn:graph:{seed}",
        "type": "track",
        "channel": "web",
        "event_name": event,
        "occurred_at": START + time,
        "identifiers": found,
        **more,
    }


def may_order(kind, identifier_type):
    """Only values of a unique type are said to be one."""
    return kind != "same" or identifier_type in UNIQUE


def told(seed):
    """(events, orders) of one graph."""
    graph = identity_graphs.random_graph(seed)
    names, chance = list(named(graph, seed)), random.Random(seed)
    seen = [(time, [names[i]]) for i, (_, _, time) in enumerate(graph["identifiers"])]
    for one, two, time, is_indirect in graph["links"]:
        seen.append((time, [names[one], names[two]] + ([chance.choice(names)] if is_indirect else [])))
    events = []
    for number, (time, who) in enumerate(seen):
        is_order = chance.random() < 0.1
        more = {"event": "Order Completed", "value_micros": 1_000_000, "currency": "EUR"} if is_order else {}
        events.append(touchpoint(seed, number, time, who, **more))
    kinds = [(kind, [":".join(names[i]) for i in ends]) for kind, *ends in graph["orders"] if may_order(kind, names[ends[0]][0])]
    return events, [{"after": None, kind: ends} for kind, ends in kinds]


def begun(events, chance):
    """What there is when the operators act: each identifier, and some of the links."""
    return [event for event in events if len(event["identifiers"]) == 1 or chance.random() < 0.6]


@pytest.mark.parametrize("seed", [1])
def test_random_graphs(stack, make_world, tmp_path, seed):
    chance = random.Random(seed)
    stories = [told(seed * 1000 + number) for number in range(GRAPHS)]
    world = world_of(make_world, stack, tmp_path, policies_of(scenarios.Group(PATCH), tmp_path / "policies"), 4)
    world.start(instances=3)
    produce(world, [begun(events, chance) for events, _ in stories], chance)
    world.lines = [json.dumps(event) for events, _ in stories for event in events]
    given = [order for _, orders in stories for order in orders][:ORDERS]
    with Feeder(world, chance.sample(world.lines * 2, 2 * len(world.lines)), pieces=25):
        for order in given:
            give(world, order)
    world.settle()
    views = world.assert_equals_oracle()
    world.assert_numbers_dense()
    world.assert_chronicles()
    assert len(world.orders()) == len(given) == ORDERS
    assert {order[0] for order in world.orders()} == {"link", "same", "cut", "release"}
    rules = {row[-1] for row in views["fct_identity_links"]}
    assert {row[-2] for row in views["fct_identity_links"]} == {"false", "true"}
    assert rules == {None, "pair", "quarantine", "cut", "unique", "limit", "max_identifiers"}
    assert tables(world).quarantined
