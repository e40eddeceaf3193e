"""Conversions of one profile and the credit that its touches get for them."""

import bisect
from dataclasses import dataclass, field


@dataclass
class Conversion:
    """A row of fct_conversions. of: the conversion that counts for the order, itself or an earlier one."""

    touch: object
    of: object
    is_first: bool
    eligible: list
    value: int = None
    margin: int = None
    credits: list = field(default_factory=list)

    @property
    def is_counted(self):
        return self.of is self

    @property
    def currency(self):
        return self.touch.currency


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


def split_change(before, change, n):
    """What is added to each part when an amount changes."""
    if change is None:
        return [None] * n
    return [after - before for before, after in zip(split(before or 0, n), split((before or 0) + change, n))]


def credits(eligible, count, before, value, margin):
    """count: 1 where the order counts as one, else 0; before: value and margin that were shared out already."""
    for model in ("first_touch", "last_touch", "linear"):
        positions = weights(model, len(eligible)) if eligible else [None]
        n = len(positions)
        shares = zip(
            positions, split(count * 1_000_000, n), split_change(before[0], value, n), split_change(before[1], margin, n)
        )
        for position, share, revenue, margin_part in shares:
            credited = None if position is None else eligible[position]
            yield Credit(model, credited, 0 if position is None else position + 1, share, revenue, margin_part)


def failed_send(failure, sends):
    """The send that a Contact Failed ends, of those before it that have not failed; None: none."""
    for send in reversed(sends):
        if failure.decision_id:
            if send.decision_id == failure.decision_id:
                return send
        elif (send.channel, send.campaign_id) == (failure.channel, failure.campaign_id):
            return send
    return None


def counted_conversion(touch, is_first, eligible, value, margin):
    conversion = Conversion(touch, None, is_first, eligible, value, margin)
    conversion.of = conversion
    conversion.credits = list(credits(eligible, 1, (0, 0), value, margin))
    return conversion


@dataclass
class Reversal:
    """The credit that a return takes back. of: the conversion of its order, or None."""

    touch: object
    of: object
    eligible: list
    credits: list

    @property
    def currency(self):
        return self.touch.taking.currency


def reversal_of(taking):
    """What a return of a profile takes from the touches of its order, and what is over from no touch."""
    of = taking.order and taking.order.conversion
    eligible, found = of.eligible if of else [], []
    if of and taking.is_of_order:
        margin = None if taking.margin is None else -taking.margin
        found += credits(eligible, -1 if taking.is_full else 0, taking.before, -taking.taken, margin)
    if taking.excess:
        margin = -taking.margin if taking.margin is not None and not taking.order else None
        found = added(found, list(credits([], 0, (0, 0), -taking.excess, margin)))
    return Reversal(taking.touch, of, eligible, found)


def added(found, excess):
    """The rows of an excess are added to those of the order that have no touch either."""
    for row in excess:
        same = next((one for one in found if one.touch is None and one.model == row.model), None)
        if same:
            same.revenue += row.revenue
        else:
            found.append(row)
    return found


def unidentified_conversion(touch):
    return counted_conversion(touch, False, [], touch.value, touch.margin)


def conversion_of(telling, eligible, is_first):
    """The row of a telling, or None. eligible: its own eligible touches, for the telling that counts."""
    touch, order = telling.touch, telling.order
    if order.conversion is None:
        order.conversion = counted_conversion(touch, is_first, eligible, touch.value, touch.margin)
        return order.conversion
    if not telling.is_change:
        return None
    of = order.conversion
    shares = list(credits(of.eligible, 0, telling.before, telling.value, telling.margin))
    return Conversion(touch, of, False, of.eligible, telling.value, telling.margin, shares)


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
        if touch.telling and touch.goal_id is not None:
            start = bisect.bisect_left(creditable, touch.occurred_at - policies.lookback, key=lambda one: one.occurred_at)
            touch.conversion = conversion_of(touch.telling, creditable[start:], not found)
            found += [touch.conversion] if touch.conversion else []
        if touch.is_creditable:
            creditable.append(touch)
    return found
