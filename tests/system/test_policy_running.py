"""Other policies while everything runs: what is shown is what a database shows that always had them."""

import json
import os
import random
import shutil
import subprocess
import time

import psycopg

from cluster import BANK, RETAILER
from feeding import Feeder
from people import DAY, HOUR, NOW, RECENT, feed, touchpoint
from service import NAMES
from stack import BIN, plain_environment
from test_chaos import SETTINGS
from traces import erase
from waiting import patient, until

ROUNDS = int(os.environ.get("TUTTI_POLICY_ROUNDS") or 2)
SEED = int(os.environ.get("TUTTI_TEST_SEED") or 1)


def before(directory):
    """The retailer's policies, but for the bank's contact policy, which no running apply may change."""
    shutil.copytree(RETAILER, directory, ignore=shutil.ignore_patterns("bank"))
    shutil.copy(BANK / "contact.json", directory)
    return directory


def slot_rows(world, slot):
    """{table: rows} of those that are not empty, in a slot and beside it."""
    tables = world.query("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND (relnamespace = %s::regnamespace OR oid = 'journey.followed'::regclass)", f"slot_{slot}")
    counts = {table: world.query(f"SELECT count(*) FROM {table}")[0][0] for (table,) in tables}
    return {table: count for table, count in counts.items() if count}


def follower(world, directory):
    """`tutti policy apply` as a process."""
    environment = plain_environment(
        TUTTI_KAFKA_BOOTSTRAP_SERVERS=world.stack.brokers, TUTTI_DATABASE_URL=world.url, TUTTI_IDENTITY_KEY_FILE=str(world.key_file)
    )
    return subprocess.Popen([BIN / "tutti", "policy", "apply", directory], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def apply_with_kills(world, directory, chance):
    """Killed some times, anywhere; then it runs undisturbed. A service that dies meanwhile is started again."""
    for _ in range(chance.randint(0, 3)):
        process = follower(world, directory)
        time.sleep(chance.random() * 0.6)
        process.kill()
        process.communicate()
    victim = chance.choice(world.services)
    process = follower(world, directory)
    time.sleep(chance.random() * 0.3)
    victim.kill()
    output = process.communicate(timeout=patient(120))[0]
    victim.start().wait_live()
    assert process.returncode == 0, output


def stranger(number):
    return {"user_id": f"stranger-{number}", "email": f"stranger-{number}@example1.com"}


def tell_strangers(world, numbers):
    """People whom the oracle does not see: they are erased before other policies are active, and leave nothing."""
    world.produce([json.dumps(touchpoint(f"{at}-{n}", RECENT + at * HOUR, "Product Viewed", **stranger(n))) for n in numbers for at in range(3)])


def versions(world):
    return world.query("SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('journey.message_outbox', 'id')), 0)")[0][0]


def is_history(switches, one, two):
    """Other policies made it history, and the same ones made it live again: then it is told again."""
    return sum(end > one["version"] and start < two["version"] for start, _, end in switches) > 1


def test_policies_change_again_and_again(stack, make_world, tmp_path):
    """Two instances of each, load, late events and merges, people who are erased, and kills of services and of the follower."""
    print(f"seed {SEED}, {ROUNDS} rounds")
    chance = random.Random(SEED)
    sets = [before(tmp_path / "retailer"), BANK]
    world = make_world(stack, "running", policies=sets[0], settings={**SETTINGS, "policy.from": "database"})
    world.generate("bank", people=40 + 20 * ROUNDS, events=1200 * (ROUNDS + 1), seed=SEED)
    world.start(instances=2)
    size = -(-len(world.lines) // (ROUNDS + 1))
    pieces = [world.lines[at : at + size] for at in range(0, len(world.lines), size)]
    world.produce(pieces[0])
    switches = []
    for number, piece in enumerate(pieces[1:], 1):
        tell_strangers(world, range(3 * number, 3 * number + 3))
        until(lambda n=number: world.query("SELECT count(*) FROM tutti.fct_touchpoints WHERE message_id LIKE '_-%%' AND event_name = 'Product Viewed'")[0][0] >= 9, 120, "strangers")
        erase(world, f"user_id:stranger-{3 * number}", "--wait", "60")
        with Feeder(world, piece, pieces=8) as feeder:
            feeder.wait_for_pieces(1)
            switches.append((versions(world), apply_with_kills(world, sets[number % 2], chance), versions(world)))
            for n in (1, 2):
                erase(world, f"user_id:stranger-{3 * number + n}", "--wait", "60")
        world.settle()
        assert world.query("SELECT number FROM tutti_meta.generations WHERE is_active")
    switches.append((versions(world), apply_with_kills(world, sets[(ROUNDS + 1) % 2], chance), versions(world)))
    world.policies = sets[(ROUNDS + 1) % 2]
    world.settle()
    world.assert_equals_oracle()
    world.assert_numbers_dense(all_on_topic=False)
    world.assert_decisions_once()
    for messages in world.stage_changes().values():
        for one, two in zip(messages, messages[1:]):
            assert {**one, "version": None} != {**two, "version": None} or is_history(switches, one, two), f"said twice: {messages}"
    assert {service.name for service in world.services} == set(NAMES)
    world.stop()


def become_bank(world):
    shutil.copytree(BANK, world.policies, dirs_exist_ok=True)


def test_everything_is_derived_into_the_other_slot(stack, make_world, tmp_path):
    world = make_world(stack, "slots", policies=before(tmp_path / "slots"), settings=SETTINGS)
    world.generate("bank", people=120, events=2500)
    started = world.start()
    world.produce(world.lines)
    world.settle()
    world.stop(started[:-1])
    assert "are the active ones" in world.tool("policy", "plan", world.policies).stdout
    shown = world.checksums()
    figures = json.loads(world.tool("policy", "plan", BANK, "--json").stdout)["figures"]
    assert {row["figure"] for row in figures} >= {"goal", "conversions", "revenue", "segment", "opportunities"}
    assert world.checksums() == shown
    assert slot_rows(world, 1) == {} and world.query("SELECT count(*) FROM tutti_meta.generations") == [(1,)]
    become_bank(world)
    print(world.tool("policy", "apply").stderr)
    world.stop(started[-1:])
    for service in started:
        service.start().wait_ready()
    world.settle()
    world.assert_equals_oracle()
    assert world.query("SELECT slot FROM tutti_meta.generations WHERE is_active") == [(1,)]
    assert slot_rows(world, 0) == {}


def told(world):
    """{id: states that were told of it, in order}"""
    found = {}
    for message in sorted(world.messages("opportunities"), key=lambda message: message["version"]):
        found.setdefault(message["retracts"] or message["id"], []).append((message["rule_id"], message["state"]))
    return sorted(found.values())


def test_live_opportunities_are_told_and_taken_back(stack, make_world, tmp_path):
    sets = [before(tmp_path / "retailer"), BANK]
    world = make_world(stack, "told", policies=sets[0], settings={**SETTINGS, "policy.from": "database"})
    world.start()
    feed(world, touchpoint("1", NOW - 2 * HOUR, "Complaint Filed", user_id="jane"), touchpoint("2", NOW - 900 * DAY, "Complaint Filed", user_id="joe"))
    known = told(world)
    world.tool("policy", "apply", BANK)
    world.settle()
    (opened,) = [states for states in told(world) if states not in known]
    assert opened == [("complaint", "open")]
    assert "are active" in world.tool("policy", "apply", BANK).stderr, "once more: nothing to do"
    world.tool("policy", "apply", sets[0])
    world.settle()
    assert [("complaint", "open"), ("complaint", "retracted")] in told(world)
    world.stop()


def test_one_at_a_time_and_an_interrupted_one_is_named(world):
    world.start(names=["metrics-aggregator"])
    world.policies = before(world.directory / "other")
    shutil.copy(RETAILER / "contact.json", world.policies)
    goals = json.loads((world.policies / "goals.json").read_text())
    (world.policies / "goals.json").write_text(json.dumps(goals, indent=1))  # other bytes, the same meaning
    with psycopg.connect(world.url) as other:
        other.execute("LOCK TABLE tutti_meta.review_lock IN EXCLUSIVE MODE")
        for words in (("apply",), ("plan",)):
            refused = world.tool("policy", *words, check=False)
            assert refused.returncode == 1 and "is at work" in refused.stderr, refused.stderr
    with psycopg.connect(world.url) as other:
        other.execute("INSERT INTO tutti_meta.generations (generation, policies, slot, is_active, is_building) VALUES (gen_random_uuid(), '{}', 1, false, true)")
    refused = world.tool("policy", "plan", check=False)
    assert refused.returncode == 1 and "was interrupted" in refused.stderr, refused.stderr
    assert "was interrupted" in world.tool("doctor", check=False).stdout
    world.tool("policy", "apply")
    assert world.query("SELECT count(*) FILTER (WHERE is_active AND slot = 1), count(*) FILTER (WHERE is_building) FROM tutti_meta.generations") == [(1, 0)]
    assert "was interrupted" not in world.tool("doctor", check=False).stdout
    world.stop()
