"""Paths and what their nodes are worth."""

import itertools
import random
from fractions import Fraction

import pytest

from compare import compare
from influence import CONVERSION, NONE, START, Chain
from policy import instant
from render import EVERYTHING, View
from support import DAY, HOUR, START as FIRST
from support import Story, policies, views


def chain(*paths, unprompted=0):
    """Each path: its nodes, how many end in a conversion, how many in nothing."""
    steps = [(START, CONVERSION, unprompted, 0)]
    for nodes, converted, lost in paths:
        way = [START, *nodes]
        steps += [(one, two, converted + lost, 0) for one, two in zip(way, way[1:])]
        steps += [(way[-1], CONVERSION, converted, 0), (way[-1], NONE, lost, 0)]
    return Chain([step for step in steps if step[2]])


def figures(found, name="influence"):
    return {row["node"]: row[name] for row in found.rows() if row["node"] != "(unprompted)"}


def test_a_first_chain():
    found = chain(("ab", 3, 1), ("ac", 1, 1))
    assert found.removal() == (Fraction(2, 3), {"a": 1, "b": Fraction(3, 4), "c": Fraction(1, 4)})
    assert figures(found) == {"a": 2_000_000, "b": 1_500_000, "c": 500_000}
    assert figures(found, "expected_loss") == {"a": 4_000_000, "b": 3_000_000, "c": 1_000_000}


def test_a_node_that_is_met_twice():
    found = chain(("xyx", 2, 1), ("y", 1, 3))
    assert found.removal() == (Fraction(3, 7), {"x": Fraction(17, 21), "y": Fraction(2, 3)})
    assert figures(found) == {"x": 1_645_161, "y": 1_354_839}


def test_unprompted_conversions_belong_to_nobody():
    found = chain(("ab", 3, 1), ("ac", 1, 1), unprompted=4)
    assert figures(found) == figures(chain(("ab", 3, 1), ("ac", 1, 1)))
    (row,) = [row for row in found.rows() if row["node"] == "(unprompted)"]
    assert (row["influence"], row["removal_effect"], row["expected_loss"], row["path_conversions"]) == (4_000_000, None, 0, 4)


def without(steps, node):
    """The steps with all that enters a node going to nothing."""
    return [(one, NONE if two == node else two, count, 0) for one, two, count, _ in steps if one != node]


@pytest.mark.parametrize("seed", range(60))
def test_as_if_the_node_was_not_there(seed):
    chance = random.Random(seed)
    nodes = "abcd"[: chance.randint(1, 4)]
    pairs = itertools.product([START, *nodes], [*nodes, CONVERSION, NONE])
    steps = [(*pair, chance.randint(1, 4), 0) for pair in pairs if chance.random() < 0.5 and pair != (START, CONVERSION)]
    steps.append((START, "a", 1, 0))
    p, effects = Chain(steps).removal()
    for node, effect in effects.items():
        rest = Chain(without(steps, node)).removal()[0]
        assert effect == (1 - (rest or 0) / p if p else None)
    earned = {node: chance.randint(0, 9) for node in [START, *nodes]}
    whole, effects = Chain(steps).removal(earned)
    for node, effect in effects.items():
        rest = Chain(without(steps, node)).removal(earned)[0]
        assert effect == (1 - (rest or 0) / whole if whole else None)


def test_a_circle_without_a_way_out():
    found = Chain([(START, "a", 1, 0), ("a", "b", 2, 0), ("b", "a", 1, 0), (START, "c", 1, 0), ("c", CONVERSION, 1, 0)])
    assert found.removal() == (Fraction(1, 2), {"a": 0, "b": 0, "c": 1})


def test_nothing_began():
    rows = list(Chain([("a", CONVERSION, 2, 0)]).rows())
    assert [(row["node"], row["p"], row["removal_effect"], row["influence"]) for row in rows] == [("a", None, None, 0), ("(unprompted)", None, None, 0)]


def test_many_nodes():
    steps = [(START, f"n{number:03}", 2 - (number > 297), 1) for number in range(302)]
    rows = {row["node"]: row for row in Chain(steps).rows()}
    assert len(rows) == 301 and rows["(other)"]["steps_in"] == 3 and "n298" in rows and "n299" not in rows


# -------------------------------------------------------------------------------------------------------- paths


def asked(**fields):
    found = policies(conversions="any", creditable=["Campaign Sent"])
    found.influence = [{"goal": "sale", "conversions": "all", **fields}]
    return found


def travelled(without=()):
    story = Story()
    for hour, campaign in ((0, "a"), (100, "b"), (200, "b"), (300, None), (400, None), (500, "c"), (1300, "a")):
        if campaign:
            story.send(hour * HOUR, campaign)
        else:
            story.order(hour * HOUR, hour * 10_000)
    story.touchpoints = [one for one in story.touchpoints if one["message_id"] not in without]
    return story


def steps(found):
    return sorted((row["from_node"], row["to_node"], row["steps"], row["sends"], row["revenue"]) for row in found["rpt_path_steps"])


def test_paths():
    found = views(travelled().touchpoints, asked())
    assert steps(found) == [
        ("(start)", "(conversion)", "1", "0", "4.000000"),
        ("(start)", "a", "1", "1", "0.000000"),
        ("(start)", "a", "1", "1", "0.000000"),
        ("(start)", "c", "1", "1", "0.000000"),
        ("a", "(none)", "1", "0", "0.000000"),
        ("a", "b", "1", "1", "0.000000"),
        ("b", "(conversion)", "1", "0", "3.000000"),
        ("b", "b", "1", "1", "0.000000"),
        ("c", "(none)", "1", "0", "0.000000"),
    ]
    ends = {(row["from_node"], row["period_start_date"]) for row in found["rpt_path_steps"] if row["to_node"] == "(none)"}
    assert ends == {("c", "2017-02-01"), ("a", "2017-03-01")}


def test_a_conversion_of_somebody_else():
    found = steps(views(travelled({"m3"}).touchpoints, asked()))
    assert ("b", "(conversion)", "1", "0", "4.000000") in found and not [row for row in found if row[:2] == (START, CONVERSION)]


def test_after_the_first_conversion_nothing():
    assert [row[:2] for row in steps(views(travelled().touchpoints, asked(conversions="first")))] == [(START, "a"), ("a", "b"), ("b", CONVERSION), ("b", "b")]


@pytest.mark.parametrize("late, expected", [(0, [(START, "a"), ("a", CONVERSION)]), (1, [(START, CONVERSION), (START, "a"), ("a", NONE)])])
def test_lookback(late, expected):
    story = Story()
    story.send(0, "a")
    story.order(3 * DAY + late, 1)
    assert [row[:2] for row in steps(views(story.touchpoints, asked(lookback="P3D")))] == expected


@pytest.mark.parametrize("node, expected", [("kind", "direct_mail:Campaign Sent"), ("channel", "direct_mail"), ("campaign", "direct_mail:Campaign Sent")])
def test_nodes(node, expected):
    story = Story()
    story.send(0, "(start)")
    assert (START, expected) in [row[:2] for row in steps(views(story.touchpoints, asked(node=node)))]


def test_a_goal_that_is_no_conversion():
    story = Story()
    story.send(0, "a")
    story.add(HOUR, "Coupon Redeemed", campaign={"id": "b"})
    found = asked(goal="coupons")
    found.goals = [{"id": "coupons", "on": {"events": ["Coupon Redeemed"]}, "measure": "count"}]
    found.creditable = {"Campaign Sent", "Coupon Redeemed"}
    assert [row[:2] for row in steps(views(story.touchpoints, found))] == [(START, "a"), ("a", CONVERSION)]


def test_only_months_that_ended():
    during = views(travelled().touchpoints, asked(), FIRST + 45 * DAY)
    assert {row["period_start_date"] for row in during["rpt_influence"]} == {"2017-01-01"}
    assert {row["period_start_date"] for row in during["rpt_path_steps"]} == {"2017-01-01", "2017-02-01"}
    after = views(travelled().touchpoints, asked(), instant("2017-04-01T00:00:00Z"))
    assert {row["period_start_date"] for row in after["rpt_influence"]} == {"2017-01-01", "2017-02-01", "2017-03-01"}


def test_computed_figures_may_differ_by_a_millionth():
    view = View("rpt_influence", EVERYTHING)
    row = ("2017-01-01", "sale", "(all)", "a", "1", "0", "0.500000", "1.000000", "1.000000", "1", "0", "0.500000")
    changed = lambda place, value: [tuple([*row[:place], value, *row[place + 1 :]])]
    assert not compare(view, [row], changed(6, "0.500001")).different
    assert compare(view, [row], changed(6, "0.500002")).different == compare(view, [row], changed(4, "2")).different == 1
    assert compare(view, [row], changed(6, None)).different == 1
