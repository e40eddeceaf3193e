"""The journey of one profile: sessions, instances, stages, status and their changes, replayed touch by touch."""

from dataclasses import dataclass

from filters import fits
from policy import STAGES, US, YEAR

REASON_BIT = {"at_risk": 1, "lapsed": 2, "exit": 3}


@dataclass
class StageChange:
    """A row of fct_stage_changes; may lie in the future."""

    id: bytes
    touch: object
    journey_number: int
    changed_at: int
    from_stage: str
    to_stage: str
    from_status: str
    to_status: str
    reason: str
    seconds_in_stage: int


class Journey:
    """Replays the inbound touches of one profile in order. Call `touch` for each touch, then `finish`."""

    def __init__(self, policies):
        self.policies = policies
        self.changes = []
        self.number = 0
        self.session = 0
        self.stage = self.status = self.last = self.last_visit = None
        self.stage_since = None  # of the last row of this instance that changed the stage
        self.events = {}  # name -> inbound touches of this instance that count

    def stage_at(self, time):
        """The stage that a touch or exit at `time` finds: none once the instance has ended before it."""
        return self.stage if self.last and time <= self.last.occurred_at + YEAR else None

    def touch(self, touch):
        touch.stage_before = self.stage_at(touch.occurred_at)
        if touch.direction == "inbound":
            self.visit(touch)
        if touch.direction == "inbound" and not touch.is_return:
            self.inbound(touch)
        if touch.taking and touch.taking.is_full:
            self.forget(touch.taking.order.first)

    def visit(self, touch):
        if self.last_visit is None or touch.occurred_at - self.last_visit > self.policies.session:
            self.session += 1
        touch.session_number, self.last_visit = self.session, touch.occurred_at

    def forget(self, order):
        """An order that was returned in full is not counted by later touches."""
        self.events[order.event] = [touch for touch in self.events.get(order.event, []) if touch is not order]

    def inbound(self, touch):
        time = touch.occurred_at
        self.act(before=time)
        opens = self.last is None or time - self.last.occurred_at > YEAR
        if opens:
            self.number += 1
            self.stage, self.stage_since, self.events = None, None, {}
            self.status = None if self.last is None else "lapsed"
        if not touch.is_again:
            self.events.setdefault(touch.event, []).append(touch)
        stage, status = self.next_stage(touch), self.next_status(touch)
        self.last = touch
        if opens or stage != self.stage or status != self.status:
            self.change(touch.event_id, time, stage, status, "rule")

    def change(self, row_id, time, stage, status, reason):
        seconds = None if self.stage_since is None else (time - self.stage_since) // US
        self.changes.append(
            StageChange(row_id, self.last, self.number, time, self.stage, stage, self.status, status, reason, seconds)
        )
        if stage != self.stage:
            self.stage_since = time
        self.stage, self.status = stage, status

    def due(self):
        """The deadlines after the last inbound touch."""
        if self.last is None:
            return []
        start = self.last.occurred_at
        found = [(start + after, name) for name, after in self.policies.deadlines if after <= YEAR] + [(start + YEAR, "exit")]
        return sorted(found, key=lambda entry: (entry[0], REASON_BIT[entry[1]]))

    def now(self):
        """(stage, status, deadlines to come) after the last inbound touch."""
        return self.stage, self.status, self.due()

    def act(self, before=None):
        """The deadlines after the last inbound touch that no inbound touch at or before them takes back."""
        for time, name in self.due():
            if before is not None and before <= time:
                break
            row_id = self.last.event_id[:-1] + bytes([self.last.event_id[-1] ^ REASON_BIT[name]])
            if name == "exit":
                self.change(row_id, time, None, self.status, "exit")
            elif self.status != "lapsed" and self.status != name:
                self.change(row_id, time, self.stage, name, "inactivity")

    def finish(self):
        """Lets the deadlines after the last touch act, and returns all changes."""
        self.act()
        return self.changes

    def next_stage(self, touch):
        for name in reversed(STAGES):
            if self.stage and STAGES.index(name) <= STAGES.index(self.stage):
                break
            if any(self.matches(rule, touch) for rule in self.policies.stage_rules.get(name, [])):
                return name
        return self.stage or "inquiry"

    def matches(self, rule, touch):
        if touch.is_again and "events" in rule["on"]:
            return False
        if not fits(rule["on"], touch) or ("segment" in rule and rule["segment"] not in touch.segments):
            return False
        if "after" in rule and not self.seen_before(rule["after"], touch):
            return False
        return "nth" not in rule or self.matches_nth(rule, touch)

    def seen_before(self, event, touch):
        return len(self.events.get(event, [])) > (1 if event == touch.event and not touch.is_again else 0)

    def matches_nth(self, rule, touch):
        times = [one.occurred_at for one in self.events[touch.event]]
        if len(times) < rule["nth"]:
            return False
        if "within_us" in rule and touch.occurred_at - times[-rule["nth"]] > rule["within_us"]:
            return False
        day = self.policies.day
        return not rule.get("later_day") or day(times[0]) < day(touch.occurred_at)

    def next_status(self, touch):
        for name in ("lapsed", "at_risk"):
            if touch.event in self.policies.status[name].get("on", []):
                return name
        return "won_back" if self.status in ("lapsed", "won_back") else "active"
