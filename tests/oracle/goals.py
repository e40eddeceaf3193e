"""rpt_shared_goals_daily: every goal by day, its parts by department and channel, and what they add up to."""

from collections import defaultdict

from policy import STAGES, duration

ALL = ("(all)", "(all)")
UNIDENTIFIED = ("(unidentified)", "(unidentified)")
UNATTRIBUTED = ("(unattributed)", "(unattributed)")


def matches(goal, touch):
    on = goal["on"]
    if touch.is_elsewhere:
        return False
    if touch.direction is None and "events" not in on:
        return False
    if touch.direction is not None and not touch.is_touch and goal["measure"] == "count":
        return False  # a bot's
    return (
        touch.event in on.get("events", [touch.event])
        and touch.channel in on.get("channels", [touch.channel])
        and touch.department in on.get("departments", [touch.department])
        and touch.purpose in on.get("purposes", [touch.purpose])
        and touch.direction == on.get("direction", touch.direction)
        and (on.get("value") != "positive" or (touch.value or 0) > 0)
    )


def is_money(goal):
    return goal["measure"] in ("value", "margin_else_value")


def is_sale(touch, policies):
    """A conversion, or what has an amount and is in a goal of money."""
    if touch.goal_id is not None:
        return True
    return bool(touch.value or touch.margin) and any(is_money(goal) and matches(goal, touch) for goal in policies.goals)


def counted(goal, timeline):
    """The touchpoints of one profile that count for a goal, as the keys of a dict."""
    found = [touch for touch in timeline if matches(goal, touch)]
    if "nth" not in goal:
        return dict.fromkeys(found)
    if len(found) < goal["nth"]:
        return {}
    touch = found[goal["nth"] - 1]
    if "within" in goal and touch.occurred_at - found[0].occurred_at > duration(goal["within"]):
        return {}
    return {touch: None}


def reaches(stage, asked):
    """Whether a stage is the asked one or a higher one; any, also none, where no stage is asked."""
    return asked is None or (stage is not None and STAGES.index(stage) >= STAGES.index(asked))


def measure(goal, touch):
    """(currency, value in millionths) of a counted touch."""
    if goal["measure"] == "count":
        return None, 1_000_000
    if goal["measure"] == "margin_else_value" and touch.margin is not None:
        return touch.currency, touch.margin
    return touch.currency, touch.value or 0


class Goals:
    """Sums over all profiles, by goal. Totals by (day, currency), parts by (day, currency, department, channel)."""

    def __init__(self, policies):
        self.policies = policies
        self.touch_goals = [goal for goal in policies.goals if "on" in goal]
        self.status_goals = [goal for goal in policies.goals if "status" in goal]
        self.total = {goal["id"]: defaultdict(int) for goal in policies.goals}
        self.parts = {goal["id"]: defaultdict(lambda: [0, 0]) for goal in policies.goals}
        self.unidentified = {goal["id"]: defaultdict(int) for goal in policies.goals}
        self.customers = {goal["id"]: defaultdict(int) for goal in policies.goals}

    def profile(self, timeline, conversions, changes, is_identified):
        counts = {goal["id"]: counted(goal, timeline) for goal in self.touch_goals}
        for goal in self.touch_goals:
            self.touch_goal(goal, counts[goal["id"]])
        for goal in self.status_goals:
            if is_identified or not goal.get("identified"):
                self.status_goal(goal, changes)
        for conversion in conversions:
            self.credit(conversion, counts)

    def touch_goal(self, goal, touches):
        days = set()
        for touch in touches:
            day = self.policies.day(touch.occurred_at)
            currency, value = measure(goal, touch)
            self.total[goal["id"]][day, currency] += value
            days.add(day)
            if not goal.get("credited"):
                self.parts[goal["id"]][day, currency, touch.department or "(none)", touch.channel][0] += value
        for day in days:
            self.customers[goal["id"]][day] += 1

    def unidentified_sale(self, touch):
        """It is in the total, and in a part of its own."""
        for goal in self.touch_goals:
            if "nth" not in goal and matches(goal, touch):
                currency, value = measure(goal, touch)
                for sums in (self.total, self.unidentified):
                    sums[goal["id"]][self.policies.day(touch.occurred_at), currency] += value

    def status_goal(self, goal, changes):
        """Stock: signed changes by day, summed up in stock_rows. Entries: one per change into the status."""
        total, was_in = self.total[goal["id"]], False
        for change in changes:
            day = self.policies.day(change.changed_at)
            is_in = change.to_status == goal["status"] and reaches(change.to_stage, goal.get("from_stage"))
            if goal["measure"] == "stock":
                total[day, None] += 1_000_000 * (is_in - was_in)
            elif is_in and not was_in:
                total[day, None] += 1_000_000
            was_in = is_in

    def credit(self, conversion, counts):
        """The parts of the conversion's goal, if that is a credited one which counts the conversion."""
        goal = next(
            (goal for goal in self.touch_goals if goal.get("credited") and goal["id"] == conversion.touch.goal_id), None
        )
        if goal is None or conversion.touch not in counts[goal["id"]]:
            return
        for credit in conversion.credits:
            if credit.model == self.policies.stored_model and credit.touch is not None and credit.revenue:
                key = (
                    self.policies.day(conversion.touch.occurred_at),
                    conversion.touch.currency,
                    credit.touch.department or "(none)",
                    credit.touch.channel,
                )
                is_assisted = credit.touch.department != conversion.touch.department
                self.parts[goal["id"]][key][is_assisted] += credit.revenue

    def rows(self, last_day):
        for goal in self.policies.goals:
            make = self.stock_rows if goal["measure"] == "stock" else self.flow_rows
            for row in make(goal):
                if row["day"] <= last_day:
                    yield {**row, "goal": goal}

    def stock_rows(self, goal):
        stock = 0
        for (day, _), change in sorted(self.total[goal["id"]].items()):
            stock += change
            if change:
                yield make_row(day, None, ALL, stock, 0, 0, None)

    def flow_rows(self, goal):
        sums = defaultdict(lambda: [0, 0])
        for (day, currency, *place), (own, assisted) in self.parts[goal["id"]].items():
            sums[day, currency][0] += own
            sums[day, currency][1] += assisted
            if own + assisted:
                yield make_row(day, currency, place, own + assisted, own, assisted, None)
        for day, currency in {**self.total[goal["id"]], **sums}:
            value, (own, assisted) = self.total[goal["id"]][day, currency], sums[day, currency]
            unidentified = self.unidentified[goal["id"]][day, currency]
            customers = None if "status" in goal else self.customers[goal["id"]][day]
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
