"""`tutti explain --why A B` where an operator linked two that were never seen together, and a rule refuses it: it is named."""

import shutil

import pytest

from cluster import RETAILER
from people import HOUR, START, feed, kiosk, order, profiles, touchpoint, why
from test_identity_policies import policy_file

ANNA, BOB = "email:anna@example1.com", "email:bob@example1.com"


def person(number, **more):
    return touchpoint(f"p-{number}", START + number * HOUR, **more)


def three():
    """Three who were seen alone."""
    return [person(number, email=f"{name}@example1.com") for number, name in enumerate(("anna", "bob", "carl"))]


def said_of(world, one, other):
    """The rows between the two that are not in one profile."""
    found = why(world, one, other)
    assert found["one_customer"] is False, found
    return [(row["kind"], row["refused_by"]) for row in found["refused"]]


def link(world, one, other):
    order(world, "link", one, other, "--reason", "same address")


def apart(world, pairs):
    """What is said of those pairs that are two customers; the order among orders is that of hashes."""
    return [said_of(world, *pair) for pair in pairs if not why(world, *pair)["one_customer"]]


@pytest.fixture
def limited(stack, make_world, tmp_path):
    """make(**changes): a world with another identity policy."""

    def make(**changes):
        folder = tmp_path / "policies"
        shutil.copytree(RETAILER, folder)
        policy_file(folder, **changes)
        world = make_world(stack, "why", policies=folder)
        world.start()
        return world

    return make


def test_unique(world):
    world.start()
    more = [person(number, user_id="ab"[number % 2], email=f"{number}@example1.com") for number in range(3, 13)]
    feed(world, person(1, user_id="a"), person(2, user_id="b", email="bob@example1.com"), *more)
    link(world, "user_id:a", "user_id:b")
    assert said_of(world, "user_id:a", "user_id:b") == [("link", "unique")]
    assert said_of(world, BOB, "user_id:a") == said_of(world, "user_id:a", BOB) == [("link", "unique")], "whatever identifier of the two is asked for"
    assert "refused by unique" in world.tool("explain", "--why", "user_id:a", "user_id:b").stdout
    world.stop()


def test_a_cut_elsewhere(world):
    """Bob and Carl are cut apart; Anna is linked to both, and one of the orders cannot be followed."""
    world.start()
    feed(world, *three())
    order(world, "unlink", BOB, "email:carl@example1.com", "--reason", "two people")
    link(world, ANNA, BOB)
    link(world, ANNA, "email:carl@example1.com")
    assert len(profiles(world)) == 2
    assert apart(world, [(ANNA, BOB), (ANNA, "email:carl@example1.com")]) == [[("link", "cut")]]
    world.stop()


def test_quarantine(world):
    world.start()
    feed(world, *kiosk(4), person(9, email="anna@example1.com"))
    link(world, ANNA, "device_id:kiosk")
    assert said_of(world, ANNA, "device_id:kiosk") == [("link", "quarantine")]
    world.stop()


@pytest.mark.parametrize("rule, changes", [("limit", {"types": {"email": {"limit": {"count": 2}}}}), ("max_identifiers", {"max_identifiers": 2})])
def test_too_many(limited, rule, changes):
    world = limited(**changes)
    feed(world, *three())
    pairs = [(ANNA, BOB), (ANNA, "email:carl@example1.com")]
    for pair in pairs:
        link(world, *pair)
    assert apart(world, pairs) == [[("link", rule)]]
    world.stop()


def test_seen_together_later(world):
    """Then the link is stored with its rule, and both ways to know it agree."""
    world.start()
    feed(world, person(1, user_id="a"), person(2, user_id="b"))
    link(world, "user_id:a", "user_id:b")
    before = said_of(world, "user_id:a", "user_id:b")
    feed(world, person(3, user_id="a", identifiers=[{"type": "user_id", "value": "b"}]))
    assert said_of(world, "user_id:a", "user_id:b") == before == [("link", "unique")]
    assert world.query("SELECT refused_by FROM tutti.fct_identity_links") == [("unique",)]
    world.stop()
