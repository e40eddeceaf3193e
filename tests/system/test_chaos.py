"""Chaos: kill -9, SIGSTOP, SIGTERM of random instances, servers killed and restarted; the tables stay right.

In ./check a few rounds; the long run is tests/system/chaos (50 rounds and a new seed, or TUTTI_TEST_CHAOS_ROUNDS and
TUTTI_TEST_SEED). The seed is printed and names the run: the same seed makes the same choices.
"""

import os
import pathlib
import random
import subprocess
import sys

from cluster import BANK
from feeding import Feeder
from service import NAMES
from waiting import holds_within, until

HERE = pathlib.Path(__file__).parent
ROUNDS = int(os.environ.get("TUTTI_TEST_CHAOS_ROUNDS") or 8)
SEED = int(os.environ.get("TUTTI_TEST_SEED") or 1)
EVENTS_PER_ROUND = 600
SETTINGS = {"kafka.consumer.session.timeout.ms": 6000}  # so long a killed instance keeps its partitions
SERVER_EVERY = 4  # one round in so many also hits a server


class Chaos:
    """One run: the dice, the world, and what was done, for the message of a failure."""

    def __init__(self, world, stack, feeder):
        self.random = random.Random(SEED)
        self.world, self.stack, self.feeder = world, stack, feeder

    def say(self, number, words):
        print(f"seed {SEED} round {number}: {words}")

    def play(self, number):
        victims = self.random.sample(self.world.services, self.random.randint(1, 3))
        for victim in victims:
            action = self.random.choice([self.kill, self.pause, self.pause_until_expelled, self.terminate])
            self.say(number, f"{action.__name__} {victim.name}")
            action(victim)
        if number % SERVER_EVERY == SERVER_EVERY - 1:
            server = self.random.choice(["postgres", "kafka"])
            word = self.random.choice(["restart", "kill"])
            self.say(number, f"{word} {server}")
            self.stack(word, server)
            if word == "kill":
                self.stack("start", server)
        self.feeder.wait_for_pieces(1)
        for service in self.world.services:
            self.mend(service)

    def kill(self, victim):
        victim.kill()

    def pause(self, victim):
        victim.pause()

    def pause_until_expelled(self, victim):
        """Beyond its session: its partitions go to another, and it comes back as a zombie. One that was stopped while
        it joined may stay a member for minutes; it just had a long break."""
        victim.pause()
        holds_within(lambda: not self.is_member(victim), 15)

    def terminate(self, victim):
        victim.stop()

    def is_member(self, service):
        """Also while the coordinator, which may have just been restarted, does not say otherwise."""
        command = [sys.executable, HERE / "members.py", self.world.stack.brokers, self.world.group(service.name)]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=15)
        except subprocess.TimeoutExpired:
            return True
        return answer.returncode != 0 or service.settings["kafka.client.id"] in answer.stdout.split()

    def mend(self, service):
        if service.is_paused:
            service.resume()
        if not service.is_alive():
            assert service.process.returncode in (0, -9), f"{service.name} ended by itself\n{service.last_lines()}"
            service.start().wait_live()


def test_chaos(fragile, make_world):
    print(f"seed {SEED}, {ROUNDS} rounds")
    world = make_world(fragile, "chaos", policies=BANK, settings=SETTINGS)
    world.generate("bank", people=40 * ROUNDS, events=EVENTS_PER_ROUND * ROUNDS, seed=SEED)
    world.start(instances=2)
    with Feeder(world, world.lines, pieces=3 * ROUNDS) as feeder:
        chaos = Chaos(world, fragile, feeder)
        for number in range(ROUNDS):
            chaos.play(number)
    world.settle()
    assert {service.name for service in world.services} == set(NAMES)
    world.assert_equals_oracle()
    world.assert_numbers_dense(all_on_topic=False)
    world.assert_verdicts()
    world.stop()
