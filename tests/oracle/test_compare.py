"""The comparison must find what differs; with TUTTI_TEST_DATABASE (a conninfo) also through a real PostgreSQL."""

import hashlib
import io
import os

import pytest

import checksums
import compare
import database
import oracle
from policy import DAY
from render import COLUMNS, View, line
from support import KEY, LATER, START, Story, policies
from test_identity import random_story

DIM = View("dim_identifiers")


def identifier(i, kind="email"):
    return (f"{i:032x}", kind, f"{i:032x}", "2017-01-01T00:00:00.000000Z", "false")


def test_equal_rows():
    rows = [identifier(i) for i in range(10)]
    result = compare.compare(DIM, rows, list(rows))
    assert (result.expected, result.found, result.different) == (10, 10, 0)


def test_missing_changed_and_unexpected_rows():
    rows = [identifier(i) for i in range(10)]
    found = rows[:3] + [identifier(4, "phone")] + rows[5:] + [identifier(11)]
    result = compare.compare(DIM, rows, found)
    assert (result.expected, result.found, result.different) == (10, 10, 3)
    assert result.messages[0].startswith("missing: identifier_id=00000000000000000000000000000003")
    assert "type: expected 'email', found 'phone'" in result.messages[1]
    assert result.messages[2].startswith("not expected: identifier_id=0000000000000000000000000000000b")


def test_a_row_twice_is_a_difference():
    rows = [identifier(1), identifier(2)]
    assert compare.compare(DIM, rows, [rows[0], rows[0], rows[1]]).different == 1


def test_null_is_not_the_text_null_and_not_empty():
    for one, two in ((None, "null"), (None, ""), ("\\N", None)):
        assert compare.compare(
            DIM, [identifier(1)[:1] + (one, *identifier(1)[2:])], [identifier(1)[:1] + (two, *identifier(1)[2:])]
        ).different


@pytest.mark.parametrize("value", ["plain", "a\tb\\c\nd\r\b\f\v", "\\N", "ü\u2028x", None])
def test_copy_text_both_ways(value):
    assert database.row(line(("x", value, "y")).encode()) == ("x", value, "y")


def test_lines_are_put_together_from_any_chunks():
    assert list(database.split_lines([b"a\tb", b"\nc\n", b"d\n"])) == [b"a\tb\n", b"c\n", b"d\n"]


def asking():
    """Policies that ask for rows of every view."""
    found = policies("any")
    found.responses = {"sends": {"events": ["Campaign Sent"]}, "within": DAY}
    found.influence = [{"goal": "sale"}]
    offer = {"id": "cover", "product": "cover", "owner": "insurance", "expires": "P9D"}
    found.orchestration = {"rules": [{"id": "gift", "on": {"events": ["Gesture Given"]}, "offers": [offer]}]}
    return found


@pytest.fixture
def views():
    found = oracle.Oracle(asking(), KEY, LATER)
    for raw in random_story(23, 300):
        found.add(raw)
    story, more = Story(), {"campaign": {"id": "x"}}
    story.add(0, "Viewed", "x", source="urn:t\ta\\b", traits_json='{"city": "Bonn"}')["message_id"] = "\u00fc\n"
    story.send(1, "x", person="x")
    story.add(1, "Preferences Updated", "x", consent={"email": True, "sms": False}, content_id="text 2")
    story.add(2, "Clicked", "x", **more)
    story.add(3, "Gesture Given", "x", cost_micros=1, currency="USD", agent_id="ann", direction="inbound")
    story.order(4, 7_500_000, user_id="x", order_id="o", items_json='[{"sku": "ink", "value": 2.5}, {"category": "paper", "value": 5}]')
    story.add(LATER - START - DAY, "Contact Sent", "x", channel="email")
    for raw in story.touchpoints:
        found.add(raw)
    return found.views(LATER)


SQL_TYPES = {
    "uuid": "uuid",
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric(20,6)",
    "near": "numeric(20,6)",
    "boolean": "boolean",
    "date": "date",
    "instant": "timestamptz",
}


@pytest.fixture
def stored(views):
    """(conninfo, schema) of tables that hold exactly the oracle's rows, in another order."""
    url, schema = os.environ.get("TUTTI_TEST_DATABASE"), f"oracle_test_{os.getpid()}"
    if not url:
        pytest.skip("TUTTI_TEST_DATABASE is not set")
    with database.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for name, rows in views.items():
            columns = ", ".join(f"{column} {SQL_TYPES[kind]}" for column, kind in COLUMNS[name]["columns"].items())
            connection.execute(f"CREATE TABLE {schema}.{name} ({columns})")
            with connection.cursor() as cursor, cursor.copy(f"COPY {schema}.{name} FROM STDIN") as copy:
                for row in reversed(rows):
                    copy.write(line(row))
    yield url, schema
    with database.connect(url) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


def compared(stored, views):
    out = io.StringIO()
    return compare.compare_all(stored[0], views, LATER, schema=stored[1], out=out), out.getvalue()


def test_equal_tables_and_their_checksums(stored, views):
    failures, text = compared(stored, views)
    assert failures == 0, text
    found = checksums.checksums(stored[0], schema=stored[1])
    assert found == {name: (oracle.checksum(rows), len(rows)) for name, rows in views.items()}
    assert found["fct_unidentified_touchpoints"] == (hashlib.md5(b"").hexdigest(), 0)


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "fct_unidentified_touchpoints"])
def test_a_lost_row_is_found_in_every_view(stored, views, name):
    with database.connect(stored[0]) as connection:
        connection.execute(f"DELETE FROM {stored[1]}.{name} WHERE ctid = (SELECT min(ctid) FROM {stored[1]}.{name})")
    failures, text = compared(stored, views)
    assert failures == 1 and f"FAIL {name}" in text and "missing:" in text


def test_one_micro_unit_is_found(stored, views):
    with database.connect(stored[0]) as connection:
        connection.execute(f"UPDATE {stored[1]}.fct_conversions SET revenue = revenue + 0.000001 WHERE is_first")
    failures, text = compared(stored, views)
    assert failures == 1 and "revenue: expected" in text


def test_a_missing_view_fails_and_the_others_are_still_compared(stored, views):
    with database.connect(stored[0]) as connection:
        connection.execute(f"DROP TABLE {stored[1]}.dim_profiles")
    failures, text = compared(stored, views)
    assert failures == 1 and "FAIL dim_profiles" in text and text.count("ok  ") == len(COLUMNS) - 1
