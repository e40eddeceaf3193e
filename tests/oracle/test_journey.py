"""Stages, status, sessions, kinds and the map, each rule by a story of a few touches."""

import pytest

from policy import YEAR, instant
from support import DAY, HOUR, MINUTE, START, Story, policies, views
from touchpoint import event_id


def stages(found):
    rows = sorted(found["fct_stage_changes"], key=lambda row: (row["changed_at"], int(row["change_position"])))
    return [(row["reason"], row["to_stage"], row["to_status"]) for row in rows]


def test_stages_rise_and_are_skipped_but_never_fall():
    story = Story()
    story.add(0, "Page Viewed")
    story.add(1, "Product Viewed")
    story.order(2, 1_000_000)
    story.order(3, 1_000_000)  # same day: not yet retention
    story.add(4, "Account Created")
    story.order(DAY, 1_000_000)
    story.order(DAY + 1, 1_000_000)  # the fourth within a year
    story.add(DAY + 2, "NPS Answered", score=80, score_kind="nps")
    story.add(DAY + 3, "Page Viewed")
    assert [stage for reason, stage, _ in stages(views(story.touchpoints)) if reason == "rule"] == [
        "inquiry",
        "consideration",
        "purchase",
        "onboarding",
        "retention",
        "loyalty",
        "advocacy",
    ]


def test_an_account_of_the_orders_instant_comes_before_it():
    for number in range(8):
        story = Story()
        story.touchpoints = [{}] * number
        story.order(0, 1)
        story.add(0, "Account Created")
        found = views(story.touchpoints[number:])
        assert {row[1] for row in stages(found) if row[0] == "rule"} == {"inquiry", "purchase"}
        steps = {(row["from_kind"], row["to_kind"]) for row in found["rpt_journey_map"]}
        assert ("web:Account Created", "(conversion)") in steps and ("(conversion)", "(exit)") in steps


def test_anchors_order_touches_of_one_id_as_signed_numbers():
    from touchpoint import Touchpoint

    raw = dict(Story().add(0, "Page Viewed"))
    ordered = sorted((Touchpoint(raw, anchor, policies()) for anchor in (bytes(16), b"\x7f" * 16, b"\xff" * 16)), key=lambda one: one.order)
    assert [one.anchor[0] for one in ordered] == [0xFF, 0, 0x7F]


def test_changes_of_one_instant_are_numbered():
    story = Story()
    story.add(0, "Product Viewed")
    story.add(0, "Page Viewed")
    story.order(0, 1)
    with_deadlines = policies()
    with_deadlines.deadlines = [("at_risk", DAY), ("lapsed", DAY)]
    rows = sorted(views(story.touchpoints, with_deadlines)["fct_stage_changes"], key=lambda row: (row["changed_at"], row["change_position"]))
    assert [row["change_position"] for row in rows] == [str(n) for n in range(1, len(rows) - 2)] + ["1", "2", "1"]
    assert [row["to_status"] for row in rows[-3:]] == ["at_risk", "lapsed", "lapsed"]
    for one, two in zip(rows[:-3], rows[1:-3]):
        assert one["to_stage"] == two["from_stage"]


def test_account_before_an_order_is_no_onboarding_and_a_fourth_order_too_late_no_loyalty():
    story = Story()
    story.add(0, "Account Created")
    for month in range(4):
        story.order(1 + month * 122 * DAY, 1)
    assert {stage for _, stage, _ in stages(views(story.touchpoints))} == {"inquiry", "purchase", "retention", None}


def test_deadlines_act_unless_a_touch_comes_at_or_before_them():
    story = Story()
    story.add(0, "Page Viewed")
    story.add(28 * DAY, "Page Viewed")  # exactly at the deadline: takes it back
    story.add(28 * DAY + 28 * DAY + 1, "Page Viewed")  # one microsecond late
    rows = stages(views(story.touchpoints))
    assert [status for _, _, status in rows] == ["active", "at_risk", "active", "at_risk", "lapsed", "lapsed"]
    assert rows[-1][:2] == ("exit", None)


def test_a_return_wins_back_and_a_new_instance_starts_from_lapsed():
    story = Story()
    story.order(0, 1)
    story.order(60 * DAY, 1)
    story.order(60 * DAY + YEAR + 1, 1)
    found = views(story.touchpoints, as_of=START + 60 * DAY + YEAR + 2)
    rows = sorted(found["fct_stage_changes"], key=lambda row: row["changed_at"])
    assert [
        (row["journey_number"], row["reason"], row["from_stage"], row["to_stage"], row["from_status"], row["to_status"])
        for row in rows
    ] == [
        ("1", "rule", None, "purchase", None, "active"),
        ("1", "inactivity", "purchase", "purchase", "active", "at_risk"),
        ("1", "inactivity", "purchase", "purchase", "at_risk", "lapsed"),
        ("1", "rule", "purchase", "retention", "lapsed", "won_back"),
        ("1", "inactivity", "retention", "retention", "won_back", "at_risk"),
        ("1", "inactivity", "retention", "retention", "at_risk", "lapsed"),
        ("1", "exit", "retention", None, "lapsed", "lapsed"),
        ("2", "rule", None, "purchase", "lapsed", "won_back"),
    ]
    assert rows[0]["seconds_in_stage"] is None and rows[7]["seconds_in_stage"] is None
    assert rows[3]["seconds_in_stage"] == str(60 * 86400) and rows[4]["seconds_in_stage"] == str(28 * 86400)


def test_exactly_a_year_is_still_the_same_instance():
    story = Story()
    story.order(0, 1)
    story.add(YEAR, "Page Viewed")
    rows = [
        row
        for row in views(story.touchpoints, as_of=START + YEAR)["fct_stage_changes"]
        if row["reason"] != "inactivity"
    ]
    assert [
        (row["journey_number"], row["to_stage"], row["to_status"])
        for row in sorted(rows, key=lambda row: row["changed_at"])
    ] == [("1", "purchase", "active"), ("1", "purchase", "won_back")]


def test_events_may_set_the_status_and_lapsed_is_not_followed_by_at_risk():
    with_events = policies()
    with_events.status = {
        "at_risk": {"after": "P28D", "on": ["Complaint Filed"]},
        "lapsed": {"after": "P56D", "on": ["Account Closed"]},
    }
    story = Story()
    for day, event in enumerate(("Page Viewed", "Complaint Filed", "Page Viewed", "Account Closed")):
        story.add(day * DAY, event)
    assert [status for _, _, status in stages(views(story.touchpoints, with_events))] == [
        "active",
        "at_risk",
        "active",
        "lapsed",
        "lapsed",
    ]


def test_ids_of_deadline_rows():
    story = Story()
    one = story.add(0, "Page Viewed")
    identifier = event_id(one["source"], one["message_id"])
    last = {
        row["reason"] + row["to_status"]: row["stage_change_id"][-2:]
        for row in views(story.touchpoints)["fct_stage_changes"]
    }
    assert last == {
        "ruleactive": f"{identifier[-1]:02x}",
        "inactivityat_risk": f"{identifier[-1] ^ 1:02x}",
        "inactivitylapsed": f"{identifier[-1] ^ 2:02x}",
        "exitlapsed": f"{identifier[-1] ^ 3:02x}",
    }


def test_profiles_as_of_a_moment():
    story = Story()
    story.order(0, 5_000_000, margin_micros=2_000_000, score=-10)
    story.order(DAY, 0)
    for days, stage, status, since in (
        (2, "retention", "active", 1),
        (40, "retention", "at_risk", 1),
        (400, None, "lapsed", 366),
    ):
        row = views(story.touchpoints, as_of=START + days * DAY)["dim_profiles"][0]
        assert (row["stage"], row["status"], row["stage_since_at"]) == (stage, status, iso(since * DAY))
    assert (row["order_count"], row["revenue"], row["margin"], row["last_score"]) == (
        "2",
        "5.000000",
        "2.000000",
        "-10",
    )
    assert row["is_identified"] == "true" and row["last_order_at"] == iso(DAY)


def iso(time):
    from render import instant as text

    return text(START + time)


@pytest.mark.parametrize(
    "kind, raw, score",
    [
        *(("nps", raw, str(score)) for raw, score in ((0, -100), (5, 0), (6, 20), (9, 80), (10, 100), (11, "refused"), (-1, "refused"))),
        *(("csat", raw, str(score)) for raw, score in ((1, -100), (2, -50), (3, 0), (5, 100), (0, "refused"), (6, "refused"))),
        *(("ces", raw, str(score)) for raw, score in ((1, -100), (2, -67), (3, -33), (4, 0), (5, 33), (6, 67), (7, 100), (8, "refused"))),
        ("stars", 4, None),
        ("NPS", 4, None),
        (None, 4, None),
    ],
)
def test_raw_scores(kind, raw, score):
    story = Story()
    story.add(0, "Rated", score_kind=kind, score_raw=raw, score=1)
    rows = views(story.touchpoints)["fct_touchpoints"]
    assert [row["score"] for row in rows] == ([] if score == "refused" else [score])


def test_a_raw_score_meets_a_stage_rule():
    story = Story()
    story.add(0, "Rated", score_kind="nps", score_raw=9)
    story.add(1, "Rated", score_kind="nps", score=101)  # refused
    profile = views(story.touchpoints, as_of=START + 2)["dim_profiles"][0]
    assert (profile["stage"], profile["last_score"], profile["last_seen_at"]) == ("advocacy", "80", iso(0))


def test_a_profile_whose_touches_are_all_outbound_has_no_stage():
    story = Story()
    story.send(0, "c")
    row = views(story.touchpoints)["dim_profiles"][0]
    assert (row["stage"], row["status"], row["first_seen_at"]) == (None, None, iso(0))


def test_a_message_under_two_anchors_counts_once():
    story = Story()
    one = story.order(0, 50_000_000, person=None, anonymous_id="cookie")
    story.touchpoints.append({**one, "user_id": "ann"})
    sent = story.send(DAY, "c", person=None, anonymous_id="cookie", score=10)
    story.touchpoints.append({**sent, "user_id": "ann", "campaign": {"id": "c", "name": "Spring"}})
    found = views(story.touchpoints)
    assert len(found["fct_touchpoints"]) == 2 and len(found["fct_conversions"]) == 1 and len(found["dim_profiles"]) == 1
    assert (found["dim_profiles"][0]["order_count"], found["dim_profiles"][0]["revenue"]) == ("1", "50.000000")
    assert found["dim_identifiers"][0]["first_seen_at"] == iso(0)
    assert {row["campaign_name"] for row in found["fct_touchpoints"]} == {None, "Spring"}
    steps = {(row["from_kind"], row["to_kind"]): row["transitions"] for row in found["rpt_journey_map"]}
    assert steps["(conversion)", "direct_mail:Campaign Sent"] == "1"


def test_of_two_tellings_of_a_message_the_higher_rank_counts():
    for cookie in range(8):  # smaller anchors than that of the user id, and larger ones
        story = Story()
        one = story.order(0, None, person=None, anonymous_id=f"c{cookie}")
        story.touchpoints.append({**one, "user_id": "ann", "value_micros": 7_000_000})
        for touchpoints in (story.touchpoints, story.touchpoints[::-1]):
            found = views(touchpoints, policies("positive"))
            assert [row["revenue"] for row in found["fct_touchpoints"]] == ["7.000000"]
            assert found["dim_profiles"][0]["order_count"] == "1"


def test_one_event_id_at_two_times_is_two_touchpoints():
    story = Story()
    one = story.order(0, 1_000_000)
    story.touchpoints.append({**one, "occurred_at": START + 1})
    assert len(views(story.touchpoints)["fct_conversions"]) == 2


def test_sessions_count_inbound_touches_only():
    story = Story()
    for minutes in (0, 30, 61):
        story.add(minutes * MINUTE, "Page Viewed")
    story.send(70 * MINUTE, "c")
    story.add(91 * MINUTE, "Page Viewed")
    rows = sorted(views(story.touchpoints)["fct_touchpoints"], key=lambda row: row["occurred_at"])
    assert [row["session_number"] for row in rows] == ["1", "1", "2", None, "2"]


def test_direction_kind_and_flags():
    story = Story()
    story.add(0, "Contact Requested")
    story.add(1, "Contact Sent", received_at=START + 2 + DAY)
    story.add(2, None, type="identify")
    story.add(3, "Page Viewed", page={"referrer": "https://user@WWW.Google.de:443/search?q=x"})
    story.add(
        4, "Page Viewed", page={"referrer": "https://www.googleplex.example/"}, campaign={"click_network": "meta"}
    )
    story.add(5, "Page Viewed", campaign={"medium": "comparison", "source": "check24"})
    story.add(6, "Page Viewed", campaign={"medium": "comparison"})
    story.add(7, "Campaign Sent", direction="sideways", campaign={"click_network": "meta"})
    rows = sorted(views(story.touchpoints)["fct_touchpoints"], key=lambda row: row["occurred_at"])
    assert [(row["direction"], row["network"], row["touch_kind"]) for row in rows] == [
        (None, None, "web:Contact Requested"),
        ("outbound", None, "web:Contact Sent"),
        (None, None, "web:identify"),
        ("inbound", "google", "search:google"),
        ("inbound", "meta", "ads:meta"),
        ("inbound", "check24", "comparison_site:check24"),
        ("inbound", None, "web:Page Viewed"),
        ("outbound", "meta", "web:Campaign Sent"),
    ]
    assert (
        [row["is_unasked"] for row in rows].count("true") == 1
        and rows[1]["is_unasked"] == "true"
        and rows[1]["is_late"] == "true"
    )


def test_events_of_delivery_are_no_touches_and_sales_are_stronger():
    story = Story()
    story.add(0, "Email Bounced", direction="outbound")
    story.add(1, "Unsubscribed")
    story.add(2, "Page Viewed", direction="none")
    story.add(3, "Email Clicked", is_bot=True)
    story.add(4, "Contact Sent", is_bot=True)
    found = views(story.touchpoints)
    rows = sorted(found["fct_touchpoints"], key=lambda row: row["occurred_at"])
    assert [(row["direction"], row["is_bot"], row["session_number"]) for row in rows] == [
        (None, "false", None),
        (None, "false", None),
        (None, "false", None),
        ("inbound", "true", None),
        ("outbound", "true", None),
    ]
    profile = found["dim_profiles"][0]
    assert (profile["stage"], profile["first_seen_at"], profile["last_seen_at"]) == (None, iso(0), iso(4))
    assert {(row["from_kind"], row["to_kind"]) for row in found["rpt_journey_map"]} == {("(start)", "web:Contact Sent"), ("web:Contact Sent", "(exit)")}
    story.order(5, 1_000_000, is_bot=True, direction="none")
    found = views(story.touchpoints)
    assert len(found["fct_conversions"]) == 1 and found["fct_stage_changes"][0]["to_stage"] == "purchase"
    story.order(6, 1_000_000, direction="outbound")
    assert len(views(story.touchpoints)["fct_conversions"]) == 1


def test_a_list_of_ones_own_replaces_all_but_requests_and_their_ends():
    with_list = policies()
    with_list.no_touch = type(with_list)(with_list.identity, {**with_list.journey, "no_touch": ["Page Viewed"]}, {"goals": []}, {"rules": []}).no_touch
    story = Story()
    for time, event in enumerate(("Page Viewed", "Email Bounced", "Contact Failed")):
        story.add(time, event)
    rows = sorted(views(story.touchpoints, with_list)["fct_touchpoints"], key=lambda row: row["occurred_at"])
    assert [row["direction"] for row in rows] == [None, "inbound", None]


def test_local_hour_and_weekday():
    story = Story()
    story.add(13 * HOUR, "Page Viewed")  # 2017-01-01 was a Sunday
    row = views(story.touchpoints)["fct_touchpoints"][0]
    assert (row["occurred_date"], row["local_hour"], row["local_weekday"]) == ("2017-01-01", "13", "0")


def in_zones(reporting, default=None):
    given = policies()
    zones = {"reporting_timezone": reporting, **({"default_timezone": default} if default else {})}
    return type(given)(given.identity, {**given.journey, **zones}, {"goals": given.goals}, {"rules": given.channels})


@pytest.mark.parametrize(
    "time, day, hour",
    [
        ("2026-03-08T04:59:00Z", "2026-03-07", 23),
        ("2026-03-08T05:01:00Z", "2026-03-08", 0),
        ("2026-03-09T03:59:00Z", "2026-03-08", 23),
        ("2026-03-09T04:01:00Z", "2026-03-09", 0),
        ("2026-11-01T05:30:00Z", "2026-11-01", 1),
        ("2026-11-01T06:30:00Z", "2026-11-01", 1),
    ],
)
def test_days_of_new_york(time, day, hour):
    story = Story()
    story.add(instant(time) - START, "Page Viewed")
    row = views(story.touchpoints, in_zones("America/New_York"))["fct_touchpoints"][0]
    assert (row["occurred_date"], int(row["local_hour"])) == (day, hour)


def test_a_persons_clock_is_the_newest_zone_before():
    """Of any direction and of any identifier of the customer; a name that is none says nothing."""
    story, at = Story(), instant("2026-03-02T22:00:00Z") - START
    story.add(at, "Page Viewed")
    story.add(at + HOUR, "Page Viewed", timezone="Asia/Tokyo")
    story.add(at + 2 * HOUR, "Page Viewed", timezone="asia/tokyo")
    story.send(at + 3 * HOUR, "c", timezone="America/New_York")
    story.add(at + 4 * HOUR, "Page Viewed", timezone="")
    rows = sorted(views(story.touchpoints, in_zones("Europe/Berlin", "Asia/Kolkata"))["fct_touchpoints"], key=lambda row: row["occurred_at"])
    shown = [(row["occurred_date"][-2:], row["local_weekday"], row["local_hour"]) for row in rows]
    assert shown == [("02", "2", "3"), ("03", "2", "8"), ("03", "2", "9"), ("03", "1", "20"), ("03", "1", "21")]


def test_map_of_a_small_journey():
    story = Story()
    story.send(0, "c")
    story.add(HOUR, "Contact Requested")  # no touch
    story.add(HOUR, "Product Viewed")
    story.order(3 * HOUR, 1_000_000)
    story.send(3 * HOUR + YEAR + 1, "c")
    rows = views(story.touchpoints, as_of=instant("2018-01-31T00:00:00Z"))["rpt_journey_map"]
    found = {(row["period_start_date"], row["stage"], row["from_kind"], row["to_kind"]): row for row in rows}
    assert set(found) == {
        ("2017-01-01", "(none)", "(start)", "direct_mail:Campaign Sent"),
        ("2017-01-01", "(none)", "direct_mail:Campaign Sent", "web:Product Viewed"),
        ("2017-01-01", "consideration", "web:Product Viewed", "(conversion)"),
        ("2018-01-01", "purchase", "(conversion)", "(exit)"),
        ("2018-01-01", "(none)", "(start)", "direct_mail:Campaign Sent"),
    }
    step = found["2017-01-01", "consideration", "web:Product Viewed", "(conversion)"]
    assert (step["transitions"], step["wait_seconds_sum"], step["wait_le_1h"], step["wait_le_1d"]) == (
        "1",
        "7200.000000",
        "0",
        "1",
    )
    assert found["2017-01-01", "(none)", "direct_mail:Campaign Sent", "web:Product Viewed"]["wait_le_1h"] == "1"


def test_map_of_anything_balances():
    from test_identity import random_story

    rows = views(random_story(3, 500), policies("any"))["rpt_journey_map"]
    total = {(way, row[way]): 0 for row in rows for way in ("from_kind", "to_kind")}
    for row in rows:
        total["from_kind", row["from_kind"]] += int(row["transitions"])
        total["to_kind", row["to_kind"]] += int(row["transitions"])
    for way, kind in list(total):
        if not kind.startswith(("(start)", "(exit)")):
            assert total["from_kind", kind] == total["to_kind", kind]
    assert total["from_kind", "(start)"] == total["to_kind", "(exit)"]
