"""The stories of tests/scenarios/identity: reading them, giving each its own people, judging tables by what is expected.

Many stories share one run. `Told` gives story number n people of its own: n is put into every identifier, in a place that
leaves its meaning alone: before the text, in phone numbers instead of 555, in digests by digesting again. Blocked values stay.
"""

import copy
import functools
import hashlib
import json
import pathlib
import re
from dataclasses import dataclass, field

from identity import ASCII_SPACE, Identifiers, IdentityMap
from policy import instant
from touchpoint import event_id

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "scenarios" / "identity"
REPEATED = re.compile(r"<(\d+) (.)>")
DIGEST = re.compile(r"[0-9A-Fa-f]{32,128}")


# ------------------------------------------------------------------------------------------------------ policies


class Contradiction(Exception):
    """Two policies say different things about the same."""


def merged(one, two, replace=False):
    """Both together: dicts by key, lists one after the other; of two other values the second, or a Contradiction."""
    if isinstance(one, dict) and isinstance(two, dict):
        common = {key: merged(one[key], two[key], replace) for key in one.keys() & two.keys()}
        return {**one, **two, **common}
    if isinstance(one, list) and isinstance(two, list):
        return one + [entry for entry in two if entry not in one]
    if one != two and not replace:
        raise Contradiction(f"{one!r}, {two!r}")
    return two


def patched(policy, patch):
    """The policy with what a scenario changes; `types` of a patch is a dict by type."""
    changes = {key: value for key, value in patch.items() if key != "types"}
    found = merged(copy.deepcopy(policy), changes, replace=True)
    found["types"] = [merged(entry, patch.get("types", {}).get(entry["type"], {}), True) for entry in found["types"]]
    return found


@functools.cache
def shipped():
    return json.loads((ROOT / "policies" / "identity.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------------- reading


def json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class Scenario:
    """One folder, as it is written."""

    def __init__(self, folder):
        def read(name, default):
            path = folder / name
            return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default

        self.name = folder.name
        self.events, self.dead_letters = json_lines(folder / "events.jsonl"), json_lines(folder / "dead_letters.jsonl")
        self.orders, self.patch = read("orders.json", []), read("policy.json", {})
        self.expected = read("expected.json", None)
        for event in self.events + self.dead_letters:
            event["source"] = f"{event['source']}:{self.name}"
            for name in {"occurred_at", "received_at"} & event.keys():
                event[name] = instant(event[name])

    def holds(self, policy):
        """Whether the oracle finds under this policy what is expected."""
        told = Told(self, 0, policy)
        return not told.differences(told.resolved(KEY), KEY)


KEY = bytes(range(32))


def scenarios():
    return [Scenario(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]


@dataclass
class Group:
    """Stories that can share one policy, and that policy."""

    patch: dict = field(default_factory=dict)
    members: list = field(default_factory=list)

    def policy(self):
        return patched(shipped(), self.patch)

    def told(self):
        return [Told(scenario, number, self.policy()) for number, scenario in enumerate(self.members, 1)]

    def with_(self, scenario):
        """The group with one story more, or None where they do not go together."""
        try:
            wider = Group(merged(self.patch, scenario.patch), [*self.members, scenario])
        except Contradiction:
            return None
        return wider if all(member.holds(wider.policy()) for member in wider.members) else None


def groups(found):
    """Those of the shipped policy, then as few further groups as come by putting each story into the first that takes it."""
    result = []
    for scenario in (one for one in found if one.patch):
        place = next((i for i, group in enumerate(result) if group.with_(scenario)), None)
        if place is None:
            result.append(Group(scenario.patch, [scenario]))
        else:
            result[place] = result[place].with_(scenario)
    return [Group({}, [one for one in found if not one.patch]), *result]


# -------------------------------------------------------------------------------------------------------- telling


class Told:
    """A story whose people are its own; number 0 is the story as it is written."""

    def __init__(self, scenario, number, policy):
        self.scenario, self.number, self.policy = scenario, number, policy
        self.identifiers = Identifiers(policy, KEY)
        self.is_hashed = {entry["type"] for entry in policy["types"] if entry.get("match_hashed")}
        self.clear_of = {hashlib.sha256(clear.encode()).hexdigest(): clear for clear in self.clear_emails()}
        self.events = [self.told_event(event) for event in scenario.events]
        self.dead_letters = [self.told_event(event) for event in scenario.dead_letters]
        self.orders = [self.told_order(order) for order in scenario.orders]
        self.expected = self.told_expected()

    def clear_emails(self):
        for event in self.scenario.events:
            yield from (one["value"].strip().lower() for one in event.get("identifiers", []) if one["type"] == "email")
        for profile in self.scenario.expected["profiles"]:
            yield from (one.removeprefix("email:") for one in profile["members"] if one.startswith("email:"))

    def distinct(self, kind, value):
        """The value as this story's people have it."""
        if self.number == 0 or self.is_blocked(kind, value):
            return expanded(value, "")
        if kind == "phone":
            return value.replace("555", str(200 + self.number))
        if kind == "email" and DIGEST.fullmatch(value):
            return self.distinct_digest(value)
        bare = value.lstrip(ASCII_SPACE)
        return value[: len(value) - len(bare)] + expanded(bare, f"s{self.number:02}-")

    def is_blocked(self, kind, value):
        return kind in self.identifiers.types and self.identifiers.is_blocked(kind, value.strip(ASCII_SPACE))

    def distinct_digest(self, value):
        clear = self.clear_of.get(value.lower())
        if clear is None:
            return f"{self.number:04}{value[4:]}"
        digest = hashlib.sha256(self.distinct("email", clear).encode()).hexdigest()
        return digest.upper() if value.isupper() else digest

    def named(self, text):
        """The same for the `type:value` of orders and expectations."""
        kind, value = text.split(":", 1)
        return f"{kind}:{self.distinct(kind, value)}"

    def told_event(self, event):
        told = copy.deepcopy(event)
        for name in ("user_id", "anonymous_id", "session_id"):
            if name in told:
                told[name] = self.distinct(name, told[name])
        if "previous_id" in told:
            told["previous_id"] = self.distinct("anonymous_id", told["previous_id"])
        if "device" in told:
            told["device"]["id"] = self.distinct("device_id", told["device"]["id"])
        for one in told.get("identifiers", []):
            one["value"] = self.distinct(one["type"], one["value"])
        return told

    def told_order(self, order):
        (kind,) = order.keys() - {"after"}
        return {"after": order["after"], kind: [self.named(text) for text in order[kind]]}

    def told_expected(self):
        found = {**self.scenario.expected}
        found["profiles"] = [
            {key: value if key == "touchpoints" else self.each(value) for key, value in profile.items()}
            for profile in found["profiles"]
        ]
        found["quarantined"] = self.each(found.get("quarantined", []))
        for name in ("refused", "refused_orders"):
            found[name] = [[*self.each(entry[:2]), entry[2]] for entry in found.get(name, [])]
        return found

    def each(self, value):
        return [self.named(text) for text in value] if isinstance(value, list) else self.named(value)

    # ------------------------------------------------------------------------------------------------- judging

    def id_of(self, text, key):
        """By the definition of identifier_id alone, from a value that is normalised already."""
        kind, value = text.split(":", 1)
        scope = b""
        if self.identifiers.is_scoped(kind):
            value, _, source = value.partition(" of ")
            scope = f"{source or 'urn:scenario'}:{self.scenario.name}\0".encode()
        if kind in self.is_hashed and not DIGEST.fullmatch(value):
            value = hashlib.sha256(value.encode()).hexdigest()
        return hashlib.blake2b(kind.encode() + b"\0" + scope + value.encode(), digest_size=16, key=key).digest()

    def ids(self, key):
        """{identifier_id: type:value} of all that is expected."""
        return {self.id_of(text, key): text for one in self.expected["profiles"] for text in one["members"]}

    def evidence(self, key):
        """(what each event shows, orders as ids): what a map is fed with."""
        reader = Identifiers(self.policy, key)
        seen = []
        for event in self.events:
            found = reader.of(event)
            sent = (event["source"], event["message_id"])
            aliases = reader.aliases(event, found)
            seen.append((found, reader.anchor(found), event["occurred_at"], event_id(*sent), sent, aliases))
        return seen, [(kind, *(self.id_of(text, key) for text in ends)) for kind, ends in map(order_of, self.orders)]

    def resolved(self, key):
        """The oracle's tables of this story."""
        seen, orders = self.evidence(key)
        return resolve(self.policy, [*[("see", one) for one in seen], *[("order", one) for one in orders]])

    def differences(self, tables, key):
        """What the tables say otherwise than expected, in words; tables may hold other stories, too."""
        names = self.ids(key)
        return [
            f"{self.scenario.name}: {what}: expected {wanted}, found {found}"
            for what, wanted, found in self.compared(tables, key, names)
            if wanted != found
        ]

    def compared(self, tables, key, names):
        expected = self.expected
        for profile in expected["profiles"]:
            members = {tables.profile.get(self.id_of(text, key)) for text in profile["members"]}
            yield f"profiles of {profile['members']}", 1, len(members)
            name = members.pop()
            mine = sorted(show(names, one) for one, its in tables.profile.items() if its == name)
            yield "members", sorted(profile["members"]), mine
            if "name" in profile:
                yield "name", profile["name"], show(names, name)
            if "touchpoints" in profile:
                listed = sorted(one for (of, one), its in tables.touchpoints.items() if its == name and self.tells(of))
                yield f"touchpoints of {mine}", sorted(profile["touchpoints"]), listed
        mine = sorted(show(names, one) for one in tables.quarantined if one in names)
        yield "quarantined", sorted(expected["quarantined"]), mine
        yield "refused", refusals(expected["refused"]), self.refused(tables.links, names)
        if tables.manual is not None:
            yield "refused orders", refusals(expected["refused_orders"]), self.refused(tables.manual, names)
        alone = sorted(one for of, one in tables.unidentified if self.tells(of))
        yield "unidentified", sorted(expected.get("unidentified", [])), alone

    def tells(self, source):
        return source.endswith(f":{self.scenario.name}")

    @staticmethod
    def refused(links, names):
        mine = [(show(names, one), show(names, two), rule) for (one, two), rule in links.items() if one in names or two in names]
        return refusals(one for one in mine if one[2] is not None)


def expanded(value, prefix):
    """`<513 x>` is a text of 513 bytes, the prefix included."""
    match = REPEATED.fullmatch(value)
    return prefix + match.group(2) * (int(match.group(1)) - len(prefix)) if match else prefix + value


def refusals(entries):
    return sorted((*sorted(entry[:2]), entry[2]) for entry in entries)


def show(names, identifier):
    return names.get(identifier) or (identifier.hex() if identifier else None)


def order_of(order):
    ((kind, ends),) = ((kind, ends) for kind, ends in order.items() if kind != "after")
    return kind, ends


# --------------------------------------------------------------------------------------------------------- tables


@dataclass
class Tables:
    """What the pipeline or the oracle found."""

    profile: dict  # identifier_id -> profile_id
    quarantined: set
    links: dict  # pair -> the rule that refused it, or None
    manual: dict | None  # the same for pairs that only an operator linked; None where they are not shown
    touchpoints: dict  # (source, message_id) -> profile_id
    unidentified: set  # (source, message_id)


def resolve(policy, steps):
    """The oracle's answer to ("see", what an event shows) and ("order", an operator's order) in any sequence."""
    world = IdentityMap(policy)
    anchors, unidentified = {}, set()
    for kind, step in steps:
        if kind == "order":
            world.order(*step)
            continue
        found, anchor, occurred_at, who, sent, aliases = step
        for pair in aliases:
            world.see_alias(*pair)
        if anchor is None:
            unidentified.add(sent)
        else:
            world.see(found, anchor, occurred_at, who)
            anchors[sent] = anchor
    return tables_of(world, anchors, unidentified)


def tables_of(world, anchors, unidentified):
    profile = world.resolve()
    links = {pair: rule for pair, rule in world.refused_by.items() if pair in world.links}
    manual = {pair: rule for pair, rule in world.refused_by.items() if pair not in world.links}
    touchpoints = {sent: profile[anchor] for sent, anchor in anchors.items()}
    return Tables(profile, world.quarantined, links, manual, touchpoints, unidentified)
