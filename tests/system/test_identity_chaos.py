"""Merges, cuts, quarantine and changes of the policy while instances are killed: the tables end as the oracle says.

Two instances of each service read random evidence (that of test_identity_random) while operators give orders, the policy changes
twice under a sweep that is killed halfway, and services are killed, paused and stopped. All the while credit adds up: what is
attributed and what is not is the revenue, at every commit. TUTTI_TEST_CHAOS_ROUNDS and TUTTI_TEST_SEED as in test_chaos.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time

import scenarios
from feeding import Feeder
from stack import BIN, plain_environment
from test_chaos import SEED, SETTINGS, Chaos
from test_identity_random import PATCH, told
from test_identity_scenarios import give, policies_of, world_of

ROUNDS = int(os.environ.get("TUTTI_TEST_CHAOS_ROUNDS") or 6)
GRAPHS_PER_ROUND = 25
ORDERS_PER_ROUND = 3

# Another policy: quarantine comes later, limits sooner, and strengths change the order of links.
CHANGED = {
    **PATCH,
    "types": {
        **PATCH["types"],
        "email": {"max_links": {"user_id": 4}},
        "device_id": {"max_links": {"user_id": 1, "email": 2}},
        "anonymous_id": {"limit": {"count": 1}},
    },
    "pairs": [{"types": ["email", "user_id"], "strength": "weak"}],
    "max_identifiers": 4,
}

# What was converted and what was credited, with and without a touch, by goal, day and currency. One statement: one moment.
BALANCE = """
SELECT goal_id, day, currency, t.value, a.model, a.revenue
FROM (SELECT goal_id, goal_date AS day, currency, value FROM tutti.rpt_shared_goals_daily
      WHERE segment_id = '(all)' AND department = '(all)' AND metric = 'value') AS t
FULL JOIN (SELECT goal_id, conversion_date AS day, currency, model, sum(attributed_revenue) AS revenue
           FROM tutti.rpt_attributions_daily WHERE segment_id = '(all)' GROUP BY 1, 2, 3, 4) AS a USING (goal_id, day, currency)
WHERE goal_id IN (SELECT goal_id FROM tutti.rpt_attributions_daily)
"""


class Balance:
    """Looks at the sums again and again until it is stopped; a difference at any commit is a failure."""

    def __init__(self, world):
        self.world, self.looks, self.failure = world, 0, None
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, name="balance")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.ends.set()
        self.thread.join()
        if kind is None:
            assert self.failure is None, self.failure
            assert self.looks > 0, "no customer converted"

    def run(self):
        while not self.ends.wait(0.1) and self.failure is None:
            try:
                sums = self.world.query(BALANCE)
            except Exception:  # the server is away: look again
                continue
            self.looks += len(sums) > 0
            wrong = [row for row in sums if row[3] != row[5]]
            if wrong:
                self.failure = f"credit and revenue differ: {wrong[:3]}"


class IdentityChaos(Chaos):
    """Rounds of Chaos in which operators act, too."""

    def __init__(self, world, stack, feeder, orders, folder):
        super().__init__(world, stack, feeder)
        self.orders, self.folder = orders, folder

    def play(self, number):
        for order in self.orders[number * ORDERS_PER_ROUND : (number + 1) * ORDERS_PER_ROUND]:
            self.say(number, f"order {order}")
            give(self.world, order)
        if number % 3 == 1:
            self.change_policy(number, CHANGED if number % 2 else PATCH)
        super().play(number)

    def change_policy(self, number, patch):
        """`tutti identity apply`, killed once while it sweeps, then run again; then the new file is rolled out."""
        policies = policies_of(scenarios.Group(patch), self.folder / f"policies-{number}")
        file = policies / "identity.json"
        self.say(number, f"policy {file}")
        for service in self.world.of("identity-resolver"):
            service.wait_ready()  # an instance that is still starting would find another policy than its file's
        words = ["identity", "apply", "--policy", file, "--execute", "--force", "--batch", 20]
        environment = {
            "TUTTI_DATABASE_URL": self.world.url,
            "TUTTI_POLICY_DIR": str(self.world.policies),
            "TUTTI_IDENTITY_KEY_FILE": str(self.world.key_file),
        }
        first = subprocess.Popen(
            [BIN / "tutti", *map(str, words)],
            env=plain_environment(**environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self.random.random() * 0.4)  # anywhere in the sweep; what is asserted does not depend on where
        first.send_signal(signal.SIGKILL)
        first.wait()
        self.world.tool(*words)
        (self.world.policies / "identity.json").write_bytes(file.read_bytes())


def test_identity_chaos(fragile, make_world, tmp_path):
    print(f"seed {SEED}, {ROUNDS} rounds")
    chance = random.Random(SEED)
    stories = [told(SEED * 1000 + number) for number in range(GRAPHS_PER_ROUND * ROUNDS)]
    policies = policies_of(scenarios.Group(PATCH), tmp_path / "policies")
    world = world_of(make_world, fragile, tmp_path, policies, 4)
    world.settings.update(SETTINGS)
    world.start(instances=2)
    first = [json.dumps(event) for events, _ in stories for event in events if len(event["identifiers"]) == 1]
    world.produce(first, key="message_id")
    world.settle()
    world.lines = [json.dumps(event) for events, _ in stories for event in events]
    orders = [order for _, given in stories for order in given][: ORDERS_PER_ROUND * ROUNDS]
    shuffled = chance.sample(world.lines * 2, 2 * len(world.lines))
    with Balance(world), Feeder(world, shuffled, pieces=3 * ROUNDS) as feeder:
        chaos = IdentityChaos(world, fragile, feeder, orders, tmp_path)
        for number in range(ROUNDS):
            chaos.play(number)
    world.settle()
    world.assert_equals_oracle()
    world.assert_numbers_dense(all_on_topic=False)
    assert len(world.orders()) == len(orders)
    world.stop()
