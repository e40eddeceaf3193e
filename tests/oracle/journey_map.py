"""rpt_journey_map: how customers move from touch to touch."""

from collections import defaultdict

from policy import DAY, YEAR, month_of
from segments import ALL, shown_in

HOUR = DAY // 24
BUCKETS = [HOUR, DAY, 7 * DAY, 30 * DAY]


def node(touch):
    return "(conversion)" if touch.is_goal and not touch.is_again else touch.touch_kind


class JourneyMap:
    """Cells {(month, segment, stage, from, to, from department, to department): [steps, wait, five buckets]}."""

    def __init__(self, policies):
        self.policies = policies
        self.cells = defaultdict(lambda: [0] * 7)

    def add(self, time, segments, stage, one, two, departments, wait=None):
        for segment in segments:
            key = (
                month_of(self.policies.day(time)),
                segment,
                stage or "(none)",
                one,
                two,
                departments[0] or "(none)",
                departments[1] or "(none)",
            )
            cell = self.cells[key]
            cell[0] += 1
            if wait is not None:
                cell[1] += wait // 1000 * 1000  # whole milliseconds
                cell[2 + sum(wait > bound for bound in BUCKETS)] += 1

    def profile(self, touches, exit_stages):
        """Adds the steps of a profile; exit_stages[i] = the stage that an exit 365 days after touches[i] finds."""
        before = None
        for touch, exit_stage in zip(touches, [None, *exit_stages]):
            time = touch.occurred_at
            if before is not None and time - before.occurred_at > YEAR:
                self.exit(before, exit_stage)
                before = None
            segments = shown_in(self.policies, touch)
            if before is None:
                self.add(time, segments, touch.stage_before, "(start)", node(touch), (None, touch.department))
            else:
                self.add(
                    time,
                    segments,
                    touch.stage_before,
                    node(before),
                    node(touch),
                    (before.department, touch.department),
                    time - before.occurred_at,
                )
            before = touch
        if before is not None:
            self.exit(before, exit_stages[-1])

    def exit(self, touch, stage):
        self.add(touch.occurred_at + YEAR, [ALL], stage, node(touch), "(exit)", (touch.department, None))
