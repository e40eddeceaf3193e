"""Compares every convergent column of the public views with the oracle, byte for byte; exit code 1 on any difference.

Figures of the kind "near" in columns.json may differ by a millionth.

Usage: compare.py --database URL --input FILE... --policies DIR --key HEX [--as-of TIME] [--view NAME ...]
"""

import argparse
import itertools
import sys

import psycopg

import database
import oracle
from render import COLUMNS, View


class Comparison:
    """What was found in one view: counts, and the first few differences in words."""

    def __init__(self, view, show):
        self.view, self.show = view, show
        self.expected = self.found = self.different = 0
        self.messages = []

    def note(self, message):
        self.different += 1
        if self.different <= self.show:
            self.messages.append(message)

    def key_text(self, row):
        return " ".join(f"{self.view.key[n]}={row[i]}" for n, i in enumerate(self.view.key_positions))

    def changed(self, expected, found):
        names = list(self.view.columns)
        words = [
            f"{name}: expected {shown(one)}, found {shown(two)}"
            for name, one, two in zip(names, expected, found)
            if one != two
        ]
        self.note(f"{self.key_text(expected)}\n      " + "\n      ".join(words))

    def missing(self, row):
        self.note(f"missing: {self.whole(row)}")

    def unexpected(self, row):
        self.note(f"not expected: {self.whole(row)}")

    def whole(self, row):
        return " ".join(f"{name}={value}" for name, value in zip(self.view.columns, row) if value is not None)


def shown(value):
    return "null" if value is None else repr(value)


def counted(rows, comparison, name):
    for row in rows:
        setattr(comparison, name, getattr(comparison, name) + 1)
        yield row


def compare(view, expected_rows, found_rows, show=5):
    """Merges two streams of rows ordered by key. Rows of one key are paired in their order."""
    result = Comparison(view, show)
    expected = itertools.groupby(counted(expected_rows, result, "expected"), key=view.order)
    found = itertools.groupby(counted(found_rows, result, "found"), key=view.order)
    one, two = next(expected, None), next(found, None)
    while one or two:
        if two is None or (one and one[0] < two[0]):
            compare_group(result, list(one[1]), [])
            one = next(expected, None)
        elif one is None or two[0] < one[0]:
            compare_group(result, [], list(two[1]))
            two = next(found, None)
        else:
            compare_group(result, list(one[1]), list(two[1]))
            one, two = next(expected, None), next(found, None)
    return result


def compare_group(result, expected, found):
    if expected == found:
        return
    left = [row for row in expected if row not in found]
    right = [row for row in found if row not in expected]
    for one, two in itertools.zip_longest(left, right):
        if one is not None and two is not None and result.view.is_same(one, two):
            continue
        if one is None or two is None:
            (result.missing if two is None else result.unexpected)(one or two)
        else:
            result.changed(one, two)
    for one in {row for row in expected if row in found and expected.count(row) != found.count(row)}:
        result.note(f"expected {expected.count(one)} times, found {found.count(one)} times: {result.whole(one)}")


def compare_all(url, views, as_of, names=None, schema="tutti", show=5, out=sys.stdout):
    """Compares the oracle's views with the database's and reports; the number of views that differ."""
    failures = 0
    with database.connect(url, as_of) as connection:
        for name in names or COLUMNS:
            view = View(name)
            try:
                result = compare(view, views[name], map(database.row, database.lines(connection, view, schema)), show)
            except psycopg.Error as error:
                print(f"FAIL {name}: {str(error).strip().splitlines()[0]}", file=out)
                failures += 1
                continue
            failures += report(result, out)
    return failures


def report(result, out):
    verdict = "FAIL" if result.different else "ok  "
    numbers = f"expected {result.expected} rows, found {result.found}"
    print(
        f"{verdict} {result.view.name}: {numbers}" + (f", {result.different} differ" if result.different else ""),
        file=out,
    )
    for message in result.messages:
        print(f"    {message}", file=out)
    return 1 if result.different else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True, metavar="URL")
    oracle.add_arguments(parser)
    parser.add_argument("--view", nargs="+", choices=list(COLUMNS), metavar="NAME", help="only these views")
    parser.add_argument("--schema", default="tutti", help=argparse.SUPPRESS)
    parser.add_argument("--show", type=int, default=5, help="differences shown per view")
    arguments = parser.parse_args()
    with database.connect(arguments.database) as connection:
        orders = database.orders(connection, arguments.schema)
    views, as_of = oracle.from_arguments(arguments, orders)
    failures = compare_all(arguments.database, views, as_of, arguments.view, arguments.schema, arguments.show)
    if failures:
        print(f"{failures} views differ from the oracle", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
