"""Who is who: normalising, blocked values, anchors, and the vectors of profiles."""

import hashlib
import itertools
import json
import random

import pytest

from identity import Identifiers
from oracle import Oracle
from scenarios import FOLDER, ROOT, patched
from support import DAY, KEY, LATER, START, Story, as_dicts, policies, views

IDENTIFIERS = Identifiers(policies().identity, KEY)
CLEAR = Identifiers(patched(policies().identity, {"types": {"email": {"match_hashed": False}}}), KEY)


@pytest.mark.parametrize(
    "kind, value, encoding, expected",
    [
        ("email", " Jane@Example1.COM ", "none", "jane@example1.com"),
        ("email", "JA\u0308NE@M\u00dcNCHEN.de", "none", "j\u00e4ne@xn--mnchen-3ya.de"),
        ("email", "\u00a0jane\u200b@x.de\ufeff", "none", "jane@x.de"),
        ("email", "Stra\u00dfe@Stra\u00dfe.de", "none", "strasse@xn--strae-oqa.de"),
        ("email", "jane", "none", None),
        ("email", "@x.de", "none", None),
        ("phone", "\u202atel:+1 (212) 555\u20110187\u202c", "none", "+12125550187"),
        ("phone", "\uff12\uff11\uff12\u3000\uff15\uff15\uff15\u3000\uff10\uff11\uff18\uff17", "none", "+12125550187"),
        ("user_id", "Abc", "none", "Abc"),
        ("user_id", "e\u0301", "none", "\u00e9"),
        ("phone", "+49 (89) 12-34/56.7", "none", "+49891234567"),
        ("phone", "0049 89 1234567", "none", "+49891234567"),
        ("phone", "0891234567", "none", "+1891234567"),
        ("phone", "(555) 010-0199", "none", "+15550100199"),
        ("phone", "1 (212) 555-0187", "none", "+12125550187"),
        ("phone", "12125550187", "none", "+12125550187"),
        ("phone", "011 44 20 7946 0018", "none", "+442079460018"),
        ("phone", "+44 (0)20 7946 0018", "none", "+442079460018"),
        ("phone", "(0)212 5550187", "none", "+12125550187"),
        ("phone", "12345", "none", None),
        ("phone", "1234567890123456", "none", None),
        ("phone", "555-CALL-NOW", "none", None),
        ("email", "D41D8CD98F00B204E9800998ECF8427E", "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("user_id", "D41D8CD98F00B204E9800998ECF8427E", "none", "D41D8CD98F00B204E9800998ECF8427E"),
        ("user_id", "x" * 513, "none", None),
        ("user_id", "\u00e9" * 256, "none", "\u00e9" * 256),
    ],
)
def test_normalising(kind, value, encoding, expected):
    assert CLEAR.normalise(kind, value, encoding) == expected


JANE = hashlib.sha256(b"jane@example1.com").hexdigest()
JANE_MD5 = hashlib.md5(b"jane@example1.com").hexdigest()


@pytest.mark.parametrize(
    "value, encoding, expected",
    [
        (" Jane@Example1.COM ", "none", JANE),
        (JANE, "none", JANE),
        (JANE.upper(), "none", JANE),
        (JANE.upper(), "sha256", JANE),
        (JANE[:63], "none", None),
        (JANE_MD5.upper(), "md5", JANE_MD5),
        ("jane@example1.com", "sha256", JANE),
        ("null", "none", None),
    ],
)
def test_hashed_addresses_meet_clear_ones(value, encoding, expected):
    hashed = Identifiers(patched(policies().identity, {"types": {"email": {"match_hashed": True}}}), KEY)
    assert hashed.normalise("email", value, encoding) == expected


def test_hashing_comes_after_folding_and_is_for_that_type_only():
    patch = {"types": {"email": {"match_hashed": True}}, "gmail_dots_and_plus": True}
    folding = Identifiers(patched(policies().identity, patch), KEY)
    assert folding.normalise("email", "a.b+c@gmail.com") == hashlib.sha256(b"ab@gmail.com").hexdigest()
    assert folding.normalise("user_id", JANE.upper()) == JANE.upper()


def test_any_type_can_match_hashed():
    patch = {"types": {"phone": {"match_hashed": True}, "loyalty_id": {"match_hashed": True}}}
    found = Identifiers(patched(policies().identity, patch), KEY)
    assert found.normalise("phone", "(555) 010-0199") == hashlib.sha256(b"+15550100199").hexdigest()
    assert found.normalise("phone", JANE.upper()) == JANE and found.normalise("phone", "12") is None
    assert found.normalise("loyalty_id", "Card") == hashlib.sha256(b"Card").hexdigest()


def test_blocked_values_and_patterns_of_one_type():
    blocked = {"types": {"phone": ["+10000000000"]}, "patterns": [{"pattern": "^[f]+$", "type": "device_id"}]}
    found = Identifiers(patched(policies().identity, {"blocked": blocked}), KEY)
    assert found.normalise("phone", "+10000000000") is None and found.normalise("phone", "'+10000000000'") is None
    assert found.normalise("loyalty_id", "+10000000000") == "+10000000000"
    assert found.normalise("device_id", "FFFF") is None and found.normalise("loyalty_id", "FFFF") == "FFFF"


@pytest.mark.parametrize(
    "value",
    ["", "  ", "0000-0000", "-1", "NULL", "None", "'null'", '"Guest"', "\"'unknown'\"", "[object Object]", "''"],
)
def test_blocked_values_are_no_identifiers(value):
    assert IDENTIFIERS.normalise("user_id", value) is None


@pytest.mark.parametrize("value", ["nullable", "1", "guest1", "'a", "a-b", "{{open", "{3f2504e0-4f89-11d3}", "tests", "[a]"])
def test_other_values_are_identifiers(value):
    assert IDENTIFIERS.normalise("user_id", value) == value


def test_identifier_id_is_the_keyed_hash_of_type_and_value():
    expected = hashlib.blake2b(b"email\0jane@example1.com", digest_size=16, key=KEY).digest()
    assert CLEAR.identifier_id("email", "Jane@Example1.com") == expected


def test_a_scoped_value_belongs_to_its_source():
    scoped = Identifiers(patched(policies().identity, {"types": {"session_id": {"scope": "source"}}}), KEY)
    expected = hashlib.blake2b(b"session_id\0urn:shop\x007", digest_size=16, key=KEY).digest()
    assert scoped.of({"source": "urn:shop", "session_id": " 7 "}) == {expected: "session_id"}
    assert scoped.of({"source": "urn:app", "session_id": "7"}).keys() != {expected}
    assert scoped.of({"session_id": "7"}) == scoped.of({"source": "", "session_id": "7"}) == {}
    assert scoped.of({"source": "urn:shop", "user_id": "7"}) == IDENTIFIERS.of({"source": "urn:app", "user_id": "7"})
    assert scoped.identifier_id("session_id", "7") is None


def test_the_worked_policy_for_shared_devices_is_that_of_the_scenarios():
    text = (ROOT / "policies" / "README.md").read_text(encoding="utf-8")
    section = text.split("### Shared devices")[1].split("\n## ")[0]
    types, pairs = (block.split("```")[0] for block in section.split("```json")[1:])
    for name in ("kiosk-with-sessions", "browsing-before-the-log-in", "session-without-a-log-in"):
        patch = json.loads((FOLDER / name / "policy.json").read_text(encoding="utf-8"))
        wanted = patched(policies().identity, patch)
        assert json.loads("{" + pairs + "}")["pairs"] == wanted["pairs"]
        shown = {entry["type"]: {"links": True, **entry} for entry in json.loads(f"[{types}]")}
        assert shown == {entry["type"]: {"links": True, **entry} for entry in wanted["types"] if entry["type"] in patch["types"]}


def test_anchor_is_the_strongest_and_session_only_an_anchor_of_last_resort():
    story = Story()
    story.add(0, "Product Viewed", person=None, session_id="s1", anonymous_id="a1", device={"id": "d1"})
    story.add(1, "Product Viewed", person=None, session_id="s2")
    story.add(2, "Product Viewed", person=None, session_id="guest")
    found = views(story.touchpoints)
    assert sorted(row["type"] for row in found["dim_identifiers"]) == ["anonymous_id", "device_id", "session_id"]
    assert len(found["dim_profiles"]) == 2 and len(found["fct_unidentified_touchpoints"]) == 1


def profiles(touchpoints, with_policies=None):
    """{(type, profile_id of the map)} as a set of frozensets of message ids by profile."""
    found = {}
    for row in views(touchpoints, with_policies)["fct_touchpoints"]:
        found.setdefault(row["profile_id"], set()).add(row["message_id"])
    return {frozenset(ids) for ids in found.values()}


def email(value):
    return [{"type": "email", "value": value}]


def identifier_text(kind, value):
    digits = IDENTIFIERS.identifier_id(kind, value).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_vector_1_unique_user_ids_stay_apart_and_the_email_stays_with_the_first():
    story = Story()
    story.add(0, "Product Viewed", "abc123", identifiers=email("jane@example1.com"))
    story.add(1, "Product Viewed", "abc456", identifiers=email("jane@example1.com"))
    story.add(2, "Product Viewed", None, identifiers=email("JANE@example1.com"))
    for order in itertools.permutations(story.touchpoints):
        assert profiles(order) == {frozenset({"m0", "m2"}), frozenset({"m1"})}


def test_vector_2_a_chain_in_any_order_is_one_profile_named_after_the_oldest():
    story = Story()
    for time, (one, two) in enumerate((("a", "b"), ("b", "c"), ("c", "d"))):
        story.add(
            time,
            "Product Viewed",
            None,
            identifiers=[{"type": "email", "value": f"{one}@x.de"}, {"type": "email", "value": f"{two}@x.de"}],
        )
    for order in itertools.permutations(story.touchpoints):
        found = views(order)
        first = {identifier_text("email", "a@x.de"), identifier_text("email", "b@x.de")}
        assert [row["profile_id"] for row in found["dim_profiles"]] == [min(first)]
        assert len(found["dim_identifiers"]) == 4


@pytest.mark.parametrize("name", ["new", "b", "c", "d", "e"])
def test_vector_3_a_late_event_makes_another_member_the_oldest(name):
    story = Story()
    story.add(DAY, "Product Viewed", "u")
    story.add(2 * DAY, "Product Viewed", "u", anonymous_id=name)
    before = views(story.touchpoints)
    assert before["dim_profiles"][0]["profile_id"] == identifier_text("user_id", "u")
    story.add(0, "Product Viewed", None, anonymous_id=name)
    after = views(story.touchpoints)
    assert after["dim_profiles"][0]["profile_id"] == identifier_text("anonymous_id", name)
    aliases = {row["profile_id"]: row["current_profile_id"] for row in after["dim_profile_aliases"]}
    assert aliases[before["dim_profiles"][0]["profile_id"]] == after["dim_profiles"][0]["profile_id"]


def test_vector_6_repeats_and_order_change_nothing():
    touchpoints = random_story(7, 400)
    expected = views(touchpoints)
    for seed in range(3):
        shuffled = touchpoints + random.Random(seed).sample(touchpoints, 40)
        random.Random(seed).shuffle(shuffled)
        assert views(shuffled) == expected


def test_limit_of_identifiers_refuses_the_later_link():
    story = Story()
    for i in range(3):
        story.add(i, "Product Viewed", "u", anonymous_id=f"a{i}")
    counting = patched(policies(max_identifiers=3).identity, {"types": {"anonymous_id": {"counts": True}}})
    found = views(story.touchpoints, policies(**counting))
    assert sorted(row["identifier_count"] for row in found["dim_profiles"]) == ["1", "3"]


def test_alias_links_the_previous_id():
    story = Story()
    story.add(0, "Product Viewed", None, anonymous_id="before")
    story.add(1, None, "u", type="alias", previous_id="before")
    assert profiles(story.touchpoints) == {frozenset({"m0", "m1"})}


def test_only_users_are_identifiers_and_unknown_types_are_not():
    story = Story()
    story.add(
        0,
        "Product Viewed",
        "u",
        group_id="g",
        identifiers=[
            {"type": "email", "value": "a@b.c", "collection": "accounts"},
            {"type": "shoe_size", "value": "43"},
        ],
    )
    assert [row["type"] for row in views(story.touchpoints)["dim_identifiers"]] == ["user_id"]


def test_types_and_collections_in_any_spelling():
    story = Story()
    story.add(
        0,
        "Product Viewed",
        "u",
        identifiers=[
            {"type": "E-Mail", "value": "a@b.c", "collection": " Users"},
            {"type": "Loyalty ID", "value": "7", "collection": " "},
            {"type": "PHONE", "value": "+12125550187"},
        ],
    )
    assert sorted(row["type"] for row in views(story.touchpoints)["dim_identifiers"]) == ["email", "loyalty_id", "phone", "user_id"]


def test_tests_and_the_far_future_are_left_out():
    story = Story()
    story.add(0, "Product Viewed", "t", is_test=True)
    story.add(40 * 365 * DAY, "Product Viewed", "f")
    found = views(story.touchpoints)
    assert [name for name, rows in found.items() if rows] == ["dim_goal_targets", "dim_segments"]  # they show the policy


def test_the_future_is_judged_by_the_record():
    """Whoever reads it again years later gets the same answer."""
    world = Oracle(policies(), KEY, LATER)
    for number, (after, recorded) in enumerate([(DAY, START), (DAY + 1, START), (DAY + 1, START + 1)]):
        touchpoint = {"source": "s", "message_id": f"m{number}", "type": "track", "channel": "web", "user_id": "u"}
        world.add({**touchpoint, "occurred_at": START + after}, recorded)
    shown = as_dicts("fct_touchpoints", world.views(LATER)["fct_touchpoints"])
    assert sorted(row["message_id"] for row in shown) == ["m0", "m2"]


def test_blank_texts_name_nothing():
    """Two records with one blank id are not one message, and which of them counted would depend on the order."""
    for name in ("source", "message_id", "type", "channel"):
        story = Story()
        story.add(0, "Product Viewed", "blank", **{name: " \t"})
        story.add(1, "Product Viewed", "good")
        assert len(views(story.touchpoints)["fct_touchpoints"]) == 1


def test_what_is_too_old_is_left_out():
    story = Story()
    story.add(-START + 1_793_000_000, "Product Viewed", "seconds")
    story.add(-START + 365 * DAY - 1, "Product Viewed", "before")
    story.add(-START + 365 * DAY, "Product Viewed", "first")
    assert len(views(story.touchpoints)["fct_touchpoints"]) == 1
    assert len(views(story.touchpoints, policies(min_time="1970-01-01"))["fct_touchpoints"]) == 3
    assert len(views(story.touchpoints, policies(min_time="2015-01-01"))["fct_touchpoints"]) == 0


def random_story(seed, count):
    """People with log-ins, shared e-mail addresses, ties in time, sends and orders."""
    chance, story = random.Random(seed), Story()
    for _ in range(count):
        person, time = chance.randrange(12), chance.randrange(500) * DAY + chance.choice([0, 0, 60, 3600]) * 1_000_000
        who = {"anonymous_id": f"a{person}-{chance.randrange(3)}"}
        if chance.random() < 0.3:
            who["user_id"] = f"u{person}"
        if chance.random() < 0.2:
            who["identifiers"] = email(f"e{chance.randrange(12)}@x.de")
        what = chance.choice(
            [
                "Product Viewed",
                "Campaign Sent",
                "Campaign Sent",
                "Order Completed",
                "Review Submitted",
                "Contact Requested",
            ]
        )
        extra = {
            "department": chance.choice([None, "stores", "marketing"]),
            "channel": chance.choice(["web", "email", "pos"]),
        }
        if what == "Campaign Sent":
            extra["campaign"] = {"id": str(chance.randrange(4)), "name": chance.choice(["x", "y"])}
        if what == "Order Completed":
            extra.update(value_micros=chance.choice([0, 1, 10, 1_000_003, -7]), currency=chance.choice(["USD", "EUR"]))
            if chance.random() < 0.5:
                extra["margin_micros"] = chance.randrange(5)
        story.add(time, what, None, **who, **extra)
    return story.touchpoints


def test_first_seen_counts_every_touchpoint_that_shows_the_identifier():
    story = Story()
    story.add(5, "Product Viewed", "u", anonymous_id="a")
    story.add(3, "Product Viewed", None, anonymous_id="a")
    seen = {row["type"]: row["first_seen_at"] for row in views(story.touchpoints)["dim_identifiers"]}
    assert START % DAY == 0 and seen == {
        "user_id": "2017-01-01T00:00:00.000005Z",
        "anonymous_id": "2017-01-01T00:00:00.000003Z",
    }
