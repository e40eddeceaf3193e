"""The stories of tests/scenarios/journey in the oracle, in several orders, alone and together."""

import pytest

from journey_stories import FOLDER, Told, stories, together


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("folder", stories(), ids=lambda folder: folder.name)
def test_as_expected_in_every_order(folder, seed, tmp_path):
    assert Told(folder, tmp_path / "policies", seed).differences() == []


def test_all_together(tmp_path):
    case = together(stories(), tmp_path / "all")
    assert Told(case, tmp_path / "policies", 1).differences() == []


def test_expectations_can_fail(tmp_path):
    for folder in stories():
        told = Told(folder, tmp_path / folder.name)
        for key in list(told.oracle.touchpoints)[::2]:
            del told.oracle.touchpoints[key]
        assert told.differences(), folder.name


def test_every_story_is_in_the_readme():
    rows = [line.split("|") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()]
    named = {row[1].strip() for row in rows if len(row) == 5} - {"story", "---"}
    assert named == {folder.name for folder in stories()}
