"""Lines of an order."""

import json

import pytest

from order_lines import lines_of
from support import Story, policies, views


def numbers(**entry):
    (line,) = lines_of(json.dumps([{"sku": "a", **entry}]))
    return line.quantity, line.value, line.margin


@pytest.mark.parametrize(
    "entry, expected",
    [
        ({"value": 12.5, "quantity": 2, "margin": "-0.1"}, (2_000_000, 12_500_000, -100_000)),
        ({"price": "19.99", "quantity": 3}, (3_000_000, 59_970_000, None)),
        ({"price": 2, "quantity": "many"}, (None, 2_000_000, None)),
        ({"value": "ten", "price": 2}, (None, 2_000_000, None)),
        ({"value": 0.0000005}, (None, 1, None)),
        ({"value": -0.0000005}, (None, -1, None)),
        ({"value": True, "margin": "1e3"}, (None, None, None)),
        ({"value": 9_000_000_000_001}, (None, None, None)),
    ],
)
def test_numbers(entry, expected):
    assert numbers(**entry) == expected


def test_entries_that_say_nothing_keep_their_place():
    lines = lines_of(json.dumps([{"color": "red"}, 7, {"value": 1}, {"category": "food"}]))
    assert [(line.number, line.category) for line in lines] == [(3, None), (4, "food")]
    assert [line.number for line in lines_of(json.dumps([{"sku": "a"}] * 70))] == list(range(1, 65))
    assert lines_of("{") == lines_of('{"sku": "a"}') == lines_of(None) == []


def test_lines_of_parts_and_not_of_copies():
    story = Story()
    for number, source in enumerate(["urn:a", "urn:b", "urn:a"]):
        lines = json.dumps([{"product_id": f"p{number}", "value": 1}])
        story.order(number, 1_000_000, order_id="o", source=source, items_json=lines)
    rows = views(story.touchpoints, policies(conversions="any"))["fct_conversion_lines"]
    assert sorted((row["product_id"], row["revenue"], row["currency"]) for row in rows) == [("p0", "1.000000", "USD"), ("p2", "1.000000", "USD")]
