"""The stories of tests/scenarios/journey through the real pipeline, all together: in three orders, every event twice."""

import journey_stories  # of tests/oracle, by cluster
from test_play import play


def test_all_together(stack, tmp_path):
    case = journey_stories.together(journey_stories.stories(), tmp_path / "journey")
    status, out, error = play(stack, "--quiet", "--shuffle", 3, "--twice", case)
    assert status == 0, out + error
    assert "\nas expected\nthe oracle agrees\n" in out and out.count(": the same") == 2
