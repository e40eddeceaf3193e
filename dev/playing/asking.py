"""Asks the queries of a case and shows the answers: as small tables, or as the lines of expected.jsonl."""

import datetime
import decimal
import json
import re
import uuid

import psycopg
from psycopg.types.string import TextLoader

import database  # of tests/oracle

WIDEST, WIDEST_TITLE = 80, 110  # of a cell of a table and of the line above it, in characters
TIMESTAMP = re.compile(r"(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00$")


class Table:
    """The answer to a query. rows: values as JSON has them, numbers as Decimal; error: why there is none."""

    def __init__(self, title, columns, rows, number=None, error=None, is_chronicle=False):
        self.title, self.columns, self.rows = title, columns, rows
        self.number, self.error, self.is_chronicle = number, error, is_chronicle

    def dicts(self):
        return [dict(zip(self.columns, row)) for row in self.rows]

    def text(self):
        head = shortened(self.title if self.number is None else f"{self.number}. {self.title}", WIDEST_TITLE)
        if self.error:
            return f"{head}\n  error: {self.error}"
        if not self.rows:
            return f"{head}\n  (no rows)"
        return "\n".join([head, *(f"  {line}" for line in aligned(self.columns, self.rows))])


def aligned(columns, rows):
    """Lines of a table; numbers stand to the right."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    right = [all(is_number(value) or value is None for value in column) for column in zip(*rows)]
    for row in [columns, *cells]:
        words = [word.rjust(width) if numeric else word.ljust(width) for word, width, numeric in zip(row, widths, right)]
        yield "  ".join(words).rstrip()


def is_number(value):
    return isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool)


def cell(value):
    if value is None:
        return "-"
    text = value if isinstance(value, str) else literal(value)
    return shortened(text.replace("\n", " "), WIDEST)


def shortened(text, width):
    return text if len(text) <= width else text[: width - 3] + "..."


def literal(value):
    """A value as JSON text; a Decimal keeps all its digits."""
    if isinstance(value, decimal.Decimal) and value.is_finite():
        return format(value.quantize(1) if value == value.to_integral_value() else value.normalize(), "f")
    if isinstance(value, decimal.Decimal):
        return json.dumps(str(value))
    return json.dumps(value, ensure_ascii=False)


def json_object(row):
    return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {literal(value)}" for key, value in row.items()) + "}"


def json_lines(table, by_name):
    """The rows of a table as lines of expected.jsonl."""
    name = json.dumps(table.title if by_name else table.number, ensure_ascii=False)
    for row in table.dicts():
        yield f'{{"query": {name}, "row": {json_object(row)}}}'


def connect(url, as_of):
    """A session that only reads. Times stay text: PostgreSQL knows more of them than Python."""
    connection = database.connect(url, as_of)
    for kind in ("timestamptz", "timestamp", "date", "interval", "json", "jsonb"):
        connection.adapters.register_loader(kind, TextLoader)
    connection.execute("SET default_transaction_read_only = on")
    connection.execute("SET statement_timeout = '60s'")
    return connection


def plain(value):
    """A value of the database as JSON has it."""
    if isinstance(value, str):
        return TIMESTAMP.sub(r"\1T\2Z", value)
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (uuid.UUID, datetime.time)):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def column_names(names):
    """The second column of a name is called name_2, so that a row can be an object."""
    found = []
    for name in names:
        found.append(name if name not in found else f"{name}_{names[: len(found) + 1].count(name)}")
    return found


def ask(connection, query):
    about = {"number": query.number, "is_chronicle": query.is_chronicle}
    try:
        cursor = connection.execute(query.statement)
        if cursor.description is None:
            return Table(query.title, [], [], error="gives no rows: it is not a query", **about)
        columns = column_names([column.name for column in cursor.description])
        rows = [tuple(map(plain, row)) for row in cursor.fetchall()]
    except psycopg.Error as error:
        return Table(query.title, [], [], error=" ".join(str(error).split()), **about)
    return Table(query.title, columns, rows, **about)


def ask_all(url, as_of, queries):
    with connect(url, as_of) as connection:
        return [ask(connection, query) for query in queries]
