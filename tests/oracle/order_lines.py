"""The lines of an order: what filters and contact rules ask, and what fct_conversion_lines shows."""

import json
import re
from dataclasses import dataclass

from policy import US
from traits import DEPTH, depth, is_text, refuse

LINES, MOST, NAME = 64, 9_000_000_000_000, 1000
NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
PRODUCT = ("product_id", "sku", "item_id")
CATEGORY = ("category", "product_category", "item_category")


@dataclass
class Number:
    text: str  # as it is written


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
    """Of the first 64 entries those that say something."""
    try:
        found = json.loads(items_json or "[]", parse_constant=refuse, parse_float=Number, parse_int=Number)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list) or depth(found) > DEPTH or not is_text(found):
        return []
    lines = [read(number, entry) for number, entry in enumerate(found[:LINES], 1) if isinstance(entry, dict)]
    return [line for line in lines if line.says_something]


def read(number, entry):
    quantity, value, price, margin = (millionths(entry.get(name)) for name in ("quantity", "value", "price", "margin"))
    if value is None and price is not None:
        value = within(rounded(price * (US if quantity is None else quantity), US))
    return Line(number, name_of(entry, PRODUCT), name_of(entry, CATEGORY), quantity, value, margin)


def name_of(entry, names):
    for name in names:
        value = entry.get(name)
        value = value.text if isinstance(value, Number) else value
        if isinstance(value, str) and 1 <= len(value.encode()) <= NAME and min(value) >= " ":
            return value
    return None


def millionths(value):
    """None where it is no number, or too large a one. A text has no exponent."""
    if value is None:
        return None
    written = value.text if isinstance(value, Number) else value if isinstance(value, str) else ""
    found = NUMBER.fullmatch(written)
    if not found or (isinstance(value, str) and found[4]):
        return None
    sign, whole, fraction, exponent = found.groups("")
    digits, places = int(whole + fraction), int(exponent or 0) - len(fraction) + 6
    if digits == 0:
        return 0
    if places > 20:
        return None
    amount = digits * 10**places if places >= 0 else rounded(digits, 10 ** min(-places, len(whole + fraction) + 1))
    return within(-amount if sign else amount)


def rounded(dividend, divisor):
    """Halves away from 0."""
    amount = (2 * abs(dividend) + divisor) // (2 * divisor)
    return -amount if dividend < 0 else amount


def within(amount):
    return amount if abs(amount) <= MOST * US else None
