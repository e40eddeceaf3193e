"""--check-config of the four services: settings, policies and key are read, no server is asked."""

import shutil
import subprocess

import pytest

from service import NAMES
from stack import BIN, ROOT, plain_environment
from waiting import patient

POLICY_OF = {"identity-resolver": "identity.json", "journey-tracker": "journey.json", "suppression": "contact.json"}
READ = [
    *POLICY_OF.items(),
    ("journey-tracker", "goals.json"),
    ("journey-tracker", "channels.json"),
    ("journey-tracker", "referrers.json"),
]


@pytest.fixture
def settings(tmp_path):
    """Settings every service accepts; the policies are a copy that a test may break. Nothing listens on port 9 (discard)."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    (tmp_path / "identity.key").write_text("5a" * 32)
    (tmp_path / "identity.key").chmod(0o600)
    return {
        "kafka.bootstrap.servers": "127.0.0.1:9",
        "database.url": "postgresql://nobody@127.0.0.1:9/none",
        "policy.dir": tmp_path / "policies",
        "identity.key_file": tmp_path / "identity.key",
    }


def check(name, settings, **variables):
    return subprocess.run(
        [BIN / f"tutti-{name}", "--check-config", *(f"--{key}={value}" for key, value in settings.items())],
        env=plain_environment(**variables),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )


def assert_valid(done):
    assert (done.returncode, done.stdout, done.stderr) == (0, "configuration is valid\n", "")


def assert_refused(name, done, *parts):
    """One line that begins with the program's name and has the parts; status 1."""
    assert done.returncode == 1 and done.stdout == "", done
    assert done.stderr.count("\n") == 1 and done.stderr.startswith(f"tutti-{name}: "), done.stderr
    assert all(part in done.stderr for part in parts), done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_good_settings(name, settings):
    assert_valid(check(name, settings))


@pytest.mark.parametrize("name", NAMES)
def test_the_policies_of_the_bank(name, settings):
    assert_valid(check(name, {**settings, "policy.dir": ROOT / "policies" / "bank"}))


@pytest.mark.parametrize("name", POLICY_OF)
def test_policies_that_are_not_there(name, settings, tmp_path):
    assert_refused(name, check(name, {**settings, "policy.dir": tmp_path / "nowhere"}), str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name, file", READ)
def test_a_policy_file_is_no_json(name, file, settings):
    path = settings["policy.dir"] / file
    path.write_text(path.read_text().replace("{", "{,", 1))
    assert_refused(name, check(name, settings), file)


@pytest.mark.parametrize("name, file", READ)
def test_a_policy_file_with_a_misspelt_member(name, file, settings):
    path = settings["policy.dir"] / file
    path.write_text(path.read_text().replace("{", '{"no_such_member": 1,', 1))
    assert_refused(name, check(name, settings), file, "no_such_member")


def test_an_identity_key_is_needed_and_read(settings, tmp_path):
    name = "identity-resolver"
    assert_refused(name, check(name, {**settings, "identity.key_file": ""}), "identity.key_file")
    assert_refused(name, check(name, {**settings, "identity.key_file": tmp_path / "no.key"}), "no.key")
    (tmp_path / "short.key").write_text("5a")
    assert_refused(name, check(name, {**settings, "identity.key_file": tmp_path / "short.key"}), "short.key")


FAILS_AT_THE_START = {
    "http.listen": "9101",
    "database.url": "postgresql://nobody@[::1/none",
    "schema.files": "1=/nowhere/touchpoint.avsc",
    "schema.registry.url": "registry:8081",
    "kafka.ssl.ca.location": "/nowhere/ca.pem",
    "kafka.producer.acks": "1",
    "kafka.consumer.session.timeout.ms": "400000",
    "dead.letter.topic.suffix": "",
}
BREAKS_A_PROMISE = {
    "kafka.consumer.isolation.level": "read_uncommitted",
    "kafka.isolation.level": "read_uncommitted",
    "kafka.consumer.auto.offset.reset": "latest",
    "kafka.auto.offset.reset": "error",
    "kafka.producer.enable.idempotence": "false",
}


@pytest.mark.parametrize("key", FAILS_AT_THE_START)
def test_what_would_fail_at_the_start_is_refused(key, settings):
    more = {"kafka.security.protocol": "ssl"} if "ssl" in key else {}
    name = "suppression"
    assert_refused(name, check(name, {**settings, **more, key: FAILS_AT_THE_START[key]}), key.split(".")[-1])


@pytest.mark.parametrize("key", BREAKS_A_PROMISE)
def test_settings_that_break_a_promise_are_refused(key, settings):
    name = "suppression"
    assert_refused(name, check(name, {**settings, key: BREAKS_A_PROMISE[key]}), key)


def test_input_topics_are_checked(settings):
    name = "identity-resolver"
    assert_refused(name, check(name, {**settings, "topic.touchpoints": ""}), "topic.touchpoints")
    assert_refused(name, check(name, {**settings, "topic.touchpoints": "^touchpoints[("}), "touchpoints[(")
    assert_refused(name, check(name, {**settings, "topic.touchpoints": "touchpoints.dlq"}), "touchpoints.dlq")


def test_a_key_that_all_can_read_is_refused(settings, tmp_path):
    name = "identity-resolver"
    key = tmp_path / "identity.key"
    key.chmod(0o644)
    assert_refused(name, check(name, settings), "identity.key", "chmod")
    key.chmod(0o640)
    assert_valid(check(name, settings))
    raw = tmp_path / "privacy.key"
    raw.write_text("6b" * 32)
    raw.chmod(0o604)
    with_raw = {**settings, "privacy.raw_values": "true", "privacy.key_file": raw}
    assert_refused(name, check(name, with_raw), "privacy.key", "chmod")


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_checked_too(name, settings):
    assert_refused(name, check(name, {**settings, "log.level": "loud"}), "log.level", "loud")
    assert_refused(name, check(name, {**settings, "kafka.bootstrap.server": "x"}), "bootstrap.server")


@pytest.mark.parametrize("name", NAMES)
def test_variables_of_other_programs_are_ignored_and_misspelt_ones_are_not(name, settings):
    others = {"TUTTI_PYTHON": "python3", "TUTTI_TOPICS_INPUT": "touchpoints.web.v1", "TUTTI_CACHE_BYTES": "64MB"}
    assert_valid(check(name, settings, **others))
    assert_refused(name, check(name, settings, TUTTI_LOG_LEVLE="info"), "TUTTI_LOG_LEVLE", "TUTTI_LOG_LEVEL")


def test_the_command_line_ignores_settings_of_services():
    done = subprocess.run(
        [BIN / "tutti", "generate", "--people", "2", "--events", "3", "--seed", "1"],
        env=plain_environment(TUTTI_CACHE_BYTES="64MB", TUTTI_FLUSH_INTERVAL="50ms"),
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0 and done.stdout.count("\n") == 3, done


def test_every_program_says_of_which_build_it_is():
    def said(program):
        command = [BIN / program, "--version"]
        return subprocess.run(command, capture_output=True, text=True, timeout=patient(60), check=True).stdout.split()

    versions = [said("tutti"), *(said(f"tutti-{name}") for name in NAMES)]
    assert len({tuple(words[1:]) for words in versions}) == 1, versions
