"""Other rules for values on a filled database, where raw values are kept: identifiers become others, become one, or disappear, and
`tutti identity apply` ends with the tables of a database that always had these rules."""

import hashlib
import json
import random
import shutil
import subprocess
import time

import psycopg
import pytest

from cluster import RETAILER
from people import DAY, HOUR, RECENT, START, US, feed, identity, identity_tables, order, profiles, request, touchpoint
from test_identity_policies import policy_file
from test_identity_reanchor import (
    always_there,
    apply,
    assert_decisions_follow,
    assert_refused_are_marked,
    check_replay,
    facts,
    killed_at,
    killed_in,
    mixed,
    privacy_key,
    snapshot,
    start_apply,
    where,
)
from traces import erase, short_key, traces, wait_past_erasure

RESOLVER = "identity-resolver"
LOCK_ROWS = {"journey.states.profile", "suppression.states.profile"}  # of profiles that were; empty
PLAIN = {"email": {"normalise": "plain", "match_hashed": False}, "phone": {"normalise": "plain"}}
BLOCKED = json.loads((RETAILER / "identity.json").read_text())["blocked"]


def folder_of(world_or_path, name, **changes):
    """The retailer's policies with another identity policy."""
    folder = getattr(world_or_path, "directory", world_or_path) / name
    shutil.copytree(RETAILER, folder)
    policy_file(folder, **changes)
    return folder


def keep_values(world):
    settings_of = world.settings_of
    keeping = {"privacy.raw_values": "true", "privacy.key_file": privacy_key(world)}
    world.settings_of = lambda name: {**settings_of(name), **(keeping if name == RESOLVER else {})}


@pytest.fixture
def world(stack, make_world, tmp_path, request):
    """E-mails and phones as they are sent, and what is sent is kept."""
    folder = folder_of(tmp_path, "first", types=PLAIN)
    made = make_world(stack, request.node.name.replace("_", "-").split("[")[0][:40], policies=folder)
    keep_values(made)
    return made


def plan(world, folder, *words):
    said = identity(world, "plan", "--policy", folder / "identity.json", "--json", "--privacy.key_file", privacy_key(world), *words)
    return json.loads(said.stdout)


# ------------------------------------------------------------------------------------------------------ the input


def spelled(chance, kind, value):
    """The same e-mail or phone number in another spelling; of some e-mails the digest."""
    if kind == "email":
        if chance.random() < 0.2:
            return {"type": kind, "value": hashlib.sha256(value.encode()).hexdigest(), "encoding": "sha256"}
        value = "".join(c.upper() if chance.random() < 0.1 else c for c in value)
    if kind == "phone" and chance.random() < 0.5:
        value = f"(0{value[2:5]}) {value[5:8]}-{value[8:]}"
    return {"type": kind, "value": value}


def as_written(records, seed=11):
    """Everybody writes as they like, and some have an address with dots."""
    chance = random.Random(seed)
    for record in records:
        listed = [spelled(chance, one["type"], one["value"]) for one in record.get("identifiers", ())]
        yield {**record, **({"identifiers": listed} if listed else {})}


def dotted(number):
    """A person whose provider does not look at dots; and what is blocked later: a card, alone and with others, a terminal."""
    start = RECENT - number * DAY
    yield touchpoint(f"dot-a{number}", start, user_id=f"user-{number}", email=f"first.last{number}@gmail.com")
    yield touchpoint(f"dot-b{number}", start + HOUR, email=f"FirstLast{number}+news@gmail.com", loyalty_id=f"dotted-{number}")
    yield touchpoint(f"dot-c{number}", start + 2 * HOUR, "Consent Withdrawn", email=f"f.irstlast{number}@gmail.com", loyalty_id="TEST-card")
    yield touchpoint(f"dot-d{number}", start + 3 * HOUR, loyalty_id="TEST-card", device_id="-till-", consent={"sms": False})
    yield request(f"dot-r{number}", start + 4 * HOUR, loyalty_id="test-card")
    yield touchpoint(f"dot-e{number}", start + 5 * HOUR, "Complaint Filed", loyalty_id="test-card", phone="call me", device_id=f"device-{number}")
    yield touchpoint(f"dot-g{number}", start + 7 * HOUR, "Complaint Filed", email=f"f.irstLast{number}@gmail.com", phone=f"+1555{number:07d}")
    yield touchpoint(f"dot-f{number}", start + 6 * HOUR, phone="call me")


HOMES = [("alice", "Home@example1.com"), ("bob", "HOME@example1.com")]
SAID = [
    ("Page Viewed", {}),
    ("Consent Withdrawn", {"consent": {"email": False, "sms": True}}),
    ("Complaint Filed", {}),
    ("Order Completed", {"value_micros": 1000000, "currency": "USD"}),
]


def jumbled(records, seed=5):
    """Several values of a type at once, in any order, from few people."""
    chance = random.Random(seed)
    for number in range(records):
        listed = [spelled(chance, "email", f"mail-{chance.randrange(12)}@example1.com") for _ in range(chance.randrange(4))]
        listed += [spelled(chance, "phone", f"+1555{chance.randrange(6):07d}") for _ in range(chance.randrange(3))]
        listed += [{"type": "loyalty_id", "value": chance.choice(["card-1", "TEST-card", "test-card"])} for _ in range(chance.randrange(2))]
        listed += [{"type": "device_id", "value": chance.choice(["-till-", "device-1", "device-2"])} for _ in range(chance.randrange(2))]
        chance.shuffle(listed)
        at = RECENT - chance.randrange(30) * DAY
        event, more = chance.choice(SAID)
        made = request(f"z{number}", at) if chance.random() < 0.2 else touchpoint(f"z{number}", at, event, **more)
        yield {**made, **({"identifiers": listed} if listed else {})}


def unlike(people=40):
    yield from as_written(mixed(people))
    yield from jumbled(people)
    for number in range(6):
        yield from dotted(number)


def later_rules(world, **more):
    """Normalised and matched by their digests, some values blocked, and other ranks."""
    blocked = {**BLOCKED, "values": [*BLOCKED["values"], "test-card"], "patterns": [*BLOCKED["patterns"], {"pattern": "^[a-z-]+$", "type": "device_id"}]}
    types = {"user_id": {"rank": 30}, "device_id": {"rank": 3}, "phone": {"rank": 1}, **more}
    return folder_of(world, "later", gmail_dots_and_plus=True, blocked=blocked, types=types)


def filled(world, people=40):
    services = world.start()
    feed(world, *unlike(people))
    return services


def identifiers(world):
    return {row[0] for row in world.query("SELECT identifier_id FROM identity.identifiers")}


def without(rows, others):
    return [row for row in rows if row not in others]


def assert_as_always_there(stack, make_world, world, folder):
    always = always_there(stack, make_world, world, folder, world.lines)
    for found, wanted in zip(identity_tables(world), identity_tables(always)):
        assert found == wanted
    found, wanted = facts(world), facts(always)
    for table, rows in found.items():
        assert without(rows, wanted[table]) == without(wanted[table], rows) == [], table
    assert world.checksums() == always.checksums()
    always.stop(always.services)


def assert_values_open(world):
    """Every identifier has its value, and no other value is kept."""
    kept = "SELECT identifier_id FROM identity.raw_values"
    assert {row[0] for row in world.query(kept)} == identifiers(world)
    for identifier in sorted(identifiers(world))[:10]:
        revealed = identity(world, "reveal", identifier, "--privacy.key_file", privacy_key(world))
        assert revealed.stdout.strip()


def test_other_values_as_if_always_there(stack, make_world, world):
    services = filled(world)
    folder, before = later_rules(world), identifiers(world)
    said = plan(world, folder, "--limit", 1000)
    running = apply(world, folder, check=False)
    assert running.returncode == 1 and "services are running" in running.stderr, running.stderr
    world.stop(services)
    apply(world, folder, "--batch", 2)
    after = identifiers(world)
    assert world.query("SELECT count(*) FROM tutti_meta.renamed") == [(0,)]
    world.policies = folder
    assert_refused_are_marked(world)
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    assert_decisions_follow(world)
    assert_values_open(world)
    check_plan(world, said, before, after)
    assert_as_always_there(stack, make_world, world, folder)
    assert set(traces(world, before - after)) <= LOCK_ROWS
    check_replay(world, services)


def check_plan(world, said, before, after):
    """What it had said beforehand."""
    assert said["needs_services_stopped"] is True
    assert said["renamed"] > 100 and said["vanished"] == 4 and said["united"] > 50
    assert said["identifiers"] == len(before)
    assert said["identifiers"] - said["united"] - said["vanished"] == len(after)
    assert said["profiles_after"] == len(profiles(world))
    gone = {one["identifier"]: one["becomes"] for one in said["examples_renamed"]}
    assert set(gone) == {str(one) for one in before - after}
    assert set(gone.values()) - {None} <= {str(one) for one in after}
    never = sum("identifiers" not in line and not any(f'"{kind}_id"' in line for kind in ("user", "anonymous", "session")) for line in world.lines)
    assert said["facts_left"] == world.query("SELECT count(*) FROM tutti.fct_unidentified_touchpoints")[0][0] - never > 0


def test_killed_anywhere_and_run_again(stack, make_world, world):
    services = filled(world, people=30)
    folder, before = later_rules(world), identifiers(world)
    world.stop(services)
    killed_at(world, folder, "tutti_meta.renamed")
    killed_at(world, folder, "metrics.cells")  # in the switch: all of it or nothing
    assert world.query("SELECT count(*) FROM tutti_meta.reanchoring") == [(0,)] and identifiers(world) == before
    phases = []
    for table in ("identity.manual_evidence", "identity.links", "suppression.facts", "identity.policies", "suppression.decisions", "journey.stage_changes"):
        if table == "identity.links":
            killed_in(world, folder, 0, "identity.links", at="after_id > '00000000-0000-0000-0000-000000000000'")
        killed_at(world, folder, table)
        phases.append(world.query("SELECT phase FROM tutti_meta.reanchoring")[0][0])
        if table == "identity.manual_evidence":
            lacking = identity(world, "apply", "--policy", folder / "identity.json", *where(world), "--execute", check=False)
            assert lacking.returncode == 1 and "raw values are sealed with it" in lacking.stderr, lacking.stderr
        if table == "identity.links":
            killed_in(world, folder, 2, "suppression.facts")
        if table == "suppression.facts":
            killed_in(world, folder, 3, "identity.policies")
    assert phases == [0, 2, 3, 4, 5, 6]
    apply(world, folder)
    assert world.query("SELECT count(*) FROM tutti_meta.reanchoring") == [(0,)]
    world.policies = folder
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    assert_decisions_follow(world)
    assert_values_open(world)
    assert_as_always_there(stack, make_world, world, folder)
    world.stop(services)


# ----------------------------------------------------------------------------------------------------- one by one


def count(world, table="identity.identifiers"):
    return world.query(f"SELECT count(*) FROM {table}")[0][0]


def renamed_to(world, folder):
    """Applied; afterwards all is as the oracle has it, and stays so when everything is read again."""
    world.stop([service for service in world.services if service.is_alive()])
    apply(world, folder)
    world.policies = folder
    services = world.start()
    world.settle()
    world.assert_equals_oracle()
    before = snapshot(world)
    world.produce(world.lines)
    world.settle()
    assert snapshot(world) == before
    world.assert_equals_oracle()
    world.stop(services)


def test_two_people_become_one(world):
    """One address in two spellings, and an opt-out under one of them."""
    world.start()
    feed(world, touchpoint("1", RECENT, email="Home@Example1.com", loyalty_id="card"), touchpoint("2", RECENT + HOUR, email="home@example1.com", device_id="tv"))
    feed(world, touchpoint("no", RECENT + 2 * HOUR, "Consent Withdrawn", device_id="tv", email="HOME@example1.com", consent={"email": False}))
    assert len(profiles(world)) == 2 and count(world) == 5
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    said = plan(world, folder)
    assert [said[name] for name in ("renamed", "united", "vanished", "facts_left", "merges_gained")] == [2, 2, 0, 0, 1]
    renamed_to(world, folder)
    assert len(profiles(world)) == 1 and count(world) == 3


def test_who_is_identified_stays_so(stack, make_world, tmp_path):
    """By an identifier of a unique type that is the anchor of no touchpoint, and becomes another one."""
    unique = {"user_id": {"unique": False}, "phone": {"normalise": "plain"}}
    plain = {"unique": True, "normalise": "plain", "match_hashed": False, "max_links": {}}
    world = make_world(stack, "identified", policies=folder_of(tmp_path, "first", types={**unique, "email": plain}))
    keep_values(world)
    world.start()
    feed(world, touchpoint("1", RECENT, user_id="ann", email="Ann@Example1.com"), touchpoint("2", RECENT, user_id="bob"))
    identified = "SELECT is_identified, count(*) FROM tutti.dim_profiles GROUP BY 1 ORDER BY 1"
    assert world.query(identified) == [(False, 1), (True, 1)]
    folder = folder_of(world, "later", types={**unique, "email": {**plain, "normalise": "email"}})
    assert plan(world, folder)["renamed"] == 1
    world.stop()
    apply(world, folder)
    mapped = "SELECT i.identifier_id FROM journey.anchors AS a JOIN identity.identifiers AS i ON i.identifier_id = a.anchor_id WHERE a.version & 2 <> 0"
    assert len(world.query(mapped)) == 1
    assert world.query(identified) == [(False, 1), (True, 1)]


def test_the_plan_sees_opt_outs_of_every_spelling(world):
    """Said under a spelling that becomes another identifier, of a customer who would be divided."""
    world.start()
    feed(world, *(touchpoint(name, RECENT, email=mail, loyalty_id="card") for name, mail in (("1", "home@example1.com"), ("2", "HOME@example1.com"))))
    feed(world, touchpoint("no", RECENT + HOUR, "Consent Withdrawn", email="HOME@example1.com", consent={"email": False}))
    assert len(profiles(world)) == 1
    pairs = [{"types": ["email", "loyalty_id"], "links": False}]
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}}, pairs=pairs)
    said = plan(world, folder)
    assert [said[name] for name in ("united", "profiles_after", "opt_outs_at_risk")] == [1, 2, 1]


def test_orders_follow_their_identifiers(world):
    """What operators linked, cut and released; an order about two spellings of one value is void."""
    world.start()
    feed(world, *(touchpoint(f"{n}", START + n * HOUR, user_id=f"user-{n}", email=mail) for n, mail in enumerate(["One@example1.com", "one@example1.com", "TWO@example1.com"])))
    order(world, "unlink", "email:One@example1.com", "email:one@example1.com", "--reason", "two spellings")
    order(world, "link", "user_id:user-0", "email:TWO@example1.com", "--reason", "the same")
    order(world, "link", "user_id:user-0", "user_id:user-1", "--same-person", "--reason", "a new number")
    order(world, "unlink", "user_id:user-2", "email:TWO@example1.com", "--reason", "not hers")
    order(world, "release", "email:TWO@example1.com", "--reason", "a family's")
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    renamed_to(world, folder)
    kinds = [row[0] for row in world.query("SELECT kind FROM identity.manual_evidence ORDER BY id")]
    assert kinds == ["link", "same", "cut", "release"]


def test_the_newest_order_about_a_pair_counts(world):
    """Also where it was about another spelling: the plan says what becomes of it."""
    world.start()
    feed(world, *(touchpoint(f"{n}", START + n * HOUR, loyalty_id=f"card-{n}", email=mail) for n, mail in enumerate(["One@example1.com", "one@example1.com"])))
    order(world, "unlink", "loyalty_id:card-0", "email:One@example1.com", "--reason", "not hers")
    order(world, "link", "loyalty_id:card-0", "email:one@example1.com", "--reason", "hers after all")
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    said = plan(world, folder)
    renamed_to(world, folder)
    assert said["profiles_after"] == len(profiles(world)) == 1


def test_blocked_values_alone(world):
    """A value that was never meant to be one joins no one any more; services may run where nothing stored is blocked."""
    services = world.start()
    for number in range(3):
        feed(world, touchpoint(f"a{number}", START + number * HOUR, user_id=f"user-{number}", loyalty_id="Nobody"))
    feed(world, touchpoint("alone", START, loyalty_id="NOBODY"), touchpoint("order", START, "Order Completed", loyalty_id="nobody", device_id="tv"))
    blocked = {**BLOCKED, "values": [*BLOCKED["values"], "nothing-like-it"]}
    folder = folder_of(world, "none", types=PLAIN, blocked=blocked)
    assert plan(world, folder)["needs_services_stopped"] is False
    apply(world, folder)
    assert services[0].is_alive()
    blocked["types"] = {**BLOCKED["types"], "loyalty_id": ["nobody"]}
    folder = folder_of(world, "some", types=PLAIN, blocked=blocked)
    said = plan(world, folder)
    assert [said[name] for name in ("renamed", "vanished", "facts_left", "needs_services_stopped")] == [0, 3, 1, True]
    tried = identity(world, "plan", "--policy", folder / "identity.json", "--privacy.key_file", privacy_key(world))
    assert "1 touchpoints would be left without an identifier" in tried.stderr and "do not read it again" in tried.stderr, tried.stderr
    renamed_to(world, folder)
    assert count(world) == 4
    assert world.query("SELECT message_id FROM tutti.fct_unidentified_touchpoints") == [("alone",)]


def test_blocked_values_without_raw_values(world, make_world, stack, tmp_path):
    """A listed value leaves what is stored, though no raw value is kept: no order is counted twice when it comes again."""
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", loyalty_id="nobody"), touchpoint("2", START, user_id="joan", loyalty_id="Nobody"))
    feed(world, touchpoint("order", START, "Order Completed", loyalty_id="NOBODY", device_id="tv"), touchpoint("alone", START, loyalty_id='"nobody"'))
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("DELETE FROM identity.raw_values")
    world.stop(services)
    folder = folder_of(world, "some", types=PLAIN, blocked={**BLOCKED, "values": [*BLOCKED["values"], "nobody"]})
    said = identity(world, "plan", "--policy", folder / "identity.json", "--privacy.key_file", privacy_key(world)).stderr
    assert "the type loyalty_id are different: a listed value leaves what is stored" in said and "patterns" in said, said
    renamed_to(world, folder)
    assert count(world) == 3
    assert world.query("SELECT message_id FROM tutti.fct_unidentified_touchpoints") == [("alone",)]


def test_opt_outs_that_an_erasure_left(world):
    """Of an address whose value is listed nothing is left; the others stay."""
    services = world.start()
    said = [("jane", "Box@example1.com"), ("joan", "gone@example1.com")]
    feed(world, *(touchpoint(f"no-{who}", START, "Unsubscribed", "email", user_id=who, email=email) for who, email in said))
    for who, _ in said:
        erase(world, f"user_id:{who}")
    wait_past_erasure(world)
    feed(world, *(touchpoint(f"back-{who}", int(time.time() * US), user_id=f"{who}-2", email=email) for who, email in said))
    kept = "SELECT count(*), count(i.identifier_id) FROM suppression.kept_addresses AS k LEFT JOIN identity.identifiers AS i ON i.identifier_id = k.address_id"
    assert world.query(kept) == [(2, 2)]
    world.stop(services)
    blocked = {**BLOCKED, "values": [*BLOCKED["values"], "gone@example1.com"]}
    apply(world, folder_of(world, "later", types=PLAIN, blocked=blocked))
    assert world.query(kept) == [(1, 1)] and world.query("SELECT type, channel FROM tutti.dim_kept_opt_outs") == [("email", "email")]


def test_after_an_exchange_of_keys(world):
    """A value is what it was under the former key, by whatever hash it is found."""
    (world.directory / "second.key").write_text("77" * 32)
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", email="Home@example1.com"), touchpoint("2", START, user_id="jane", email="home@example1.com"))
    feed(world, touchpoint("3", START, user_id="joan", email="JOAN@example1.com"))
    world.stop(services)
    both = ("--identity.key_file", world.directory / "second.key", "--identity.previous_key_file", world.key_file, "--privacy.key_file", privacy_key(world))
    for phase in ("announced", "rotating", "finished"):
        world.tool("identity", "rotate-key", "--to", phase, "--execute", *both)
    home = world.query("SELECT f.identifier_id FROM identity.found_by AS f JOIN tutti.dim_identifiers USING (identifier_id) WHERE type = 'email'")
    assert len(home) == 3
    world.key_file.write_text("77" * 32)
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    assert plan(world, folder)["renamed"] == 2
    apply(world, folder)
    world.policies = folder
    services = world.start()
    world.settle()
    mails = "SELECT identifier_id FROM tutti.dim_identifiers WHERE type = 'email'"
    after = world.query(mails)
    assert len(after) == 2 and len(set(after) & set(home)) == 1, "the one that had the form keeps its id"
    feed(world, touchpoint("4", START + DAY, user_id="jane", email="HOME@EXAMPLE1.com"), touchpoint("5", START + DAY, user_id="joan", email="joan@Example1.com"))
    assert set(world.query(mails)) == set(after)
    world.stop(services)


def test_an_erasure_finds_what_was_renamed(world):
    """Also in the history of who was in which profile, and in earlier decisions."""
    world.start()
    feed(world, touchpoint("1", RECENT, email="Home@example1.com", loyalty_id="card"), touchpoint("2", RECENT - HOUR, email="HOME@example1.com", device_id="tv"))
    feed(world, request("ask", RECENT + HOUR, device_id="tv"), touchpoint("3", RECENT - DAY, device_id="tv", loyalty_id="card"))
    before = identifiers(world)
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    renamed_to(world, folder)
    gone = before - identifiers(world)
    assert len(gone) == 2 and set(traces(world, gone)) <= LOCK_ROWS
    services = world.start()
    erased = erase(world, "email:home@example1.com")["identifiers"]
    assert len(erased) == 3 and traces(world, erased) == {}
    assert set(traces(world, gone)) <= LOCK_ROWS
    world.stop(services)


def grants(world):
    return world.query(
        "SELECT t.message_id, d.outcome FROM tutti.fct_contact_decisions AS d"
        " JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id WHERE d.verdict = 'grant' ORDER BY 1"
    )


def test_grants_rely_on_what_an_address_became(world):
    """Asked by two spellings, or by none; who leaves by a third one ends them all, also another customer's."""
    world.start()
    feed(world, *(touchpoint(f"yes-{name}", RECENT, "Signed Up", user_id=name, email=mail, consent={"email": True}) for name, mail in HOMES))
    feed(world, *(request(f"ask-{name}", RECENT + HOUR, user_id=name, email=mail) for name, mail in HOMES))
    feed(world, request("unnamed", RECENT + HOUR, user_id="bob"))
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    before = identifiers(world)
    assert grants(world) == [("ask-alice", "open"), ("ask-bob", "open"), ("unnamed", "open")] and count(world, "suppression.address_grants") == 3
    renamed_to(world, folder)
    assert set(traces(world, before - identifiers(world))) <= LOCK_ROWS
    assert [row[0] for row in world.query("SELECT DISTINCT address FROM suppression.address_grants")] == [
        short_key(row[0]) for row in world.query("SELECT identifier_id FROM tutti.dim_identifiers WHERE type = 'email'")
    ]
    world.start()
    feed(world, touchpoint("no", RECENT + 2 * HOUR, "Unsubscribed", "email", email="HOME@EXAMPLE1.com"))
    assert {outcome for _, outcome in grants(world)} == {"revoked"} and count(world, "suppression.address_grants") == 0


def test_what_was_drawn_is_of_what_an_address_became(world):
    """Two spellings of a mailbox drew each for itself: one is control, so is the mailbox."""
    world.start()
    feed(world, *(request(f"ask-{name}", RECENT + HOUR, email=mail) for name, mail in HOMES), request("other", RECENT, email="eve@example1.com"))
    draw = """INSERT INTO suppression.arms SELECT holdout, d.anchor, (t.message_id = 'ask-bob')::int, 500, d.requested_at, d.request_id
              FROM suppression.decisions AS d JOIN journey.facts AS t ON t.event_id = d.request_id, unnest(ARRAY['global', 'spring']) AS u (holdout)
              WHERE t.message_id <> 'ask-bob' OR holdout = 'global'"""
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(draw)
    before = identifiers(world)
    renamed_to(world, folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}}))
    assert set(traces(world, before - identifiers(world))) <= LOCK_ROWS
    drawn = world.query(
        "SELECT a.holdout, f.message_id, a.arm FROM suppression.arms AS a JOIN suppression.anchors USING (anchor)"
        " JOIN journey.facts AS f ON f.event_id = a.request_id ORDER BY 1, 2"
    )
    assert drawn == [("global", "ask-bob", 1), ("global", "other", 0), ("spring", "ask-alice", 0), ("spring", "other", 0)]


def test_decisions_of_a_profile_that_was_merged(world):
    """Decided while one former spelling named the customer, who came to another one's profile since."""
    world.start()
    homes = [(n, f"Home{n}@example1.com", f"HOME{n}@example1.com", f"card-{n}") for n in range(150)]
    feed(world, *(touchpoint(f"a{n}", RECENT, email=first) for n, first, _, _ in homes))
    feed(world, *(touchpoint(f"b{n}", RECENT + HOUR, email=first, loyalty_id=card) for n, first, _, card in homes))
    feed(world, *(request(f"ask{n}", RECENT + 2 * HOUR, loyalty_id=card) for n, _, _, card in homes))
    feed(world, *(touchpoint(f"c{n}", RECENT - HOUR, email=older) for n, _, older, _ in homes))
    feed(world, *(touchpoint(f"d{n}", RECENT + 3 * HOUR, email=older, loyalty_id=card) for n, _, older, card in homes))
    before = identifiers(world)
    named = {row[0] for row in world.query("SELECT profile_id FROM suppression.decisions")}
    world.stop([service for service in world.services if service.is_alive()])
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    apply(world, folder, "--batch", 1)
    gone = before - identifiers(world)
    assert len(named & gone) == 150
    world.policies = folder
    world.start()
    world.settle()
    assert set(traces(world, gone)) <= LOCK_ROWS


def test_the_review_ends_at_a_former_name(world):
    """Where it stood last is noted: not by the name of an identifier that is gone."""

    def id_of(mail):
        return hashlib.blake2b(b"email\0" + mail.encode(), digest_size=16, key=world.key).digest()

    mail = next(mail for number in range(100) if id_of(mail := f"HOME{number}@Example1.com") > id_of(mail.lower()))
    world.start()
    feed(world, touchpoint("1", RECENT, email=mail))
    before = identifiers(world)
    world.stop([service for service in world.services if service.is_alive()])
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    apply(world, folder)
    after = identifiers(world)
    assert max(before) > max(after)
    assert not before & {row[0] for row in world.query("SELECT swept_to FROM identity.policies")}


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "types, more, words",
    [
        ({"email": {"normalise": "plain"}}, {}, "the value of what came hashed is not known"),
        ({}, {"gmail_dots_and_plus": True}, "the value of what came hashed is not known"),
        ({"phone": {"normalise": "plain"}}, {}, "forms that leave out what the new rules look at"),
        ({}, {"default_calling_code": "49"}, "forms that leave out what the new rules look at"),
        ({"loyalty_id": {"scope": "source"}}, {}, "no raw value tells of which source"),
        ({"loyalty_id": {"links": False}}, {}, "facts name it together with others"),
        ({"session_id": {"normalise": "email"}}, {}, "a touchpoint is stored with one"),
    ],
)
def test_what_raw_values_do_not_tell(stack, make_world, types, more, words):
    world = make_world(stack, "refused")
    keep_values(world)
    services = world.start(names=[RESOLVER])
    known = {"email": "Jane@Example1.com", "phone": "+15550001111", "loyalty_id": "card"}
    world.produce([json.dumps(touchpoint("1", START, **known)), json.dumps(touchpoint("2", START, session_id="s"))])
    world.settle(names=[RESOLVER])
    world.stop(services)
    path = folder_of(world, "later", types=types, **more) / "identity.json"
    for word in ("plan", "apply"):
        refused = identity(world, word, "--policy", path, "--privacy.key_file", privacy_key(world), check=False)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr


def test_values_that_are_not_known(world):
    """One that is not kept, one that may have come hashed or not, one of an erased person; and no key to read them with."""
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", email="Jane@example1.com"), touchpoint("2", START, user_id="joan", email="d" * 32))
    world.stop(services)
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": True}})
    words = ("plan", "--policy", folder / "identity.json")
    refused = identity(world, *words, check=False)
    assert refused.returncode == 1 and "privacy.key_file is not set" in refused.stderr, refused.stderr
    words += ("--privacy.key_file", privacy_key(world))
    refused = identity(world, *words, check=False)
    assert refused.returncode == 1 and "and 1 may have come hashed, clear or both" in refused.stderr, refused.stderr
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("DELETE FROM identity.raw_values")
    refused = identity(world, *words, check=False)
    assert refused.returncode == 1 and "(raw values of 0 are kept)" in refused.stderr, refused.stderr
    world.tool("erase", "user_id:joan", "--reason", "asked for it", "--execute")
    refused = identity(world, *words, check=False)
    assert refused.returncode == 1 and "who was erased would not be recognised" in refused.stderr, refused.stderr


def test_a_blocked_value_that_another_becomes(world):
    """Stored touchpoints would name two by one id: another spelling of it, and none."""
    services = world.start()
    feed(world, touchpoint("1", RECENT, user_id="joan", email="home@gmail.com"), touchpoint("2", RECENT, user_id="jane", email="ho.me@gmail.com"))
    world.stop(services)
    types = {**PLAIN, "email": {"normalise": "email", "match_hashed": False}}
    more = {"gmail_dots_and_plus": True, "blocked": {**BLOCKED, "values": [*BLOCKED["values"], "home@gmail.com"]}}
    path = folder_of(world, "later", types=types, **more) / "identity.json"
    for word in ("plan", "apply"):
        refused = identity(world, word, "--policy", path, "--privacy.key_file", privacy_key(world), check=False)
        assert refused.returncode == 1 and "is blocked now, but not that of" in refused.stderr, refused.stderr


def test_no_exchange_of_keys_meanwhile(world):
    """What was hashed for the switch would pass for hashes of the new key."""
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane", email="Home@example1.com"), touchpoint("2", START, user_id="jane", email="home@example1.com"))
    order(world, "release", "email:home@example1.com", "--reason", "a family's")
    world.stop(services)
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    killed_at(world, folder, "identity.manual_evidence")
    (world.directory / "second.key").write_text("77" * 32)
    given = ("--identity.key_file", world.directory / "second.key", "--identity.previous_key_file", world.key_file)
    refused = world.tool("identity", "rotate-key", "--to", "announced", "--execute", *given, check=False)
    assert refused.returncode == 1 and "tutti identity apply" in refused.stderr, refused.stderr
    apply(world, folder)
    world.tool("identity", "rotate-key", "--to", "announced", "--execute", *given)


def test_a_person_is_erased_between_plan_and_switch(world):
    """The plan was possible; now one person would not be recognised any more."""
    services = world.start()
    feed(world, *(touchpoint(f"{number}", START, user_id=f"user-{number}", email=f"HOME{number}@example1.com") for number in range(300)))
    world.stop(services)
    folder = folder_of(world, "later", types={**PLAIN, "email": {"normalise": "email", "match_hashed": False}})
    process = start_apply(world, folder, "--limit", 1000, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096)
    process.stdout.readline()  # the rest of its plan waits to be read
    erase(world, "user_id:user-7")
    _, said = process.communicate()
    assert process.returncode == 1 and b"who was erased would not be recognised" in said, said
    assert world.query("SELECT count(*) FROM tutti_meta.reanchoring") == [(0,)]
