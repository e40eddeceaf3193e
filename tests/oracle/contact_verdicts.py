"""The verdict of a contact request, plainly: every rule is asked, and the first time that all allow is found by trying.

A verdict depends on what was known when it was made. So stored decisions are judged again, each from the facts that were stored by
then and the decisions before it, and what the oracle says is compared with what was recorded.
"""

import dataclasses
import json

import psycopg.rows

from contact import Ledger
from contact_caps import CANCELLED, DELIVERED, DENY, FAILED, GRANT, INVALID, NORMAL, REQUEST, SENT, Decision, Fact, contacts
from contact_clocks import Places, distinct, memory_of, zones_of
from contact_kinds import KINDS, Asked, newest_preference
from policy import DAY, duration, instant
from touchpoint import event_id, uuid_of
from words import Words

HORIZON = 400 * DAY
RESULTS = {
    "Contact Requested": REQUEST,
    "Contact Sent": SENT,
    "Campaign Sent": SENT,
    "Contact Delivered": DELIVERED,
    "Contact Failed": FAILED,
    "Contact Cancelled": CANCELLED,
}
LEAST, MOST = "PT15M", "P30D"
REVOKED = 1


@dataclasses.dataclass
class Verdict:
    verdict: int
    reason: str | None = None
    rule_id: str | None = None
    asked_for_at: int | None = None
    planned_at: int | None = None
    moved_by: str | None = None
    expires_at: int | None = None
    retry_at: int | None = None
    rules: dict = dataclasses.field(default_factory=dict)  # {id: (passed, texts or None, next_at)}


def fact_of(raw):
    """A request, a send or a result as caps see it; None: another touchpoint."""
    kind = RESULTS.get(raw.get("event_name") or raw["type"])
    if kind is None:
        return None
    asked = raw.get("contact") or {}
    return Fact(
        at=raw["occurred_at"],
        event_id=event_id(raw["source"], raw["message_id"]),
        kind=kind,
        channel=raw["channel"],
        department=raw.get("department") or "",
        contact_class=asked.get("class") or "",
        purpose=asked.get("purpose") or raw.get("purpose") or "",
        campaign_id=(raw.get("campaign") or {}).get("id") or "",
        tags=tags_of(asked.get("tags_json")) or (),
        priority=asked.get("priority"),
        planned_at=max(raw["occurred_at"], asked.get("planned_at") or raw["occurred_at"]),
        decision_id=uuid_of(raw.get("decision_id")),
        expires_at=asked.get("expires_at"),
        latest_at=asked.get("latest_at"),
        sequence_id=asked.get("sequence_id") or "",
    )


def tags_of(text):
    """None: it is no list of texts."""
    try:
        tags = json.loads(text or "[]")
    except ValueError:
        return None
    is_list = isinstance(tags, list) and all(isinstance(tag, str) and "\n" not in tag for tag in tags)
    return tuple(tag for tag in tags if tag) if is_list else None


def why_invalid(raw, request, policy, words):
    asked = raw.get("contact")
    if asked is None:
        return "no_contact"
    if not request.channel:
        return "no_channel"
    if words.channel(request.channel) is None:
        return "unknown_channel"
    if not request.contact_class:
        return "no_class"
    if request.contact_class not in policy["classes"]:
        return "unknown_class"
    if request.priority not in (None, 1, 2, 3):
        return "bad_priority"
    if tags_of(asked.get("tags_json")) is None:
        return "bad_tags"
    if len(request.sequence_id.encode()) > 64:
        return "bad_sequence"
    if request.expires_at is not None and request.expires_at <= request.planned_at:
        return "expires_before_planned"
    if request.latest_at is not None and request.latest_at < request.planned_at:
        return "latest_before_planned"
    return "planned_too_far" if request.planned_at > request.at + HORIZON else None


class Judge:
    """policy: contact.json as it is written."""

    def __init__(self, policy):
        self.policy, self.words = policy, Words(policy)
        self.rules = [KINDS[rule["kind"]](rule, policy, self.words) for rule in policy["rules"]]
        booking = policy.get("booking", {})
        self.least, self.most = duration(booking.get("least", LEAST)), duration(booking.get("most", MOST))

    # ------------------------------------------------------------------------------------------------- what it looks at

    def asked(self, ledger, members, raw, decisions, now, named=(), anchor=b"", drawn=None):
        """Of a request and what the ledger knows of its customer. decisions: {request: Decision} made before; anchor and drawn: whose
        request it is, and what the customer has drawn in holdouts."""
        request = fact_of(raw)
        heard = list(ledger.heard(members))
        ledger.ask_about(members, self.words.channel(request.channel), named)
        facts = [fact for one in heard if one.is_own for fact in [fact_of(one.raw)] if fact]
        found = contacts(facts, decisions, request.at, now)
        places = Places()
        for one in heard:
            if one.is_own:
                places.read(one.raw)
        asked = Asked(request, (raw.get("product_id"), raw.get("product_category")), heard, found, ledger, [], "", places)
        asked.zones, asked.known_by = self.zones(asked)
        asked.sequence = self.shares(request, facts, decisions)
        asked.anchor, asked.drawn = anchor, {} if drawn is None else drawn
        return asked

    def zones(self, asked):
        stated = newest_preference(asked, "time_zone")
        entry = self.policy.get("zones", {})
        zones, known_by = zones_of(
            asked.places, stated, entry.get("unknown", []), memory_of(self.policy), asked.request.at // DAY
        )
        return distinct(zones, asked.at), known_by

    def shares(self, request, facts, decisions):
        """The sequence of which the request takes the place; empty: it takes its own."""
        entry = self.policy.get("sequence", {})
        if not request.sequence_id:
            return ""
        of = {fact.event_id for fact in facts if fact.kind == REQUEST and
              (fact.department, fact.sequence_id) == (request.department, request.sequence_id)}  # fmt: skip
        granted = [one for one in decisions.values() if one.request_id in of and one.verdict == GRANT]
        if len(granted) >= entry.get("max", 5):
            return ""
        times = [self.contact_time(one, facts) for one in granted]
        is_near = not times or abs(request.planned_at - min(times)) < duration(entry.get("within", "P30D"))
        return request.sequence_id if is_near else ""

    @staticmethod
    def contact_time(decision, facts):
        made = [(fact.kind != SENT, fact.at) for fact in facts if fact.decision_id == decision.request_id and fact.kind in (SENT, DELIVERED)]
        return min(made)[1] if made else decision.planned_at

    # ------------------------------------------------------------------------------------------------------ what it says

    def decide(self, asked):
        """Of a request that is valid."""
        out = self.decide_before_lots(asked)
        for rule in [rule for rule in self.rules if rule.is_last]:
            if out.verdict != GRANT:
                out.rules[rule.name] = True, ("not asked", ""), asked.at
                continue
            opens = rule.next(asked)
            out.rules[rule.name] = opens == asked.at, rule.texts(asked), opens
            if opens != asked.at:
                out = Verdict(DENY, rule.kind, rule.name, asked.at, asked.at, rules=out.rules)
        return out

    def decide_before_lots(self, asked):
        asked_first = [rule for rule in self.rules if not rule.is_last]
        rules = [rule for rule in asked_first if rule.is_asked(asked)]
        found = {rule.name: (rule, rule.next(asked)) for rule in asked_first}
        failed = [rule for rule, opens in found.values() if opens != asked.at]
        out = Verdict(GRANT, asked_for_at=asked.at, planned_at=asked.at)
        out.rules = {name: (opens == asked.at, rule.texts(asked), opens) for name, (rule, opens) in found.items()}
        can_wait = all(opens is not None for _, opens in found.values()) and not any(is_dropping(rule.rule) for rule in failed)
        later = self.earliest(asked, rules) if failed and can_wait else asked.at
        if failed and not (can_wait and self.is_booked(asked.request, later)):
            return dataclasses.replace(
                out, verdict=DENY, reason=failed[0].kind, rule_id=failed[0].name, retry_at=later if can_wait else None
            )
        out.planned_at, out.moved_by = later, failed[0].name if failed else None
        out.expires_at = self.expires_at(asked, rules, later)
        return out

    def is_booked(self, request, later):
        if later is None or request.latest_at is None or later > min(request.latest_at, request.planned_at + self.most):
            return False
        return request.expires_at is None or request.expires_at > later

    def expires_at(self, asked, rules, at):
        lengths = {self.words.channel(name) or name: length for name, length in self.policy.get("reservation", {}).items()}
        channel = self.words.channel(asked.request.channel)
        ends = [at + duration(lengths.get(channel, lengths.get("default", "P1D")))]
        ends += [rule.until(asked, at) for rule in rules if rule.is_clock]
        return min(end for end in [*ends, asked.request.expires_at] if end is not None)

    def earliest(self, asked, rules):
        """The first of all boundaries, and of their neighbours, that all rules allow; None: none."""
        clocks = [rule for rule in rules if rule.is_clock]
        others = [rule for rule in rules if not rule.is_clock]
        fixed = {asked.at, *(time + step for rule in others for time in rule.boundaries(asked) for step in (-1, 0, 1))}
        first, last = asked.at // DAY, (asked.at + HORIZON) // DAY
        for day in range(first, last + 1, 8) if clocks else [first]:
            marks = {time for rule in clocks for time in rule.marks(asked, day, day + 7)}
            begin, end = (day * DAY, (day + 8) * DAY) if clocks else (0, asked.at + HORIZON)
            for time in sorted({*marks, *(time for time in fixed if begin <= time < end)}):
                if asked.at <= time <= asked.at + HORIZON and self.all_allow(asked, rules, time):
                    return time
        return None

    def all_allow(self, asked, rules, at):
        least = 0 if at == asked.at else self.least
        return all(rule.is_worth(asked, at, least) if rule.is_clock else rule.allows(asked, at) for rule in rules)


def is_dropping(rule):
    return rule.get("on_fail") == "drop"


def decision_of(verdict, request, sequence):
    """As the next requests see it."""
    return Decision(request.event_id, verdict.verdict, verdict.planned_at, verdict.expires_at, sequence=sequence)


# ---------------------------------------------------------------------------------------------------- decisions that are stored

RULES = "SELECT request_id, rule_id, passed, observed, allowed, next_at FROM tutti.fct_contact_decision_rules"
ANCHORS = "SELECT anchor, anchor_id FROM suppression.anchors"
ARMS = "SELECT holdout, anchor, arm, basis_points, assigned_at, request_id FROM suppression.arms"
LOADED = "SELECT event_id, min(loaded_at) FROM suppression.facts GROUP BY 1"


def us(value):
    return None if value is None else instant(value.isoformat())


class Told:
    """What was told of each person, by user_id alone, and when it was stored."""

    def __init__(self, lines, connection):
        self.records, self.loaded = {}, {id.bytes: us(at) for id, at in connection.execute(LOADED)}
        for raw in {event_id(one["source"], one["message_id"]): one for one in map(json.loads, lines)}.values():
            self.records.setdefault(raw["user_id"], []).append({**raw, "occurred_at": us_of(raw["occurred_at"])})
        self.people = {event_id(raw["source"], raw["message_id"]): (person, raw)
                       for person, its in self.records.items() for raw in its}  # fmt: skip

    def ledger(self, policy, person, until):
        """Of the facts that were stored by then; where a customer is may be known from any touchpoint."""
        ledger = Ledger(policy)
        for raw in self.records[person]:
            key = event_id(raw["source"], raw["message_id"])
            if self.loaded.get(key, until) <= until:
                ledger.add(raw, key, {person}, person)
        return ledger


def us_of(value):
    return instant(value) if isinstance(value, str) else value


def stored_rules(connection):
    found = {}
    for request_id, rule, passed, observed, allowed, next_at in connection.execute(RULES):
        found.setdefault(request_id.bytes, {})[rule] = passed, (observed, allowed), us(next_at)
    return found


def stored_decisions(connection):
    """Times in microseconds, as the columns of Verdict."""
    rows = connection.cursor(row_factory=psycopg.rows.dict_row).execute("SELECT * FROM suppression.decisions").fetchall()
    return {row["request_id"].bytes: {name: us(value) if name.endswith("_at") else value for name, value in row.items()} for row in rows}


def check(connection, policy, lines):
    """What was recorded and is not so: a text for each. One instance must have decided, by this policy; people have no other
    identifier than their user_id."""
    judge, told, recorded, sequences = Judge(policy), Told(lines, connection), stored_rules(connection), {}
    out, before, drawn = [], {}, {}
    anchors = {anchor: id.bytes for anchor, id in connection.execute(ANCHORS)}
    for row in sorted(stored_decisions(connection).values(), key=turn_of):
        key = row["request_id"].bytes
        person, raw = told.people[key]
        mine = before.setdefault(person, {})
        request = fact_of(raw)
        if row["verdict"] == INVALID:
            found = [("reason", row["reason"], why_invalid(raw, request, policy, judge.words))]
        else:
            known = {other: as_known(decision, row["decided_at"]) for other, decision in mine.items()}
            ledger, arms = told.ledger(policy, person, row["loaded_at"]), drawn.setdefault(person, {})
            asked = judge.asked(ledger, {person}, raw, known, row["decided_at"], anchor=anchors[row["anchor"]], drawn=arms)
            sequences[key] = asked.sequence
            found = differing(judge.decide(asked), row, recorded.get(key, {}))
        out += [f"{row['request_id']}: {name} is {stored}, the oracle says {wanted}" for name, stored, wanted in found if stored != wanted]
        mine[key] = Decision(
            key, row["verdict"], row["planned_at"], row["expires_at"],
            revoked_at=row["outcome_at"] if row["outcome"] == REVOKED else None, claimed_at=row["claimed_at"], sequence=sequences.get(key, ""),
        )  # fmt: skip
    return out + list(arms_differing(connection, drawn))


def arms_differing(connection, drawn):
    wanted = {(holdout, int.from_bytes(anchor[:8], "big", signed=True), int(arm.is_control), arm.basis_points, arm.assigned_at, arm.request_id)
              for arms in drawn.values() for (holdout, anchor), arm in arms.items()}  # fmt: skip
    stored = {(*row[:4], us(row[4]), row[5].bytes) for row in connection.execute(ARMS)}
    yield from (f"arm {row}: {where}" for where, rows in (("stored", stored - wanted), ("missing", wanted - stored)) for row in rows)


def as_known(decision, now):
    return decision if (decision.revoked_at or 0) <= now else dataclasses.replace(decision, revoked_at=None)


def differing(verdict, row, recorded):
    """(what, as stored, as the oracle says)."""
    for name in ("verdict", "reason", "rule_id", "asked_for_at", "planned_at", "moved_by", "expires_at", "retry_at"):
        yield name, row[name], getattr(verdict, name)
    yield "rules", set(recorded), set(verdict.rules)
    for name, (passed, texts, opens) in verdict.rules.items():
        stored = recorded.get(name, (None, None, None))
        yield f"{name}", (stored[0], stored[2]), (passed, opens)
        yield f"{name}", stored[1], stored[1] if texts is None else texts


def turn_of(row):
    """Of one transaction by time, the highest priority, id."""
    priority = NORMAL if row["priority"] is None else row["priority"]
    return row["loaded_at"], row["requested_at"], -priority, row["request_id"].bytes
