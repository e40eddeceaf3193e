"""The stories of tests/scenarios/verdicts through the pipeline, many at once."""

import json
import shutil

import verdict_stories  # of tests/oracle, by cluster
from cluster import RETAILER

NAMES = ["identity-resolver", "suppression"]


def test_stories_end_as_they_say(stack, make_world, tmp_path):
    groups = verdict_stories.together(verdict_stories.stories())
    folder = tmp_path / "policies"
    shutil.copytree(RETAILER, folder)
    (folder / "contact.json").write_text(json.dumps(groups[0].policy))
    world = make_world(stack, "stories", policies=folder)
    for group in groups:
        (folder / "contact.json").write_text(json.dumps(group.policy))
        world.tool("policy", "apply")
        services = world.start(names=NAMES)
        for step in group.steps():
            world.produce([json.dumps(one) for one in step])
            world.settle(names=NAMES)
        rows, rules = world.stored_verdicts()
        differences = [(story.name, *one) for story, found in group.verdicts(rows, rules) for one in story.differences(found)]
        assert differences == []
        world.stop(services)
