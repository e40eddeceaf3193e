"""Verdicts by the oracle: the stories, and what must hold for any rules and contacts."""

import itertools
import random
import uuid

import pytest

import verdict_stories
from contact import Ledger
from contact_caps import Contact
from contact_clocks import Places
from contact_kinds import Asked, bucket, is_control
from contact_verdicts import Judge, fact_of
from policy import DAY, instant
from verdict_stories import POLICY, World

STORIES = verdict_stories.stories()
HOUR, MINUTE = DAY // 24, DAY // 1440
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]
BEGINS = ["2026-03-26", "2026-10-22", "2026-04-02", "2026-09-04", "2026-10-30"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_as_expected(story):
    assert list(story.differences(World(story.policy).tell(story))) == []


def test_the_stories_are_of_every_kind():
    kinds = set().union(*(story.kinds for story in STORIES))
    assert kinds >= {"consent", "pause", "own_limit", "never_after", "apart", "goal_met", "cap", "quiet_hours", "own_hours", "holdout"}


def test_a_story_can_fail():
    story = next(story for story in STORIES if story.name.startswith("Q05"))
    story.policy["rules"][0]["to"] = "02:31"
    assert list(story.differences(World(story.policy).tell(story))) != []


# ------------------------------------------------------------------------------------------------- the first time of all


def random_rules(chance):
    def hour():
        return f"{chance.randrange(24):02d}:{chance.choice(['00', '15', '30', '45'])}"

    def minutes(least, most):
        return f"PT{chance.randrange(least, most)}M"

    quiet = {"id": "quiet", "kind": "quiet_hours", "from": hour(), "to": hour(), **chance.choice([{}, {"days": ["saturday", "sunday"]}])}
    return [
        {**quiet, **chance.choice([{}, {"also": ["sunday"]}])},
        {"id": "rolling", "kind": "cap", "per": minutes(60, 5760), "limit": chance.choice([1, 2]), "sequences": "once"},
        {"id": "calendar", "kind": "cap", "calendar": chance.choice(["day", "week"]), "limit": chance.choice([1, 2]), "sequences": "once"},
        {"id": "gap", "kind": "apart", "for": minutes(10, 1440)},
        {"id": "hold", "kind": "hold", "on": ["Complaint Filed"], "for": minutes(1, 2880)},
    ]


class Case:
    """A customer with contacts, and random rules."""

    def __init__(self, number, most=7):
        chance = self.chance = random.Random(number)
        self.begin = instant(chance.choice(BEGINS))
        self.zones = chance.sample(ZONES, chance.choice([1, 1, 2, 3]))
        self.rules = random_rules(chance)
        self.contacts = [self.contact() for _ in range(chance.randrange(most))]
        self.at = self.begin + MINUTE * chance.randrange(3 * 1440)

    def contact(self):
        at = self.begin + MINUTE * self.chance.randrange(12 * 1440)
        words = {"channel": "email", "department": "a", "contact_class": "marketing", "purpose": "", "campaign_id": "", "tags": ()}
        return Contact(at, None, words, self.chance.choice(["", "s"]))

    def asked(self, contacts):
        raw = {"source": "s", "message_id": "m", "type": "track", "channel": "email", "department": "a", "event_name": "Contact Requested",
               "occurred_at": self.at, "contact": {"class": "marketing"}}  # fmt: skip
        angry = {**raw, "message_id": "c", "event_name": "Complaint Filed", "occurred_at": self.begin, "contact": None}
        ledger = Ledger({**POLICY, "rules": []})
        ledger.add(angry, b"c", {"p"}, "p")
        ledger.ask_about({"p"}, "email", ())
        sequence = random.Random(self.at).choice(["", "s"])
        return Asked(fact_of(raw), (None, None), list(ledger.heard({"p"})), contacts, ledger, self.zones, "device", Places(), sequence)

    def judge(self, rules=None):
        return Judge({**POLICY, "rules": self.rules if rules is None else rules, "booking": {"least": "PT0S"}})

    def first(self, rules=None, contacts=None):
        """The earliest time that all rules allow; a time beyond all others for none."""
        judge, asked = self.judge(rules), self.asked(self.contacts if contacts is None else contacts)
        opens = [rule.next(asked) for rule in judge.rules]
        found = None if None in opens else judge.earliest(asked, judge.rules)
        return 1 << 62 if found is None else found


@pytest.mark.parametrize("part", range(4))
def test_the_first_time_is_that_of_a_scan_of_every_quarter_of_an_hour(part):
    """All marks of these rules but those of gaps, windows and holds are quarters; so the others are scanned beside them."""
    for number in range(part, 80, 4):
        case = Case(number)
        judge, asked = case.judge(), case.asked(case.contacts)
        quarter = 15 * MINUTE
        start = case.at // quarter * quarter
        times = {start + n * quarter for n in range(0, 20 * 96)} | {one for rule in judge.rules if not rule.is_clock
                                                                    for one in rule.boundaries(asked)}  # fmt: skip
        allowed = (one for one in sorted({case.at, *times}) if one >= case.at and judge.all_allow(asked, judge.rules, one))
        found, wanted = case.first(), next(allowed, None)
        assert found == wanted or (wanted is None and found > case.at + 19 * DAY), number


def test_the_first_time_depends_on_no_order_and_moves_one_way():
    for number in range(100):
        case = Case(number, most=12)
        found = case.first()
        assert case.first(case.chance.sample(case.rules, len(case.rules))) == found, number
        assert case.first(contacts=[*case.contacts, case.contact()]) >= found, number
        left_out = case.chance.randrange(len(case.rules))
        assert case.first(case.rules[:left_out] + case.rules[left_out + 1 :]) <= found, number


def test_all_orders_of_five_rules():
    story = next(story for story in STORIES if story.name.startswith("F01"))
    rules = story.policy["rules"]
    for order in itertools.permutations(rules):
        verdict = World({**story.policy, "rules": list(order)}).tell(story)["ask"]
        assert verdict.retry_at == instant("2026-03-29T13:00:00Z")


# --------------------------------------------------------------------------------------------------------------- holdouts


@pytest.mark.parametrize(
    "holdout, anchor, wanted",
    [
        ("global", "404aed9f-e5db-ab23-2b8b-b23806c0f5c7", 8790),
        ("global", "00000000-0000-0000-0000-000000000001", 3251),
        ("global", "ffffffff-ffff-ffff-ffff-ffffffffffff", 9918),
        ("global", "00000000-0000-0000-0000-000000000011", 157),
        ("global", "00000000-0000-0000-0000-000000006c09", 499),
        ("global", "00000000-0000-0000-0000-000000000684", 500),
        ("spring", "404aed9f-e5db-ab23-2b8b-b23806c0f5c7", 4963),
        ("spring", "00000000-0000-0000-0000-000000000001", 1412),
        ("spring", "ffffffff-ffff-ffff-ffff-ffffffffffff", 7180),
    ],
)
def test_arms(holdout, anchor, wanted):
    assert bucket(holdout, uuid.UUID(anchor).bytes) == wanted


def test_one_in_twenty_is_control():
    chance = random.Random(3)
    found = sum(is_control("global", chance.randbytes(16), 5) for _ in range(20_000))
    assert 880 < found < 1120


def test_every_story_has_a_line_that_says_what_it_shows():
    shown = [story.shows for story in STORIES]
    assert all(shown) and len(shown) == len(set(shown))
