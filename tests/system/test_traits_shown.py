"""Traits through the whole pipeline: which value counts, through a merge, a cut, other rules and an erasure."""

import json
import shutil

import pytest

from cluster import RETAILER
from people import DAY, START, feed, order, touchpoint
from test_erase import restart

CITY = {"name": "city", "type": "text", "rule": "latest", "sources": ["urn:crm"]}
CHILDREN = {"name": "children", "type": "number", "rule": "max"}


@pytest.fixture
def world(stack, make_world, tmp_path):
    folder = shutil.copytree(RETAILER, tmp_path / "policies")
    declare(folder, CITY, CHILDREN)
    return make_world(stack, "traits", policies=folder)


def declare(folder, *traits, **more):
    (folder / "traits.json").write_text(json.dumps({"traits": traits, **more}), encoding="utf-8")


def say(number, day, who, source="urn:web", **traits):
    known = {"user_id": who} if isinstance(who, str) else who
    return {**touchpoint(f"t{number}", START + day * DAY, "Profile Updated", **known), "source": source, "traits_json": json.dumps(traits)}


def shown(world, trait="city"):
    rows = world.query("SELECT value FROM tutti.dim_profile_traits WHERE trait = %s ORDER BY 1", trait)
    return [value for value, in rows]


def test_traits(world):
    card = {"identifiers": [{"type": "loyalty_id", "value": "card"}]}
    services = world.start()
    feed(world, say(1, 10, "ann", city="Bonn", children=2), say(2, 5, card, "urn:crm", city="Köln"), say(3, 20, "ann", city="Berlin", children=3))
    assert shown(world) == ["Berlin", "Köln"]
    feed(world, say(4, 30, {"user_id": "ann", **card}, children=1))
    assert shown(world) == ["Köln"] and shown(world, "children") == ["3"]
    order(world, "unlink", "user_id:ann", "loyalty_id:card", "--reason", "two people")
    assert shown(world) == ["Berlin", "Köln"]
    order(world, "link", "user_id:ann", "loyalty_id:card", "--reason", "one person")
    assert shown(world) == ["Köln"]
    feed(world, say(5, 1, "ben", city="Ulm", secret="s3cret"), say(6, 2, "ben", "urn:crm", city=None, children="many"))
    assert shown(world) == ["Köln"]
    world.assert_equals_oracle()

    world.stop()
    declare(world.policies, {**CITY, "sources": ["urn:web"]}, {**CHILDREN, "rule": "first"}, {"name": "secret", "type": "text", "rule": "latest"})
    world.tool("policy", "apply")
    assert shown(world) == ["Berlin", "Ulm"] and shown(world, "children") == ["2"] and shown(world, "secret") == ["s3cret"]
    declare(world.policies, CITY, keep="declared")
    world.tool("policy", "apply")
    restart(world, services)
    feed(world, say(7, 3, "cleo", city="Ulm", secret="s3cret"))
    assert shown(world) == ["Köln", "Ulm"]
    world.assert_equals_oracle()
    kept = world.query("SELECT count(*) FROM journey.facts WHERE position('s3cret'::bytea IN traits) > 0")
    assert kept == [(1,)]  # ben's, from before

    said = json.loads(world.tool("erase", "user_id:ann", "--reason", "asked", "--execute", "--json").stdout)
    assert said and shown(world) == ["Ulm"]
    assert world.query("SELECT count(*) FROM journey.traits") == [(2,)]
    world.stop(services)
