"""Gestures: what agents gave to customers, case by case, and what is left of their months."""

from collections import defaultdict

import filters
from policy import month_of
from segments import amount


class Gestures:
    """Collects the gestures of all profiles; the months of agents run across profiles."""

    def __init__(self, policies, as_of):
        self.policies, self.as_of = policies, as_of
        found = policies.orchestration.get("gestures", {})
        self.case_on, self.case_until = found.get("case_on"), found.get("case_until")
        self.limits = {limit["currency"]: limit for limit in found.get("limits", [])}
        self.given = []  # (profile, touchpoint, has open case, is approved)

    def limit(self, currency, name):
        text = self.limits.get(currency, {}).get(name)
        return None if text is None else amount(text)

    def profile(self, profile, timeline):
        for i, touch in enumerate(timeline):
            if touch.event == "Gesture Given" and (touch.cost or 0) > 0:
                before = timeline[:i]
                self.given.append((profile, touch, self.is_open(before, touch.case_id), is_approved(before, touch)))

    def is_open(self, before, case_id):
        """Whether the case was opened, and never closed since it was first opened."""
        if not case_id or not self.case_on:
            return False
        named = [touch for touch in before if touch.case_id == case_id]
        first = next((i for i, touch in enumerate(named) if filters.matches(self.case_on, touch)), None)
        return first is not None and not any(self.case_until and filters.matches(self.case_until, touch) for touch in named[first + 1 :])

    def rows(self):
        cases, months = defaultdict(int), defaultdict(int)
        for profile, touch, has_open_case, approved in sorted(self.given, key=lambda one: in_order(one[1])):
            case, month = (profile, touch.case_id, touch.currency), self.month(touch)
            cases[case] += touch.cost
            months[month] += touch.cost
            case_limit, agent_limit = self.limit(touch.currency, "per_case"), self.limit(touch.currency, "per_agent_month")
            row = {name: getattr(touch, name) for name in ("case_id", "agent_id", "department", "cost", "currency")}
            yield {
                **row,
                "gesture_id": touch.event_id,
                "profile_id": profile,
                "given_at": touch.occurred_at,
                "kind": touch.content_id,
                "has_open_case": has_open_case,
                "is_over_case_limit": bool(touch.case_id) and case_limit is not None and cases[case] > case_limit,
                "is_over_agent_limit": bool(touch.agent_id) and agent_limit is not None and months[month] > agent_limit,
                "is_approved": approved,
            }

    def month(self, touch):
        return touch.agent_id, month_of(self.policies.day(touch.occurred_at)), touch.currency

    def budgets(self):
        spent = defaultdict(int)
        for _, touch, _, _ in self.given:
            if touch.agent_id and touch.occurred_at <= self.as_of:
                spent[self.month(touch)] += touch.cost
        for (agent, month, currency), cost in spent.items():
            limit = self.limit(currency, "per_agent_month")
            row = {"agent_id": agent, "period_start_date": month, "currency": currency, "limit_amount": limit, "spent": cost}
            yield {**row, "remaining": None if limit is None else limit - cost}


def in_order(touch):
    return (touch.occurred_at, touch.event_id, touch.short_anchor)


def is_approved(before, gesture):
    """Whether another agent said yes to the case."""
    if not gesture.case_id or not gesture.agent_id:
        return False
    return any(
        touch.event == "Gesture Approved" and touch.case_id == gesture.case_id and touch.agent_id not in (None, gesture.agent_id)
        for touch in before
    )
