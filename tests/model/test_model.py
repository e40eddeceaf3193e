"""The protocol holds in the models, and every rule is needed: without it some schedule ends wrongly."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import addresses  # noqa: E402
import claims  # noqa: E402
import closure  # noqa: E402
import following  # noqa: E402
import past  # noqa: E402
import resolver  # noqa: E402
import sales  # noqa: E402
import seen  # noqa: E402
import suppression  # noqa: E402
import timeline  # noqa: E402
from command import first_wrong, wrong_schedules  # noqa: E402

MODELS = {
    "timeline": (timeline.Timeline, timeline.RULES),
    "sales": (sales.Sales, sales.RULES),
    "resolver": (resolver.Identity, resolver.RULES),
    "suppression": (suppression.Requests, suppression.RULES),
    "past": (past.Past, past.RULES),
    "following": (following.Following, following.RULES),
    "closure": (closure.Closure, closure.RULES),
}
WITH_ALL_RULES = range(1, 301)
SEARCHED = 3000  # schedules until a rule counts as not needed


@pytest.mark.parametrize("model", MODELS)
def test_no_schedule_ends_wrongly_with_all_rules(model):
    world, _ = MODELS[model]
    assert wrong_schedules(world, (), WITH_ALL_RULES) == {}


@pytest.mark.parametrize("model, rule", [(model, rule) for model, (_, rules) in MODELS.items() for rule in rules])
def test_a_schedule_ends_wrongly_without(model, rule):
    world, _ = MODELS[model]
    assert first_wrong(world, (rule,), range(1, SEARCHED + 1)) is not None


def test_no_order_leaves_a_grant_beside_an_opt_out_of_its_address():
    assert addresses.wrong() == (0, 252)


@pytest.mark.parametrize("rule", addresses.RULES)
def test_an_order_leaves_one_without(rule):
    assert addresses.wrong([rule])[0] > 0


def test_no_order_claims_against_an_opt_out_and_no_claimed_grant_is_revoked():
    assert claims.wrong() == (0, 4000)


@pytest.mark.parametrize("rule", claims.RULES)
def test_an_order_does_without(rule):
    assert claims.wrong([rule])[0] > 0


def test_no_order_leaves_a_grant_to_who_is_seen_with_an_address_that_said_no():
    assert seen.wrong() == (0, 4000)


@pytest.mark.parametrize("rule", seen.RULES)
def test_an_order_leaves_one_to_him_without(rule):
    assert seen.wrong([rule])[0] > 0
