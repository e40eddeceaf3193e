"""The stories of tests/scenarios/journey through the real pipeline, all together: in three orders, every event twice.

TUTTI_TEST_LAYOUTS=all plays them with every number of partitions and instances.
"""

import os

import journey_stories  # of tests/oracle, by cluster
import pytest
from test_play import play

ALL = [(partitions, instances) for instances in (1, 3) for partitions in (1, 2, 4)]
LAYOUTS = ALL if os.environ.get("TUTTI_TEST_LAYOUTS") == "all" else ALL[-1:]


@pytest.mark.parametrize("partitions, instances", LAYOUTS)
def test_all_together(stack, tmp_path, partitions, instances):
    case = journey_stories.together(journey_stories.stories(), tmp_path / "journey")
    layout = ("--partitions", partitions, "--instances", instances)
    status, out, error = play(stack, "--quiet", "--shuffle", 3, "--twice", *layout, case)
    assert status == 0, out + error
    assert "\nas expected\nthe oracle agrees\n" in out and out.count(": the same") == 2
