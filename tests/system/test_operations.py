"""What an operator relies on: health pages, metrics, signals, and one clear line when something is set up wrongly."""

import json
import shutil
import signal
import subprocess
import time

import psycopg
import pytest

from cluster import BANK, RETAILER
from service import NAMES
from stack import BIN, plain_environment
from test_command_kills import start
from waiting import patient, until

FAILURE_SECONDS = 60
OUR_TOPICS = {
    *("tutti.touchpoints-resolved.v1", "tutti.touchpoints-resolved.v1.dlq", "tutti.identity-changes.v1"),
    *("tutti.identity-changes.v1.dlq", "tutti.journey-diffs.v1", "tutti.journey-diffs.v1.dlq"),
    *("tutti.journey-stages.v1", "tutti.opportunities.v1", "tutti.contact-decisions.v1"),
}


# ------------------------------------------------------------------------------------------ servers that go and come


def test_health_with_postgres_stopped_and_started(fragile, make_world):
    world = make_world(fragile, "health", policies=BANK)
    lines = world.generate("bank", people=50, events=1000)
    services = world.start()
    world.produce(lines[:300])
    world.settle()
    fragile("stop", "postgres")
    world.produce(lines[300:600])
    for service in services:
        until(lambda s=service: s.get("/readyz")[0] == 503, 60, f"{service.name} says that it is not ready")
        assert service.get("/livez")[0] == 200
        verbose = service.get("/readyz?verbose")
        assert verbose[0] == 503 and "postgres" in verbose[1], verbose
    assert all(service.is_alive() for service in services)
    fragile("start", "postgres")
    for service in services:
        service.wait_ready()
    world.produce(lines[600:800])
    world.settle()
    check_kafka_away(world, fragile, services, lines[800:])


def check_kafka_away(world, stack, services, rest):
    """The same for the broker; what was produced before and after is all there."""
    stack("stop", "kafka")
    for service in services:
        until(lambda s=service: s.get("/readyz")[0] == 503, 60, f"{service.name} says that it is not ready")
        assert service.get("/livez")[0] == 200
    stack("start", "kafka")
    for service in services:
        service.wait_ready()
    world.produce(rest)
    world.settle()
    world.assert_equals_oracle()
    world.assert_chronicles()
    world.stop()


def test_sigterm_while_a_server_is_away(fragile, make_world):
    """Waiting for a database does not keep a service from stopping."""
    world = make_world(fragile, "away")
    services = world.start()
    fragile("stop", "postgres")
    world.produce(world.generate("bench", people=20, events=100))
    for service in services:
        until(lambda s=service: s.get("/readyz")[0] == 503, 60, f"{service.name} says that it is not ready")
    world.stop()
    fragile("start", "postgres")
    world.start()
    world.settle()
    world.assert_equals_oracle()


# ------------------------------------------------------------------------------------------------ signals and pages


def test_sigterm_ends_with_0_and_loses_nothing(stack, make_world):
    world = make_world(stack, "sigterm", policies=BANK)
    lines = world.generate("bank", people=200, events=6000)
    services = world.start()
    third = -(-len(lines) // 3)
    for at in range(0, len(lines), third):
        world.produce(lines[at : at + third])
        world.stop(services)  # in the middle of it
        for service in services:
            service.start()
        for service in services:
            service.wait_ready()
    world.settle()
    world.assert_equals_oracle()
    world.assert_chronicles()
    for service in services:
        assert [event["event"] for event in service.log_events()].count("stopped") == 3
    world.stop()


def test_metrics_and_pages(stack, make_world):
    world = make_world(stack, "pages", policies=BANK)
    services = world.start()
    world.produce(world.generate("bank", people=100, events=2000))
    world.settle()
    for service in services:
        status, text = service.get("/metrics")
        assert status == 200
        promtool = ["promtool", "check", "metrics"]
        checked = subprocess.run(promtool, input=text, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, f"{service.name}\n{checked.stdout}{checked.stderr}"
        names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
        missing = {
            "tutti_build_info",
            "tutti_records_consumed_total",
            "tutti_records_processed_total",
            "tutti_kafka_consumer_lag",
            "tutti_db_up",
            "tutti_batch_seconds",
        } - names
        assert not missing, f"{service.name} lacks {missing}"
        assert service.metric("tutti_records_processed_total") > 0
        assert service.metric("tutti_kafka_consumer_lag") == 0
        assert service.get("/version")[0] == 200 and service.get("/livez")[0] == 200
        assert service.get("/nothing-here")[0] == 404
    (suppression,) = world.of("suppression")
    assert suppression.metric("tutti_contact_decisions_total") == len(world.messages("decisions"))
    world.stop()


def test_any_number_of_input_topics(stack, make_world):
    """Our own topics come after them."""
    world = make_world(stack, "many")
    inputs = ",".join(f"touchpoints.c{i}.v1" for i in range(200))
    plan = json.loads(world.tool("topics", "plan", "--json", "--topics.input", inputs).stdout)
    names = {topic["topic"] for topic in plan}
    assert len(names) == 2 * 200 + 9 and "tutti.contact-decisions.v1" in names, len(names)


def test_the_broker_bounds_timestamps(stack, make_world):
    """An input topic takes no record that is dated more than an hour ahead; an older topic without the bound is reported."""
    world = make_world(stack, "bounded")
    bounded, free = (f"touchpoints.{world.name}-{word}.v1" for word in ("bounded", "free"))
    before = set(world.topics.admin.list_topics(timeout=patient(30)).topics)
    world.topics.create({free: 8, f"{free}.dlq": 1})
    apply = ("topics", "apply", "--json", "--topics.input", f"{bounded},{free}")
    try:
        found = {topic["topic"]: topic for topic in json.loads(world.tool(*apply).stdout)}
        assert found[bounded]["state"] == "ok"
        assert "message.timestamp.after.max.ms 9223372036854775807 above 3600000" in found[free]["difference"]
        assert "message.timestamp" not in found[f"{free}.dlq"]["difference"]
        now = int(time.time() * 1000)
        world.topics.produce(bounded, [(None, b"x", None, now + 3000000)])
        with pytest.raises(AssertionError, match="INVALID_TIMESTAMP|timestamp"):
            world.topics.produce(bounded, [(None, b"x", None, now + 7200000)])
    finally:
        world.topics.delete({bounded, f"{bounded}.dlq", free, f"{free}.dlq", *OUR_TOPICS} - before)


# ---------------------------------------------------------------------------------------------- set up wrongly


def expect_refusal(service, *words):
    """It ends by itself with status 1, and exactly one line says why."""
    service.start()
    until(lambda: not service.is_alive(), FAILURE_SECONDS, lambda: f"{service.name} ends\n{service.last_lines()}")
    lines = service.log.read_text().splitlines()
    errors = [line for line in lines if '"level":"error"' in line or not line.startswith("{")]
    assert service.process.returncode == 1, service.last_lines()
    assert len(errors) == 1, errors
    assert all(word in errors[0] for word in words), errors


@pytest.mark.parametrize("name", NAMES)
def test_misspelt_setting(world, name):
    expect_refusal(world.service(name, flush_intervall="1s"), "flush.intervall", "flush.interval")
    service = world.service(name)
    service.settings["kafka.consumer.sesion.timeout.ms"] = 6000
    expect_refusal(service, "sesion.timeout.ms", "session.timeout.ms")
    expect_refusal(world.service(name, flush_interval="soon"), "flush.interval")


@pytest.mark.parametrize("name", NAMES)
def test_missing_topic(world, name):
    outputs = {"identity-resolver": "resolved", "journey-tracker": "stages", "suppression": "decisions"}
    short = outputs.get(name, "diffs")
    expect_refusal(world.service(name, **{f"topic_{short}": "no-such-topic"}), "no-such-topic", "tutti topics")


@pytest.mark.parametrize("name", NAMES)
def test_missing_input_topic_or_dead_letter_topic(world, name):
    short = {"identity-resolver": "touchpoints", "metrics-aggregator": "diffs"}.get(name, "resolved")
    expect_refusal(world.service(name, **{f"topic_{short}": "no-such-input"}), "no-such-input", "tutti topics")
    expect_refusal(world.service(name, dead_letter_topic_suffix=".elsewhere"), ".elsewhere", "tutti topics")


@pytest.mark.parametrize("name", NAMES)
def test_other_schema_version(world, name):
    with psycopg.connect(world.url, autocommit=True) as connection:
        table = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.columns"
            " WHERE column_name = 'version' AND table_name LIKE '%migrations%'"
        ).fetchone()[0]
        newest = f"SELECT max(version) FROM {table}"
        assert connection.execute(f"DELETE FROM {table} WHERE version = ({newest}) RETURNING 1").fetchone()
    expect_refusal(world.service(name), "tutti migrate")


@pytest.mark.parametrize("name", ["identity-resolver", "journey-tracker", "suppression"])
def test_other_policies(world, name):
    expect_refusal(world.service(name, policy_dir=BANK), "tutti policy apply")


def test_other_identity_key(world):
    world.start(names=["identity-resolver"])
    world.stop()
    other = world.directory / "other.key"
    other.write_text("7b" * 32)
    service = world.service("identity-resolver")
    service.settings["identity.key_file"] = other
    expect_refusal(service, "identity.key_file")


def test_unreadable_policy(world):
    folder = world.directory / "policies"
    shutil.copytree(RETAILER, folder)
    (folder / "journey.json").write_text('{"session": "half an hour"}')
    expect_refusal(world.service("journey-tracker", policy_dir=folder), "journey.json")


def test_another_contact_policy_is_refused_while_services_run(world):
    """What it asks of the past is read with the services stopped; nothing changes before."""
    world.start()
    world.policies = BANK
    active = "SELECT generation, number FROM tutti_meta.generations WHERE is_active"
    before = world.query(active)
    refused = world.tool("policy", "apply", check=False)
    assert refused.returncode == 1 and "services are running, and contact.json is another one" in refused.stderr, refused.stderr
    assert world.query(active) == before
    world.stop()
    world.tool("policy", "apply")
    assert world.query(active) != before


def test_policy_apply_waits_for_whoever_just_ended(world):
    """The server hears a moment later that a service is gone."""
    world.policies = BANK
    tried = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tutti' AND datname = current_database()"
    with psycopg.connect(world.url) as service:
        service.execute("LOCK TABLE tutti_meta.presence IN ROW SHARE MODE")
        command = start(world, "policy", "apply")
        until(lambda: world.query(tried) != [(0,)] or command.poll() is not None, 60, "it is about to ask for the lock")
        time.sleep(0.2)
    assert command.wait(patient(60)) == 0


def test_second_signal_ends_at_once(world):
    (service,) = world.start(names=["metrics-aggregator"])
    service.pause()
    service.signal(signal.SIGTERM)
    service.signal(signal.SIGTERM)
    service.resume()
    until(lambda: not service.is_alive(), 60, "the service ends")


@pytest.mark.parametrize("words", [("migrate", "status"), ("scoreboard", "--json")], ids=" ".join)
def test_an_answer_that_cannot_be_written_is_a_failure(world, words):
    """A full disk behind `tutti ... > file` must not look like an empty answer."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [BIN / "tutti", *words],
            env=plain_environment(TUTTI_DATABASE_URL=world.url),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=patient(60),
        )
    assert (done.returncode, done.stderr) == (1, "error: cannot write to stdout\n")
