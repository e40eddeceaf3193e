"""The stories of tests/scenarios/identity through the real pipeline: shuffled, each event twice, in several layouts.

All stories that can share a policy run at once, with people of their own. An operator's orders are given by `tutti identity`
after the events that they come after; the rest follows.
"""

import json
import random

import pytest

import scenarios  # of tests/oracle, by cluster
from cluster import RETAILER, database
from render import PYTHON
from topics import framed

GROUPS = scenarios.groups(scenarios.scenarios())
LAYOUTS = [(1, 3), (2, 1), (4, 3)]  # partitions, instances of each service
KEY = bytes(range(32))
WORDS = {"cut": ["unlink"], "link": ["link"], "same": ["link", "--same-person"], "release": ["release"]}


@pytest.fixture(scope="module")
def wanted():
    """Checksums of a group's first layout, for the others."""
    return {}


def policies_of(group, directory):
    """A policy folder: the shipped one with the group's identity.json."""
    directory.mkdir()
    for name in ("journey", "goals", "contact", "channels"):
        (directory / f"{name}.json").write_bytes((RETAILER / f"{name}.json").read_bytes())
    (directory / "identity.json").write_text(json.dumps(group.policy()), encoding="utf-8")
    return directory


def world_of(make_world, stack, directory, policies, partitions):
    layout = {"touchpoints": partitions, "resolved": partitions}
    return make_world(stack, directory.name.replace("_", "-")[:30], policies=policies, partitions=layout, key=KEY)


def told_twice(story, chance):
    """(what happens before the orders, what after them), every event at least twice; without orders anything at any time."""
    if not story.orders:
        events = chance.sample(story.events * 2, 2 * len(story.events))
        return events[::2], events[1::2]
    places = [event["message_id"] for event in story.events]
    last = max(places.index(order["after"]) for order in story.orders)
    before, after = story.events[: last + 1], story.events[last + 1 :]
    return before * 2, after * 2 + before


def tell(world, stories, seed):
    """Everything that happens, in an order made from the seed; the number of dead letters that it must give."""
    chance = random.Random(seed)
    first, second = zip(*(told_twice(story, chance) for story in stories))
    produce(world, first, chance)
    for story in stories:
        for order in story.orders:
            give(world, order)
    dead = [(None, framed(1, event), []) for story in stories for event in story.dead_letters]
    world.topics.produce(world.topic("touchpoints"), dead)
    produce(world, second, chance)
    return len(dead)


def produce(world, parts, chance):
    events = [json.dumps(event) for part in parts for event in part]
    world.produce(chance.sample(events, len(events)), key="message_id")
    world.settle()


def give(world, order):
    kind, ends = scenarios.order_of(order)
    where = ("--topic", world.topic("resolved"), "--group", world.group("suppression"))
    world.tool("identity", *WORDS[kind], *ends, "--reason", "scenario", "--execute", *where)


def tables(world):
    """What the public views show."""
    with database.connect(world.url) as connection:

        def rows(statement):
            return connection.execute(statement).fetchall()

        found = rows("SELECT identifier_id, profile_id, is_quarantined FROM tutti.dim_identifiers")
        links = rows("SELECT a, b, refused_by FROM tutti.fct_identity_links")
        seen = rows("SELECT source, message_id, profile_id FROM tutti.fct_touchpoints")
        alone = rows("SELECT source, message_id FROM tutti.fct_unidentified_touchpoints")
    return scenarios.Tables(
        profile={one.bytes: profile.bytes for one, profile, _ in found},
        quarantined={one.bytes for one, _, is_quarantined in found if is_quarantined},
        links={(one.bytes, two.bytes): rule for one, two, rule in links},
        manual=None,
        touchpoints={(source, message): profile.bytes for source, message, profile in seen},
        unidentified=set(alone),
    )


def check_orders(world, stories):
    """Every order is listed, and read by the oracle from there."""
    given = sum(len(story.orders) for story in stories)
    assert world.query("SELECT count(*) FROM tutti.fct_identity_orders") == [(given,)]


def check_shared(world, found):
    """Who is in quarantine is in no table of figures; the touchpoints are listed."""
    shared = [PYTHON["uuid"](one) for one in found.quarantined]
    for view in ("fct_stage_changes", "fct_conversions", "fct_attributions"):
        assert world.query(f"SELECT count(*) FROM tutti.{view} WHERE profile_id = ANY (%s::uuid[])", shared) == [(0,)]
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(len(shared),)]


@pytest.mark.parametrize("partitions, instances", LAYOUTS, ids=lambda number: str(number))
@pytest.mark.parametrize("number", range(len(GROUPS)), ids=lambda number: f"group{number}")
def test_stories(stack, make_world, tmp_path, wanted, number, partitions, instances):
    group = GROUPS[number]
    stories = group.told()
    world = world_of(make_world, stack, tmp_path, policies_of(group, tmp_path / "policies"), partitions)
    world.start(instances=instances)
    dead = tell(world, stories, seed=f"{number} {partitions}")
    found = tables(world)
    assert [line for story in stories for line in story.differences(found, KEY)] == []
    assert found.profile.keys() == {one for story in stories for one in story.ids(KEY)}
    assert sum(1 for _ in world.topics.read(world.dead_letters("touchpoints"))) == dead
    check_orders(world, stories)
    check_shared(world, found)
    world.lines = [json.dumps(event) for story in stories for event in story.events]
    world.assert_equals_oracle()
    world.assert_numbers_dense()
    world.assert_chronicles()
    checksums = world.checksums()
    assert wanted.setdefault(number, checksums) == checksums
