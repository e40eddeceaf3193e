"""dim_goal_targets, and rpt_shared_goals: the goals by day, week, month and quarter beside what they were to reach."""

import datetime
import functools
from collections import defaultdict

from policy import US, date_of, month_of

KINDS = ("day", "week", "month", "quarter")
SUMS = ("own_value", "assisted_value")


@functools.cache
def first_day(kind, day):
    """Of the period of a day; both are numbers of days since 1970."""
    date = date_of(day)
    if kind == "quarter":
        return day_number(datetime.date(date.year, date.month - (date.month - 1) % 3, 1))
    return {"day": day, "week": day - date.weekday(), "month": month_of(day)}[kind]


def day_number(date):
    return (date - datetime.date(1970, 1, 1)).days


class Target:
    """One entry of targets.json."""

    def __init__(self, entry):
        whole, _, places = entry["value"].partition(".")
        self.key = (entry["goal"], entry.get("department", "(all)"), entry["period"], entry.get("currency"))
        self.from_day = day_number(datetime.date.fromisoformat(entry["from"]))
        self.value = int(whole) * US + int(places.ljust(6, "0"))

    def row(self):
        row = dict(zip(("goal_id", "department", "period_kind", "currency"), self.key))
        return {**row, "from_date": self.from_day, "target": self.value}


class Targets:
    def __init__(self, policies):
        goals = {goal["id"] for goal in policies.goals}
        self.all = [target for target in map(Target, policies.targets) if target.key[0] in goals]

    def of(self, row, kind, start):
        """What counts for a period: the newest that began by its first day; for everybody only."""
        key = (row["goal_id"], row["department"], kind, row["currency"])
        found = [target for target in self.all if target.key == key and target.from_day <= start]
        return max(found, key=lambda target: target.from_day).value if found and row["segment_id"] == "(all)" else None

    def periods(self, daily, goals, customers):
        """Rows of rpt_shared_goals from those of rpt_shared_goals_daily; customers(row, kind, start): those of a period."""
        stocks = {goal["id"] for goal in goals if goal["measure"] == "stock"}
        days = defaultdict(list)
        for row in daily:
            for kind in KINDS:
                place = (row["goal_id"], row["segment_id"], row["department"], row["currency"])
                days[kind, first_day(kind, row["goal_date"]), *place].append(row)
        for (kind, start, goal_id, *_), rows in days.items():
            last = max(rows, key=lambda row: row["goal_date"])
            row = {name: last[name] for name in ("goal_id", "parent_goal_id", "segment_id", "department", "unit", "currency")}
            row |= {name: sum(one[name] for one in rows) for name in SUMS}
            row["value"] = last["value"] if goal_id in stocks else sum(one["value"] for one in rows)
            row |= {"period_kind": kind, "period_start_date": start}
            yield {**row, "target": self.of(row, kind, start), "customers": customers(row, kind, start)}
