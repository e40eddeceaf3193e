"""Waiting for a condition with a deadline: the only way a system test may spend time."""

import time

STEP = 0.05


class NotInTime(AssertionError):
    """A condition did not hold before its deadline."""


def until(condition, seconds, what):
    """Polls condition() until it is true and returns what it gave; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise NotInTime(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(STEP)
    return found
