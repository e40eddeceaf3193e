"""The stories of tests/scenarios/verdicts: requests one after the other, and the verdict of each.

A story tells touchpoints in the order in which they come in; a list among them comes in at once. What a touchpoint leaves out is
filled in: who, by what, on which channel. `answers` names the request that a send answers.
"""

import itertools
import json
import sys

from contact import Ledger
from contact_caps import INVALID
from contact_scenarios import address_of
from contact_verdicts import RESULTS, Judge, Verdict, decision_of, fact_of, us_of, why_invalid
from oracle import Oracle
from policy import Policies, instant
from scenarios import KEY, ROOT
from support import LATER
from touchpoint import event_id

FOLDER = ROOT / "tests" / "scenarios" / "verdicts"
NAMES = {1: "grant", 2: "deny", 3: "invalid"}
POLICY = {
    "owner": "customer_office",
    "classes": {"marketing": {}, "service": {"obeys": False}, "transactional": {"obeys": False, "counts": False}},
    "reservation": {"default": "P20D"},
    "consent": {"*": {"on_unknown": "allow"}},
    "zones": {"unknown": ["DE"]},
    "calendars": {"de": ["2026-12-25", "2026-12-26"]},
}
TIMES = ("occurred_at", "received_at")
CONTACT_TIMES = ("planned_at", "expires_at", "latest_at")


class Story:
    def __init__(self, path, source="urn:story"):
        told = json.loads(path.read_text(encoding="utf-8"))
        self.name, self.shows, self.verdicts = path.stem, told["shows"], told["verdicts"]
        self.policy = {**POLICY, **told["policy"]}
        self.source = f"{source}:{self.name}"
        self.steps = [[self.whole(one) for one in (step if isinstance(step, list) else [step])] for step in told["events"]]

    @property
    def kinds(self):
        return {rule["kind"] for rule in self.policy["rules"]}

    def whole(self, event):
        found = {"source": self.source, "type": "track", "channel": "web", "user_id": "anna", **event}
        if event["event_name"] == "Contact Requested":
            found = {**found, "channel": event.get("channel", "email"), "contact": event.get("contact", {"class": "marketing"})}
        if found["event_name"] in RESULTS:
            found["direction"] = "outbound"
        if "answers" in found:
            found["decision_id"] = self.request_id(found.pop("answers")).hex()
        for times, part in ((TIMES, found), (CONTACT_TIMES, found.get("contact", {}))):
            part.update({name: us_of(part[name]) for name in times if name in part})
        return found

    def request_id(self, message_id):
        return event_id(self.source, message_id)

    def differences(self, found):
        """found: {message_id: Verdict}."""
        assert self.verdicts.keys() <= found.keys(), self.name
        for message_id, wanted in self.verdicts.items():
            for name, value in wanted.items():
                if name == "saw":
                    for rule, texts in value.items():
                        if list(found[message_id].rules[rule][1] or ()) != texts:
                            yield message_id, rule, texts, found[message_id].rules[rule][1]
                    continue
                value = instant(value) if value and name.endswith("_at") else value
                answer = getattr(found[message_id], name)
                if value != (NAMES[answer] if name == "verdict" else answer):
                    yield message_id, name, value, answer


def stories():
    return [Story(path) for path in sorted(FOLDER.glob("*.json"))]


# ----------------------------------------------------------------------------------------------------- many stories at once

MOST_CLASSES, MOST_RULES = 13, 64
LOTS = {"holdout"}
CLOCKS, OF_CLOCKS = {"quiet_hours", "own_hours"}, {"zones", "calendars"}


class Together:
    """Stories under one policy, each with people and a class of its own."""

    def __init__(self, members, first):
        self.members = list(enumerate(members, first))

    @property
    def policy(self):
        rules = [{**rule, "id": f"{number}-{rule['id']}", "classes": [f"marketing-{number}"]}
                 for number, story in self.members for rule in story.policy["rules"]]  # fmt: skip
        shared = self.members[0][1].policy
        if not any(map(needs_zones, rules)):
            shared = {name: value for name, value in shared.items() if name not in OF_CLOCKS}
        return {**shared, "classes": {**POLICY["classes"], **{f"marketing-{number}": {} for number, _ in self.members}}, "rules": rules}

    def steps(self):
        """What comes in at once, of all stories: a step with requests waits for what came before."""
        told = [list(self.told(*one)) for one in self.members]
        return [sum(step, []) for step in itertools.zip_longest(*told, fillvalue=[])]

    def told(self, number, story):
        waiting = []
        for step in story.steps:
            found = [self.of_its_own(number, raw) for raw in step]
            if not any(is_request(raw) for raw in step):
                waiting += found
                continue
            if waiting:
                yield waiting
            waiting = []
            yield found
        if waiting:
            yield waiting

    @staticmethod
    def of_its_own(number, raw):
        found = {**raw, "user_id": f"{raw['user_id']}-{number}"}
        if raw.get("contact", {}).get("class") == "marketing":
            found["contact"] = {**raw["contact"], "class": f"marketing-{number}"}
        if "identifiers" in raw:
            found["identifiers"] = [{**one, "value": value_of(number, one["value"])} for one in raw["identifiers"]]
        return found

    def verdicts(self, rows, rules):
        """[(story, {message_id: Verdict})]; rows: {request id: stored decision}, rules: {request id: {rule id: (passed, texts, next_at)}}."""
        for number, story in self.members:
            found = {}
            for message_id in story.verdicts:
                row, key = rows[story.request_id(message_id)], story.request_id(message_id)
                known = {name: value for name, value in row.items() if name in Verdict.__dataclass_fields__ and name != "rules"}
                for name in ("rule_id", "moved_by"):
                    known[name] = (known.get(name) or "").removeprefix(f"{number}-") or None
                seen = {name.removeprefix(f"{number}-"): value for name, value in rules.get(key, {}).items()}
                found[message_id] = Verdict(**known, rules=seen)
            yield story, found


def value_of(number, value):
    return f"+49 30 77{number:02d}" + value[-4:] if value.startswith("+") else f"{number}.{value}"


def is_request(raw):
    return raw["event_name"] == "Contact Requested"


def needs_zones(rule):
    return rule["kind"] in CLOCKS or "calendar" in rule


def rest_of(story):
    return json.dumps({**story.policy, "rules": None}, sort_keys=True)


def together(all_stories):
    """Those that need the same of the policy beside its rules, so many at once as a policy has classes and rules."""
    groups = [[]]
    for story in sorted(all_stories, key=rest_of):
        if story.kinds & LOTS:  # who draws what hangs on the ids of people and rules
            continue
        rules = sum(len(one.policy["rules"]) for one in [*groups[-1], story])
        is_other = groups[-1] and rest_of(groups[-1][0]) != rest_of(story)
        if len(groups[-1]) == MOST_CLASSES or rules > MOST_RULES or is_other:
            groups.append([])
        groups[-1].append(story)
    return [Together(group, 1 + number * MOST_CLASSES) for number, group in enumerate(groups)]


# -------------------------------------------------------------------------------------------------------------- the oracle


class World:
    """The oracle's answers to one story."""

    policies = Policies.load(ROOT / "policies")

    def __init__(self, policy):
        self.oracle, self.policy = Oracle(self.policies, KEY, LATER), policy
        self.judge, self.ledger = Judge(policy), Ledger(policy)
        self.decisions, self.verdicts, self.drawn = {}, {}, {}

    def tell(self, story):
        for step in story.steps:
            for raw in step:
                self.add(raw)
            for raw in sorted(filter(is_request, step), key=order):
                self.verdicts[raw["message_id"]] = self.decide(raw)
        return self.verdicts

    def add(self, raw):
        found = self.oracle.identifiers.of(raw)
        self.oracle.add(json.loads(json.dumps(raw)))
        reaches = {one: address_of(self.oracle.identifiers.types[kind]) for one, kind in found.items()}
        anchor = self.oracle.identifiers.anchor(found)
        self.ledger.add(raw, event_id(raw["source"], raw["message_id"]), found, anchor, reaches=reaches)

    def decide(self, raw):
        request = fact_of(raw)
        if reason := why_invalid(raw, request, self.policy, self.judge.words):
            verdict, sequence = Verdict(INVALID, reason), ""
        else:
            profiles = self.oracle.identity.resolve()
            found = set(self.oracle.identifiers.of(raw))
            anchor = self.oracle.identifiers.anchor(self.oracle.identifiers.of(raw))
            members = {one for one, its in profiles.items() if its == profiles[anchor]}
            drawn = {key: arm for key, arm in self.drawn.items() if key[1] in members}
            asked = self.judge.asked(self.ledger, members, raw, self.decisions, sys.maxsize, found, anchor, drawn)
            verdict, sequence = self.judge.decide(asked), asked.sequence
            self.drawn |= drawn
        self.decisions[request.event_id] = decision_of(verdict, request, sequence)
        return verdict


def order(raw):
    priority = raw["contact"].get("priority")
    return raw["occurred_at"], -(2 if priority is None else priority), event_id(raw["source"], raw["message_id"])
