"""The lines of an order as fct_conversion_lines shows them."""

import decimal
import json
import re
from dataclasses import dataclass

from policy import US

LINES, MOST = 64, 9_000_000_000_000
DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
EXACT = decimal.Context(prec=200, Emax=9999, Emin=-9999)
PRODUCT = ("product_id", "sku", "item_id")
CATEGORY = ("category", "product_category", "item_category")


@dataclass
class Line:
    number: int
    product: str
    category: str
    quantity: int  # millionths
    value: int
    margin: int

    @property
    def says_something(self):
        return any(one is not None for one in (self.product, self.category, self.quantity, self.value, self.margin))


def lines_of(items_json):
    """The first 64 entries that say something."""
    try:
        found = json.loads(items_json or "[]", parse_float=decimal.Decimal, parse_int=decimal.Decimal)
    except (ValueError, decimal.InvalidOperation):
        return []
    entries = found[:LINES] if isinstance(found, list) else []
    lines = [read(number, entry) for number, entry in enumerate(entries, 1) if isinstance(entry, dict)]
    return [line for line in lines if line.says_something]


def read(number, entry):
    quantity, value, price, margin = (millionths(entry.get(name)) for name in ("quantity", "value", "price", "margin"))
    if value is None and price is not None:
        value = rounded(decimal.Decimal(price * (US if quantity is None else quantity)) / US)
    return Line(number, name_of(entry, PRODUCT), name_of(entry, CATEGORY), quantity, value, margin)


def name_of(entry, names):
    for name in names:
        value = entry.get(name)
        if isinstance(value, decimal.Decimal) or (isinstance(value, str) and value):
            return str(value)
    return None


def millionths(value):
    """None where it is no number, or too large a one."""
    if isinstance(value, str) and DIGITS.fullmatch(value):
        value = decimal.Decimal(value)
    if not isinstance(value, decimal.Decimal) or not value.is_finite() or abs(value) > MOST:
        return None
    return rounded(EXACT.multiply(value, US))


def rounded(value):
    """To a whole number, halves away from 0; None beyond the largest amount."""
    found = int(value.to_integral_value(decimal.ROUND_HALF_UP, EXACT))
    return found if abs(found) <= MOST * US else None
