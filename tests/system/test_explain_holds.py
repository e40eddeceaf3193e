"""`tutti explain` shows the holds that suppression judges by: each question is asked of both, and the answers must agree."""

import json
import shutil

import pytest

from cluster import RETAILER
from people import DAY, NOW, feed, request, touchpoint

YEAR = 365 * DAY  # of a duration: P1Y is 365 days

# What a rule waits for, what happened (event, days ago, more), whether the customer is held.
STORIES = {
    "a name alone": (["Complaint Filed"], [("Complaint Filed", 1, {})], True),
    "event and score, the score is good": (
        [{"event": "Survey Answered", "score_max": -50}],
        [("Survey Answered", 1, {"score": 80})],
        False,
    ),
    "event and score, the score is bad": (
        [{"event": "Survey Answered", "score_max": -50}],
        [("Survey Answered", 1, {"score": -80})],
        True,
    ),
    "a bad score of another event": (
        [{"event": "Survey Answered", "score_max": -50}],
        [("Page Viewed", 1, {"score": -80})],
        False,
    ),
    "a score under any event": ([{"score_max": -50}], [("Survey Answered", 1, {"score": -50})], True),
    "released": (["Complaint Filed"], [("Complaint Filed", 3, {}), ("Complaint Resolved", 2, {})], False),
    "a year of 365 days is over": (["Complaint Filed"], [("Complaint Filed", 366, {})], False),
    "a year of 365 days lasts": (["Complaint Filed"], [("Complaint Filed", 364, {})], True),
}


@pytest.fixture
def world_with(stack, make_world, tmp_path):
    def make(on):
        policies = shutil.copytree(RETAILER, tmp_path / "policies")
        path = policies / "contact.json"
        contact = json.loads(path.read_text())
        hold = {"id": "upset", "kind": "hold", "owner": "service", "on": on, "release": ["Complaint Resolved"], "for": "P1Y"}
        path.write_text(json.dumps({**contact, "consent": {"*": {"on_unknown": "allow"}}, "rules": [hold]}))
        return make_world(stack, "holds", policies=policies)

    return make


def holds_of(world, who):
    return json.loads(world.tool("explain", f"user_id:{who}", "--json").stdout)["holds"]


@pytest.mark.parametrize("story", STORIES)
def test_explain_agrees_with_the_verdict(world_with, story):
    on, happened, is_held = STORIES[story]
    world = world_with(on)
    world.start()
    events = [
        touchpoint(f"{n}", NOW - days * DAY, event, user_id="jane", **more) for n, (event, days, more) in enumerate(happened)
    ]
    asked = request("ask", NOW - 60 * 1000000, user_id="jane")
    asked["contact"].pop("planned_at")
    feed(world, *events, asked)
    assert world.query("SELECT reason FROM tutti.fct_contact_decisions") == [("hold" if is_held else None,)]
    assert [(hold["rule"], hold["owner"]) for hold in holds_of(world, "jane")] == ([("upset", "service")] if is_held else [])
    world.stop()


def test_explain_says_since_and_until(world_with):
    """Copies count: a complaint with another's phone number holds its owner too. Without an end it says so."""
    world = world_with(["Complaint Filed"])
    world.start()
    phone = {"phone": "+15550001111"}
    feed(
        world,
        touchpoint("1", NOW - 5 * DAY, user_id="mum", **phone),
        touchpoint("2", NOW - 4 * DAY, "Complaint Filed", user_id="dad", **phone),
    )
    (hold,) = holds_of(world, "mum")
    at = world.query("SELECT to_char(to_timestamp(%s), 'YYYY-MM-DD HH24:MI:SS')", (NOW - 4 * DAY) // 1000000)
    ends = world.query("SELECT to_char(to_timestamp(%s), 'YYYY-MM-DD HH24:MI:SS')", (NOW - 4 * DAY + YEAR) // 1000000)
    assert [(hold["since"],), (hold["until"],)] == [*at, *ends]
    world.stop()


def test_explain_without_policies_shows_the_rest(world_with):
    """No policies are active, so no rule holds a customer; explain shows all other sections."""
    world = world_with(["Complaint Filed"])
    world.start()
    feed(world, touchpoint("1", NOW - 5 * DAY, "Complaint Filed", user_id="jane"))
    world.stop()
    assert [hold["rule"] for hold in holds_of(world, "jane")] == ["upset"]
    world.query("UPDATE tutti_meta.generations SET is_active = false RETURNING number")
    found = json.loads(world.tool("explain", "user_id:jane", "--json").stdout)
    assert (found["holds"], found["touches"][0]["event"]) == ([], "Complaint Filed")


def test_explain_says_a_verdict_in_words(world_with):
    world = world_with(["Complaint Filed"])
    world.start()
    feed(world, touchpoint("angry", NOW - DAY, "Complaint Filed", user_id="jane"), request("ask", NOW, user_id="jane"))
    [answer] = json.loads(world.tool("explain", "user_id:jane", "--json").stdout)["answers"]
    assert answer["sentence"].startswith("No, not by email: contacts are on hold (Complaint Filed at ")
    assert " Rule upset, owner service. Earliest: " in answer["sentence"]
    assert answer["sentence"].endswith(" UTC.")
    assert answer["sentence"] in world.tool("explain", "user_id:jane").stdout
