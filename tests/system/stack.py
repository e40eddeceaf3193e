"""Kafka and PostgreSQL of the tests: the running stack of the environment, or one of their own that they may kill."""

import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import uuid

import psycopg

from waiting import patient

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TUTTI_BUILD_DIR") or ROOT / "build" / "release")
BIN = BUILD / "bin"
GIVEN = set()  # ports of this run


def free_ports(count=1):
    """The first of so many neighbouring loopback ports that are free, below those that outgoing connections take: a server must
    get its port again after a restart. None is given twice: a server may be slow to listen on its port."""
    while True:
        first = random.SystemRandom().randrange(20000, 32000 - count)
        ports = set(range(first, first + count))
        if not ports & GIVEN and all(map(is_free, ports)):
            GIVEN.update(ports)
            return first


def is_free(port):
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def plain_environment(**more):
    """This process's environment without settings of Tutti, and more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUTTI_")}
    kept.update(more)
    return kept


class Stack:
    """Where Kafka and PostgreSQL are."""

    def __init__(self, brokers, database_url):
        self.brokers, self.database_url = brokers, database_url
        self.template = None  # name of the database that others are copies of

    def url(self, database, user=None):
        """Connection string of a database; user: a role other than the owner of the stack."""
        parts = psycopg.conninfo.conninfo_to_dict(self.database_url)
        name = user or parts.get("user", "tutti_owner")
        return f"postgresql://{name}@{parts['host']}:{parts.get('port', 5432)}/{database}"

    def create_database(self, name, template="template1"):
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            # Copying the files costs two checkpoints and half the CPU time: cheaper where no checkpoint waits for the disk.
            strategy = "file_copy" if connection.execute("SHOW fsync").fetchone() == ("off",) else "wal_log"
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {strategy}')

    def create_migrated(self, name):
        """A database with the schema. `tutti migrate up` runs once; a copy takes a tenth of its time."""
        if self.template is None:
            template = f"template-{uuid.uuid4().hex[:8]}"
            self.create_database(template)
            environment = plain_environment(TUTTI_DATABASE_URL=self.url(template))
            subprocess.run([BIN / "tutti", "migrate", "up"], env=environment, check=True, capture_output=True, timeout=patient(60))
            self.template = template
        self.create_database(name, self.template)

    def remove_template(self):
        if self.template is not None:
            self.drop_database(self.template)

    def drop_database(self, name):
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class OwnStack(Stack):
    """A stack of dev/stack with its own run folder and ports, whose servers a test stops and kills."""

    def __init__(self, run, kafka_port=None, pg_port=None, **settings):
        self.run = pathlib.Path(run)
        self.kafka_port = kafka_port or free_ports(2)  # the controller of Kafka takes the port after the broker's
        self.pg_port = pg_port or free_ports()
        cache = os.environ.get("TUTTI_CACHE_DIR")
        self.environment = plain_environment(
            TUTTI_RUN_DIR=str(self.run),
            TUTTI_KAFKA_PORT=str(self.kafka_port),
            TUTTI_KAFKA_HEAP="256m",
            JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1",  # Java's second compiler costs a young broker half its time
            TUTTI_PG_PORT=str(self.pg_port),
            TUTTI_PG_SHARED_BUFFERS="128MB",
            TUTTI_PG_FSYNC="off",  # servers are killed here, never the machine
            **settings,
            **({"TUTTI_CACHE_DIR": cache} if cache else {}),
        )
        super().__init__(
            f"127.0.0.1:{self.kafka_port}", f"postgresql://tutti_owner@127.0.0.1:{self.pg_port}/tutti"
        )

    def __call__(self, *words):
        """dev/stack <words>: up, down, reset, or start|stop|kill|restart kafka|postgres."""
        subprocess.run(
            [ROOT / "dev" / "stack", *words],
            env=self.environment,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if words[0] == "reset" else None,
            timeout=patient(180),
        )

    def is_up(self):
        """Whether both servers run and answer."""
        words = [ROOT / "dev" / "stack", "status"]
        return subprocess.run(words, env=self.environment, capture_output=True, timeout=60).returncode == 0

    def remove(self):
        self("reset")
        shutil.rmtree(self.run, ignore_errors=True)


@contextlib.contextmanager
def own_stack(name):
    """A fresh stack, wiped at the end."""
    stack = OwnStack(f"/var/tmp/tutti-test-{name}-{os.getpid()}")
    try:
        stack("up")
        yield stack
    finally:
        stack.remove()


def from_environment():
    """The running stack that TUTTI_KAFKA_BOOTSTRAP_SERVERS and TUTTI_DATABASE_URL name, or None."""
    brokers = os.environ.get("TUTTI_KAFKA_BOOTSTRAP_SERVERS")
    url = os.environ.get("TUTTI_DATABASE_URL")
    return Stack(brokers, url) if brokers and url else None
