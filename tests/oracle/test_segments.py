"""Segments of the oracle: each example of docs/figures.md and policies/README.md, and what is nasty about instants."""

import pytest

from policy import DAY, Policies, instant
from render import instant as text_of
from rows import Rows
from segments import Segments
from support import HOUR, KEY, LATER, START, Oracle, Story, policies

ORDER = {"events": ["Order Completed"]}
RECENT = {"did": ORDER, "within": "P30D"}
FREQUENT = {"did": ORDER, "at_least": 2, "within": "P30D"}
STILL = None


def with_segments(*traits, figures=(), tiers=None, **segments):
    """Policies with these segments (id -> condition) and traits."""
    found = policies()
    rows = [{"id": name, "when": when, "figures": name in figures} for name, when in segments.items()]
    return Policies(found.identity, found.journey, {"goals": found.goals}, {"rules": found.channels}, {"segments": rows, "tiers": tiers}, {"traits": list(traits)})


def rows_of(story, with_policies, as_of=LATER, orders=()):
    oracle = Oracle(with_policies, KEY, LATER)
    for raw in story.touchpoints:
        oracle.add(raw)
    for order in orders:
        oracle.order(*order)
    found = Rows(oracle, as_of)
    found.all()
    return found.rows


def memberships(story, with_policies, segment=None, as_of=LATER):
    """[(segment, day of start, day of end)] in order; of one segment only the days."""
    rows = rows_of(story, with_policies, as_of)["fct_segment_memberships"]
    found = sorted((row["segment_id"], days(row["valid_from_at"]), days(row["valid_to_at"])) for row in rows)
    return [(start, end) for name, start, end in found if name == segment] if segment else found


def days(time):
    return None if time is None else (time - START) / DAY


def day(number):
    return int(number * DAY)


def orders(*at, value=10_000_000, **fields):
    story = Story()
    for number in at:
        story.order(day(number), value, **fields)
    return story


# ------------------------------------------------------------------------------------------------------- vectors


def test_v1_recent_and_frequent():
    found = memberships(orders(0, 20, 50), with_segments(recent=RECENT, frequent=FREQUENT))
    assert found == [("frequent", 20, 30), ("recent", 0, 80)]


def test_v2_a_late_order():
    assert memberships(orders(0, 20, 50, 10), with_segments(frequent=FREQUENT), "frequent") == [(10, 40)]


def test_v3_gold_by_whole_days():
    gold = {"spent": ORDER, "measure": "value", "currency": "USD", "at_least": "1000", "within": "P365D"}
    story = Story()
    for at, value in ((10.5, 600), (100.5, 500), (120.5, -200), (130.5, 150)):
        story.order(day(at), value * 1_000_000)
    assert memberships(story, with_segments(gold=gold), "gold") == [(100.5, 120.5), (130.5, 375)]


def test_v4_complaints():
    open_ = {"open": {"events": ["Complaint Filed"]}, "until": {"events": ["Complaint Resolved"]}, "within": "P21D"}
    story = Story()
    for at, event in ((1, "Complaint Filed"), (10, "Complaint Filed"), (12, "Complaint Resolved"), (40, "Complaint Filed")):
        story.add(day(at), event)
    assert memberships(story, with_segments(complaining=open_), "complaining") == [(1, 12), (40, 61)]


def test_v5_new_without_an_order():
    new = {"all": [{"new_within": "P30D"}, {"did": ORDER, "at_most": 0}]}
    story = Story()
    story.add(day(5), "Page Viewed")
    story.order(day(9), 1)
    assert memberships(story, with_segments(new=new), "new") == [(5, 9)]


def test_v6_orders_carry_the_segments_before_them():
    city = {"name": "city", "type": "text", "rule": "latest"}
    story = Story()
    story.add(day(1), None, type="identify", traits_json='{"city": "Berlin"}')
    story.order(day(2), 1)
    story.add(day(3), None, type="identify", traits_json='{"city": "Rome"}')
    story.order(day(4), 1)
    with_city = with_segments(city, berlin={"trait": "city", "is": "Berlin"}, figures=["berlin"])
    rows = rows_of(story, with_city)
    assert memberships(story, with_city, "berlin") == [(1, 3)]
    daily = [(days(row["goal_date"] * DAY), row["segment_id"], row["value"]) for row in rows["rpt_shared_goals_daily"] if row["goal_id"] == "orders" and row["department"] == "(all)"]
    assert sorted(daily) == [(2, "(all)", 1_000_000), (2, "berlin", 1_000_000), (4, "(all)", 1_000_000)]


def test_v7_lapsed_survives_the_exit():
    story = Story()
    story.add(0, "Page Viewed")
    story.add(day(100), "Page Viewed")
    assert memberships(story, with_segments(lost={"status": ["lapsed"]}), "lost") == [(56, 100), (156, STILL)]


def test_v8_apart():
    story = Story()
    story.order(0, 1, person="ann")
    story.order(day(40), 1, person="ben")
    rows = rows_of(story, with_segments(recent=RECENT))["fct_segment_memberships"]
    assert len({row["profile_id"] for row in rows}) == 2
    assert memberships(story, with_segments(recent=RECENT), "recent") == [(0, 30), (40, 70)]


def test_v8_merged_timelines_are_one():
    story = Story()
    story.order(0, 1, person=None, anonymous_id="c1")
    story.order(day(40), 1, person=None, anonymous_id="c2")
    story.add(day(41), "Page Viewed", anonymous_id="c1")
    story.add(day(42), "Page Viewed", anonymous_id="c2")
    rows = rows_of(story, with_segments(recent=RECENT))["fct_segment_memberships"]
    assert len({row["profile_id"] for row in rows}) == 1
    assert memberships(story, with_segments(recent=RECENT), "recent") == [(0, 30), (40, 70)]


def test_v9_exactly_thirty_days_later():
    with_recent = with_segments(recent=RECENT, figures=["recent"])
    rows = rows_of(orders(0, 30), with_recent)
    assert memberships(orders(0, 30), with_recent, "recent") == [(0, 60)]
    assert {row["segment_id"] for row in rows["rpt_attributions_daily"]} == {"(all)"}


# ----------------------------------------------------------------------------------------------- the ten examples


def test_bought_once_and_quiet():
    quiet = {"all": [{"did": ORDER}, {"not": {"did": ORDER, "within": "P90D"}}]}
    assert memberships(orders(0, 200), with_segments(quiet=quiet), "quiet") == [(90, 200), (290, STILL)]


def test_owns_home_insurance():
    home = {"categories": ["insurance/home*"]}
    owns = {"open": {"events": ["Policy Issued"], **home}, "until": {"events": ["Policy Ended"], **home}}
    story = Story()
    story.add(day(1), "Policy Issued", product_category="insurance/car")
    story.add(day(2), "Policy Issued", product_category="insurance/home-plus/basic")
    story.add(day(3), "Policy Ended", product_category="insurance/car")
    story.add(day(9), "Policy Ended", product_category="insurance/home")
    assert memberships(story, with_segments(owns=owns), "owns") == [(2, 9)]


def test_incomes():
    income = {"name": "income", "type": "text", "rule": "latest", "sources": ["urn:test"]}
    story = Story()
    for at, said in ((1, "35-49K"), (2, "50-74K"), (3, "75-99K"), (4, None)):
        story.add(day(at), None, type="identify", traits_json='{"income": %s}' % (f'"{said}"' if said else "null"))
    assert memberships(story, with_segments(income, middle={"trait": "income", "in": ["50-74K", "75-99K"]}), "middle") == [(2, 4)]


def test_shaky():
    shaky = {"any": [{"status": ["at_risk"]}, {"last_score": {"at_most": -50}, "within": "P60D"}]}
    story = Story()
    story.add(0, "Page Viewed")
    story.add(day(1), "Survey Answered", score=-50, score_kind="csat")
    assert memberships(story, with_segments(shaky=shaky), "shaky") == [(1, 61)]
    story.add(day(20), "Survey Answered", score=-49)
    assert memberships(story, with_segments(shaky=shaky), "shaky") == [(1, 20), (48, 76)]


def test_prospects():
    prospect = {"all": [{"new_within": "P60D"}, {"not": {"stage_at_least": "purchase"}}]}
    story = Story()
    story.add(0, "Product Viewed")
    assert memberships(story, with_segments(prospect=prospect), "prospect") == [(0, 60)]
    story.order(day(3), 1)
    assert memberships(story, with_segments(prospect=prospect), "prospect") == [(0, 3)]


def test_app_users():
    story = Story()
    for at in (0, 10, 20, 29):
        story.add(day(at), "Screen Viewed", channel="app")
    story.add(day(5), "Screen Viewed", channel="web")
    assert memberships(story, with_segments(app={"did": {"channels": ["app"]}, "at_least": 3, "within": "P28D"}), "app") == [(20, 28), (29, 38)]


def test_gold_in_peace():
    gold = {"spent": ORDER, "measure": "value", "currency": "USD", "at_least": "0.000001", "within": "P365D"}
    unhappy = {"open": {"events": ["Complaint Filed"]}, "until": {"events": ["Complaint Resolved"]}, "within": "P21D"}
    story = Story()
    story.order(0, 1)
    story.add(day(3), "Complaint Filed")
    both = with_segments(gold=gold, complaining=unhappy, peace={"all": [{"segment": "gold"}, {"not": {"segment": "complaining"}}]})
    assert memberships(story, both, "peace") == [(0, 3), (24, 365)]


# ------------------------------------------------------------------------------------------------------ nasty input


def test_a_tie_at_the_lapse():
    """The touch at the very instant of the lapse, and others beside it: no interval of length 0."""
    story = orders(0)
    story.add(day(30), "Page Viewed")
    story.add(day(30), "Complaint Filed")
    never = {"all": [RECENT, {"did": {"events": ["Complaint Filed"]}}]}
    assert memberships(story, with_segments(recent=RECENT, never=never)) == [("recent", 0, 30)]


def test_ends_and_begins_at_one_instant():
    open_ = {"open": {"events": ["A"]}, "until": {"events": ["B"]}}
    story = Story()
    for event in "AB":
        story.add(day(1), event)
    found = memberships(story, with_segments(open=open_), "open")
    assert found in ([(1, STILL)], [])  # by the ids of the events
    both = {"open": {"events": ["A", "B"]}, "until": {"events": ["B"]}}
    assert memberships(story, with_segments(open=both), "open") == [(1, STILL)]


def test_no_touch_and_at_most():
    """A customer of whom only an `identify` is known is in a segment of what was not done."""
    story = Story()
    story.add(day(2), None, type="identify")
    assert memberships(story, with_segments(none={"did": ORDER, "at_most": 0})) == [("none", 2, STILL)]
    assert memberships(story, with_segments(new={"new_within": "P30D"}, risk={"not": {"status": ["active"]}})) == [("risk", 2, STILL)]


def test_not_of_an_unknown_trait():
    plan = {"name": "plan", "type": "text", "rule": "latest"}
    with_plan = with_segments(plan, other={"not": {"trait": "plan", "is": "gold"}}, known={"trait": "plan", "known": True})
    story = Story()
    story.add(0, "Page Viewed")
    story.add(day(5), None, type="identify", traits_json='{"plan": "gold"}')
    assert memberships(story, with_plan) == [("known", 5, STILL), ("other", 0, 5)]


def test_a_late_trait():
    city = {"name": "city", "type": "text", "rule": "latest"}
    with_city = with_segments(city, berlin={"trait": "city", "is": "Berlin"})
    story = orders(3, 9)
    story.add(day(20), None, type="identify", traits_json='{"city": "Berlin"}')
    assert memberships(story, with_city, "berlin") == [(20, STILL)]
    story.add(day(1), None, type="identify", traits_json='{"city": "Berlin"}')
    assert memberships(story, with_city, "berlin") == [(1, STILL)]


def test_traits_of_a_repeat_count_in_no_segment():
    """The message is told again under the cookie with one more trait; it is one touchpoint."""
    city = {"name": "city", "type": "text", "rule": "latest"}
    story = orders(0)
    story.touchpoints[0]["anonymous_id"] = "c1"
    copy = {**story.touchpoints[0], "traits_json": '{"city": "Berlin"}', "direction": "outbound"}  # so its rank is lower
    del copy["user_id"]
    story.touchpoints.append(copy)
    rows = rows_of(story, with_segments(city, berlin={"trait": "city", "is": "Berlin"}, once={"did": ORDER, "at_most": 1}))
    assert [row["segment_id"] for row in rows["fct_segment_memberships"]] == ["once"]
    assert len(rows["fct_touchpoints"]) == 1
    assert [row["value"] for row in rows["dim_profile_traits"]] == ["Berlin"]


def test_shared_profiles_and_tests_are_in_none():
    everybody = with_segments(everybody={"did": ORDER, "at_most": 15})
    everybody.identity.update(max_degree=1)
    story = orders(0, is_test=True)
    assert memberships(story, everybody) == []
    for who in "abc":
        story.add(day(1), "Page Viewed", person=who, device={"id": "kiosk"})
    story.add(day(2), "Page Viewed", person=None, device={"id": "kiosk"})
    assert len(memberships(story, everybody)) == 3


def test_tellings_and_returns():
    found = with_segments(
        two={"did": ORDER, "at_least": 2},
        big={"spent": {"events": ["Order Completed", "Order Returned"]}, "measure": "value", "currency": "USD", "at_least": "100", "within": "P365D"},
        gross={"spent": ORDER, "measure": "value", "currency": "USD", "at_least": "100", "within": "P365D"},
    )
    story = Story()
    story.order(0, 60_000_000, order_id="o1")
    story.order(HOUR, 40_000_000, order_id="o1")
    story.add(day(9), "Order Returned", order_id="o1", value_micros=30_000_000, currency="USD")
    story.add(day(10), "Order Refunded", order_id="o1", value_micros=30_000_000, currency="USD")
    assert memberships(story, found) == [("big", HOUR / DAY, 9), ("gross", HOUR / DAY, 365)]


def test_a_negative_order_was_not_bought():
    found = with_segments(bought={"did": ORDER}, less={"spent": ORDER, "measure": "value", "currency": "USD", "below": "0", "within": "P1D"})
    assert memberships(orders(1, value=-5), found) == [("less", 1, 2)]


def test_costs_of_all_touches():
    story = Story()
    story.send(day(1), "C1", cost_micros=3_000_000, currency="EUR")
    story.send(day(2), "C1", cost_micros=3_000_000, currency="EUR")
    story.send(day(3), "C1", cost_micros=3_000_000, currency="USD")
    found = with_segments(dear={"spent": {"direction": "outbound"}, "measure": "cost", "currency": "EUR", "at_least": "6", "within": "P7D"})
    assert memberships(story, found, "dear") == [(2, 8)]


def test_no_touch_is_matched_by_its_name_only():
    story = Story()
    story.add(0, "Page Viewed")
    story.add(day(1), "Email Bounced", channel="email")
    story.add(day(1), "Page Viewed", channel="email", is_bot=True)
    found = with_segments(named={"did": {"events": ["Email Bounced"]}}, any={"did": {"channels": ["email"]}})
    assert memberships(story, found) == [("named", 1, STILL)]


def test_reporting_days_of_a_zone():
    found = with_segments(rich={"spent": ORDER, "measure": "value", "currency": "USD", "at_least": "1", "within": "P1D"})
    zoned = Policies(found.identity, {**found.journey, "reporting_timezone": "America/New_York"}, {"goals": found.goals}, {"rules": found.channels}, {"segments": found.segments})
    story = orders(0)  # 19:00 on the last day of the year before
    rows = rows_of(story, zoned)["fct_segment_memberships"]
    assert [text_of(row["valid_to_at"]) for row in rows] == ["2017-01-01T05:00:00.000000Z"]


def test_as_of_and_daily_rows():
    with_recent = with_segments(recent=RECENT, frequent=FREQUENT)
    story = orders(0, 20)
    assert memberships(story, with_recent, as_of=START + day(10)) == [("recent", 0, STILL)]
    rows = rows_of(story, with_recent, as_of=START + day(40))["rpt_segments_daily"]
    told = [(days(row["segment_date"] * DAY), row["segment_id"], row["customers"], row["entries"], row["exits"]) for row in rows]
    assert told == [(0, "recent", 1, 1, 0), (20, "frequent", 1, 1, 0), (20, "recent", 1, 0, 0), (30, "frequent", 0, 0, 1), (30, "recent", 1, 0, 0)]


def test_parts_make_the_total_in_every_segment():
    found = with_segments(recent=RECENT, figures=["recent"])
    story = orders(1, 5, 50)
    story.send(day(2), "C1")
    rows = rows_of(story, found)
    sale = [row for row in rows["rpt_shared_goals_daily"] if row["goal_id"] == "sale" and row["segment_id"] == "recent"]
    assert [(row["department"], row["value"]) for row in sale] == [("marketing", 10_000_000), ("(all)", 10_000_000)]
    credit = [row for row in rows["rpt_attributions_daily"] if row["segment_id"] == "recent"]
    assert {row["model"]: row["attributed_revenue"] for row in credit} == dict.fromkeys(("first_touch", "last_touch", "linear"), 10_000_000)
    steps = [row for row in rows["rpt_journey_map"] if row["segment_id"] == "recent"]
    assert sum(row["transitions"] for row in steps) == 2  # the send and the order of day 5; no exit


@pytest.mark.parametrize("text, micros", [("1000", 1_000_000_000), ("99.5", 99_500_000), ("-0.000001", -1)])
def test_amounts(text, micros):
    from segments import amount

    assert amount(text) == micros


def test_no_segments_no_rows():
    rows = rows_of(orders(0), with_segments())
    assert not rows["fct_segment_memberships"] and not rows["rpt_segments_daily"] and not rows["dim_segments"]
    assert Segments(with_segments()).daily(instant("2030-01-01T00:00:00Z") // DAY) is not None
