"""Shaken services: TUTTI_SHAKE=<seed> stops and wakes every service of every test at random.

Each service sleeps (SIGSTOP) for 50 to 500 ms, then runs for as long, until it ends. This finds what holds only because
something else is usually faster. The same seed gives the nth start of a run the same times.
"""

import contextlib
import itertools
import os
import random
import signal
import subprocess
import threading

SEED = os.environ.get("TUTTI_SHAKE")
SHORTEST, LONGEST = 0.05, 0.5  # seconds
STARTS = itertools.count()


def shake(service):
    """Shakes a service that has just been started, if this run is a shaken one."""
    if SEED:
        chance = random.Random(f"{SEED} {next(STARTS)}")
        threading.Thread(target=keep_shaking, args=(service, service.process, chance), daemon=True).start()


def keep_shaking(service, process, chance):
    for number in itertools.cycle((signal.SIGSTOP, signal.SIGCONT)):
        service.shake_once(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(SHORTEST, LONGEST))
            return
