"""Random journeys under policies that ask for everything at once: the tables are the oracle's, also after a reset.

TUTTI_TEST_JOURNEYS is the number of seeds. Everything is sent twice, in another order each time.
"""

import json
import os
import random

import pytest

import journey_random  # of tests/oracle, by cluster
from feeding import Feeder
from test_identity_scenarios import KEY, world_of

EVENTS = 500
SEEDS = range(1, 1 + int(os.environ.get("TUTTI_TEST_JOURNEYS") or 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_journeys(stack, make_world, tmp_path, seed):
    chance = random.Random(seed)
    policies = journey_random.write_policies(tmp_path / "policies")
    world = world_of(make_world, stack, tmp_path, tmp_path / "policies", 2)
    world.lines = [json.dumps(event) for event in journey_random.journeys(seed, EVENTS, KEY, policies)]
    world.start(instances=2)
    with Feeder(world, chance.sample(world.lines * 2, 2 * len(world.lines)), pieces=12):
        pass
    world.settle()
    world.assert_equals_oracle()
    before = world.checksums()
    world.read_again(["journey-tracker"])
    world.settle()
    assert world.checksums() == before
