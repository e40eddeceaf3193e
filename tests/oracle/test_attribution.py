"""Credit for conversions, its sums, and the shared goals."""

import datetime
from collections import defaultdict
from decimal import Decimal

import pytest

from attribution import STEPS, Shares, apportion
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
def test_equal_parts(amount, n, expected):
    assert apportion(amount, [1] * n) == expected


def shares(first=40, last=40, half_life=7 * 86400):
    found = policies()
    found.position, found.half_life = [first, last], half_life
    return Shares(found)


@pytest.mark.parametrize(
    "amount, n, expected",
    [
        (100_000_000, 1, [100_000_000]),
        (100_000_000, 2, [50_000_000, 50_000_000]),
        (100_000_000, 4, [40_000_000, 10_000_000, 10_000_000, 40_000_000]),
        (140_000_000, 3, [56_000_000, 28_000_000, 56_000_000]),
        (1_000_000, 5, [400_000, 66_667, 66_667, 66_666, 400_000]),
        (-1_000_000, 5, [-400_000, -66_667, -66_667, -66_666, -400_000]),
    ],
)
def test_by_position(amount, n, expected):
    assert apportion(amount, shares().by_position(n)) == expected


def test_positions_without_weight():
    assert shares(0, 0).by_position(2) == [1, 1] and shares(0, 0).by_position(3) == [0, 100, 0]
    assert shares(100, 0).by_position(2) == [100, 0] and shares(50, 50).by_position(4) == [100, 0, 0, 100]


@pytest.mark.parametrize(
    "amount, ages, expected",
    [
        (100_000_000, [14 * 86400, 7 * 86400, 1], [14_285_714, 28_571_429, 57_142_857]),
        (10_000_000, [30 * 86400, 302_400, 3600], [292_458, 4_020_996, 5_686_546]),
        (5, [3, 2, 1], [2, 2, 1]),
        (2, [7 * 31 * 86400, 7 * 31 * 86400 + 1], [1, 1]),
        (2, [7 * 31 * 86400, 7 * 31 * 86400 - 1], [0, 2]),
    ],
)
def test_by_age(amount, ages, expected):
    assert apportion(amount, shares().by_age(ages)) == expected


def test_steps_of_a_half_life():
    assert [STEPS[j] for j in (0, 1, 32, 63)] == [2_147_483_648, 2_124_350_982, 1_518_500_250, 1_085_434_106]
    assert len(STEPS) == 64 and sum(STEPS) == 99_679_088_301


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
    assert len(rows) == 10 and {row["touch_channel"] for row in rows} == {"(unidentified)"} and {row["credit"] for row in rows} == {"1.000000"}
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


def with_orders(value="any", **orders):
    found = policies(value)
    found.orders |= {"events": {"Order Completed"}, **orders}
    return found


def tellings(found):
    rows = sorted(found["fct_conversions"], key=lambda row: (row["converted_at"], row["revenue"] or ""))
    return [(row["revenue"] and row["revenue"][:-7], row["is_counted"], row["is_first"]) for row in rows]


def test_shipments_of_one_order_add_up_and_count_once():
    story = Story()
    story.send(0, "a")
    story.order(DAY - 1, 60_000_000, order_id="o", margin_micros=6, channel="web")
    story.send(DAY, "b")
    story.order(DAY, 40_000_000, order_id="o", margin_micros=3, department="service")
    found = views(story.touchpoints, with_orders(), as_of=START + 2 * DAY)
    assert tellings(found) == [("60", "true", "true"), ("40", "false", "false")]
    profile = found["dim_profiles"][0]
    assert [profile[name] for name in ("stage", "order_count", "revenue", "margin", "revenue_with_margin")] == [
        *("purchase", "1", "100.000000", "0.000009", "100.000000"),
    ]
    rows = sorted((row for row in found["fct_attributions"] if row["model"] == "linear"), key=lambda row: row["converted_at"])
    assert [(row["campaign_id"], row["credit"], row["attributed_revenue"], row["conversion_department"]) for row in rows] == [
        ("a", "1.000000", "60.000000", "stores"),
        ("a", "0.000000", "40.000000", "stores"),
    ]
    days = [(row["goal_date"][-2:], row["department"], row["channel"], row["value"][:-7], row["customers"]) for row in found["rpt_shared_goals_daily"]
            if row["goal_id"] in ("sale", "orders") and row["department"] != "marketing"]  # fmt: skip
    assert sorted(days) == [
        *(("01", "(all)", "(all)", "1", "1"), ("01", "(all)", "(all)", "60", "1"), ("01", "stores", "web", "1", None)),
        ("02", "(all)", "(all)", "40", "0"),
    ]
    assert sums(found, "second_order") == {} and {row["to_kind"] for row in found["rpt_journey_map"]} >= {"(conversion)", "pos:Order Completed"}


def test_credit_of_an_order_is_shared_as_a_whole():
    story = Story()
    for campaign in "abc":
        story.send(0, campaign)
    for hour in range(1, 4):
        story.order(hour * HOUR, 1, order_id="o")
    rows = [row for row in views(story.touchpoints, with_orders())["fct_attributions"] if row["model"] == "linear"]
    assert sorted((row["converted_at"][11:13], row["touch_position"]) for row in rows if row["attributed_revenue"] == "0.000001") == [
        *(("01", "1"), ("02", "2"), ("03", "3")),
    ]


@pytest.mark.parametrize(
    "prefer, two, expected",
    [
        ([], {}, [("50", "true", "true")]),  # a copy
        (["urn:back"], {}, [("50", "true", "true"), ("-2", "false", "false")]),
        (["urn:test", "urn:back"], {}, [("50", "true", "true")]),
        (["urn:back"], {"currency": "EUR"}, [("50", "true", "true")]),
        (["urn:back"], {"value_micros": 0}, [("50", "true", "true")]),
        ([], {"order_id": "p"}, [("50", "true", "true"), ("48", "true", "false")]),
        ([], {"order_id": None}, [("50", "true", "true"), ("48", "true", "false")]),
        ([], {"time": DAY}, [("50", "true", "true")]),
        ([], {"time": DAY + 1}, [("50", "true", "true"), ("48", "true", "false")]),
        ([], {"source": "urn:test", "currency": "EUR"}, [("50", "true", "true"), ("48", "true", "false")]),
    ],
)
def test_an_order_of_two_sources(prefer, two, expected):
    story = Story()
    story.order(0, 50_000_000, order_id="o")
    two = {"order_id": "o", "source": "urn:back", "value_micros": 48_000_000, **two}
    story.order(two.pop("time", 1), **{"value": two.pop("value_micros"), **two})
    found = views(story.touchpoints, with_orders(prefer=prefer))
    assert tellings(found) == expected
    counted = sum(is_counted == "true" for _, is_counted, _ in expected)
    assert found["dim_profiles"][0]["order_count"] == str(counted) and sums(found, "orders")["(all)"][0] in ("1", str(counted))
    if two["source"] == "urn:back" and two["order_id"] == "o":
        apart = views(story.touchpoints, with_orders(prefer=prefer, scope="source"))
        assert apart["dim_profiles"][0]["order_count"] == "2"


def test_time_is_measured_from_the_first_telling():
    story = Story()
    for hours in (0, 20, 40):
        story.order(hours * HOUR, 10_000_000, order_id="o")
    assert tellings(views(story.touchpoints, with_orders())) == [("10", "true", "true"), ("10", "false", "false"), ("10", "true", "false")]


def test_a_telling_without_value_yields_to_one_that_has_it():
    for value in (None, 0):
        story = Story()
        story.order(0, value, order_id="o", source="urn:a")
        story.order(1, 50_000_000, order_id="o", source="urn:b")
        story.order(2, 7_000_000, order_id="o", source="urn:a")
        story.order(3, 1_000_000, order_id="o", source="urn:b")
        rows = tellings(views(story.touchpoints, with_orders()))
        assert rows[1:] == [("50", "false", "false"), ("1", "false", "false")] and rows[0][1:] == ("true", "true")
        found = views(story.touchpoints, with_orders("positive"))
        assert tellings(found) == [("50", "true", "true"), ("1", "false", "false")]
        assert (found["dim_profiles"][0]["order_count"], found["dim_profiles"][0]["revenue"]) == ("1", "51.000000")
        assert sums(found)["(all)"] == ("51", "1") and sums(found, "orders")["(all)"] == ("1", "1")


def test_only_32_orders_are_remembered():
    for others, count in ((31, "33"), (32, "35")):
        story = Story()
        story.order(0, 1_000_000, order_id="o")
        for other in range(others):
            story.order(1 + other, 1_000_000, order_id=f"p{other}")
        story.order(50, 1_000_000)
        story.order(100, 1_000_000, order_id="o")
        assert views(story.touchpoints, with_orders())["dim_profiles"][0]["order_count"] == count


def taken(found):
    """{time: (returned, unmatched, is_full, is_repeat)}."""
    rows = sorted(found["fct_returns"], key=lambda row: row["returned_at"])
    return [(row["returned_revenue"][:-7], row["unmatched_revenue"][:-7], row["is_full"] == "true", row["is_repeat"] == "true") for row in rows]


def test_a_return_takes_back_value_count_and_credit():
    story = Story()
    story.send(0, "a")
    story.send(1, "b")
    story.touchpoints[1]["department"] = "stores"
    story.order(HOUR, 100_000_001, order_id="o", margin_micros=-33, channel="web")
    story.send(2 * HOUR, "c")
    story.add(DAY, "Order Returned", order_id="o", value_micros=40_000_000, currency="USD", channel="call_center")
    story.add(2 * DAY, "Order Refunded", order_id="o", value_micros=-40_000_000, source="urn:pay")
    story.add(3 * DAY, "Order Returned", order_id="o")
    found = views(story.touchpoints, with_orders(), as_of=START + 4 * DAY)
    assert taken(found) == [("40", "0", False, False), ("0", "0", False, True), ("60", "0", True, False)]
    assert [row["returned_margin"] for row in sorted(found["fct_returns"], key=lambda row: row["returned_at"])] == ["-0.000013", None, "-0.000020"]
    profile = found["dim_profiles"][0]
    assert [profile[name] for name in ("order_count", "revenue", "margin", "revenue_with_margin", "stage", "status")] == [
        *("0", "0.000000", "0.000000", "0.000000", "purchase", "active"),
    ]
    rows = sorted((row for row in found["fct_attributions"] if row["model"] == "linear"), key=lambda row: (row["converted_at"], row["campaign_id"]))
    assert [(row["campaign_id"], row["credit"], row["attributed_revenue"], row["attributed_margin"]) for row in rows] == [
        ("a", "0.500000", "50.000001", "-0.000017"),
        ("b", "0.500000", "50.000000", "-0.000016"),
        ("a", "0.000000", "-20.000000", "0.000007"),
        ("b", "0.000000", "-20.000000", "0.000006"),
        ("a", "-0.500000", "-30.000001", "0.000010"),
        ("b", "-0.500000", "-30.000000", "0.000010"),
    ]
    assert {row["conversion_department"] for row in rows} == {"stores"} and {row["path_length"] for row in rows} == {"2"}
    shown = [(row["goal_date"][-2:], row["department"], row["channel"], row["value"], row["own_value"], row["customers"])
             for row in found["rpt_shared_goals_daily"] if row["goal_id"] in ("sale", "orders") and row["goal_date"] > "2017-01-01"]  # fmt: skip
    assert sorted(shown, key=str) == [
        ("02", "(all)", "(all)", "-40.000000", "-20.000000", "0"),
        ("02", "marketing", "direct_mail", "-20.000000", "0.000000", None),
        ("02", "stores", "direct_mail", "-20.000000", "-20.000000", None),
        ("04", "(all)", "(all)", "-1.000000", "-1.000000", "0"),
        ("04", "(all)", "(all)", "-60.000001", "-30.000000", "0"),
        ("04", "marketing", "direct_mail", "-30.000001", "0.000000", None),
        ("04", "stores", "direct_mail", "-30.000000", "-30.000000", None),
        ("04", "stores", "web", "-1.000000", "-1.000000", None),
    ]
    assert {row["event_name"]: row["is_goal"] for row in found["fct_touchpoints"]}["Order Returned"] == "false"
    margin = [row["value"] for row in found["rpt_shared_goals_daily"] if row["goal_id"] == "profitable_relationships" and row["department"] == "(all)"]
    assert sum(map(Decimal, margin)) == 0


@pytest.mark.parametrize(
    "returns, expected",
    [
        ([{"value_micros": 130}], [(100, 30, True, False)]),  # more than is left
        ([{"value_micros": 40}, {"value_micros": 40}], [(40, 0, False, False)] * 2),  # one teller, two returns
        ([{"value_micros": 40}, {"value_micros": 40, "source": "urn:b"}], [(40, 0, False, False), (0, 0, False, True)]),
        ([{"value_micros": 40}, {"value_micros": 41, "event": "Order Refunded"}], [(40, 0, False, False), (41, 0, False, False)]),
        (
            [{"value_micros": 30, "event": event} for event in ("Order Returned", "Order Refunded", "Order Refunded", "Order Returned")],
            [(30, 0, False, False), (0, 0, False, True), (30, 0, False, False), (0, 0, False, True)],
        ),
        ([{}, {"value_micros": 100, "event": "Order Refunded"}], [(100, 0, True, False), (0, 0, False, True)]),
        ([{"event": "Order Completed", "value_micros": -100}], [(100, 0, True, False)]),
        ([{"event": "Order Completed", "value_micros": -100, "direction": "outbound"}], []),
        ([{"value_micros": 100, "direction": "outbound", "is_bot": True}], [(100, 0, True, False)]),
        ([{"value_micros": 100, "direction": "none", "type": "identify"}], [(100, 0, True, False)]),
        ([{"value_micros": 100, "order_id": "p"}], [(0, 100, False, False)]),
        ([{"value_micros": 100, "order_id": None}], [(0, 100, False, False)]),
        ([{"value_micros": 9, "order_id": "p", "source": source} for source in ("urn:a", "urn:b", "urn:b")], [(0, 9, False, False), (0, 0, False, True), (0, 9, False, False)]),
        ([{"value_micros": 9, "order_id": "p", "source": source, "currency": source} for source in ("EUR", "USD")], [(0, 9, False, False)] * 2),
        ([{"value_micros": 9, "order_id": None, "source": source} for source in ("urn:a", "urn:b")], [(0, 9, False, False)] * 2),
        ([{"value_micros": 100, "currency": "EUR"}], [(0, 100, False, False)]),
        ([{"currency": "EUR"}], [(100, 0, True, False)]),
        ([{"value_micros": 0}], [(0, 0, False, False)]),
        ([{"value_micros": 100, "time": -1}], [(0, 100, False, False)]),  # before its order
        ([{"value_micros": 100, "time": 0}], [(100, 0, True, False)]),  # at its instant
        ([{"value_micros": 100, "time": 90 * DAY}], [(100, 0, True, False)]),
        ([{"value_micros": 100, "time": 90 * DAY + 1}], [(0, 100, False, False)]),
        ([{"value_micros": 100, "user_id": "bob"}], [(0, 100, False, False)]),
    ],
)
def test_what_a_return_takes(returns, expected):
    story = Story()
    story.order(0, 100, order_id="o")
    for number, one in enumerate(returns, 1):
        one = {"order_id": "o", **one}
        story.add(one.pop("time", number), one.pop("event", "Order Returned"), **one)
    found = views(story.touchpoints, policies("any"))
    micros = [(*(int(Decimal(row[name]) * 1_000_000) for name in ("returned_revenue", "unmatched_revenue")), row["is_full"] == "true", row["is_repeat"] == "true")
              for row in sorted(found["fct_returns"], key=lambda row: row["returned_at"])]  # fmt: skip
    assert micros == expected
    counts = {row["order_count"] for row in found["dim_profiles"]}
    assert ("1" not in counts) is any(is_full for *_, is_full, _ in expected)
    total = sum(Decimal(row["value"]) for row in found["rpt_shared_goals_daily"] if row["goal_id"] == "sale" and row["department"] == "(all)")
    assert total * 1_000_000 == 100 - sum(one + two for one, two, *_ in expected)
    assert sum(Decimal(row["attributed_revenue"]) for row in found["rpt_attributions_daily"] if row["model"] == "linear") == total


def test_returned_orders_are_not_counted_later():
    story = Story()
    story.order(0, 1_000_000, order_id="a")
    story.add(DAY, "Order Returned", order_id="a")
    story.add(DAY + 1, "Account Created")  # no order before it that still counts
    story.order(2 * DAY, 1_000_000, order_id="b")
    found = views(story.touchpoints, as_of=START + 3 * DAY)
    profile = found["dim_profiles"][0]
    assert (profile["stage"], profile["order_count"]) == ("purchase", "1") and sums(found, "second_order") == {}
    story.order(3 * DAY, 1_000_000, order_id="c")
    found = views(story.touchpoints, as_of=START + 4 * DAY)
    assert found["dim_profiles"][0]["stage"] == "retention" and sums(found, "second_order")["(all)"] == ("1", "1")
    story.add(4 * DAY, "Order Refunded", order_id="c")
    story.order(5 * DAY, 1_000_000, order_id="d")
    second = [row["value"][:-7] for row in views(story.touchpoints)["rpt_shared_goals_daily"] if row["goal_id"] == "second_order" and row["department"] == "(all)"]
    assert second == ["1", "-1", "1"]


def test_a_return_is_no_sign_of_life_but_a_visit():
    story = Story()
    story.order(0, 1_000_000, order_id="a")
    story.add(27 * DAY, "Order Returned", order_id="a", campaign={"id": "c", "click_id": "d"})
    found = views(story.touchpoints, policies(creditable=None), as_of=START + 30 * DAY)
    assert found["dim_profiles"][0]["status"] == "at_risk"
    rows = {row["event_name"]: (row["direction"], row["session_number"], row["touch_kind"]) for row in found["fct_touchpoints"]}
    assert rows["Order Returned"] == ("inbound", "2", "web:Order Returned")
    assert ("(conversion)", "web:Order Returned") in {(row["from_kind"], row["to_kind"]) for row in found["rpt_journey_map"]}
    alone = Story()
    alone.add(0, "Order Returned", value_micros=5_000_000, currency="EUR")
    profile = views(alone.touchpoints)["dim_profiles"][0]
    assert (profile["stage"], profile["status"], profile["revenue"], profile["currency"]) == (None, None, "-5.000000", "EUR")


def test_returns_of_unknown_customers():
    story = Story()
    story.order(0, 100_000_000, person=None, order_id="o")
    story.add(1, "Order Returned", person=None, order_id="o", value_micros=-30_000_000, margin_micros=-2, currency="USD")
    found = views(story.touchpoints)
    assert sums(found) == {"(all)": ("70", "0"), "(unidentified)": ("70", None)}
    assert sums(found, "orders") == {"(all)": ("1", "0"), "(unidentified)": ("1", None)}
    assert taken(found) == [("0", "30", False, False)] and found["fct_returns"][0]["profile_id"] is None
    rows = [row for row in found["rpt_attributions_daily"] if row["model"] == "linear"]
    assert sorted((row["touch_channel"], row["attributed_revenue"], row["attributed_conversions"]) for row in rows) == [
        ("(unidentified)", "-30.000000", "0.000000"),
        ("(unidentified)", "100.000000", "1.000000"),
    ]


def test_goals_that_name_returns():
    with_goals = policies()
    with_goals.goals = [
        {"id": "number", "measure": "count", "on": {"events": ["Order Returned"]}},
        {"id": "returned", "measure": "value", "on": {"events": ["Order Returned"]}},
        {"id": "both", "measure": "value", "on": {"events": ["Order Completed", "Order Returned"]}},
        {"id": "touches", "measure": "count", "on": {"direction": "inbound"}},
        {"id": "money", "measure": "value", "on": {"direction": "inbound"}},
    ]
    story = Story()
    story.order(0, 100_000_000, order_id="o")
    story.add(1, "Order Returned", order_id="o", value_micros=70_000_000, currency="USD")
    story.add(2, "Order Returned", order_id="o", value_micros=70_000_000, currency="USD", source="urn:other")  # a repeat
    story.add(3, "Order Returned", value_micros=5_000_000, currency="USD")
    found = views(story.touchpoints, with_goals)
    values = {row["goal_id"]: row["value"][:-7] for row in found["rpt_shared_goals_daily"] if row["department"] == "(all)"}
    assert values == {"number": "2", "returned": "75", "both": "25", "touches": "3", "money": "25"}


def test_orders_without_value_are_conversions_only_where_any_value_is():
    story = Story()
    story.order(0, 0)
    story.order(1, None)
    story.order(2, 1_000_000)
    assert [row["revenue"] for row in views(story.touchpoints)["fct_conversions"]] == ["1.000000"]
    assert len(views(story.touchpoints, policies("any"))["fct_conversions"]) == 3


@pytest.mark.parametrize("value", ["positive", "any"])
def test_parts_and_unattributed_are_the_total(value):
    found = views(random_story(11, 600), policies(value))
    revenue, daily = defaultdict(Decimal), defaultdict(Decimal)
    for row in found["fct_conversions"]:
        revenue[row["conversion_id"]] = Decimal(row["revenue"])
    for row in found["fct_returns"]:
        if amount := Decimal(row["returned_revenue"]) + Decimal(row["unmatched_revenue"]):
            revenue[row["return_id"]] = -amount
    for model in ("first_touch", "last_touch", "linear"):
        parts, shares = defaultdict(Decimal), defaultdict(Decimal)
        for row in found["fct_attributions"]:
            if row["model"] == model:
                parts[row["conversion_id"]] += Decimal(row["attributed_revenue"])
                shares[row["conversion_id"]] += Decimal(row["credit"])
        assert parts == revenue and set(shares.values()) == {Decimal(1), Decimal(0)}
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


# ------------------------------------------------------------------------------------------------- goals of a touch


RULES = [
    {"goal": "sale", "event": "Order Completed", "value": "any"},
    {"goal": "clients", "event": "Order Completed", "value": "any", "lookback": "P2D"},
    {"goal": "sale", "event": "Order Completed", "value": "positive", "lookback": "P1D"},
]


def two_goals(**attribution):
    found = policies(creditable=["Campaign Sent"])
    found.conversions = [dict(rule) for rule in RULES]
    for name, value in attribution.items():
        setattr(found, name, value)
    return found


def bought_and_returned():
    story = Story()
    story.send(0, "a")
    story.send(DAY, "b")
    story.order(3 * DAY, 10, order_id="o", margin_micros=3)
    story.order(3 * DAY + 1, 5, order_id="o")
    story.add(4 * DAY, "Order Returned", order_id="o", currency="USD", value_micros=15)
    return story


def test_each_goal_has_its_own_conversion_and_lookback():
    found = views(bought_and_returned().touchpoints, two_goals())
    rows = sorted((row["goal_id"], row["revenue"], row["eligible_touch_count"], row["is_first"], row["is_counted"]) for row in found["fct_conversions"])
    assert rows == [
        ("clients", "0.000005", "1", "false", "false"),
        ("clients", "0.000010", "1", "true", "true"),
        ("sale", "0.000005", "2", "false", "false"),
        ("sale", "0.000010", "2", "true", "true"),
    ]
    assert len({row["conversion_id"] for row in found["fct_conversions"]}) == 4
    assert all((row["goal_id"] == "sale") == (row["conversion_id"] == row["touchpoint_id"]) for row in found["fct_conversions"])


def test_a_return_takes_back_from_each_goal():
    found = views(bought_and_returned().touchpoints, two_goals())
    assert sorted((row["goal_id"], row["returned_revenue"]) for row in found["fct_returns"]) == [("clients", "0.000015"), ("sale", "0.000015")]
    conversions = {row["goal_id"]: row["conversion_id"] for row in found["fct_conversions"] if row["is_counted"] == "true"}
    assert {row["goal_id"]: row["conversion_id"] for row in found["fct_returns"]} == conversions
    for goal in ("sale", "clients"):
        rows = [row for row in found["fct_attributions"] if row["goal_id"] == goal and row["model"] == "linear"]
        assert sum(Decimal(row["attributed_revenue"]) for row in rows) == 0
        assert sum(Decimal(row["credit"]) for row in rows) == 0


def test_a_customer_bought_once():
    (row,) = views(bought_and_returned().touchpoints[:4], two_goals())["dim_profiles"]
    assert (row["order_count"], row["revenue"], row["margin"]) == ("1", "0.000015", "0.000003")
    (row,) = views(bought_and_returned().touchpoints, two_goals())["dim_profile_values"]
    assert (row["conversions"], row["revenue"]) == ("1", "0.000000")


def test_a_return_of_no_order_has_all_goals_of_its_event():
    story = Story()
    story.add(0, "Order Returned", currency="USD", value_micros=15)
    found = views(story.touchpoints, two_goals())
    assert sorted((row["goal_id"], row["unmatched_revenue"], row["conversion_id"]) for row in found["fct_returns"]) == [("clients", "0.000015", None), ("sale", "0.000015", None)]
    assert {row["attributed_revenue"] for row in found["fct_attributions"]} == {"-0.000015"}


def test_only_listed_models_have_sums():
    found = views(bought_and_returned().touchpoints, two_goals(models=["linear", "time_decay"]))
    assert {row["model"] for row in found["rpt_attributions_daily"]} == {"linear", "time_decay"}


@pytest.mark.parametrize("model", ["position_based", "time_decay"])
def test_parts_and_returns_share_by_the_weights_of_the_order(model):
    story = bought_and_returned()
    story.touchpoints.insert(2, story.send(2 * DAY, "c"))
    found = views(story.touchpoints, two_goals(models=[model], stored_model=model))
    rows = [row for row in found["rpt_attributions_daily"] if row["goal_id"] == "sale" and row["segment_id"] == "(all)"]
    assert {Decimal(0)} == {sum(Decimal(row["attributed_revenue"]) for row in rows if row["campaign_id"] == one) for one in "abc"}
    assert sum(Decimal(row["attributed_revenue"]) for row in rows if row["conversion_date"] == "2017-01-04") == Decimal("0.000015")
