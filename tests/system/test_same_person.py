"""Two numbers of one person: told by a source that is believed on its topic, or by an operator; `why` judges as identity-resolver."""

import json
import shutil

import pytest

from cluster import RETAILER
from people import HOUR, START, assert_plan_is_quiet, feed, identity, identity_tables, order, profiles, touchpoint, why
from test_identity_policies import policy_file

OLD, NEW, MAIL = "user_id:1001", "user_id:C7", "email:ann@example1.com"
WRONG = [
    (("link", OLD, MAIL, "--same-person"), 1, "A is of type user_id and B of email"),
    (("link", MAIL, "email:eve@example1.com", "--same-person"), 1, "email, which is not unique"),
    (("unlink", OLD, NEW, "--same-person"), 2, "--same-person belongs to link"),
]
SAME = ("link", OLD, NEW, "--same-person", "--reason", "a new number")


@pytest.fixture
def numbered(stack, make_world, tmp_path):
    """A world that believes urn:crm on its own topic and urn:till on another one; three numbers of a person are too many."""
    folder = shutil.copytree(RETAILER, tmp_path / "policies")
    world = make_world(stack, "numbers", policies=folder)
    believed = [
        {"source": "urn:crm", "topic": world.topic("touchpoints")[:-3] + "*"},
        {"source": "urn:till", "topic": "elsewhere.*"},
    ]
    policy_file(folder, types={"user_id": {"limit": {"count": 2}}}, may_alias=believed)
    world.start()
    return world


def seen(number, **more):
    return touchpoint(f"p-{number}", START + number * HOUR, **more)


def merge(number, source, new, old):
    return {**seen(number, user_id=new, previous_id=old), "source": source, "type": "merge", "event_name": None}


def numbers(world):
    """How many profiles have user ids, and how many of those each has."""
    found = world.query("SELECT count(*) FROM tutti.dim_identifiers WHERE type = 'user_id' GROUP BY profile_id ORDER BY 1 DESC")
    return [row[0] for row in found]


def said_of(world, one, other):
    return [(row["kind"], row["refused_by"]) for row in why(world, one, other)["refused"]]


def test_an_operator_says_it(numbered):
    """Then two numbers are one customer, until it is taken back. `why` judges as identity-resolver: a third one is over the limit."""
    world = numbered
    feed(
        world,
        seen(1, user_id="1001", email="ann@example1.com"),
        seen(2, user_id="C7", email="ann@example1.com"),
        merge(3, "urn:crm", "D8", "1002"),
        merge(4, "urn:till", "E9", "1003"),
        seen(5, user_id="1003"),
        seen(6, email="eve@example1.com"),
        *(seen(number, user_id=f"F{number}") for number in (7, 8, 9)),
    )
    assert numbers(world) == [2, 1, 1, 1, 1, 1, 1, 1], "the topic of urn:till is another one"
    before = identity_tables(world)
    plan = json.loads(identity(world, *SAME, "--json").stdout)
    assert (plan["order"], plan["executed"], plan["moved"]) == ("same", False, 1)
    assert identity_tables(world) == before and world.orders() == [], "a plan changes nothing"
    for words, status, text in WRONG:
        done = identity(world, *words, "--reason", "x", check=False)
        assert done.returncode == status and text in done.stderr, done.stderr

    thirds = [("user_id:F7", f"user_id:F{number}") for number in (8, 9)]
    for pair in ((OLD, NEW), *thirds):
        identity(world, "link", *pair, *SAME[3:], "--execute")
    world.settle()
    assert numbers(world) == [2, 2, 2, 1, 1, 1]
    assert why(world, MAIL, NEW)["one_customer"] is True
    assert [row["kind"] for row in why(world, OLD, NEW)["chain"]] == ["same"]
    (third,) = (pair for pair in thirds if not why(world, *pair)["one_customer"])
    assert said_of(world, *third) == [("same", "limit")], "that they are two values is no reason"
    world.assert_equals_oracle()
    assert_plan_is_quiet(world)

    order(world, "unlink", OLD, NEW, "--reason", "two people")
    assert numbers(world) == [2, 2, 1, 1, 1, 1, 1] and len(why(world, OLD, NEW)["cuts"]) == 1
    world.assert_equals_oracle()
    world.stop()
