"""What is derived under policies stands in one of two slots, and everything public reads the slot of the active policies."""

import json
import os

import psycopg
import pytest

import schema

URL = os.environ.get("TUTTI_DATABASE_URL")
pytestmark = pytest.mark.skipif(not URL, reason="TUTTI_DATABASE_URL is not set (dev/stack up, then eval \"$(dev/stack env)\")")

# What no policy decides, what is stored by generation, and the numbering of diffs, which goes on under every generation.
SHARED = {
    "journey": {
        "anchors", "dictionary", "facts", "followed", "gesture_limits", "goals", "kept_sales", "lanes", "message_outbox", "offers", "outbox", "policies",
        "segments", "shapes", "tiers",
    },
    "metrics": {"cell_keys", "progress"},
}
PARENTS = """
    SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'p' ORDER BY 1"""


@pytest.fixture(scope="module")
def scratch():
    with schema.database(URL, "slots") as url:
        yield url


@pytest.fixture
def database(scratch):
    """A connection whose changes are rolled back."""
    with psycopg.connect(scratch) as connection:
        yield connection
        connection.rollback()


def column(database, query, *values):
    return [row[0] for row in database.execute(query, values).fetchall()]


@pytest.mark.parametrize("place", ["journey", "metrics"])
def test_a_table_is_shared_or_has_slots(database, place):
    plain = column(database, "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'", place)
    assert set(plain) == SHARED[place], "give_slots in the migration, if policies decide what is in it"


def test_each_has_two_alike(database):
    parents = column(database, PARENTS)
    assert len(parents) > 10
    for parent in parents:
        name = parent.split(".")[1]
        columns = column(database, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", parent)
        for slot in (0, 1):
            part = f"slot_{slot}.{name}"
            assert columns == column(database, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", part)
            assert column(database, "SELECT indisprimary FROM pg_index WHERE indrelid = %s::regclass AND indisprimary", part) == [True]
        options = "SELECT reloptions FROM pg_class WHERE oid IN (%s::regclass, %s::regclass) GROUP BY 1"
        assert len(column(database, options, f"slot_0.{name}", f"slot_1.{name}")) == 1


def test_views_read_the_active_slot_only(database):
    """Whoever reads a parent without saying which slot counts everything twice while other policies are derived."""
    readers = database.execute("""
        SELECT DISTINCT v.oid::regclass::text, p.oid::regclass::text
        FROM pg_class AS p
        JOIN pg_depend AS d ON d.refobjid = p.oid AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite AS r ON r.oid = d.objid
        JOIN pg_class AS v ON v.oid = r.ev_class
        WHERE (p.relkind = 'p' OR p.relispartition) AND v.relnamespace <> 'active'::regnamespace""").fetchall()
    assert readers == []


def seed(database):
    database.execute("""
        INSERT INTO tutti_meta.generations (generation, policies, is_active, slot)
            VALUES (gen_random_uuid(), '{}', true, 0), (gen_random_uuid(), '{}', false, 1);
        INSERT INTO slot_0.states (profile, ver, members, generation, payload) SELECT n, 1, 1, 1, '\\x00' FROM generate_series(1, 2000) AS n;
        INSERT INTO slot_1.states (profile, ver, members, generation, payload) SELECT n, 1, 1, 2, '\\x01' FROM generate_series(1, 2000) AS n;
        ANALYZE slot_0.states, slot_1.states, tutti_meta.generations""")


def switch(database):
    database.execute("UPDATE tutti_meta.generations SET is_active = false WHERE is_active AND slot = 0")
    database.execute("UPDATE tutti_meta.generations SET is_active = true WHERE slot = 1")


def plan_nodes(database, query):
    def walk(node):
        yield node
        for child in node.get("Plans", []):
            yield from walk(child)

    return list(walk(database.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}").fetchone()[0][0]["Plan"]))


def test_a_switch_is_one_row(database):
    seed(database)
    query = "SELECT DISTINCT generation FROM active.states"
    assert column(database, query) == [1]
    switch(database)
    assert column(database, query) == [2]


@pytest.mark.parametrize("query", [
    "SELECT * FROM active.states", "SELECT * FROM active.states WHERE profile = 7",
    "SELECT generation, row_number() OVER (ORDER BY profile) FROM active.states",
    "SELECT * FROM (VALUES (7::bigint), (8)) AS v (profile) LEFT JOIN active.states USING (profile)",
])
@pytest.mark.parametrize("active", [0, 1])
def test_the_other_slot_is_never_read(database, query, active):
    seed(database)
    if active:
        switch(database)
    scans = {node["Schema"] if "Schema" in node else node["Alias"]: node for node in plan_nodes(database, query) if node.get("Relation Name") == "states"}
    assert len(scans) == 2, json.dumps(list(scans))
    loops = [scans[alias]["Actual Loops"] for alias in sorted(scans)]
    assert loops[1 - active] == 0 < loops[active]
    if "profile = 7" in query:
        assert {node["Node Type"] for node in scans.values()} <= {"Index Scan", "Bitmap Heap Scan"}


def test_a_row_for_a_parent_goes_to_the_active_slot(database):
    seed(database)
    switch(database)
    database.execute("INSERT INTO journey.states (profile, ver, members, generation, payload) VALUES (5000, 1, 1, 2, '\\x00')")
    assert column(database, "SELECT slot FROM journey.states WHERE profile = 5000") == [1]
