"""Customers of weeks, months and quarters, goals of segments, and the funnel."""

from policy import instant
from support import DAY, START, Story, policies, views

LATER = instant("2027-03-01T00:00:00Z")


def day(text):
    return instant(f"{text}T12:00:00Z") - START


def with_goals(*goals, segments=()):
    found = policies(conversions="any")
    found.goals = list(goals)
    found.segments = list(segments)
    return found


def customers(found):
    return {
        (row["period_kind"], row["period_start_date"]): row["customers"]
        for row in found["rpt_shared_goals"]
        if row["department"] == "(all)" and row["period_kind"] != "day"
    }


def visits(people, goal=None):
    story = Story()
    for person, days in people.items():
        for one in days.split():
            story.add(day(one), "Visited", person=person)
    goal = {"id": "visits", "on": {"events": ["Visited"]}, "measure": "count", "windows": ["week", "month", "quarter"], **(goal or {})}
    return views(story.touchpoints, with_goals(goal), LATER)


def test_customers_of_windows():
    found = customers(visits({"a": "2026-03-30 2026-03-31 2026-04-02", "b": "2026-04-05", "c": "2026-03-29"}))
    assert found == {
        ("week", "2026-03-23"): "1",
        ("week", "2026-03-30"): "2",
        ("month", "2026-03-01"): "2",
        ("month", "2026-04-01"): "2",
        ("quarter", "2026-01-01"): "2",
        ("quarter", "2026-04-01"): "2",
    }


def test_two_who_are_one():
    found = customers(visits({"a": "2026-03-30 2026-03-31 2026-04-02 2026-04-05"}))
    assert found[("week", "2026-03-30")] == found[("month", "2026-04-01")] == "1"


def test_a_week_across_the_new_year():
    found = customers(visits({"a": "2026-12-31 2027-01-02"}))
    assert [key for key in found if key[0] == "week"] == [("week", "2026-12-28")] and len(found) == 5 and set(found.values()) == {"1"}


def test_windows_that_nobody_asks_for():
    found = customers(visits({"a": "2026-03-30"}, {"windows": ["month"]}))
    assert {key: value for key, value in found.items() if value} == {("month", "2026-03-01"): "1"}


RECENT = {"id": "recent", "when": {"did": {"events": ["Visited"]}, "within": "P3D"}}


def test_goals_of_a_segment():
    story = Story()
    for at in (0, 2 * DAY, 9 * DAY):
        story.add(at, "Visited")
    story.add(DAY, "Visited", person="bob")
    goals = [{"id": measure, "segment": "recent", "measure": measure} for measure in ("stock", "entries")]
    rows = views(story.touchpoints, with_goals(*goals, segments=[RECENT]))["rpt_shared_goals_daily"]
    found = {(row["goal_id"], row["goal_date"]): (float(row["value"]), row["customers"], row["segment_id"]) for row in rows}
    assert {key[1]: value[0] for key, value in found.items() if key[0] == "stock"} == {
        "2017-01-01": 1,
        "2017-01-02": 2,
        "2017-01-05": 1,
        "2017-01-06": 0,
        "2017-01-10": 1,
        "2017-01-13": 0,
    }
    assert {key[1]: value[0] for key, value in found.items() if key[0] == "entries"} == {"2017-01-01": 1, "2017-01-02": 1, "2017-01-10": 1}
    assert {value[1:] for value in found.values()} == {(None, "(all)")}


# ------------------------------------------------------------------------------------------------------- funnel


STAGES = ["Looked", "Considered", "Bought", "Boarded", "Stayed"]


def climbed(*instances):
    """Each instance: {day: highest stage from 1}."""
    story, found = Story(), policies()
    for number, touches in enumerate(instances):
        for one, stage in touches.items():
            story.add(day(one), STAGES[stage - 1], person=f"p{number}")
    found.stage_rules = {
        name: [{"on": {"events": [event]}}] for name, event in zip(["inquiry", "consideration", "purchase", "onboarding", "retention"], STAGES)
    }
    return [
        (row["period_start_date"], row["stage"], int(row["reached"]), int(row["passed_over"]), int(row["seconds_sum"]) / 86400, row["is_fed"])
        for row in views(story.touchpoints, found, LATER)["rpt_funnel"]
    ]


FIRST = {"2026-01-05": 1, "2026-01-09": 3, "2026-03-01": 5}


def test_funnel():
    assert climbed(FIRST, {"2026-01-20": 1, "2026-02-01": 2}, {"2026-01-31": 3}) == [
        ("2026-01-01", "advocacy", 0, 0, 0, "false"),
        ("2026-01-01", "consideration", 3, 2, 16, "true"),
        ("2026-01-01", "inquiry", 3, 1, 0, "true"),
        ("2026-01-01", "loyalty", 0, 0, 0, "false"),
        ("2026-01-01", "onboarding", 1, 1, 55, "false"),
        ("2026-01-01", "purchase", 2, 0, 4, "true"),
        ("2026-01-01", "retention", 1, 0, 55, "true"),
    ]


def test_an_earlier_touch_moves_the_cohort():
    rows = [row[1:5] for row in climbed({"2025-12-30": 1, **FIRST}) if row[2]]
    assert rows == [("consideration", 1, 1, 10), ("inquiry", 1, 0, 0), ("onboarding", 1, 1, 61), ("purchase", 1, 0, 10), ("retention", 1, 0, 61)]


def test_a_journey_that_begins_anew_is_another():
    rows = climbed({"2024-01-05": 1, "2026-01-05": 1})
    assert [(row[0], row[2]) for row in rows if row[2]] == [("2024-01-01", 1), ("2026-01-01", 1)]
