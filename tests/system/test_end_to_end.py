"""Generated touchpoints through one instance of each service: the tables are the oracle's, every command answers."""

import json

import pytest

from cluster import BANK, RETAILER
from topics import framed
from waiting import until

# What made-up people do not do; test_sales_random, test_random_journeys and the stories of gestures have it.
RARE = {"fct_unidentified_touchpoints", "fct_returns", "fct_gestures", "rpt_gesture_budgets", "fct_opportunities", "rpt_opportunities"}
RARE |= {"fct_conversion_lines", "rpt_influence_value"}
EVENTS_PER_PERSON, BANK_EVENTS, BENCH_EVENTS = 20, 20000, 100000
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("profile, policies, events", [("bank", BANK, BANK_EVENTS), ("bench", RETAILER, BENCH_EVENTS)])
def test_tables_equal_the_oracle(stack, make_world, profile, policies, events):
    world = make_world(stack, profile, policies=policies)
    lines = world.generate(profile, people=events // EVENTS_PER_PERSON, events=events)
    world.start()
    world.produce(lines)
    world.settle()
    views = world.assert_equals_oracle()
    empty = {name for name, rows in views.items() if not rows}
    assert not empty - RARE, f"the data leaves views empty: {empty}"
    world.assert_chronicles()
    world.assert_numbers_dense()
    world.stop()
    check_commands(world, lines)


def check_commands(world, lines):
    """What a person types to look at it."""
    check_scoreboard(world)
    check_explain(world, lines)
    check_cat(world)
    check_doctor(world)


def check_scoreboard(world):
    text = world.tool("scoreboard").stdout
    (conversions,) = world.query("SELECT count(*) FROM tutti.fct_conversions")[0]
    assert conversions > 0
    assert len(text.splitlines()) > 10, text


def check_explain(world, lines):
    person = next(record["user_id"] for record in map(json.loads, lines) if record.get("user_id"))
    text = world.tool("explain", f"user_id:{person}").stdout
    assert len(text.splitlines()) > 5 and "user_id" in text, text
    unknown = world.tool("explain", "user_id:nobody-has-this", check=False)
    assert "nobody-has-this" not in unknown.stdout


def check_cat(world):
    shown = [json.loads(line) for line in world.tool("cat", world.topic("decisions"), "--exit").stdout.splitlines()]
    assert len(shown) == len(world.messages("decisions"))
    assert all("verdict" in record for record in shown)
    (resolved,) = world.tool("cat", world.topic("resolved"), "--exit", "--count", 1).stdout.splitlines()
    assert "event_id" in json.loads(resolved) or "event_id" in resolved


def check_doctor(world):
    """It looks at the topics by their usual names."""
    world.tool("topics", "apply")

    def report():
        return world.tool("doctor", check=False)

    until(lambda: report().returncode == 0, 60, lambda: report().stdout)


def test_trace_headers_are_copied(world):
    lines = world.generate("bench", people=5, events=20)
    records = [(None, framed(1, json.loads(line)), [("traceparent", TRACE), ("other", b"1")]) for line in lines]
    world.start(names=["identity-resolver"])
    world.topics.produce(world.topic("touchpoints"), records)
    resolved = []

    def all_came():
        resolved[:] = world.topics.read(world.topic("resolved"))
        return len(resolved) >= len(records)

    until(all_came, 60, "the resolved touchpoints")
    for message in resolved:
        assert dict(message.headers())["traceparent"] == TRACE
        assert "other" not in dict(message.headers())
