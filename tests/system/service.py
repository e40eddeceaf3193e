"""One instance of a service under test: a real process with its log, its HTTP port and real signals."""

import http.client
import json
import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request

from shaking import shake
from stack import BIN, free_ports, plain_environment
from waiting import patient, until

NAMES = ("identity-resolver", "journey-tracker", "suppression", "metrics-aggregator")
STOP_SECONDS = 60


class Service:
    """An instance that can be started, stopped, killed and paused again and again."""

    def __init__(self, name, settings, log):
        self.name, self.settings, self.log = name, settings, log
        self.process, self.port, self.is_paused = None, None, False
        self.pausing = threading.Lock()

    def command(self):
        """A killed test run leaves no service behind."""
        dies_with_us = ["setpriv", "--pdeathsig", "KILL", "--"]
        settings = [f"--{key}={value}" for key, value in self.settings.items()]
        return [*dies_with_us, BIN / f"tutti-{self.name}", *settings]

    def start(self):
        assert not self.is_alive(), f"{self.name} runs already"
        self.port = free_ports()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.command(), f"--http.listen=127.0.0.1:{self.port}"],
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.is_paused = False
        shake(self)
        return self

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        """SIGKILL, also of a paused process."""
        if self.is_alive():
            self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(patient(STOP_SECONDS))
        self.is_paused = False

    def pause(self):
        with self.pausing:
            self.signal(signal.SIGSTOP)
            self.is_paused = True

    def resume(self):
        with self.pausing:
            self.signal(signal.SIGCONT)
            self.is_paused = False

    def shake_once(self, process, number):
        """SIGSTOP or SIGCONT to a process of this instance, unless a test has paused it."""
        with self.pausing:
            if not self.is_paused:
                process.send_signal(number)

    def stop(self):
        """SIGTERM; the service must end by itself with status 0."""
        assert self.is_alive(), f"{self.name} ended by itself with {self.process.returncode}:\n{self.last_lines()}"
        self.signal(signal.SIGTERM)
        self.expect_stopped()

    def expect_stopped(self):
        """The end that a SIGTERM asked for."""
        try:
            status = self.process.wait(patient(STOP_SECONDS))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not stop within {patient(STOP_SECONDS):g} s\n{self.last_lines()}") from None
        assert status == 0, f"{self.name} ended with {status}:\n{self.last_lines()}"

    def get(self, path):
        """(HTTP status, text) of a page of the admin server; status 0 while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=patient(5)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, http.client.HTTPException):  # the latter: it ended while it answered
            return 0, ""

    def wait_live(self, seconds=120):
        """Until it answers at all: from then on it minds its signals."""
        until(lambda: self.get("/livez")[0] != 0 or not self.is_alive(), seconds, f"{self.name} answers")
        return self

    def is_ready(self):
        return self.get("/readyz")[0] == 200

    def wait_ready(self, seconds=120):
        """Until it takes part in its group with its servers there."""

        def ready_or_dead():
            return self.is_ready() or not self.is_alive()

        until(ready_or_dead, seconds, lambda: f"{self.name} is not ready\n{self.last_lines()}")
        assert self.is_alive(), f"{self.name} ended with {self.process.returncode}:\n{self.last_lines()}"
        return self

    def metric(self, name):
        """Sum of all series of a metric."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{")))

    def last_lines(self, count=15):
        """The end of its log, for a message."""
        if not self.log.exists():
            return f"--- {self.log} is missing"
        lines = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join([f"--- the end of {self.log}", *lines])

    def log_events(self):
        """The log's lines as objects."""
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)
