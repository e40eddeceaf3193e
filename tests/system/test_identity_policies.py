"""Identity policies on stored evidence: plan mode says what apply does, and apply ends as if the policy had always been there."""

import contextlib
import json
import os
import shutil
import signal
import subprocess

import psycopg
import pytest

from cluster import RETAILER
from people import HOUR, START, US, feed, identity, identity_tables, profiles, touchpoint
from stack import BIN, plain_environment
from waiting import patient, until


def policy_file(folder, **changes):
    """The retailer's identity policy with other values; types: {name: {field: value}}."""
    policy = json.loads((RETAILER / "identity.json").read_text())
    types = changes.get("types", {})
    for entry in policy["types"]:  # a name that changes does so wherever the file has it
        entry.update(types.get(entry["type"], {}))
        if "max_links" in entry:
            entry["max_links"] = {types.get(name, {}).get("type", name): count for name, count in entry["max_links"].items()}
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


def doctor_on_identity(world, *more):
    findings = json.loads(world.tool("doctor", "--json", *more, check=False).stdout)
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
    assert doctor_on_identity(world)["fix"].startswith("put the file there that was applied"), "not back to the old one"
    quiet = json.loads(identity(world, "plan", "--policy", path, "--json").stdout)
    assert [quiet[name] for name in ("merges_gained", "merges_lost", "moved", "quarantined", "released")] == [0] * 5
    changes = world.query("SELECT DISTINCT cause, policy_version, policy_hash::text FROM tutti.fct_identity_changes ORDER BY 2")
    assert ("policy", 2, plan["policy_hash"]) in changes, changes
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


def test_one_apply_at_a_time(world):
    """A second one would note its place in the sweep for the first one's policy, and end as if all had been reviewed."""
    one = policy_file(world.directory / "one", **LOOSER)
    other = policy_file(world.directory / "other", types={"email": {"unique": True}})
    services = world.start(names=["identity-resolver"])
    world.produce([json.dumps(record) for record in crowd(60)])
    world.settle(names=["identity-resolver"])
    swept = "SELECT count(*) FROM identity.policies WHERE version = 2 AND swept_to IS NOT NULL"
    with held_back(world):
        first = start_apply(world, one)
        until(lambda: world.query(swept) == [(1,)], 60, "the first one at work")
        second = identity(world, "apply", "--policy", other, "--execute", "--force", check=False, timeout=patient(60))
        assert second.returncode == 1 and "another" in second.stderr, second.stderr
    assert first.wait(patient(60)) == 0
    assert world.query("SELECT version, is_complete FROM identity.policies WHERE is_active") == [(2, True)]
    identity(world, "apply", "--policy", other, "--execute", "--force")
    plan = json.loads(identity(world, "plan", "--policy", other, "--json").stdout)
    assert not any(plan[name] for name in ("merges_gained", "merges_lost", "moved", "quarantined", "released")), plan
    world.stop(services)


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
    no_limit = {"max_links": {"email": 1000}, "limit": {"count": 1000}}
    open_door = policy_file(world.directory / "open", max_identifiers=1000, max_degree=100000, types={"device_id": no_limit})
    assert len(profiles(world)) == 41
    refused = identity(world, "plan", "--policy", open_door, check=False)
    assert refused.returncode == 1 and "merges strangers" in refused.stderr, refused.stderr
    refused = identity(world, "apply", "--policy", open_door, "--execute", check=False)
    assert refused.returncode == 1 and len(profiles(world)) == 41
    identity(world, "apply", "--policy", open_door, "--execute", "--force")
    world.settle()
    assert len(profiles(world)) == 1
    world.stop()


@pytest.mark.parametrize("field", [{"normalise": "plain"}, {"match_hashed": False}])
def test_other_anchor_rules_are_refused(world, field):
    world.start()
    feed(world, touchpoint("1", START, email="jane@example1.com"))
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
