"""Reads the public views as canonical text, one streamed SELECT per view."""

import psycopg

import render

UNESCAPE = {"N": None, "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def connect(url, as_of=None):
    """A session whose tutti.as_of() is as_of (microseconds), or now."""
    connection = psycopg.connect(url, autocommit=True, application_name="tutti-oracle")
    connection.execute("SET TimeZone = 'UTC'")
    if as_of is not None:
        connection.execute("SELECT set_config('tutti.as_of', %s, false)", [render.instant(as_of)])
    return connection


def orders(connection, schema="tutti"):
    """What operators ordered, oldest first: (kind, identifier ids), as oracle.order takes it."""
    rows = connection.execute(f"SELECT kind, a, b FROM {schema}.fct_identity_orders ORDER BY order_id").fetchall()
    return [(kind, *(one.bytes for one in ends if one is not None)) for kind, *ends in rows]


def lines(connection, view, schema="tutti"):
    """The rows of a view as COPY text lines (bytes, with the newline), ordered by key."""
    with connection.cursor() as cursor, cursor.copy(f"COPY ({view.query(schema)}) TO STDOUT") as copy:
        yield from split_lines(copy)


def split_lines(chunks):
    """libpq gives one row at a time, but nothing promises it."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + bytes(chunk)).split(b"\n")
        for one in whole:
            yield one + b"\n"


def row(line):
    """A COPY text line as a tuple of text and None."""
    return tuple(unescape(field) for field in line.decode().rstrip("\n").split("\t"))


def unescape(field):
    if "\\" not in field:
        return field
    if field == "\\N":
        return None
    out, characters = [], iter(field)
    for character in characters:
        if character == "\\":
            following = next(characters)
            character = UNESCAPE.get(following, following)
        out.append(character)
    return "".join(out)
