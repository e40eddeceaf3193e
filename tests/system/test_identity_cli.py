"""What an operator orders about people: undo a merge, make one, release a kiosk, ask why; a cut frees no one."""

import json
import shutil

import psycopg
import pytest

from cluster import BANK, RETAILER
from feeding import Feeder
from people import (
    DAY,
    HOME,
    HOUR,
    JANE,
    NOW,
    PHONE,
    RECENT,
    START,
    assert_plan_is_quiet,
    feed,
    identity,
    identity_tables,
    kiosk,
    one_family,
    opted_out_family,
    order,
    profiles,
    request,
    touchpoint,
    why,
)
from waiting import until


def denied(world):
    """(verdict, reason) in the order of the requests."""
    return world.query("SELECT verdict, reason FROM tutti.fct_contact_decisions ORDER BY requested_at")


def test_unlink_and_link_again(world):
    world.start()
    feed(world, *one_family())
    assert len(profiles(world)) == 1
    before = identity_tables(world)

    plan = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "two people", "--json").stdout)
    assert plan["executed"] is False and plan["moved"] == 2
    (moves,) = plan["moves"]
    assert (moves["touchpoints"], moves["conversions"], moves["revenue"], moves["currency"]) == ("2", "1", "30.00", "USD")
    assert len({row["profile"] for row in plan["members"]}) == 2 and len({row["before"] for row in plan["members"]}) == 1
    assert identity_tables(world) == before, "a plan changes nothing"
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []

    said = order(world, "unlink", JANE, HOME, "--reason", "two people", "--actor", "anna")
    assert said["executed"] is True and said["version"] > 0
    assert len(profiles(world)) == 2
    revenues = {row[0] for row in world.query("SELECT revenue FROM tutti.dim_profiles")}
    assert revenues == {70, 30}, revenues
    assert world.query("SELECT kind, actor, reason, version FROM tutti.fct_identity_orders") == [
        ("cut", "anna", "two people", said["version"])
    ]
    apart = why(world, JANE, HOME)
    assert apart["one_customer"] is False
    assert [row["what"] for row in apart["cuts"]] == ["cut by anna: two people"]
    assert [row["refused_by"] for row in apart["refused"]] == ["cut"]
    world.assert_equals_oracle()

    order(world, "link", JANE, HOME, "--reason", "one after all", "--actor", "bert")
    assert len(profiles(world)) == 1
    together = why(world, PHONE, JANE)
    assert together["one_customer"] is True
    assert [row["kind"] for row in together["chain"]] == ["touchpoint", "link"]
    assert together["chain"][1]["what"] == "linked by bert: one after all"
    world.assert_equals_oracle()
    assert_plan_is_quiet(world)
    world.stop()


def test_a_cut_holds_against_every_path(world):
    """What would unite them later, over whatever identifier, is refused."""
    world.start()
    feed(world, *one_family())
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    feed(world, touchpoint("5", START + 4 * HOUR, user_id="jane", phone="+15550001111"))
    assert len(profiles(world)) == 2
    assert [row["refused_by"] for row in why(world, JANE, PHONE)["refused"]] == ["cut", "cut"]
    assert_plan_is_quiet(world)
    world.stop()


def cut_some(world, wanted):
    """Cuts apart so many pairs that are one customer."""
    pairs = world.query(
        "SELECT a, b FROM tutti.fct_identity_links WHERE refused_by IS NULL ORDER BY evidence LIMIT %s", 20 * wanted
    )
    done = 0
    for pair in pairs:
        if done == wanted:
            break
        plan = json.loads(identity(world, "unlink", *pair, "--reason", "test", "--json").stdout)
        assert not plan["carried"], "the oracle knows nothing of it"
        if plan["moved"]:
            done += json.loads(identity(world, "unlink", *pair, "--reason", "test", "--json", "--execute").stdout)["executed"]
    assert done == wanted


def test_unlink_under_load(stack, make_world):
    """Two instances of each service work while customers are divided: the tables are those of a world that never joined them."""
    world = make_world(stack, "load")
    lines = world.generate("bench", people=150, events=10000)
    opt_outs = [line for line in lines if '"Unsubscribed"' in line]  # what a cut carries over is nothing that the oracle knows
    assert opt_outs
    world.start(instances=2)
    accepted = "SELECT count(*) > 200 FROM tutti.fct_identity_links WHERE refused_by IS NULL"
    with Feeder(world, [line for line in lines if line not in opt_outs], pieces=60, outlasts=True):
        until(lambda: world.query(accepted) == [(True,)], 60, "enough links to choose from")
        cut_some(world, 10)
    world.produce(opt_outs)
    world.settle()
    assert world.query("SELECT count(*) FROM tutti.fct_identity_orders") == [(10,)]
    world.assert_equals_oracle()
    world.assert_numbers_dense()
    assert_plan_is_quiet(world)
    world.stop()


def test_a_cut_waits_for_what_was_said_before(world):
    """Suppression is down and an opt-out lies in its topic: who asks for the cut now has to wait for it."""
    services = world.start()
    consent = {"email": True, "sms": True}
    feed(world, *one_family(RECENT), touchpoint("yes", RECENT, "Consent Given", phone="+15550001111", consent=consent))
    (suppression,) = world.of("suppression")
    suppression.stop()
    said = touchpoint("no", RECENT + 4 * HOUR, "Consent Withdrawn", user_id="jane", consent={"email": False})
    world.produce([json.dumps(said)])
    world.settle(names=["identity-resolver", "journey-tracker"])
    before = identity_tables(world)
    words = ("unlink", JANE, HOME, "--reason", "two people")
    refused = identity(world, *words, "--execute", "--wait", 1, check=False)
    assert refused.returncode == 1 and "nothing was changed" in refused.stderr and "suppression" in refused.stderr
    assert identity_tables(world) == before and len(profiles(world)) == 1
    suppression.start().wait_ready()
    assert [item["what"] for item in order(world, *words)["carried"]] == ["email", "email"]
    feed(world, request("phone", NOW - HOUR, phone="+15550001111"), request("jane", NOW - HOUR, user_id="jane"))
    assert denied(world) == [("deny", "opt_out"), ("deny", "opt_out")]
    world.stop(services)


def test_a_cut_never_frees_anyone(world):
    """Opt-out and hold were said under the other side's anchor; both hold for both sides after the cut."""
    world.start()
    feed(world, *opted_out_family())
    feed(world, request("before", RECENT + 6 * HOUR, phone="+15550001111"))
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert {item["kind"] for item in said["carried"]} == {"opt_out", "hold"}
    feed(
        world,
        request("phone-email", RECENT + 7 * HOUR, phone="+15550001111"),
        request("phone-sms", RECENT + 8 * HOUR, channel="sms", phone="+15550001111"),
        request("jane-email", RECENT + 9 * HOUR, user_id="jane"),
        request("home-email", RECENT + 10 * HOUR, email="home@example1.com"),
    )
    assert denied(world) == [
        ("deny", "opt_out"),
        ("deny", "opt_out"),
        ("deny", "hold"),
        ("deny", "opt_out"),
        ("deny", "opt_out"),
    ]
    carried = world.query(
        "SELECT direction, event_name FROM tutti.fct_touchpoints WHERE source = 'urn:tutti:identity' ORDER BY event_name"
    )
    assert {row[0] for row in carried} == {None}, "they take part in no figure"
    assert len(carried) == len(said["carried"]) == len({item["touchpoint"] for item in said["carried"]})
    again = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "again", "--json").stdout)
    assert again["carried"] == [] and again["moved"] == 0
    world.stop()


def test_a_carried_hold_ends_when_the_hold_ends(stack, make_world):
    """A complaint that was resolved holds 14 more days: for both sides of the cut, and no longer."""
    world = make_world(stack, "hold", policies=BANK)
    world.start()
    yes = {"email": True, "sms": True}
    feed(
        world,
        *one_family(RECENT),
        touchpoint("yes", RECENT, "Consent Given", phone="+15550001111", consent=yes),
        touchpoint("angry", RECENT + DAY, "Complaint Filed", user_id="jane"),
        touchpoint("fine", RECENT + 2 * DAY, "Complaint Resolved", user_id="jane"),
    )
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert sorted({item["what"] for item in said["carried"]}) == ["Complaint Filed", "Complaint Resolved"]
    ends = RECENT + 2 * DAY + 14 * DAY
    asked = [request(f"at-{at}", NOW - HOUR, phone="+15550001111") for at in (ends - 1, ends)]
    for record, at in zip(asked, (ends - 1, ends)):
        record["occurred_at"] += at - ends
        record["contact"]["planned_at"] = at
    feed(world, *asked)
    assert denied(world) == [("deny", "hold"), ("grant", None)]
    world.stop()


def test_only_what_holds_today_is_carried(world):
    """A consent that was given again later holds no one back; an opt-in is its anchor's alone."""
    world.start()
    feed(
        world,
        *one_family(RECENT),
        touchpoint("no", RECENT, "Consent Withdrawn", user_id="jane", consent={"email": False, "sms": False, "all": False}),
        touchpoint("yes", RECENT + DAY, "Consent Given", phone="+15550001111", consent={"email": True}),
        touchpoint("old", NOW - 60 * DAY, "Complaint Filed", user_id="jane"),
    )
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    (what,) = {item["what"] for item in said["carried"]}
    assert {item["kind"] for item in said["carried"]} == {"opt_out"}
    assert what.split() == ["sms", "all"], "push is named by nothing, so the no to all carries it"
    feed(
        world,
        request("jane-email", RECENT + 2 * DAY, user_id="jane"),
        request("phone-email", RECENT + 3 * DAY, phone="+15550001111"),
        request("phone-sms", RECENT + 4 * DAY, channel="sms", phone="+15550001111"),
        request("phone-push", RECENT + 5 * DAY, channel="push", phone="+15550001111"),
    )
    assert denied(world) == [("deny", "opt_out"), ("grant", None), ("deny", "opt_out"), ("deny", "opt_out")]
    world.stop()


def test_a_cut_frees_no_channel(stack, make_world, tmp_path):
    """A channel that the policy declares is as good as any: both opt-outs hold for the address after the cut."""
    policies = shutil.copytree(RETAILER, tmp_path / "policies")
    path = policies / "contact.json"
    rules = [{"id": "optout", "kind": "opt_out"}]
    declared = {"consent": {"*": {"on_unknown": "allow"}}, "channels": ["WhatsApp"], "rules": rules}
    path.write_text(json.dumps({**json.loads(path.read_text()), **declared}))
    world = make_world(stack, "channels", policies=policies)
    world.start()
    consent = {"WhatsApp": False, "E-Mail": False, "Weekly news": False}
    feed(world, *one_family(RECENT), touchpoint("no", RECENT + 4 * HOUR, "Consent Withdrawn", user_id="jane", consent=consent))
    ask = [("whatsapp", 5 * HOUR), ("email", 6 * HOUR), ("sms", 7 * HOUR)]
    feed(world, *(request(f"before-{ch}", RECENT + at, ch, email="home@example1.com") for ch, at in ask))
    said = order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert len(profiles(world)) == 2
    assert [sorted(item["what"].split()) for item in said["carried"]] == [["email", "weekly_news", "whatsapp"]] * 2
    feed(world, *(request(f"after-{ch}", RECENT + DAY + at, ch, email="home@example1.com") for ch, at in ask))
    assert denied(world) == [("deny", "opt_out"), ("deny", "opt_out"), ("grant", None)] * 2
    world.stop()


def test_without_a_cut_the_other_side_would_be_free(world):
    """The contrast that makes the test above able to fail: without the merge, nothing forbids the second side's text message."""
    world.start()
    apart = [record for record in opted_out_family() if record["message_id"] != "1"]
    feed(world, *apart)
    feed(world, request("phone-sms", RECENT + 8 * HOUR, channel="sms", phone="+15550001111"))
    assert denied(world) == [("grant", None)]
    world.stop()


def test_unlink_waits_for_suppression(world):
    """While suppression cannot store what is carried, nothing is cut."""
    services = world.start()
    feed(world, *opted_out_family())
    world.stop([service for service in services if service.name == "suppression"])
    before = identity_tables(world)
    carried = json.loads(identity(world, "unlink", JANE, HOME, "--reason", "two people", "--json").stdout)["carried"]
    refused = identity(
        world, "unlink", JANE, HOME, "--reason", "two people", "--execute", "--wait", 2, check=False
    )
    assert refused.returncode == 1 and "suppression has stored 0 of" in refused.stderr, refused.stderr
    assert refused.stderr.count("waiting for suppression to store opt-outs and holds, 2 seconds at most\n") == 1
    assert identity_tables(world) == before
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []
    next(service for service in services if service.name == "suppression").start().wait_ready()
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert len(profiles(world)) == 2
    said = world.query("SELECT touchpoint_id FROM tutti.fct_touchpoints WHERE source = 'urn:tutti:identity'")
    assert {str(row[0]) for row in said} == {item["touchpoint"] for item in carried} and len(said) == len(carried)
    world.stop()


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("unlink", JANE, HOME), 2, "--reason is missing"),
        (("unlink", JANE, "--reason", "x"), 2, "expected unlink A B"),
        (("unlink", JANE, JANE, "--reason", "x"), 1, "the same identifier"),
        (("unlink", JANE, "user_id:nobody", "--reason", "x"), 1, "never seen"),
        (("unlink", JANE, "shoe_size:43", "--reason", "x"), 1, "no type"),
        (("unlink", JANE, "email:null", "--reason", "x"), 1, "blocked"),
        (("merge", JANE, HOME), 2, "expected unlink"),
    ],
)
def test_orders_used_wrongly(world, words, status, text):
    world.start(names=["identity-resolver"])
    lines = [json.dumps(record) for record in one_family()]
    world.produce(lines)
    world.settle(names=["identity-resolver"])
    done = identity(world, *words, check=False)
    assert done.returncode == status and text in done.stderr, done.stderr
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []
    world.stop()


def test_release_from_quarantine(world):
    world.start()
    feed(world, *kiosk(6))
    assert len(profiles(world)) == 7
    shared = world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared")
    assert shared == [(1,)]
    text = world.tool("explain", "device_id:kiosk").stdout
    assert "shared profile" in text, text
    apart = why(world, "user_id:user-0", "device_id:kiosk")
    assert [row["refused_by"] for row in apart["refused"]] == ["quarantine"]
    assert [row["type"] for row in apart["quarantined"]] == ["device_id"]
    between = why(world, "user_id:user-0", "user_id:user-1")
    assert [row["refused_by"] for row in between["between"]] == ["quarantine"]
    order(world, "release", "device_id:kiosk", "--reason", "checked")
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(0,)]
    assert why(world, "user_id:user-0", "device_id:kiosk")["one_customer"] is True, "the oldest link wins"
    assert [row["refused_by"] for row in why(world, "user_id:user-1", "device_id:kiosk")["refused"]] == ["unique"]
    world.assert_equals_oracle()
    assert_plan_is_quiet(world)
    world.stop()


# Rows as identity-resolver leaves them: a device that so many users had, and that is in quarantine.
CROWD = """
WITH device AS (SELECT identifier_id AS id FROM identity.identifiers WHERE is_quarantined),
     users AS (SELECT md5(n::text)::uuid AS id FROM generate_series(%s::integer, %s) AS n),
     stored AS (
         INSERT INTO identity.identifiers (identifier_id, profile_id, first_seen_at, version, type, has_refused)
         SELECT id, id, '2025-03-02', 0, 1, true FROM users)
INSERT INTO identity.links (a, b, first_seen_at, evidence, refused_by)
SELECT least(u.id, d.id), greatest(u.id, d.id), '2025-03-02', u.id, 2 FROM users AS u, device AS d
"""


def test_release_says_what_it_costs(world):
    """Every later batch that touches it reads all of its links: above 10,000 that must be meant."""
    world.start()
    feed(world, *kiosk(4))
    release = ("release", "device_id:kiosk", "--reason", "a shared tablet")
    assert json.loads(identity(world, *release, "--json").stdout)["links_read"] == 4
    assert json.loads(identity(world, "release", "user_id:user-0", "--reason", "r", "--json").stdout)["links_read"] == 1
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(CROWD, (5, 10000))
    plan = identity(world, *release)
    assert "10000 links, which every later batch that touches it reads\n" in plan.stdout, plan.stdout
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(CROWD, (10001, 10001))
    plan = identity(world, *release)
    assert "10001 links" in plan.stdout and "--execute needs --force" in plan.stdout, plan.stdout
    assert "and 9981 more" in plan.stdout and plan.stdout.count(" -> ") == 20, "a page, not a book"
    refused = identity(world, *release, "--execute", check=False)
    assert refused.returncode == 1 and "10001 links" in refused.stderr and "--force" in refused.stderr, refused.stderr
    assert world.query("SELECT * FROM tutti.fct_identity_orders") == []
    said = order(world, *release, "--force")
    assert said["executed"] is True and said["links_read"] == 10001
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(0,)]
    left = identity(world, "release", "device_id:kiosk", "--reason", "again", "--json")
    assert json.loads(left.stdout)["links_read"] == 10001, "accepted or refused, they are its links"
    world.stop()


def test_a_link_that_a_rule_refuses(world):
    """The plan says so, before and instead of "done"."""
    world.start()
    feed(world, *one_family(), touchpoint("5", START, user_id="joe"))
    words = ("link", JANE, "user_id:joe", "--reason", "a guess")
    assert "they stay apart, the link is refused by unique" in identity(world, *words).stdout
    assert order(world, *words)["refused_by"] == "unique"
    assert "refused_by" not in json.loads(identity(world, "link", JANE, PHONE, "--reason", "are", "--json").stdout)
    world.assert_equals_oracle()
    world.stop()


def test_what_others_typed_does_not_steer_the_terminal(world):
    """An event's name comes from a browser, a reason from a clipboard."""
    world.start()
    feed(world, touchpoint("1", START, "Viewed\x1b[2J\u202e", user_id="jane", email="home@example1.com"))
    order(world, "unlink", JANE, HOME, "--reason", "two\x1b]0;x\x07 people")
    said = world.tool("explain", JANE).stdout + world.tool("explain", "--why", JANE, HOME).stdout
    assert said.count("Viewed\\u001b[2J\\u202e") == 2 and said.count("two\\u001b]0;x\\u0007 people") == 2, said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    world.stop()


def test_nothing_connects_them(world):
    world.start(names=["identity-resolver"])
    world.produce([json.dumps(touchpoint(name, START, user_id=name)) for name in ("a", "b")])
    world.settle(names=["identity-resolver"])
    assert "no evidence connects them" in world.tool("explain", "--why", "user_id:a", "user_id:b").stdout
    world.stop()
