"""Conversions of one profile and the credit that its touches get for them."""

import bisect
from dataclasses import dataclass, field


@dataclass
class Conversion:
    touch: object
    is_first: bool
    eligible: list
    credits: list = field(default_factory=list)


@dataclass
class Credit:
    """One row of fct_attributions; touch is None where nothing was eligible."""

    model: str
    touch: object
    position: int
    share: int  # millionths
    revenue: int  # micro-units, or None
    margin: int


def split(amount, n):
    """Parts of an amount: divided towards zero, the rest one unit each to the earliest; None stays None."""
    if amount is None:
        return [None] * n
    sign = -1 if amount < 0 else 1
    each, rest = divmod(abs(amount), n)
    return [sign * (each + (1 if i < rest else 0)) for i in range(n)]


def weights(model, n):
    """Positions (from 0) that share the credit of a model."""
    return {"first_touch": [0], "last_touch": [n - 1], "linear": list(range(n))}[model]


def credits(touch, eligible):
    for model in ("first_touch", "last_touch", "linear"):
        positions = weights(model, len(eligible)) if eligible else [None]
        shares = zip(
            positions,
            split(1_000_000, len(positions)),
            split(touch.value, len(positions)),
            split(touch.margin, len(positions)),
        )
        for position, share, revenue, margin in shares:
            credited = None if position is None else eligible[position]
            yield Credit(model, credited, 0 if position is None else position + 1, share, revenue, margin)


def failed_send(failure, sends):
    """The send that a Contact Failed ends, of those before it that have not failed; None: none."""
    for send in reversed(sends):
        if failure.decision_id:
            if send.decision_id == failure.decision_id:
                return send
        elif (send.channel, send.campaign_id) == (failure.channel, failure.campaign_id):
            return send
    return None


def unidentified_conversion(touch):
    return Conversion(touch, False, [], list(credits(touch, [])))


def conversions(timeline, policies):
    """The conversions of a profile's touchpoints (in order), each with its eligible touches and credits."""
    creditable, sends, found = [], [], []  # creditable, sends: those before the touch that have not failed
    for touch in timeline:
        if touch.event == "Contact Failed":
            failed = failed_send(touch, sends)
            sends = [send for send in sends if send is not failed]
            creditable = [one for one in creditable if one is not failed]
        if touch.is_send:
            sends.append(touch)
        if touch.is_goal:
            start = bisect.bisect_left(creditable, touch.occurred_at - policies.lookback, key=lambda one: one.occurred_at)
            eligible = creditable[start:]
            found.append(Conversion(touch, not found, eligible, list(credits(touch, eligible))))
        if touch.is_creditable:
            creditable.append(touch)
    return found
