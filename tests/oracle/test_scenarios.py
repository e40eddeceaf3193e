"""Every identity scenario through the oracle alone: as expected, in every order, with each event twice, in company."""

import itertools
import math
import random

import pytest

from oracle import Oracle
from policy import Policies
from render import COLUMNS
from scenarios import FOLDER, KEY, ROOT, Told, groups, order_of, patched, resolve, scenarios, shipped
from support import LATER

SCENARIOS = scenarios()
GROUPS = groups(SCENARIOS)
ORDERS = 1000
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def sequences(count):
    """All orders of so many things, or 1,000 random ones."""
    if math.factorial(count) <= ORDERS:
        yield from itertools.permutations(range(count))
        return
    chance = random.Random(count)
    for _ in range(ORDERS):
        yield chance.sample(range(count), count)


def with_orders(seen, orders, sequence):
    """The events in that sequence, with the operator's orders in between; those keep their sequence."""
    steps = [("see", seen[i % len(seen)]) for i in sequence]
    chance = random.Random(str(sequence))
    places = sorted(chance.randrange(len(steps) + 1) for _ in orders)
    for shift, (place, order) in enumerate(zip(places, orders)):
        steps.insert(place + shift, ("order", order))
    return steps


@each_scenario
def test_as_expected_in_every_order(scenario):
    told = Told(scenario, 0, patched(shipped(), scenario.patch))
    seen, orders = told.evidence(KEY)
    assert seen and told.differences(told.resolved(KEY), KEY) == []
    first = told.resolved(KEY)
    for sequence in sequences(len(seen)):
        found = resolve(told.policy, with_orders(seen, orders, sequence))
        assert found == first, sequence


@each_scenario
def test_each_event_twice(scenario):
    told = Told(scenario, 0, patched(shipped(), scenario.patch))
    seen, orders = told.evidence(KEY)
    for sequence in itertools.islice(sequences(2 * len(seen)), 100):
        assert told.differences(resolve(told.policy, with_orders(seen, orders, sequence)), KEY) == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{len(group.members)} together")
def test_many_together_with_people_of_their_own(group):
    stories = group.told()
    steps = []
    for story in stories:
        seen, orders = story.evidence(KEY)
        steps += with_orders(seen * 2, orders, random.Random(story.number).sample(range(2 * len(seen)), 2 * len(seen)))
    tables = resolve(group.policy(), steps)
    assert [line for story in stories for line in story.differences(tables, KEY)] == []
    assert tables.profile.keys() == {one for story in stories for one in story.ids(KEY)}
    assert len(tables.profile) == sum(len(story.ids(KEY)) for story in stories)


def test_few_groups():
    assert sum(len(group.members) for group in GROUPS) == len(SCENARIOS)
    assert len(GROUPS) <= 3


def oracle_of(group, changed=lambda event, anchor: event):
    """The whole oracle with everything that happens to a group, each event as `changed` returns it."""
    policies = Policies.load(ROOT / "policies")
    policies.identity = group.policy()
    oracle = Oracle(policies, KEY, LATER)
    for story in group.told():
        for event in story.events:
            oracle.add(changed(event, oracle.identifiers.anchor(oracle.identifiers.of(event))))
        for order in story.orders:
            kind, ends = order_of(order)
            oracle.order(kind, *ends)
    return oracle


@pytest.mark.parametrize("group", [g for g in GROUPS[1:] if len(g.members) > 1], ids=lambda group: f"{len(group.members)} together")
def test_shared_profiles_have_no_journey(group):
    """Their touchpoints are listed, their sales are unidentified, and everything else is as if they were no touches."""
    oracle = oracle_of(group)
    views = oracle.views(LATER)
    shared = oracle.identity.quarantined

    def silenced(event, anchor):
        return {**event, "type": "identify", "event_name": None} if anchor in shared else event

    without = oracle_of(group, silenced).views(LATER)
    of_sales = {"fct_conversions", "fct_attributions", "rpt_attributions_daily", "rpt_shared_goals_daily", "rpt_shared_goals"}
    assert shared and {name for name in views if views[name] != without[name]} == {"fct_touchpoints", *of_sales}
    for name in of_sales:
        known = [[row for row in rows[name] if "(unidentified)" not in row and "(all)" not in row[4:6]] for rows in (views, without)]
        assert name == "fct_conversions" or known[0] == known[1]
    names = list(COLUMNS["fct_touchpoints"]["columns"])
    rows = [dict(zip(names, row)) for row in views["fct_touchpoints"]]
    listed = [row for row in rows if bytes.fromhex(row["profile_id"].replace("-", "")) in shared]
    assert any(row["revenue"] for row in listed)
    assert all(row["session_number"] is None and row["is_goal"] == "false" for row in listed)


def test_every_scenario_is_in_the_readme():
    rows = [line.split("|") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()]
    named = {row[1].strip() for row in rows if len(row) == 4} - {"scenario", "---"}
    assert named == {scenario.name for scenario in SCENARIOS} and len(named) >= 35


@each_scenario
def test_expectations_can_fail(scenario):
    """Another answer than the expected one is noticed."""
    told = Told(scenario, 0, patched(shipped(), scenario.patch))
    tables = told.resolved(KEY)
    stranger = bytes(16)
    one = next(iter(tables.profile))
    for broken in (
        {"profile": {**tables.profile, one: stranger}},
        {"quarantined": tables.quarantined ^ {one}},
        {"links": {**tables.links, (one, stranger): "unique"}},
        {"links": {pair: None if rule else "cut" for pair, rule in tables.links.items()}},
        {"touchpoints": {**tables.touchpoints, (scenario.events[0]["source"], "more"): tables.profile[one]}},
    ):
        changed = type(tables)(**{**vars(tables), **broken})
        is_listed = all("touchpoints" in profile for profile in told.expected["profiles"])
        if changed != tables and ("touchpoints" not in broken or is_listed):
            assert told.differences(changed, KEY), broken.keys()
