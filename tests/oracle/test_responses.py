"""Responses to sends, and what follows each touch of the map within seven days."""

import pytest

from support import DAY, HOUR, MINUTE, Story, policies, views
from touchpoint import event_id


def answering(**asked):
    found = policies(conversions="any", creditable=["Campaign Sent"])
    found.journey["responses"] = asked
    return type(found)(
        found.identity,
        found.journey,
        {"goals": found.goals},
        {"rules": found.channels},
    )


def name(story, row, column):
    ids = {event_id(one["source"], one["message_id"]).hex(): one["message_id"] for one in story.touchpoints}
    return ids[row[column].replace("-", "")]


def pairs(story, found):
    return sorted((name(story, row, "send_id"), name(story, row, "response_id")) for row in found["fct_responses"])


def total(found, column):
    return sum(float(row[column]) for row in found["rpt_responses"] if row["segment_id"] == "(all)")


def two_sends(without=()):
    story = Story()
    story.send(0, "x", decision_id="1")  # m0
    story.send(24 * HOUR, "x", decision_id="2")
    for hour, decision in ((30, None), (31, None), (32, "1")):
        more = {"decision_id": decision} if decision else {}
        story.add(hour * HOUR, "Email Opened", channel="email", campaign={"id": "x"}, device={"type": "phone"}, **more)
    story.add(200 * HOUR, "Email Clicked", decision_id="1")
    story.touchpoints = [one for one in story.touchpoints if one["message_id"] not in without]
    return story


def test_an_answer_is_to_the_send_of_its_decision_or_the_last_of_its_campaign():
    story = two_sends()
    found = views(story.touchpoints, answering())
    assert pairs(story, found) == [("m0", "m4"), ("m1", "m2")]
    assert (total(found, "sends"), total(found, "responses"), total(found, "answers")) == (2, 2, 2)
    assert total(found, "response_seconds_sum") == 6 * 3600 + 32 * 3600
    (row,) = [row for row in found["fct_responses"] if name(story, row, "send_id") == "m1"]
    assert (row["channel"], row["campaign_id"], row["seconds_to_response"]) == ("direct_mail", "x", "21600.000000")


def test_a_send_that_comes_late_takes_over():
    story = two_sends(without={"m1"})
    assert pairs(story, views(story.touchpoints, answering())) == [("m0", "m2")]


@pytest.mark.parametrize("late, count", [(0, 1), (1, 0)])
def test_within(late, count):
    story = Story()
    story.send(0, "x")
    story.add(7 * DAY + late, "Email Opened", campaign={"id": "x"})
    assert len(views(story.touchpoints, answering())["fct_responses"]) == count


@pytest.mark.parametrize("answer, send", [({"decision_id": "d0", "campaign": {"id": "x"}}, "m32"), ({"decision_id": "d0"}, None), ({"decision_id": "d1"}, "m1")])
def test_the_newest_32_sends(answer, send):
    story = Story()
    for number in range(33):
        story.send(number * HOUR, "x", decision_id=f"d{number}")
    story.add(40 * HOUR, "Email Opened", **answer)
    assert pairs(story, views(story.touchpoints, answering())) == ([(send, "m33")] if send else [])


def test_contexts():
    story = Story()
    story.add(0, "Product Viewed", device={"type": "desktop"}, campaign={"click_network": "google"})
    story.add(MINUTE, "Product Viewed")
    story.send(HOUR, "x", timezone="Asia/Kolkata")
    story.add(2 * HOUR, "Email Opened", channel="email", campaign={"id": "x"}, device={"type": "phone"})
    rows = views(story.touchpoints, answering())["rpt_responses"]
    keys = ("channel", "department", "local_hour", "local_weekday", "device_type", "network", "sends", "responses", "answers")
    assert sorted(tuple(row[key] for key in keys) for row in rows) == [
        ("direct_mail", "marketing", "6", "0", "desktop", "google", "1", "1", "0"),
        ("direct_mail", "marketing", "7", "0", "phone", "(none)", "0", "0", "1"),
    ]


def test_nobody_asks():
    story = two_sends()
    found = views(story.touchpoints)
    assert found["fct_responses"] == found["rpt_responses"] == []


def test_a_bot_answers_nothing():
    story = Story()
    story.send(0, "x")
    story.add(HOUR, "Email Opened", campaign={"id": "x"}, is_bot=True)
    assert views(story.touchpoints, answering())["fct_responses"] == []


# ---------------------------------------------------------------------------------------------------------- map


def after(found):
    return {
        row["to_kind"]: (int(row["conversions_after_7d"]), int(row["score_sum"]), int(row["score_count"]))
        for row in found["rpt_journey_map"]
        if row["to_kind"] != "(exit)" and row["segment_id"] == "(all)"
    }


def money(found):
    return {(row["to_kind"], row["currency"]): (row["revenue_after_7d"], row["touch_cost"]) for row in found["rpt_journey_map_value"]}


def searching(with_order=True):
    story = Story()
    story.add(0, "Search", cost_micros=7, currency="EUR")
    story.add(2 * HOUR, "Compared")
    if with_order:
        story.order(50 * HOUR, 80_000_000)
    story.add(60 * HOUR, "Viewed")
    story.order(170 * HOUR, 20_000_000)
    story.add(400 * HOUR, "Answered", score=80)
    return views(story.touchpoints)


def test_first_conversion_within_7_days():
    found = searching()
    assert {kind: row[0] for kind, row in after(found).items() if kind != "(conversion)"} == {"web:Search": 1, "web:Compared": 1, "web:Viewed": 1, "web:Answered": 0}
    assert money(found) == {
        ("web:Search", "USD"): ("80.000000", "0.000000"),
        ("web:Search", "EUR"): ("0.000000", "0.000007"),
        ("web:Compared", "USD"): ("80.000000", "0.000000"),
        ("web:Viewed", "USD"): ("20.000000", "0.000000"),
        ("(conversion)", "USD"): ("20.000000", "0.000000"),
    }


def test_the_order_has_not_come():
    assert money(searching(False)) == {
        ("web:Search", "EUR"): ("0.000000", "0.000007"),
        ("web:Compared", "USD"): ("20.000000", "0.000000"),
        ("web:Viewed", "USD"): ("20.000000", "0.000000"),
    }


def test_scores_after():
    story = Story()
    story.add(90 * HOUR, "Complaint")
    story.add(95 * HOUR, "Call")
    story.add(100 * HOUR, "First", score=40)
    story.add(110 * HOUR, "Second", score=-20)
    assert after(views(story.touchpoints)) == {"web:Complaint": (0, 40, 1), "web:Call": (0, 40, 1), "web:First": (0, -20, 1), "web:Second": (0, 0, 0)}


def test_the_newest_64_touches_are_asked():
    story = Story()
    for minute in range(65):
        story.add(minute * MINUTE, "Viewed", channel=["web", "app"][minute > 0])
    story.order(2 * HOUR, 5_000_000)
    found = after(views(story.touchpoints))
    assert (found["web:Viewed"][0], sum(int(row["conversions_after_7d"]) for row in views(story.touchpoints)["rpt_journey_map"])) == (0, 64)


# ------------------------------------------------------------------------------------------------------ preferences


def traits(found):
    return {row["trait"]: (row["value"], row["source"]) for row in found["dim_profile_traits"]}


def answered(story, day, channel="email", **fields):
    story.send(day * DAY, f"c{day}")["channel"] = channel
    story.add(day * DAY + HOUR, "Clicked", campaign={"id": f"c{day}"}, **fields)


def test_the_most_frequent_of_the_newest_answers():
    story = Story()
    for day, channel in enumerate(["sms", "email", "sms", "email"]):
        answered(story, day, channel, device={"type": "phone"} if day < 2 else None, timezone="Asia/Tokyo")
    found = views(story.touchpoints, answering())
    assert traits(found) == {
        "preferred_channel": ("email", "(computed)"),  # as often as sms, and newer
        "preferred_device": ("phone", "(computed)"),
        "preferred_hour": ("10", "(computed)"),
        "timezone": ("Asia/Tokyo", "(computed)"),
    }
    (row,) = found["dim_profiles"]
    assert (row["preferred_channel"], row["local_timezone"]) == ("email", "Asia/Tokyo")
    observed = {row["trait"]: row["observed_at"] for row in found["dim_profile_traits"]}
    assert observed["preferred_device"] == "2017-01-02T01:00:00.000000Z" and observed["preferred_hour"] == "2017-01-04T01:00:00.000000Z"


@pytest.mark.parametrize("last, channel", [(90, "sms"), (91, "email")])
def test_answers_of_90_days(last, channel):
    story = Story()
    for day in (0, 1, last):
        answered(story, day, "email" if day == last else "sms")
    assert traits(views(story.touchpoints, answering()))["preferred_channel"][0] == channel


@pytest.mark.parametrize("count, channel", [(8, "sms"), (7, "email")])
def test_the_newest_16_answers(count, channel):
    story = Story()
    for day in range(20):
        answered(story, day, "sms" if day in range(12, 20)[:count] or day < 4 else "email")
    assert traits(views(story.touchpoints, answering()))["preferred_channel"][0] == channel


def test_the_newest_zone_of_any_event():
    story = Story()
    story.add(0, "Viewed", timezone="Asia/Tokyo")
    story.add(1, None, type="identify", timezone="Europe/Berlin")
    story.add(2, "Viewed", timezone="Nowhere")
    found = views(story.touchpoints)
    assert traits(found)["timezone"][0] == found["dim_profiles"][0]["local_timezone"] == "Europe/Berlin"
