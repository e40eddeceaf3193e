"""kill -9 of `tutti erase` and of orders at known points, then the same command again: the tables of one undisturbed run.

A command is held at a point by a lock that the test takes, or by a service that stands still, and killed there."""

import subprocess
import time

import psycopg
import pytest

import checksums  # of tests/oracle, by cluster
from people import HOUR, JANE, NOW, RECENT, assert_plan_is_quiet, feed, identity_tables, kiosk, opted_out_family, profiles, touchpoint
from stack import BIN, plain_environment
from traces import erase, traces
from waiting import until

# Sessions that wait for one, or for another that waits for it.
STOPPED = """
WITH RECURSIVE behind (pid) AS (
    SELECT %s::integer
    UNION
    SELECT a.pid FROM pg_stat_activity AS a JOIN behind AS b ON b.pid = ANY (pg_blocking_pids(a.pid))
    WHERE a.datname = current_database())
SELECT a.application_name FROM behind JOIN pg_stat_activity AS a USING (pid)
"""


class Held:
    """A session of the test that holds a lock until the end of the block."""

    def __init__(self, world, *statements):
        self.world, self.statements = world, statements

    def __enter__(self):
        self.connection = psycopg.connect(self.world.url)
        for statement, *values in self.statements:
            self.connection.execute(statement, values)
        return self

    def __exit__(self, kind, value, trace):
        self.connection.close()

    def stops(self, name):
        """Whether a program stands at the lock. A service may hold up a command, too, but only for a moment."""
        return (name,) in self.world.query(STOPPED, self.connection.info.backend_pid)

    def kill(self, *words):
        """Starts the command, waits until it stands at the lock, and kills it."""
        process = start(self.world, *words)
        until(lambda: self.stops("tutti") or process.poll() is not None, 60, "the command at the lock")
        assert process.poll() is None, "it did not come to that point"
        process.kill()
        process.wait()


def start(world, *words):
    """The command in the background."""
    environment = {
        "TUTTI_KAFKA_BOOTSTRAP_SERVERS": world.stack.brokers,
        "TUTTI_DATABASE_URL": world.url,
        "TUTTI_POLICY_DIR": str(world.policies),
        "TUTTI_IDENTITY_KEY_FILE": str(world.key_file),
    }
    return subprocess.Popen(
        [BIN / "tutti", *map(str, words)],
        env=plain_environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_gone(world):
    """Until the server has noticed that the command is dead."""
    gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tutti' AND datname = current_database()"
    until(lambda: world.query(gone) == [(0,)], 60, "its session ends")


# ----------------------------------------------------------------------------------------------------------- erase

DEVICE = "device_id:kiosk"
LEAVER = "user_id:user-3"
ERASE = ("erase", LEAVER, "--reason", "asked for it", "--execute")


def crowd():
    """One user too many for the device; Bob names the e-mail of the one who will leave."""
    yield from kiosk(4)
    yield touchpoint("theirs", RECENT, user_id="user-3", email="home@example1.com")
    yield touchpoint("buys", RECENT + 1, "Order Completed", user_id="user-3", value_micros=1, currency="USD")
    yield touchpoint("bob", RECENT + HOUR, user_id="bob", email="home@example1.com")


def everything(world):
    """What an erasure leaves, without chronicle columns."""
    facts = "SELECT anchor, occurred_at, event_id, others FROM {}.facts ORDER BY 1, 2, 3"
    return (
        identity_tables(world),
        [world.query(facts.format(schema)) for schema in ("journey", "suppression")],
        # Not journey.states: which profiles have one, and the codes in it, depend on how the input fell into batches.
        checksums.checksums(world.url, NOW),
        world.query("SELECT identifier_id FROM identity.erased ORDER BY 1"),
        world.query("SELECT is_complete, linked = '{}' FROM identity.erasures"),
    )


def crowded(make_world, stack):
    """Worlds of one key."""
    world = make_world(stack, "kill-erase")
    world.start()
    feed(world, *crowd())
    return world


IN_THE_TRANSACTION = (
    "LOCK TABLE tutti_meta.erasure_lock IN ROW SHARE MODE",
    "SELECT FROM journey.facts FOR KEY SHARE",
    "SELECT FROM journey.states FOR KEY SHARE",
    "SELECT FROM identity.links FOR KEY SHARE",
    "SELECT FROM identity.identifiers FOR KEY SHARE",
)
AFTER_IT = (
    "SELECT FROM journey.facts WHERE message_id = 'bob' FOR SHARE",
    "SELECT FROM identity.policies WHERE is_active FOR UPDATE",
)


def test_erase_is_killed(stack, make_world):
    world, undisturbed = crowded(make_world, stack), crowded(make_world, stack)
    erased = erase(undisturbed, LEAVER)["identifiers"]
    undisturbed.settle()
    before = everything(world)
    for lock in IN_THE_TRANSACTION:
        with Held(world, (lock,)) as held:
            held.kill(*ERASE)
            assert everything(world) == before, lock
        wait_gone(world)
        assert everything(world) == before, lock
    for lock in AFTER_IT:
        with Held(world, (lock,)) as held:
            held.kill(*ERASE)
        wait_gone(world)
        assert world.query("SELECT is_complete FROM identity.erasures") == [(False,)], lock
        feed(world, touchpoint("other", RECENT + HOUR, user_id="other"))
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(1,)], "quarantine is not judged yet"
    said = erase(world, LEAVER)
    assert sorted(said["identifiers"]) == sorted(erased)
    feed(undisturbed, touchpoint("other", RECENT + HOUR, user_id="other"))
    world.settle()
    assert everything(world) == everything(undisturbed) and traces(world, erased) == {}
    assert world.query("SELECT count(*) FROM tutti.dim_profiles WHERE is_shared") == [(0,)]
    again = world.tool(*ERASE, check=False)
    assert again.returncode == 1 and "was erased at" in again.stderr
    for one in (world, undisturbed):
        assert_plan_is_quiet(one)
        one.stop()


# ---------------------------------------------------------------------------------------------------------- orders


def outcome(world):
    """What an order leads to: identity, the map of each reader, what was said again, and who may be written to."""
    # An identifier that is no anchor has a row only if it moved, which depends on how the input fell into batches.
    maps = """SELECT anchor_id, profile_id, version & 1 FROM {0}.anchors AS a
              WHERE EXISTS (SELECT FROM {0}.facts AS f WHERE f.anchor = a.anchor) ORDER BY 1"""
    facts = "SELECT anchor, occurred_at, event_id, kind FROM suppression.facts ORDER BY 1, 2, 3"
    return (
        identity_tables(world),
        [world.query(maps.format(schema)) for schema in ("journey", "suppression")],
        world.query(facts),
        world.query("SELECT DISTINCT kind, a, b FROM identity.manual_evidence"),
    )


def order_of(world, *words):
    where = ("--topic", world.topic("resolved"), "--group", world.group("suppression"), "--wait", 30)
    return ("identity", *words, "--reason", "test", "--execute", *where)


def people():
    yield from opted_out_family()
    yield from kiosk(4)


ORDERS = {
    "unlink": (JANE, "email:home@example1.com"),
    "link": (JANE, "user_id:user-1"),
    "release": (DEVICE,),
}


def peopled(make_world, stack, word):
    world = make_world(stack, f"kill-{word}")
    world.start()
    feed(world, *people())
    return world


@pytest.mark.parametrize("word", ORDERS)
def test_an_order_is_killed(stack, make_world, word):
    """At a lock before it changes anything, while suppression stands still, then at chance moments; then it runs undisturbed."""
    world, undisturbed = peopled(make_world, stack, word), peopled(make_world, stack, word)
    words = order_of(world, word, *ORDERS[word])
    undisturbed.tool(*order_of(undisturbed, word, *ORDERS[word]))
    undisturbed.settle()
    before = outcome(world)
    for lock in ("SELECT FROM identity.lock_stripes FOR UPDATE", "LOCK TABLE identity.manual_evidence IN EXCLUSIVE MODE"):
        with Held(world, (lock,)) as held:
            held.kill(*words)
        wait_gone(world)
        assert outcome(world) == before, lock
    if word == "unlink":
        kill_while_it_carries(world, words)
    for delay in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8):
        process = start(world, *words)
        time.sleep(delay)  # anywhere; what is asserted does not depend on where
        process.kill()
        process.wait()
    wait_gone(world)
    world.tool(*words)
    world.settle()
    assert outcome(world) == outcome(undisturbed) != before
    for one in (world, undisturbed):
        assert_plan_is_quiet(one)
        one.stop()


def kill_while_it_carries(world, words):
    """Opt-outs for the other side are in the topic and not yet stored: nothing is cut apart."""
    (suppression,) = world.of("suppression")
    before = profiles(world)
    with Held(world, ("LOCK TABLE suppression.facts IN SHARE MODE",)) as held:
        process = start(world, *words)
        until(lambda: held.stops("suppression"), 60, "suppression stands at its facts")
        process.kill()
        process.wait()
        assert world.query("SELECT count(*) FROM identity.manual_evidence") == [(0,)]
    assert suppression.is_alive()
    world.settle()
    assert profiles(world) == before
