"""The world of one test: an own database, own topics and groups, the four services, and the comparison with the oracle.

    world = World(stack, tmp_path, "name", policies=BANK)
    world.generate("bank", people=200, events=2000)     # lines that the oracle will see, too
    world.start()                                       # one instance of each service, or instances=2
    world.produce(world.lines)
    world.settle()
    world.assert_equals_oracle()
"""

import contextlib
import gc
import io
import json
import random
import subprocess
import sys
import time
import uuid
from collections import Counter

import psycopg

from service import NAMES, Service
from stack import BIN, ROOT, plain_environment
from topics import Topics, unframed
from waiting import NotInTime, patient, until

sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import checksums  # noqa: E402
import compare  # noqa: E402
import contact_verdicts  # noqa: E402
import database  # noqa: E402
import oracle  # noqa: E402
import policy  # noqa: E402

RETAILER, BANK = ROOT / "policies", ROOT / "policies" / "bank"
EPOCH = "2025-03-01T00:00:00Z"  # of generated data: always in the past
AS_OF = policy.instant("2026-01-15T12:00:00Z")

TOPIC_SETTINGS = {
    "identity-resolver": ("touchpoints", "resolved", "identity.changes"),
    "journey-tracker": ("resolved", "identity.changes", "diffs", "stages", "opportunities"),
    "suppression": ("resolved", "identity.changes", "decisions"),
    "metrics-aggregator": ("diffs",),
}
INPUTS = {
    "identity-resolver": ("touchpoints",),
    "journey-tracker": ("resolved", "identity.changes"),
    "suppression": ("resolved", "identity.changes"),
    "metrics-aggregator": ("diffs",),
}
ROLES = {
    "identity-resolver": "tutti_identity",
    "journey-tracker": "tutti_journey",
    "suppression": "tutti_suppression",
    "metrics-aggregator": "tutti_metrics",
}
# Messages that a command left behind are published, and instances that join or leave are noticed, without much waiting.
QUICK = {"outbox.scan.interval": "200ms", "kafka.consumer.heartbeat.interval.ms": 200}
PARTITIONS = {"touchpoints": 4, "resolved": 4, "identity.changes": 1, "diffs": 2, "stages": 2, "opportunities": 2, "decisions": 2}

# What must be nothing once everything has arrived, in the order in which work moves on.
LEFT_BEHIND = {
    "identity-resolver": "SELECT count(*) FROM identity.outbox",
    "journey-tracker": "SELECT count(*) + (SELECT count(*) FROM journey.message_outbox) FROM journey.lanes"
    " WHERE pub_seq <> seq",
    "suppression": "SELECT count(*) FROM suppression.outbox",
    "metrics-aggregator": "SELECT count(*) FROM journey.lanes l LEFT JOIN metrics.progress p USING (lane)"
    " WHERE coalesce(p.next_seq, 1) <> l.seq + 1",
}


class ToolFailed(AssertionError):
    """`tutti` ended with another status than 0."""


def run_tool(*words, check=True, environment=None, timeout=patient(300), **more):
    """Runs `tutti <words>`; its output as text."""
    done = subprocess.run(
        [BIN / "tutti", *map(str, words)],
        env=plain_environment(**(environment or {})),
        text=True,
        capture_output=True,
        timeout=timeout,
        **({"stdin": subprocess.DEVNULL} if "input" not in more else {}),
        **more,
    )
    if check and done.returncode != 0:
        raise ToolFailed(f"tutti {words[0]} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


class World:
    """Everything that one test has to itself."""

    def __init__(self, stack, directory, name, policies=RETAILER, partitions=None, settings=None, key=None):
        self.stack, self.directory, self.policies = stack, directory, policies
        self.name = f"{name}-{uuid.uuid4().hex[:8]}"
        self.settings, self.rescue_after = settings or {}, "5s"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key = key or random.Random(name).randbytes(32)
        self.key_file = self.directory / "identity.key"
        self.key_file.write_text(self.key.hex() + "\n", encoding="ascii")
        self.key_file.chmod(0o600)
        self.lines, self.services = [], []
        self.counter = 0
        self.partitions = {**PARTITIONS, **(partitions or {})}
        self.topics = Topics(stack.brokers)
        self.readers = {}
        self.prepare()

    # ------------------------------------------------------------------------------------------------ set-up

    def prepare(self):
        self.stack.create_migrated(self.name)
        self.tool("policy", "apply")
        wanted = {self.topic(short): count for short, count in self.partitions.items()}
        wanted.update({self.dead_letters(short): 1 for inputs in INPUTS.values() for short in inputs})
        self.topics.create(wanted)

    def end(self):
        """Ends what still runs."""
        for service in self.services:
            service.kill()
        for reader in self.readers.values():
            reader.close()
        self.readers = {}

    def remove(self):
        """Ends what still runs and gives the space back."""
        self.end()
        with contextlib.suppress(Exception):  # a server may have been left stopped by a failed test
            self.topics.delete(name for name in self.topics.admin.list_topics(timeout=patient(10)).topics if self.owns(name))
            self.stack.drop_database(self.name)

    def owns(self, topic):
        return topic.startswith(self.name + ".")

    def topic(self, short):
        return f"{self.name}.{short}"

    def dead_letters(self, short):
        return self.topic(short) + ".dlq"

    def group(self, name):
        return f"{self.name}.{name}"

    @property
    def url(self):
        return self.stack.url(self.name)

    def tool(self, *words, env=None, **more):
        """`tutti <words>` on this world's database and policies."""
        environment = {
            "TUTTI_KAFKA_BOOTSTRAP_SERVERS": self.stack.brokers,
            "TUTTI_DATABASE_URL": self.url,
            "TUTTI_POLICY_DIR": str(self.policies),
            "TUTTI_IDENTITY_KEY_FILE": str(self.key_file),
            **(env or {}),
        }
        if words[:2] == ("policy", "apply"):
            words += self.readers_named()
        return run_tool(*words, environment=environment, **more)

    def readers_named(self):
        """The options that tell `tutti policy apply` who reads the resolved touchpoints."""
        groups = {"group": "suppression", "journey-group": "journey-tracker"}
        named = {"topic": self.topic("resolved"), **{option: self.group(name) for option, name in groups.items()}}
        return tuple(word for option, name in named.items() for word in (f"--{option}", name))

    # ----------------------------------------------------------------------------------------------- services

    def settings_of(self, name):
        """The settings of a service, as its command line has them."""
        found = {
            "kafka.bootstrap.servers": self.stack.brokers,
            "database.url": self.stack.url(self.name, ROLES[name]),
            "group.id": self.group(name),
            "policy.dir": self.policies,
            "identity.key_file": self.key_file,
            "log.format": "json",
            **QUICK,
        }
        found.update({f"topic.{short}": self.topic(short) for short in TOPIC_SETTINGS[name]})
        found.update(self.settings)
        if name == "suppression":
            found["outbox.rescue.after"] = self.rescue_after
        return found

    def service(self, name, **settings):
        """A new instance, not started; settings: with _ for the dots of their names."""
        self.counter += 1
        more = {key.replace("_", "."): value for key, value in settings.items()}
        identity = f"{name}-{self.counter}"
        settings = {"kafka.client.id": identity, **self.settings_of(name), **more}
        service = Service(name, settings, self.directory / f"{identity}.log")
        self.services.append(service)
        return service

    def start(self, instances=1, names=NAMES):
        """Starts new instances of the services and waits until all take part."""
        started = [self.service(name).start() for name in names for _ in range(instances)]
        for service in started:
            service.wait_ready()
        return started

    def of(self, name):
        return [service for service in self.services if service.name == name]

    def stop(self, services=None):
        """SIGTERM to all at once; each must end with status 0."""
        chosen = self.services if services is None else services
        for service in chosen:
            assert service.is_alive(), f"{service.name} ended by itself\n{service.last_lines()}"
            service.signal(15)
        for service in chosen:
            service.expect_stopped()

    def rewind(self, name):
        """A group back to the beginning of its topics; its services must be stopped."""
        self.topics.rewind(self.group(name), [self.topic(short) for short in INPUTS[name]])

    def read_again(self, names, services=None):
        """Stops these services, all instances of the names if none are given, rewinds the groups of the names, starts them."""
        chosen = [service for name in names for service in self.of(name)] if services is None else services
        self.stop(chosen)
        for name in names:
            self.rewind(name)
        for service in chosen:
            service.start()
        for service in chosen:
            service.wait_ready()

    # ----------------------------------------------------------------------------------------------- the data

    def generate(self, profile, people, events, seed=1, **options):
        """Generated touchpoints as JSON lines; they are also what the oracle sees."""
        more = [word for key, value in options.items() for word in (f"--{key}", value)]
        words = ("--profile", profile, "--people", people, "--events", events, "--seed", seed, "--epoch", EPOCH)
        lines = run_tool("generate", *words, *more).stdout.splitlines()
        assert len(lines) >= events
        self.lines += lines
        return lines

    def produce(self, lines, key="identifier"):
        """Sends JSON lines with `tutti produce`."""
        if lines:
            self.tool("produce", "--topic", self.topic("touchpoints"), "--key", key, input="\n".join(lines) + "\n")

    # ---------------------------------------------------------------------------------------------- settling

    def reader(self, name):
        if name not in self.readers:
            self.readers[name] = self.topics.consumer(self.group(name))
        return self.readers[name]

    def left_over(self, names):
        """({service: (records of lag, rows that wait)}, records in all topics), in the order in which work moves on."""
        found, total = {}, 0
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name in names:
                lag, records = self.topics.lag(self.reader(name), [self.topic(short) for short in INPUTS[name]])
                (waiting,) = connection.execute(LEFT_BEHIND[name]).fetchone()
                found[name] = (lag, waiting)
                total += records
        return found, total

    def settle(self, seconds=240, names=NAMES):
        """Waits until the groups have committed everything, nothing waits in an outbox, and every diff is applied."""
        seen = []

        def settled():
            self.expect_alive()
            found, total = self.left_over(names)
            seen.append(total if not any(map(any, found.values())) else None)
            self.progress = found
            return seen[-1] is not None and seen[-2:] == [seen[-1]] * 2

        try:
            until(settled, seconds, lambda: f"all caught up; (lag, waiting rows): {self.progress}")
        except NotInTime as error:
            logs = "\n".join(service.last_lines(8) for service in self.services)
            raise NotInTime(f"{error}\n{logs}") from None

    def expect_alive(self):
        for service in self.services:
            ended = service.process is not None and service.process.poll() not in (None, 0, -9)
            assert not ended, f"{service.name} ended with {service.process.returncode}\n{service.last_lines()}"

    # ---------------------------------------------------------------------------------------------- comparing

    def oracle_views(self, as_of=AS_OF):
        """{view: rows} that the touchpoints produced so far must lead to."""
        policies = policy.Policies.load(self.policies)
        world = oracle.Oracle(policies, self.key, int(time.time() * policy.US), self.topic("touchpoints"))
        gc.disable()  # as oracle.compute does
        try:
            for line in self.lines:
                world.add(json.loads(line))
            for order in self.orders():
                world.order(*order)
            return world.views(as_of)
        finally:
            gc.enable()

    def verdicts_recorded_wrongly(self, contact=None):
        """What the oracle finds wrong in the decisions; [] as well where the policy changed meanwhile."""
        contact = contact or json.loads((self.policies / "contact.json").read_text(encoding="utf-8"))
        with database.connect(self.url) as connection:
            if len(connection.execute("SELECT DISTINCT generation FROM suppression.decisions").fetchall()) > 1:
                return []
            return contact_verdicts.check(connection, contact, self.lines)

    def stored_verdicts(self):
        """({request id: its stored decision}, {request id: {rule id: (passed, texts, next_at)}})."""
        with database.connect(self.url) as connection:
            return contact_verdicts.stored_decisions(connection), contact_verdicts.stored_rules(connection)

    def orders(self):
        """What operators ordered with `tutti identity`, oldest first."""
        with database.connect(self.url) as connection:
            return database.orders(connection)

    def assert_equals_oracle(self):
        views = self.oracle_views()
        assert views["fct_touchpoints"] or views["fct_unidentified_touchpoints"], "the oracle saw nothing"
        out = io.StringIO()
        failures = compare.compare_all(self.url, views, AS_OF, show=3, out=out)
        assert failures == 0, f"{failures} views differ from the oracle\n{out.getvalue()}"
        return views

    def checksums(self):
        """{view: (md5, rows)} of all convergent views."""
        return checksums.checksums(self.url, AS_OF)

    def query(self, statement, *values):
        with database.connect(self.url, AS_OF) as connection:
            return connection.execute(statement, values).fetchall()

    # ------------------------------------------------------------------------------------- chronicles on topics

    def messages(self, short):
        """The decoded records of one of our own topics."""
        return [unframed(message.value()) for message in self.topics.read(self.topic(short))]

    def decisions(self):
        """{(request id, whether a revocation): how often it was published}."""
        return count((m["request_id"], m["verdict"] == "revoked") for m in self.messages("decisions"))

    def stage_changes(self):
        """{id of a stage change: its messages, retractions included, by their versions}."""
        found = {}
        for record in self.topics.read(self.topic("stages")):
            message = unframed(record.value())
            found.setdefault(message["retracts"] or message["id"], []).append(message)
        return {key: sorted(told, key=lambda message: message["version"]) for key, told in found.items()}

    def assert_chronicles(self):
        """Nothing was said twice: one verdict and at most one revocation per request, stage changes as they stand."""
        self.assert_decisions_once()
        for messages in self.stage_changes().values():
            said = [{**message, "version": None} for message in messages]
            assert all(one != two for one, two in zip(said, said[1:])), f"said twice: {messages}"
        self.assert_stage_changes()

    def assert_decisions_once(self):
        twice = {key: times for key, times in self.decisions().items() if times > 1}
        assert not twice, f"{len(twice)} decisions were published more than once"
        self.assert_verdicts()

    def assert_verdicts(self):
        """Every request has its row and its message, which say the same; every revocation was told."""
        rows = self.query("SELECT request_id, verdict, outcome FROM tutti.fct_contact_decisions")
        stored = {row[0].bytes: row[1] for row in rows}
        told, revoked = {}, set()
        for message in self.messages("decisions"):
            if message["verdict"] == "revoked":
                revoked.add(message["request_id"])
                continue
            same = told.setdefault(message["request_id"], message)
            assert same == message, f"two answers to one request: {same}, {message}"
        assert {request: message["verdict"] for request, message in told.items()} == stored
        wanted = {row[0].bytes for row in rows if row[2] == "revoked"}
        assert wanted <= revoked, f"{len(wanted - revoked)} revocations were not told"
        later = ("cancelled", "sent", "failed", "delivered")
        overtaken = {row[0].bytes for row in rows if row[1] == "grant" and row[2] in later}
        assert revoked - wanted <= overtaken, f"{len(revoked - wanted - overtaken)} revocations are not in the table"

    def assert_stage_changes(self):
        """What was published and not taken back are the rows of the table."""
        last = {key: messages[-1] for key, messages in self.stage_changes().items()}
        standing = Counter(
            (m["touchpoint_id"], m["from_stage"], m["stage"]) for m in last.values() if m["retracts"] is None
        )
        rows = self.query(
            "SELECT touchpoint_id, from_stage, to_stage FROM tutti.fct_stage_changes"
            " WHERE reason = 'rule' AND from_stage IS DISTINCT FROM to_stage"
        )
        table = Counter((row[0].bytes, row[1], row[2]) for row in rows)
        assert standing == table, (
            f"{(standing - table).total()} stage changes were not taken back,"
            f" {(table - standing).total()} were never told or taken back wrongly"
        )

    def assert_numbers_dense(self, all_on_topic=True):
        """Every diff number from 1 to the lane's last was applied once: progress is one beyond it. Numbers that are
        missing on the topic were read from the outbox, which happens only where something was killed."""
        rows = self.query(
            "SELECT l.lane, l.seq, l.pub_seq, p.next_seq FROM journey.lanes l LEFT JOIN metrics.progress p USING (lane)"
        )
        assert rows
        for lane, seq, published, following in rows:
            assert published == seq and following == seq + 1, (lane, seq, published, following)
        published = {}
        for message in self.messages("diffs"):
            same = published.setdefault((message["lane"], message["seq"]), message["cells"])
            assert same == message["cells"], f"two different diffs have the number {message['lane']}:{message['seq']}"
        wanted = {(lane, number) for lane, seq, _, _ in rows for number in range(1, seq + 1)}
        assert published.keys() <= wanted
        assert not all_on_topic or published.keys() == wanted, f"{len(wanted - published.keys())} numbers never came"


def count(items):
    found = {}
    for item in items:
        found[item] = found.get(item, 0) + 1
    return found
