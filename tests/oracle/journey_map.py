"""rpt_journey_map: how customers move from touch to touch."""

from collections import defaultdict

from policy import DAY, YEAR, month_of
from segments import ALL, shown_in

HOUR = DAY // 24
BUCKETS = [HOUR, DAY, 7 * DAY, 30 * DAY]
ASKED = 64  # newest touches before a conversion or a score


def node(touch):
    return "(conversion)" if touch.is_goal and not touch.is_again else touch.touch_kind


def followed_by(touches, i, is_it):
    """The first later touch within 7 days that is it, if touches[i] is one of the newest 64 before it."""
    for j in range(i + 1, len(touches)):
        if touches[j].occurred_at > touches[i].occurred_at + 7 * DAY:
            return None
        if is_it(touches[j]):
            return touches[j] if j - i <= ASKED else None
    return None


class After:
    """What follows each touch of a profile."""

    def __init__(self, touches):
        self.conversions, self.scores = {}, {}
        for i, touch in enumerate(touches):
            self.conversions[id(touch)] = followed_by(touches, i, lambda one: node(one) == "(conversion)")
            self.scores[id(touch)] = followed_by(touches, i, lambda one: one.score is not None)


class JourneyMap:
    """Cells {(month, segment, stage, from, to, from department, to department): [steps, wait, five buckets, what follows]}.

    money has those of (the same, currency): [revenue after 7 days, cost of the touch].
    """

    def __init__(self, policies):
        self.policies = policies
        self.cells, self.money = defaultdict(lambda: [0] * 10), defaultdict(lambda: [0, 0])

    def add(self, time, segments, stage, one, two, departments, wait=None):
        """The keys of what was added."""
        keys = [
            (
                month_of(self.policies.day(time)),
                segment,
                stage or "(none)",
                one,
                two,
                departments[0] or "(none)",
                departments[1] or "(none)",
            )
            for segment in segments
        ]
        for key in keys:
            cell = self.cells[key]
            cell[0] += 1
            if wait is not None:
                cell[1] += wait // 1000 * 1000  # whole milliseconds
                cell[2 + sum(wait > bound for bound in BUCKETS)] += 1
        return keys

    def add_after(self, keys, touch, after):
        """What follows the touch that the step leads to."""
        conversion, score = after.conversions[id(touch)], after.scores[id(touch)]
        for key in keys:
            if conversion:
                self.cells[key][7] += 1
                self.money[(*key, conversion.currency)][0] += conversion.conversion.value or 0
            if score:
                self.cells[key][8] += score.score
                self.cells[key][9] += 1
            if touch.cost is not None:
                self.money[(*key, touch.currency)][1] += touch.cost

    def profile(self, touches, exit_stages):
        """Adds the steps of a profile; exit_stages[i] = the stage that an exit 365 days after touches[i] finds."""
        before, after = None, After(touches)
        for touch, exit_stage in zip(touches, [None, *exit_stages]):
            time = touch.occurred_at
            if before is not None and time - before.occurred_at > YEAR:
                self.exit(before, exit_stage)
                before = None
            segments = shown_in(self.policies, touch)
            if before is None:
                keys = self.add(time, segments, touch.stage_before, "(start)", node(touch), (None, touch.department))
            else:
                keys = self.add(
                    time,
                    segments,
                    touch.stage_before,
                    node(before),
                    node(touch),
                    (before.department, touch.department),
                    time - before.occurred_at,
                )
            self.add_after(keys, touch, after)
            before = touch
        if before is not None:
            self.exit(before, exit_stages[-1])

    def exit(self, touch, stage):
        self.add(touch.occurred_at + YEAR, [ALL], stage, node(touch), "(exit)", (touch.department, None))
