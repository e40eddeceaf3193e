"""An opt-out or a hold is a fact of every identifier of its touchpoint: stories and random people through the real pipeline."""

import json
import random
import shutil

import psycopg
import pytest

import contact_scenarios  # of tests/oracle, by cluster
from cluster import RETAILER
from oracle import Oracle
from people import DAY, HOUR, NOW, RECENT, feed, identity, request, touchpoint
from policy import Policies, instant
from test_chaos import SETTINGS
from touchpoint import event_id

LAYOUTS = [(1, 1), (3, 3)]  # partitions, instances of each service
PEOPLE, EVENTS = 25, 300


def policies_of(directory, identity_policy=None):
    """A policy folder with the stories' contact.json."""
    shutil.copytree(RETAILER, directory)
    (directory / "contact.json").write_text(json.dumps(contact_scenarios.contact_policy()))
    if identity_policy:
        (directory / "identity.json").write_text(json.dumps(identity_policy))
    return directory


def open_policy():
    """The shipped identity policy, but people who share something are one customer."""
    policy = json.loads((RETAILER / "identity.json").read_text())
    policy["types"] = [
        {key: value for key, value in entry.items() if key not in ("unique", "max_links")} for entry in policy["types"]
    ]
    return {**policy, "max_identifiers": 10000}


def world_of(make_world, stack, tmp_path, partitions=1, identity_policy=None):
    policies = policies_of(tmp_path / "policies", identity_policy)
    layout = {"touchpoints": partitions, "resolved": partitions}
    return make_world(stack, "shared", policies=policies, partitions=layout, settings=SETTINGS)


def tell(world, events, seed, is_disturbed=False):
    """Each event twice, in an order made from the seed; is_disturbed: suppression loses an instance at work and gets another."""
    lines = [json.dumps(event) for event in events] * 2
    lines = random.Random(seed).sample(lines, len(lines))
    half = len(lines) // 2
    world.produce(lines[:half], key="message_id")
    if is_disturbed:
        world.of("suppression")[0].kill()
        world.service("suppression").start()
    world.produce(lines[half:], key="message_id")
    world.settle()


def ask(world, requests):
    """{message_id: "grant" or the reason}."""
    requests = list(requests)
    world.produce([json.dumps(one) for one in requests], key="message_id")
    world.settle()
    rows = world.query("SELECT request_id, coalesce(reason, verdict) FROM tutti.fct_contact_decisions")
    found = {request_id.bytes: answer for request_id, answer in rows}
    return {one["message_id"]: found[event_id(one["source"], one["message_id"])] for one in requests}


def wrong_answers(world, stories):
    found = ask(world, (one for story in stories for one in story.requests()))
    wanted = {
        one["message_id"]: asked[-1] for story in stories for one, asked in zip(story.requests(), story.asked)
    }
    assert found.keys() == wanted.keys() and len(wanted) > 40
    return {name: (wanted[name], found[name]) for name in wanted if wanted[name] != found[name]}


def facts(world):
    """What the ledger holds, without when it was loaded."""
    with psycopg.connect(world.url) as connection:
        return connection.execute(
            "SELECT anchor, occurred_at, event_id, kind, flags, event, consent, score, product_id, others, received_at, source,"
            " case_id, order_id, lines"
            " FROM suppression.facts ORDER BY 1, 2, 3"
        ).fetchall()


@pytest.mark.parametrize("partitions, instances", LAYOUTS, ids=str)
def test_stories(stack, make_world, tmp_path, partitions, instances):
    world = world_of(make_world, stack, tmp_path, partitions)
    world.start(instances=instances)
    stories = contact_scenarios.stories()
    tell(world, [event for story in stories for event in story.events], seed=partitions)
    assert wrong_answers(world, stories) == {}
    world.assert_chronicles()
    world.stop()
    before = facts(world)
    assert sum(1 for row in before if row[4] & 4) > 30
    world.rewind("suppression")
    again = world.start(names=["suppression"])
    world.settle()
    assert facts(world) == before, "a replay changes nothing"
    world.assert_chronicles()
    world.stop(again)


def test_applied_later_equals_always_there(stack, make_world, tmp_path):
    """Everybody who shares something was one customer, until the policy of the stories divides them."""
    world = world_of(make_world, stack, tmp_path, identity_policy=open_policy())
    world.start()
    stories = contact_scenarios.stories()
    tell(world, [event for story in stories for event in story.events], seed=7)
    shared = "SELECT count(DISTINCT profile_id) FROM tutti.dim_identifiers"
    (together,) = world.query(shared)[0]
    identity(world, "apply", "--policy", RETAILER / "identity.json", "--execute", "--force")
    world.settle()
    assert world.query(shared)[0][0] > together + 10
    assert wrong_answers(world, stories) == {}
    world.stop()


def test_what_others_say_revokes(stack, make_world, tmp_path):
    """A contact that was granted is void once another person complains, or opts out, with the customer's phone number."""
    world = world_of(make_world, stack, tmp_path)
    world.start(instances=2)
    phone = "+15550001111"
    feed(world, touchpoint("1", RECENT, user_id="mum", phone=phone), touchpoint("2", RECENT, user_id="kim"))
    asked = [request(who, NOW + DAY, user_id=who) for who in ("mum", "kim")]
    feed(world, *asked, request("sms", NOW + DAY, "sms", user_id="mum"))
    no = {"sms": False}
    feed(world, touchpoint("3", NOW, "Consent Withdrawn", user_id="dad", phone=phone, consent=no))
    feed(world, touchpoint("4", NOW + HOUR, "Complaint Filed", user_id="dad", phone=phone))
    rows = world.query("SELECT channel, verdict, outcome, outcome_cause FROM tutti.fct_contact_decisions ORDER BY 1, 4")
    assert rows == [
        ("email", "grant", "revoked", "hold"),
        ("email", "grant", "open", None),
        ("sms", "grant", "revoked", "opt_out"),
    ]
    world.assert_verdicts()
    world.stop()


# ------------------------------------------------------------------------------------------------- random people


WORDS = "email|Email|e-mail|sms|Text|push|all|ALL|*|Marketing|newsletter|analytics|Weekly news|topic:tips|direct mail".split("|")
SPEAKERS = ("Preferences Saved", "Preferences Updated", "Unsubscribed", "Unsubscribed", "Contact Sent")


def random_words(chance):
    """An answer of consent in any words and spelling, from any place."""
    channel = chance.choice(("web", "email", "E-Mail", "App", "POS", "kiosk", "sms", "fax"))
    words = {word: chance.random() < 0.7 for word in chance.sample(WORDS, chance.randrange(4))}
    return {"event": chance.choice(SPEAKERS), "channel": channel, "consent": words}


def random_events(chance):
    """People who share phones, addresses and tills, and say yes, no and worse, also in each other's company."""
    start = instant("2025-03-01T00:00:00Z")
    for number in range(EVENTS):
        person, other = chance.randrange(PEOPLE), chance.randrange(PEOPLE)
        ids = {
            "user_id": f"user-{person}",
            "email": f"p{chance.choice((person, person, other))}@example1.com",
            "phone": f"+1555000{person // 3:04}",
            "device_id": f"device-{chance.choice((person, person // 2, 99))}",
        }
        named = {kind: ids[kind] for kind in chance.sample(sorted(ids), chance.choice((1, 2, 2, 3)))}
        if "device_id" in named:
            named["device"] = {"id": named.pop("device_id")}
        said = chance.choice(
            [
                {"event": "Page Viewed"},
                {"event": "Preferences Saved", "consent": {"email": False}},
                {"event": "Preferences Saved", "consent": {"email": True}},
                {"event": "Preferences Saved", "consent": {"all": False, "sms": True}},
                {"event": "Unsubscribed", "channel": "sms"},
                {"event": "Complaint Filed"},
                {"event": "Complaint Resolved"},
                {"event": "Email Bounced", "channel": "email"},
                {"event": "Survey Answered", "score": chance.choice((-60, 40))},
                *[random_words(chance) for _ in range(4)],
            ]
        )
        at = start + chance.randrange(20 * 4) * 6 * HOUR
        yield touchpoint(f"r{number}", at, **said, **named)


def questions(events):
    """Everybody who was ever named, about three channels at two times."""
    named = set()
    for event in events:
        named.update(f"{one['type']}:{one['value']}" for one in event.get("identifiers", []))
        named.update(f"device_id:{event['device']['id']}" for _ in [0] if "device" in event)
        named.update(f"user_id:{event['user_id']}" for _ in [0] if "user_id" in event)
    for who in sorted(named):
        for channel in ("email", "Text", "push"):
            for at in ("2025-03-18T12:00:00Z", "2025-04-20T12:00:00Z"):
                yield who, channel, instant(at)


@pytest.mark.parametrize("instances, is_applied", [(1, True), (3, False)])
def test_random_people(stack, make_world, tmp_path, instances, is_applied):
    """Every verdict is the oracle's."""
    world = world_of(make_world, stack, tmp_path, 3, open_policy() if is_applied else None)
    world.start(instances=instances)
    events = list(random_events(random.Random(instances)))
    tell(world, events, seed=instances, is_disturbed=not is_applied)
    if is_applied:
        identity(world, "apply", "--policy", RETAILER / "identity.json", "--execute", "--force")
        world.settle()
    answers = contact_scenarios.Answers(
        Oracle(Policies.load(RETAILER), world.key, NOW), contact_scenarios.contact_policy()
    )
    for event in events:
        answers.add(event)
    asked = {f"q{number}": question for number, question in enumerate(questions(events))}
    found = ask(world, (contact_scenarios.request(name, *question) for name, question in asked.items()))
    wanted = {name: answers.answer(*question) for name, question in asked.items()}
    wrong = {asked[name]: (wanted[name], found[name]) for name in asked if wanted[name] != found[name]}
    assert wrong == {}, len(wrong)
    assert {"opt_out", "hold", "invalid_address", "shared_identifier", "grant"} <= set(wanted.values())
    world.assert_chronicles()
    world.stop([service for service in world.services if service.is_alive()])
