"""Random journeys full of equal instants, retold messages, strangers' sales, orders told twice and returns: the tables are the oracle's.

Each kind of trouble is played alone, then all together. Everything is sent twice, in another order each time.
"""

import json
import random

import pytest

import sales_stories  # of tests/oracle, by cluster
from feeding import Feeder
from test_identity_scenarios import world_of

EVENTS = 800
ALONE = [(kind,) for kind in sales_stories.KINDS if kind != "ties"]


@pytest.mark.parametrize("kinds", [("ties",), *ALONE, sales_stories.KINDS], ids="-".join)
@pytest.mark.parametrize("seed", [1])
def test_random_sales(stack, make_world, tmp_path, kinds, seed):
    chance, kinds = random.Random(seed), {"ties", *kinds}
    world = world_of(make_world, stack, tmp_path, sales_stories.write_policies(tmp_path / "policies", kinds), 2)
    world.lines = [json.dumps(event) for event in sales_stories.random_sales(seed, EVENTS, kinds)]
    world.start(instances=2)
    with Feeder(world, chance.sample(world.lines * 2, 2 * len(world.lines)), pieces=12):
        pass
    world.settle()
    views = world.assert_equals_oracle()
    assert views["fct_conversions"]
    before = world.checksums()
    world.read_again(["journey-tracker"])
    world.settle()
    assert world.checksums() == before
