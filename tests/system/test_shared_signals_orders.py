"""Facts of every identifier of a touchpoint, when operators cut, plan, erase, and apply another contact policy."""

import json

import psycopg

from cluster import RETAILER
from people import DAY, HOME, HOUR, JANE, NOW, RECENT, feed, identity, one_family, order, profiles, request, touchpoint
from test_shared_signals import open_policy, world_of

HOME_EMAIL = {"email": "home@example1.com"}
NO = {"consent": {"email": False}}


def denied(world):
    """(verdict, reason) in the order of the requests."""
    return world.query("SELECT verdict, reason FROM tutti.fct_contact_decisions ORDER BY requested_at")


def short_key(identifier):
    return int.from_bytes(identifier.bytes[:8], "big", signed=True)


def rows_of(world, who):
    """(event, whether a copy) of what the ledger holds under an identifier."""
    with psycopg.connect(world.url) as connection:
        return connection.execute(
            "SELECT event, flags & 4 <> 0 FROM suppression.facts WHERE anchor = %s ORDER BY 1, 2", (short_key(who),)
        ).fetchall()


def test_a_cut_carries_only_what_the_other_side_lacks(stack, make_world, tmp_path):
    """Said with both: each side has it. Said by one alone: it is said again for the other. Bob's yes is his own."""
    world = world_of(make_world, stack, tmp_path)
    world.start()
    feed(
        world,
        *one_family(RECENT),
        touchpoint("both", RECENT + DAY, "Consent Withdrawn", user_id="jane", **HOME_EMAIL, **NO),
        touchpoint("angry", RECENT + DAY, "Complaint Filed", user_id="jane", **HOME_EMAIL),
        touchpoint("one", RECENT + DAY, "Consent Withdrawn", user_id="jane", consent={"sms": False}),
        touchpoint("yes", RECENT + 2 * DAY, "Consent Given", user_id="bob", **HOME_EMAIL, consent={"sms": True}),
    )
    order(world, "unlink", "user_id:bob", HOME, "--reason", "else the address would be his once it is not Jane's")
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert len(profiles(world)) == 3
    assert [item["what"] for item in said["carried"]] == ["sms", "sms"], "for the address and for the phone"
    at = NOW - HOUR
    feed(world, *(request(f"{who}-{ch}", at + n, ch, **named) for n, (who, ch, named) in enumerate((
        ("jane", "email", {"user_id": "jane"}),
        ("home", "email", HOME_EMAIL),
        ("phone", "email", {"phone": "+15550001111"}),
        ("phone", "sms", {"phone": "+15550001111"}),
        ("phone", "push", {"phone": "+15550001111"}),
    ))))
    assert denied(world) == [("deny", "opt_out")] * 4 + [("deny", "hold")]
    world.stop()


def test_a_side_that_comes_to_a_person_who_said_yes(stack, make_world, tmp_path):
    """Cut from Jane the address is Bob's, who said yes later, by this phone: what Jane said is said again, and his is the last word."""
    world = world_of(make_world, stack, tmp_path)
    world.start()
    feed(
        world,
        *one_family(RECENT),
        touchpoint("no", RECENT + DAY, "Consent Withdrawn", user_id="jane", consent={"sms": False, "push": False}),
        touchpoint("bob", RECENT + DAY, user_id="bob", **HOME_EMAIL),
        touchpoint("yes", RECENT + 2 * DAY, "Consent Given", user_id="bob", phone="+15550001111", consent={"sms": True}),
    )
    assert len(profiles(world)) == 2
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert len(profiles(world)) == 2 and [item["what"] for item in said["carried"]] == ["sms push"] * 2
    at = NOW - HOUR
    asked = [("sms", {"user_id": "jane"}), ("push", {"user_id": "bob"}), ("sms", {"phone": "+15550001111"})]
    feed(world, *(request(f"{n}", at + n, channel, **who) for n, (channel, who) in enumerate(asked)))
    assert denied(world) == [("deny", "opt_out"), ("deny", "opt_out"), ("grant", None)]
    world.stop()


def test_a_carried_hold_lacks_only_what_the_copies_miss(stack, make_world, tmp_path):
    """One complaint names both, the later one Jane alone: only the later one is said again."""
    world = world_of(make_world, stack, tmp_path)
    world.start()
    feed(
        world,
        *one_family(RECENT),
        touchpoint("angry", RECENT + DAY, "Complaint Filed", user_id="jane", **HOME_EMAIL),
        touchpoint("again", RECENT + 2 * DAY, "Complaint Filed", user_id="jane"),
    )
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert {item["what"] for item in said["carried"]} == {"Complaint Filed"}
    assert len(said["carried"]) == 2, "the later one, for the address and for the phone; the earlier one they have"
    world.stop()


def test_a_pause_is_carried(stack, make_world, tmp_path):
    """Jane pauses letters and calls without naming the address; the pause that she took back is not said again."""
    world = world_of(make_world, stack, tmp_path)
    world.start()
    pauses = [{"until": "2031-03-01"}, None, {"until": "2031-03-01T00:00:00Z", "channels": ["Letter", "call_center"]}]
    said = [touchpoint(f"{n}", RECENT + DAY + n, "Preferences Saved", user_id="jane", preferences_json=json.dumps({"pause": one}))
            for n, one in enumerate(pauses)]  # fmt: skip
    feed(world, *one_family(RECENT), *said)
    carried = order(world, "unlink", JANE, HOME, "--reason", "two people")["carried"]
    assert [(item["kind"], item["what"]) for item in carried] == [("pause", "Pause Carried Over")] * 2, "for the address and for the phone"
    kept = "SELECT DISTINCT preferences FROM suppression.facts WHERE event = 'Pause Carried Over'"
    assert world.query(kept) == [("pause\x1f2031-03-01T00:00:00.000000Z\x1fLetter\x1fcall_center\x1f\n",)]
    world.stop()


def at_risk(world, path):
    plan = json.loads(identity(world, "plan", "--policy", path, "--json", check=False).stdout)
    assert plan["merges_lost"] > 0
    return plan["opt_outs_at_risk"], len(plan["examples_opt_outs"])


def test_plan_tells_whose_opt_out_is_at_risk(stack, make_world, tmp_path):
    """Jane and Bob are one by an address; the shipped policy parts them. What both were named in is not lost."""
    shipped = RETAILER / "identity.json"
    world = world_of(make_world, stack, tmp_path, identity_policy=open_policy())
    world.start()
    bob = {"user_id": "bob", **HOME_EMAIL}
    feed(world, touchpoint("1", RECENT, user_id="jane", **HOME_EMAIL), touchpoint("2", RECENT + HOUR, **bob))
    assert len(profiles(world)) == 1 and at_risk(world, shipped) == (0, 0)
    feed(world, touchpoint("3", RECENT + 2 * HOUR, "Consent Withdrawn", **bob, **NO))
    assert at_risk(world, shipped) == (0, 0), "named: bob, and the address that stays with Jane"
    feed(world, touchpoint("4", RECENT + 3 * HOUR, "Consent Given", **HOME_EMAIL, consent={"push": True}))
    assert at_risk(world, shipped) == (0, 0), "an opt-in is no stake"
    feed(world, touchpoint("5", RECENT + 4 * HOUR, "Consent Withdrawn", user_id="bob", consent={"all": False, "sms": True}))
    assert at_risk(world, shipped) == (1, 1), "Jane is not named, and would lose the no to all"
    feed(world, touchpoint("6", RECENT + 5 * HOUR, "Consent Withdrawn", user_id="jane", consent={"all": False}))
    assert at_risk(world, shipped) == (1, 1), "now Bob would lose the no to text messages"
    feed(world, touchpoint("7", RECENT + 6 * HOUR, "Consent Withdrawn", **bob, consent={"all": False}))
    assert at_risk(world, shipped) == (0, 0)
    feed(
        world,
        touchpoint("8", RECENT + 7 * HOUR, "Consent Withdrawn", user_id="jane", consent={"chat": False}),
        touchpoint("9", RECENT + 8 * HOUR, "Consent Given", **bob, consent={"chat": True}),
        touchpoint("10", RECENT + 9 * HOUR, "Consent Withdrawn", user_id="bob", consent={"chat": False}),
    )
    assert at_risk(world, shipped) == (0, 0), "Bob's yes in between is not Jane's"
    feed(world, touchpoint("11", RECENT + 10 * HOUR, "Consent Given", **HOME_EMAIL, consent={"all": True}))
    assert at_risk(world, shipped) == (0, 0), "the last word of the customer is yes"
    world.stop()


def test_erasing_a_person_leaves_others_what_binds_them(stack, make_world, tmp_path):
    """Copies under the person's identifiers go; under an identifier of another person they are that person's. So is one that suppression had
    not read when the person was erased."""
    world = world_of(make_world, stack, tmp_path)
    world.start()
    feed(world, touchpoint("1", RECENT, user_id="bob", **HOME_EMAIL))
    feed(world, touchpoint("2", RECENT + HOUR, "Consent Withdrawn", user_id="jane", **HOME_EMAIL, **NO))
    feed(world, touchpoint("own", RECENT + HOUR, user_id="jane", email="jane@example1.com"))
    feed(world, touchpoint("3", RECENT + HOUR, "Complaint Filed", user_id="bob", phone="+15550001111"))
    (suppression,) = world.of("suppression")
    suppression.stop()
    late = [
        touchpoint("4", RECENT + 2 * HOUR, "Consent Withdrawn", user_id="jane", **HOME_EMAIL, consent={"sms": False}),
        touchpoint("5", RECENT + 3 * HOUR, "Consent Withdrawn", user_id="bob", phone="+15550002222", **NO),
        touchpoint("6", RECENT + 4 * HOUR, user_id="jane", phone="+15550002222"),
        touchpoint("7", RECENT + 5 * HOUR, "Consent Withdrawn", user_id="bob", email="jane@example1.com", consent={"push": False}),
    ]
    world.produce([json.dumps(record) for record in late])
    world.settle(names=["identity-resolver", "journey-tracker"])
    held = {row[0]: rows_of(world, row[0]) for row in world.query("SELECT identifier_id FROM tutti.dim_identifiers")}
    assert len(held) == 6
    world.stop([service for service in world.services if service is not suppression])
    world.tool("erase", "user_id:jane", "--reason", "asked for it", "--execute")
    left = {row[0] for row in world.query("SELECT identifier_id FROM tutti.dim_identifiers")}
    gone = held.keys() - left
    assert len(gone) == 2 and all(rows_of(world, one) == [] for one in gone)
    assert all(rows_of(world, one) == held[one] for one in left)
    assert sorted(row for one in left for row in held[one] if row[1]) == [("Complaint Filed", True), ("Consent Withdrawn", True)]
    for service in world.services:
        service.start()
    world.settle()
    assert all(rows_of(world, one) == [] for one in gone)
    feed(
        world,
        request("email", NOW - HOUR, "email", user_id="bob"),
        request("sms", NOW - HOUR + 1, "sms", user_id="bob"),
    )
    assert denied(world) == [("deny", "opt_out"), ("deny", "opt_out")]
    copies = [row for one in left for row in rows_of(world, one) if row == ("Consent Withdrawn", True)]
    assert len(copies) == 3, "two of Jane's touchpoints under the address, one of Bob's under the new phone"
    world.stop()


def hold_on(event):
    policy = {"kind": "hold", "on": [event], "release": ["Complaint Resolved"]}
    return {"id": "upset", **policy}


def test_another_contact_policy_finds_what_it_would_have_had(stack, make_world, tmp_path):
    """A return was asked for to end a purchase. Once a policy calls it a hold, the past ones hold for all they name."""
    world = world_of(make_world, stack, tmp_path)
    services = world.start()
    phone = {"phone": "+15550001111"}
    feed(
        world,
        touchpoint("1", RECENT, user_id="mum", **phone),
        touchpoint("2", RECENT + HOUR, "Order Returned", user_id="dad", **phone, product_id="printer-7"),
    )
    feed(world, request("before", NOW - 3 * HOUR, user_id="mum"))
    world.stop(services)
    path = world.policies / "contact.json"
    contact = json.loads(path.read_text())
    contact["rules"] = [hold_on("Order Returned") if rule["id"] == "upset" else rule for rule in contact["rules"]]
    path.write_text(json.dumps(contact))
    world.tool("policy", "apply")
    for service in services:
        service.start().wait_ready()
    feed(world, *(request(who, NOW - HOUR + n, user_id=who) for n, who in enumerate(("mum", "dad", "kid"))))
    assert denied(world) == [("grant", None), ("deny", "hold"), ("deny", "hold"), ("grant", None)]
    world.stop()
