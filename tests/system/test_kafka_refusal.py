"""A broker that refuses the client: every command and the log of a service give librdkafka's own reason."""

import json
import subprocess

import pytest

from stack import BIN, plain_environment
from waiting import patient, until

REFUSALS = {
    "a protocol the broker does not speak": ({"security.protocol": "ssl"}, "SSL handshake failed"),
    "a login the broker does not take": (
        {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p"},
        "SASL PLAIN mechanism handshake failed",
    ),
}
COMMANDS = [("doctor",), ("topics", "plan"), ("cat", "touchpoints.web.v1", "--exit")]


def flags(settings):
    return [f"--kafka.{key}={value}" for key, value in settings.items()]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_why(command, refusal, world):
    settings, reason = REFUSALS[refusal]
    done = world.tool(*command, *flags(settings), check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and reason in said, said


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_service_says_why(refusal, world):
    settings, reason = REFUSALS[refusal]
    service = world.service("suppression")
    service.settings.update({f"kafka.{key}": value for key, value in settings.items()})
    service.start()

    def waits():
        return [line["message"] for line in service.log_events() if line["event"] == "waiting_at_start"]

    until(lambda: any(reason in text for text in waits()) or not service.is_alive(), 60, lambda: f"it says why: {waits()}")
    assert service.is_alive(), waits()
    service.stop()
