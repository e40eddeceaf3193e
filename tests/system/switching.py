"""Makes other policies active under running services, where nothing has to be derived again: what is derived is copied."""

import contextlib
import json

import psycopg

# Of each derived table its columns, without the slot.
DERIVED = """
    SELECT c.relname, c.oid::regclass::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attname <> 'slot'
    WHERE c.relkind = 'p' GROUP BY 1, 2"""
BY_GENERATION = """
    SELECT c.oid::regclass::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attname <> 'generation'
    WHERE c.relnamespace = 'journey'::regnamespace AND c.relkind = 'r'
      AND EXISTS (SELECT FROM pg_attribute AS g WHERE g.attrelid = c.oid AND g.attname = 'generation')
    GROUP BY 1"""


def copy_slot(connection, slot, number):
    """Everything derived of the slot into the other one, under another generation."""
    for name, parent, columns in connection.execute(DERIVED).fetchall():
        connection.execute(f"TRUNCATE slot_{1 - slot}.{name}")
        connection.execute(f"INSERT INTO slot_{1 - slot}.{name} ({columns}) SELECT {columns} FROM {parent} WHERE slot = {slot}")
    connection.execute(f"UPDATE slot_{1 - slot}.states SET generation = %s", [number])


def empty_slot(connection, slot):
    for name, _, _ in connection.execute(DERIVED).fetchall():
        connection.execute(f"TRUNCATE slot_{slot}.{name}")


@contextlib.contextmanager
def switched(world, **changed):
    """A new generation in the other slot, active when the block is left; meanwhile its transaction holds the policies. All diffs must
    be applied. changed: {"contact": function of the document}. Policies that derive other rows are not for this."""
    with psycopg.connect(world.url) as connection:
        connection.execute("LOCK TABLE tutti_meta.policy_lock IN EXCLUSIVE MODE")
        generation, slot, policies = connection.execute(
            "SELECT generation, slot, policies FROM tutti_meta.generations WHERE is_active").fetchone()
        for name, change in changed.items():
            change(policies[f"{name}.json"])
        connection.execute("UPDATE tutti_meta.generations SET is_active = false WHERE is_active")
        other, number = connection.execute(
            "INSERT INTO tutti_meta.generations (generation, policies, zones, slot, is_active, is_complete)"
            " SELECT gen_random_uuid(), %s, zones, %s, true, true FROM tutti_meta.generations WHERE generation = %s"
            " RETURNING generation, number", [json.dumps(policies), 1 - slot, generation]).fetchone()
        for table, columns in connection.execute(BY_GENERATION).fetchall():
            connection.execute(f"INSERT INTO {table} (generation, {columns}) SELECT %s, {columns} FROM {table} WHERE generation = %s",
                               [other, generation])
        copy_slot(connection, slot, number)
        empty_slot(connection, slot)
        yield
