"""How many contacts customers got in 30 days, as of the ends of months, from docs/figures.md (rpt_contact_pressure)."""

import itertools
from collections import Counter, defaultdict

from consents import short
from contact_caps import REQUEST, contacts
from contact_verdicts import fact_of
from policy import DAY, month_of
from words import Words

ALL = "(all)"


class Pressure:
    def __init__(self, policies):
        self.policies, self.words = policies, Words(policies.contact)
        self.facts, self.requests = defaultdict(dict), {}

    def add(self, raw, anchor):
        fact = fact_of(raw)
        if fact is not None:
            self.facts[anchor].setdefault((fact.at, fact.event_id), fact)
            if fact.kind == REQUEST:
                self.requests.setdefault(fact.event_id, fact)

    def made(self, members):
        """[(time, department, channel)] of a customer's contacts that count. A message told under several identifiers is in the words of the first."""
        own = [fact for one in sorted(members, key=short) for fact in self.facts.get(one, {}).values()]
        own += [self.requests[fact.decision_id] for fact in own if fact.decision_id in self.requests]
        silent = {name for name, said in self.policies.contact.get("classes", {}).items() if not said.get("counts", True)}
        return [
            (one.at, one.words["department"] or "(none)", self.words.channel(one.words["channel"]) or one.words["channel"])
            for one in contacts(own, {}, 0, 0)
            if one.words["contact_class"] not in silent
        ]

    def days(self, as_of):
        day = self.policies.day(as_of)
        yield day
        for _ in range(13):
            day = month_of(day) - 1
            yield day

    def rows(self, customers, memberships, as_of):
        """customers: {profile: its identifiers}; memberships: {profile: rows of fct_segment_memberships}."""
        found = Counter()
        over = self.policies.contact.get("pressure", {}).get("over")
        made = {profile: self.made(members) for profile, members in customers.items()}
        for day in set(self.days(as_of)):
            until = self.policies.start_of(day + 1)
            instant = min(until - 1, as_of)
            for profile, its in made.items():
                year = [one for one in its if until - 365 * DAY <= one[0] < until]
                segments = [row["segment_id"] for row in memberships.get(profile, ()) if is_in(row, instant)]
                for department, channel in {two for one in year for two in itertools.product((one[1], ALL), (one[2], ALL))}:
                    count = sum(at >= until - 30 * DAY and department in (whose, ALL) and channel in (where, ALL) for at, whose, where in year)
                    for segment in [ALL, *segments]:
                        key = (day, department, channel, segment, min(count, 10))
                        found[key, "customers"] += 1
                        found[key, "contacts"] += count
                        found[key, "over"] += over is not None and count > over
        names = ("period_end_date", "department", "channel", "segment_id", "contacts_30d")
        for key in {key for key, _ in found}:
            is_total = over is not None and key[1:3] == (ALL, ALL)
            yield {
                **dict(zip(names, key)),
                "customers": found[key, "customers"],
                "contacts": found[key, "contacts"],
                "over_saturated_customers": found[key, "over"] if is_total else None,
            }


def is_in(row, instant):
    return row["valid_from_at"] <= instant and (row["valid_to_at"] is None or row["valid_to_at"] > instant)
