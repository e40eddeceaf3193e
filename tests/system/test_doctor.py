"""What is left open: an erasure, an exchange of keys, a sweep, channels that are not told; and the command that ends it."""

import json

import psycopg
import pytest

from people import HOUR, JANE, RECENT, feed, one_family, request, touchpoint
from test_command_kills import AFTER_IT, Held, wait_gone
from test_erase_grants import RESCUE_AFTER
from waiting import until

ERASE = ("erase", JANE, "--reason", "asked for it", "--execute")


def findings(world, subject):
    said = json.loads(world.tool("doctor", "--json", check=False).stdout)
    return [finding for finding in said if finding["subject"] == subject]


def finding(world, subject):
    (only,) = findings(world, subject)
    return only


def change(world, statement):
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(statement)


def test_an_erasure_was_interrupted(world):
    world.start()
    feed(world, *one_family(RECENT), touchpoint("bob", RECENT + HOUR, user_id="bob", email="home@example1.com"))
    assert finding(world, "erasures")["verdict"] == "ok"
    with Held(world, (AFTER_IT[0],)) as held:
        held.kill(*ERASE)
    wait_gone(world)
    found = finding(world, "erasures")
    assert found["verdict"] == "warn" and "1 are not complete" in found["text"], found
    world.tool(*found["fix"].split(" goes on")[0].removeprefix("tutti ").split())
    assert finding(world, "erasures")["verdict"] == "ok"
    world.stop()


def test_a_channel_is_not_told(world):
    """The decision is gone with the person; a revocation of a person who is not erased is not reported."""
    insert = "INSERT INTO suppression.outbox SELECT %s, 1, 0, 0, gen_random_uuid(), 'email', NULL, NULL, '', now()"
    world.rescue_after = RESCUE_AFTER
    services = world.start()
    feed(world, touchpoint("ask", RECENT, "Contact Requested", "email", user_id="bob", direction="outbound", contact={"class": "marketing"}))
    world.stop(services)
    change(world, insert % "request_id" + " FROM suppression.decisions")
    assert finding(world, "erasures")["verdict"] == "ok"
    change(world, insert % "gen_random_uuid()")
    found = finding(world, "erasures")
    assert found["verdict"] == "warn" and "1 channels" in found["text"] and "start suppression" in found["fix"], found
    (suppression,) = [service for service in services if service.name == "suppression"]
    suppression.start().wait_ready()
    until(lambda: world.query("SELECT count(*) FROM suppression.outbox") == [(0,)], 60, "they are told")
    assert finding(world, "erasures")["verdict"] == "ok"
    world.stop([suppression])


@pytest.mark.parametrize("leave", [("--cancel", "--execute"), ("--to", "finished", "--execute")])
def test_an_exchange_of_keys_is_open(world, leave):
    services = world.start(names=["identity-resolver"])
    world.stop(services)
    assert finding(world, "keys")["verdict"] == "ok"
    (world.directory / "new.key").write_text("11" * 32)
    given = ("--identity.key_file", world.directory / "new.key", "--identity.previous_key_file", world.key_file)

    def rotate(*words):
        world.tool("identity", "rotate-key", *words, *given)

    rotate("--to", "announced", "--execute")
    found = finding(world, "keys")
    assert found["verdict"] == "warn" and "announced" in found["text"] and "rotate-key --to rotating --execute" in found["fix"], found
    if "finished" in leave:
        rotate("--to", "rotating", "--execute")
        found = finding(world, "keys")
        assert found["verdict"] == "warn" and "previous key" in found["text"] and "--to finished" in found["fix"], found
    rotate(*leave)
    assert finding(world, "keys")["verdict"] == "ok"


def test_it_is_measured(world):
    """What doctor names, identity-resolver tells in its metrics: since when, and since which phase."""

    def shows(**expected):
        """An instance that has just started tells this from its first scan on."""
        service = world.service("identity-resolver")
        service.settings.update(keys)
        service.start().wait_ready()
        told = lambda: {name: service.metric(names[name]) for name in expected}
        is_right = lambda: all(low <= told()[name] <= high for name, (low, high) in expected.items())
        until(is_right, 30, lambda: f"{told()} instead of {expected}")
        world.stop([service])
        world.services.remove(service)

    (world.directory / "new.key").write_text("11" * 32)
    keys = {}
    exchange, zero, three_days = "tutti_key_exchange_open_seconds", (0, 0), (3 * 86400, 3 * 86400 + 300)
    names = {"exchange": exchange, "erasure": "tutti_erasure_open_seconds"}
    names |= {phase: f'{exchange}{{phase="{phase}"}}' for phase in ("announced", "rotating")}
    shows(exchange=zero, erasure=zero)
    change(world, "INSERT INTO identity.erasures (version, made_at, linked) VALUES (2, now() - interval '2 hours', '{}')")
    shows(erasure=(7200, 7500))
    change(world, "UPDATE identity.erasures SET is_complete = true")
    shows(erasure=zero)
    given = ("--identity.key_file", world.directory / "new.key", "--identity.previous_key_file", world.key_file)
    keys = {"identity.key_file": world.directory / "new.key", "identity.previous_key_file": world.key_file}
    for phase, other in (("announced", "rotating"), ("rotating", "announced")):
        world.tool("identity", "rotate-key", "--to", phase, "--execute", *given)
        shows(exchange=(0, 300))  # the phase is new
        change(world, "UPDATE identity.settings SET value = (value::timestamptz - interval '3 days')::text WHERE name = 'key_changed_at'")
        shows(**{phase: three_days, other: zero})
    world.tool("identity", "rotate-key", "--to", "finished", "--execute", *given)
    shows(exchange=zero)


def test_a_sweep_is_not_complete(world):
    world.stop(world.start(names=["identity-resolver"]))
    assert finding(world, "identity")["verdict"] == "ok"
    change(world, "UPDATE identity.policies SET is_complete = false WHERE is_active")
    found = finding(world, "identity")
    assert found["verdict"] == "warn" and "tutti identity apply" in found["fix"], found


def test_words_of_consent_without_a_meaning(world):
    """They are named with how often they are said; words of the policy and channels in any spelling are not."""
    world.start()
    said = {"E-Mail": False, "Direct mail": True, "ALL": False, "marketing": True, "Analytics": False, "topic:tips": True}
    feed(
        world,
        touchpoint("1", RECENT, "Preferences Saved", user_id="jane", email="home@example1.com", consent=said),
        touchpoint("2", RECENT + 1, "Preferences Saved", user_id="bob", consent={"analytics": True}),
        touchpoint("3", RECENT + 2, "Unsubscribed", "fax", user_id="bob"),
        touchpoint("4", RECENT + 3, "Unsubscribed", "web", user_id="bob"),
    )
    found = finding(world, "consent")
    assert found["verdict"] == "warn" and found["text"].endswith('"analytics" in 2, "fax" in 1, "topic:tips" in 1'), found
    assert "consent_words" in found["fix"]
    assert world.of("suppression")[0].metric("tutti_consent_words_undefined_total") == 4
    world.stop()


def test_scores_that_may_be_raw(world):
    """By source and kind; a score on the right scale and a converted one are not named."""
    world.start()
    feed(
        world,
        touchpoint("1", RECENT, "Rated", user_id="jane", score=9, score_kind="nps"),
        touchpoint("2", RECENT + 1, "Rated", user_id="bob", score=10, score_kind="nps"),
        touchpoint("3", RECENT + 2, "Rated", user_id="bob", score=4),
        touchpoint("4", RECENT + 3, "Rated", user_id="bob", score=80, score_kind="nps"),
        touchpoint("5", RECENT + 4, "Rated", user_id="bob", score_raw=9, score_kind="nps"),
    )
    found = finding(world, "scores")
    assert found["verdict"] == "warn" and '2 of "nps" from' in found["text"] and '1 of "-" from' in found["text"], found
    assert "score_raw" in found["fix"]
    world.stop()


def test_message_ids_that_were_used_again(world):
    """A repeat at the same time is one touchpoint and is not named; the same id of another time is."""
    world.start()
    feed(
        world,
        touchpoint("1", RECENT, user_id="jane"),
        touchpoint("1", RECENT, user_id="jane"),
        touchpoint("2", RECENT, user_id="jane"),
    )
    assert finding(world, "messages")["verdict"] == "ok"
    feed(world, touchpoint("1", RECENT + 1, user_id="jane"), touchpoint("2", RECENT + HOUR, user_id="bob"))
    found = finding(world, "messages")
    assert found["verdict"] == "warn" and ": 2 from " in found["text"] and "retry" in found["fix"], found
    world.stop()


def test_requests_that_name_no_address(world):
    world.start()
    known = {"user_id": "bob", "email": "bob@shop.example"}
    feed(world, touchpoint("yes", RECENT, "Signed Up", **known, consent={"email": True, "direct_mail": True}))
    feed(world, request("named", RECENT + HOUR, **known), request("letter", RECENT + HOUR, "direct_mail", user_id="bob"))
    assert finding(world, "requests")["verdict"] == "ok"
    feed(world, request("unnamed", RECENT + 2 * HOUR, user_id="bob", department="care"))
    found = finding(world, "requests")
    assert found["verdict"] == "warn" and "1 on email by care" in found["text"] and "needs_address" in found["fix"], found
    world.stop()


def test_time_zones_without_a_name(world):
    world.start()
    feed(world, *(touchpoint(f"m{n}", RECENT + n, user_id="bob", timezone=name) for n, name in enumerate(("Europe/Berlin", "CEST", "berlin", ""))))
    found = finding(world, "time zones")
    assert found["verdict"] == "warn" and "2 from urn:" in found["text"], found
