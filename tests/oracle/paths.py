"""`tutti journey after`: where customers go after a touch (docs/figures.md, Paths), by walking every path."""

from collections import Counter, defaultdict

from policy import US, YEAR

START, OPEN, END, OTHERS = "(start)", "(open)", "(end)", "(others)"
LAST = {OTHERS: 1, OPEN: 2, END: 3}


class Touch:
    """A row of the oracle's fct_touchpoints that is a touch."""

    def __init__(self, row):
        self.profile, self.node, self.day, self.time = row["profile_id"], row["node"], row["occurred_date"], row["occurred_at"]
        self.order = (self.time, row["instant_rank"], row["touchpoint_id"])


def journeys(touchpoints):
    """The touches of each profile, in order."""
    found = defaultdict(list)
    for row in touchpoints:
        if row["node"] is not None:
            found[row["profile_id"]].append(Touch(row))
    for touches in found.values():
        touches.sort(key=lambda touch: touch.order)
    return found


def intervals(memberships, segment):
    found = defaultdict(list)
    for row in memberships:
        if row["segment_id"] == segment:
            found[row["profile_id"]].append((row["valid_from_at"], row["valid_to_at"]))
    return found


def is_start(touches, i, node):
    if node == START:
        return i == 0 or touches[i].time - touches[i - 1].time > YEAR
    return touches[i].node == node


def walk(touches, i, count, within, as_of):
    """[(node, wait)] of the next `count` steps from touches[i]."""
    for _ in range(count):
        if i + 1 < len(touches) and touches[i + 1].time - touches[i].time <= within:
            i += 1
            yield touches[i].node, touches[i].time - touches[i - 1].time
        else:
            yield (OPEN if i + 1 == len(touches) and touches[i].time + within > as_of else END), None


def steps_from(touches, i, node, count, within, as_of):
    if node == START:
        return [(START, None), (touches[i].node, None), *walk(touches, i, count - 1, within, as_of)]
    return [(node, None), *walk(touches, i, count, within, as_of)]


def after(touchpoints, memberships, node, steps, as_of, within=YEAR, first=None, last=None, segment=None, kinds=10):
    """The rows that are shown, of these steps; touchpoints and memberships are rows of the oracle, first and last are numbers of days."""
    inside, found = intervals(memberships, segment), defaultdict(list)
    for profile, touches in journeys(touchpoints).items():
        for i, touch in enumerate(touches):
            if not is_start(touches, i, node) or (first is not None and touch.day < first) or (last is not None and touch.day > last):
                continue
            if segment and not any(a <= touch.time and (b is None or touch.time < b) for a, b in inside[profile]):
                continue
            path = steps_from(touches, i, node, max(steps), within, as_of)
            for step in (0, *steps):
                found[step].append((profile, *path[step]))
    return [row for step in sorted(found) for row in table(step, found[step], kinds)]


def table(step, starts, kinds):
    """The rows of one step, from (profile, node, wait) of every start."""
    counts = Counter(node for _, node, _ in starts if node not in LAST)
    shown = sorted(counts, key=lambda node: (-counts[node], node))[:kinds]
    groups = defaultdict(list)
    for profile, node, wait in starts:
        groups[node if node in shown or node in LAST else OTHERS].append((profile, wait))
    for node in sorted(groups, key=lambda node: (LAST.get(node, 0), -len(groups[node]), node)):
        waits = sorted(wait for _, wait in groups[node] if wait is not None)
        yield {
            "step": step,
            "touch": node,
            "customers": len({profile for profile, _ in groups[node]}),
            "occurrences": len(groups[node]),
            "share_percent": percent(len(groups[node]), len(starts)),
            "median_seconds": waits[(len(waits) - 1) // 2] // US if waits else None,
        }


def percent(part, whole):
    """With one decimal, halves away from zero."""
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}"
