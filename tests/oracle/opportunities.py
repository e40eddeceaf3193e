"""Opportunities: what offers a customer gets by orchestration.json, and what became of them; each offer by itself."""

import hashlib
import struct
from collections import defaultdict
from dataclasses import dataclass, field

from policy import US, duration, month_of
from segments import does

REMEMBERED = 4  # newest covered triggers that an answer may name
STATES = ("declined", "cancelled", "expired", "won")


def opportunity_id(rule, offer, trigger):
    parts = [rule["id"].encode(), offer["id"].encode(), trigger.event_id]
    parts += [struct.pack(">q", trigger.occurred_at), struct.pack(">q", trigger.short_anchor)]
    text = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hashlib.blake2b(text, digest_size=16).digest()


@dataclass
class Opportunity:
    """One of an offer. base: the forbidding segments after its trigger; end: (state, time, touchpoint or None)."""

    rule: dict
    offer: dict
    trigger: object
    base: set
    covered: list = field(default_factory=list)
    accepted_at: int = None
    end: tuple = None

    @property
    def opened_at(self):
        return self.trigger.occurred_at

    @property
    def due_at(self):
        return self.opened_at + duration(self.offer.get("after", "PT0S"))

    @property
    def expires_at(self):
        return self.opened_at + duration(self.offer["expires"])

    def is_named(self, touch):
        triggers = [self.trigger, *self.covered[-REMEMBERED:]]
        return touch.opportunity_id in [opportunity_id(self.rule, self.offer, one) for one in triggers]

    def covers(self, time):
        """Whether a trigger at this time opens no other."""
        if self.end is None:
            return True
        return self.end[0] != "cancelled" and time < self.opened_at + duration(self.offer.get("cooling", "PT0S"))

    def state_at(self, as_of):
        """(state, ended at, by which touchpoint)."""
        if self.end and self.end[1] <= as_of:
            return self.end
        if self.expires_at <= as_of:
            return "expired", self.expires_at, None
        is_accepted = self.accepted_at is not None and self.accepted_at <= as_of
        return ("accepted" if is_accepted else "open"), None, None


def opportunities(rule, offer, never_if, timeline, after):
    """Those of one offer in the touchpoints of a profile. after: the segments after each touchpoint."""
    forbidding = {*never_if, *rule.get("not_if", []), *offer.get("not_if", [])}
    found, one = [], None
    for touch, segments in zip(timeline, after):
        if one and not one.end and touch.occurred_at >= one.expires_at:
            one.end = ("expired", one.expires_at, None)
        if one and not one.end:
            meet(one, touch)
        if does(rule["on"], touch):
            if one and one.covers(touch.occurred_at):
                one.covered.append(touch)
            elif not forbidding & set(touch.segments):
                one = Opportunity(rule, offer, touch, forbidding & set(segments))
                found.append(one)
        if one and not one.end and one.trigger is not touch and forbidding & set(segments) - one.base:
            one.end = ("cancelled", touch.occurred_at, touch)
    return found


def meet(one, touch):
    """What a touchpoint does to a live opportunity."""
    cancels = [place["cancel_on"] for place in (one.rule, one.offer) if "cancel_on" in place]
    if "done_on" in one.offer and does(one.offer["done_on"], touch):
        one.end = ("won", touch.occurred_at, touch)
    elif any(does(on, touch) for on in cancels):
        one.end = ("cancelled", touch.occurred_at, touch)
    elif touch.event == "Opportunity Declined" and one.is_named(touch):
        one.end = ("declined", touch.occurred_at, touch)
    elif touch.event == "Opportunity Accepted" and one.is_named(touch) and one.accepted_at is None:
        one.accepted_at = touch.occurred_at


class Opportunities:
    """The rows of all profiles."""

    def __init__(self, policies, as_of):
        self.policies, self.as_of = policies, as_of
        self.rules = policies.orchestration.get("rules", [])
        self.rows, self.sums = [], defaultdict(lambda: defaultdict(int))

    def profile(self, profile, timeline, after):
        """How many are open. after: the segments of the customer after each touchpoint."""
        never_if, found = self.policies.orchestration.get("never_if", []), []
        for rule in self.rules:
            for offer in rule["offers"]:
                found += opportunities(rule, offer, never_if, timeline, after)
        shown = [self.row(profile, one) for one in found if one.opened_at <= self.as_of]
        return sum(row["state"] in ("open", "accepted") for row in shown)

    def row(self, profile, one):
        state, ended_at, ended_by = one.state_at(self.as_of)
        row = {
            "opportunity_id": opportunity_id(one.rule, one.offer, one.trigger),
            "rule_id": one.rule["id"],
            "offer_id": one.offer["id"],
            "profile_id": profile,
            "trigger_touchpoint_id": one.trigger.event_id,
            "product": one.offer["product"],
            "owner_department": one.offer["owner"],
            "priority": one.rule.get("priority", "normal"),
            "opened_at": one.opened_at,
            "due_at": one.due_at,
            "expires_at": one.expires_at,
            "state": state,
            "accepted_at": one.accepted_at if (one.accepted_at or 0) <= self.as_of else None,
            "ended_at": ended_at,
            "ended_touchpoint_id": ended_by and ended_by.event_id,
            "trigger_count": 1 + sum(touch.occurred_at <= self.as_of for touch in one.covered),
        }
        self.rows.append(row)
        self.add(row, ended_by if state == "won" else None)
        return row

    def add(self, row, winner):
        currency = winner.currency if winner and winner.value is not None else None
        month = month_of(self.policies.day(row["opened_at"]))
        cell = self.sums[month, row["rule_id"], row["offer_id"], row["owner_department"], currency]
        cell["opened"] += 1
        cell[row["state"]] += row["state"] in STATES
        cell["revenue"] += (winner.value or 0) if winner else 0
        if row["accepted_at"] is not None:
            cell["accepted"] += 1
            cell["seconds_to_accept_sum"] += (row["accepted_at"] - row["opened_at"]) // US * US

    def monthly(self):
        names = ("period_start_date", "rule_id", "offer_id", "owner_department", "currency")
        sums = ("opened", "accepted", *STATES, "seconds_to_accept_sum", "revenue")
        for key, cell in self.sums.items():
            yield {**dict(zip(names, key)), **{name: cell[name] for name in sums}}
