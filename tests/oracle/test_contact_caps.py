"""The oracle of caps by itself: contacts, windows, and the first time that all rules allow."""

import pytest

from contact_caps import CANCELLED, DELIVERED, GRANT, REQUEST, SENT, Decision, Fact, contacts
from contact_kinds import Asked, Capped
from policy import DAY, instant
from words import Words

HOUR = DAY // 24
POLICY = {"classes": {"marketing": {}, "service": {"obeys": False}, "receipt": {"counts": False}}, "rules": []}


def at(text):
    return instant(f"2026-{text}Z" if "T" in text else f"2026-{text}T10:00:00Z")


def fact(kind, time, number, asked=None, **more):
    return Fact(at(time), bytes([number]), kind, "email", decision_id=asked and bytes([asked]), **more)


def times(facts, decisions=(), now="12-31"):
    found = contacts(facts, {one.request_id: one for one in decisions}, at(now), at(now))
    return sorted(one.at for one in found if not one.is_attempt)


def granted(number, planned, expires):
    return Decision(bytes([number]), GRANT, at(planned), at(expires))


def judge(facts, planned, decisions=(), number=99, **rule):
    request = Fact(at(planned), bytes([number]), REQUEST, "email", contact_class="marketing", planned_at=at(planned))
    found = contacts(facts, {one.request_id: one for one in decisions}, request.at, request.at)
    cap = Capped({"id": "c", "kind": "cap", **rule}, POLICY, Words(POLICY))
    asked = Asked(request, (None, None), [], found, None, ["UTC"], "", None)
    return cap.next(asked) == asked.at, *cap.texts(asked), cap.next(asked)


def test_a_contact_counts_once_at_its_earliest_send():
    sent = [fact(SENT, "06-05", 1, 9), fact(SENT, "06-02", 2, 9), fact(DELIVERED, "06-01", 3, 9)]
    assert times(sent) == [at("06-02")]
    assert times(sent[2:]) == [at("06-01")]
    assert times([fact(DELIVERED, "06-01", 3)]) == []
    assert times([fact(SENT, "06-01", 3)] * 2) == [at("06-01")]
    assert times([fact(SENT, "06-01", 3), fact(SENT, "06-01", 3, 9)]) == [at("06-01")]


def test_a_grant_counts_until_it_is_over_on_both_clocks():
    facts, grant = [fact(REQUEST, "06-01", 1)], granted(1, "06-01", "06-02")
    assert times(facts, [grant], "06-01") == [at("06-01")]
    assert times(facts, [grant], "06-02") == []
    assert times([*facts, fact(CANCELLED, "06-01", 2, 1)], [grant], "06-01") == []
    assert times([*facts, fact(SENT, "06-05", 2, 1)], [grant], "06-02") == [at("06-05")]


def test_a_claimed_grant_counts_at_its_claim_for_a_quarter_of_an_hour():
    facts, grant = [fact(REQUEST, "06-01", 1)], granted(1, "06-01", "06-02")
    grant.claimed_at = at("06-01T12:00:00")
    assert times(facts, [grant], "06-01") == [at("06-01")]
    assert times(facts, [grant], "06-01T12:14:59") == [at("06-01T12:00:00")]
    assert times(facts, [grant], "06-01T12:15:00") == []
    assert times([*facts, fact(SENT, "06-05", 2, 1)], [grant], "06-01T12:15:00") == [at("06-05")]


@pytest.mark.parametrize(
    "sent, asked, limit, next_at",
    [
        (["06-01", "06-14"], "06-02", 1, "06-21"),
        (["06-01", "06-15"], "06-02", 1, "06-08"),
        (["06-01"], "06-08", 1, "06-08"),
        (["06-10"], "06-03", 1, "06-03"),
        (["06-10"], "06-03T10:00:01", 1, "06-17"),
        (["06-01", "06-03", "06-06"], "06-07", 3, "06-08"),
        ([], "06-01", 0, None),
    ],
)
def test_next(sent, asked, limit, next_at):
    facts = [fact(SENT, time, number) for number, time in enumerate(sent)]
    passed, *_, opens = judge(facts, asked, per="P7D", limit=limit)
    assert opens == (next_at and at(next_at)) and passed == (opens == at(asked))


def test_a_delivery_is_no_second_contact():
    facts = [fact(REQUEST, "06-01", 1), fact(SENT, "06-01", 2, 1), fact(DELIVERED, "06-06", 3, 1)]
    grant = granted(1, "06-01", "06-02")
    assert judge(facts, "06-09", [grant], per="P7D", limit=1)[:3] == (True, "1 with this one", "1 per 7 d")


def test_parts():
    facts = [fact(SENT, "06-01", 1, campaign_id="spring"), fact(SENT, "06-02", 2, contact_class="receipt")]
    assert judge(facts, "06-03", per="P7D", limit=1)[1] == "2 with this one"
    assert judge(facts, "06-03", per="P7D", limit=1, by="campaign")[1] == "no campaign"
    assert judge(facts, "06-03", per="P7D", limit=1, by="tag")[1] == "no tag"
    assert judge(facts, "06-03", per="P7D", limit=1, channels=["Text"])[1] == "not for this request"
