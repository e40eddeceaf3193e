"""Paths to a goal, step by step, and which nodes they would not reach it without (docs/figures.md, Influence)."""

import functools
from collections import defaultdict
from fractions import Fraction

from policy import US, duration, month_of
from segments import shown_in

START, CONVERSION, NONE, OTHER, UNPROMPTED = "(start)", "(conversion)", "(none)", "(other)", "(unprompted)"
RESERVED = {START, CONVERSION, NONE, OTHER, UNPROMPTED}
MOST_NODES = 300


class Path:
    """An open path. first: the touch before which its segments are those of the customer."""

    def __init__(self, touch, node):
        self.first, self.node, self.time = touch, node, touch.occurred_at


class Influence:
    """Cells {(month, goal, segment, from, to, currency): [steps, sends, revenue]}."""

    def __init__(self, policies):
        self.policies = policies
        self.cells = defaultdict(lambda: [0, 0, 0])

    def profile(self, touches, converted, counted):
        """converted: the conversions of the profile; counted: {goal: what it counts}."""
        for asked in self.policies.influence:
            self.walk(asked, touches, self.goals_reached(asked["goal"], converted, counted))

    def goals_reached(self, goal, converted, counted):
        """The touches that are conversions of the goal."""
        if any(rule["goal"] == goal for rule in self.policies.conversions):
            return [one.touch for one in converted if one.goal_id == goal and one.is_counted]
        return [one.touch for one in counted[goal] if one.is_one and one.touch.is_touch and one.touch.direction == "inbound"]

    def walk(self, asked, touches, reached):
        reached, path = set(map(id, reached)), None
        lookback = duration(asked["lookback"]) if "lookback" in asked else self.policies.lookback
        for touch in touches:
            is_reached = id(touch) in reached
            if not is_reached and not touch.is_creditable:
                continue
            if path and touch.occurred_at - path.time > lookback:
                self.end(asked, path, lookback)
                path = None
            if is_reached:
                self.convert(asked, path, touch)
                path = None
                if asked.get("conversions", "first") == "first":
                    return
            else:
                path = self.go_on(asked, path, touch)
        if path:
            self.end(asked, path, lookback)

    def go_on(self, asked, path, touch):
        node = node_of(asked.get("node", "campaign"), touch)
        path, before = path or Path(touch, node), path.node if path else START
        self.add(asked, path.first, touch.occurred_at, before, node, sends=touch.direction == "outbound")
        path.node, path.time = node, touch.occurred_at
        return path

    def convert(self, asked, path, touch):
        first, node = (path.first, path.node) if path else (touch, START)
        self.add(asked, first, touch.occurred_at, node, CONVERSION, touch.currency, revenue=touch.value or 0)

    def end(self, asked, path, lookback):
        self.add(asked, path.first, path.time + lookback, path.node, NONE)

    def add(self, asked, first, time, one, two, currency=None, sends=0, revenue=0):
        for segment in shown_in(self.policies, first):
            cell = self.cells[month_of(self.policies.day(time)), asked["goal"], segment, one, two, currency]
            for place, amount in enumerate((1, sends, revenue)):
                cell[place] += amount

    def steps(self, last_day):
        """Rows of rpt_path_steps."""
        names = ("period_start_date", "goal_id", "segment_id", "from_node", "to_node", "currency")
        for key, (steps, sends, revenue) in self.cells.items():
            if key[0] <= month_of(last_day):
                yield {**dict(zip(names, key)), "steps": steps, "sends": sends, "revenue": revenue}

    def rows(self, last_day):
        """Rows of rpt_influence, of the months that have ended."""
        for period, chain in self.chains(last_day).items():
            yield from ({**period_of(period), **row} for row in chain.rows())

    def value_rows(self, last_day):
        """Rows of rpt_influence_value."""
        for period, chain in self.chains(last_day).items():
            yield from ({**period_of(period), **row} for row in chain.value_rows())

    @functools.cache  # both views have the same chains, and exact fractions take their time
    def chains(self, last_day):
        """{(month, goal, segment): its chain}, of the months that have ended."""
        found = defaultdict(list)
        for (*period, one, two, currency), (steps, sends, revenue) in self.cells.items():
            if period[0] < month_of(last_day):
                found[tuple(period)].append((one, two, steps, sends, currency, revenue))
        return {period: Chain(steps) for period, steps in found.items()}


def period_of(period):
    return dict(zip(("period_start_date", "goal_id", "segment_id"), period))


def node_of(kind, touch):
    if kind == "channel":
        return touch.channel
    if kind == "campaign" and touch.campaign_id and touch.campaign_id not in RESERVED:
        return touch.campaign_id
    return touch.touch_kind


class Chain:
    """The steps of a period as a chain of chances."""

    def __init__(self, steps):
        """steps: [(from, to, steps, sends)], or with (..., currency, revenue)."""
        self.steps, self.touches, self.sends = defaultdict(int), defaultdict(int), defaultdict(int)
        self.earned = defaultdict(lambda: defaultdict(int))  # {currency: {node: revenue of conversions right after it}}
        for one, two, count, sends, *paid in few_nodes(steps):
            currency, revenue = paid or (None, 0)
            self.steps[one, two] += count
            self.touches[two] += count
            self.sends[two] += sends
            if two == CONVERSION and currency:
                self.earned[currency][one] += revenue
        self.unprompted, self.inverse = self.steps.pop((START, CONVERSION), 0), None
        self.nodes = sorted({node for pair in self.steps for node in pair} - {START, CONVERSION, NONE})
        self.leaving = defaultdict(int)
        for (one, two), count in self.steps.items():
            self.leaving[one] += count if one != two else 0
        self.converted = sum(count for (_, two), count in self.steps.items() if two == CONVERSION)

    def chance(self, one, two):
        return Fraction(self.steps[one, two], self.leaving[one]) if one != two and self.leaving[one] else Fraction(0)

    def leading_on(self):
        """Nodes from which some way leads to (conversion)."""
        found, new = set(), {CONVERSION}
        while new:
            found |= new
            new = {one for (one, two), count in self.steps.items() if two in found and count} - found
        return [node for node in self.nodes if node in found]

    def removal(self, earned=None):
        """(chance to reach (conversion), {node: share of it that is lost without the node}); None: nothing can be lost.
        earned: the same of revenue, which a path earns on average."""
        nodes = self.leading_on()
        if not self.leaving[START]:
            return None, dict.fromkeys(self.nodes)
        visits = self.visits(nodes)
        starts, ends = [self.chance(START, node) for node in nodes], [self.reward(node, earned) for node in nodes]
        reach = [sum(row[j] * ends[j] for j in range(len(nodes))) for row in visits]
        met = [sum(starts[i] * visits[i][j] for i in range(len(nodes))) / visits[j][j] for j in range(len(nodes))]
        p = sum(one * two for one, two in zip(starts, reach))
        if p <= 0:
            return p, dict.fromkeys(self.nodes)
        return p, {**dict.fromkeys(self.nodes, Fraction(0)), **{node: met[i] * reach[i] / p for i, node in enumerate(nodes)}}

    def visits(self, nodes):
        if self.inverse is None:
            self.inverse = inverse([[(one == two) - self.chance(one, two) for two in nodes] for one in nodes])
        return self.inverse

    def reward(self, node, earned):
        """The chance that the next step is a conversion, or what is earned by it on average."""
        if earned is None:
            return self.chance(node, CONVERSION)
        return Fraction(earned[node], self.leaving[node]) if self.leaving[node] and self.steps[node, CONVERSION] else Fraction(0)

    def value_rows(self):
        for currency, earned in self.earned.items():
            each, effects = self.removal(earned)
            unprompted = earned[START]
            same = {"currency": currency, "path_revenue": sum(earned.values()) - unprompted, "unprompted_revenue": unprompted}
            total = sum(effect or 0 for effect in effects.values())
            for node in self.nodes:
                part = effects[node] / total if total and effects[node] else 0
                lost = self.leaving[START] * each * effects[node] if effects[node] else 0
                yield {
                    **same,
                    "node": node,
                    "removal_effect": millionths(effects[node]),
                    "influenced_revenue": round(same["path_revenue"] * part),
                    "expected_loss": round(lost),
                }
            yield {**same, "node": UNPROMPTED, "removal_effect": None, "influenced_revenue": unprompted, "expected_loss": 0}

    def rows(self):
        p, effects = self.removal()
        total = sum(effect or 0 for effect in effects.values())
        same = {"path_conversions": self.converted, "unprompted_conversions": self.unprompted, "p": millionths(p)}
        for node in self.nodes:
            effect = effects[node]
            yield {
                **same,
                "node": node,
                "steps_in": self.touches[node],
                "sends": self.sends[node],
                "removal_effect": millionths(effect),
                "influence": millionths(self.converted * effect / total if effect else 0),
                "expected_loss": millionths(self.leaving[START] * p * effect if effect else 0),
            }
        nobody = {"node": UNPROMPTED, "steps_in": 0, "sends": 0, "removal_effect": None, "expected_loss": 0}
        yield {**same, **nobody, "influence": self.unprompted * US}


def few_nodes(steps):
    """Beyond 300 nodes all but the 299 with most steps in are (other); of equal ones the first by name stay."""
    into = defaultdict(int)
    for one, two, count, *_ in steps:
        into[one] += 0
        into[two] += count
    nodes = sorted(into.keys() - {START, CONVERSION, NONE}, key=lambda node: (-into[node], node.encode()))
    others = set(nodes[MOST_NODES - 1 :]) if len(nodes) > MOST_NODES else set()
    return [(*(OTHER if node in others else node for node in (one, two)), *rest) for one, two, *rest in steps]


def inverse(matrix):
    """Exact, of a square matrix of fractions."""
    n = len(matrix)
    rows = [list(row) + [Fraction(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next(j for j in range(i, n) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(n):
            if j != i and rows[j][i]:
                rows[j] = [one - rows[j][i] * two for one, two in zip(rows[j], rows[i])]
    return [row[n:] for row in rows]


def millionths(value):
    return None if value is None else round(value * US)
