"""Other ranks on a filled database: `tutti identity apply` ends with the tables of a database that always had them."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess

import psycopg
import pytest

from cluster import NAMES, RETAILER
from people import (
    DAY,
    HOUR,
    RECENT,
    START,
    US,
    feed,
    identity,
    identity_tables,
    opted_out_family,
    order,
    profiles,
    request,
    touchpoint,
)
from stack import BIN, plain_environment
from test_identity_policies import crowd, doctor_on_identity, policy_file
from traces import erase, traces
from waiting import until

# Nearly every touchpoint with two identifiers comes under another one.
RANKS = {"user_id": 7, "email": 2, "phone": 1, "loyalty_id": 4, "external_id": 6, "device_id": 3, "anonymous_id": 5}
PAIRS = [{"types": ["user_id", "external_id"], "links": False}]


@pytest.fixture
def world(stack, make_world, tmp_path, request):
    """With the retailer's policies, but that an external id links nothing: alone in its profile, and of no journey yet."""
    folder = tmp_path / "first"
    shutil.copytree(RETAILER, folder)
    policy_file(folder, pairs=PAIRS)
    return make_world(stack, request.node.name.replace("_", "-").split("[")[0][:40], policies=folder)


def ranked_folder(world):
    """The same with other ranks."""
    folder = world.directory / "ranked"
    shutil.copytree(RETAILER, folder)
    policy_file(folder, pairs=PAIRS, types={kind: {"rank": rank} for kind, rank in RANKS.items()})
    return folder


def mixed(people, seed=3):
    """People who share devices, phones and e-mails, and contradict each other, with orders, opt-outs, holds and requests."""
    chance = random.Random(seed)
    for number in range(people):
        start = RECENT - chance.randrange(60) * DAY + chance.randrange(1000) * US
        user, mail = f"user-{number}", f"mail-{number if number % 4 else number // 8}@example1.com"
        phone, device = f"+1555{number // 3:07d}", f"kiosk-{number % 2}" if number % 5 == 0 else f"device-{number // 2}"
        consent = {"email": True, "sms": True, "direct_mail": True}
        yield touchpoint(f"a{number}", start, user_id=user, email=mail, traits_json=json.dumps({"city": f"city {number % 3}", "loyalty_tier": "gold"}))
        yield touchpoint(f"b{number}", start + HOUR, user_id=user, device_id=device, anonymous_id=f"cookie-{number}")
        known = json.dumps({"city": f"city {number % 2}", "loyalty_tier": None})
        yield touchpoint(f"c{number}", start + 2 * HOUR, email=mail, phone=phone, loyalty_id=f"card-{number // 6}", traits_json=known)
        sale = {"value_micros": number * US, "currency": "USD", "order_id": f"order-{number}", "product_category": "printers"}
        yield touchpoint(f"d{number}", start + 3 * HOUR, "Order Completed", user_id=user, phone=phone, **sale)
        if number % 2:  # the same message with what the browser knew, and a return of all or of a part
            yield touchpoint(f"d{number}", start + 3 * HOUR, "Order Completed", anonymous_id=f"cookie-{number}", device_id=device, **sale)
            back = {**sale, "value_micros": (number // 2 + 1) * US}
            yield touchpoint(f"z{number}", start + 14 * HOUR, "Order Returned", user_id=user, email=mail, **back)
        yield touchpoint(f"e{number}", start + 4 * HOUR, anonymous_id=f"cookie-{number}", device_id=device)
        yield touchpoint(f"f{number}", start + 5 * HOUR, "Consent Given", user_id=user, email=mail, consent=consent)
        yield request(f"r{number}", start + 6 * HOUR, user_id=user, email=mail)
        if number % 5 == 0:  # the only link of this phone to the kiosk is a new one
            yield touchpoint(f"k{number}", start + 13 * HOUR, user_id=user, phone=f"+1666{number:07d}", device_id=device)
        if number % 3 == 0:
            yield touchpoint(f"g{number}", start + 7 * HOUR, "Consent Withdrawn", user_id=user, email=mail, phone=phone, consent={"email": False})
        if number % 7 == 0:
            yield touchpoint(f"h{number}", start + 8 * HOUR, "Complaint Filed", email=mail, device_id=device)
            yield request(f"q{number}", start + 9 * HOUR, phone=phone, email=mail)
        yield touchpoint(f"s{number}", start + 10 * HOUR, session_id=f"session-{number}")
        yield touchpoint(f"x{number}", start + 11 * HOUR, user_id=user, external_id=f"external-{number}")
        mails = [{"type": "email", "value": f"{which}-{number}@example1.com"} for which in ("one", "two", "three")]
        yield {**touchpoint(f"m{number}", start + 12 * HOUR, user_id=user), "identifiers": mails}
    yield from opted_out_family()


def where(world):
    return ("--journey-group", world.group("journey-tracker"), "--changes-topic", world.topic("identity.changes"))


def privacy_key(world):
    """The file of the key of raw values, which a test may keep."""
    path = world.directory / "privacy.key"
    if not path.exists():
        path.write_text("5c" * 32)
    return path


def apply(world, folder, *more, check=True):
    words = ("apply", "--policy", folder / "identity.json", *where(world), "--execute", "--force", "--privacy.key_file", privacy_key(world), *more)
    return identity(world, *words, check=check)


CHRONICLE = {  # columns; and of all tables loaded_at and shape
    "journey.order_changes": ["goal", "seller_shape", "money_shape", "touches"],
}
KEPT = ("journey.facts", "journey.sales", "journey.sale_copies", "journey.repeats", "journey.traits", "journey.order_changes")
KEPT += ("suppression.facts", "suppression.known_addresses")


def facts(world):
    """Every fact as it is stored, but when; and what is kept beside facts under their anchors."""
    return {
        table: world.query(
            f"SELECT to_jsonb(t) - %s::text[] AS r FROM {table} AS t ORDER BY 1", ["loaded_at", "shape", *CHRONICLE.get(table, ())]
        )
        for table in KEPT
    }


def offers(world):
    """Opportunities and what became of them. Their ids are of the anchors of their triggers."""
    return world.query("SELECT opportunity_id, step, anchor, by_anchor, by_at, by_event_id FROM journey.opportunities ORDER BY 1, 2, 5, 6, 4")


def assert_decisions_follow(world):
    """A decision is about the anchor of its request, of which the timeline is today's."""
    astray = world.query(
        "SELECT request_id FROM suppression.decisions AS d WHERE anchor IS NOT NULL AND NOT EXISTS ("
        " SELECT FROM suppression.facts AS f WHERE f.anchor = d.anchor AND f.event_id = d.request_id AND f.kind = 1)"
    )
    assert not astray
    assert world.query("SELECT count(*) FROM suppression.decisions")[0][0] > 0


def always_there(stack, make_world, world, folder, lines):
    """A world that never had another policy; lines are those of `world`."""
    always = make_world(stack, "always", policies=folder)
    always.key_file.write_text(world.key_file.read_text())
    always.key = world.key
    always.start()
    always.lines = list(lines)
    always.produce(always.lines)
    always.settle()
    return always


def assert_refused_are_marked(world):
    """Profiles without the mark grow without their links being read."""
    assert not world.query(
        "SELECT a, b FROM identity.links WHERE refused_by <> 0 AND NOT (SELECT bool_and(has_refused) FROM identity.identifiers"
        " WHERE identifier_id IN (a, b))"
    )


def snapshot(world):
    return facts(world), identity_tables(world), world.checksums()


def refused_start(world, name):
    """What a service says that does not start."""
    service = world.service(name).start()
    until(lambda: not service.is_alive(), 60, f"{name} refuses")
    world.services.remove(service)
    return service.last_lines()


def filled(world, people=40):
    services = world.start()
    feed(world, *mixed(people))
    return services


def test_other_ranks_as_if_always_there(stack, make_world, world):
    services = filled(world)
    before, told = facts(world), offers(world)
    folder = ranked_folder(world)
    plan = json.loads(identity(world, "plan", "--policy", folder / "identity.json", "--json").stdout)
    running = apply(world, folder, check=False)
    assert running.returncode == 1 and "services are running" in running.stderr, running.stderr
    assert facts(world) == before
    world.stop(services)
    world.policies = folder
    assert "identity apply" in refused_start(world, "identity-resolver")
    apply(world, folder, "--batch", 2)
    moved = world.query(
        "SELECT count(*) FROM jsonb_array_elements(%s::jsonb) AS b (f) WHERE NOT EXISTS (SELECT FROM journey.facts AS t"
        " WHERE t.anchor = (b.f ->> 'anchor')::bigint AND t.event_id = (b.f ->> 'event_id')::uuid)",
        json.dumps([row[0] for row in before["journey.facts"]]),
    )[0][0]
    assert plan["needs_services_stopped"] is True
    assert plan["facts_moved"] == moved > len(before["journey.facts"]) / 2
    assert_refused_are_marked(world)
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    assert_decisions_follow(world)
    assert plan["profiles_after"] == len(profiles(world))
    always = always_there(stack, make_world, world, folder, world.lines)
    assert identity_tables(world) == identity_tables(always)
    assert facts(world) == facts(always) and offers(world) == offers(always)
    assert all(facts(world).values()), "a table that is compared is empty"
    assert {row[0] for row in told} - {row[0] for row in offers(world)}, "no opportunity has another anchor"
    always.stop([service for service in always.services])
    check_replay(world, services)


def check_replay(world, services):
    """The same input again, from every topic's beginning and sent once more: nothing changes."""
    before = snapshot(world)
    world.stop(services)
    for name in ("identity-resolver", "journey-tracker", "suppression"):
        world.rewind(name)
    services = world.start()
    world.produce(world.lines)
    world.settle()
    assert snapshot(world) == before
    world.assert_equals_oracle()
    feed(world, touchpoint("later", RECENT + 9 * DAY, user_id="user-1", phone="+15550000000", email="mail-1@example1.com"))
    world.assert_equals_oracle()
    world.stop(services)


# --------------------------------------------------------------------------------------------------------- killed


def start_apply(world, folder, *more, **pipes):
    """`tutti identity apply` in the background, in the smallest steps."""
    environment = plain_environment(
        TUTTI_DATABASE_URL=world.url,
        TUTTI_KAFKA_BOOTSTRAP_SERVERS=world.stack.brokers,
        TUTTI_POLICY_DIR=str(world.policies),
        TUTTI_IDENTITY_KEY_FILE=str(world.key_file),
        TUTTI_PRIVACY_KEY_FILE=str(privacy_key(world)),
    )
    words = [BIN / "tutti", "identity", "apply", "--policy", folder / "identity.json", *where(world), "--execute", "--force"]
    words += ["--topic", world.topic("resolved"), "--group", world.group("suppression"), "--batch", "1", *map(str, more)]
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen(words, env=environment, **{**quiet, **pipes})


def kill(world, process):
    """And waits until the server has noticed: its locks are given back then."""
    assert process.poll() is None, "it ended before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def wait_forgotten(world):
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tutti'"
    until(lambda: world.query(others) == [(0,)], 60, "its connection is gone")


@contextlib.contextmanager
def write_protected(world, table):
    with psycopg.connect(world.url) as connection:
        connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield
        connection.rollback()


def killed_at(world, folder, table):
    """Killed while it waits to write to the table."""
    waits = """SELECT count(*) FROM pg_locks WHERE NOT granted
               AND (relation = %s::regclass OR relation IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass))"""
    with write_protected(world, table):
        process = start_apply(world, folder)
        until(lambda: world.query(waits, table, table) == [(1,)] or process.poll() is not None, 60, f"it comes to {table}")
        kill(world, process)
    wait_forgotten(world)


def killed_in(world, folder, phase, next_table, at="after_anchor > 0"):
    """Killed in the middle of a phase, or just behind it: what the next one writes to is held."""
    state = f"SELECT count(*) FROM tutti_meta.reanchoring WHERE phase > {phase} OR (phase = {phase} AND {at})"
    with write_protected(world, next_table):
        process = start_apply(world, folder)
        until(lambda: world.query(state) == [(1,)] or process.poll() is not None, 60, f"it walks in phase {phase}")
        kill(world, process)
    wait_forgotten(world)


def test_killed_anywhere_and_run_again(stack, make_world, world):
    services = filled(world, people=60)
    folder = ranked_folder(world)
    world.stop(services)
    world.policies = folder
    killed_at(world, folder, "metrics.cells")  # in the switch: all of it or nothing
    assert world.query("SELECT count(*) FROM tutti_meta.reanchoring") == [(0,)]
    phases = []
    for table in ("identity.identifiers", "journey.facts", "suppression.facts", "identity.policies", "journey.states"):
        killed_at(world, folder, table)
        phases.append(world.query("SELECT phase FROM tutti_meta.reanchoring")[0][0])
        if table == "journey.facts":
            killed_in(world, folder, 2, "suppression.facts")
        if table == "suppression.facts":
            killed_in(world, folder, 3, "identity.policies")
            check_refusals_meanwhile(world)
    assert phases == [1, 2, 3, 4, 6]
    apply(world, folder)
    assert world.query("SELECT count(*) FROM tutti_meta.reanchoring") == [(0,)]
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    assert_decisions_follow(world)
    always = always_there(stack, make_world, world, folder, world.lines)
    assert facts(world) == facts(always) and identity_tables(world) == identity_tables(always)
    always.stop(always.services)
    world.stop(services)


def check_refusals_meanwhile(world):
    """No service works on facts of which some have old anchors and some new ones."""
    for name in NAMES:
        assert "tutti identity apply" in refused_start(world, name)
    finding = doctor_on_identity(world)
    assert finding["verdict"] == "fail" and "no service starts" in finding["text"], finding
    assert str(world.policies) in finding["fix"], "the file in policy.dir is the one"
    other_folder = doctor_on_identity(world, "--policy.dir", RETAILER)
    assert str(RETAILER) not in other_folder["fix"], "that would be another policy"
    for words in (
        ("policy", "apply", RETAILER / "bank"),
        ("erase", "email:home@example1.com", "--reason", "asked", "--execute"),
        ("identity", "release", "email:home@example1.com", "--reason", "wrong"),
    ):
        refused = world.tool(*words, check=False)
        assert refused.returncode == 1 and "tutti identity apply" in refused.stderr, refused.stderr
    other = policy_file(world.directory / "other", types={"email": {"rank": 40}})
    for word, path in (("plan", world.policies / "identity.json"), ("plan", other), ("apply", other)):
        refused = identity(world, word, "--policy", path, check=False)
        assert refused.returncode == 1 and "with that policy first" in refused.stderr, refused.stderr


# ------------------------------------------------------------------------------------------------------- refusals


def test_lag_is_refused(world):
    """A resolved touchpoint that was not read would come under its old anchor."""
    services = world.start(names=["identity-resolver", "suppression"])
    world.produce([json.dumps(record) for record in mixed(5)])
    world.settle(names=["identity-resolver", "suppression"])
    world.stop(services)
    folder = ranked_folder(world)
    refused = apply(world, folder, check=False)
    assert refused.returncode == 1 and "journey-tracker has not read" in refused.stderr, refused.stderr
    assert world.query("SELECT version, is_active FROM identity.policies") == [(1, True)]
    services = world.start(names=["journey-tracker"])
    world.settle(names=["identity-resolver", "suppression", "journey-tracker"])
    world.stop(services)
    apply(world, folder)


def test_waiting_messages_are_refused(world):
    services = filled(world, people=3)
    world.stop(services)
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("INSERT INTO identity.outbox VALUES (2, 0, gen_random_uuid(), '')")
    refused = apply(world, ranked_folder(world), check=False)
    assert refused.returncode == 1 and "wait to be published" in refused.stderr, refused.stderr



@pytest.mark.parametrize(
    "change, words",
    [
        ({"types": {"phone": {"type": "mobile"}}}, "phone cannot be removed or renamed"),
        ({"types": {"phone": {"normalise": "plain"}}}, "the type phone: how its values are"),
        ({"types": {"email": {"match_hashed": False}}}, "3 identifiers of it are stored as hashes (raw values of 0 are kept)"),
        ({"types": {"loyalty_id": {"scope": "source"}}}, "the type loyalty_id: how its values are"),
        ({"default_calling_code": "49"}, "the type phone: how its values are"),
        ({"gmail_dots_and_plus": True}, "the type email: how its values are"),
        ({"types": {"email": {"links": False}}}, "the type email: how its values are"),
    ],
)
def test_what_stored_identifiers_do_not_allow(world, change, words):
    services = world.start()
    feed(world, *opted_out_family())
    feed(world, *(touchpoint(str(n), START, email=f"{n}@example1.com", loyalty_id=f"card-{n}") for n in range(2)))
    world.stop(services)
    path = policy_file(world.directory / "other", **change)
    for word in ("plan", "apply"):
        refused = identity(world, word, "--policy", path, check=False)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr


def test_rules_of_a_type_without_identifiers(world):
    """Nothing is stored that they would change; of an erased person only hashes are known."""
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", email="Jane@Example1.com"))
    world.stop(services)
    folder = world.directory / "hashes"
    shutil.copytree(RETAILER, folder)
    path = policy_file(folder, default_calling_code="49", types={"loyalty_id": {"scope": "source"}})
    apply(world, folder)
    world.policies = folder
    services = world.start()
    feed(world, touchpoint("2", START, phone="0151 2345", loyalty_id="card"), touchpoint("3", START, loyalty_id="card"))
    world.assert_equals_oracle()
    world.stop(services)
    world.tool("erase", "user_id:jane", "--reason", "asked for it", "--execute")
    path = policy_file(folder, default_calling_code="49", types={"external_id": {"scope": "source"}})
    refused = identity(world, "plan", "--policy", path, check=False)
    assert refused.returncode == 1 and "2 of any type were erased" in refused.stderr, refused.stderr


def test_a_new_type_acts_on_what_arrives(world):
    """It may be the strongest; the plan says what a replay would do."""
    services = filled(world, people=6)
    world.stop(services)
    policy = json.loads((RETAILER / "identity.json").read_text())
    for entry in policy["types"]:
        entry["rank"] += 1
    policy["types"].append({"type": "crm_id", "rank": 1})
    folder = world.directory / "more"
    shutil.copytree(RETAILER, folder)
    (folder / "identity.json").write_text(json.dumps(policy))
    plan = identity(world, "plan", "--policy", folder / "identity.json", "--json")
    assert "crm_id is new" in plan.stderr and "do not read old input again" in plan.stderr, plan.stderr
    assert json.loads(plan.stdout)["facts_moved"] == 0
    before = facts(world)
    apply(world, folder)
    assert facts(world) == before
    world.policies = folder
    services = world.start()
    listed = [{"type": "crm_id", "value": "4711"}, {"type": "email", "value": "mail-1@example1.com"}]
    feed(world, {**touchpoint("crm", RECENT + DAY), "identifiers": listed})
    world.assert_equals_oracle()
    world.stop(services)


def test_orders_hold(world):
    """What operators cut, linked and released is evidence under any ranks."""
    services = world.start()
    feed(world, *crowd(40))
    mail, phone = "email:user-1@example1.com", "phone:+15550000000"
    order(world, "unlink", mail, phone, "--reason", "two people")
    order(world, "link", "user_id:user-7", "device_id:device-12", "--reason", "the same")
    order(world, "release", "device_id:kiosk-1", "--reason", "a family's")
    world.assert_equals_oracle()
    world.stop(services)
    folder = ranked_folder(world)
    before = world.query("SELECT * FROM tutti.fct_identity_orders ORDER BY order_id")
    apply(world, folder, "--batch", 5)
    world.policies = folder
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    assert world.query("SELECT * FROM tutti.fct_identity_orders ORDER BY order_id") == before
    feed(world, touchpoint("again", START + DAY, email="user-1@example1.com", phone="+15550000000"))
    world.assert_equals_oracle()
    world.stop(services)


def test_an_erased_identifier_anchors_nothing(world):
    """It was the strongest by the new ranks, of a touchpoint of another person."""
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", email="home@example1.com"))
    feed(world, touchpoint("2", START + HOUR, user_id="other", email="home@example1.com", loyalty_id="card"))
    world.stop(services)
    world.tool("erase", "user_id:jane", "--reason", "asked for it", "--execute")
    folder = ranked_folder(world)
    apply(world, folder)
    world.policies = folder
    services = world.start()
    world.settle()
    kept = "SELECT type FROM tutti.dim_identifiers ORDER BY 1"
    assert world.query(kept) == [("loyalty_id",), ("user_id",)]
    (row,) = world.query("SELECT anchor, length(others) FROM journey.facts")
    (card,) = world.query("SELECT tutti_meta.short_key(identifier_id) FROM tutti.dim_identifiers WHERE type = 'loyalty_id'")
    assert row == (card[0], 8)
    before = snapshot(world)
    world.produce(world.lines)
    world.settle()
    assert snapshot(world) == before and world.query(kept) == [("loyalty_id",), ("user_id",)]
    world.stop(services)


def test_one_event_with_two_bodies(world):
    """The sender's error: two anchors, and one under other ranks. The first stays; nothing fails."""
    services = world.start()
    first = touchpoint("same", START, user_id="one", email="shared@example1.com")
    second = touchpoint("same", START, user_id="two", email="shared@example1.com")
    feed(world, first)
    world.produce([json.dumps(second)])
    world.settle()
    world.stop(services)
    count = "SELECT count(*) FROM journey.facts"
    assert world.query(count) == [(2,)]
    folder = ranked_folder(world)
    apply(world, folder)
    assert world.query(count) == [(1,)]
    world.policies = folder
    services = world.start()
    world.produce([json.dumps(second)])
    world.settle()
    assert world.query(count) == [(1,)]
    world.stop(services)


def test_erasing_after_a_change_of_ranks(world):
    """A request named Jane and Bob's address, and was decided about Jane; under the new ranks it is Bob's, and nothing names her."""
    services = world.start()
    feed(world, touchpoint("1", RECENT, user_id="bob", email="home@example1.com"), touchpoint("2", RECENT, user_id="jane", loyalty_id="card"))
    feed(world, request("ask", RECENT + HOUR, user_id="jane", email="home@example1.com"))
    world.stop(services)
    folder = ranked_folder(world)
    apply(world, folder)
    world.policies = folder
    services = world.start()
    world.settle()
    assert_decisions_follow(world)
    gone = erase(world, "user_id:jane")["identifiers"]
    assert len(gone) == 2 and traces(world, gone) == {}
    kept = "SELECT message_id FROM tutti.fct_touchpoints ORDER BY 1"
    assert world.query(kept) == [("1",), ("ask",)] and world.query("SELECT count(*) FROM tutti.fct_contact_decisions") == [(1,)]
    world.stop(services)


def test_opt_outs_with_one_event_id_stay(world):
    """A list of opt-outs in which all lines have one message id: two of them come to have one anchor, and no opt-out is lost."""
    services = world.start()
    names = {"jane": {"email": False}, "joan": {"sms": False}}
    feed(world, *(touchpoint("list", RECENT, "Consent Withdrawn", user_id=who, email="shared@example1.com", consent=no) for who, no in names.items()))
    said = "SELECT f.consent FROM suppression.facts AS f JOIN tutti.dim_identifiers AS i ON f.anchor = tutti_meta.short_key(i.identifier_id)"
    users = said + " WHERE i.type = 'user_id' ORDER BY 1"
    assert world.query(users) == [("-email",), ("-sms",)]
    before = world.query(said + " WHERE i.type = 'email'")
    world.stop(services)
    folder = ranked_folder(world)
    apply(world, folder)
    assert world.query(users) == [("-email",), ("-sms",)]
    mail = said + " WHERE i.type = 'email'"
    assert world.query(mail) == before, "the first stays"
    world.policies = folder
    services = world.start()
    world.produce(world.lines)
    world.settle()
    assert world.query(users) == [("-email",), ("-sms",)]
    world.stop(services)
