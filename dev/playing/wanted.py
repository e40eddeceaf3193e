"""The expected rows of a case, and how they compare with what came out.

A line of expected.jsonl is {"query": 2, "row": {"stage": "purchase", "profile": "@ann"}}. The query is named by its number or by
the comment above it; "row": null says that it gives none. Columns that a row leaves out are not compared. A text that begins with
@ stands for any value, the same everywhere in the file; two of them never stand for one value.
"""

import decimal
import json

import policy  # of tests/oracle
from playing.asking import is_number, json_object
from playing.case import CaseError, read_text

MANY = 10  # rows of a query that are shown, of each kind


class Wanted:
    """An expected.jsonl as it was read."""

    def __init__(self, path):
        self.lines = list(read_lines(path))

    def rows(self, tables, all_compared):
        """{table: its wanted rows}, in the order of the tables. all_compared: a query of check.sql without a line gives no row."""
        found = {table: [] for table in tables if all_compared and table.number is not None}
        for place, query, row in self.lines:
            rows = found.setdefault(table_of(tables, place, query), [])
            if row is not None:
                rows.append(row)
        return {table: found[table] for table in tables if table in found}

    def differences(self, tables, all_compared, with_chronicles=True):
        """Lines that say what differs."""
        names, said = {}, []
        for table, rows in self.rows(tables, all_compared).items():
            if with_chronicles or not table.is_chronicle:
                said += told(table, *unmatched(table, rows, names))
        return said


def read_lines(path):
    """(place, query, row) of each line."""
    for number, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text, parse_float=decimal.Decimal)
        except ValueError as error:
            raise CaseError(f"{path}:{number}: not JSON: {error}") from None
        if not isinstance(line, dict) or line.keys() != {"query", "row"} or not isinstance(line["row"], (dict, type(None))):
            raise CaseError(f'{path}:{number}: expected {{"query": ..., "row": {{...}}}}')
        yield f"{path}:{number}", line["query"], line["row"]


def table_of(tables, place, query):
    for table in tables:
        if not isinstance(query, bool) and query in (table.number, table.title) and query is not None:
            return table
    names = ", ".join(json.dumps(table.number or table.title) for table in tables)
    raise CaseError(f"{place}: there is no query {json.dumps(query)}; there are {names}")


def unmatched(table, wanted, names):
    """(wanted rows that were not found, found rows that were not wanted). Rows of one query may come in any order."""
    left, missing = table.dicts(), []
    for row in wanted:
        for at in range(len(left)):
            bound = match(row, left[at], names)
            if bound is not None:
                names.update(bound)
                del left[at]
                break
        else:
            missing.append(row)
    return missing, left


def match(wanted, found, names):
    """The names that become known if the row is the wanted one, else None."""
    bound = {}
    for column, value in wanted.items():
        if column not in found:
            return None
        if isinstance(value, str) and value.startswith("@"):
            if not bind(value, found[column], {**names, **bound}, bound):
                return None
        elif not equal(value, found[column]):
            return None
    return bound


def bind(name, value, names, bound):
    if name in names:
        return names[name] == value
    if value is None or value in names.values():
        return False
    bound[name] = value
    return True


def equal(wanted, found):
    if is_number(found):
        return not isinstance(wanted, bool) and number(wanted) == found
    if isinstance(wanted, str) and isinstance(found, str) and wanted != found:
        return found.endswith("Z") and instant(wanted) == instant(found) is not None
    return type(wanted) is type(found) and wanted == found


def number(value):
    try:
        return decimal.Decimal(value)
    except (decimal.InvalidOperation, TypeError, ValueError):
        return None


def instant(text):
    try:
        return policy.instant(text)
    except ValueError:
        return None


def told(table, missing, unexpected):
    """What is said of one query."""
    if table.error:
        return [f"{heading(table)}: {table.error}"]
    if not missing and not unexpected:
        return []
    said = [f"{heading(table)}: {len(missing)} expected rows did not come, {len(unexpected)} others came"]
    said += [f"  - {json_object(row)}{hint(row, unexpected)}" for row in missing[:MANY]]
    said += [f"  + {json_object(row)}" for row in unexpected[:MANY]]
    more = max(len(missing), len(unexpected)) - MANY
    return said + ([f"  and up to {more} more of each"] if more > 0 else [])


def heading(table):
    return f"query {table.number}" if table.number is not None else table.title


def hint(wanted, found):
    """The columns in which the most similar row differs, or that no row has."""
    if not found:
        return ""
    absent = [column for column in wanted if column not in found[0]]
    if absent:
        return f"   (the query has no column {absent[0]!r})"
    fixed = {column: value for column, value in wanted.items() if not (isinstance(value, str) and value.startswith("@"))}
    wrong = min(([column for column in fixed if not equal(fixed[column], row[column])] for row in found), key=len)
    return f"   (nearest row: differs in {', '.join(wrong)})" if wrong and len(wrong) < len(fixed) else ""
