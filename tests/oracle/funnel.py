"""rpt_funnel: of the journeys that began in a month, how many reached each stage, and after how long."""

from collections import defaultdict

from policy import STAGES, US, month_of
from segments import ALL, shown_in


class Funnel:
    """Cells {(month, segment): {stage: [reached, passed over, seconds]}}."""

    def __init__(self, policies):
        self.policies = policies
        self.cells = defaultdict(lambda: {stage: [0, 0, 0] for stage in STAGES})

    def profile(self, changes):
        starts = {}  # the first touch of each journey
        for change in changes:
            if change.reason == "rule":
                start = starts.setdefault(change.journey_number, change.touch)
                for stage in passed(change.from_stage, change.to_stage):
                    self.add(start, stage, change.touch, stage != change.to_stage)

    def add(self, start, stage, touch, is_passed_over):
        for segment in shown_in(self.policies, start):
            cell = self.cells[month_of(self.policies.day(start.occurred_at)), segment][stage]
            cell[0] += 1
            cell[1] += is_passed_over
            cell[2] += (touch.occurred_at - start.occurred_at) // US

    def rows(self):
        everybody = [stages for (_, segment), stages in self.cells.items() if segment == ALL]
        for (month, segment), stages in self.cells.items():
            for stage, (reached, passed_over, seconds) in stages.items():
                is_fed = any(of[stage][0] > of[stage][1] for of in everybody)
                row = {"period_start_date": month, "segment_id": segment, "stage": stage, "is_fed": is_fed}
                yield {**row, "reached": reached, "passed_over": passed_over, "seconds_sum": seconds}


def passed(one, two):
    """The stages of a rise, the last one included."""
    first = STAGES.index(one) + 1 if one else 0
    return STAGES[first : STAGES.index(two) + 1]
