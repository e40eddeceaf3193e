#!/usr/bin/env python3
"""The timeline protocol: journey-tracker with its slow and fast path, its lanes, and metrics-aggregator behind them.

    python3 tests/model/timeline.py --without move-version --schedules 2000 --seed 1
    python3 tests/model/timeline.py --all
"""

from collections import Counter

import command
from history import History
from ledger import Ledger, State
from machine import Fatal, Instance, Retry, World

RULES = {
    "only-new-facts": "go on with the facts that were really inserted, not with all of the batch",
    "new-fact-check": "run again if another instance inserted one of these facts meanwhile",
    "new-anchor-check": "run again if another instance inserted one of these anchors meanwhile",
    "move-version": "apply a move only if its version is newer",
    "anchor-lock": "lock all anchors of the batch, also those that do not move",
    "state-lock": "lock the states of the old and new profiles before facts are read",
    "read-after-lock": "read the old timeline after the locks",
    "new-state-check": "run again if another instance inserted a new state first",
    "state-bump": "the slow path gives every locked state a new ver",
    "state-ver": "the fast path checks that ver is the cached one",
    "members": "the fast path checks that the members of the profile are the cached ones",
    "event-order": "the fast path compares (occurred_at, event_id), not the time alone",
    "repeat-unknown": "a batch whose commit is unknown runs again",
    "offsets-last": "offsets are committed last",
    "lane-number": "a number comes from the lane's row, inside the transaction, not from a sequence",
    "acknowledged-only": "pub_seq moves only over acknowledged numbers",
    "left-rows": "the owner of a partition publishes what others left in its lane",
    "progress-lock": "metrics-aggregator locks the progress of a lane",
    "drop-repeats": "metrics-aggregator drops a number that it has added",
    "fill-gaps": "metrics-aggregator reads missing numbers from the outbox",
    "keep-until-applied": "outbox rows stay until metrics-aggregator has added them",
}

GAP = 4  # a pause this long begins a new visit


class Unfit(Exception):
    """The fast path cannot take this batch."""


def advance(end, fact, cells):
    """One touch of the automaton. Order decides: steps from kind to kind, and the length of visits."""
    if end is None:
        length = 1
    else:
        (time, _), kind, length = end
        cells["step", kind, fact.kind] += 1
        if fact.time - time <= GAP:
            cells["visit", length] -= 1
        length = length + 1 if fact.time - time <= GAP else 1
    cells["visit", length] += 1
    return (fact.time, fact.event_id), fact.kind, length


def derive(facts):
    """(cells, the automaton's end) of a timeline."""
    cells, end = Counter(), None
    for fact in sorted(facts):
        end = advance(end, fact, cells)
    return cells, end


def add(sums, cells, sign=1):
    for key, value in cells.items():
        sums[key] += sign * value
    return sums


def without_zeros(cells):
    return {key: value for key, value in cells.items() if value}


class JourneyTracker(Ledger):
    """Derives journeys and publishes what changes in the sums as numbered diffs, one lane per input partition."""

    def forget(self):
        self.anchors, self.states = {}, {}  # {anchor: (place, members)}, {profile: State}

    def process(self, partition, batch):
        facts, told = self.read_batch(batch)
        self.has_number = False
        if self.can_be_fast(facts, told, batch):
            try:
                yield from self.run_fast(partition, facts)
            except Unfit:
                self.transaction.rollback()
                yield from self.run_slow(partition, facts, told)
        else:
            yield from self.run_slow(partition, facts, told)
        if self.has_number:
            yield from self.publish(partition)

    # ---------------------------------------------------------------------------------------------- slow path

    def run_slow(self, lane, facts, told):
        slow = yield from self.lock_slow(facts, told)
        cells, ends = Counter(), {}
        for profile in slow.states:
            after, ends[profile] = derive(slow.new_facts(profile))
            add(cells, after)
            add(cells, derive(slow.old_facts(profile))[0], -1)
        yield from self.save_states(slow, ends)
        yield from self.save_cells(slow.transaction, lane, cells)
        found = {anchor: slow.places[anchor] for anchor in told}
        yield from slow.transaction.commit()
        self.remember(found, slow.states)

    def remember(self, found, states):
        self.states.update(states)
        for anchor, place in found.items():
            if place.profile in states:
                self.anchors[anchor] = place, states[place.profile].members

    # ---------------------------------------------------------------------------------------------- fast path

    def can_be_fast(self, facts, told, batch):
        """Everything is cached and new enough, and all events lie behind the last ones."""
        is_cached = all(self.is_cached(anchor, place) for anchor, place in told.items())
        return len(facts) == len(batch) and is_cached and all(map(self.is_later, facts))

    def is_cached(self, anchor, place):
        if anchor not in self.anchors:
            return False
        known, members = self.anchors[anchor]
        state = self.states.get(known.profile)
        is_same = state is not None and (state.members == members or not self.keeps("members"))
        return is_same and known.version >= place.version

    def is_later(self, fact):
        end = self.states[self.anchors[fact.anchor][0].profile].end
        if end is None:
            return True
        return (fact.time, fact.event_id) > end[0] if self.keeps("event-order") else fact.time >= end[0][0]

    def run_fast(self, lane, facts):
        transaction, cells, changed = self.begin(), Counter(), {}
        for fact in sorted(facts):
            if not (yield from transaction.insert("facts", fact, True)):
                raise Unfit
            profile = self.anchors[fact.anchor][0].profile
            state = changed.get(profile, self.states[profile])
            changed[profile] = state._replace(end=advance(state.end, fact, cells))
        for profile in sorted(changed):
            yield from self.swap_state(transaction, profile, changed)
        yield from self.save_cells(transaction, lane, cells)
        yield from transaction.commit()
        self.states.update(changed)

    def swap_state(self, transaction, profile, changed):
        """Writes a state if it is still the cached one."""
        cached = self.states[profile]
        stored = yield from transaction.lock("states", profile)
        if stored is None or (stored.ver != cached.ver and self.keeps("state-ver")):
            del self.states[profile]
            raise Unfit
        new = State(stored.ver + 1, cached.members, changed[profile].end)
        changed[profile] = new
        yield from transaction.update("states", profile, lambda row: row._replace(ver=new.ver, end=new.end))

    # --------------------------------------------------------------------------------------------------- lanes

    def save_cells(self, transaction, lane, cells):
        """Gives the diff the next number of its lane."""
        cells = without_zeros(cells)
        if not cells:
            return
        self.has_number = True
        yield from transaction.insert("lanes", lane, (0, 0))
        if self.keeps("lane-number"):
            number, _ = yield from transaction.update("lanes", lane, lambda row: (row[0] + 1, row[1]))
        else:
            self.world.sequence[lane] += 1
            number = self.world.sequence[lane]
        yield from transaction.update("outbox", (lane, number), lambda _: cells)

    def unpublished(self, lane):
        """Rows of a lane above pub_seq, in order."""
        published = self.database.rows("lanes").get(lane, (0, 0))[1]
        rows = self.database.rows("outbox").items()
        return sorted((number, cells) for (of, number), cells in rows if of == lane and number > published)

    def lanes(self):
        return [p for p, owner in self.group.owners.items() if owner is self]

    def left(self):
        return any(self.unpublished(lane) for lane in self.lanes())

    def publish_left(self):
        for lane in self.lanes():
            yield from self.publish(lane)

    def publish(self, lane):
        yield
        rows = self.unpublished(lane)
        if not rows:
            return
        topic = self.world.diffs[lane % len(self.world.diffs)]
        if not self.keeps("acknowledged-only"):
            yield from self.mark(lane, rows[-1][0])
        yield from self.send(topic, [(lane, number, cells) for number, cells in rows])
        yield from self.mark(lane, rows[-1][0])

    def mark(self, lane, number):
        """pub_seq moves on; rows that are no longer needed go."""
        transaction = self.begin()
        yield from transaction.update("lanes", lane, lambda row: (row[0], max(row[1], number)))
        yield from transaction.commit()
        applied = self.database.rows("progress").get(lane, 1) - 1 if self.keeps("keep-until-applied") else number
        outbox = self.database.rows("outbox")
        for key in [key for key in outbox if key[0] == lane and key[1] <= min(number, applied)]:
            del outbox[key]


class MetricsAggregator(Instance):
    """Adds each number of a lane once."""

    def process(self, partition, batch):
        transaction = self.begin()
        for lane in sorted({lane for lane, _, _ in batch}):
            diffs = [(number, cells) for of, number, cells in batch if of == lane]
            yield from self.add_lane(transaction, lane, diffs)
        yield from transaction.commit()

    def add_lane(self, transaction, lane, diffs):
        yield from transaction.insert("progress", lane, 1)
        expected = yield from self.expected(transaction, lane)
        sums = Counter()
        for number, cells in diffs:
            if number > expected and self.keeps("fill-gaps"):
                expected = yield from self.fill_gap(transaction, lane, expected, number, sums)
            if number >= expected or not self.keeps("drop-repeats"):
                add(sums, cells)
                expected = max(expected, number + 1)
        yield from transaction.insert("cells", lane, {})
        yield from transaction.update("cells", lane, lambda row: add(Counter(row), sums))
        yield from transaction.update("progress", lane, lambda _: expected)

    def expected(self, transaction, lane):
        if self.keeps("progress-lock"):
            return (yield from transaction.lock("progress", lane))
        return (yield from transaction.read("progress"))[lane]

    def fill_gap(self, transaction, lane, expected, number, sums):
        outbox = yield from transaction.read("outbox")
        for missing in range(expected, number):
            if (lane, missing) not in outbox:
                raise Fatal("a number is nowhere")
            add(sums, outbox[lane, missing])
        return number


class Timeline(World):
    """Several journey-trackers and metrics-aggregators over one history of touchpoints and moves."""

    def prepare(self):
        self.history = History(self.chance)
        self.sequence = Counter()  # of numbers by lane, which no rollback takes back: only without the rule lane-number
        self.diffs = [[] for _ in range(self.chance.randint(1, 2))]
        self.add(JourneyTracker, self.history.topic, self.chance.randint(2, 3))
        self.add(MetricsAggregator, self.diffs, self.chance.randint(1, 2))

    def problems(self):
        rows, found = self.database.rows, []
        if set(rows("facts")) != self.history.facts():
            found.append("facts")
        if {a: p.profile for a, p in rows("places").items()} != self.history.profiles():
            found.append("map")
        sums = Counter()
        for lane in rows("cells").values():
            add(sums, lane)
        if without_zeros(sums) != without_zeros(self.wanted()):
            found.append("sums")
        return found

    def wanted(self):
        """The sums of all journeys, derived at once from the whole history."""
        sums = Counter()
        for facts in self.history.timelines().values():
            add(sums, derive(facts)[0])
        return sums


if __name__ == "__main__":
    command.main(Timeline, RULES, __doc__)
