"""Targets of goals: written while the services run, checked against the active goals, all or none, and beside the figures."""

import json
import shutil

import pytest

from cluster import RETAILER
from people import DAY, START, feed, touchpoint
from policy import date_of

FIRST = date_of(START // DAY)
JANUARY = {"period": "month", "from": "1971-01-01"}


@pytest.fixture
def world(stack, make_world, tmp_path):
    return make_world(stack, "targets", policies=shutil.copytree(RETAILER, tmp_path / "policies"))


def ordered(number, day, **more):
    return {**touchpoint(f"t{number}", START + day * DAY, "Order Completed", user_id="ann"), "value_micros": 40_000_000, "currency": "USD", **more}


def targets(folder, *rows):
    (folder / "targets.json").write_text(json.dumps({"targets": rows}), encoding="utf-8")
    return folder / "targets.json"


def written(world):
    return world.query("SELECT goal_id, department, period_kind, target::float FROM tutti.dim_goal_targets ORDER BY 1, 2, 3")


def test_targets(world, tmp_path):
    shipped = json.loads((RETAILER / "targets.json").read_text(encoding="utf-8"))["targets"]
    assert len(written(world)) == len(shipped)
    world.start()
    feed(world, ordered(1, 0, department="shop"), ordered(2, 1, department="web"))
    sale = {"goal": "sale", "currency": "USD", "value": "100.5", **JANUARY}
    file = targets(tmp_path, sale, {"goal": "orders", "department": "web", "value": "3", **JANUARY})
    assert "2 targets are valid" in world.tool("policy", "targets", file, "--dry-run").stderr
    assert len(written(world)) == len(shipped)
    world.tool("policy", "targets", file)
    mine = [("orders", "web", "month", 3.0), ("sale", "(all)", "month", 100.5)]
    assert written(world) == mine
    board = json.loads(world.tool("scoreboard", "--json").stdout)
    found = {row["goal"]: row for row in board["periods"] if row["target"]}
    assert (found["sale"]["value"], found["sale"]["target"], found["sale"]["period"]) == ("80.00", "100.50", "month")
    assert (found["orders"]["value"], found["orders"]["target"], found["orders"]["department"]) == ("1.00", "3.00", "web")
    assert found["sale"]["from"] == FIRST.replace(day=1).isoformat()
    # One customer, who came and bought twice, and all of it long ago: the touchpoints of a test are old.
    assert (found["sale"]["customers"], found["sale"]["corrected"]) == ("1", "80.00")
    (month,) = board["funnel"]
    assert (month["month"], month["inquiry"], month["purchase"]) == (f"{FIRST:%Y-%m}", "(1)", "1 100%")

    refused = world.tool("policy", "targets", targets(tmp_path, {**sale, "goal": "sales"}), check=False)
    assert refused.returncode == 1 and 'targets[0].goal: there is no goal "sales"; did you mean "sale"?' in refused.stderr
    assert written(world) == mine

    world.stop()
    (world.policies / "targets.json").unlink()
    world.tool("policy", "apply")
    assert written(world) == mine
    targets(world.policies, sale)
    world.tool("policy", "apply")
    assert written(world) == mine[1:]
    world.assert_equals_oracle()
    targets(world.policies, {**sale, "goal": "sales"})
    checked = world.tool("policy", "check", check=False)
    assert checked.returncode == 1 and "targets.json: targets[0].goal" in checked.stderr
