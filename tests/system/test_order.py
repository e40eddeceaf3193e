"""The same touchpoints in different orders, with repeats, over different numbers of partitions: the same tables."""

import random

import pytest

LAYOUTS = {1: "as it happened", 3: "backwards", 8: "shuffled"}


@pytest.fixture(scope="module")
def wanted():
    """Checksums of the first layout, for the others."""
    return {}


def ordered(lines, how):
    if how == "backwards":
        return lines[::-1]
    if how == "shuffled":
        random.Random(8).shuffle(lines)
    return lines


@pytest.mark.parametrize("partitions", LAYOUTS)
def test_order_and_partitions_change_nothing(stack, make_world, wanted, partitions):
    world = make_world(stack, f"order{partitions}", partitions={"touchpoints": partitions, "resolved": partitions})
    world.key_file.write_text("5a" * 32)
    world.key = bytes.fromhex("5a" * 32)
    lines = world.generate("bench", people=500, events=5000, seed=5)
    repeats = random.Random(partitions).sample(lines, len(lines) // 10)
    world.start()
    world.produce(ordered(lines + repeats, LAYOUTS[partitions]), key="message_id")
    world.settle()
    world.assert_equals_oracle()
    world.assert_numbers_dense()
    found = world.checksums()
    assert wanted.setdefault("checksums", found) == found
