"""rpt_stages_daily: customers per stage at the end of each day on which any customer entered or left one."""

from collections import defaultdict


class Stages:
    """Per (day, stage) the number of customers that entered and that left it."""

    def __init__(self, policies):
        self.policies = policies
        self.entered, self.left = defaultdict(int), defaultdict(int)

    def profile(self, changes):
        for change in changes:
            if change.from_stage == change.to_stage:
                continue
            day = self.policies.day(change.changed_at)
            if change.to_stage:
                self.entered[day, change.to_stage] += 1
            if change.from_stage:
                self.left[day, change.from_stage] += 1

    def rows(self, last_day):
        days = sorted({day for day, _ in {**self.entered, **self.left} if day <= last_day})
        customers = {}
        for day in days:
            seen = {stage for at, stage in {**self.entered, **self.left} if at == day}
            for stage in sorted(seen | set(customers)):
                entered, left = self.entered.get((day, stage), 0), self.left.get((day, stage), 0)
                customers[stage] = customers.get(stage, 0) + entered - left
                yield {"day": day, "stage": stage, "customers": customers[stage], "entries": entered, "exits": left}
