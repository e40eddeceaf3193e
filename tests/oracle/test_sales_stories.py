"""What must hold of every journey, checked on the oracle's rows of random ones."""

import itertools
import random
from collections import defaultdict
from decimal import Decimal

import pytest

import sales_stories
from oracle import Oracle
from policy import Policies, instant
from support import KEY, as_dicts

AS_OF = instant("2025-06-01T00:00:00Z")


def rows_of(touchpoints, kinds, policies=None):
    policies = policies or sales_stories.policies(kinds)
    oracle = Oracle(Policies(*(policies.get(name) for name in ("identity", "journey", "goals", "channels", "segments", "traits"))), KEY, AS_OF)
    for raw in touchpoints:
        oracle.add(raw)
    return {name: as_dicts(name, rows) for name, rows in oracle.views(AS_OF).items()}


def total(rows, column, **wanted):
    """The sum of a column by currency."""
    sums = defaultdict(Decimal)
    for row in rows:
        if all(row[name] == value for name, value in wanted.items()):
            sums[row["currency"]] += Decimal(row[column] or 0)
    return {currency: value for currency, value in sums.items() if value}


def added(*sums):
    found = defaultdict(Decimal)
    for currency, value in itertools.chain(*(one.items() for one in sums)):
        found[currency] += value
    return {currency: value for currency, value in found.items() if value}


def negative(sums):
    return {currency: -value for currency, value in sums.items()}


@pytest.mark.parametrize("kinds", [*((kind,) for kind in sales_stories.KINDS), sales_stories.KINDS], ids="-".join)
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_arrival_gives_the_same(kinds, seed):
    touchpoints = sales_stories.random_sales(seed, 250, kinds)
    found = rows_of(touchpoints, kinds)
    assert found["fct_conversions"] and rows_of(random.Random(seed).sample(touchpoints * 2, 2 * len(touchpoints)), kinds) == found


@pytest.mark.parametrize("seed", range(8))
def test_money_adds_up_in_every_view(seed):
    found = rows_of(sales_stories.random_sales(seed, 400), sales_stories.KINDS)
    told = total(found["fct_conversions"], "revenue")
    returned = [total(found["fct_returns"], name) for name in ("returned_revenue", "unmatched_revenue")]
    left = added(told, *map(negative, returned))
    for model in ("first_touch", "last_touch", "linear"):
        assert total(found["fct_attributions"], "attributed_revenue", model=model) == left
        assert total(found["rpt_attributions_daily"], "attributed_revenue", model=model) == left
        shares = sum(Decimal(row["credit"]) for row in found["fct_attributions"] if row["model"] == model)
        counted = sum(row["is_counted"] == "true" for row in found["fct_conversions"])
        full = sum(row["is_full"] == "true" and row["conversion_id"] is not None for row in found["fct_returns"])
        assert shares == counted - full
    sale = [row for row in found["rpt_shared_goals_daily"] if row["goal_id"] in ("sale",)]
    orders = [row for row in found["fct_conversions"] if row["goal_id"] == "sale"]
    assert total(sale, "value", department="(all)") == added(
        total(orders, "revenue"), *(negative(total(found["fct_returns"], name, goal_id="sale")) for name in ("returned_revenue", "unmatched_revenue"))
    )
    assert {row["department"] for row in sale} >= {"(all)", "(unattributed)", "(unidentified)"}


@pytest.mark.parametrize("seed", range(8))
def test_every_goal_adds_up(seed):
    parts, totals = defaultdict(Decimal), defaultdict(Decimal)
    for row in rows_of(sales_stories.random_sales(seed, 400), sales_stories.KINDS)["rpt_shared_goals_daily"]:
        key = (row["goal_id"], row["goal_date"], row["currency"])
        (totals if row["department"] == "(all)" else parts)[key] += Decimal(row["value"])
    assert all(totals[key] == value for key, value in parts.items())


@pytest.mark.parametrize("seed", range(8))
def test_identity_never_changes_the_total(seed):
    """Without orders and returns, which belong to a customer, every identity policy gives the same sums."""
    kinds = ("ties", "messages", "delivery", "strangers")
    said, touchpoints, sums = {}, sales_stories.random_sales(seed, 400, kinds), []
    for one in touchpoints:  # all tellings of a message in the same words: else it matters whose are taken
        first = said.setdefault(one["message_id"], one)
        one.update({name: first.get(name) for name in ("value_micros", "margin_micros", "currency", "department")})
    for blocked in ([], ["u1", "u2", "card0"], [f"u{n}" for n in range(9)]):
        policies = sales_stories.policies(kinds)
        policies["identity"]["blocked"]["values"] += blocked
        found = rows_of(touchpoints, kinds, policies)
        day = [row for row in found["rpt_shared_goals_daily"] if row["department"] == "(all)" and row["goal_id"] in ("margin", "sale", "orders", "paid", "gifts")]
        sums.append(sorted((row["goal_date"], row["goal_id"], row["currency"] or "", row["value"]) for row in day if Decimal(row["value"])))
        assert total(found["fct_conversions"], "revenue") == total(found["rpt_attributions_daily"], "attributed_revenue", model="linear")
    assert sums[0] == sums[1] == sums[2]


def test_every_trouble_happens():
    found = rows_of(sales_stories.random_sales(1, 1200), sales_stories.KINDS)
    returns, conversions = found["fct_returns"], found["fct_conversions"]
    for column in ("is_full", "is_repeat"):
        assert {row[column] for row in returns} == {"true", "false"}
    assert {row["conversion_id"] is None for row in returns} == {row["profile_id"] is None for row in conversions} == {True, False}
    assert {row["is_counted"] for row in conversions} == {"true", "false"} and any(Decimal(row["revenue"] or 0) < 0 for row in conversions)
    assert any(row["is_shared"] == "true" for row in found["dim_profiles"])
    second = [Decimal(row["value"]) for row in found["rpt_shared_goals_daily"] if row["goal_id"] == "second"]
    assert min(second) < 0 < max(second)
