"""Stories of who may be contacted, through the oracle: in every order, alone and in company; and that they can fail."""

import itertools
import json
import math
import random

import pytest

import contact_scenarios
from contact import FOREVER, Ledger
from oracle import Oracle
from policy import Policies
from scenarios import KEY, ROOT
from support import LATER

STORIES = contact_scenarios.stories()
ORDERS = 200
each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def answers(events, ledger=Ledger):
    world = contact_scenarios.Answers(Oracle(Policies.load(ROOT / "policies"), KEY, LATER), contact_scenarios.contact_policy())
    world.ledger = ledger(contact_scenarios.contact_policy())
    for event in events:
        world.add(json.loads(json.dumps(event)))
    return world


def differences(world, story):
    found = [(*asked[:4], world.answer(*asked[:4])) for asked in story.asked]
    return [(wanted, answer) for wanted, answer in zip(story.asked, found) if wanted != answer]


def sequences(count):
    if math.factorial(count) <= ORDERS:
        return itertools.permutations(range(count))
    chance = random.Random(count)
    return (chance.sample(range(count), count) for _ in range(ORDERS))


@each_story
def test_as_expected_in_every_order(story):
    for sequence in sequences(len(story.events)):
        assert differences(answers(story.events[i] for i in sequence), story) == [], sequence


def test_all_together_each_event_twice():
    events = [event for story in STORIES for event in story.events] * 2
    world = answers(random.Random(1).sample(events, len(events)))
    assert [difference for story in STORIES for difference in differences(world, story)] == []


class OfTheAnchorAlone(Ledger):
    """What was once true: a fact is its anchor's."""

    def add(self, raw, event_id, found, anchor, recorded_at=FOREVER, reaches=()):
        super().add(raw, event_id, {anchor}, anchor, recorded_at, reaches)


class OfEverybody(Ledger):
    """Too much: opt-ins, failed addresses and purchases are everybody's, too."""

    def of(self, members):
        return ((at, True, raw) for at, _, raw in super().of(members))


@pytest.mark.parametrize("rule, least", [(OfTheAnchorAlone, 10), (OfEverybody, 2)])
def test_the_stories_tell_rules_apart(rule, least):
    """Another rule gives other answers in so many stories."""
    assert sum(differences(answers(story.events, rule), story) != [] for story in STORIES) >= least


def test_every_story_is_in_the_readme():
    lines = (contact_scenarios.FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    named = {row[1].strip() for row in (line.split("|") for line in lines) if len(row) == 4} - {"story", "---"}
    assert named == {story.name for story in STORIES}


# ------------------------------------------------------------------------------------------- the rules by themselves

ME, OTHER = b"me", b"other"


def said(*facts, members=(ME,), channel="email", at=100, product=None, **rule):
    """The answer of one rule; facts: (time, anchor, the other identifiers, fields)."""
    ledger = Ledger({"rules": [{"id": "r", **rule}], "consent": {"*": {"on_unknown": "allow"}}})
    for number, (time, anchor, others, fields) in enumerate(facts):
        raw = {"occurred_at": time, "type": "track", "channel": "email", "event_name": "x", **fields}
        ledger.add(raw, bytes([number]), {anchor, *others}, anchor)
    return ledger.answer(set(members), channel, at, product)


NO, YES = {"consent": {"email": False}}, {"consent": {"email": True}}


@pytest.mark.parametrize(
    "answer, facts",
    [
        ("grant", []),
        ("opt_out", [(1, ME, [], NO)]),
        ("opt_out", [(1, OTHER, [ME], NO)]),
        ("grant", [(1, OTHER, [], NO)]),
        ("grant", [(1, ME, [], NO), (2, ME, [OTHER], YES)]),
        ("opt_out", [(1, ME, [], NO), (2, OTHER, [ME], YES)]),
        ("opt_out", [(2, ME, [], NO), (1, ME, [], YES)]),
        ("opt_out", [(1, OTHER, [ME], {"consent": {"all": False}})]),
        ("grant", [(1, OTHER, [ME], {"consent": {"all": False, "email": True}})]),
        ("grant", [(1, OTHER, [ME], {**NO, "is_test": True})]),
    ],
)
def test_opt_out(answer, facts):
    assert said(*facts, kind="opt_out") == answer


HOME, WORK = b"home", b"work"


def with_addresses(*facts, named=(), **rule):
    ledger = Ledger({"rules": [{"id": "r", **rule}], "consent": {"*": {"on_unknown": "allow"}}})
    for number, (time, anchor, others, fields) in enumerate(facts):
        raw = {"occurred_at": time, "type": "track", "channel": "email", "event_name": "x", **fields}
        ledger.add(raw, bytes([number]), {anchor, *others}, anchor, reaches={HOME: {"email"}, WORK: {"email"}})
    return ledger.answer({ME}, "email", 100, named={ME, *named})


@pytest.mark.parametrize(
    "answer, named, facts",
    [
        ("opt_out", [HOME], [(1, OTHER, [HOME], NO)]),
        ("grant", [WORK], [(1, OTHER, [HOME], NO)]),
        ("grant", [], [(1, OTHER, [HOME], NO)]),
        ("opt_out", [HOME], [(1, OTHER, [HOME], NO), (2, ME, [], YES)]),
        ("opt_out", [HOME], [(1, OTHER, [HOME], NO), (1, ME, [HOME], YES)]),
        ("grant", [HOME], [(1, OTHER, [HOME], NO), (2, ME, [HOME], YES)]),
        ("opt_out", [HOME], [(1, OTHER, [HOME], NO), (2, OTHER, [HOME], YES)]),
        ("opt_out", [], [(3, ME, [HOME], {}), (1, OTHER, [HOME], NO)]),
        ("grant", [], [(3, ME, [HOME], {}), (1, OTHER, [HOME], NO), (2, ME, [], YES)]),
        ("grant", [], [(3, ME, [HOME], {"direction": "outbound"}), (1, OTHER, [HOME], NO)]),
    ],
)
def test_the_word_of_an_address(answer, named, facts):
    assert with_addresses(*facts, named=named, kind="opt_out") == answer


BOUNCE, WORKS = {"event_name": "Email Bounced"}, {"event_name": "Email Delivered"}


@pytest.mark.parametrize(
    "answer, named, facts",
    [
        ("invalid_address", [], [(1, ME, [], BOUNCE)]),
        ("grant", [HOME], [(1, ME, [], BOUNCE), (2, ME, [HOME], {})]),
        ("invalid_address", [HOME], [(1, ME, [HOME], {}), (2, ME, [], BOUNCE)]),
        ("invalid_address", [HOME], [(1, OTHER, [HOME], BOUNCE)]),
        ("grant", [], [(1, OTHER, [HOME], BOUNCE)]),
        ("invalid_address", [], [(1, ME, [HOME], {}), (1, OTHER, [HOME], BOUNCE)]),
        ("grant", [], [(1, ME, [HOME, WORK], {}), (1, OTHER, [HOME], BOUNCE)]),
        ("grant", [], [(1, ME, [HOME, WORK], {}), (2, ME, [HOME], BOUNCE), (3, ME, [], WORKS)]),
        ("invalid_address", [HOME], [(1, ME, [HOME, WORK], {}), (2, ME, [HOME], BOUNCE), (2, ME, [HOME], WORKS)]),
        ("invalid_address", [HOME], [(2, ME, [HOME], BOUNCE), (9, ME, [HOME], {**WORKS, "received_at": 1})]),
        ("grant", [HOME], [(2, ME, [HOME], BOUNCE), (9, ME, [HOME], {**WORKS, "received_at": 3})]),
    ],
)
def test_the_address_that_failed(answer, named, facts):
    assert with_addresses(*facts, named=named, kind="invalid_address", on=["Email Bounced"], until=["Email Delivered"]) == answer


def test_hold_ends_for_those_whom_the_release_names():
    rule = {"kind": "hold", "on": ["Complaint Filed"], "release": ["Complaint Resolved"]}
    filed, resolved = {"event_name": "Complaint Filed"}, {"event_name": "Complaint Resolved"}
    assert said((1, OTHER, [ME], filed), **rule) == "hold"
    assert said((1, OTHER, [ME], filed), (2, OTHER, [ME], resolved), **rule) == "grant"
    assert said((1, OTHER, [ME], filed), (2, OTHER, [], resolved), **rule) == "hold"
