"""Looks for what is left of a person, in every column of every table that could hold it."""

import json
import uuid

import psycopg

from waiting import until

SCHEMAS = ["identity", "journey", "suppression", "metrics", "tutti_meta"]
TOMBSTONES = {"identity.erased", "identity.found_by"}  # what keeps old input out is meant to stay

COLUMNS = """
SELECT c.table_schema || '.' || c.table_name, c.column_name, c.udt_name
FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE c.table_schema = ANY (%s) AND t.table_type = 'BASE TABLE'
  AND c.udt_name IN ('uuid', '_uuid', 'int8', '_int8', 'bytea', 'text', 'jsonb')
ORDER BY 1, 2
"""

CONDITIONS = {
    "uuid": "{} = ANY (%(ids)s)",
    "_uuid": "{} && %(ids)s",
    "int8": "{} = ANY (%(keys)s)",
    "_int8": "{} && %(keys)s",
    "bytea": "EXISTS (SELECT FROM unnest(%(packed)s) AS u (part) WHERE position(u.part IN {}) > 0)",
    "text": "EXISTS (SELECT FROM unnest(%(ids)s) AS u (id) WHERE position(u.id::text IN {}) > 0)",
    "jsonb": "EXISTS (SELECT FROM unnest(%(ids)s) AS u (id) WHERE position(u.id::text IN {}::text) > 0)",
}


def short_key(identifier):
    return int.from_bytes(identifier.bytes[:8], "big", signed=True)


def traces(world, ids):
    """{"schema.table.column": rows} that hold one of the identifiers, whole, as short key, or inside packed bytes."""
    ids = [uuid.UUID(str(one)) for one in ids]
    values = {"ids": ids, "keys": [short_key(one) for one in ids], "packed": [one.bytes[:8] for one in ids]}
    found = {}
    with psycopg.connect(world.url, autocommit=True) as connection:
        columns = connection.execute(COLUMNS, (SCHEMAS,)).fetchall()
        assert len(columns) > 50
        for table, column, kind in columns:
            if table in TOMBSTONES:
                continue
            condition = CONDITIONS[kind].format(f'"{column}"')
            (rows,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}", values).fetchone()
            if rows:
                found[f"{table}.{column}"] = rows
    return found


def erase(world, person, *words):
    """Erases a person for good; the report."""
    return json.loads(world.tool("erase", person, "--reason", "asked for it", "--execute", "--json", *words).stdout)


def wait_past_erasure(world):
    """Waits until touchpoints are those of a new person."""
    until(lambda: world.query("SELECT max(erased_at) < clock_timestamp() FROM identity.erased") == [(True,)], 60, "a new person")
