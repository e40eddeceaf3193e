"""tutti.influence and tutti.influence_stops answer as exact fractions do, on vectors and on random chains, for whoever may only read."""

import os
import random
from collections import Counter
from fractions import Fraction

import psycopg
import pytest

import schema

URL = os.environ.get("TUTTI_DATABASE_URL")
pytestmark = pytest.mark.skipif(not URL, reason="TUTTI_DATABASE_URL is not set (dev/stack up, then eval \"$(dev/stack env)\")")

START, CONVERSION, NONE = "(start)", "(conversion)", "(none)"
CHAINS = 300
FAMILY, MONTH = 12, 16801  # of families.def; 2016-01-01
NEAR = 0.0000011


# ---- the same in fractions


def steps_of(*paths):
    """{(from, to): steps}; a path is (its touches, how many convert, how many do not)."""
    steps = Counter()
    for touches, converting, others in paths:
        for end, number in ((CONVERSION, converting), (NONE, others)):
            for step in zip([START, *touches], [*touches, end]):
                steps[step] += number
    return +steps


def price(node):
    """What each conversion right after it is worth."""
    return Fraction(ord(node[0]) % 4 * 5, 2)


def chance(steps, gone=(), worth=lambda node: 1):
    """The chance to convert after each node, the start among them; what enters a node that is gone is lost. worth: what a conversion counts."""
    out, into = Counter(), {}
    for (one, two), number in steps.items():
        if one != two and (one, two) != (START, CONVERSION):
            out[one] += number
            into.setdefault(two, []).append(one)
    live, found = set(), [CONVERSION]
    while found:
        for one in into.get(found.pop(), []):
            if one not in live and one not in gone:
                live.add(one)
                found.append(one)
    order = sorted(live)
    rows = [[Fraction(one == two) - (Fraction(steps[one, two], out[one]) if one != two else 0) for two in order] for one in order]
    right = [Fraction(0 if one == START else steps[one, CONVERSION], out[one]) * worth(one) for one in order]
    for i in range(len(order)):
        right[i] /= rows[i][i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(len(order)):
            if i != j and rows[j][i]:
                factor = rows[j][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i])]
                right[j] -= factor * right[i]
    return Counter(dict(zip(order, right)))


def nodes_of(steps):
    return sorted({node for step in steps for node in step} - {START, CONVERSION, NONE})


def starts_of(steps):
    return sum(number for (one, two), number in steps.items() if one == START and two != CONVERSION)


def influence(steps, worth=lambda node: 1):
    """{node: (removal effect, influence, expected loss)} and p, by taking each node out."""
    p, starts = chance(steps, (), worth)[START], starts_of(steps)
    effects = {node: 1 - chance(steps, {node}, worth)[START] / p if p else Fraction(0) for node in nodes_of(steps)}
    converting = sum(number * worth(one) for (one, two), number in steps.items() if two == CONVERSION and one != START)
    whole = sum(effects.values())
    parts = {node: (effect, converting * effect / whole if whole else 0, starts * p * effect) for node, effect in effects.items()}
    return parts, p if starts else None


def stops(steps, sends, share):
    starts, gone, saved, found = starts_of(steps), set(), 0, []
    before = chance(steps)[START]
    while True:
        fitting = [node for node in nodes_of(steps) if sends[node] and node not in gone and saved + sends[node] <= share * sum(sends.values())]
        if not fitting:
            return found
        after = {node: chance(steps, gone | {node})[START] for node in fitting}
        best = min(fitting, key=lambda node: (-after[node] / sends[node] + before / sends[node], node))
        gone.add(best)
        before, saved = after[best], saved + sends[best]
        found.append((best, saved, starts * (chance(steps)[START] - before)))


# ---- the database


def seed(connection, goals):
    """goals: {name: steps}; the sends of a step are the half of it, rounded up. Conversions are of EUR."""
    codes = {}
    code = lambda text: codes.setdefault(text, len(codes) + 1)
    cells = [
        (number, FAMILY, MONTH, code(goal), 0, code(one), code(two), *paid(code, one, two, steps), steps, (steps + 1) // 2)
        for number, (goal, one, two, steps) in enumerate(((goal, *step, n) for goal, steps in goals.items() for step, n in steps.items()), 1)
    ]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO journey.dictionary (code, value) OVERRIDING SYSTEM VALUE VALUES (%s, %s)", [(b, a) for a, b in codes.items()])
        with cursor.copy("COPY metrics.cell_keys (cell, family, period, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) FROM STDIN") as copy:
            for row in cells:
                copy.write_row([*row[:8], 0, 0, 0, 0, 0])
        with cursor.copy("COPY metrics.cells (cell, lane, v0, v1, v2, v3, v4, v5, v6, v7, updated_at) FROM STDIN") as copy:
            for row in cells:
                copy.write_row([row[0], 0, row[9], row[8], row[10], 0, 0, 0, 0, 0, "2016-01-01"])


def paid(code, one, two, steps):
    """Code of the currency, and micro-units."""
    return (code("EUR"), int(steps * price(one) * 1_000_000)) if two == CONVERSION else (0, 0)


VECTORS = {
    "two ways": steps_of(("ab", 3, 1), ("ac", 1, 1)),
    "a loop": steps_of(("xyx", 2, 1), ("y", 1, 3)),
    "unprompted": steps_of(("ab", 3, 1), ("ac", 1, 1), ("", 4, 0)),
    "no way out": steps_of(("a", 1, 0), ("b", 1, 1)) + Counter({("b", "c"): 2, ("c", "d"): 1, ("d", "c"): 1}),
    "never": Counter({(START, "a"): 3, ("a", NONE): 2, ("b", CONVERSION): 1}),
    "none begins": Counter({("a", CONVERSION): 1, ("a", NONE): 1}),
    "many": Counter({(START, f"n{i:03}"): 400 - i for i in range(310)}) + Counter({(f"n{i:03}", CONVERSION): 1 for i in range(310)}),
    "stop": steps_of(("ab", 6, 40), ("ac", 5, 30), ("b", 2, 60), ("cd", 4, 20), ("d", 1, 90), ("", 30, 0)),
}


def random_chain(chance_of):
    """Random steps, which no paths need to have made: months cut paths."""
    nodes = "abcde"[: chance_of.randint(1, 5)]
    ends = [*nodes, CONVERSION, NONE]
    pairs = [(one, two) for one in [START, *nodes] for two in ends]
    return +Counter({pair: chance_of.randint(0, 6) for pair in pairs if chance_of.random() < 0.5})


@pytest.fixture(scope="module")
def world():
    chance_of = random.Random(7)
    goals = {**VECTORS, **{f"chain {n}": random_chain(chance_of) for n in range(CHAINS)}}
    with schema.database(URL, "influence") as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES (gen_random_uuid(), '{}', true)")
        connection.execute(
            "INSERT INTO journey.policies (generation, reporting_timezone, default_timezone, session, lapsed_after, journey_end,"
            " stored_model, first_percent, last_percent, half_life)"
            " SELECT generation, 'UTC', 'UTC', 'PT30M', 'P56D', 'P365D', 'linear', 40, 40, 'P7D' FROM tutti_meta.generations")
        seed(connection, goals)
        connection.execute("SET ROLE tutti_reader")
        yield connection, goals


def answer(connection, goal):
    return {row[0]: row[1:] for row in connection.execute("SELECT * FROM tutti.influence(%s)", [goal])}


def near(found, expected):
    return (found is None) == (expected is None) and (found is None or abs(float(found) - float(expected)) < NEAR)


def check(connection, goal, steps):
    parts, p = influence(steps)
    rows = answer(connection, goal)
    if not steps:
        assert rows == {}
        return
    unprompted = steps[START, CONVERSION]
    on_paths = sum(number for (one, two), number in steps.items() if two == CONVERSION) - unprompted
    assert rows.pop("(unprompted)")[2:7] == (None, unprompted, 0, on_paths, unprompted), goal
    assert sorted(rows) == nodes_of(steps), goal
    for node, (steps_in, sends, effect, part, loss, *sums, chance_of) in rows.items():
        into = [number for (_, two), number in steps.items() if two == node]
        assert (steps_in, sends, sums) == (sum(into), sum((number + 1) // 2 for number in into), [on_paths, unprompted]), (goal, node)
        expected = parts[node] if p else (None, 0, 0)
        assert near(chance_of, p) and near(effect, expected[0]) and near(part, expected[1]) and near(loss, expected[2]), (goal, node, steps)


def test_random_chains(world):
    connection, goals = world
    for goal, steps in goals.items():
        if goal != "many":
            check(connection, goal, steps)


def test_random_chains_by_revenue(world):
    connection, goals = world
    for goal, steps in goals.items():
        if goal == "many":
            continue
        parts, whole = influence(steps, price)
        rows = {row[0]: row[1:] for row in connection.execute("SELECT * FROM tutti.influence_value(%s)", [goal])}
        revenue = sum(number * price(one) for (one, two), number in steps.items() if two == CONVERSION)
        unprompted = steps[START, CONVERSION] * price(START)
        if not any(two == CONVERSION for _, two in steps):
            assert rows == {}
            continue
        assert rows.pop("(unprompted)") == ("EUR", None, unprompted, 0, revenue - unprompted, unprompted), goal
        assert sorted(rows) == nodes_of(steps), goal
        for node, (currency, effect, part, loss, *sums) in rows.items():
            expected = parts[node] if whole else (None, 0, 0)
            assert currency == "EUR" and sums == [revenue - unprompted, unprompted], goal
            assert near(effect, expected[0]) and near(part, expected[1]) and near(loss, expected[2]), (goal, node, steps)


def test_vectors(world):
    connection, _ = world
    shown = lambda goal, column: {node: float(row[column]) for node, row in answer(connection, goal).items() if row[column] is not None}
    assert shown("two ways", 2) == {"a": 1.0, "b": 0.75, "c": 0.25}
    assert shown("two ways", 3) == {"a": 2.0, "b": 1.5, "c": 0.5, "(unprompted)": 0.0}
    assert shown("two ways", 4) == {"a": 4.0, "b": 3.0, "c": 1.0, "(unprompted)": 0.0}
    assert shown("a loop", 3) == {"x": 1.645161, "y": 1.354839, "(unprompted)": 0.0}
    assert shown("unprompted", 3) == {"a": 2.0, "b": 1.5, "c": 0.5, "(unprompted)": 4.0}
    assert set(shown("unprompted", 7).values()) == {0.666667}


def test_of_more_than_300_nodes_the_smallest_are_one(world):
    connection, goals = world
    rows = answer(connection, "many")
    steps = goals["many"]
    assert len(rows) == 301 and "n298" in rows and "n299" not in rows
    assert rows["(other)"][0] == sum(400 - i for i in range(299, 310))
    assert near(rows["(other)"][2], Fraction(sum(400 - i for i in range(299, 310)), starts_of(steps)))


@pytest.mark.parametrize("share", ["0.2", "0.4", "1"])
def test_stops(world, share):
    connection, goals = world
    for goal in ["stop", *[f"chain {n}" for n in range(0, CHAINS, 10)]]:
        steps, sends = goals[goal], Counter()
        for (_, node), number in steps.items():
            sends[node] += (number + 1) // 2 if node in nodes_of(steps) else 0
        found = connection.execute("SELECT node, sends_saved, expected_loss FROM tutti.influence_stops(%s, %s)", [goal, share]).fetchall()
        expected = stops(steps, sends, Fraction(share))
        assert [row[:2] for row in found] == [row[:2] for row in expected], goal
        assert all(near(one[2], two[2]) for one, two in zip(found, expected)), goal


def test_months(world):
    connection, goals = world
    shown = connection.execute("SELECT goal_id, period_start_date::text, p FROM tutti.rpt_influence WHERE goal_id = 'a loop' AND node = 'x'").fetchall()
    assert [(goal, month, float(p)) for goal, month, p in shown] == [("a loop", "2016-01-01", 0.428571)]
    connection.execute("SET tutti.as_of = '2016-01-31T23:59:59Z'")
    assert connection.execute("SELECT count(*) FROM tutti.rpt_influence").fetchone() == (0,)
    assert len(answer(connection, "a loop")) == 3
    connection.execute("RESET tutti.as_of")
    assert connection.execute("SELECT count(*) FROM tutti.influence('a loop', '2016-02-01')").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM tutti.influence('a loop', NULL, '2016-01-31', 'gold')").fetchone() == (0,)
