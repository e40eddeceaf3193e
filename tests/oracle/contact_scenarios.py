"""The stories of tests/scenarios/contact: who may be contacted once everything is known."""

import json

from contact import Ledger
from policy import instant
from scenarios import ROOT, Scenario, Told, shipped
from touchpoint import event_id

FOLDER = ROOT / "tests" / "scenarios" / "contact"
ASKED_AT = "2025-04-01T12:00:00Z"
NEVER = instant("2037-01-01T00:00:00Z")
FIELDS = {"user_id", "anonymous_id", "session_id"}


def stories():
    return [Story(Scenario(folder), number) for number, folder in enumerate(folders(), 1)]


def folders():
    return sorted(folder for folder in FOLDER.iterdir() if folder.is_dir())


def contact_policy():
    return json.loads((FOLDER / "contact.json").read_text(encoding="utf-8"))


class Story(Told):
    """A story with people of its own; `asked`: (who, channel, at, (product, category), the answer)."""

    def __init__(self, scenario, number):
        scenario.expected.setdefault("profiles", [])
        super().__init__(scenario, number, shipped())
        self.name = scenario.name
        self.asked = [
            (self.named(one["who"]), one["channel"], instant(one.get("at", ASKED_AT)), offer(one), one["answer"])
            for one in scenario.expected["asked"]
        ]

    def requests(self):
        """The questions as touchpoints, each of one identifier alone."""
        for number, (who, channel, at, offered, _) in enumerate(self.asked):
            yield request(f"{self.name}-asked-{number}", who, channel, at, offered)


def offer(one):
    """(product, category) that a question is about."""
    return one.get("product_id"), one.get("product_category")


def request(message_id, who, channel, at, offered=(None, None)):
    kind, value = who.split(":", 1)
    named = {"identifiers": [{"type": kind, "value": value}]}
    if kind in FIELDS:
        named = {kind: value}
    elif kind == "device_id":
        named = {"device": {"id": value}}
    return {
        "message_id": message_id,
        "source": "urn:asked",
        "type": "track",
        "channel": channel,
        "direction": "outbound",
        "event_name": "Contact Requested",
        "occurred_at": at,
        "contact": {"class": "marketing", "planned_at": at, "expires_at": NEVER},
        **{name: value for name, value in zip(("product_id", "product_category"), offered) if value},
        **named,
    }


class Answers:
    """The oracle's answers: who is who by the identity oracle, what was said by the ledger."""

    def __init__(self, oracle, policy):
        self.oracle, self.ledger = oracle, Ledger(policy)

    def add(self, raw):
        found = self.oracle.identifiers.of(raw)
        self.oracle.add(raw)
        reaches = {one: address_of(self.oracle.identifiers.types[kind]) for one, kind in found.items()}
        anchor = self.oracle.identifiers.anchor(found)
        self.ledger.add(raw, event_id(raw["source"], raw["message_id"]), found, anchor, reaches=reaches)

    def answer(self, who, channel, at, offered=(None, None)):
        profiles = self.oracle.identity.resolve()
        name = profiles[self.oracle.named(who)]
        if self.oracle.identity.is_shared(name):
            return "shared_identifier"
        named = self.oracle.named(who)
        return self.ledger.answer({one for one, its in profiles.items() if its == name}, channel, at, *offered, {named})


def address_of(entry):
    """Channels that a type of identity.json is an address of."""
    usual = {"email": ["email"], "phone": ["sms", "call_center", "whatsapp"]}
    kind = entry.get("normalise") if entry.get("normalise") in usual else entry["type"]
    return set(entry.get("address_of", usual.get(kind, ["push"] if kind == "device_id" else [])))
