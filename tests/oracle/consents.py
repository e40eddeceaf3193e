"""What customers agreed to, touchpoint by touchpoint and word by word: the rows of fct_consents, from docs/figures.md (Opt-outs)."""

import dataclasses
from collections import defaultdict

import contact
from words import ALL, fold

PARTS = ("purpose", "topic")


@dataclasses.dataclass
class Said:
    """What one touchpoint says of one key of a customer."""

    at: int
    event_id: bytes
    anchor: bytes
    raw: dict
    is_own: bool
    counts_at: int  # of a yes
    is_named: bool = False
    is_yes: bool = False
    own: bool | None = None
    wide: bool | None = None


class Consents:
    """policy: contact.json as it is written."""

    def __init__(self, policy):
        self.ledger = contact.Ledger(policy)
        self.words = self.ledger.words
        self.asked = {about: set() for about in PARTS}
        self.asks = set()
        for rule in policy["rules"]:
            for about in PARTS if rule["kind"] == "consent" else ():
                self.asked[about] |= {fold(name) for name in rule.get(f"{about}s", {})}
                self.asks |= {about} if f"{about}s" in rule else set()
        self.heard = {}  # (at, event_id, anchor) -> [all identifiers, record, the earliest time at which it came in]
        self.of = defaultdict(set)  # identifier -> keys of heard

    def add(self, raw, event_id, found, anchor, recorded_at):
        if not raw.get("consent") and contact.event_of(raw) != "Unsubscribed":
            return
        key = (raw["occurred_at"], event_id, anchor)
        one = self.heard.setdefault(key, [found, raw, contact.FOREVER])
        one[2] = min(one[2], raw.get("received_at") or contact.FOREVER, recorded_at)
        for identifier in found:
            self.of[identifier].add(key)

    def rows(self, profile, members):
        """One customer's."""
        facts, members = {}, set(members)
        for at, event_id, anchor in set().union(*(self.of[one] for one in members if one in self.of)):
            _, raw, received_at = self.heard[at, event_id, anchor]
            one = Said(at, event_id, anchor, raw, anchor in members, min(at, received_at))
            other = facts.get((at, event_id))
            if other is None or (not one.is_own, short(anchor)) < (not other.is_own, short(other.anchor)):
                facts[at, event_id] = one
        for key in sorted({key for one in facts.values() for key in self.named(one.raw)}):
            yield from self.of_key(profile, key, list(facts.values()))

    def of_key(self, profile, key, facts):
        said = [self.say(one, key) for one in facts]
        is_left, is_all_left = self.holds(said, key)
        own_no, all_no = newest(said, "own", False), newest(said, "wide", False)
        own_yes, all_yes = newest(said, "own", True), newest(said, "wide", True)
        if key[0] == "all":
            own_no, own_yes = all_no, all_yes
        for one in said:
            is_in_force = key[0] != "undefined" and (
                (one is own_no and (is_all_left if key[0] == "all" else is_left)) or (one is own_yes and not is_left and not is_all_left)
            )
            if one.is_named and (one.is_own or (is_in_force and not one.is_yes)):
                yield row(profile, key, one, is_in_force)

    def holds(self, said, key):
        """Whether a no to the key holds, and whether a no to what is wider does."""
        no, all_no = newest(said, "own", False), newest(said, "wide", False)
        yes, all_yes = newest(said, "own", True), newest(said, "wide", True)
        centre = newest([one for one in said if self.ledger.is_centre(one.raw)], "wide", True)
        lifts = [yes] if key[0] in PARTS else [yes, centre]
        is_left = no is not None and not any(is_later(one, no) for one in lifts)
        return is_left, key[0] != "class" and all_no is not None and not any(is_later(one, all_no) for one in (yes, all_yes))

    def say(self, fact, key):
        """What the touchpoint says of the key. Of `all` everything is wide."""
        one, own, wide = dataclasses.replace(fact), set(), set()
        for word, value in contact.consent_map(one.raw):
            for other in self.keys(word):
                one.is_named = one.is_named or other == key
                (wide if is_wider(other, key) else own if other == key else set()).add(value)
        if one.is_own and not self.counts(one.raw, key):
            sent, own, wide = (own, wide), own - {True}, wide - {True}
        else:
            sent = (own, wide)
        for other in self.left(one.raw):
            one.is_named = one.is_named or other == key
            if is_wider(other, key):
                wide = wide | {False}
            elif other == key and not own:
                own = {False}
        about_key = (wide | sent[1]) if key[0] == "all" else (own | sent[0])
        one.is_yes = about_key == {True}
        for name, values in (("own", own), ("wide", set() if own else wide)):
            if values and (one.is_own or False in values):
                setattr(one, name, False not in values)
        return one

    def counts(self, raw, key):
        """Whether a yes does."""
        channel = key[1] if key[0] == "channel" else self.words.channel(raw["channel"])
        return contact.is_said(raw) and self.ledger.is_confirmed(raw, channel)

    def named(self, raw):
        return set().union(self.left(raw), *(self.keys(word) for word, _ in contact.consent_map(raw)))

    def left(self, raw):
        """The keys that an Unsubscribed leaves."""
        if contact.event_of(raw) != "Unsubscribed" or contact.is_of_a_topic(raw):
            return set()
        if self.words.channel(raw["channel"]) is None:
            return self.keys(raw["channel"])
        return {as_key(one) for one in self.words.unsubscribed(raw["channel"])}

    def keys(self, word):
        """(what it is about, name, channel or "") of a word."""
        folded = fold(word)
        folded = folded if len(folded.encode()) <= 64 else ""
        is_plain = folded in self.words.channels or folded in ALL or folded in self.words.classes
        part = None if is_plain else self.part(folded)
        return {part} if part else {as_key(one) for one in self.words.meanings(folded)} or {("undefined", folded, "")}

    def part(self, folded):
        for about in PARTS:
            if folded.startswith(about + ":") and folded != about + ":":
                name, at, channel = folded.removeprefix(about + ":").partition("@")
                channel = self.words.channel(channel) if at else ""
                return (about, name, channel) if about in self.asks and channel is not None else None
            if folded in self.asked[about]:
                return about, folded, ""
        return None


def as_key(meaning):
    return ("all", "", "") if meaning == "all" else (*meaning, "")


def is_wider(word, key):
    if key[0] in PARTS:
        return word[:2] == key[:2] and not word[2] and bool(key[2])
    return word[0] == "all" and key[0] in ("all", "channel", "class")


def is_later(yes, no):
    return yes is not None and yes.counts_at > no.at


def newest(said, what, value):
    found = [one for one in said if getattr(one, what) is value]
    return max(found, key=lambda one: (one.counts_at if value else one.at, one.at, one.event_id), default=None)


def short(anchor):
    return int.from_bytes(anchor[:8], "big", signed=True)


def text_of(key):
    about, name, channel = key
    if about == "all":
        return "all"
    return name if about in ("channel", "undefined") else f"{about}:{name}" + (f"@{channel}" if channel else "")


def row(profile, key, one, is_in_force):
    shown = {
        "touchpoint_id": one.event_id,
        "occurred_at": one.at,
        "event_name": contact.event_of(one.raw),
        "channel": one.raw["channel"],
        "source": one.raw["source"],
        "message_id": one.raw["message_id"],
        "text_version": one.raw.get("content_id") or None,
    }
    return {
        "profile_id": profile,
        "consent_key": text_of(key),
        "is_given": one.is_yes,
        "is_own": one.is_own,
        "is_in_force": is_in_force,
        **{name: value if one.is_own else None for name, value in shown.items()},
    }
