"""Caps as docs/figures.md says them, plainly: every contact of a customer once, every window one by one."""

import bisect
import dataclasses

from policy import DAY, duration

REQUEST, SENT, DELIVERED, FAILED, CANCELLED = range(1, 6)
GRANT, DENY, INVALID = 1, 2, 3
NORMAL = 2
PRIORITIES = {1: "low", 2: "normal", 3: "high"}
WORDS = ("channel", "department", "contact_class", "purpose", "campaign_id", "tags")
CLAIM_HOLDS = DAY // 96  # a quarter of an hour
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
    expires_at: int | None = None
    latest_at: int | None = None
    sequence_id: str = ""


@dataclasses.dataclass
class Decision:
    """Of a request, as it was stored. revoked_at: by the wall clock."""

    request_id: bytes
    verdict: int
    planned_at: int
    expires_at: int | None
    sent_at: int | None = None
    revoked_at: int | None = None
    claimed_at: int | None = None
    decided_at: int = 0
    loaded_at: int = 0
    sequence: str = ""  # that it shares


@dataclasses.dataclass
class Contact:
    """is_attempt: asked for, and neither made nor reserved."""

    at: int
    request_id: bytes | None
    words: dict
    sequence: str = ""
    is_made: bool = True
    is_attempt: bool = False
    has_failed: bool = False


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
    failed = {fact.decision_id for fact in facts if fact.kind == FAILED}
    for request_id, its in answers.items():
        first = min(its, key=lambda fact: (fact.kind != SENT, fact.at))
        words, sequence = words_of(first, requests.get(request_id)), sequence_of(decisions.get(request_id))
        found.append(Contact(first.at, request_id, words, sequence, has_failed=request_id in failed))
    for request_id, request in requests.items():
        decision = decisions.get(request_id)
        if request_id in answers or not decision or decision.verdict == INVALID:
            continue
        when = taken(decision, request_id, facts, at, now)
        is_attempt, is_made = when is None, decision.sent_at is not None
        at_last = decision.planned_at if is_attempt else when
        found.append(Contact(at_last, request_id, words_of(request), decision.sequence, is_made, is_attempt, request_id in failed))
    return found


def sequence_of(decision):
    return decision.sequence if decision else ""


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
    if decision.claimed_at is not None and decision.claimed_at <= now:
        return decision.claimed_at if now < decision.claimed_at + CLAIM_HOLDS else None
    return None if at >= decision.expires_at and now >= decision.expires_at else decision.planned_at


# ------------------------------------------------------------------------------------------------------------ one cap


class Cap:
    def __init__(self, rule, policy, words):
        self.rule, self.classes, self.words = rule, policy["classes"], words
        self.per = duration(rule["per"]) if "per" in rule else None

    def limit(self, request):
        if "limit" in self.rule:
            return self.rule["limit"]
        return self.rule["limit_by_priority"][PRIORITIES[request.priority or NORMAL]]

    def allowed(self, request):
        return f"{self.limit(request)} per {self.rule.get('calendar') or length_text(self.per)}"

    def counts(self, contact):
        words, counts = contact.words, self.rule.get("counts", "sent")
        if not self.classes.get(words["contact_class"], {}).get("counts", True):
            return False
        if (contact.is_attempt and counts != "requested") or (contact.has_failed and counts == "delivered"):
            return False
        return fits(self.rule, words, self.words, classless=True)

    def parts(self, request, found):
        """[[(time, key)]] of the contacts that are counted, for each limit that the request has of its own."""
        by = self.rule.get("by")
        mine = [contact for contact in found if contact.request_id != request.event_id and self.counts(contact)]
        if by == "tag":
            tags = [tag for tag in request.tags if tag in self.rule.get("tags", [tag])]
            return [self.part(contact for contact in mine if tag in contact.words["tags"]) for tag in tags]
        if by == "campaign" and not request.campaign_id:
            return []
        word = {"campaign": "campaign_id"}.get(by, by)
        return [self.part(contact for contact in mine if by is None or contact.words[word] == getattr(request, word))]

    def part(self, contacts):
        keys = ((one.at, self.key(one.words["department"], one.sequence)) for one in contacts)
        return sorted(((at, key or number) for number, (at, key) in enumerate(keys)), key=lambda one: one[0])

    def key(self, department, sequence):
        """What takes one place only; None: each contact takes its own."""
        return (department, sequence) if sequence and self.rule.get("sequences") == "once" else None

    def most(self, part, own, at):
        """Keys in the fullest window that holds `at`, with one more contact at `at`, of the key `own`."""
        times = [time for time, _ in part]
        starts = {at, *times[bisect.bisect_right(times, at - self.per) : bisect.bisect_right(times, at)]}
        windows = (part[bisect.bisect_left(times, start) : bisect.bisect_left(times, start + self.per)] for start in starts)
        return max(len({own, *(key for _, key in window)}) for window in windows)

    def boundaries(self, parts):
        return {time + shift for part in parts for time, _ in part for shift in (-self.per, 0, self.per)}


def length_text(length):
    return next(f"{length // size} {name}" for name, size in UNITS if length % size == 0)


def fits(rule, words, known, classless=False):
    """channels, classes and tags of a rule; classless: a contact of no class is counted, not overlooked."""
    channels = rule.get("channels", "*")
    return (
        (channels == "*" or (known.channel(words["channel"]) or words["channel"]) in {known.channel(name) for name in channels})
        and ("classes" not in rule or words["contact_class"] in rule["classes"] or (classless and not words["contact_class"]))
        and ("tags" not in rule or not set(words["tags"]).isdisjoint(rule["tags"]))
    )
