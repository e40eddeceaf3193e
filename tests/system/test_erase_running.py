"""Erasing people while the services run, are killed, stand still or lag behind; and coming back as a new person."""

import io
import json
import time

import compare
import psycopg
import render
from cluster import AS_OF
from feeding import Feeder
from people import DAY, HOUR, JANE, NOW, RECENT, START, US, assert_plan_is_quiet, feed, identity_tables, profiles, request, touchpoint
from test_chaos import SETTINGS
from test_command_kills import Held, start
from test_identity_chaos import BALANCE, Balance
from traces import erase, short_key, traces, wait_past_erasure
from waiting import patient, until

READERS = ("identity-resolver", "journey-tracker", "suppression")
LEAVING = 4  # people who will be erased


def leaver(number):
    return {"user_id": f"leaver-{number}", "email": f"leaver-{number}@example1.com"}


def story(number, steps):
    """One of those who will be erased: looks, buys, is asked for, says no; and the device is another person's, too."""
    who = leaver(number)
    for step in range(steps):
        at = START + step * HOUR
        yield touchpoint(f"leaver-{number}-view-{step}", at, device_id=f"leaver-{number}-{step % 3}", **who)
        yield touchpoint(f"leaver-{number}-buy-{step}", at + 1, "Order Completed", value_micros=US, currency="USD", **who)
        yield request(f"leaver-{number}-ask-{step}", at + 2, **who)
    yield touchpoint(f"leaver-{number}-no", START + DAY, "Consent Withdrawn", consent={"email": False}, **who)


def assert_others_equal_oracle(world):
    """Profiles and touchpoints of those whom the lines name; sums keep the others."""
    names = [name for name in render.COLUMNS if "profile_id" in render.COLUMNS[name]["columns"] and not name.startswith("rpt_")]
    assert {"dim_profiles", "dim_identifiers", "fct_touchpoints"} <= set(names)
    out = io.StringIO()
    assert compare.compare_all(world.url, world.oracle_views(), AS_OF, names, show=3, out=out) == 0, out.getvalue()


def mixed(lines, others):
    """The second list spread evenly over the first."""
    every = len(lines) // len(others)
    for number, line in enumerate(lines):
        yield line
        if number % every == 0 and number // every < len(others):
            yield others[number // every]


def test_erase_under_load(stack, make_world):
    """Two instances of each service while people are erased, one of each is killed, and all of it is read again at the end."""
    world = make_world(stack, "erase-load", settings=SETTINGS)
    lines = world.generate("bench", people=150, events=9000)
    told = [json.dumps(event) for steps in zip(*(list(story(n, 60)) for n in range(LEAVING))) for event in steps]
    world.start(instances=2)
    with Balance(world), Feeder(world, list(mixed(lines, told)), pieces=80, outlasts=True) as feeder:
        for number in range(LEAVING):
            feeder.wait_for_pieces(6)
            wait_until_seen(world, f"user_id:leaver-{number}")
            if number == 2:
                for name in READERS:
                    world.of(name)[0].kill()
            erase_with_kills(world, f"user_id:leaver-{number}", times=number)
            for service in world.services:
                if not service.is_alive():
                    service.start().wait_live()
    world.settle()
    gone = [row[0] for row in world.query("SELECT identifier_id FROM identity.erased")]
    assert len(gone) >= 4 * LEAVING
    check_gone(world, gone)
    for name in READERS:
        world.stop(world.of(name))
        world.rewind(name)
        for service in world.of(name):
            service.start()
    for service in world.services:
        service.wait_ready()
    world.settle()
    check_gone(world, gone)
    world.stop()


def wait_until_seen(world, person):
    """Until the pipeline is so far that it knows the person."""
    plan = ("erase", person, "--reason", "asked for it")
    until(lambda: world.tool(*plan, check=False).returncode == 0, 60, f"{person} was seen")


def erase_with_kills(world, person, times):
    """The command is killed so often, anywhere; then it runs undisturbed, unless one of them was done. No opt-out is kept: one may have come."""
    words = ("erase", person, "--reason", "asked for it", "--opt-outs-too", "--execute")
    for number in range(times):
        process = start(world, *words)
        time.sleep(0.01 + 0.02 * number)
        process.kill()
        process.wait()
    done = world.tool(*words, check=False)
    assert done.returncode == 0 or (times > 0 and "was erased at" in done.stderr), done.stderr


def check_gone(world, gone):
    assert traces(world, gone) == {}
    assert world.query("SELECT count(*) FROM identity.erasures WHERE NOT is_complete OR linked <> '{}'") == [(0,)]
    assert_others_equal_oracle(world)
    world.assert_numbers_dense(all_on_topic=False)
    assert_plan_is_quiet(world)


def test_sums_stay(world):
    """Nothing that is published after an erasure takes anything away, and parts are still the total."""
    world.start(instances=2)
    feed(world, *story(0, 5), *story(1, 5))
    sums = "SELECT * FROM tutti.rpt_shared_goals_daily ORDER BY goal_date, goal_id, segment_id, department, channel, currency"
    before = world.query(sums)
    erase(world, "user_id:leaver-0")
    feed(world, touchpoint("other", RECENT, user_id="other"))
    assert world.query(sums) == before
    balance = world.query(BALANCE)
    assert balance and all(row[3] == row[5] for row in balance)
    world.stop()


def test_whoever_comes_back_is_new(world):
    """No service was restarted: what the services remember of an erased person must not be taken for the new one."""
    services = world.start()
    feed(world, *story(0, 4), touchpoint("bob", START + HOUR, user_id="bob", device_id="leaver-0-0"))
    erased = set(erase(world, "user_id:leaver-0", "--opt-outs-too")["identifiers"])
    wait_past_erasure(world)
    at = int(time.time() * US)
    again = [
        touchpoint("again-1", at, device_id="leaver-0-0", **leaver(0)),
        touchpoint("again-2", at + 1, "Order Completed", value_micros=3 * US, currency="USD", **leaver(0)),
        touchpoint("again-3", at + 2, email="leaver-0@example1.com", phone="+15550009999"),
        request("again-4", at + 3, **leaver(0)),
        touchpoint("again-5", at + 4, "Consent Withdrawn", phone="+15550009999", consent={"email": False}),
    ]
    feed(world, *again)
    (new,) = {group for group in profiles(world) if len(group) == 4}
    assert erased & set(map(str, new)) and [row[0] for row in world.query("SELECT revenue FROM tutti.dim_profiles WHERE revenue > 0")] == [3]
    facts = "SELECT count(*) FROM tutti.fct_touchpoints AS t JOIN tutti.dim_identifiers AS i USING (profile_id) WHERE i.identifier_id = %s"
    assert world.query(facts, min(new)) == [(5,)]
    assert world.query("SELECT count(*) FROM tutti.fct_contact_decisions") == [(1,)]
    in_identity = "SELECT identifier_id, profile_id, version FROM identity.identifiers WHERE identifier_id = ANY (%s)"
    for schema in ("journey", "suppression"):
        rows = world.query(f"SELECT anchor_id, profile_id, version FROM {schema}.anchors WHERE anchor_id = ANY (%s)", list(new))
        assert rows and set(rows) <= set(world.query(in_identity, list(new))), schema
    before = identity_tables(world), world.query(facts, min(new))
    world.read_again(READERS, services)
    world.settle()
    assert (identity_tables(world), world.query(facts, min(new))) == before
    assert_plan_is_quiet(world)
    said = erase(world, "email:leaver-0@example1.com", "--opt-outs-too")
    assert set(said["identifiers"]) == set(map(str, new)) and traces(world, {*erased, *new}) == {}
    world.stop(services)


def test_a_warm_identity_resolver_sees_links_again(world):
    """Both ends of a link come back: it is evidence again, though the link was cached."""
    services = world.start(names=("identity-resolver",))
    pair = {"user_id": "jane", "email": "home@example1.com"}
    world.produce([json.dumps(touchpoint(f"old-{n}", RECENT + n, **pair)) for n in range(3)])
    world.settle(names=["identity-resolver"])
    erase(world, JANE)
    wait_past_erasure(world)
    at = int(time.time() * US)
    for number, record in enumerate((touchpoint("new-1", at, user_id="jane"), touchpoint("new-2", at + 1, **pair))):
        world.produce([json.dumps(record)])
        world.settle(names=["identity-resolver"])
        assert len(world.query("SELECT FROM identity.identifiers")) == number + 1
    assert len(world.query("SELECT FROM identity.links WHERE first_seen_at > now() - interval '1 hour'")) == 1
    (versions,) = world.query("SELECT min(version), max(version) FROM identity.identifiers")
    ((erasure,),) = world.query("SELECT version FROM identity.erasures")
    assert versions[0] >= erasure, "a message from before would be taken for newer"
    world.stop(services)


def test_a_stuck_transaction_stops_only_the_erasure(world):
    """A transaction that does not end keeps an erasure waiting, and that must not keep everybody else waiting."""
    services = world.start()
    feed(world, *story(0, 2))
    with psycopg.connect(world.url) as stuck:
        stuck.execute("SELECT tutti_meta.hold_erasures()")
        refused = world.tool("erase", "user_id:leaver-0", "--reason", "r", "--execute", "--wait", 1, check=False)
        assert refused.returncode == 1 and "nothing was changed" in refused.stderr, refused.stderr
        waiting = start(world, "erase", "user_id:leaver-0", "--reason", "r", "--opt-outs-too", "--execute", "--wait", 600)
        for number in range(3):
            feed(world, touchpoint(f"other-{number}", START + HOUR, user_id=f"other-{number}"))
        assert waiting.poll() is None
    assert waiting.wait(patient(120)) == 0
    world.settle()
    assert traces(world, [row[0] for row in world.query("SELECT identifier_id FROM identity.erased")]) == {}
    assert len(profiles(world)) == 3
    world.stop(services)


STORED = {
    "identity-resolver": "SELECT count(*) FROM identity.identifiers",
    "journey-tracker": "SELECT count(*) FROM journey.facts",
    "suppression": "SELECT count(*) FROM suppression.facts",
}


def test_no_service_writes_during_an_erasure(world):
    """The lock of `tutti erase` is held here: neither a new customer nor one whom the caches know goes past it."""
    services = world.start()
    feed(world, touchpoint("first", START, user_id="known"), request("ask", START + 1, user_id="known"))
    for number, who in enumerate(("new", "known")):
        at = START + (number + 1) * HOUR
        records = [touchpoint(f"look-{who}", at, user_id=who), request(f"ask-{who}", at + 1, user_id=who)]
        readers = world.of("journey-tracker") + world.of("suppression")
        for service in readers:
            service.pause()
        assert_held_off(world, ["identity-resolver"] if who == "new" else [], lambda: world.produce(map(json.dumps, records)))
        world.settle(names=["identity-resolver"])
        assert_held_off(world, ["journey-tracker", "suppression"], lambda: [service.resume() for service in readers])
        world.settle()
    world.stop(services)


def assert_held_off(world, names, act):
    """They come to the lock, and what the act leads to is not stored while it is held."""
    with Held(world, ("LOCK TABLE tutti_meta.erasure_lock IN EXCLUSIVE MODE",)) as held:
        before = [world.query(STORED[name]) for name in names]
        act()
        until(lambda: all(map(held.stops, names)), 60, f"{names} at the lock")
        assert [world.query(STORED[name]) for name in names] == before


def test_what_lies_unread_is_dropped(world):
    """Journey-tracker and suppression stand still; what they have not read is of the erased person, a part of it dated ahead."""
    services = world.start()
    feed(world, *story(0, 2))
    readers = world.of("journey-tracker") + world.of("suppression")
    world.stop(readers)
    ahead = [touchpoint(f"ahead-{n}", NOW + 12 * HOUR + n, **leaver(0)) for n in range(3)]
    late = [touchpoint("late", START + 3 * HOUR, **leaver(0)), request("late-ask", START + 4 * HOUR, **leaver(0))]
    joins = [
        touchpoint("apart", START + HOUR // 2, device_id="apart", anonymous_id="apart"),
        touchpoint("joins", START + HOUR, device_id="apart", **leaver(0)),
    ]
    for records in (ahead + late, joins[:1], joins[1:]):
        world.produce([json.dumps(record) for record in records])
        world.settle(names=["identity-resolver"])
    assert world.query("SELECT count(*) FROM identity.changes") == [(2,)], "moves lie unread, too"
    erased = erase(world, "user_id:leaver-0", "--opt-outs-too")["identifiers"]
    for service in readers:
        service.start().wait_ready()
    world.settle()
    assert traces(world, erased) == {}
    world.read_again(READERS, services)
    world.settle()
    assert traces(world, erased) == {}
    world.stop(services)


def test_erase_waits_for_the_maps(world):
    """Journey-tracker has not read that two were cut apart: it holds the history of one with that of the other."""
    services = world.start()
    feed(
        world,
        touchpoint("1", RECENT, user_id="jane", email="home@example1.com"),
        touchpoint("2", RECENT + HOUR, email="home@example1.com", phone="+15550001111"),
        touchpoint("3", RECENT + 2 * HOUR, "Order Completed", phone="+15550001111", value_micros=US, currency="USD"),
    )
    (tracker,) = world.of("journey-tracker")
    tracker.stop()
    words = ("unlink", JANE, "email:home@example1.com", "--reason", "two people", "--execute", "--topic", world.topic("resolved"))
    world.tool("identity", *words, "--group", world.group("suppression"))
    world.settle(names=["identity-resolver", "suppression"])
    refused = world.tool("erase", JANE, "--reason", "asked for it", "--execute", "--wait", 1, check=False)
    assert refused.returncode == 1 and "nothing was changed" in refused.stderr and "journey-tracker" in refused.stderr
    assert world.query("SELECT count(*) FROM identity.erased") == [(0,)]
    tracker.start().wait_ready()
    erased = erase(world, JANE)["identifiers"]
    world.settle()
    assert len(erased) == 1 and traces(world, erased) == {}
    assert [row[0] for row in world.query("SELECT revenue FROM tutti.dim_profiles")] == [1]
    world.stop(services)


def test_facts_of_others_name_them_no_more(world):
    """A shared device ties Bob's touchpoints to Jane's e-mail; only the erased identifiers leave the list."""
    services = world.start()
    feed(
        world,
        touchpoint("1", RECENT, user_id="jane", email="home@example1.com"),
        touchpoint("2", RECENT + HOUR, "Consent Withdrawn", user_id="bob", email="home@example1.com", device_id="d", consent={"email": False}),
    )
    others = "SELECT message_id, others FROM journey.facts ORDER BY 1"
    before = dict(world.query(others))
    assert [len(before[message]) for message in ("1", "2")] == [8, 16]
    plan = json.loads(world.tool("erase", JANE, "--reason", "look", "--json").stdout)
    said = erase(world, JANE, "--opt-outs-too")
    assert said["tables"] == plan["tables"] and said["tables"]["journey.facts.others"] == 1
    assert said["tables"]["suppression.facts.others"] == 1
    ((message, left),) = world.query(others)
    (device,) = world.query("SELECT identifier_id FROM tutti.dim_identifiers WHERE type = 'device_id'")
    assert message == "2" and left == short_key(device[0]).to_bytes(8, "big", signed=True)
    assert traces(world, said["identifiers"]) == {}
    assert world.query("SELECT count(*) FROM suppression.facts WHERE anchor = %s", short_key(device[0])) == [(1,)], "the copy is Bob's"
    world.stop(services)
