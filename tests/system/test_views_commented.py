"""Every table, view and column says what it is; public views are plain; their promised columns are there; the dictionary is up to date."""
import os
import pathlib
import re
import subprocess
import sys

import psycopg
import pytest
import schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import render  # noqa: E402

SCHEMAS = ["tutti", "identity", "journey", "suppression", "metrics"]
URL = os.environ.get("TUTTI_DATABASE_URL")

pytestmark = pytest.mark.skipif(not URL, reason="TUTTI_DATABASE_URL is not set (dev/stack up, then eval \"$(dev/stack env)\")")


@pytest.fixture(scope="module")
def scratch():
    """The URL of a database of its own with all migrations applied."""
    with schema.database(URL, "views") as url:
        yield url


@pytest.fixture
def database(scratch):
    with psycopg.connect(scratch) as connection:
        yield connection


COLUMNS = """
    SELECT n.nspname || '.' || c.relname AS relation, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped"""


def test_every_relation_is_commented(database):
    found = database.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''",
        [SCHEMAS]).fetchall()
    assert found == []


def test_every_column_is_commented(database):
    rows = database.execute(COLUMNS, [SCHEMAS]).fetchall()
    assert len(rows) > 100
    assert [f"{relation}.{name}" for relation, name, _, says in rows if not says] == []


def test_public_comments_end_with_their_kind(database):
    rows = database.execute(COLUMNS, [["tutti"]]).fetchall()
    assert [f"{relation}.{name}" for relation, name, _, says in rows if not re.search(r"\((convergent|chronicle)\)\.?$", says or "")] == []


def test_public_columns_are_plain(database):
    rows = database.execute(COLUMNS, [["tutti"]]).fetchall()
    assert [f"{relation}.{name} {kind}" for relation, name, kind, _ in rows if "[]" in kind or kind in ("json", "jsonb", "bytea")] == []
    assert [f"{relation}.{name}" for relation, name, kind, _ in rows if kind == "timestamp without time zone"] == []
    assert [f"{relation}.{name} {kind}" for relation, name, kind, _ in rows if name.endswith("_at") and kind != "timestamp with time zone"] == []
    assert [f"{relation}.{name} {kind}" for relation, name, kind, _ in rows if name.endswith("_date") and kind != "date"] == []
    words = ("anchor", "lane", "cell", "contribution")
    assert [f"{relation}.{name}" for relation, name, _, says in rows if any(word in f" {name} {says}".lower().split() for word in words)] == []


def test_every_fact_says_when_it_was_loaded(database):
    rows = database.execute(COLUMNS, [["tutti"]]).fetchall()
    facts = {relation for relation, *_ in rows if relation.startswith("tutti.fct_")}
    assert facts == {relation for relation, name, *_ in rows if name == "loaded_at"}


def test_promised_columns_are_there(database):
    rows = database.execute(COLUMNS, [["tutti"]]).fetchall()
    found = {(relation.removeprefix("tutti."), name) for relation, name, *_ in rows}
    assert {(view, column) for view, entry in render.COLUMNS.items() for column in entry["columns"]} - found == set()


def test_readers_can_read_every_view_and_nothing_else(database):
    views = [row[0] for row in database.execute("SELECT relname FROM pg_class WHERE relnamespace = 'tutti'::regnamespace AND relkind = 'v'")]
    assert len(views) > 10
    database.execute("SET ROLE tutti_reader")
    for view in views:
        database.execute(f"SELECT * FROM tutti.{view}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("SELECT * FROM journey.facts")


def test_dictionary_is_up_to_date(scratch):
    printed = subprocess.run([ROOT / "dev" / "data-dictionary", "--print", scratch], capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8"), "run dev/data-dictionary"
