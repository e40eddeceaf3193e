"""Goals by period and their targets: the rules and the example of docs/figures.md."""

import datetime

from policy import US
from support import DAY, START, Story, policies, views


def on(date, hours=12):
    """Microseconds from the start of a story to an hour of a day."""
    days = (datetime.date.fromisoformat(date) - datetime.date(2017, 1, 1)).days
    return days * DAY + hours * DAY // 24


def story_of(*dates, **fields):
    story = Story()
    for number, date in enumerate(dates):
        story.order(on(date), 10 * US, person=f"p{number}", **fields)
    return story


def entry(goal, period, start, value, **more):
    return {"goal": goal, "period": period, "from": start, "value": value, **more}


def shown(story, *targets, goal="orders", department="(all)", as_of=None):
    """{(kind, start): (value, target)} of a goal."""
    with_targets = policies()
    with_targets.targets = list(targets)
    rows = views(story.touchpoints, with_targets, **({"as_of": START + on(as_of)} if as_of else {}))["rpt_shared_goals"]
    rows = [row for row in rows if row["goal_id"] == goal and row["department"] == department]
    return {(row["period_kind"], row["period_start_date"]): (row["value"][:-7], row["target"] and row["target"][:-7]) for row in rows}


def of(kind, found):
    return {start: row for (one, start), row in found.items() if one == kind}


def test_the_newest_that_began_by_the_first_day_counts():
    story = story_of("2017-02-01", "2017-02-06", "2017-03-06", "2017-03-07")
    targets = [entry("orders", "week", "2017-02-01", "10"), entry("orders", "week", "2017-03-06", "12"), entry("orders", "month", "2017-02-01", "40")]
    found = shown(story, *targets)
    assert of("week", found) == {"2017-01-30": ("1", None), "2017-02-06": ("1", "10"), "2017-03-06": ("2", "12")}
    assert of("month", found) == {"2017-02-01": ("2", "40"), "2017-03-01": ("2", "40")}
    assert of("quarter", found) == {"2017-01-01": ("4", None)}
    assert of("day", found)["2017-03-07"] == ("1", None)


def test_a_week_across_the_new_year_is_one_week_and_two_months():
    found = shown(story_of("2017-12-31", "2018-01-02", "2018-01-01"))
    assert of("week", found) == {"2017-12-25": ("1", None), "2018-01-01": ("2", None)}
    assert of("month", found) == {"2017-12-01": ("1", None), "2018-01-01": ("2", None)}
    assert of("quarter", found) == {"2017-10-01": ("1", None), "2018-01-01": ("2", None)}
    assert of("week", shown(story_of("2018-12-31", "2019-01-02"))) == {"2018-12-31": ("2", None)}


def test_a_stock_is_that_of_the_last_day():
    """Three become active in January, and leave after 28 days: two of them in February."""
    target = entry("active_customers", "month", "2017-01-01", "2")
    found = of("month", shown(story_of("2017-01-10", "2017-01-11", "2017-01-30"), target, goal="active_customers", as_of="2017-02-20"))
    assert found == {"2017-01-01": ("3", "2"), "2017-02-01": ("1", "2")}


def test_departments_and_currencies_have_their_own():
    story = story_of("2017-02-01", "2017-02-02", department="stores", currency="USD")
    targets = [entry("sale", "month", "2017-01-01", "7", currency="USD"), entry("sale", "month", "2017-01-01", "8", currency="EUR"),
               entry("orders", "month", "2017-01-01", "9", department="stores")]  # fmt: skip
    assert of("month", shown(story, *targets, goal="sale")) == {"2017-02-01": ("20", "7")}
    assert of("month", shown(story, *targets)) == {"2017-02-01": ("2", None)}
    assert of("month", shown(story, *targets, department="stores")) == {"2017-02-01": ("2", "9")}


def test_targets_of_goals_that_are_no_more_are_not_shown():
    with_targets = policies()
    with_targets.targets = [entry("orders", "day", "2017-01-01", "1.5"), entry("gone", "day", "2017-01-01", "1")]
    (row,) = views(story_of("2017-01-02").touchpoints, with_targets)["dim_goal_targets"]
    assert (row["goal_id"], row["department"], row["target"], row["currency"]) == ("orders", "(all)", "1.500000", None)
