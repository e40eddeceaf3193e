"""One canonical text for every value, the same in Python and in SQL, so that rows can be compared byte for byte."""

import datetime
import functools
import json
import pathlib
from decimal import Decimal

from policy import EPOCH, US, date_of

EVERYTHING = json.loads((pathlib.Path(__file__).parent / "columns.json").read_text(encoding="utf-8"))
NIL = bytes(16)
NEAR = Decimal("0.000001")


def shown(view):
    """The view as the database has it. `"later"` says what only the oracle knows: true, columns, or rows by values of a column."""
    later = view.get("later", [])
    if later is True:
        return None
    columns = {name: kind for name, kind in view["columns"].items() if isinstance(later, dict) or name not in later}
    return {**view, "columns": columns, "without": later if isinstance(later, dict) else {}}


COLUMNS = {name: shown(view) for name, view in EVERYTHING.items() if shown(view)}

SQL = {
    "uuid": "{0}::text",
    "text": "{0}::text",
    "integer": "{0}::bigint::text",
    "decimal": "{0}::numeric(38,6)::text",
    "near": "{0}::numeric(38,6)::text",
    "boolean": "{0}::boolean::text",
    "date": "to_char({0}, 'YYYY-MM-DD')",
    "instant": "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
}


def decimal(millionths):
    sign, amount = ("-", -millionths) if millionths < 0 else ("", millionths)
    return f"{sign}{amount // US}.{amount % US:06d}"


def uuid_text(value):
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@functools.lru_cache(maxsize=1 << 16)
def instant(micros):
    return (EPOCH + datetime.timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


PYTHON = {
    "uuid": uuid_text,
    "text": str,
    "integer": str,
    "decimal": decimal,
    "near": decimal,
    "boolean": lambda value: "true" if value else "false",
    "date": lambda day: date_of(day).isoformat(),
    "instant": instant,
}


def is_near(one, two):
    return one is not None and two is not None and abs(Decimal(one) - Decimal(two)) <= NEAR


class View:
    """A public view: its compared columns, its key, and the rows (dicts of raw values) as sorted tuples of text.

    declared: COLUMNS, what the database shows, or EVERYTHING, what the oracle knows.
    """

    def __init__(self, name, declared=COLUMNS):
        self.name = name
        self.columns, self.key = declared[name]["columns"], declared[name]["key"]
        self.key_positions = [list(self.columns).index(column) for column in self.key]
        self.without = declared[name].get("without", {})
        self.near = [list(self.columns).index(name) for name, kind in self.columns.items() if kind == "near"]
        self.renderers = [(column, PYTHON[kind]) for column, kind in self.columns.items()]

    def text_row(self, row):
        return tuple([None if row[column] is None else render(row[column]) for column, render in self.renderers])

    def order(self, row):
        """Absent values first (no text is empty), then by bytes, as the query does."""
        return [row[i] or "" for i in self.key_positions]

    def is_same(self, one, two):
        """Whether two rows are equal; computed figures may differ by a millionth."""
        if not self.near:
            return one == two
        return all(a == b or (i in self.near and is_near(a, b)) for i, (a, b) in enumerate(zip(one, two)))

    def text_rows(self, rows):
        found = [self.text_row(row) for row in rows if not any(row[name] in values for name, values in self.without.items())]
        found.sort(key=self.order)
        return found

    def query(self, schema="tutti"):
        """The same rows in the same order out of PostgreSQL."""
        columns = ", ".join(f"{SQL[kind].format(column)} AS {column}" for column, kind in self.columns.items())
        order = ", ".join(f"{i + 1} NULLS FIRST" for i in self.key_positions)
        collated = ", ".join(f'{column} COLLATE "C" AS {column}' for column in self.columns)
        return f"SELECT {collated} FROM (SELECT {columns} FROM {schema}.{self.name}) AS shown ORDER BY {order}"


def line(row):
    """A row as PostgreSQL's COPY text."""
    return "\t".join("\\N" if value is None else escape(value) for value in row) + "\n"


def escape(value):
    if "\\" not in value and "\t" not in value and value.isprintable():
        return value
    for character, code in (
        ("\\", "\\\\"),
        ("\b", "\\b"),
        ("\f", "\\f"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
        ("\v", "\\v"),
    ):
        value = value.replace(character, code)
    return value
