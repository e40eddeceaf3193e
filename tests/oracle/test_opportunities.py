"""Opportunities by the hour, and gestures by the case and the month."""

import pytest

from opportunities import opportunity_id
from policy import instant
from render import uuid_text
from support import HOUR, START, Story, policies, views

SEGMENTS = [{"id": "bereaved", "when": {"open": {"events": ["Bereaved"]}, "until": {"events": ["Consoled"]}}}]


def offering(cooling="PT150H", segments=SEGMENTS, **rule):
    found = policies()
    found.segments = segments
    offer = {"id": "home", "product": "home insurance", "owner": "insurance", "after": "PT10H", "expires": "PT100H", "cooling": cooling}
    offer["done_on"] = {"events": ["Policy Issued"]}
    rule = {"id": "life", "on": {"events": ["Applied"]}, "cancel_on": {"events": ["Withdrawn"]}, "offers": [offer], **rule}
    found.orchestration = {"never_if": ["bereaved"], "rules": [rule]}
    return found


class Life(Story):
    """Hours and words; `accept 20` names the trigger of hour 20."""

    def hear(self, hour, word, of=None, **fields):
        names = {"accept": "Opportunity Accepted", "decline": "Opportunity Declined", "apply": "Applied", "buy": "Policy Issued", "withdraw": "Withdrawn"}
        event = self.add(hour * HOUR, names.get(word, word), **fields)
        if of is not None:
            event["opportunity_id"] = self.id_of(of)
        return event

    def id_of(self, trigger):
        from identity import Identifiers
        from support import KEY
        from touchpoint import Touchpoint

        found = policies()
        raw = next(one for one in self.touchpoints if one is trigger)
        identifiers = Identifiers(found.identity, KEY)
        touch = Touchpoint(raw, identifiers.anchor(identifiers.of(raw)), found)
        return uuid_text(opportunity_id({"id": "life"}, {"id": "home"}, touch))

    def rows(self, with_policies=None, as_of=1000):
        found = views(self.touchpoints, with_policies or offering(), START + as_of * HOUR)
        rows = sorted(found["fct_opportunities"], key=lambda row: (row["opened_at"], row["opportunity_id"]))
        return [(hours(row["opened_at"]), row["state"], hours(row["accepted_at"]), hours(row["ended_at"]), int(row["trigger_count"])) for row in rows]


def hours(text):
    return None if text is None else (instant(text) - START) // HOUR


def test_an_id_is_made_of_its_trigger():
    class Trigger:
        event_id, occurred_at, short_anchor = bytes(15) + b"\1", 1767225600000000, -2

    assert uuid_text(opportunity_id({"id": "life"}, {"id": "home"}, Trigger)) == "5bbee4f1-3292-b757-0730-40a82d7e6588"


def accepted_and_bought():
    life = Life()
    first = life.hear(0, "apply")
    life.hear(20, "accept", first)
    life.hear(60, "buy")
    return life


def test_accepted_and_won():
    assert accepted_and_bought().rows() == [(0, "won", 20, 60, 1)]


def test_an_older_trigger_takes_its_place():
    life = accepted_and_bought()
    life.hear(-30, "apply")
    assert life.rows() == [(-30, "won", 20, 60, 2)]
    life = accepted_and_bought()
    life.hear(-60, "apply")
    assert life.rows() == [(-60, "expired", 20, 40, 2)]


def test_a_late_withdrawal():
    life = accepted_and_bought()
    life.hear(10, "withdraw")
    assert life.rows() == [(0, "cancelled", None, 10, 1)]


def test_cooling():
    life = Life()
    for hour in (0, 140, 160):
        life.hear(hour, "apply")
    assert life.rows() == [(0, "expired", None, 100, 2), (160, "expired", None, 260, 1)]


def test_a_cancelled_one_does_not_cool():
    life = Life()
    for hour, word in ((0, "apply"), (5, "withdraw"), (30, "apply")):
        life.hear(hour, word)
    assert life.rows() == [(0, "cancelled", None, 5, 1), (30, "expired", None, 130, 1)]


def test_never_in_a_segment():
    life = Life()
    for hour, word in ((0, "apply"), (40, "Bereaved"), (50, "apply"), (90, "Consoled"), (120, "apply")):
        life.hear(hour, word)
    assert life.rows() == [(0, "cancelled", None, 40, 1), (120, "expired", None, 220, 1)]


def test_two_profiles_that_are_one():
    life = Life()
    life.hear(0, "apply", person=None, user_id="ann")
    second = life.hear(40, "apply", person=None, anonymous_id="cookie")
    life.hear(50, "accept", second, person=None, anonymous_id="cookie")
    assert life.rows() == [(0, "expired", None, 100, 1), (40, "expired", 50, 140, 1)]
    life.add(60 * HOUR, None, type="identify", anonymous_id="cookie")
    assert life.rows() == [(0, "expired", 50, 100, 2)]


def test_each_purchase_wins_and_opens():
    life = Life()
    life.hear(0, "buy")
    for hour in (80, 170):
        life.hear(hour, "buy")
    found = offering("PT0S", on={"events": ["Policy Issued"]})
    assert life.rows(found, 200) == [(0, "won", None, 80, 1), (80, "won", None, 170, 1), (170, "open", None, None, 1)]


def test_bought_at_the_expiry():
    life = Life()
    life.hear(0, "apply")
    life.hear(100, "buy")
    assert life.rows() == [(0, "expired", None, 100, 1)]


def test_declined_and_a_second_acceptance():
    life = Life()
    first = life.hear(0, "apply")
    for hour, word in ((10, "accept"), (20, "accept"), (30, "decline"), (40, "accept")):
        life.hear(hour, word, first)
    assert life.rows() == [(0, "declined", 10, 30, 1)]


def test_only_the_newest_four_covered_triggers_are_named():
    life = Life()
    triggers = [life.hear(hour, "apply") for hour in range(6)]
    life.hear(10, "accept", triggers[1])
    assert life.rows() == [(0, "expired", None, 100, 6)]
    life.hear(11, "accept", triggers[2])
    assert life.rows() == [(0, "expired", 11, 100, 6)]


def test_a_trigger_that_forbids_itself_is_covered_before_it_cancels():
    segment = [{"id": "bereaved", "when": {"did": {"events": ["Applied"]}, "at_least": 2}}]
    life = Life()
    for hour in (0, 10, 20):
        life.hear(hour, "apply")
    assert life.rows(offering(segments=segment)) == [(0, "cancelled", None, 10, 2)]


def test_as_of():
    life = accepted_and_bought()
    life.hear(30, "apply")
    assert [life.rows(as_of=hour) for hour in (10, 25, 40, 60)] == [
        [(0, "open", None, None, 1)],
        [(0, "accepted", 20, None, 1)],
        [(0, "accepted", 20, None, 2)],
        [(0, "won", 20, 60, 2)],
    ]
    found = views(life.touchpoints, offering(), START + 25 * HOUR)
    assert found["dim_profiles"][0]["open_opportunity_count"] == "1"


def test_monthly_sums():
    life = accepted_and_bought()
    life.touchpoints[-1].update(value_micros=7, currency="EUR")
    life.hear(1, "apply", person="bob")
    rows = views(life.touchpoints, offering())["rpt_opportunities"]
    names = ("period_start_date", "owner_department", "currency", "opened", "accepted", "expired", "won", "seconds_to_accept_sum", "revenue")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("2017-01-01", "insurance", None, "1", "0", "1", "0", "0.000000", "0.000000"),
        ("2017-01-01", "insurance", "EUR", "1", "1", "0", "1", "72000.000000", "0.000007"),
    ]


# ------------------------------------------------------------------------------------------------------ gestures


GESTURES = {
    "case_on": {"events": ["Complaint Filed"]},
    "case_until": {"events": ["Complaint Resolved"]},
    "limits": [{"currency": "USD", "per_case": "200", "per_agent_month": "300"}],
    "approver": "lead",
}


def giving(*gestures, more=()):
    """Rows by agent and cost. Each: time, agent, cost, case."""
    story = Story()
    for case in ("c1", "c2"):
        story.touchpoints.append({**story.add(0, "Complaint Filed", case_id=case), "message_id": case, "occurred_at": instant("2026-04-30T00:00:00Z")})
    for name, time, agent, cost, case, *person in gestures:
        given = {"cost_micros": cost * 1_000_000, "currency": "USD", "agent_id": agent, "case_id": case, "content_id": "flowers"}
        story.add(instant(time) - START, "Gesture Given", (person or ["ann"])[0], **given)
        story.touchpoints[-1]["message_id"] = name
    for one in more:
        story.touchpoints.append(one)
    found = policies()
    found.orchestration = {"gestures": GESTURES}
    found = views(story.touchpoints, found)
    rows = {(row["agent_id"], int(float(row["cost"]))): row for row in found["fct_gestures"]}
    flags = ("has_open_case", "is_over_case_limit", "is_over_agent_limit")
    return {key: "".join(name[0] for name, flag in zip(("case", "over", "agent"), flags) if row[flag] == "true") for key, row in rows.items()}, found


FIVE = [
    ("1", "2026-05-02T08:00:00Z", "ann", 120, "c1"),
    ("2", "2026-05-02T09:00:00Z", "bob", 100, "c1"),
    ("3", "2026-05-03T08:00:00Z", "ann", 150, "c2"),
    ("4", "2026-05-04T08:00:00Z", "ann", 40, None),
    ("5", "2026-06-01T08:00:00Z", "ann", 60, "c2"),
]


def test_limits():
    flags, found = giving(*FIVE)
    assert flags == {("ann", 120): "c", ("bob", 100): "co", ("ann", 150): "c", ("ann", 40): "a", ("ann", 60): "co"}
    names = ("agent_id", "period_start_date", "limit_amount", "spent", "remaining")
    assert [tuple(row[name] for name in names) for row in found["rpt_gesture_budgets"]] == [
        ("ann", "2026-05-01", "300.000000", "310.000000", "-10.000000"),
        ("ann", "2026-06-01", "300.000000", "60.000000", "240.000000"),
        ("bob", "2026-05-01", "300.000000", "100.000000", "200.000000"),
    ]


def test_a_gesture_that_comes_late():
    flags, _ = giving(*FIVE, ("0", "2026-05-01T08:00:00Z", "bob", 90, "c1"))
    assert flags[("bob", 90)] == "c" and flags[("ann", 120)] == flags[("bob", 100)] == "co"


def test_cases_are_of_one_customer_and_months_of_one_agent():
    flags, _ = giving(FIVE[0], (*FIVE[1], "eve"), ("3", "2026-05-03T08:00:00Z", "ann", 190, "c1", "eve"))
    assert flags == {("ann", 120): "c", ("bob", 100): "", ("ann", 190): "oa"}


@pytest.mark.parametrize("agent, time, approved", [("bob", 0, "true"), ("ann", 0, "false"), (None, 0, "false"), ("bob", 2, "false")])
def test_approvals(agent, time, approved):
    story = Story()
    story.add(HOUR, "Gesture Given", cost_micros=1, agent_id="ann", case_id="c")
    story.add(time * HOUR, "Gesture Approved", case_id="c", **({"agent_id": agent} if agent else {}))
    assert [row["is_approved"] for row in views(story.touchpoints)["fct_gestures"]] == [approved]


def test_a_closed_case_stays_closed():
    story, cases = Story(), []
    for hour, event in enumerate(["Gesture Given", "Complaint Filed", "Gesture Given", "Complaint Resolved", "Complaint Filed", "Gesture Given"]):
        story.add(hour * HOUR, event, case_id="c", cost_micros=1)
    found = policies()
    found.orchestration = {"gestures": GESTURES}
    cases = sorted((row["given_at"], row["has_open_case"]) for row in views(story.touchpoints, found)["fct_gestures"])
    assert [is_open for _, is_open in cases] == ["false", "true", "false"]
