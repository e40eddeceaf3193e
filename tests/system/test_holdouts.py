"""Holdouts through the pipeline: who draws, people who are joined and cut, peeks, erasure, and another policy."""

import json
import shutil

import pytest

from cluster import RETAILER
from contact_kinds import bucket  # of tests/oracle, by cluster
from door import Door
from people import HOUR, NOW, RECENT, feed, order, request, touchpoint
from traces import erase, short_key, traces

PERCENT = 50
HALF = {"id": "half", "kind": "holdout", "classes": ["marketing"], "percent": PERCENT}
OPT_OUT = {"id": "optout", "kind": "opt_out", "classes": ["marketing"]}
ARMS = "SELECT a.anchor_id, r.arm, r.basis_points, r.request_id FROM suppression.arms AS r JOIN suppression.anchors AS a USING (anchor)"


def with_rules(policies, *rules):
    path = policies / "contact.json"
    contact = json.loads(path.read_text())
    path.write_text(json.dumps(contact | {"rules": list(rules), "consent": {"*": {"on_unknown": "allow"}}}))


@pytest.fixture
def half(stack, make_world, tmp_path):
    shutil.copytree(RETAILER, tmp_path / "policies")
    with_rules(tmp_path / "policies", OPT_OUT, HALF)
    world = make_world(stack, "holdouts", policies=tmp_path / "policies")
    world.start()
    yield world
    world.stop([service for service in world.services if service.is_alive()])


def asked(message_id, at=RECENT, **who):
    return request(message_id, at, **who)


def verdict_of(world, message_id):
    ((verdict, reason),) = world.query(
        "SELECT d.verdict, d.reason FROM tutti.fct_contact_decisions AS d JOIN journey.facts AS f ON f.event_id = d.request_id WHERE f.message_id = %s",
        message_id,
    )
    return verdict, reason


def phone_of(number):
    return f"+1555000{number:04d}"


def ask_everybody(world, count=12):
    feed(world, *(asked(f"user-{n}", user_id=f"user-{n}") for n in range(count)),
         *(asked(f"phone-{n}", phone=phone_of(n)) for n in range(count)))  # fmt: skip


def drawn(world, what):
    """{arm: numbers of those who drew it}."""
    found = {"grant": [], "deny": []}
    for n in range(12):
        verdict, reason = verdict_of(world, f"{what}-{n}")
        assert reason in (None, "holdout")
        found[verdict].append(n)
    assert all(found.values()), "of twelve all drew the same"
    return found


def test_the_lot_is_the_hash(half):
    """Each draws by the anchor of the request; asking again draws nothing."""
    ask_everybody(half)
    rows = half.query(ARMS)
    assert len(rows) == 24
    for anchor, arm, basis_points, _ in rows:
        assert (arm, basis_points) == (int(bucket("half", anchor.bytes) < 100 * PERCENT), 100 * PERCENT)
    refused = half.query("SELECT count(*) FROM tutti.fct_contact_decisions WHERE reason = 'holdout' AND retry_at IS NULL")
    assert refused == [(sum(arm for _, arm, *_ in rows),)]
    feed(half, *(asked(f"again-{n}", RECENT + HOUR, user_id=f"user-{n}") for n in range(12)))
    assert half.query(ARMS) == rows


def test_joined_and_cut(half):
    """M5: control and treated are joined: refused. Cut, each has its own arm again."""
    ask_everybody(half)
    user, phone = drawn(half, "user")["grant"][0], drawn(half, "phone")["deny"][0]
    rows = sorted(half.query(ARMS))
    who, other = {"user_id": f"user-{user}"}, {"phone": phone_of(phone)}
    feed(half, touchpoint("link", RECENT + HOUR, **who, **other))
    feed(half, asked("joined", RECENT + 2 * HOUR, **who))
    assert verdict_of(half, "joined") == ("deny", "holdout")
    order(half, "unlink", f"user_id:user-{user}", f"phone:{phone_of(phone)}", "--reason", "two people")
    feed(half, asked("cut-user", NOW - HOUR, **who), asked("cut-phone", NOW - HOUR, **other))
    assert verdict_of(half, "cut-user") == ("grant", None)
    assert verdict_of(half, "cut-phone") == ("deny", "holdout")
    assert sorted(half.query(ARMS)) == rows


def test_who_would_be_refused_draws_nothing(half):
    feed(half, touchpoint("no", RECENT, "Unsubscribed", "email", user_id="jane"))
    feed(half, asked("ask", RECENT + HOUR, user_id="jane"))
    assert verdict_of(half, "ask") == ("deny", "opt_out")
    assert half.query(ARMS) == []


def test_a_peek_draws_nothing(half):
    door = Door(half).start().wait_ready()
    for n in range(6):
        one = asked(f"peek-{n}", user_id=f"user-{n}", department="cards")
        peeked = door.peek(one)
        assert half.query("SELECT count(*) FROM suppression.arms") == [(n,)]
        assert door.ask(one)["verdict"] == peeked["verdict"]


def test_an_erased_person_leaves_no_arm(half):
    ask_everybody(half, 2)
    (anchor,) = {anchor for anchor, *_, request_id in half.query(ARMS)
                 if half.query("SELECT message_id FROM journey.facts WHERE event_id = %s", request_id) == [("user-0",)]}  # fmt: skip
    report = erase(half, "user_id:user-0")
    assert report["tables"]["suppression.arms"] == 1
    assert traces(half, [anchor]) == {}
    assert half.query("SELECT count(*) FROM suppression.arms WHERE anchor = %s", short_key(anchor)) == [(0,)]
    assert half.query("SELECT count(*) FROM suppression.arms") == [(3,)]


def test_a_holdout_that_goes_is_named(half):
    """Its arms stay: under the same name it goes on; another name is another experiment."""
    ask_everybody(half, 2)
    half.stop()
    with_rules(half.policies, OPT_OUT, {**HALF, "id": "other"})
    said = half.tool("policy", "apply", check=False).stderr
    assert 'the holdout "half" has arms' in said, said
    with_rules(half.policies, OPT_OUT, HALF)
    assert "has arms" not in half.tool("policy", "apply", check=False).stderr
    half.start()
    assert half.query("SELECT count(*) FROM suppression.arms") == [(4,)]
