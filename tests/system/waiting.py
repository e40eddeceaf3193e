"""Waiting for a condition with a deadline: the only way a system test may spend time.

Deadlines end a test that hangs; they do not judge how fast the machine is. All of them are multiplied by
TUTTI_TEST_PATIENCE (4): give a larger one where a machine is very slow.
"""

import os
import time

STEP = 0.05
PATIENCE = float(os.environ.get("TUTTI_TEST_PATIENCE") or 4)


class NotInTime(AssertionError):
    """A condition did not hold before its deadline."""


def patient(seconds):
    """A deadline on this machine, in seconds."""
    return seconds * PATIENCE


def holds_within(condition, seconds):
    """Polls condition() until it is true and returns what it gave; something false after so many seconds, unmultiplied."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() <= deadline:
        time.sleep(STEP)
    return found


def until(condition, seconds, what):
    """Polls condition() until it is true and returns what it gave; fails after so many seconds, multiplied by PATIENCE."""
    found = holds_within(condition, patient(seconds))
    if not found:
        bound = f"not within {patient(seconds):g} s (TUTTI_TEST_PATIENCE={PATIENCE:g})"
        raise NotInTime(f"{bound}: {what() if callable(what) else what}")
    return found
