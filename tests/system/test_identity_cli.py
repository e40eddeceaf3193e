"""What an operator does about people: undo a merge, release a kiosk, try and apply a policy, ask why, erase, reveal."""

import contextlib
import ctypes
import ctypes.util
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import uuid

import psycopg
import pytest

from cluster import BANK, RETAILER
from feeding import Feeder
from stack import BIN, plain_environment
from waiting import until

US = 1000000
HOUR, DAY = 3600 * US, 24 * 3600 * US
START = 1740819600 * US  # 2025-03-01T09:00:00Z
NOW = int(time.time()) * US
RECENT = NOW - 10 * DAY  # a hold that is open today
NEXT_YEAR = NOW + 365 * DAY


def touchpoint(message_id, occurred_at, event="Page Viewed", channel="web", **more):
    """identifiers: email="a@b.c" and so on, beside the schema's own user_id and anonymous_id."""
    known = {"email", "phone", "loyalty_id", "external_id", "device_id"}
    listed = [{"type": kind, "value": more.pop(kind)} for kind in sorted(known & more.keys())]
    return {
        "message_id": message_id,
        "source": "urn:test",
        "type": "track",
        "channel": channel,
        "occurred_at": occurred_at,
        "event_name": event,
        **({"identifiers": listed} if listed else {}),
        **more,
    }


def request(message_id, occurred_at, channel="email", **more):
    details = {"class": "marketing", "planned_at": occurred_at + HOUR, "expires_at": NEXT_YEAR}
    return touchpoint(message_id, occurred_at, "Contact Requested", channel, direction="outbound", contact=details, **more)


def feed(world, *records):
    lines = [json.dumps(record) for record in records]
    world.lines += lines
    world.produce(lines)
    world.settle()


def identity(world, *words, check=True, **more):
    return world.tool("identity", *words, "--topic", world.topic("resolved"), check=check, **more)


def order(world, *words):
    """Executes an order and waits until everybody knows; what the command said as JSON."""
    said = json.loads(identity(world, *words, "--execute", "--json").stdout)
    world.settle()
    return said


def why(world, one, other):
    return json.loads(world.tool("explain", "--why", one, other, "--json").stdout)


def profiles(world):
    """The partition as sets of (type, first seen) - stable between databases with one key."""
    groups = {}
    for identifier, profile in world.query("SELECT identifier_id, profile_id FROM tutti.dim_identifiers"):
        groups.setdefault(profile, set()).add(identifier)
    return {frozenset(group) for group in groups.values()}


def identity_tables(world):
    """Everything about identity that is a function of the evidence."""
    return (
        world.query("SELECT * FROM tutti.dim_identifiers ORDER BY identifier_id"),
        world.query("SELECT * FROM tutti.fct_identity_links ORDER BY a, b"),
    )


def assert_plan_is_quiet(world):
    """The active policy as its own candidate: all profiles, computed at once from all evidence, are those that are stored."""
    plan = json.loads(identity(world, "plan", "--policy", world.policies / "identity.json", "--json").stdout)
    changes = {name: plan[name] for name in ("merges_gained", "merges_lost", "moved", "quarantined", "released")}
    assert not any(changes.values()), changes
    assert plan["profiles_before"] == plan["profiles_after"] == len(profiles(world))


def one_family(start=START):
    """Two people whom a shared e-mail made one: user_id is on one side only, so nothing forbids it."""
    return [
        touchpoint("1", start, user_id="jane", email="home@example1.com"),
        touchpoint("2", start + HOUR, email="home@example1.com", phone="+15550001111"),
        touchpoint("3", start + 2 * HOUR, "Order Completed", user_id="jane", value_micros=70 * US, currency="USD"),
        touchpoint("4", start + 3 * HOUR, "Order Completed", phone="+15550001111", value_micros=30 * US, currency="USD"),
    ]


JANE, HOME, PHONE = "user_id:jane", "email:home@example1.com", "phone:+15550001111"


# ------------------------------------------------------------------------------------------------- undoing a merge


def test_unlink_and_link_again(world):
    world.start()
    feed(world, *one_family())
    assert len(profiles(world)) == 1
    before = identity_tables(world)

    plan = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "two people", "--json").stdout)
    assert plan["executed"] is False and plan["moved"] == 2
    (moves,) = plan["moves"]
    assert (moves["touchpoints"], moves["conversions"], moves["revenue"], moves["currency"]) == ("2", "1", "30.00", "USD")
    assert len({row["profile"] for row in plan["members"]}) == 2 and len({row["before"] for row in plan["members"]}) == 1
    assert identity_tables(world) == before, "a plan changes nothing"
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []

    said = order(world, "unlink", JANE, HOME, "--reason", "two people", "--actor", "anna")
    assert said["executed"] is True and said["version"] > 0
    assert len(profiles(world)) == 2
    revenues = {row[0] for row in world.query("SELECT revenue FROM tutti.dim_profiles")}
    assert revenues == {70, 30}, revenues
    assert world.query("SELECT kind, actor, reason, version FROM tutti.fct_identity_orders") == [
        ("cut", "anna", "two people", said["version"])
    ]
    apart = why(world, JANE, HOME)
    assert apart["one_customer"] is False
    assert [row["what"] for row in apart["cuts"]] == ["cut by anna: two people"]
    assert [row["refused_by"] for row in apart["refused"]] == ["cut"]
    world.assert_equals_oracle()

    order(world, "link", JANE, HOME, "--reason", "one after all", "--actor", "bert")
    assert len(profiles(world)) == 1
    together = why(world, PHONE, JANE)
    assert together["one_customer"] is True
    assert [row["kind"] for row in together["chain"]] == ["touchpoint", "link"]
    assert together["chain"][1]["what"] == "linked by bert: one after all"
    world.assert_equals_oracle()
    assert_plan_is_quiet(world)
    world.stop()


def test_a_cut_holds_against_every_path(world):
    """What would unite them later, over whatever identifier, is refused."""
    world.start()
    feed(world, *one_family())
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    feed(world, touchpoint("5", START + 4 * HOUR, user_id="jane", phone="+15550001111"))
    assert len(profiles(world)) == 2
    assert [row["refused_by"] for row in why(world, JANE, PHONE)["refused"]] == ["cut", "cut"]
    assert_plan_is_quiet(world)
    world.stop()


def cut_some(world, wanted):
    """Cuts apart so many pairs that are one customer; customers without opt-outs and holds, of which the oracle knows nothing."""
    pairs = world.query(
        "SELECT a, b FROM tutti.fct_identity_links WHERE refused_by IS NULL ORDER BY evidence LIMIT %s", 20 * wanted
    )
    done = 0
    for pair in pairs:
        if done == wanted:
            break
        plan = json.loads(identity(world, "unlink", *pair, "--reason", "test", "--json").stdout)
        if not plan["carried"] and plan["moved"]:
            done += json.loads(identity(world, "unlink", *pair, "--reason", "test", "--json", "--execute").stdout)["executed"]
    assert done == wanted


def test_unlink_under_load(stack, make_world):
    """Two instances of each service work while customers are divided: the tables are those of a world that never joined them."""
    world = make_world(stack, "load")
    lines = world.generate("bench", people=150, events=6000)
    world.start(instances=2)
    accepted = "SELECT count(*) > 200 FROM tutti.fct_identity_links WHERE refused_by IS NULL"
    with Feeder(world, lines, pieces=120) as feeder:
        until(lambda: world.query(accepted) == [(True,)], 60, "enough links to choose from")
        cut_some(world, 10)
        assert feeder.sent < len(feeder.pieces), "the load ended before the cuts"
    world.settle()
    assert world.query("SELECT count(*) FROM tutti.fct_identity_orders") == [(10,)]
    world.assert_equals_oracle()
    world.assert_numbers_dense()
    assert_plan_is_quiet(world)
    world.stop()


def denied(world):
    """(verdict, reason) in the order of the requests."""
    return world.query("SELECT verdict, reason FROM tutti.fct_contact_decisions ORDER BY requested_at")


def opted_out_family():
    consent = {"email": True, "sms": True, "direct_mail": True}
    return [
        *one_family(RECENT),
        touchpoint("yes-1", RECENT, "Consent Given", user_id="jane", consent=consent),
        touchpoint("yes-2", RECENT, "Consent Given", phone="+15550001111", consent=consent),
        touchpoint("no", RECENT + 4 * HOUR, "Consent Withdrawn", user_id="jane", consent={"email": False}),
        touchpoint("angry", RECENT + 5 * HOUR, "Complaint Filed", user_id="jane"),
    ]


def test_a_cut_never_frees_anyone(world):
    """Opt-out and hold were said under the other side's anchor; both hold for both sides after the cut."""
    world.start()
    feed(world, *opted_out_family())
    feed(world, request("before", RECENT + 6 * HOUR, phone="+15550001111"))
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert {item["kind"] for item in said["carried"]} == {"opt_out", "hold"}
    feed(
        world,
        request("phone-email", RECENT + 7 * HOUR, phone="+15550001111"),
        request("phone-sms", RECENT + 8 * HOUR, channel="sms", phone="+15550001111"),
        request("jane-email", RECENT + 9 * HOUR, user_id="jane"),
        request("home-email", RECENT + 10 * HOUR, email="home@example1.com"),
    )
    assert denied(world) == [
        ("deny", "opt_out"),
        ("deny", "opt_out"),
        ("deny", "hold"),
        ("deny", "opt_out"),
        ("deny", "opt_out"),
    ]
    carried = world.query(
        "SELECT direction, event_name FROM tutti.fct_touchpoints WHERE source = 'urn:tutti:identity' ORDER BY event_name"
    )
    assert {row[0] for row in carried} == {None}, "they take part in no figure"
    assert len(carried) == len(said["carried"]) == len({item["touchpoint"] for item in said["carried"]})
    again = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "again", "--json").stdout)
    assert again["carried"] == [] and again["moved"] == 0
    world.stop()


def test_a_carried_hold_ends_when_the_hold_ends(stack, make_world):
    """A complaint that was resolved holds 14 more days: for both sides of the cut, and no longer."""
    world = make_world(stack, "hold", policies=BANK)
    world.start()
    yes = {"email": True, "sms": True}
    feed(
        world,
        *one_family(RECENT),
        touchpoint("yes", RECENT, "Consent Given", phone="+15550001111", consent=yes),
        touchpoint("angry", RECENT + DAY, "Complaint Filed", user_id="jane"),
        touchpoint("fine", RECENT + 2 * DAY, "Complaint Resolved", user_id="jane"),
    )
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert sorted({item["what"] for item in said["carried"]}) == ["Complaint Filed", "Complaint Resolved"]
    ends = RECENT + 2 * DAY + 14 * DAY
    asked = [request(f"at-{at}", NOW - HOUR, phone="+15550001111") for at in (ends - 1, ends)]
    for record, at in zip(asked, (ends - 1, ends)):
        record["occurred_at"] += at - ends
        record["contact"]["planned_at"] = at
    feed(world, *asked)
    assert denied(world) == [("deny", "hold"), ("grant", None)]
    world.stop()


def test_only_what_holds_today_is_carried(world):
    """A consent that was given again later holds nobody; an opt-in is nobody else's."""
    world.start()
    feed(
        world,
        *one_family(RECENT),
        touchpoint("no", RECENT, "Consent Withdrawn", user_id="jane", consent={"email": False, "sms": False, "all": False}),
        touchpoint("yes", RECENT + DAY, "Consent Given", phone="+15550001111", consent={"email": True}),
        touchpoint("old", NOW - 60 * DAY, "Complaint Filed", user_id="jane"),
    )
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    (what,) = {item["what"] for item in said["carried"]}
    assert {item["kind"] for item in said["carried"]} == {"opt_out"}
    assert "sms" in what.split() and "push" in what.split() and "email" not in what.split(), what
    feed(
        world,
        request("jane-email", RECENT + 2 * DAY, user_id="jane"),
        request("phone-email", RECENT + 3 * DAY, phone="+15550001111"),
        request("phone-sms", RECENT + 4 * DAY, channel="sms", phone="+15550001111"),
    )
    assert denied(world) == [("deny", "opt_out"), ("grant", None), ("deny", "opt_out")]
    world.stop()


def test_without_a_cut_the_other_side_would_be_free(world):
    """The contrast that makes the test above able to fail: without the merge, nothing forbids the second side's text message."""
    world.start()
    apart = [record for record in opted_out_family() if record["message_id"] != "1"]
    feed(world, *apart)
    feed(world, request("phone-sms", RECENT + 8 * HOUR, channel="sms", phone="+15550001111"))
    assert denied(world) == [("grant", None)]
    world.stop()


def test_unlink_waits_for_suppression(world):
    """While suppression cannot store what is carried, nothing is cut."""
    services = world.start()
    feed(world, *opted_out_family())
    world.stop([service for service in services if service.name == "suppression"])
    before = identity_tables(world)
    carried = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "two people", "--json").stdout)["carried"]
    refused = identity(
        world, "unlink", JANE, HOME, "--reason", "two people", "--execute", "--wait", 2, check=False
    )
    assert refused.returncode == 1 and "suppression has stored 0 of" in refused.stderr, refused.stderr
    assert identity_tables(world) == before
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []
    next(service for service in services if service.name == "suppression").start().wait_ready()
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert len(profiles(world)) == 2
    said = world.query("SELECT touchpoint_id FROM tutti.fct_touchpoints WHERE source = 'urn:tutti:identity'")
    assert {str(row[0]) for row in said} == {item["touchpoint"] for item in carried} and len(said) == len(carried)
    world.stop()


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("unlink", JANE, HOME), 2, "--reason is missing"),
        (("unlink", JANE, "--reason", "x"), 2, "expected unlink A B"),
        (("unlink", JANE, JANE, "--reason", "x"), 1, "the same identifier"),
        (("unlink", JANE, "user_id:nobody", "--reason", "x"), 1, "never seen"),
        (("unlink", JANE, "shoe_size:43", "--reason", "x"), 1, "no type"),
        (("unlink", JANE, "email:null", "--reason", "x"), 1, "blocked"),
        (("merge", JANE, HOME), 2, "expected unlink"),
    ],
)
def test_orders_used_wrongly(world, words, status, text):
    world.start(names=["identity-resolver"])
    lines = [json.dumps(record) for record in one_family()]
    world.produce(lines)
    world.settle(names=["identity-resolver"])
    done = identity(world, *words, check=False)
    assert done.returncode == status and text in done.stderr, done.stderr
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []
    world.stop()


# ------------------------------------------------------------------------------------------------------- quarantine


def kiosk(users, at=START):
    for number in range(users):
        yield touchpoint(f"kiosk-{number}", at + number * HOUR, user_id=f"user-{number}", device_id="kiosk")


def test_release_from_quarantine(world):
    world.start()
    feed(world, *kiosk(6))
    assert len(profiles(world)) == 7
    shared = world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared")
    assert shared == [(1,)]
    text = world.tool("explain", "device_id:kiosk").stdout
    assert "shared profile" in text, text
    apart = why(world, "user_id:user-0", "device_id:kiosk")
    assert [row["refused_by"] for row in apart["refused"]] == ["quarantine"]
    assert [row["type"] for row in apart["quarantined"]] == ["device_id"]
    between = why(world, "user_id:user-0", "user_id:user-1")
    assert [row["refused_by"] for row in between["between"]] == ["quarantine"]
    order(world, "release", "device_id:kiosk", "--reason", "checked")
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(0,)]
    assert why(world, "user_id:user-0", "device_id:kiosk")["one_customer"] is True, "the oldest link wins"
    assert [row["refused_by"] for row in why(world, "user_id:user-1", "device_id:kiosk")["refused"]] == ["unique"]
    world.assert_equals_oracle()
    assert_plan_is_quiet(world)
    world.stop()


def test_nothing_connects_them(world):
    world.start(names=["identity-resolver"])
    world.produce([json.dumps(touchpoint(name, START, user_id=name)) for name in ("a", "b")])
    world.settle(names=["identity-resolver"])
    assert "no evidence connects them" in world.tool("explain", "--why", "user_id:a", "user_id:b").stdout
    world.stop()


# ------------------------------------------------------------------------------------------------------- policies


def policy_file(folder, **changes):
    """The retailer's identity policy with other values; types: {name: {field: value}}."""
    policy = json.loads((RETAILER / "identity.json").read_text())
    for entry in policy["types"]:
        entry.update(changes.get("types", {}).get(entry["type"], {}))
    policy.update({key: value for key, value in changes.items() if key != "types"})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "identity.json"
    path.write_text(json.dumps(policy))
    return path


def crowd(people, seed=7):
    """People with phones that are handed on, shared devices and a few kiosks: every rule has something to refuse."""
    for number in range(people):
        at = START + (number * seed % people) * 60 * US
        user, device = f"user-{number}", f"device-{number // 2}"
        yield touchpoint(f"a{number}", at, user_id=user, email=f"{user}@example1.com")
        yield touchpoint(f"b{number}", at + HOUR, user_id=user, device_id=device if number % 5 else f"kiosk-{number % 3}")
        yield touchpoint(f"c{number}", at + 2 * HOUR, email=f"{user}@example1.com", phone=f"+1555{number // 3:07d}")
        yield touchpoint(f"d{number}", at + 3 * HOUR, "Order Completed", user_id=user, value_micros=number * US, currency="USD")


def settled_crowd(world, people=60):
    world.start()
    feed(world, *crowd(people))


LOOSER = {"types": {"device_id": {"max_links": {"user_id": 1}}, "phone": {"unique": True}, "user_id": {"unique": False}}}


def doctor_on_identity(world):
    findings = json.loads(world.tool("doctor", "--json", check=False).stdout)
    return next(finding for finding in findings if finding["subject"] == "identity")


def test_plan_tells_what_apply_does(world):
    assert doctor_on_identity(world)["verdict"] == "warn", "none is active yet"
    settled_crowd(world)
    assert doctor_on_identity(world)["verdict"] == "ok"
    before = profiles(world)
    quarantined = "SELECT count(*) FROM tutti.dim_identifiers WHERE is_quarantined"
    (shared_before,) = world.query(quarantined)[0]
    path = policy_file(world.directory / "candidate", **LOOSER)
    plan = json.loads(identity(world, "plan", "--policy", path, "--json", "--limit", 3).stdout)
    assert profiles(world) == before and plan["executed"] is False
    assert plan["profiles_before"] == len(before)
    identity(world, "apply", "--policy", path, "--batch", 7)
    assert profiles(world) == before, "without --execute nothing happens"
    identity(world, "apply", "--policy", path, "--batch", 7, "--execute")
    world.settle()
    after = profiles(world)
    assert plan["profiles_after"] == len(after) != len(before)
    assert plan["merges_gained"] > 0 and plan["merges_lost"] > 0
    assert plan["merges_gained"] - plan["merges_lost"] == len(before) - len(after)
    (shared_after,) = world.query(quarantined)[0]
    assert plan["quarantined"] - plan["released"] == shared_after - shared_before != 0
    assert plan["largest_after"][0]["identifiers"] == max(map(len, after))
    assert len(plan["largest_before"]) == 10
    assert float(plan["revenue_affected"][0]["revenue"]) > 0
    assert doctor_on_identity(world)["verdict"] == "fail", "policy.dir has the old file still"
    assert "identity apply" in doctor_on_identity(world)["fix"]
    quiet = json.loads(identity(world, "plan", "--policy", path, "--json").stdout)
    assert [quiet[name] for name in ("merges_gained", "merges_lost", "moved", "quarantined", "released")] == [0] * 5
    changes = world.query("SELECT DISTINCT cause, policy_version FROM tutti.fct_identity_changes ORDER BY 2")
    assert ("policy", 2) in changes, changes
    world.stop()


@contextlib.contextmanager
def held_back(world):
    """Holds the lock of the profile in the middle: no sweep comes past it."""
    ids = sorted(row[0] for row in world.query("SELECT DISTINCT profile_id FROM tutti.dim_identifiers"))
    stripe = int.from_bytes(ids[len(ids) // 2].bytes[:2], "big")
    with psycopg.connect(world.url) as connection:
        connection.execute("SELECT FROM identity.lock_stripes WHERE stripe = %s FOR UPDATE", (stripe,))
        yield
        connection.rollback()


def start_apply(world, path):
    """`tutti identity apply` in the background, one profile per transaction."""
    environment = plain_environment(
        TUTTI_DATABASE_URL=world.url,
        TUTTI_KAFKA_BOOTSTRAP_SERVERS=world.stack.brokers,
        TUTTI_POLICY_DIR=str(world.policies),
        TUTTI_IDENTITY_KEY_FILE=str(world.key_file),
    )
    words = [BIN / "tutti", "identity", "apply", "--policy", path, "--batch", "1", "--execute", "--force"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)


def test_applied_equals_always_there(stack, make_world, world):
    """Under load, and killed in the middle: the tables end as if the policy had always been there."""
    path = policy_file(world.directory / "candidate", **LOOSER)
    records = list(crowd(60))
    world.start()
    half = len(records) // 2
    feed(world, *records[:half])
    with held_back(world):
        killed = start_apply(world, path)
        world.produce([json.dumps(record) for record in records[half:]])
        swept = "SELECT swept_to IS NOT NULL FROM identity.policies WHERE is_active AND version = 2"
        until(lambda: world.query(swept) == [(True,)], 60, "the sweep is under way")
        assert killed.poll() is None
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert world.query("SELECT is_complete FROM identity.policies WHERE is_active") == [(False,)]
    done = identity(world, "apply", "--policy", path, "--execute", "--force")
    assert "going on" in done.stderr, done.stderr
    world.settle()
    assert world.query("SELECT version, is_complete FROM identity.policies WHERE is_active") == [(2, True)]
    world.stop()

    folder = world.directory / "always"
    shutil.copytree(RETAILER, folder)
    shutil.copy(path, folder / "identity.json")
    always = make_world(stack, "always", policies=folder)
    always.key_file.write_text(world.key_file.read_text())
    always.key = world.key
    always.start()
    feed(always, *records)
    assert identity_tables(always) == identity_tables(world)
    money = "SELECT profile_id, revenue, order_count FROM tutti.dim_profiles ORDER BY profile_id"
    assert always.query(money) == world.query(money)
    always.stop()


def test_plan_refuses_a_policy_that_merges_everyone(world):
    world.start()
    feed(world, *(touchpoint(f"t{n}", START + n * HOUR, email=f"p{n}@example1.com", device_id="till") for n in range(40)))
    open_door = policy_file(world.directory / "open", max_identifiers=1000, max_degree=100000)
    refused = identity(world, "plan", "--policy", open_door, check=False)
    assert refused.returncode == 0, "one till is within max_identifiers today as well"
    strict = policy_file(world.directory / "strict", max_degree=5)
    identity(world, "apply", "--policy", strict, "--execute")
    world.settle()
    assert len(profiles(world)) == 41
    refused = identity(world, "plan", "--policy", open_door, check=False)
    assert refused.returncode == 1 and "merges strangers" in refused.stderr, refused.stderr
    refused = identity(world, "apply", "--policy", open_door, "--execute", check=False)
    assert refused.returncode == 1 and len(profiles(world)) == 41
    identity(world, "apply", "--policy", open_door, "--execute", "--force")
    world.settle()
    assert len(profiles(world)) == 1
    world.stop()


@pytest.mark.parametrize("field", [{"rank": 30}, {"normalise": "plain"}, {"match_hashed": False}])
def test_other_anchor_rules_are_refused(world, field):
    world.start(names=["identity-resolver"])
    path = policy_file(world.directory / "other", types={"email": field})
    for word in ("plan", "apply"):
        refused = identity(world, word, "--policy", path, check=False)
        assert refused.returncode == 1 and "cannot change" in refused.stderr, refused.stderr
    world.stop()


def test_apply_without_the_key_changes_nothing(world):
    world.start(names=["identity-resolver"])
    path = policy_file(world.directory / "candidate", **LOOSER)
    (world.directory / "other.key").write_text("7b" * 32)
    for key in ("/nowhere.key", world.directory / "other.key"):
        refused = identity(world, "apply", "--policy", path, "--execute", "--identity.key_file", key, check=False)
        assert refused.returncode == 1 and "identity.key_file" in refused.stderr, refused.stderr
    assert world.query("SELECT version, is_active FROM identity.policies") == [(1, True)]
    world.stop()


def test_bad_policy_file(world):
    path = world.directory / "bad.json"
    path.write_text('{"types": []}')
    refused = identity(world, "plan", "--policy", path, check=False)
    assert refused.returncode == 1 and "bad.json" in refused.stderr


# -------------------------------------------------------------------------------------------------------- erasing


def rows_of(world, table, ids):
    """Rows of a table that name one of the identifiers, whole or by their short key."""
    with psycopg.connect(world.url, autocommit=True) as connection:
        text = [str(identifier) for identifier in ids]
        short = [str(int.from_bytes(identifier.bytes[:8], "big", signed=True)) for identifier in ids]
        row = connection.execute(
            f"SELECT count(*) FROM {table} AS t WHERE EXISTS (SELECT FROM jsonb_each_text(to_jsonb(t)) AS c (k, v)"
            " WHERE c.v = ANY (%s) OR c.v = ANY (%s))",
            (text, short),
        ).fetchone()
        return row[0]


def all_tables(world):
    rows = world.query(
        "SELECT schemaname || '.' || tablename FROM pg_tables"
        " WHERE schemaname IN ('identity', 'journey', 'suppression', 'metrics') ORDER BY 1"
    )
    return [row[0] for row in rows if row[0] != "identity.erased"]


def person_and_others():
    yield from opted_out_family()
    yield request("asked", RECENT + 6 * HOUR, user_id="jane", channel="direct_mail")
    for number in range(3):
        yield touchpoint(f"other-{number}", RECENT + number * HOUR, user_id=f"other-{number}", email="x@example1.com")
        yield touchpoint(f"sale-{number}", RECENT + DAY, "Order Completed", user_id=f"other-{number}", value_micros=US, currency="USD")


def everyone_else(world, ids):
    """The convergent rows of all others."""
    return world.query(
        "SELECT * FROM tutti.dim_identifiers WHERE identifier_id <> ALL (%s) ORDER BY 1", list(ids)
    ), world.query("SELECT profile_id, revenue FROM tutti.dim_profiles WHERE profile_id <> ALL (%s) ORDER BY 1", list(ids))


def test_erase(world):
    world.start()
    feed(world, *person_and_others())
    (jane,) = [group for group in profiles(world) if len(group) == 3]
    sums = "SELECT * FROM tutti.rpt_shared_goals_daily ORDER BY goal_date, goal_id, department, channel, currency"
    figures, others = world.query(sums), everyone_else(world, jane)
    running = world.tool("erase", JANE, "--reason", "asked for it", "--execute", check=False)
    assert running.returncode == 1 and "services are running" in running.stderr, running.stderr
    world.stop()
    plan = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--json").stdout)
    held = {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))}
    assert held.keys() <= plan["tables"].keys() and sum(plan["tables"].values()) == plan["rows"]
    assert {table: plan["tables"][table] for table in held} == held
    report = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--execute", "--json").stdout)
    assert report["tables"] == plan["tables"]
    assert {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))} == {}
    assert everyone_else(world, jane) == others and world.query(sums) == figures
    again = world.tool("erase", PHONE, "--reason", "asked for it", "--execute", check=False)
    assert again.returncode == 1 and "was erased at" in again.stderr
    check_replay(world, jane, others)


def check_replay(world, jane, others):
    """Old input, read again from all topics, does not bring the person back; what happens later is a new person."""
    for name in ("identity-resolver", "journey-tracker", "suppression"):
        world.rewind(name)
    services = world.start()
    world.settle()
    assert {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))} == {}
    assert everyone_else(world, jane) == others
    later = NOW + 2 * HOUR
    feed(world, touchpoint("new", later, user_id="jane"), touchpoint("old", RECENT + 6 * HOUR, user_id="jane"))
    times = "SELECT occurred_at FROM tutti.fct_touchpoints JOIN tutti.dim_identifiers USING (profile_id) WHERE identifier_id = ANY (%s)"
    assert [row[0].timestamp() for row in world.query(times, list(jane))] == [later / US]
    world.stop(services)


def test_erase_goes_on_where_it_was_interrupted(world):
    """Tombstones and one schema are done, then it was killed: the next run finds the person and does the rest."""
    world.start()
    feed(world, *person_and_others())
    world.stop()
    (jane,) = [group for group in profiles(world) if len(group) == 3]
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO identity.erased SELECT unnest(%s::uuid[]), now() - interval '1 hour'", (list(jane),)
        )
        keys = [int.from_bytes(identifier.bytes[:8], "big", signed=True) for identifier in jane]
        for table in ("facts", "anchors", "decisions"):
            connection.execute(f"DELETE FROM suppression.{table} WHERE anchor = ANY (%s)", (keys,))
    world.tool("erase", HOME, "--reason", "asked for it", "--execute")
    assert {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))} == {}
    assert world.query("SELECT count(*) FROM identity.erased WHERE erased_at > now() - interval '30 minutes'") == [(3,)]


def test_erase_refuses_while_messages_wait(world):
    world.start()
    feed(world, *one_family())
    world.stop()
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("INSERT INTO identity.outbox VALUES (2, 0, gen_random_uuid(), '')")
    before = identity_tables(world)
    refused = world.tool("erase", JANE, "--reason", "asked for it", "--execute", check=False)
    assert refused.returncode == 1 and "wait to be published" in refused.stderr
    assert identity_tables(world) == before
    assert world.query("SELECT count(*) FROM identity.erased") == [(0,)]


def test_a_kiosk_is_judged_by_those_who_are_left(world):
    """One user too many put it into quarantine; with that user erased, it belongs to its first one, as if nobody else had come."""
    services = world.start()
    feed(world, *kiosk(4))
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(1,)]
    world.stop()
    world.tool("erase", "user_id:user-3", "--reason", "asked for it", "--execute")
    for service in services:
        service.start()
    for service in services:
        service.wait_ready()
    world.settle()
    assert why(world, "user_id:user-0", "device_id:kiosk")["one_customer"] is True
    assert len(profiles(world)) == 3
    assert_plan_is_quiet(world)
    world.stop(services)


# ------------------------------------------------------------------------------------------------------- raw values


class Sealer:
    """libsodium by itself: what stands in the database must be this, whoever wrote it."""

    def __init__(self, key):
        self.sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
        self.key = key
        self.key_id = uuid.UUID(bytes=hashlib.blake2b(b"tutti privacy key", key=key, digest_size=16).digest())

    def encrypt(self, text, row, nonce, key):
        out, length = ctypes.create_string_buffer(len(text) + 16), ctypes.c_ulonglong()
        self.sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            out, ctypes.byref(length), text, ctypes.c_ulonglong(len(text)), row.bytes, ctypes.c_ulonglong(16), None, nonce, key
        )
        return out.raw

    def row(self, identifier, value):
        row_key, outer, inner = os.urandom(32), os.urandom(24), os.urandom(24)
        wrapped = outer + self.encrypt(row_key, identifier, outer, self.key)
        return identifier, self.key_id, wrapped, inner, self.encrypt(value.encode(), identifier, inner, row_key)


def test_reveal_and_rewrap(world):
    old, new = os.urandom(32), os.urandom(32)
    for name, key in (("old", old), ("new", new)):
        (world.directory / f"{name}.key").write_text(key.hex())
    jane, home = uuid.uuid4(), uuid.uuid4()
    with psycopg.connect(world.url, autocommit=True) as connection:
        for identifier, value in ((jane, "jane"), (home, "Home@Example1.com")):
            connection.execute(
                "INSERT INTO identity.raw_values (identifier_id, key_id, wrapped_key, nonce, sealed)"
                " VALUES (%s, %s, %s, %s, %s)",
                Sealer(old).row(identifier, value),
            )

    def tool(word, *words, current="new", previous=None, check=True):
        files = ["--privacy.key_file", world.directory / f"{current}.key"]
        files += ["--privacy.previous_key_file", world.directory / f"{previous}.key"] if previous else []
        return world.tool("identity", word, *words, *files, check=check)

    assert tool("reveal", home, current="old").stdout == "Home@Example1.com\n"
    assert tool("reveal", home, previous="old").stdout == "Home@Example1.com\n"
    refused = tool("reveal", home, check=False)
    assert refused.returncode == 1 and "not given" in refused.stderr
    refused = tool("rewrap", check=False)
    assert refused.returncode == 1 and "2 values" in refused.stderr
    tool("rewrap", previous="old")
    assert tool("reveal", jane).stdout == "jane\n" and tool("reveal", home).stdout == "Home@Example1.com\n"
    assert tool("reveal", home, current="old", check=False).returncode == 1
    assert tool("reveal", uuid.uuid4(), check=False).returncode == 1
    without = world.stack.url(world.name, "tutti_journey")
    refused = tool("reveal", home, "--database.url", without, check=False)
    assert refused.returncode == 1 and "permission denied" in refused.stderr, refused.stderr


def test_kept_values_are_revealed(world):
    """What identity-resolver seals, reveal opens; without the setting nothing is kept."""
    (world.directory / "privacy.key").write_text("5c" * 32)
    without = world.service("identity-resolver").start().wait_ready()
    world.produce([json.dumps(touchpoint("1", START, user_id="before"))])
    world.settle(names=["identity-resolver"])
    without.stop()
    keeping = world.service("identity-resolver")
    keeping.settings.update({"privacy.raw_values": "true", "privacy.key_file": world.directory / "privacy.key"})
    keeping.start().wait_ready()
    world.produce([json.dumps(touchpoint("2", START, user_id="jane", email="Jane@Example1.com"))])
    world.settle(names=["identity-resolver"])

    def reveal(identifier, **more):
        return world.tool("identity", "reveal", identifier, "--privacy.key_file", world.directory / "privacy.key", **more)

    assert reveal("user_id:jane").stdout == "jane\n"
    assert reveal("email:jane@example1.com").stdout.lower() == "jane@example1.com\n"
    assert reveal("user_id:before", check=False).returncode == 1
    stored = world.query("SELECT encode(sealed, 'escape') FROM identity.raw_values")
    assert len(stored) == 2 and not any("example1" in row[0].lower() or "jane" in row[0] for row in stored)
    keeping.stop()
