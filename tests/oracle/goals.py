"""rpt_shared_goals_daily: every goal by day, its parts by department and channel, and what they add up to."""

from collections import defaultdict
from dataclasses import dataclass

import filters
from orders import else_value
from policy import STAGES, duration
from segments import ALL as ALL_SEGMENTS
from segments import shown_in
from targets import first_day

ALL = ("(all)", "(all)")
UNIDENTIFIED = ("(unidentified)", "(unidentified)")
UNATTRIBUTED = ("(unattributed)", "(unattributed)")


def matches(goal, touch, any_value=False, event=None):
    """event: asked in place of that of the touchpoint."""
    return filters.matches(goal["on"], touch, any_value, event, is_money(goal))


def value_fits(goal, touch):
    return filters.value_fits(goal["on"], touch)


def is_money(goal):
    return goal["measure"] in ("value", "margin_else_value")


def is_sale(touch, policies):
    """A conversion, or what has an amount and is in a goal of money."""
    if touch.goal_id is not None or touch.is_return:
        return True
    return bool(touch.value or touch.margin) and any(is_money(goal) and may_match(goal, touch) for goal in policies.goals)


def may_match(goal, touch):
    """Who owns a sale asks neither for its score nor for categories."""
    on = {key: value for key, value in goal["on"].items() if key not in ("categories", "score_min", "score_max")}
    return matches({**goal, "on": on}, touch)


def subject(touch):
    """What a goal counts once: an order, or else the touchpoint."""
    return touch.telling.order if touch.telling else touch


def place(touch):
    """The touchpoint whose attributes a goal asks, and in whose department and channel it counts."""
    return touch.telling.order.first if touch.telling else touch


@dataclass
class Entry:
    """What a goal counts at a touchpoint. where: the touchpoint in whose department and channel; is_one: for customers."""

    touch: object
    where: object
    currency: str
    value: int
    is_one: bool


class Counting:
    """Counts one goal in one profile, touchpoint by touchpoint."""

    def __init__(self, goal, policies):
        self.goal, self.policies = goal, policies
        self.seen, self.standing = set(), {}  # standing: what matched and was not returned in full, and when
        self.counted = set()

    def entries(self, timeline):
        for touch in timeline:
            found = self.taken(touch.taking) if touch.taking and not self.counts_itself(touch) else self.told(touch)
            if touch.taking and touch.taking.is_full:
                self.standing.pop(touch.taking.order, None)
                self.counted -= {touch.taking.order} if "nth" in self.goal else set()
            if found and (found.is_one or found.value):
                yield found

    def told(self, touch):
        if not matches(self.goal, place(touch), any_value=True) or (touch.taking and touch.taking.is_repeat):
            return None
        one, is_one = subject(touch), False
        if one not in self.seen and value_fits(self.goal, touch):
            self.seen.add(one)
            self.standing[one] = touch
            is_one = self.is_now(touch)
            self.counted |= {one} if is_one else set()
        currency, value = measure(self.goal, touch, is_one)
        return Entry(touch, place(touch), currency, value, is_one) if one in self.counted else None

    def is_now(self, touch):
        """Whether what has just come counts: always, or as the n-th while no other one counts."""
        if "nth" not in self.goal:
            return True
        first = next(iter(self.standing.values()))
        is_late = "within" in self.goal and touch.occurred_at - first.occurred_at > duration(self.goal["within"])
        return len(self.standing) == self.goal["nth"] and not self.counted and not is_late

    def counts_itself(self, touch):
        """Whether a return counts like any other touch."""
        if "events" in self.goal["on"]:
            return touch.event in self.goal["on"]["events"] and not self.policies.order_events & set(self.goal["on"]["events"])
        return self.goal["measure"] == "count"

    def taken(self, taking):
        if taking.order is None:
            return self.taken_from_no_order(taking)
        if not self.is_of(taking.order):
            return None
        where, is_count = taking.order.first, self.goal["measure"] == "count"
        if is_count:
            value = -1_000_000 if taking.is_full and "events" in self.goal["on"] else 0
        else:
            value = -(taking.taken if self.goal["measure"] == "value" else taking.money) - taking.excess
        return Entry(taking.touch, where, None if is_count else taking.currency, value, False)

    def is_of(self, order):
        """Whether the goal is one of the order's."""
        if "nth" in self.goal or not is_money(self.goal):
            return order in self.counted
        return matches(self.goal, order.first, any_value=True)

    def taken_from_no_order(self, taking):
        found = money_without_order(self.goal, taking, self.policies)
        return found and "nth" not in self.goal and Entry(taking.touch, taking.touch, taking.currency, found, False)


def money_without_order(goal, taking, policies):
    """What a goal of money counts of a return without its order; 0: nothing."""
    if not is_money(goal) or not matches(goal, taking.touch, any_value=True, event=order_event(taking.touch, policies)):
        return 0
    return -(taking.margin if goal["measure"] != "value" and taking.margin is not None else taking.excess)


def order_event(touch, policies):
    """The event of the order that a return without its order is taken for."""
    rules = [rule["event"] for rule in policies.conversions if rule["event"] in policies.order_events]
    if touch.event in rules:
        return touch.event
    return next((event for event in rules if event in policies.orders["events"]), rules[0] if rules else None)


def reaches(stage, asked):
    """Whether a stage is the asked one or a higher one; any, also none, where no stage is asked."""
    return asked is None or (stage is not None and STAGES.index(stage) >= STAGES.index(asked))


def measure(goal, touch, is_one=True):
    """(currency, value in millionths) of a touchpoint; is_one: what it tells counts as one here."""
    if goal["measure"] == "count":
        return None, 1_000_000 if is_one else 0
    value, money = touch.value or 0, else_value(touch)
    if touch.telling:
        value, money = touch.telling.so_far if is_one else (touch.telling.value or 0, touch.telling.money)
    return touch.currency, value if goal["measure"] == "value" else money


class Sums:
    """The sums of one goal in one segment. Totals by (day, currency), parts by (day, currency, department, channel)."""

    def __init__(self):
        self.total, self.parts = defaultdict(int), defaultdict(lambda: [0, 0])
        self.unidentified = defaultdict(int)
        self.customers = defaultdict(lambda: defaultdict(int))  # by kind of window, and the day of what counted first in it


class Goals:
    """Sums over all profiles, by goal and segment."""

    def __init__(self, policies):
        self.policies = policies
        self.touch_goals = [goal for goal in policies.goals if "on" in goal]
        self.status_goals = [goal for goal in policies.goals if "status" in goal]
        self.segment_goals = [goal for goal in policies.goals if "segment" in goal]
        self.sums = defaultdict(Sums)

    def of(self, goal, segment=ALL_SEGMENTS):
        return self.sums[goal["id"], segment]

    def profile(self, timeline, conversions, changes, memberships, is_identified):
        """{goal: what it counts of the profile}."""
        entries = {goal["id"]: list(Counting(goal, self.policies).entries(timeline)) for goal in self.touch_goals}
        for goal in self.touch_goals:
            self.touch_goal(goal, entries[goal["id"]])
        counted = {goal_id: {entry.touch for entry in found} for goal_id, found in entries.items()}
        for goal in self.status_goals:
            if is_identified or not goal.get("identified"):
                self.status_goal(goal, changes)
        for goal in self.segment_goals:
            self.segment_goal(goal, [one for one in memberships if one.segment == goal["segment"]])
        for conversion in conversions:
            self.credit(conversion, counted)
        return entries

    def touch_goal(self, goal, entries):
        customers = {}  # the first that counts in each window
        for entry in entries:
            day, where = self.policies.day(entry.touch.occurred_at), entry.where
            for segment in shown_in(self.policies, entry.touch):
                sums = self.of(goal, segment)
                sums.total[day, entry.currency] += entry.value
                if not goal.get("credited"):
                    sums.parts[day, entry.currency, where.department or "(none)", where.channel][0] += entry.value
            if entry.is_one:
                for kind in ("day", *goal.get("windows", [])):
                    customers.setdefault((kind, first_day(kind, day)), entry.touch)
        for (kind, _), touch in customers.items():
            for segment in shown_in(self.policies, touch):
                self.of(goal, segment).customers[kind][self.policies.day(touch.occurred_at)] += 1

    def customers(self, row, kind, start, last_day):
        """Of a period for a row of rpt_shared_goals; None: nobody counts them."""
        goal = next(goal for goal in self.policies.goals if goal["id"] == row["goal_id"])
        if "on" not in goal or row["department"] != "(all)" or kind not in ("day", *goal.get("windows", [])):
            return None
        found = self.of(goal, row["segment_id"]).customers[kind]
        return sum(count for day, count in found.items() if first_day(kind, day) == start and day <= last_day)

    def unidentified_sale(self, touch):
        """It is in the total, and in a part of its own."""
        for goal in self.touch_goals:
            if "nth" in goal:
                continue
            if touch.is_return:
                currency, value = touch.currency, money_without_order(goal, touch.taking, self.policies)
                is_counted = bool(value)
            else:
                is_counted, (currency, value) = matches(goal, touch), measure(goal, touch)
            if is_counted:
                for sums in (self.of(goal).total, self.of(goal).unidentified):
                    sums[self.policies.day(touch.occurred_at), currency] += value

    def status_goal(self, goal, changes):
        """Stock: signed changes by day, summed up in stock_rows. Entries: one per change into the status."""
        total, was_in = self.of(goal).total, False
        for change in changes:
            day = self.policies.day(change.changed_at)
            is_in = change.to_status == goal["status"] and reaches(change.to_stage, goal.get("from_stage"))
            if goal["measure"] == "stock":
                total[day, None] += 1_000_000 * (is_in - was_in)
            elif is_in and not was_in:
                total[day, None] += 1_000_000
            was_in = is_in

    def segment_goal(self, goal, memberships):
        total, day = self.of(goal).total, self.policies.day
        for one in memberships:
            total[day(one.start), None] += 1_000_000
            if goal["measure"] == "stock" and one.end is not None:
                total[day(one.end), None] -= 1_000_000

    def credit(self, conversion, counted):
        """The parts of the goal of a conversion or reversal, if that is a credited one which counts it."""
        goal_id = conversion.of and conversion.goal_id
        goal = next((goal for goal in self.touch_goals if goal.get("credited") and goal["id"] == goal_id), None)
        if goal is None or conversion.touch not in counted[goal_id]:
            return
        for credit in conversion.credits:
            if credit.model == self.policies.stored_model and credit.touch is not None and credit.revenue:
                key = (
                    self.policies.day(conversion.touch.occurred_at),
                    conversion.currency,
                    credit.touch.department or "(none)",
                    credit.touch.channel,
                )
                is_assisted = credit.touch.department != conversion.of.touch.department
                for segment in shown_in(self.policies, conversion.touch):
                    self.of(goal, segment).parts[key][is_assisted] += credit.revenue

    def rows(self, last_day):
        for goal in self.policies.goals:
            make = self.stock_rows if goal["measure"] == "stock" else self.flow_rows
            for segment in [ALL_SEGMENTS, *self.policies.figure_segments]:
                for row in make(goal, self.of(goal, segment)):
                    if row["day"] <= last_day:
                        yield {**row, "goal": goal, "segment_id": segment}

    def stock_rows(self, _, sums):
        stock = 0
        for (day, _), change in sorted(sums.total.items()):
            stock += change
            if change:
                yield make_row(day, None, ALL, stock, 0, 0, None)

    def flow_rows(self, goal, sums):
        parts = defaultdict(lambda: [0, 0])
        for (day, currency, *place), (own, assisted) in sums.parts.items():
            parts[day, currency][0] += own
            parts[day, currency][1] += assisted
            if own + assisted:
                yield make_row(day, currency, place, own + assisted, own, assisted, None)
        for day, currency in {**sums.total, **parts}:
            value, (own, assisted) = sums.total[day, currency], parts[day, currency]
            unidentified = sums.unidentified[day, currency]
            customers = sums.customers["day"][day] if "on" in goal else None
            if value or customers:
                yield make_row(day, currency, ALL, value, own, assisted, customers)
            if unidentified:
                yield make_row(day, currency, UNIDENTIFIED, unidentified, 0, 0, None)
            if goal.get("credited") and value != own + assisted + unidentified:
                yield make_row(day, currency, UNATTRIBUTED, value - own - assisted - unidentified, 0, 0, None)


def make_row(day, currency, place, value, own, assisted, customers):
    return {
        "day": day,
        "currency": currency,
        "department": place[0],
        "channel": place[1],
        "value": value,
        "own_value": own,
        "assisted_value": assisted,
        "customers": customers,
    }
