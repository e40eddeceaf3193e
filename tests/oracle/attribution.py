"""Conversions of one profile and the credit that its touches get for them."""

import bisect
import hashlib
from dataclasses import dataclass, field
from decimal import Context, Decimal

from policy import US, duration

MODELS = ("first_touch", "last_touch", "linear", "position_based", "time_decay")
HALVES = 31  # half-lives after which a touch weighs nothing
EXACT = Context(prec=60)
STEPS = [int((EXACT.power(2, EXACT.subtract(31, Decimal(j) / 64))).to_integral_value()) for j in range(64)]  # of a half-life


@dataclass
class Conversion:
    """A row of fct_conversions. of: the conversion that counts for the order, itself or an earlier one."""

    touch: object
    goal_id: str
    of: object
    is_first: bool
    eligible: list
    is_main: bool = True  # of the first goal
    value: int = None
    margin: int = None
    credits: list = field(default_factory=list)

    @property
    def id(self):
        return conversion_id(self.touch, self)

    @property
    def is_counted(self):
        return self.of is self

    @property
    def currency(self):
        return self.touch.currency


@dataclass
class Credit:
    """One row of fct_attributions; touch is None where nothing was eligible."""

    model: str
    touch: object
    position: int
    share: int  # millionths
    revenue: int  # micro-units, or None
    margin: int


def conversion_id(touch, one):
    """one: the conversion or reversal of a touch."""
    if one.is_main:
        return touch.event_id
    return hashlib.blake2b(touch.event_id + one.goal_id.encode(), digest_size=16).digest()


def apportion(amount, weights):
    """Parts of an amount: by weight towards zero, the rest one unit each to the largest remainders, of equal ones the earliest."""
    if amount is None:
        return [None] * len(weights)
    whole, total = abs(amount), sum(weights)
    parts = [whole * weight // total for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for i in by_rest[: whole - sum(parts)]:
        parts[i] += 1
    return [-part for part in parts] if amount < 0 else parts


class Shares:
    """What each eligible touch of a conversion weighs under each model."""

    def __init__(self, policies):
        self.first, self.last = policies.position
        self.half_life = policies.half_life

    def of(self, model, eligible, converted_at):
        """[(position from 0, weight)] of the touches that have a row; no touch: one row of nobody."""
        n = len(eligible)
        if n == 0:
            return [(None, 1)]
        if model == "first_touch":
            return [(0, 1)]
        if model == "last_touch":
            return [(n - 1, 1)]
        if model == "linear":
            return list(enumerate([1] * n))
        if model == "position_based":
            return list(enumerate(self.by_position(n)))
        return list(enumerate(self.by_age([(converted_at - touch.occurred_at) // US for touch in eligible])))

    def by_position(self, n):
        if n == 1:
            return [1]
        if n == 2:
            return [self.first, self.last] if self.first + self.last else [1, 1]
        return [self.first * (n - 2), *[100 - self.first - self.last] * (n - 2), self.last * (n - 2)]

    def by_age(self, ages):
        halves = [divmod(64 * age // self.half_life, 64) for age in ages]
        found = [STEPS[step] >> whole if whole < HALVES else 0 for whole, step in halves]
        return found if any(found) else [1] * len(ages)


def apportion_change(before, change, weights):
    """What is added to each part when an amount changes."""
    if change is None:
        return [None] * len(weights)
    old, new = apportion(before or 0, weights), apportion((before or 0) + change, weights)
    return [after - before for before, after in zip(old, new)]


def credits(policies, of, count, before, value, margin):
    """of: the conversion whose touches share, or None. count: 1 where the order counts as one, else 0; before: value and margin that were shared out already."""
    shares, eligible = Shares(policies), of.eligible if of else []
    for model in MODELS:
        rows = shares.of(model, eligible, of and of.touch.occurred_at)
        weights = [weight for _, weight in rows]
        amounts = zip(
            rows,
            apportion(count * 1_000_000, weights),
            apportion_change(before[0], value, weights),
            apportion_change(before[1], margin, weights),
        )
        for (position, _), share, revenue, margin_part in amounts:
            credited = None if position is None else eligible[position]
            yield Credit(model, credited, 0 if position is None else position + 1, share, revenue, margin_part)


def failed_send(failure, sends):
    """The send that a Contact Failed ends, of those before it that have not failed; None: none."""
    for send in reversed(sends):
        if failure.decision_id:
            if send.decision_id == failure.decision_id:
                return send
        elif (send.channel, send.campaign_id) == (failure.channel, failure.campaign_id):
            return send
    return None


def counted_conversion(policies, touch, goal_id, is_first, eligible):
    conversion = Conversion(touch, goal_id, None, is_first, eligible, goal_id == touch.goal_id, touch.value, touch.margin)
    conversion.of = conversion
    conversion.credits = list(credits(policies, conversion, 1, (0, 0), touch.value, touch.margin))
    return conversion


@dataclass
class Reversal:
    """The credit that a return takes back. of: the conversion of its order, or None."""

    touch: object
    goal_id: str
    of: object
    is_main: bool
    credits: list

    @property
    def id(self):
        return conversion_id(self.touch, self)

    @property
    def eligible(self):
        return self.of.eligible if self.of else []

    @property
    def currency(self):
        return self.touch.taking.currency


def reversals_of(taking, policies, event):
    """What a return takes from each goal: of its order, else of the event of the order that it is taken for."""
    conversions = taking.order.conversions if taking.order else []
    if conversions:
        return [reversal_of(taking, policies, of.goal_id, of) for of in conversions]
    goals = [goal for goal, _ in goals_of([rule for rule in policies.conversions if rule["event"] == event], policies)]
    return [reversal_of(taking, policies, goal, None, goal == goals[0]) for goal in goals] or [reversal_of(taking, policies, None, None)]


def goals_of(rules, policies):
    """[(goal, lookback)] of conversion rules: the first rule of each goal."""
    found = {}
    for rule in rules:
        found.setdefault(rule["goal"], rule)
    return [(goal, duration(rule["lookback"]) if "lookback" in rule else policies.lookback) for goal, rule in found.items()]


def reversal_of(taking, policies, goal_id, of, is_main=True):
    """What a return of a profile takes from the touches of its order, and what is over from no touch."""
    found = []
    if of and taking.is_of_order:
        margin = None if taking.margin is None else -taking.margin
        found += credits(policies, of, -1 if taking.is_full else 0, taking.before, -taking.taken, margin)
    if taking.excess:
        margin = -taking.margin if taking.margin is not None and not taking.order else None
        found = added(found, list(credits(policies, None, 0, (0, 0), -taking.excess, margin)))
    return Reversal(taking.touch, goal_id, of, of.is_main if of else is_main, found)


def added(found, excess):
    """The rows of an excess are added to those of the order that have no touch either."""
    for row in excess:
        same = next((one for one in found if one.touch is None and one.model == row.model), None)
        if same:
            same.revenue += row.revenue
        else:
            found.append(row)
    return found


def unidentified_conversions(touch, policies):
    return [counted_conversion(policies, touch, goal, False, []) for goal, _ in goals_of(touch.rules, policies)]


class Conversions:
    """Takes the touchpoints of a profile one by one, in order."""

    def __init__(self, policies):
        self.policies = policies
        self.creditable, self.sends = [], []  # those before the touch that have not failed
        self.converted = set()  # goals

    def take(self, touch):
        """The conversions of a touch: rows of fct_conversions."""
        if touch.event == "Contact Failed":
            failed = failed_send(touch, self.sends)
            self.sends = [send for send in self.sends if send is not failed]
            self.creditable = [one for one in self.creditable if one is not failed]
        if touch.is_send:
            self.sends.append(touch)
        found = self.of_telling(touch.telling) if touch.telling and touch.goal_id is not None else []
        if touch.is_creditable:
            self.creditable.append(touch)
        return found

    def of_telling(self, telling):
        """The goals of an order are those of its first telling that is a conversion; a later one changes each of them."""
        touch, order = telling.touch, telling.order
        if not order.conversions:
            order.conversions = [self.convert(touch, *goal) for goal in goals_of(touch.rules, self.policies)]
            return order.conversions
        return [self.change(telling, of) for of in order.conversions] if telling.is_change else []

    def convert(self, touch, goal_id, lookback):
        start = bisect.bisect_left(self.creditable, touch.occurred_at - lookback, key=lambda one: one.occurred_at)
        is_first = goal_id not in self.converted
        self.converted.add(goal_id)
        return counted_conversion(self.policies, touch, goal_id, is_first, self.creditable[start:])

    def change(self, telling, of):
        found = Conversion(telling.touch, of.goal_id, of, False, of.eligible, of.is_main, telling.value, telling.margin)
        found.credits = list(credits(self.policies, of, 0, telling.before, telling.value, telling.margin))
        return found


def conversions(timeline, policies):
    """The conversions of a profile's touchpoints (in order), each with its eligible touches and credits."""
    taker, found = Conversions(policies), []
    for touch in timeline:
        of_touch = taker.take(touch)
        touch.conversion = of_touch[0] if of_touch else None
        found += of_touch
    return found
