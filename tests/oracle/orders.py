"""The orders of one profile: what each telling adds to which order, and what each return takes back.

The words are those of docs/figures.md, One order told twice and Returns.
"""

from collections import Counter
from dataclasses import dataclass, field

REMEMBERED = 32  # newest orders with an order_id
REMEMBERED_UNKNOWN = 8  # newest returns that found no order


@dataclass(eq=False)
class Order:
    """value, margin: as told so far, None until a telling has one; money: the sum of margin_else_value. gone: what was taken."""

    first: object  # its first telling
    source: str
    currency: str
    value: int = None
    margin: int = None
    money: int = 0
    conversions: list = field(default_factory=list)  # those that count, one of each goal, once a telling is one
    gone: list = field(default_factory=lambda: [0, 0, 0])  # of value, margin and money
    is_conversion: bool = False  # a telling is one
    is_returned: bool = False  # in full
    told_returns: list = field(default_factory=list)  # (teller, amount)

    @property
    def left(self):
        """Of value, margin and money; an order that is no conversion has none to give back."""
        if not self.is_conversion:
            return [0, 0, 0]
        return [(told or 0) - gone for told, gone in zip((self.value, self.margin, self.money), self.gone)]


@dataclass(eq=False)
class Telling:
    """before: value and margin that were left of the order. value, margin, money: what the telling adds; margin None: there is none."""

    touch: object
    order: Order
    is_first: bool
    before: tuple
    value: int
    margin: int
    money: int
    so_far: tuple  # value and money of the order, this telling included

    @property
    def is_change(self):
        return bool(self.value or self.margin)


@dataclass(eq=False)
class Taking:
    """What a return takes back. taken, margin, money: of its order, None: there was no margin; excess: of no order."""

    touch: object
    currency: str
    order: Order = None
    before: tuple = (0, 0)
    taken: int = 0
    margin: int = None
    money: int = 0
    excess: int = 0
    is_full: bool = False
    is_repeat: bool = False

    @property
    def is_nothing(self):
        return not (self.taken or self.margin or self.excess or self.is_full)

    @property
    def is_of_order(self):
        return bool(self.order and (self.taken or self.margin or self.is_full))


class Orders:
    """Takes the touches of order events and the returns one by one, in order."""

    def __init__(self, policies):
        self.policies, self.known, self.unknown = policies, [], []

    def tell(self, touch):
        order = self.told_before(touch)
        if order is None:
            order = Order(touch, touch.source, touch.currency)
            if touch.order_id:
                self.known = [*self.known, order][-REMEMBERED:]
            return self.change(touch, order, True, touch.value, touch.margin, else_value(touch))
        if not has_value(touch) or (order.value and touch.currency != order.currency):
            return self.change(touch, order, False, None, None, 0)  # a copy
        if not order.value:
            order.source, order.currency = touch.source, touch.currency
            return self.replace(touch, order)
        if touch.source == order.source:
            return self.change(touch, order, False, touch.value, touch.margin, else_value(touch))
        if self.trust(touch.source) < self.trust(order.source):
            order.source = touch.source
            return self.replace(touch, order)
        return self.change(touch, order, False, None, None, 0)  # a copy

    def replace(self, touch, order):
        margin = None if touch.margin is None else touch.margin - (order.margin or 0)
        return self.change(touch, order, False, touch.value - (order.value or 0), margin, else_value(touch) - order.money)

    def change(self, touch, order, is_first, value, margin, money):
        before = tuple(order.left[:2])
        order.is_conversion = order.is_conversion or touch.goal_id is not None
        order.value, order.margin, order.money = plus(order.value, value), plus(order.margin, margin), order.money + money
        added = None if order.margin is None else margin or 0
        return Telling(touch, order, is_first, before, value, added, money, (order.value or 0, order.money))

    def take(self, touch):
        """What the return takes back."""
        order = self.order_of(touch)
        if order is None:
            return self.take_unknown(touch)
        rest = max(0, order.left[0])
        amount = rest if touch.value is None else abs(touch.value)
        currency = order.currency if order.value else touch.currency or order.currency
        if is_repeat(order.told_returns, (touch.event, touch.source), amount):
            return Taking(touch, currency, order, is_repeat=True)
        taken = min(amount, rest)
        margin, money = (part(left, taken, rest) for left in order.left[1:])
        is_full = taken == rest and not order.is_returned
        before = tuple(order.left[:2])
        order.gone = [gone + more for gone, more in zip(order.gone, (taken, margin, money))]
        order.is_returned = order.is_returned or is_full
        margin = None if order.margin is None or not order.is_conversion else margin
        return Taking(touch, currency, order, before, taken, margin, money, amount - taken, is_full)

    def take_unknown(self, touch):
        """Of the returns that found no order, one that another teller has told already takes back nothing."""
        if touch.order_id and is_repeat(self.first_unknown(touch).told_returns, (touch.event, touch.source), abs(touch.value or 0)):
            return Taking(touch, touch.currency, is_repeat=True)
        return taking_without_order(touch)

    def first_unknown(self, touch):
        """The first return of its order and currency that found none, itself if there is no other. """
        for first in reversed(self.unknown):
            if first.currency == touch.currency and self.is_same(first.first, touch) and self.is_in_time(first, touch):
                return first
        first = Order(touch, touch.source, touch.currency)
        self.unknown = [*self.unknown, first][-REMEMBERED_UNKNOWN:]
        return first

    def order_of(self, touch):
        """The order that a return names: the newest one that is not returned in full, else the newest one."""
        found = [order for order in self.known if self.is_same(order.first, touch) and self.may_return(order, touch)]
        return next((order for order in reversed(found) if not order.is_returned), found[-1] if found else None)

    def may_return(self, order, touch):
        has_other_currency = touch.currency and touch.value is not None and order.value and touch.currency != order.currency
        return self.is_in_time(order, touch) and not has_other_currency

    def is_in_time(self, order, touch):
        return touch.occurred_at - order.first.occurred_at <= self.policies.returns["within"]

    def told_before(self, touch):
        """The order that the touch tells again, or None."""
        rule = self.policies.orders
        newest = next((order for order in reversed(self.known) if self.is_same(order.first, touch)), None)
        if newest is None or not {newest.first.event, touch.event} <= rule["events"]:
            return None
        if touch.occurred_at - newest.first.occurred_at > rule["within"]:
            return None
        is_apart = touch.source == newest.source and touch.currency != newest.currency and has_value(touch) and newest.value
        return None if is_apart else newest

    def is_same(self, one, two):
        """Both name one order."""
        scope = self.policies.orders["scope"]
        return bool(two.order_id) and one.order_id == two.order_id and (scope == "global" or one.source == two.source)

    def trust(self, source):
        """Its place in `prefer`, the most trusted first; all others stand behind."""
        preferred = self.policies.orders["prefer"]
        return preferred.index(source) if source in preferred else len(preferred)


def taking_without_order(touch):
    """It takes back its amount and margin; without an amount nothing."""
    if not touch.value:
        return Taking(touch, touch.currency)
    margin = None if touch.margin is None else abs(touch.margin)
    return Taking(touch, touch.currency, margin=margin, excess=abs(touch.value))


def is_repeat(told, teller, amount):
    """Whether another teller has told as many returns of this amount as this one has, the new one included, which is noted."""
    told.append((teller, amount))
    counts = Counter(one for one, of in told if of == amount)
    return any(count >= counts[teller] for one, count in counts.items() if one != teller)


def part(amount, taken, rest):
    """amount * taken / rest, towards zero; all of it where nothing of the rest is left."""
    if taken == rest:
        return amount
    return (1 if amount > 0 else -1) * (abs(amount) * taken // rest)


def has_value(touch):
    return (touch.value or 0) > 0


def else_value(touch):
    """The margin, or the value where there is no margin."""
    return touch.margin if touch.margin is not None else touch.value or 0


def plus(one, two):
    return one if two is None else (one or 0) + two


def tell_orders(timeline, policies):
    """Sets what each touchpoint of a profile tells of an order, or takes back."""
    orders = Orders(policies)
    for touch in timeline:
        if touch.is_order:
            touch.telling = orders.tell(touch)
        if touch.is_return and not touch.is_elsewhere:
            touch.taking = orders.take(touch)
