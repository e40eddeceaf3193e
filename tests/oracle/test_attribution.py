"""Credit for conversions, its sums, and the shared goals."""

import datetime
from collections import defaultdict
from decimal import Decimal

import pytest

from attribution import split
from support import DAY, HOUR, START, Story, policies, views
from test_identity import random_story


@pytest.mark.parametrize(
    "amount, n, expected",
    [
        (10, 3, [4, 3, 3]),
        (-10, 3, [-4, -3, -3]),
        (2, 3, [1, 1, 0]),
        (0, 2, [0, 0]),
        (9, 1, [9]),
        (None, 2, [None, None]),
    ],
)
def test_split(amount, n, expected):
    assert split(amount, n) == expected


def credit(found, model):
    rows = [row for row in found["fct_attributions"] if row["model"] == model]
    return [
        (row["campaign_id"], row["attributed_revenue"])
        for row in sorted(rows, key=lambda row: int(row["touch_position"]))
    ]


def test_first_last_and_linear_add_up():
    story = Story()
    for hour, campaign in ((0, "a"), (1, "b"), (2, "c")):
        story.send(hour * HOUR, campaign)
    story.order(DAY, 10)
    found = views(story.touchpoints)
    assert credit(found, "first_touch") == [("a", "0.000010")] and credit(found, "last_touch") == [("c", "0.000010")]
    assert credit(found, "linear") == [("a", "0.000004"), ("b", "0.000003"), ("c", "0.000003")]
    assert [
        row["credit"] for row in found["fct_attributions"] if row["model"] == "linear" and row["campaign_id"] == "a"
    ] == ["0.333334"]
    conversion = found["fct_conversions"][0]
    assert (conversion["path"], conversion["eligible_touch_count"], conversion["days_from_first_touch"]) == (
        "direct_mail > direct_mail > direct_mail",
        "3",
        "1.000000",
    )


@pytest.mark.parametrize("before, is_eligible", [(30 * DAY, True), (30 * DAY + 1, False), (1, True), (0, True), (-1, False)])
def test_window(before, is_eligible):
    story = Story()
    story.send(0, "a")
    story.order(before, 1_000_000)
    assert (credit(views(story.touchpoints), "linear") == [("a", "1.000000")]) is is_eligible


def test_within_an_instant_a_send_comes_before_visits_visits_before_orders():
    for number in range(8):  # other message ids, other event ids
        story = Story()
        story.touchpoints = [{}] * number
        story.order(0, 9)
        story.add(0, "Page Viewed", campaign={"click_id": "c", "id": "visit"})
        story.send(0, "mail")
        story.touchpoints = story.touchpoints[number:]
        found = views(story.touchpoints, policies(creditable=None))
        assert credit(found, "first_touch") == [("mail", "0.000009")] and credit(found, "last_touch") == [("visit", "0.000009")]


def test_what_is_creditable_without_a_list():
    story = Story()
    story.add(0, "Email Sent", direction="outbound", campaign={"id": "a"})
    story.add(1, "Page Viewed", campaign={"click_id": "gclid"})
    story.add(2, "Email Sent", direction="outbound", campaign={"click_id": "x"})
    story.add(3, "Contact Failed", campaign={"id": "b"})
    story.add(4, "Page Viewed", campaign={"id": ""})
    story.order(5, 2_000_000, campaign={"id": "c"})
    story.order(6, 2_000_000)
    found = views(story.touchpoints, policies(creditable=None))
    assert sorted({row["campaign_id"] or "" for row in found["fct_attributions"]}) == ["", "a"]
    assert {row["eligible_touch_count"] for row in found["fct_conversions"]} == {"2"}


@pytest.mark.parametrize(
    "fields, is_credited",
    [
        ({"campaign": {"medium": "CPC"}}, True),
        ({"campaign": {"medium": "paid-social", "source": "x"}}, True),
        ({"campaign": {"medium": "cpc2"}}, False),
        ({"campaign": {"click_id": "g1"}}, True),
        ({"campaign": {"click_id": "", "id": "c"}}, False),
        ({"campaign": {"click_network": "google"}}, True),
        ({"campaign": {"click_id": "g1"}, "direction": "outbound"}, False),
        ({"campaign": {"click_id": "g1"}, "is_bot": True}, False),
        ({"campaign": {"medium": ""}}, False),
        ({}, False),
    ],
)
def test_visits_in_the_list_of_what_is_creditable(fields, is_credited):
    story = Story()
    story.add(0, "Page Viewed", **fields)
    story.order(1, 6)
    listed = ("Campaign Sent", {"utm_medium": "cpc"}, {"utm_medium": "paid*"}, {"click_id": True}, {"click_network": "*"})
    found = views(story.touchpoints, policies(creditable=listed))
    assert [row["eligible_touch_count"] for row in found["fct_conversions"]] == [str(int(is_credited))]


@pytest.mark.parametrize(
    "failure, left",
    [
        ({"channel": "email", "campaign": {"id": "a"}}, ["a", "b"]),  # the newer of the two sends of a
        ({"channel": "sms", "campaign": {"id": "a"}}, ["a", "a", "b"]),
        ({"channel": "email"}, ["a", "a", "b"]),
        ({"channel": "email", "campaign": {"id": "a"}, "decision_id": "d1"}, ["a", "b"]),
        ({"channel": "sms", "decision_id": "d9"}, ["a", "a", "b"]),
    ],
)
def test_a_failure_ends_the_credit_of_its_send(failure, left):
    story = Story()
    for time, campaign, decision in ((0, "a", "d1"), (1, "a", "d2"), (2, "b", "d3")):
        story.add(time, "Contact Sent", channel="email", campaign={"id": campaign}, decision_id=decision)
    story.order(3, 6)
    story.add(4, "Contact Failed", **failure)
    story.order(5, 6)
    rows = [row for row in views(story.touchpoints, policies(creditable=None))["fct_attributions"] if row["model"] == "linear"]
    credited = [sorted(row["campaign_id"] for row in rows if row["converted_at"][-3:] == end) for end in ("03Z", "05Z")]
    assert credited == [["a", "a", "b"], left]
    if failure.get("decision_id") == "d1":
        assert all(row["touched_at"][-3:] != "00Z" for row in rows if row["converted_at"][-3:] == "05Z")


def test_two_failures_end_two_sends():
    story = Story()
    for time in range(3):
        story.send(time, "a")
    for time in (3, 4):
        story.add(time, "Contact Failed", channel="direct_mail", campaign={"id": "a"})
    story.order(5, 6)
    assert credit(views(story.touchpoints), "linear") == [("a", "0.000006")]


def test_goals_count_what_is_no_touch_only_by_name_and_bots_only_as_money():
    with_goals = policies()
    count, value = {"measure": "count"}, {"measure": "value"}
    with_goals.goals = [
        {"id": "all", "on": {"channels": ["web"]}, **count},
        {"id": "bounces", "on": {"events": ["Email Bounced"]}, **count},
        {"id": "clicks", "on": {"events": ["Email Clicked"]}, **count},
        {"id": "money", "on": {"events": ["Email Clicked"]}, **value},
    ]
    story = Story()
    story.add(0, "Email Bounced")
    story.add(1, "Email Clicked", is_bot=True, value_micros=5_000_000)
    rows = views(story.touchpoints, with_goals)["rpt_shared_goals_daily"]
    assert {row["goal_id"]: row["value"] for row in rows if row["department"] == "(all)"} == {"bounces": "1.000000", "money": "5.000000"}


def test_goals_of_a_status_ask_for_a_stage_and_for_identified_customers():
    with_goals = policies()
    active = {"status": "active", "measure": "stock"}
    with_goals.goals = [
        {"id": "all", **active},
        {"id": "buyers", **active, "from_stage": "purchase"},
        {"id": "known", **active, "identified": True},
        {"id": "entries", **active, "measure": "entries", "from_stage": "purchase"},
    ]
    story = Story()
    for cookie in range(3):
        story.add(0, "Page Viewed", person=None, anonymous_id=f"c{cookie}")
    story.add(0, "Page Viewed")
    story.order(DAY, 1)
    story.add(2 * DAY, "Page Viewed")
    story.order(0, 1, person=None, anonymous_id="c0")
    rows = views(story.touchpoints, with_goals, as_of=START + 31 * DAY)["rpt_shared_goals_daily"]
    assert [(row["goal_id"], row["goal_date"][-2:], row["value"][:-7]) for row in rows] == [
        *(("all", "01", "4"), ("buyers", "01", "1"), ("entries", "01", "1"), ("known", "01", "1")),
        *(("buyers", "02", "2"), ("entries", "02", "1")),
        *(("all", "29", "1"), ("buyers", "29", "1")),
        *(("all", "31", "0"), ("buyers", "31", "0"), ("known", "31", "0")),
    ]


def test_a_credited_goal_gets_credit_of_what_it_counts():
    def sale(on, **more):
        with_goals = policies(conversions="any")
        with_goals.goals = [{"id": "sale", "measure": "value", "credited": True, "on": on, **more}]
        rows = views(story.touchpoints, with_goals)["rpt_shared_goals_daily"]
        return [(row["department"], row["value"][:-7], row["assisted_value"][:-7]) for row in rows if row["department"] != "(all)"]

    story = Story()
    story.send(0, "c")
    story.order(HOUR, 100_000_000)
    story.order(2 * HOUR, 30_000_000, channel="web")
    assert sale({"channels": ["web"]}) == [("marketing", "30", "30")]
    assert sale({"events": ["Order Completed"]}, nth=2) == [("marketing", "30", "30")]
    assert sale({"events": ["Coupon Redeemed"]}) == []
    story.add(3 * HOUR, "Donated", value_micros=5_000_000, currency="USD")
    assert sale({"channels": ["web"]}) == [("(unattributed)", "5", "0"), ("marketing", "30", "30")]


def test_a_margin_that_no_one_sent_is_null():
    story = Story()
    story.send(0, "c")
    story.order(1, 10_000_000)
    story.order(2, 20_000_000, person="bob")
    story.order(3, 40_000_000, person="bob", margin_micros=0)
    story.order(4, None, person="bob", margin_micros=-4_000_000)
    found = views(story.touchpoints, policies("any"))
    rows = {row["revenue"]: (row["margin"], row["revenue_with_margin"]) for row in found["dim_profiles"]}
    assert rows == {"10.000000": (None, None), "60.000000": ("-4.000000", "40.000000")}
    rows = {row["touch_channel"]: row for row in found["rpt_attributions_daily"] if row["model"] == "linear"}
    assert (rows["direct_mail"]["attributed_margin"], rows["direct_mail"]["revenue_with_margin"]) == (None, None)
    rest = rows["(unattributed)"]
    assert (rest["attributed_revenue"], rest["attributed_margin"], rest["revenue_with_margin"]) == ("60.000000", "-4.000000", "40.000000")
    empty = views([Story().send(0, "c")])["dim_profiles"][0]
    assert (empty["revenue"], empty["margin"], empty["revenue_with_margin"]) == ("0.000000", None, None)


def sums(found, goal="sale"):
    """{department: (value, customers)} of a goal."""
    rows = [row for row in found["rpt_shared_goals_daily"] if row["goal_id"] == goal]
    return {row["department"]: (row["value"][:-7], row["customers"]) for row in rows}


def test_sales_of_unknown_customers_are_a_part_of_their_own():
    story = Story()
    story.order(0, 100_000_000, person=None, margin_micros=7)
    story.order(1, 50_000_000)
    story.order(2, 25_000_000, person="guest")  # a filler
    story.add(3, "Coupon Redeemed", person=None)
    found = views(story.touchpoints)
    assert sums(found) == {"(all)": ("175", "1"), "(unidentified)": ("125", None), "(unattributed)": ("50", None)}
    assert sums(found, "orders") == {"(all)": ("3", "1"), "(unidentified)": ("2", None), "stores": ("1", None)}
    assert sums(found, "redemptions") == sums(found, "second_order") == {}
    unknown = [row for row in found["fct_conversions"] if row["profile_id"] is None]
    assert sorted(row["revenue"] for row in unknown) == ["100.000000", "25.000000"]
    assert {(row["is_first"], row["stage_before"], row["eligible_touch_count"], row["path"]) for row in unknown} == {("false", None, "0", None)}
    rows = [row for row in found["fct_attributions"] if row["profile_id"] is None]
    assert len(rows) == 6 and {row["touch_channel"] for row in rows} == {"(unidentified)"} and {row["credit"] for row in rows} == {"1.000000"}
    daily = {row["touch_channel"]: row for row in found["rpt_attributions_daily"] if row["model"] == "linear"}
    assert set(daily) == {"(unidentified)", "(unattributed)"}
    part = daily["(unidentified)"]
    assert (part["attributed_revenue"], part["attributed_conversions"], part["touches"], part["touch_department"], part["campaign_id"]) == (
        *("125.000000", "2.000000", "0", "(unidentified)", None),
    )
    assert (part["conversion_department"], part["attributed_margin"], part["revenue_with_margin"]) == ("stores", "0.000007", "100.000000")
    alone = sorted((row["event_name"], row["revenue"], row["currency"]) for row in found["fct_unidentified_touchpoints"] if row["revenue"])
    assert alone == [("Order Completed", "100.000000", "USD"), ("Order Completed", "25.000000", "USD")]


def test_a_sale_counts_once_whoever_tells_it_again():
    story = Story()
    raw = story.order(0, 10_000_000, person=None)
    story.touchpoints.append({**raw, "identifiers": [{"type": "loyalty_id", "value": "card"}]})
    found = views(story.touchpoints)
    assert sums(found) == {"(all)": ("10", "1"), "(unattributed)": ("10", None)} and len(found["fct_unidentified_touchpoints"]) == 1
    blocked = policies(max_degree=1)  # the card is in quarantine once it met two others
    for cookie in "ab":
        story.add(-DAY, "Page Viewed", person=None, anonymous_id=cookie, identifiers=[{"type": "loyalty_id", "value": "card"}])
    blocked.identity["types"] = [{**entry, "counts": True} for entry in blocked.identity["types"]]
    found = views(story.touchpoints, blocked)
    assert any(row["is_shared"] == "true" for row in found["dim_profiles"])
    assert sums(found) == {"(all)": ("10", "0"), "(unidentified)": ("10", None)} and len(found["fct_conversions"]) == 1
    story.touchpoints.append({**raw, "user_id": "ann"})
    story.touchpoints.append({**raw, "user_id": "bob"})
    found = views(story.touchpoints, blocked)
    assert sums(found) == {"(all)": ("10", "1"), "(unattributed)": ("10", None)} and len(found["fct_conversions"]) == 1


def test_who_does_not_own_the_sale_is_no_purchaser():
    story = Story()
    raw = story.order(0, 10_000_000)
    story.touchpoints.append({**raw, "user_id": "bob"})
    for person in ("ann", "bob"):
        story.order(DAY, 5_000_000, person=person, message_id=f"second {person}")
    found = views(story.touchpoints, as_of=START + 2 * DAY)
    owner = next(row for row in found["fct_conversions"] if row["revenue"] == "10.000000")["profile_id"]
    rows = {row["profile_id"] == owner: row for row in found["dim_profiles"]}
    assert (rows[True]["order_count"], rows[True]["stage"]) == ("2", "retention")
    assert (rows[False]["order_count"], rows[False]["stage"]) == ("1", "purchase")
    other = [row for row in found["fct_touchpoints"] if row["profile_id"] != owner]
    assert [(row["is_goal"], row["session_number"]) for row in sorted(other, key=lambda row: row["occurred_at"])] == [("false", "1"), ("true", "2")]
    kinds = {(row["from_kind"], row["to_kind"]) for row in found["rpt_journey_map"]}
    assert ("pos:Order Completed", "(conversion)") in kinds and ("(conversion)", "(conversion)") in kinds
    assert sums(found, "second_order") == {"(all)": ("1", "1"), "stores": ("1", None)}


def test_orders_without_value_are_conversions_only_where_any_value_is():
    story = Story()
    story.order(0, 0)
    story.order(1, -3_000_000)
    story.order(2, 1_000_000)
    assert [row["revenue"] for row in views(story.touchpoints)["fct_conversions"]] == ["1.000000"]
    assert len(views(story.touchpoints, policies("any"))["fct_conversions"]) == 3


@pytest.mark.parametrize("value", ["positive", "any"])
def test_parts_and_unattributed_are_the_total(value):
    found = views(random_story(11, 600), policies(value))
    revenue, daily = defaultdict(Decimal), defaultdict(Decimal)
    for row in found["fct_conversions"]:
        revenue[row["conversion_id"]] = Decimal(row["revenue"])
    for model in ("first_touch", "last_touch", "linear"):
        parts, shares = defaultdict(Decimal), defaultdict(Decimal)
        for row in found["fct_attributions"]:
            if row["model"] == model:
                parts[row["conversion_id"]] += Decimal(row["attributed_revenue"])
                shares[row["conversion_id"]] += Decimal(row["credit"])
        assert parts == revenue and set(shares.values()) == {Decimal(1)}
    for row in found["rpt_attributions_daily"]:
        daily[row["model"]] += Decimal(row["attributed_revenue"])
    assert set(daily.values()) == {sum(revenue.values())}


def test_every_goal_adds_up_on_every_day():
    found = views(random_story(13, 600), policies())["rpt_shared_goals_daily"]
    totals, parts = {}, defaultdict(Decimal)
    for row in found:
        key = (row["goal_id"], row["goal_date"], row["currency"])
        if row["department"] == "(all)":
            totals[key] = Decimal(row["value"])
        else:
            parts[key] += Decimal(row["value"])
            rest = row["department"] in ("(unattributed)", "(unidentified)")
            assert rest or Decimal(row["value"]) == Decimal(row["own_value"]) + Decimal(row["assisted_value"])
    with_parts = {key for key in totals if key[0] not in ("active_customers", "won_back")}
    assert len(with_parts) > 300
    for key in with_parts:
        assert parts[key] == totals[key]


def test_goals_of_a_small_story():
    story = Story()
    story.send(0, "a")
    story.order(HOUR, 10_000_000, margin_micros=4_000_000)
    story.order(2 * HOUR, 5_000_000)
    found = views(story.touchpoints, as_of=START + 57 * DAY + HOUR)["rpt_shared_goals_daily"]
    rows = {(row["goal_id"], row["goal_date"], row["department"], row["channel"]): row for row in found}

    def shown(*key):
        return tuple(rows[key][name] for name in ("value", "own_value", "assisted_value", "customers"))

    day = "2017-01-01"
    assert shown("sale", day, "(all)", "(all)") == ("15.000000", "0.000000", "15.000000", "1")
    assert shown("sale", day, "marketing", "direct_mail") == ("15.000000", "0.000000", "15.000000", None)
    assert shown("profitable_relationships", day, "stores", "pos") == ("9.000000", "9.000000", "0.000000", None)
    assert shown("second_order", day, "(all)", "(all)") == ("1.000000", "1.000000", "0.000000", "1")
    assert shown("pressure", day, "marketing", "direct_mail")[0] == "1.000000"
    assert shown("active_customers", day, "(all)", "(all)") == ("1.000000", "0.000000", "0.000000", None)
    assert shown("active_customers", "2017-01-29", "(all)", "(all)")[0] == "0.000000"
    assert ("sale", day, "(unattributed)", "(unattributed)") not in rows and max(
        date for _, date, *_ in rows
    ) == "2017-01-29"


def goal_rows(touchpoints, goal, with_policies=None):
    rows = views(touchpoints, with_policies)["rpt_shared_goals_daily"]
    return [
        (row["goal_date"], row["value"], row["customers"])
        for row in rows
        if row["goal_id"] == goal and row["department"] == "(all)"
    ]


def test_second_order_is_dated_at_the_second_and_counts_within_its_time_only():
    for gap, expected in ((30 * DAY, [("2017-01-31", "1.000000", "1")]), (30 * DAY + 1, [])):
        story = Story()
        story.order(0, 1)
        story.order(gap, 1)
        story.order(gap + DAY, 1)
        assert goal_rows(story.touchpoints, "second_order") == expected


def test_entries_count_changes_into_the_status():
    story = Story()
    story.order(0, 1)
    story.order(60 * DAY, 1)
    story.add(61 * DAY, "Review Submitted")  # another stage, still won back
    story.order(150 * DAY, 1)
    assert goal_rows(story.touchpoints, "won_back") == [
        ("2017-03-02", "1.000000", None),
        ("2017-05-31", "1.000000", None),
    ]


def test_customers_are_counted_once_a_day():
    story = Story()
    for person in ("ann", "ann", "bob"):
        story.order(len(story.touchpoints), 1, person=person)
    assert goal_rows(story.touchpoints, "orders") == [("2017-01-01", "3.000000", "2")]


def test_naive_attribution_agrees():
    """The window once more, by comparing every pair of touchpoints of a profile."""
    found = views(random_story(17, 500), policies("any"))
    touches, pairs = defaultdict(list), set()
    for row in found["fct_touchpoints"]:
        touches[row["profile_id"]].append((parse(row["occurred_at"]), row))
    for timeline in touches.values():
        for at, conversion in timeline:
            if conversion["is_goal"] == "true":
                pairs |= {
                    (conversion["touchpoint_id"], row["touchpoint_id"])
                    for time, row in timeline
                    if row["event_name"] == "Campaign Sent"
                    and datetime.timedelta(0) <= at - time <= datetime.timedelta(days=30)
                }
    assert pairs == {
        (row["conversion_id"], row["touchpoint_id"])
        for row in found["fct_attributions"]
        if row["model"] == "linear" and row["touch_channel"] not in ("(unattributed)", "(unidentified)")
    }
    assert pairs


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
