"""The stories of tests/scenarios/journey: one by one, or put together into one case; and their queries asked of the oracle itself.

The stories have people of their own, so that all of them together give the rows of each.
"""

import decimal
import json
import random
import re
import sqlite3
import sys

from oracle import Oracle
from policy import Policies, instant
from render import EVERYTHING, View
from scenarios import ROOT, json_lines, merged

FOLDER = ROOT / "tests" / "scenarios" / "journey"
sys.path[:0] = [str(ROOT / "dev"), str(ROOT / "tests" / "system")]

from playing.asking import Table  # noqa: E402
from playing.case import Case  # noqa: E402
from playing.player import KEY  # noqa: E402
from playing.wanted import Wanted  # noqa: E402

LATER = instant("2030-01-01T00:00:00Z")
WORDS = {"unlink": "cut"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def stories():
    return sorted(folder for folder in FOLDER.iterdir() if folder.is_dir())


# ------------------------------------------------------------------------------------------------------ together


def together(folders, directory):
    """One case with everything of these: their events, orders, queries, expected rows and policies."""
    directory.mkdir()
    for name in ("events", "orders"):
        text = "".join((folder / f"{name}.jsonl").read_text() for folder in folders if (folder / f"{name}.jsonl").exists())
        (directory / f"{name}.jsonl").write_text(text)
    as_of = {(folder / "check.sql").read_text().partition("\n")[0] for folder in folders}
    (first,) = as_of
    queries = [re.sub(r"^-- ", f"-- {folder.name}: ", rest(folder / "check.sql"), flags=re.MULTILINE) for folder in folders]
    (directory / "check.sql").write_text("\n".join([first, *queries]))
    (directory / "expected.jsonl").write_text("".join(map(renamed_rows, folders)))
    write_policies(folders, directory / "policy")
    return directory


def rest(path):
    return path.read_text().partition("\n")[2]


def renamed_rows(folder):
    lines = json_lines(folder / "expected.jsonl")
    return "".join(json.dumps({**line, "query": f"{folder.name}: {line['query']}"}) + "\n" for line in lines)


def write_policies(folders, directory):
    directory.mkdir()
    for name in sorted({path.name for folder in folders for path in (folder / "policy").iterdir()}):
        found = {}
        for folder in folders:
            path = folder / "policy" / name
            found = merged(found, json.loads(path.read_text())) if path.exists() else found
        (directory / name).write_text(json.dumps(found))


# ---------------------------------------------------------------------------------------------- asked of the oracle


class Told:
    """A story that the oracle was told, in an order made from a seed; 0: as it is written."""

    def __init__(self, folder, directory, seed=0):
        self.case = Case(folder)
        if not directory.exists():
            self.case.write_policies(directory)
        self.oracle = Oracle(Policies.load(directory), KEY, LATER)
        events = json_lines(folder / "events.jsonl") * (2 if seed else 1)
        random.Random(seed).shuffle(events) if seed else None
        for event in events:
            self.oracle.add({**event, "occurred_at": instant(event["occurred_at"])})
        for word, *identifiers in json_lines(folder / "orders.jsonl"):
            self.oracle.order(WORDS.get(word, word), *identifiers)

    def differences(self):
        database = as_database(self.oracle.views(self.case.as_of, EVERYTHING))
        tables = [ask(database, query) for query in self.case.queries if query.number]
        return Wanted(self.case.folder / "expected.jsonl").differences(tables, True)


def as_database(views):
    """The oracle's rows in an SQLite that knows them as tutti.VIEW."""
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS tutti")
    for name, rows in views.items():
        columns = View(name, EVERYTHING).columns
        affinity = {"integer": "INTEGER"}
        words = ", ".join(f'"{column}" {affinity.get(kind, "TEXT")}' for column, kind in columns.items())
        database.execute(f'CREATE TABLE tutti."{name}" ({words})')
        database.executemany(f'INSERT INTO tutti."{name}" VALUES ({", ".join("?" * len(columns))})', rows)
    return database


def ask(database, query):
    found = database.execute(query.statement)
    columns = [column[0] for column in found.description]
    return Table(query.title, columns, [tuple(map(read, row)) for row in found], query.number)


def read(value):
    """As JSON has it: numbers as Decimal, true and false as such."""
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if isinstance(value, int) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        return decimal.Decimal(value)
    return value
