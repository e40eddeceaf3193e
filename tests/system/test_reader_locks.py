"""A login that may only read takes every lock that it can get, and holds it: the pipeline and the operator's commands go on."""

import psycopg
import pytest

from cluster import BANK
from people import HOUR, START, feed, touchpoint
from traces import erase

ADVISORY = (7235417803201, 7235417803202, 7594869441312613241, 8391741524008593767)  # of earlier versions; any other is as good
MODES = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
RELATIONS = "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v')"
SCHEMAS = ["tutti", "tutti_meta", "identity", "journey", "suppression", "metrics", "active", "slot_0", "slot_1"]
FUNCTIONS = ("tutti_meta.hold_policies()", "tutti_meta.hold_erasures()")


@pytest.fixture
def reader(world):
    """A session of a role that is a member of tutti_reader and nothing else."""
    role = f"reader_{world.name.replace('-', '_')}"
    with psycopg.connect(world.url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN IN ROLE tutti_reader")
    parts = {**psycopg.conninfo.conninfo_to_dict(world.url), "user": role}
    session = psycopg.connect(psycopg.conninfo.make_conninfo(**parts))
    yield session
    session.close()
    with psycopg.connect(world.url, autocommit=True) as owner:
        owner.execute(f"DROP ROLE {role}")


def tried(reader, statement):
    """Whether it was allowed; what it locked stays locked."""
    try:
        with reader.transaction():
            reader.execute(statement)
    except psycopg.errors.Error:
        return False
    return True


def lock_all(world, reader):
    """(modes of tables and views, statements with row locks, functions) that the reader got."""
    for key in ADVISORY:
        reader.execute("SELECT pg_advisory_lock(%s)", [key])
    reader.commit()
    reader.execute("SELECT 1")  # a transaction that stays open
    relations = [row[0] for row in world.query(RELATIONS, SCHEMAS)]
    modes = {mode for mode in MODES for one in relations if tried(reader, f"LOCK TABLE {one} IN {mode} MODE NOWAIT")}
    rows = [one for one in relations if tried(reader, f"SELECT FROM {one} FOR KEY SHARE")]
    read = [one for one in relations if tried(reader, f"SELECT FROM {one} LIMIT 1")]
    assert any(one.startswith("tutti.") for one in read)
    return modes, rows, [one for one in FUNCTIONS if tried(reader, f"SELECT {one}")]


def test_a_reader_stops_nothing(world, reader):
    services = world.start()
    feed(world, touchpoint("1", START, user_id="jane"))
    assert lock_all(world, reader) == ({"ACCESS SHARE"}, [], [])
    held = world.query("SELECT backend_xmin FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = 'tutti_meta.presence'::regclass)")
    assert held == [(None,)] * len(services), "each service is known to run, and keeps no row from VACUUM"

    sale = {"value_micros": 1, "currency": "USD"}
    feed(world, touchpoint("2", START + HOUR, "Order Completed", user_id="jane", **sale), touchpoint("3", START, user_id="joe"))
    assert world.query("SELECT count(*) FROM tutti.fct_conversions") == [(1,)]
    world.tool("migrate", "up")
    assert erase(world, "user_id:joe")["identifiers"]
    world.tool("policy", "apply")  # the same policies: nothing to do
    world.policies = BANK
    refused = world.tool("policy", "apply", check=False)
    assert refused.returncode == 1 and "services are running" in refused.stderr, refused.stderr
    world.stop(services)
    world.tool("policy", "apply")
    services = world.start()
    feed(world, touchpoint("4", START + 2 * HOUR, "Account Opened", user_id="jane"))
    assert world.query("SELECT count(*) FROM tutti.fct_conversions") == [(1,)]
    assert reader.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    world.stop(services)
