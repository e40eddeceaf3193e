"""People made of a few touchpoints, and what an operator does about them with `tutti identity` and `tutti explain`."""

import json
import time

US = 1000000
HOUR, DAY = 3600 * US, 24 * 3600 * US
START = 1740819600 * US  # 2025-03-01T09:00:00Z
NOW = int(time.time()) * US
RECENT = NOW - 10 * DAY  # a hold that is open today
NEXT_YEAR = NOW + 365 * DAY


def touchpoint(message_id, occurred_at, event="Page Viewed", channel="web", **more):
    """identifiers: email="a@b.c" and so on, in addition to the schema's own user_id and anonymous_id."""
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
    where = ("--topic", world.topic("resolved"), "--group", world.group("suppression"))
    return world.tool("identity", *words, *where, check=check, **more)


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
        world.query("SELECT a, b, first_seen_at, evidence, is_indirect, refused_by FROM tutti.fct_identity_links ORDER BY a, b"),
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


def opted_out_family():
    consent = {"email": True, "sms": True, "direct_mail": True}
    return [
        *one_family(RECENT),
        touchpoint("yes-1", RECENT, "Consent Given", user_id="jane", consent=consent),
        touchpoint("yes-2", RECENT, "Consent Given", phone="+15550001111", consent=consent),
        touchpoint("no", RECENT + 4 * HOUR, "Consent Withdrawn", user_id="jane", consent={"email": False}),
        touchpoint("angry", RECENT + 5 * HOUR, "Complaint Filed", user_id="jane"),
    ]


def kiosk(users, at=START):
    for number in range(users):
        yield touchpoint(f"kiosk-{number}", at + number * HOUR, user_id=f"user-{number}", device_id="kiosk")
