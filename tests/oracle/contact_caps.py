"""Caps as docs/figures.md says them, plainly: every contact of a customer once, every window one by one.

A verdict depends on what was known when it was made. So decisions are judged again, each from the facts that were stored by then
and the decisions before it, and what the caps of the policy saw is compared with what was recorded.
"""

import bisect
import dataclasses

from policy import DAY, duration, instant
from words import Words

REQUEST, SENT, DELIVERED, FAILED, CANCELLED = range(1, 6)
GRANT, NORMAL = 1, 2
PRIORITIES = {1: "low", 2: "normal", 3: "high"}
WORDS = ("channel", "department", "contact_class", "purpose", "campaign_id", "tags")
UNITS = (("d", DAY), ("h", DAY // 24), ("s", 1_000_000))


@dataclasses.dataclass
class Fact:
    at: int
    event_id: bytes
    kind: int
    channel: str = ""
    department: str = ""
    contact_class: str = ""
    purpose: str = ""
    campaign_id: str = ""
    tags: tuple = ()
    priority: int | None = None
    planned_at: int | None = None
    decision_id: bytes | None = None
    loaded_at: int = 0


@dataclasses.dataclass
class Decision:
    """Of a request, as it was stored. revoked_at: by the wall clock."""

    request_id: bytes
    verdict: int
    planned_at: int
    expires_at: int | None
    sent_at: int | None = None
    revoked_at: int | None = None
    decided_at: int = 0
    loaded_at: int = 0


@dataclasses.dataclass
class Contact:
    at: int
    request_id: bytes | None
    words: dict


# --------------------------------------------------------------------------------------------------- contacts, each once


def contacts(facts, decisions, at, now):
    """What caps may count at the event time `at` and the wall clock `now`."""
    requests, answers, found, told = {}, {}, [], set()
    for fact in sorted(facts, key=lambda fact: (fact.at, fact.event_id, fact.decision_id is None)):
        if fact.kind == REQUEST:
            requests.setdefault(fact.event_id, fact)
        elif fact.kind in (SENT, DELIVERED) and fact.decision_id:
            answers.setdefault(fact.decision_id, []).append(fact)
            told.add((fact.at, fact.event_id))
        elif fact.kind == SENT and (fact.at, fact.event_id) not in told:
            told.add((fact.at, fact.event_id))
            found.append(Contact(fact.at, None, words_of(fact)))
    for request_id, its in answers.items():
        first = min(its, key=lambda fact: (fact.kind != SENT, fact.at))
        found.append(Contact(first.at, request_id, words_of(first, requests.get(request_id))))
    for request_id, request in requests.items():
        decision = decisions.get(request_id)
        if request_id not in answers and decision and (when := taken(decision, request_id, facts, at, now)) is not None:
            found.append(Contact(when, request_id, words_of(request)))
    return found


def words_of(fact, request=None):
    """What it leaves out is taken from its request."""
    return {word: getattr(fact, word) or (getattr(request, word) if request else getattr(fact, word)) for word in WORDS}


def taken(decision, request_id, facts, at, now):
    if decision.sent_at is not None:  # a fact of another customer
        return decision.sent_at
    if decision.verdict != GRANT or (decision.revoked_at is not None and decision.revoked_at <= now):
        return None
    if any(fact.decision_id == request_id and fact.kind in (FAILED, CANCELLED) for fact in facts):
        return None
    return None if at >= decision.expires_at and now >= decision.expires_at else decision.planned_at


# ------------------------------------------------------------------------------------------------------------ one cap


class Cap:
    def __init__(self, rule, policy, words):
        self.rule, self.classes, self.channel = rule, policy["classes"], words.channel
        self.per = duration(rule["per"])
        channels = rule.get("channels", "*")
        self.channels = None if channels == "*" else {self.channel(name) for name in channels}

    def judge(self, request, found):
        """(passed, observed, allowed, next_at: None for never) of a contact at its planned time."""
        limit = self.limit(request)
        allowed = f"{limit} per {self.length()}"
        if not self.is_for(vars(request)):
            return True, "not for this request", "", request.planned_at
        if not self.classes[request.contact_class].get("obeys", True):
            return True, "class is exempt", allowed, request.planned_at
        parts = self.parts(request, found)
        if not parts:
            return True, "no tag" if self.rule["by"] == "tag" else "no campaign", allowed, request.planned_at
        most = max(self.most(times, request.planned_at) for times in parts)
        return most <= limit, f"{most} with this one", allowed, self.next(parts, limit, request.planned_at)

    def limit(self, request):
        if "limit" in self.rule:
            return self.rule["limit"]
        return self.rule["limit_by_priority"][PRIORITIES[request.priority or NORMAL]]

    def length(self):
        return next(f"{self.per // size} {name}" for name, size in UNITS if self.per % size == 0)

    def is_for(self, words):
        rule = self.rule
        return (
            (self.channels is None or (self.channel(words["channel"]) or words["channel"]) in self.channels)
            and ("classes" not in rule or words["contact_class"] in rule["classes"])
            and ("tags" not in rule or not set(words["tags"]).isdisjoint(rule["tags"]))
        )

    def counts(self, contact):
        words = contact.words
        if not self.classes.get(words["contact_class"], {}).get("counts", True):
            return False
        return self.is_for(words if words["contact_class"] else {**words, "contact_class": self.rule.get("classes", [""])[0]})

    def parts(self, request, found):
        """Times of the contacts that are counted, for each limit that the request has of its own."""
        by = self.rule.get("by")
        mine = [contact for contact in found if contact.request_id != request.event_id and self.counts(contact)]
        if by == "tag":
            tags = [tag for tag in request.tags if tag in self.rule.get("tags", [tag])]
            return [sorted(contact.at for contact in mine if tag in contact.words["tags"]) for tag in tags]
        if by == "campaign" and not request.campaign_id:
            return []
        word = {"campaign": "campaign_id"}.get(by, by)
        return [sorted(contact.at for contact in mine if by is None or contact.words[word] == getattr(request, word))]

    def most(self, times, at):
        """Contacts in the fullest window that holds `at`, with one more at `at`."""
        first, last = bisect.bisect_right(times, at - self.per), bisect.bisect_right(times, at)
        starts = [at - self.per + 1, at, *times[first:last]]
        return 1 + max(bisect.bisect_left(times, start + self.per) - bisect.bisect_left(times, start) for start in starts)

    def allows(self, parts, limit, at):
        return all(self.most(times, at) <= limit for times in parts)

    def boundaries(self, parts):
        return {time + shift for times in parts for time in times for shift in (-self.per, 0, self.per)}

    def next(self, parts, limit, at):
        return earliest(at, self.boundaries(parts), lambda time: self.allows(parts, limit, time))


def earliest(at, boundaries, is_allowed):
    """The first of all boundaries and their neighbours from `at` on that is allowed; None: none."""
    tried = {at} | {time + step for time in boundaries for step in (-1, 0, 1) if time + step >= at}
    return next((time for time in sorted(tried) if is_allowed(time)), None)


# ------------------------------------------------------------------------------------------------------- all decisions


class Judge:
    """Judges decisions again. recorded: {rule id: (passed, observed, allowed, next_at)} of a decision."""

    def __init__(self, policy):
        words = Words(policy)
        self.rules = policy["rules"]
        self.caps = {rule["id"]: Cap(rule, policy, words) for rule in self.rules if rule["kind"] == "cap"}

    def differences(self, request, found, recorded, retry_at):
        for name, cap in self.caps.items():
            wanted = cap.judge(request, found)
            if recorded[name] != wanted:
                yield f"{name} recorded {recorded[name]}, the oracle says {wanted}"
        wanted = self.retry_at(request, found, recorded)
        if retry_at != wanted:
            yield f"retry_at {retry_at}, the oracle says {wanted}"

    def retry_at(self, request, found, recorded):
        """The first time that all rules allow. Kinds other than caps allow everything from their next_at on."""
        failed = {name for name, (passed, *_) in recorded.items() if not passed}
        if not failed or any(rule.get("on_fail") == "drop" for rule in self.rules if rule["id"] in failed):
            return None
        others = [next_at for name, (*_, next_at) in recorded.items() if name not in self.caps]
        if None in others:
            return None
        asked = [
            (cap, cap.parts(request, found), cap.limit(request))
            for cap in self.caps.values()
            if cap.is_for(vars(request)) and cap.classes[request.contact_class].get("obeys", True)
        ]
        boundaries = set().union(others, *(cap.boundaries(parts) for cap, parts, _ in asked))
        least = max([request.planned_at, *others])
        return earliest(least, boundaries, lambda at: all(cap.allows(parts, limit, at) for cap, parts, limit in asked))


FACTS = """
SELECT a.profile_id, f.occurred_at, f.event_id, f.kind, f.channel, f.department, f.class, f.purpose, f.campaign_id, f.tags,
       f.priority, f.decision_id, f.loaded_at
FROM suppression.facts AS f
JOIN suppression.anchors AS a USING (anchor)
JOIN suppression.states AS s USING (profile)
WHERE f.flags & 4 = 0 AND f.kind <= 5 AND s.members = 0
"""
DECISIONS = """
SELECT d.request_id, a.profile_id, d.verdict, d.requested_at, d.planned_at, d.expires_at, d.retry_at,
       CASE d.outcome WHEN 1 THEN d.outcome_at END, d.decided_at, d.loaded_at,
       d.sent_at
FROM suppression.decisions AS d
JOIN suppression.anchors AS a USING (anchor)
JOIN suppression.states AS s USING (profile)
WHERE s.members = 0 AND d.profile_id = a.profile_id
"""
RULES = "SELECT request_id, rule_id, passed, observed, allowed, next_at FROM tutti.fct_contact_decision_rules"


def us(value):
    return None if value is None else instant(value.isoformat())


def read_facts(connection):
    """{profile: facts}, of profiles that no identifier moved into or out of."""
    found = {}
    for profile, at, event_id, kind, channel, department, klass, purpose, campaign, tags, priority, decision, loaded in connection.execute(
        FACTS
    ):
        found.setdefault(profile, []).append(
            Fact(
                us(at), event_id.bytes, kind, channel, department or "", klass or "", purpose or "", campaign or "",
                tuple(filter(None, (tags or "").split("\n"))), priority, None, uuid_of(decision), us(loaded),
            )
        )  # fmt: skip
    return found


def uuid_of(text):
    try:
        return bytes.fromhex((text or "").replace("-", "")) or None
    except ValueError:
        return None


def check(connection, policy):
    """What was recorded of caps and is not so: a text for each. One instance must have decided, by this policy."""
    judge, facts, recorded = Judge(policy), read_facts(connection), {}
    for request_id, rule, passed, observed, allowed, next_at in connection.execute(RULES):
        recorded.setdefault(request_id.bytes, {})[rule] = passed, observed, allowed, us(next_at)
    rows = sorted(connection.execute(DECISIONS).fetchall(), key=lambda row: row[9])
    out = []
    for row in rows:
        request_id, profile, retry_at = row[0].bytes, row[1], us(row[6])
        if request_id in recorded and profile in facts:
            out += [f"{row[0]}: {text}" for text in judged(judge, row, rows, facts[profile], recorded[request_id], retry_at)]
    return out


def judged(judge, row, rows, facts, recorded, retry_at):
    known = [fact for fact in facts if fact.loaded_at <= us(row[9])]
    requests = {}
    for fact in sorted(known, key=lambda fact: fact.at):
        if fact.kind == REQUEST:
            requests.setdefault(fact.event_id, fact)
    request = dataclasses.replace(requests[row[0].bytes], at=us(row[3]), planned_at=us(row[4]))
    turn = turn_of(row, requests)
    before = {other[0].bytes: decision_of(other, facts) for other in rows
              if other[0].bytes in requests and turn_of(other, requests) < turn}  # fmt: skip
    return judge.differences(request, contacts(known, before, request.at, us(row[8])), recorded, retry_at)


def turn_of(row, requests):
    """Of one transaction by time, the highest priority, id."""
    priority = requests[row[0].bytes].priority
    return us(row[9]), us(row[3]), -(NORMAL if priority is None else priority), row[0].bytes


def decision_of(row, facts):
    """sent_at only where no fact of this customer says it."""
    is_told = any(fact.decision_id == row[0].bytes and fact.kind in (SENT, DELIVERED) for fact in facts)
    sent_at = None if is_told else us(row[10])
    return Decision(row[0].bytes, row[2], us(row[4]), us(row[5]), sent_at, us(row[7]), us(row[8]), us(row[9]))
