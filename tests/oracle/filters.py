"""Filters: which touchpoints are meant. One language for goals and segments (docs/figures.md, Filters)."""

from touchpoint import glob

EXACT = {"events": "event", "channels": "channel", "departments": "department", "purposes": "purpose"}
PATTERNS = {"networks": "network", "campaigns": "campaign_id"}


def fits(on, touch, any_value=False, event=None):
    """Whether all conditions hold. any_value: `value` is left aside; event: asked in place of that of the touchpoint."""
    return (
        all(place(touch, name, event) in on[key] for key, name in EXACT.items() if key in on)
        and all(any(glob(one, getattr(touch, name)) for one in on[key]) for key, name in PATTERNS.items() if key in on)
        and ("categories" not in on or any(covers(one, category) for one in on["categories"] for category in touch.categories))
        and touch.direction == on.get("direction", touch.direction)
        and touch.score_kind == on.get("score_kind", touch.score_kind)
        and score_fits(on, touch.score)
        and (any_value or value_fits(on, touch))
    )


def matches(on, touch, any_value=False, event=None, is_money=False):
    """Whether a filter matches. is_money: that of a goal of money, which a bot's touchpoint matches as well."""
    if touch.is_elsewhere:
        return False
    if touch.direction is None and "events" not in on:
        return False
    if touch.direction is not None and not touch.is_touch and not is_money:
        return False  # a bot's
    return fits(on, touch, any_value, event)


def place(touch, name, event):
    return event if event and name == "event" else getattr(touch, name)


def value_fits(on, touch):
    return on.get("value") != "positive" or (touch.value or 0) > 0


def score_fits(on, score):
    if "score_min" not in on and "score_max" not in on:
        return True
    return score is not None and on.get("score_min", score) <= score <= on.get("score_max", score)


def covers(entry, category):
    """A category is a path: an entry covers itself and what lies below."""
    return glob(entry, category) or glob(f"{entry}/*", category)
