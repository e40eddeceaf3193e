"""Erasing a person: every table, no return by replay, everybody else as before; and raw values under the privacy key."""

import ctypes
import ctypes.util
import hashlib
import json
import os
import uuid

import psycopg

from people import (
    DAY,
    HOME,
    HOUR,
    JANE,
    NOW,
    PHONE,
    RECENT,
    START,
    US,
    assert_plan_is_quiet,
    feed,
    kiosk,
    one_family,
    opted_out_family,
    order,
    profiles,
    request,
    touchpoint,
    why,
)
from traces import traces, wait_past_erasure


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


def life_of_a_customer():
    """A customer with rows of everything that is derived: traits, a segment, offers, an answered mailing, a case, a return."""
    who = {"user_id": "jane"}
    at = RECENT + 7 * HOUR
    sale = {**who, "order_id": "p-1", "product_category": "printers/laser", "value_micros": 200 * US, "currency": "USD"}
    campaign, case = {"campaign": {"id": "spring"}}, {"case_id": "case-1", "agent_id": "ann"}
    yield {**touchpoint("about", at, "Profile Updated", **who), "type": "identify", "traits_json": '{"city": "Bonn"}'}
    yield touchpoint("printer", at + 1, "Order Completed", **sale)
    yield touchpoint("mailing", at + 2, "Campaign Sent", "email", direction="outbound", **who, **campaign)
    yield touchpoint("click", at + 3, **who, **campaign)
    yield touchpoint("coupon", at + 4, "Coupon Redeemed", **who, **campaign)
    yield touchpoint("failed", at + 5, "Delivery Failed", **who, **case)
    yield touchpoint("flowers", at + 6, "Gesture Given", **who, **case, content_id="flowers", cost_micros=20 * US, currency="USD")
    yield touchpoint("back", at + 7, "Order Returned", **sale)


DERIVED = {f"journey.{name}" for name in ("conversions", "memberships", "opportunities", "order_changes", "responses", "stage_changes", "states", "traits")}
FIGURES = """
SELECT (SELECT count(*) FROM tutti.fct_gestures) AS gestures,
       (SELECT count(*) FROM tutti.fct_opportunities) AS opportunities,
       (SELECT count(*) FROM tutti.fct_touchpoints WHERE case_id IS NOT NULL) AS cases
"""


def everyone_else(world, ids):
    """The convergent rows of all others."""
    return world.query(
        "SELECT * FROM tutti.dim_identifiers WHERE identifier_id <> ALL (%s) ORDER BY 1", list(ids)
    ), world.query("SELECT profile_id, revenue FROM tutti.dim_profiles WHERE profile_id <> ALL (%s) ORDER BY 1", list(ids))


def today(world, statement):
    """As it is today: the touchpoints are recent."""
    with psycopg.connect(world.url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def sums(world):
    return today(world, "SELECT * FROM tutti.rpt_shared_goals_daily ORDER BY goal_date, goal_id, segment_id, department, channel, currency")


def test_erase(world):
    world.start()
    feed(world, *person_and_others(), *life_of_a_customer())
    (jane,) = [group for group in profiles(world) if len(group) == 3]
    figures, others = sums(world), everyone_else(world, jane)
    assert figures and figures == sums(world)
    ((gestures, opportunities, cases),) = today(world, FIGURES)
    assert gestures == 1 and opportunities > 3 and cases == 2
    offers = {row[0] for row in today(world, "SELECT opportunity_id FROM tutti.fct_opportunities")}
    plan = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--json").stdout)
    held = {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))}
    assert DERIVED <= held.keys() <= plan["tables"].keys() and sum(plan["tables"].values()) == plan["rows"]
    assert {table: plan["tables"][table] for table in held} == held
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("UPDATE identity.policies SET swept_to = %s", (min(jane),))
    report = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--execute", "--json").stdout)
    assert report["tables"] == plan["tables"]
    assert traces(world, {*jane, *offers}) == {} and today(world, FIGURES) == [(0, 0, 0)]
    assert everyone_else(world, jane) == others and sums(world) == figures
    again = world.tool("erase", PHONE, "--reason", "asked for it", "--execute", check=False)
    assert again.returncode == 1 and "was erased at" in again.stderr
    world.stop()
    check_replay(world, jane, others)


def check_replay(world, jane, others):
    """Old input, read again from all topics, does not bring the person back; what happens later is a new person."""
    for name in ("identity-resolver", "journey-tracker", "suppression"):
        world.rewind(name)
    services = world.start()
    world.settle()
    assert traces(world, jane) == {}
    assert everyone_else(world, jane) == others
    wait_past_erasure(world)
    later = NOW + 2 * HOUR
    feed(world, touchpoint("new", later, user_id="jane"), touchpoint("old", RECENT + 6 * HOUR, user_id="jane"))
    times = "SELECT occurred_at FROM tutti.fct_touchpoints JOIN tutti.dim_identifiers USING (profile_id) WHERE identifier_id = ANY (%s)"
    assert [row[0].timestamp() for row in world.query(times, list(jane))] == [later / US]
    world.stop(services)


def test_erase_tells_of_messages_that_wait(world):
    """No service runs that would publish them: they may still name the person, and what is read later is dropped."""
    world.start()
    feed(world, *one_family())
    world.stop()
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("INSERT INTO identity.outbox VALUES (0, 0, gen_random_uuid(), '')")
    done = world.tool("erase", JANE, "--reason", "asked for it", "--execute", "--json", "--wait", 1)
    assert json.loads(done.stdout)["messages_waiting"] == 1 and "wait to be published" in done.stderr


def restart(world, services):
    for service in services:
        service.start()
    for service in services:
        service.wait_ready()
    world.settle()


def test_a_kiosk_is_judged_by_those_who_are_left(world):
    """One user too many put it into quarantine; with that user erased, it belongs to its first one, as if no other had come."""
    services = world.start()
    feed(world, *kiosk(4))
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(1,)]
    world.stop()
    world.tool("erase", "user_id:user-3", "--reason", "asked for it", "--execute")
    restart(world, services)
    assert why(world, "user_id:user-0", "device_id:kiosk")["one_customer"] is True
    assert len(profiles(world)) == 3
    assert_plan_is_quiet(world)
    world.stop(services)


def test_those_who_were_cut_off_keep_no_trace(world):
    """Cut from the person before: their changes, decisions and the opt-outs said again for them named the person."""
    services = world.start()
    feed(world, *opted_out_family())
    feed(world, request("asked", RECENT + 6 * HOUR, phone="+15550001111", channel="sms"))  # of the family: decided as Jane's
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    (jane,) = [group for group in profiles(world) if len(group) == 1]
    others, named = everyone_else(world, jane), "SELECT count(*) FROM suppression.decisions WHERE profile_id IS NULL"
    world.stop()
    plan = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--json").stdout)
    held = {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))}
    assert {table: plan["tables"][table] for table in held} == held and held["suppression.decisions"] == 1
    report = json.loads(world.tool("erase", JANE, "--reason", "asked for it", "--execute", "--json").stdout)
    assert report["tables"] == plan["tables"]
    assert {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))} == {}
    carried = world.query("SELECT message_id FROM tutti.fct_touchpoints WHERE source = 'urn:tutti:identity'")
    assert carried and not any(str(one) in row[0] for row in carried for one in jane)
    assert everyone_else(world, jane) == others and world.query(named) == [(0,)]
    restart(world, services)
    assert everyone_else(world, jane) == others
    world.stop()


def test_erase_reaches_as_far_ahead_as_input_may(world):
    """A clock that goes ahead: occurred_at may lie up to a day in the future."""
    services = world.start()
    feed(world, touchpoint("ahead", NOW + 12 * HOUR, user_id="jane", email="home@example1.com"))
    (jane,) = profiles(world)
    world.stop()
    world.tool("erase", JANE, "--reason", "asked for it", "--execute")
    for name in ("identity-resolver", "journey-tracker", "suppression"):
        world.rewind(name)
    restart(world, services)
    assert {table: rows for table in all_tables(world) if (rows := rows_of(world, table, jane))} == {}
    world.stop()


class Sealer:
    """libsodium by itself: what stands in the database must be this, by whichever program."""

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


def test_others_keep_what_they_say_late(world):
    """Bob used the device that was erased with Jane: what he says late is his, without the device."""
    services = world.start()
    feed(
        world,
        touchpoint("1", RECENT, user_id="jane", device_id="d"),
        touchpoint("2", RECENT + HOUR, user_id="bob", device_id="d"),
    )
    world.stop()
    world.tool("erase", "user_id:jane", "--reason", "asked for it", "--execute")
    for service in services:
        service.start()
    feed(
        world,
        touchpoint("3", RECENT + 2 * HOUR, "Consent Withdrawn", user_id="bob", device_id="d", consent={"email": False}),
        touchpoint("4", RECENT + 3 * HOUR, device_id="d"),
    )
    world.stop()
    assert world.query("SELECT message_id FROM tutti.fct_touchpoints ORDER BY 1") == [("2",), ("3",)]
    assert len(world.query("SELECT FROM tutti.dim_identifiers")) == 1
