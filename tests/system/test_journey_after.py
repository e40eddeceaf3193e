"""`tutti journey after` answers as the oracle does, about random journeys with equal instants, merges, sends, bots and what is no touch."""

import json
import random

import psycopg
import pytest

import paths  # of tests/oracle, by cluster
import sales_stories
from cluster import ROOT, World
from policy import DAY, YEAR, date_of, instant
from render import COLUMNS
from test_identity_scenarios import world_of

EVENTS, QUESTIONS = 500, 16
AS_OF = sales_stories.START + (sales_stories.DAYS + 3) * DAY
WITHIN = {None: YEAR, "PT0S": 0, "PT1H": DAY // 24, "P1D": DAY, "P3D": 3 * DAY, "P9D": 9 * DAY, "P365D": YEAR}


RAW = {"instant": instant, "date": lambda text: instant(text) // DAY, "integer": int}


def rows_of(views, name):
    """The rows of a view of the oracle, with numbers where they can be reckoned with."""
    kinds = COLUMNS[name]["columns"]
    return [
        {column: value if value is None else RAW.get(kind, str)(value) for (column, kind), value in zip(kinds.items(), row)}
        for row in views[name]
    ]


@pytest.fixture(scope="module")
def told(stack, tmp_path_factory):
    """A world that has read the journeys, and the oracle's rows of it."""
    folder = tmp_path_factory.mktemp("paths")

    def make_world(stack, name, **options):
        return World(stack, folder / name, name, **options)

    world = world_of(make_world, stack, folder, sales_stories.write_policies(folder / "policies"), 2)
    try:
        world.lines = [json.dumps(event) for event in sales_stories.random_sales(7, EVENTS)]
        world.start()
        world.produce(world.lines)
        world.settle()
        views = world.oracle_views(AS_OF)
        yield world, {name: rows_of(views, name) for name in ("fct_touchpoints", "fct_segment_memberships", "rpt_journey_map")}
    finally:
        world.remove()


def ask(world, *words, check=True):
    when = f"-c tutti.as_of={date_of(AS_OF // DAY).isoformat()}T00:00:00Z"
    return world.tool("journey", "after", *words, check=check, env={"PGOPTIONS": when})


def question(chance, nodes):
    """Random words, and the same for the oracle."""
    node, within = chance.choice([*nodes, "(start)", "(conversion)"]), chance.choice(list(WITHIN))
    words, asked = [node], {"node": node, "within": WITHIN[within], "steps": [1, 2, 3]}
    if within:
        words += ["--within", within]
    if chance.random() < 0.3:
        asked["steps"] = [chance.randint(1, 9)]
        words += ["--nth", asked["steps"][0]]
    elif chance.random() < 0.5:
        asked["steps"] = list(range(1, chance.randint(1, 5) + 1))
        words += ["--steps", len(asked["steps"])]
    for option, key in (("--from", "first"), ("--to", "last")):
        if chance.random() < 0.2:
            asked[key] = sales_stories.START // DAY + chance.randrange(5, 40)
            words += [option, date_of(asked[key]).isoformat()]
    if chance.random() < 0.4:
        asked["segment"] = f"s{chance.randrange(20)}"
        words += ["--segment", asked["segment"]]
    if chance.random() < 0.5:
        asked["kinds"] = chance.randint(1, 4)
        words += ["--top", asked["kinds"]]
    return words, asked


def test_random_questions(told):
    world, views = told
    touchpoints, memberships = views["fct_touchpoints"], views["fct_segment_memberships"]
    nodes = sorted({row["node"] for row in touchpoints if row["node"]})
    chance, answered = random.Random(7), 0
    for _ in range(QUESTIONS):
        words, asked = question(chance, nodes)
        if asked.get("first", 0) > asked.get("last", asked.get("first", 0)):
            continue
        found = json.loads(ask(world, *words, "--json").stdout)["steps"]
        assert found == paths.after(touchpoints, memberships, as_of=AS_OF, **asked), words
        answered += bool(found)
    assert answered > QUESTIONS / 2


def test_the_first_step_is_the_map(told):
    """Without --within and dates the first step from a node has the transitions of the map, but those that are not over yet."""
    world, views = told
    for node in {row["from_kind"] for row in views["rpt_journey_map"]}:
        steps = {}
        for row in views["rpt_journey_map"]:
            if row["segment_id"] == "(all)" and row["from_kind"] == node:
                steps[row["to_kind"]] = steps.get(row["to_kind"], 0) + row["transitions"]
        found = json.loads(ask(world, node, "--steps", 1, "--top", 100, "--json").stdout)["steps"]
        shown = {row["touch"]: row["occurrences"] for row in found if row["step"] == 1 and row["touch"] not in ("(open)", "(end)")}
        assert shown == {name: count for name, count in steps.items() if name != "(exit)"}


def test_words_that_are_not_known(told):
    world, _ = told
    for words, message in [
        (["web:Product Viewd"], 'there is no kind of touch "web:Product Viewd"; the nearest is "web:Product Viewed"'),
        (["(conversion)", "--segment", "s99"], 'there is no segment "s99"; the nearest is "s9"'),
        (["(conversion)", "--step", "2"], "unknown option --step; did you mean --steps?"),
        (["(conversion)", "--steps", "6"], "--steps: expected a number from 1 to 5"),
        (["(conversion)", "--within", "P1M"], "--within: expected an ISO 8601 duration of at most P365D"),
        (["(conversion)", "--from", "2024-02-30"], "--from: expected a day such as 2017-12-31"),
        (["(conversion)", "--from", "2024-03-02", "--to", "2024-03-01"], "--from 2024-03-02 is after --to 2024-03-01"),
        ([], "expected a kind of touch, or --nth"),
    ]:
        done = ask(world, *words, check=False)
        assert done.returncode in (1, 2) and message in done.stderr, done.stderr


def test_the_sql_on_the_page(told):
    """It is the command's own, but for what is asked, and whoever may query can run it."""
    world, _ = told
    page = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
    on_page = next(block for block in page.split("```sql\n")[1:] if block.startswith("WITH asked")).split("```")[0]
    own = (ROOT / "operations" / "inspect" / "sql" / "journey_after.sql").read_text(encoding="utf-8")
    asked, rest = on_page.split("), members AS MATERIALIZED (")
    assert rest == own.split("), members AS MATERIALIZED (")[1]
    with psycopg.connect(world.url, options="-c role=tutti_reader") as connection:
        assert connection.execute(on_page).fetchall() == []
        for word, other in (("'direct_mail:Campaign Sent'", "'(conversion)'"), ("'2017-04-01'", "'2024-01-01'"), ("'2017-06-30'", "'2025-01-01'"), ("'recent_buyers'", "NULL")):
            asked = asked.replace(word, other)
        assert connection.execute(asked + "), members AS MATERIALIZED (" + rest).fetchall()
