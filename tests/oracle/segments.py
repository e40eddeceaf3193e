"""Segments: conditions evaluated at every instant at which one can change (docs/figures.md, Segments).

Plainly from the definition: nothing is carried from one instant to the next.
"""

import bisect
from collections import defaultdict
from dataclasses import dataclass

import filters
from policy import DAY, STAGES, US, duration
from traits import Number, chosen, observation, typed

ALL = "(all)"
KINDS = "all any not did spent open trait last_score stage stage_at_least status new_within segment".split()


@dataclass
class Membership:
    """A row of fct_segment_memberships; may lie in the future. end None: for ever."""

    segment: str
    start: int
    end: int
    touch: object  # the last touchpoint at or before the start


def amount(text):
    """A decimal text in micro-units."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, part = digits.partition(".")
    return sign * (int(whole) * US + int(part.ljust(6, "0")))


class Life:
    """What the conditions ask of one profile: its touchpoints in order, each list with their positions."""

    def __init__(self, policies, timeline, states):
        """states: per touchpoint (stage, status, deadlines) after it, as Journey.now."""
        self.policies, self.timeline, self.states = policies, timeline, states
        self.times = [touch.occurred_at for touch in timeline]
        self.first = next((i for i, touch in enumerate(timeline) if touch.is_touch), None)
        self.cache = {}

    def cached(self, key, make):
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def matching(self, on):
        """Positions of the touchpoints that match a filter of did, open and until."""
        return self.cached(("did", id(on)), lambda: [i for i, touch in enumerate(self.timeline) if does(on, touch)])

    def ledger(self, atom):
        """[(position, day, amount)] of spent."""
        return self.cached(("spent", id(atom)), lambda: list(self.entries(atom)))

    def entries(self, atom):
        for i, touch in enumerate(self.timeline):
            change = spent(atom["measure"], touch)
            if change and touch.currency == atom["currency"] and filters.matches(atom["spent"], touch):
                yield i, self.policies.day(touch.occurred_at), change

    def scores(self, kind):
        def make():
            return [i for i, touch in enumerate(self.timeline) if touch.score is not None and kind in (None, touch.score_kind)]

        return self.cached(("score", kind), make)

    def observations(self, trait):
        """[(position, observation)]"""

        def make():
            found = ((i, observation(trait, touch)) for i, touch in enumerate(self.timeline))
            return [(i, one) for i, one in found if one]

        return self.cached(("trait", trait["name"]), make)


@dataclass
class Moment:
    """An instant: time, how many touchpoints are looked at, and whether deadlines at this time act."""

    life: Life
    time: int
    count: int
    is_settled: bool

    @property
    def state(self):
        """Stage and status."""
        if not self.count:
            return None, None
        stage, status, due = self.life.states[self.count - 1]
        for time, name in due:
            if time > self.time or (time == self.time and not self.is_settled):
                break
            if name == "exit":
                stage = None
            elif status != "lapsed":
                status = name
        return stage, status

    def in_window(self, position, within):
        return within is None or self.life.times[position] > self.time - within


def does(on, touch):
    """Whether a touchpoint matches a filter of did, open and until."""
    if touch.is_again or (touch.taking and (touch.taking.is_repeat or touch.is_negative_order)):
        return False
    return filters.matches(on, touch)


def spent(measure, touch):
    if measure == "cost":
        return 0 if touch.taking and touch.taking.is_repeat else touch.cost or 0
    if touch.taking:
        return 0 if touch.taking.is_repeat else -abs(getattr(touch, measure) or 0)
    return getattr(touch.telling or touch, measure) or 0


def last_below(positions, count):
    """The last position below a number of touchpoints; -1: none."""
    place = bisect.bisect_left(positions, count)
    return positions[place - 1] if place else -1


class Conditions:
    """Evaluates the conditions of segments.json at moments."""

    def __init__(self, policies):
        self.policies = policies
        self.segments = {segment["id"]: segment["when"] for segment in policies.segments}
        self.traits = {trait["name"]: trait for trait in policies.traits}

    def true_at(self, moment):
        return [name for name, when in self.segments.items() if self.holds(when, moment)]

    def holds(self, when, moment):
        kind = next(kind for kind in KINDS if kind in when)
        within = duration(when["within"]) if "within" in when else None
        return getattr(self, f"is_{kind}")(when, moment, within)

    def is_all(self, when, moment, _):
        return all(self.holds(one, moment) for one in when["all"])

    def is_any(self, when, moment, _):
        return any(self.holds(one, moment) for one in when["any"])

    def is_not(self, when, moment, _):
        return not self.holds(when["not"], moment)

    def is_segment(self, when, moment, _):
        return self.holds(self.segments[when["segment"]], moment)

    def is_did(self, when, moment, within):
        positions = moment.life.matching(when["did"])
        seen = bisect.bisect_left(positions, moment.count)
        count = seen - (bisect.bisect_right(positions, moment.time - within, key=moment.life.times.__getitem__) if within else 0)
        return count <= when["at_most"] if "at_most" in when else count >= when.get("at_least", 1)

    def is_spent(self, when, moment, within):
        day = self.policies.day(moment.time)
        found = [(at, change) for i, at, change in moment.life.ledger(when) if i < moment.count]
        total = sum(change for at, change in found if day - within // DAY < at <= day)
        return total >= amount(when["at_least"]) if "at_least" in when else total < amount(when["below"])

    def is_open(self, when, moment, within):
        begin, end = (last_below(moment.life.matching(when[key]), moment.count) for key in ("open", "until"))
        return begin >= 0 and begin >= end and moment.in_window(begin, within)

    def is_trait(self, when, moment, _):
        trait = self.traits[when["trait"]]
        best = chosen(trait, [one for i, one in moment.life.observations(trait) if i < moment.count])
        if best is None or best.value is None:
            return False
        if "known" in when:
            return True
        (key, asked), value = next((key, when[key]) for key in ("is", "in", "at_least", "at_most") if key in when), best.value
        wanted = [literal(trait, one) for one in (asked if key == "in" else [asked])]
        return value >= wanted[0] if key == "at_least" else value <= wanted[0] if key == "at_most" else value in wanted

    def is_last_score(self, when, moment, within):
        asked = when["last_score"]
        position = last_below(moment.life.scores(asked.get("kind")), moment.count)
        if position < 0 or not moment.in_window(position, within):
            return False
        score = moment.life.timeline[position].score
        return score >= asked["at_least"] if "at_least" in asked else score <= asked["at_most"]

    def is_stage(self, when, moment, _):
        return moment.state[0] in when["stage"]

    def is_stage_at_least(self, when, moment, _):
        stage = moment.state[0]
        return stage is not None and STAGES.index(stage) >= STAGES.index(when["stage_at_least"])

    def is_status(self, when, moment, _):
        return moment.state[1] in when["status"]

    def is_new_within(self, when, moment, _):
        first = moment.life.first
        return first is not None and first < moment.count and moment.in_window(first, duration(when["new_within"]))

    # ------------------------------------------------------------------------------------ when they may change

    def instants(self, life):
        """Every instant at which a condition may change."""
        found = set(life.times)
        for _, _, due in life.states:
            found |= {time for time, _ in due}
        for when in self.segments.values():
            for atom in atoms(when):
                found |= set(self.lapses(atom, life))
        return sorted(found)

    def lapses(self, atom, life):
        within = duration(atom["within"]) if "within" in atom else None
        if "spent" in atom:
            for _, day, _ in life.ledger(atom):
                yield self.policies.start_of(day + within // DAY)
        elif "new_within" in atom and life.first is not None:
            yield life.times[life.first] + duration(atom["new_within"])
        elif within is not None:
            yield from (time + within for time in life.times)


def literal(trait, value):
    """A value that a condition names, as observations have it."""
    if trait["type"] == "number":
        return Number(round(value * US)) if isinstance(value, float) else Number(value * US)
    return typed(trait["type"], value)


def atoms(when):
    for key in ("all", "any"):
        for one in when.get(key, []):
            yield from atoms(one)
    if "not" in when:
        yield from atoms(when["not"])
    elif "all" not in when and "any" not in when:
        yield when


class Segments:
    """Memberships of all profiles, and how many customers are in each segment by day."""

    def __init__(self, policies):
        self.policies, self.conditions = policies, Conditions(policies)
        self.entered, self.left = defaultdict(int), defaultdict(int)

    def before(self, life, i):
        """The segments of the customer before touchpoint i; life.states are those of the touchpoints before it."""
        return self.conditions.true_at(Moment(life, life.times[i], i, False)) if i and self.policies.segments else []

    def after(self, life, i):
        """The segments of the customer once touchpoint i has come, before the deadlines of its instant."""
        return self.conditions.true_at(Moment(life, life.times[i], i + 1, False))

    def profile(self, life):
        """The memberships of a profile."""
        if not self.policies.segments or not life.timeline:
            return []
        memberships = list(self.memberships(life))
        for one in memberships:
            self.entered[self.policies.day(one.start), one.segment] += 1
            if one.end is not None:
                self.left[self.policies.day(one.end), one.segment] += 1
        return memberships

    def memberships(self, life):
        since = {}
        for time in self.conditions.instants(life):
            count = bisect.bisect_right(life.times, time)
            now = self.conditions.true_at(Moment(life, time, count, True))
            for name in [name for name in since if name not in now]:
                start, touch = since.pop(name)
                yield Membership(name, start, time, touch)
            for name in now:
                since.setdefault(name, (time, life.timeline[count - 1]))
        for name, (start, touch) in since.items():
            yield Membership(name, start, None, touch)

    def daily(self, last_day):
        changes = {**self.entered, **self.left}
        customers = {}
        for day in sorted({day for day, _ in changes if day <= last_day}):
            seen = {name for at, name in changes if at == day}
            for name in sorted(seen | set(customers)):
                entered, left = self.entered.get((day, name), 0), self.left.get((day, name), 0)
                customers[name] = customers.get(name, 0) + entered - left
                yield {"day": day, "segment_id": name, "customers": customers[name], "entries": entered, "exits": left}


def shown_in(policies, touch):
    """The values of segment_id under which a figure at a touch is shown."""
    return [ALL, *(name for name in policies.figure_segments if name in touch.segments)]
