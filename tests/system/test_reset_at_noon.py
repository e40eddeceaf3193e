"""Reset at noon: while producers run, groups go back to the beginning; no table changes, nothing is said twice."""

import pytest

from cluster import BANK
from feeding import Feeder
from service import NAMES

EVENTS = 8000


def published(world):
    """Records on the topics whose readers act."""
    return {short: sum(1 for _ in world.topics.read(world.topic(short))) for short in ("decisions", "stages")}


@pytest.fixture
def busy_world(stack, make_world):
    world = make_world(stack, "noon", policies=BANK)
    world.rescue_after = "1m"  # no instance is killed: the writer of a slow message is still about to publish it
    world.generate("bank", people=500, events=EVENTS, seed=12)
    world.start(instances=2)
    return world


def test_reset_at_noon(busy_world):
    world = busy_world
    with Feeder(world, world.lines, pieces=60) as feeder:
        for _ in range(2):
            for name in NAMES:
                feeder.wait_for_pieces(2)
                world.read_again([name])
            feeder.wait_for_pieces(2)
            world.read_again(NAMES)
    world.settle()
    world.assert_equals_oracle()
    world.assert_chronicles()
    world.assert_numbers_dense(all_on_topic=False)
    before, said = world.checksums(), published(world)
    world.read_again(NAMES)
    world.settle()
    assert world.checksums() == before
    assert published(world) == said, "input that was read again was answered again"
    world.stop()
