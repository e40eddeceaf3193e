"""What the contacts of a holdout earn beyond what would have come anyway, plainly: from what was drawn, and the oracle's own figures."""

import collections
import datetime
import math

from contact_caps import fits
from policy import DAY
from words import Words

Z = 1.959963984540054
HORIZONS = (7, 30, 90)
LEAST_CONVERTERS = 100


def wilson(x, n):
    p, whole = x / n, 1 + Z * Z / n
    middle, width = (p + Z * Z / (2 * n)) / whole, Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / whole
    return middle - width, middle + width


def newcombe(x1, n1, x2, n2):
    """(difference of the rates, low, high)."""
    p1, p2, (l1, u1), (l2, u2) = x1 / n1, x2 / n2, wilson(x1, n1), wilson(x2, n2)
    return p1 - p2, p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def mean_and_error(values):
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)


def welch(ones, others):
    """(difference of the means, low, high) of two lists."""
    (m1, e1), (m2, e2) = mean_and_error(ones), mean_and_error(others)
    width = Z * math.sqrt(e1 + e2)
    return m1 - m2, m1 - m2 - width, m1 - m2 + width


class Customer:
    """arms: [(is_control, basis points, assigned_at)] of one holdout."""

    def __init__(self, profile, arms):
        self.profile = profile
        self.is_control, self.is_mixed = any(one[0] for one in arms), len({one[0] for one in arms}) > 1
        _, basis_points, self.assigned_at = min(arms, key=lambda one: one[2])
        self.share = basis_points / 10_000


class Lift:
    """drawn: {(holdout, anchor): (is_control, basis points, assigned_at)}; rows: those of the oracle's views; decisions: {request id:
    {"channel", "contact_class", "tags"}}."""

    def __init__(self, oracle, rows, contact, drawn, decisions, as_of):
        self.oracle, self.rows, self.drawn, self.decisions, self.as_of = oracle, rows, drawn, decisions, as_of
        self.words, self.policies = Words(contact), oracle.policies
        self.rules = {rule["id"]: rule for rule in contact["rules"] if rule["kind"] == "holdout"}
        self.touches = {(one.event_id, one.occurred_at): one for one in oracle.touchpoints.values()}
        self.conversions, self.credits = collections.defaultdict(list), collections.defaultdict(list)
        for row in rows["fct_conversions"]:
            if row["is_counted"]:
                self.conversions[row["profile_id"]].append(row)
        for row in rows["fct_attributions"]:
            if row["model"] == self.policies.stored_model:
                self.credits[row["profile_id"]].append(row)

    def customers(self, holdout):
        arms = collections.defaultdict(list)
        for (name, anchor), arm in self.drawn.items():
            profile = self.oracle.identity.profile[anchor]
            if name == holdout and not self.oracle.identity.is_shared(profile):
                arms[profile].append(arm)
        return [Customer(profile, its) for profile, its in arms.items()]

    def all(self, goals):
        """{(holdout, month or None, goal, days, currency): figures}."""
        found = {}
        for holdout in {holdout for holdout, _ in self.drawn}:
            for days in HORIZONS:
                ready = [one for one in self.customers(holdout) if one.assigned_at + days * DAY <= self.as_of]
                months = {self.month(one) for one in ready}
                for month in [None, *months] if ready else []:
                    some = [one for one in ready if month in (None, self.month(one))]
                    for goal in goals:
                        for currency in self.currencies(some, goal, days) or [None]:
                            found[holdout, month, goal, days, currency] = self.figures(holdout, some, goal, days, currency)
        return found

    def month(self, customer):
        return (datetime.date(1970, 1, 1) + datetime.timedelta(self.policies.day(customer.assigned_at))).replace(day=1)

    def of(self, rows, customer, goal, days):
        end = customer.assigned_at + days * DAY
        return [row for row in rows[customer.profile] if row["goal_id"] == goal and customer.assigned_at < row["converted_at"] <= end]

    def currencies(self, customers, goal, days):
        return {row["currency"] for one in customers if not one.is_mixed
                for row in self.of(self.conversions, one, goal, days)
                + [row for row in self.of(self.credits, one, goal, days) if row["attributed_revenue"]]}  # fmt: skip

    def figures(self, holdout, customers, goal, days, currency):
        groups = {is_control: [one for one in customers if not one.is_mixed and one.is_control == is_control] for is_control in (False, True)}
        in_currency = lambda rows: [row for row in rows if row["currency"] == currency]  # noqa: E731
        converters, revenues = {}, {}
        for is_control, group in groups.items():
            converters[is_control] = sum(bool(in_currency(self.of(self.conversions, one, goal, days))) for one in group)
            revenues[is_control] = [sum(row["attributed_revenue"] or 0 for row in in_currency(self.of(self.credits, one, goal, days))) / 1e6 for one in group]
        n1, n2 = len(groups[False]), len(groups[True])
        rate = newcombe(converters[False], n1, converters[True], n2) if n1 and n2 else (None,) * 3
        is_enough = min(converters.values()) >= LEAST_CONVERTERS
        money = welch(revenues[False], revenues[True]) if is_enough else (None,) * 3
        rule = self.rules.get(holdout)
        credited = rule and sum(
            row["attributed_revenue"] or 0
            for one in groups[False]
            for row in in_currency(self.of(self.credits, one, goal, days))
            if self.is_of(rule, row, one.assigned_at, one.assigned_at + days * DAY)
        ) / 1e6
        shares = [one.share for group in groups.values() for one in group]
        return {
            "treated_customers": n1, "control_customers": n2,
            "treated_converters": converters[False], "control_converters": converters[True],
            "rate_lift": rate[0], "rate_lift_low": rate[1], "rate_lift_high": rate[2],
            "treated_revenue": math.fsum(revenues[False]), "control_revenue": math.fsum(revenues[True]),
            "revenue_lift": money[0], "revenue_lift_low": money[1], "revenue_lift_high": money[2],
            "incremental_revenue": money[0] and n1 * money[0],
            "incremental_revenue_low": money[1] and n1 * money[1], "incremental_revenue_high": money[2] and n1 * money[2],
            "credited_revenue": credited,
            "is_disagreeing": not n1 * money[1] <= credited <= n1 * money[2] if is_enough and rule else None,
            "mixed_profiles": sum(one.is_mixed for one in customers),
            "is_split_suspect": abs(n2 - sum(shares)) > 3.29 * math.sqrt(sum(p * (1 - p) for p in shares)),
        }  # fmt: skip

    def is_of(self, rule, row, begin, end):
        """The credited touch is a contact that the rule is for, in that time."""
        touch = self.touches.get((row["touchpoint_id"], row["touched_at"]))
        if touch is None or touch.direction != "outbound" or not begin < touch.occurred_at <= end:
            return False
        known = {"channel": touch.channel, "contact_class": touch.contact_class or "", "tags": ()} | self.decisions.get(touch.decision, {})
        campaigns = rule.get("campaigns")
        return fits(rule, known, self.words) and (campaigns is None or touch.campaign_id in campaigns)
