"""One md5 per public view over its convergent columns, ordered by key: equal before and after means nothing changed.

Usage: checksums.py --database URL [--as-of TIME] [--view NAME ...] [--json]
"""

import argparse
import hashlib
import json

import database
import policy
from render import COLUMNS, View


def checksum(connection, view, schema="tutti"):
    """(md5 in hexadecimal, rows) of a view."""
    digest, count = hashlib.md5(), 0
    for line in database.lines(connection, view, schema):
        digest.update(line)
        count += 1
    return digest.hexdigest(), count


def checksums(url, as_of=None, views=None, schema="tutti"):
    """{view: (md5, rows)} in one consistent reading of the database."""
    with database.connect(url, as_of) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = {name: checksum(connection, View(name), schema) for name in views or COLUMNS}
        connection.execute("COMMIT")
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument(
        "--as-of", metavar="TIME", help="what tutti.as_of() answers (default: now); fix it to compare two moments"
    )
    parser.add_argument("--view", nargs="+", choices=list(COLUMNS), metavar="NAME", help="only these views")
    parser.add_argument("--schema", default="tutti", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one JSON object {view: {md5, rows}}")
    arguments = parser.parse_args()
    as_of = policy.instant(arguments.as_of) if arguments.as_of else None
    found = checksums(arguments.database, as_of, arguments.view, arguments.schema)
    if arguments.json:
        print(json.dumps({name: {"md5": md5, "rows": count} for name, (md5, count) in found.items()}))
        return
    for name, (md5, count) in found.items():
        print(f"{md5}  {count:>9}  {name}")


if __name__ == "__main__":
    main()
