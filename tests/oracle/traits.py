"""What touchpoints say about the customer, and which of it counts (docs/figures.md, Traits)."""

import datetime
import decimal
import json
import re
import unicodedata
from dataclasses import dataclass

from policy import DAY

NO_TEXT = re.compile("[\0\ud800-\udfff]")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
BLANKS = " \t\n\v\f\r"
MEMBERS, BYTES, DEPTH, MOST = 64, 256, 100, (1 << 63) - 1
SCORES, HALF = 16, 90 * DAY


class Number(int):
    """A number in millionths."""


def decimal_of(text):
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        return Ellipsis  # an exponent without end


def refuse(constant):
    raise ValueError(constant)


def said(text):
    """{name: text, Number, bool or None} of a traits_json."""
    try:
        found = json.loads(text or "{}", parse_constant=refuse, parse_int=decimal_of, parse_float=decimal_of)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or depth(found) > DEPTH or not is_text(found):
        return {}
    values = {name: scalar(value) for name, value in found.items() if NAME.fullmatch(name)}
    kept = sorted(name for name, value in values.items() if value is not Ellipsis)
    return {name: values[name] for name in kept[:MEMBERS]}


def depth(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(depth, inside), default=0) + 1 if isinstance(value, (dict, list)) else 0


def is_text(value):
    """Whether all texts are Unicode: no lone surrogate, no zero byte."""
    if isinstance(value, str):
        return not NO_TEXT.search(value)
    inside = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(is_text, inside))


def scalar(value):
    """The value as it is kept; Ellipsis: it says nothing that is kept."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value.strip(BLANKS))
        return text if 1 <= len(text.encode()) <= BYTES else Ellipsis
    if isinstance(value, decimal.Decimal):
        return millionths(value)
    return Ellipsis


def millionths(number):
    if not number:
        return Number(0)
    if not -7 < number.adjusted() < 20:
        return Ellipsis
    exact = number.scaleb(6, decimal.Context(prec=len(number.as_tuple().digits) + 10))
    if exact != exact.to_integral_value() or abs(exact) > MOST:
        return Ellipsis
    return Number(exact)


def typed(kind, value):
    """The value as one of the type, or Ellipsis."""
    if kind == "date" and isinstance(value, str) and DATE.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            return Ellipsis
    is_of = {"text": isinstance(value, str), "number": isinstance(value, Number), "boolean": isinstance(value, bool)}
    return value if is_of.get(kind) else Ellipsis


def shown(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        whole, part = divmod(abs(value), 1_000_000)
        return ("-" if value < 0 else "") + f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return str(value)


@dataclass(eq=False)
class Observation:
    """value None: it says "nothing"."""

    touch: object
    rank: int
    value: object

    @property
    def order(self):
        return self.touch.order


def observation(trait, touch):
    """What a touchpoint says of a declared trait, or None."""
    if trait["name"] not in touch.traits:
        return None
    value, sources = touch.traits[trait["name"]], trait.get("sources", [])
    rank = sources.index(touch.source) if touch.source in sources else len(sources)
    if value is None:
        return Observation(touch, rank, None) if trait["rule"] == "latest" else None
    value = typed(trait["type"], value)
    return None if value is Ellipsis else Observation(touch, rank, value)


def chosen(trait, observations):
    """Of observations in order the one that counts, or None."""
    if not observations:
        return None
    rank = min(one.rank for one in observations)
    best = [one for one in observations if one.rank == rank]
    if trait["rule"] == "latest":
        return best[-1]
    if trait["rule"] == "first":
        return best[0]
    return {"max": max, "min": min}[trait["rule"]](best, key=lambda one: one.value)  # of equal ones the first


def trend(scores):
    """Of [(time, score)] in order the score_trend_90d, or None."""
    newest = scores[-SCORES:]
    if not newest:
        return None
    end = newest[-1][0]
    late = [score for time, score in newest if end - HALF < time <= end]
    early = [score for time, score in newest if end - 2 * HALF < time <= end - HALF]
    return mean(late) - mean(early) if late and early else None


def mean(numbers):
    """Rounded to a whole number, halves away from 0."""
    total, count = sum(numbers), len(numbers)
    return (2 * abs(total) + count) // (2 * count) * (-1 if total < 0 else 1)


def profile_traits(traits, timeline, copies):
    """{name: Observation} of a profile; copies: its repeats, which say things, too."""
    everything = sorted([*timeline, *copies], key=lambda touch: touch.order)
    found = {}
    for trait in traits:
        best = chosen(trait, [one for one in (observation(trait, touch) for touch in everything) if one])
        if best and best.value is not None:
            found[trait["name"]] = best
    return found
