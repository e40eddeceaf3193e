"""Traits of the oracle: which value counts, what is an observation at all, and the facets of a customer."""

import json

import pytest

from policy import DAY, Policies
from support import Story, policies
from test_segments import day, days, rows_of
from traits import DEPTH, Number, said, shown, trend

CITY = {"name": "city", "type": "text", "rule": "latest"}
CHILDREN = {"name": "children", "type": "number", "rule": "max"}


def with_traits(*traits, segments=None):
    found = policies()
    return Policies(found.identity, found.journey, {"goals": found.goals}, {"rules": found.channels}, segments, {"traits": list(traits)})


class Sayings(Story):
    def say(self, at, source="urn:web", person="ann", **traits):
        return self.add(day(at), None, person=person, type="identify", source=source, traits_json=json.dumps(traits))


def traits_of(story, *traits):
    """{trait: (value, source, day)} of the only profile that has any."""
    rows = rows_of(story, with_traits(*traits))["dim_profile_traits"]
    assert len({row["profile_id"] for row in rows}) <= 1
    return {row["trait"]: (row["value"], row["source"], days(row["observed_at"])) for row in rows}


def three_cities():
    story = Sayings()
    story.say(10, city="Bonn")
    story.say(5, "urn:crm", city="Köln")
    story.say(20, city="Berlin")
    return story


# ------------------------------------------------------------------------------------------------------- vectors


def test_t1_sources():
    assert traits_of(three_cities(), {**CITY, "sources": ["urn:crm"]}) == {"city": ("Köln", "urn:crm", 5)}
    assert traits_of(three_cities(), CITY) == {"city": ("Berlin", "urn:web", 20)}


def test_t2_cut_off_and_linked_again():
    story = three_cities()
    del story.touchpoints[1]["user_id"]
    story.touchpoints[1]["identifiers"] = [{"type": "loyalty_id", "value": "card"}]
    crm = {**CITY, "sources": ["urn:crm"]}
    apart = rows_of(story, with_traits(crm))["dim_profile_traits"]
    assert sorted(row["value"] for row in apart) == ["Berlin", "Köln"]
    story.add(day(30), "Page Viewed", identifiers=[{"type": "loyalty_id", "value": "card"}])
    assert traits_of(story, crm) == {"city": ("Köln", "urn:crm", 5)}
    cut = rows_of(story, with_traits(crm), orders=[("cut", "user_id:ann", "loyalty_id:card")])["dim_profile_traits"]
    assert sorted(row["value"] for row in cut) == ["Berlin", "Köln"]


def test_t3_greatest_and_smallest():
    story = Sayings()
    for at, children in ((1, 2), (2, 3), (3, 1), (4, 3)):
        story.say(at, children=children)
    assert traits_of(story, CHILDREN) == {"children": ("3", "urn:web", 2)}
    assert traits_of(story, {**CHILDREN, "rule": "min"}) == {"children": ("1", "urn:web", 3)}
    assert traits_of(story, {**CHILDREN, "rule": "first"}) == {"children": ("2", "urn:web", 1)}


SCORES = [(0, -40), (30, -20), (100, 60), (120, 80)]


@pytest.mark.parametrize(
    "scores, expected",
    [(SCORES, 100), (SCORES[:2] + SCORES[3:], 110), (SCORES[2:], None)],
    ids=["t4", "t5", "t6"],
)
def test_t4_to_t6_trend(scores, expected):
    assert trend([(day(at), score) for at, score in scores]) == expected
    story = Sayings()
    for at, score in scores:
        story.add(day(at), "Survey Answered", score=score)
    rows = rows_of(story, with_traits())
    assert rows["dim_profiles"][0]["score_trend_90d"] == expected
    computed = {row["trait"]: row["value"] for row in rows["dim_profile_traits"]}
    assert computed == {"last_score": "80", **({} if expected is None else {"score_trend_90d": str(expected)})}


def test_t7_nothing_is_said():
    story = three_cities()
    story.say(30, city=None)
    assert traits_of(story, CITY) == {}
    assert traits_of(story, {**CITY, "rule": "first"}) == {"city": ("Köln", "urn:crm", 5)}
    assert traits_of(story, {**CITY, "sources": ["urn:crm"]}) == {"city": ("Köln", "urn:crm", 5)}


# ---------------------------------------------------------------------------------------------------- observations


@pytest.mark.parametrize(
    "text, found",
    [
        ('{"b": 2, "a": "x", "c": null, "d": true, "e": [1], "f": {"g": 1}}', {"a": "x", "b": 2_000_000, "c": None, "d": True}),
        ('{"a": " Köln\\n"}', {"a": "Köln"}),
        ('{"a": "Ko\u0308ln"}', {"a": "Köln"}),
        ('{"a": "", "b": "  "}', {}),
        ('{"a": "%s"}' % ("x" * 256), {"a": "x" * 256}),
        ('{"a": "%s"}' % ("ä" * 129), {}),
        ('{"a": 1, "a": 2}', {"a": 2_000_000}),
        ('{"a b": 1, "ä": 2, "": 3, "a.b-c_D9": 4}', {"a.b-c_D9": 4_000_000}),
        ('{"%s": 1, "%s": 2}' % ("k" * 64, "k" * 65), {"k" * 64: 1_000_000}),
        ('{"a": 1.5e2, "b": 0.000001, "c": 0.0000001, "d": 1.0000000, "e": -0, "f": 1e400, "g": 1e-99999999999999999999, "h": 0.%s1}' % ("0" * 500), {"a": 150_000_000, "b": 1, "d": 1_000_000, "e": 0}),
        ('{"a": 9223372036854.775807, "b": 9223372036854.775808, "c": -9223372036854.775807}', {"a": (1 << 63) - 1, "c": 1 - (1 << 63)}),
        ('[1]', {}),
        ('{"a": 1', {}),
        ('{"a": 1.%s, "b": 0e99}' % ("0" * 500), {"a": 1_000_000, "b": 0}),
        ('{"a": NaN}', {}),
        ('{"a": 01}', {}),
        ('{"a": 1, "b": "\\ud800"}', {}),
        ('{"a": 1, "b": "\\u0000"}', {}),
        ('{"a": 1, "b": %s}' % ("[" * DEPTH + "]" * DEPTH), {}),
        ('{"a": 1, "b": %s}' % ("[" * (DEPTH - 1) + "]" * (DEPTH - 1)), {"a": 1_000_000}),
        ("", {}),
        (None, {}),
    ],
)
def test_what_is_said(text, found):
    assert said(text) == found


def test_the_first_64_names():
    found = said(json.dumps({f"k{number:03}": number for number in range(70)} | {"Z": 1}))
    assert list(found) == ["Z", *(f"k{number:03}" for number in range(63))]


def test_wrong_types():
    story = Sayings()
    story.say(1, city=5, children="2", born="2000-02-30", member="true")
    rules = (CITY, CHILDREN, {"name": "born", "type": "date", "rule": "first"}, {"name": "member", "type": "boolean", "rule": "latest"})
    assert traits_of(story, *rules) == {}
    story.say(2, city="Bonn", children=2.5, born="2000-02-29", member=False)
    assert {name: value for name, (value, *_) in traits_of(story, *rules).items()} == {"city": "Bonn", "children": "2.5", "born": "2000-02-29", "member": "false"}


@pytest.mark.parametrize("value, text", [(Number(0), "0"), (Number(-1), "-0.000001"), (Number(10_500_000), "10.5"), (Number(-100_000_000), "-100"), (True, "true")])
def test_shown(value, text):
    assert shown(value) == text


# ----------------------------------------------------------------------------------------------------------- facets


def test_ranks_order_an_instant():
    """At one instant the order is later than the visit, whatever their ids are."""
    for first, second in (("m1", "m2"), ("m2", "m1")):
        story = Sayings()
        story.order(0, 1, traits_json='{"city": "Bonn"}', message_id=first)
        story.add(0, "Page Viewed", traits_json='{"city": "Ulm"}', message_id=second)
        assert traits_of(story, CITY)["city"][0] == "Bonn"


def test_values_of_every_currency():
    story = Sayings()
    story.order(day(1), 10_000_000, currency="EUR", margin_micros=4_000_000, cost_micros=1)
    story.order(day(2), 5_000_000, currency="USD")
    story.send(day(3), "C1", cost_micros=2_000_000, currency="EUR")
    story.send(day(3), "C2", cost_micros=3_000_000)
    rows = rows_of(story, with_traits())
    found = {row["currency"]: (row["conversions"], row["revenue"], row["margin"], row["cost_to_serve"]) for row in rows["dim_profile_values"]}
    assert found == {"EUR": (1, 10_000_000, 4_000_000, 2_000_001), "USD": (1, 5_000_000, None, None), None: (0, 0, None, 3_000_000)}
    assert rows["dim_profiles"][0]["currency"] == "USD" and rows["dim_profiles"][0]["cost_to_serve"] is None


def test_channels():
    story = Sayings()
    story.add(day(1), "Page Viewed", device={"type": "phone"})
    story.add(day(2), "Page Viewed", device={"type": "phone"}, direction="outbound")
    story.add(day(3), "Page Viewed")
    story.add(day(4), "Email Bounced")
    found = [(row["device_type"], row["inbound_touches"], row["outbound_touches"], days(row["first_at"]), days(row["last_at"])) for row in rows_of(story, with_traits())["dim_profile_channels"]]
    assert sorted(found, key=str) == [("phone", 1, 1, 1, 2), (None, 1, 0, 3, 3)]


def test_shared_profiles_have_none():
    found = with_traits(CITY)
    found.identity.update(max_degree=1)
    story = Sayings()
    for who in "abc":
        story.add(day(1), "Page Viewed", person=who, device={"id": "kiosk"})
    story.add(day(2), "Page Viewed", person=None, device={"id": "kiosk"}, traits_json='{"city": "Bonn"}', cost_micros=1, score=5)
    rows = rows_of(story, found)
    assert not rows["dim_profile_traits"] and len(rows["dim_profile_channels"]) == 3 and not rows["dim_profile_values"]


def test_tiers():
    loyal = {**CITY, "name": "loyalty_tier"}
    story = Sayings()
    story.say(0, loyalty_tier="bronze")
    story.order(day(1), 1)
    assert rows_of(story, with_traits(loyal))["dim_profiles"][0]["loyalty_tier"] == "bronze"
    recent = {"id": "recent", "when": {"did": {"events": ["Order Completed"]}, "within": "P30D"}}
    tiers = {"segments": [recent], "tiers": [{"tier": "gold", "segment": "recent"}]}
    at = [rows_of(story, with_traits(loyal, segments=tiers), as_of=story.touchpoints[0]["occurred_at"] + number * DAY) for number in (0, 1, 31)]
    assert [rows["dim_profiles"][0]["loyalty_tier"] for rows in at] == [None, "gold", None]
