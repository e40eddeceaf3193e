"""The opt-out of an address outlives an erasure, as a keyed id with its channel and time; or goes with it."""

import json
import shutil
import time

from cluster import RETAILER
from people import HOUR, RECENT, US, feed, request, touchpoint
from test_key_rotation import finish, key_files, keys, rotate  # noqa: F401 (keys is a fixture)
from traces import erase, traces, wait_past_erasure

ERA, YES = "era@example.com", {"email": True, "direct_mail": True}
READERS = ("identity-resolver", "journey-tracker", "suppression")
KEPT = "SELECT type, channel, opted_out_at FROM tutti.dim_kept_opt_outs ORDER BY 1, 2"


def kept(world):
    return [(kind, channel, int(at.timestamp() * US)) for kind, channel, at in world.query(KEPT)]


def verdicts(world):
    rows = world.query(
        "SELECT t.message_id, coalesce(d.reason, d.verdict) FROM tutti.fct_contact_decisions AS d"
        " JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = d.request_id"
    )
    return dict(rows)


def said_no():
    """To e-mail and letters, with the address; of letters the newest no; to a class; and one that was taken back."""
    who = {"user_id": "jane", "email": ERA, "phone": "+15550001111"}
    yield touchpoint("yes", RECENT, "Consent Given", consent={**YES, "sms": True}, **who)
    yield touchpoint("no-1", RECENT + HOUR, "Unsubscribed", "direct_mail", **who)
    yield touchpoint("no-2", RECENT + 2 * HOUR, "Consent Withdrawn", consent={"direct_mail": False, "marketing": False}, **who)
    yield touchpoint("no-3", RECENT + HOUR, "Consent Withdrawn", consent={"email": False}, user_id="jane", email=ERA)
    yield touchpoint("no-4", RECENT + HOUR, "Consent Withdrawn", consent={"sms": False}, **who)
    yield touchpoint("yes-4", RECENT + 2 * HOUR, "Consent Given", consent={"sms": True}, **who)
    yield touchpoint("no-5", RECENT + 2 * HOUR, "Consent Withdrawn", consent={"push": False}, user_id="jane")


STAY = [
    ("email", "direct_mail", RECENT + 2 * HOUR),
    ("email", "email", RECENT + HOUR),
    ("phone", "direct_mail", RECENT + 2 * HOUR),
]


def come_back(number, **who):
    """Under another user id: agrees to everything without the address, then is asked for, by name and by none."""
    at = int(time.time() * US)
    yield touchpoint(f"seen-{number}", at, user_id=f"new-{number}", **who)
    for channel in ("email", "direct_mail"):
        yield request(f"{channel}-named-{number}", at + 1, channel, user_id=f"new-{number}", **who)
        yield request(f"{channel}-{number}", at + 1, channel, user_id=f"new-{number}")


def test_the_no_of_an_address_stays(world):
    services = world.start()
    feed(world, *said_no(), touchpoint("ann", RECENT, "Consent Given", user_id="new-0", consent=YES))
    plan = json.loads(world.tool("erase", "user_id:jane", "--reason", "asked for it", "--json").stdout)
    assert (plan["opt_outs_kept"], plan["opt_outs_taken"]) == (3, 0) and kept(world) == []
    report = erase(world, "user_id:jane")
    assert (report["opt_outs_kept"], report["opt_outs_taken"]) == (3, 0)
    assert kept(world) == STAY
    left = traces(world, report["identifiers"])
    assert left == {"suppression.facts.anchor": 3, "suppression.kept_addresses.address_id": 2}
    feed(world, *said_no())
    world.read_again(READERS, services)
    world.settle()
    assert kept(world) == STAY and len(world.query("SELECT FROM tutti.dim_profiles")) == 1
    wait_past_erasure(world)
    feed(world, *come_back(0, email=ERA))
    assert set(verdicts(world).values()) == {"opt_out"}, verdicts(world)
    at = int(time.time() * US)
    feed(world, touchpoint("again", at, "Consent Given", user_id="new-0", email=ERA, consent=YES))
    at += 1
    feed(world, request("free", at, "email", user_id="new-0", email=ERA), request("free-letter", at, "direct_mail", user_id="new-0", email=ERA))
    assert (verdicts(world)["free"], verdicts(world)["free-letter"]) == ("grant", "grant")
    report = erase(world, "user_id:new-0")
    assert kept(world) == STAY[2:], "the yes of the customer who was erased ended two of them"
    report = erase(world, "phone:+15550001111", "--opt-outs-too")
    assert report["opt_outs_taken"] == 1 and kept(world) == []
    again = world.tool("erase", "phone:+15550001111", "--opt-outs-too", "--reason", "x", "--execute", check=False)
    assert again.returncode == 1 and "was erased at" in again.stderr
    world.stop(services)


def test_a_customer_seen_with_it_is_bound_by_any_other_address(world):
    """Whatever was asked before: letters to another address of hers, too."""
    services = world.start()
    feed(world, *said_no(), touchpoint("ann", RECENT, "Consent Given", user_id="ann", email="ann@example.com", consent=YES))
    erase(world, "user_id:jane")
    wait_past_erasure(world)
    at = int(time.time() * US)
    feed(world, touchpoint("seen", at, user_id="ann", email=ERA), request("free", at - HOUR, "email", user_id="ann", email="ann@example.com"))
    feed(world, request("bound", at + 1, "email", user_id="ann", email="ann@example.com"))
    assert verdicts(world)["bound"] == "opt_out"
    world.stop(services)


def test_the_key_that_finds_it(world, keys):
    """Who ends an exchange of keys is told which opt-outs would bind nobody any more; what comes again is found by the new key."""
    world.start()
    feed(world, *said_no())
    erase(world, "user_id:jane")
    for service in world.services:
        if service.name == "identity-resolver":
            service.stop()
            service.settings.update(key_files(world, 1))
            service.start()
            service.wait_ready()
    rotate(world, 1, "--to", "announced", "--execute")
    rotate(world, 1, "--to", "rotating", "--execute")
    state = rotate(world, 1)
    assert state["kept_only_by_previous"] == 2
    assert sorted(row["opt_outs_kept"] for row in state["lost"]) == [0, 1, 2]
    refused = rotate(world, 1, "--to", "finished", "--execute", check=False)
    assert "opt-outs of 2 of these would bind nobody" in refused
    feed(world, *said_no())
    assert rotate(world, 1)["kept_only_by_previous"] == 0
    finish(world, 1)
    wait_past_erasure(world)
    feed(world, *come_back(2, email=ERA))
    assert set(verdicts(world).values()) == {"opt_out"}
    world.stop()


def test_opt_outs_too(world):
    """Those of today, and those that an earlier erasure left of an address that did not come back."""
    services = world.start()
    feed(world, *said_no())
    erase(world, "user_id:jane")
    wait_past_erasure(world)
    feed(world, *come_back(1, email=ERA))
    report = erase(world, f"email:{ERA}", "--opt-outs-too")
    assert (report["opt_outs_kept"], report["opt_outs_taken"]) == (0, 3) and kept(world) == []
    assert traces(world, report["identifiers"]) == {}
    world.stop(services)


def test_the_policy_keeps_none(stack, make_world, tmp_path):
    folder = shutil.copytree(RETAILER, tmp_path / "keeps-none")
    contact = json.loads((folder / "contact.json").read_text())
    (folder / "contact.json").write_text(json.dumps({**contact, "keep_opt_outs": False}))
    world = make_world(stack, "keeps-none", policies=folder)
    services = world.start()
    feed(world, *said_no())
    report = erase(world, "user_id:jane")
    assert (report["opt_outs_kept"], report["opt_outs_taken"]) == (0, 3) and kept(world) == []
    assert traces(world, report["identifiers"]) == {}
    world.stop(services)
