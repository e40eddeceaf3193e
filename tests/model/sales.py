#!/usr/bin/env python3
"""One owner of money: a message told under several anchors is one sale, whoever its customers are.

    python3 tests/model/sales.py --without sale-lock --schedules 2000 --seed 1
    python3 tests/model/sales.py --all

A touchpoint has an anchor or none. An anchor is in the profile of a customer, or shared: then its version is odd. What is sold
must be the same in total after every commit, and in the end it must be where the fixed order says.
"""

from collections import Counter, namedtuple

import command
from history import History
from ledger import Fact, Ledger, Move, Place, Slow, Touch
from machine import World

RULES = {
    "sale-row": "a sale has one row in the whole database: who finds it there is a rival, and does not just count",
    "sale-lock": "lock the row of a sale that others tell, before its copies are read",
    "rival-anchors": "lock the anchors of all who tell it",
    "rival-states": "lock the states of their profiles: one takes back, the other gives",
    "fixed-order": "the owner is the first in a fixed order, not the first to come",
    "look-again": "begin again if an anchor that becomes shared, or ceases to be, has a sale with copies that is not locked",
    "new-sale": "the fast path goes on only if the sale is new",
}
NOBODY = -1  # the anchor of a touchpoint without an identifier
IDENTIFIED, SHARED, UNKNOWN = range(3)

Rival = namedtuple("Rival", "fact is_new was_owner")


class Unfit(Exception):
    """The fast path cannot take this batch."""


def amount(fact):
    return fact.event_id + 1


def kind_of(event_id):
    """What a message says, whoever tells it: most are orders."""
    return "buy" if event_id % 4 else "view"


def sale_of(fact):
    """The same for all touchpoints of one message."""
    return fact.time, fact.event_id


def holder(place):
    if place is None:
        return UNKNOWN
    return SHARED if place.version % 2 else IDENTIFIED


def first_of(facts, places):
    """The owner: a known customer, then a shared profile, then nobody; then the smallest anchor."""
    return min(facts, key=lambda fact: (holder(places.get(fact.anchor)), fact.anchor))


def credit(cells, fact, place, sign=1):
    """Adds a sale to its customer, or to the part of nobody."""
    cells[place.profile if holder(place) == IDENTIFIED else "(unidentified)"] += sign * amount(fact)


class SalesSlow(Slow):
    """was: {anchor: place before this transaction} of the anchors that moved; None: it was not there."""

    def __init__(self, transaction):
        super().__init__(transaction)
        self.was, self.rivals, self.alone, self.copies = {}, {}, [], set()

    def old_place(self, anchor):
        return self.was[anchor] if anchor in self.was else self.places.get(anchor)


    def moved_profiles(self):
        """An anchor that becomes shared moves, even if its profile keeps its name."""
        turned = {anchor for anchor, was in self.was.items() if holder(was) != holder(self.places[anchor])}
        return super().moved_profiles() | {self.places[anchor].profile for anchor in turned}


class SalesTracker(Ledger):
    """journey-tracker, as far as it decides who owns a sale. Sums go straight into their table, without lanes."""

    sold = ("buy",)  # the kinds of touchpoints that are sales

    def forget(self):
        self.anchors, self.states = {}, {}

    def is_sale(self, fact):
        return fact.kind in self.sold

    def open(self, transaction):
        """What a transaction does first: nothing, where policies never change."""
        yield from ()

    def process(self, partition, batch):
        facts, told = self.read_batch(batch)
        told = {anchor: place for anchor, place in told.items() if anchor != NOBODY}
        if self.can_be_fast(facts, told):
            try:
                yield from self.run_fast(facts)
                return
            except Unfit:
                self.transaction.rollback()
        more = set()
        while more is not None:
            more = yield from self.run_slow(facts, told, more)

    # ---------------------------------------------------------------------------------------------- fast path

    def can_be_fast(self, facts, told):
        is_known = all(fact.anchor in self.anchors and holder(self.anchors[fact.anchor][0]) == IDENTIFIED for fact in facts)
        return is_known and len(facts) == 1 and all(self.is_cached(anchor, place) for anchor, place in told.items())

    def is_cached(self, anchor, place):
        if anchor not in self.anchors:
            return False
        known, members = self.anchors[anchor]
        state = self.states.get(known.profile)
        return state is not None and state.members == members and known.version >= place.version

    def run_fast(self, facts):
        transaction, cells = self.begin(), Counter()
        yield from self.open(transaction)
        (fact,) = facts
        if not (yield from transaction.insert("facts", fact, True)):
            raise Unfit
        place = self.anchors[fact.anchor][0]
        if self.is_sale(fact):
            is_new = yield from transaction.insert("sales", sale_of(fact), fact.anchor)
            if not is_new and self.keeps("new-sale"):
                raise Unfit
            credit(cells, fact, place)
        cached, stored = self.states[place.profile], (yield from transaction.lock("states", place.profile))
        if stored is None or stored.ver != cached.ver:
            del self.states[place.profile]
            raise Unfit
        new = yield from transaction.update("states", place.profile, lambda row: row._replace(ver=row.ver + 1))
        yield from self.save_cells(transaction, cells)
        yield from transaction.commit()
        self.states[place.profile] = new

    # ---------------------------------------------------------------------------------------------- slow path

    def run_slow(self, facts, told, more):
        """None when it is done, else the sales to lock in the next try."""
        slow, cells = SalesSlow(self.begin()), Counter()
        yield from self.open(slow.transaction)
        yield from self.insert_facts(slow, facts)
        yield from self.claim_sales(slow, more)
        yield from self.place_anchors(slow, (yield from self.with_rivals(slow, told)))
        yield from self.lock_states(slow)
        slow.places = yield from slow.transaction.read("places")
        slow.facts = yield from slow.transaction.read("facts")
        slow.copies = yield from self.read_copies(slow)
        owners = self.choose_owners(slow)
        short = self.count_moved(slow, cells)
        if short - more and self.keeps("look-again"):
            slow.transaction.rollback()
            return more | short
        self.count_unidentified(slow, owners, cells)
        self.count_customers(slow, owners, cells)
        yield from self.write_sales(slow, owners)
        yield from self.save_states(slow, dict.fromkeys(slow.states))
        yield from self.save_cells(slow.transaction, cells)
        yield from slow.transaction.commit()
        self.remember(slow, told)
        return None

    def claim_sales(self, slow, more):
        """Inserts the sales of the new facts, locks those that others tell, and lists who tells them."""
        claims, locked = {}, set(more)
        for fact in sorted(slow.new):
            if self.is_sale(fact):
                claims.setdefault(sale_of(fact), []).append(fact)
        for sale, facts in sorted(claims.items()):
            is_new = yield from slow.transaction.insert("sales", sale, facts[0].anchor)
            if (is_new and len(facts) == 1) or not self.keeps("sale-row"):
                slow.alone += facts
                continue
            slow.rivals[sale] = [Rival(fact, True, False) for fact in facts]
            locked |= set() if is_new else {sale}
        for sale in sorted(locked):
            yield from self.lock_sale(slow, sale)

    def lock_sale(self, slow, sale):
        if self.keeps("sale-lock"):
            owner = yield from slow.transaction.lock("sales", sale)
        else:
            owner = (yield from slow.transaction.read("sales")).get(sale)
        copies = yield from self.read_copies(slow)
        rivals = slow.rivals.setdefault(sale, [])
        rivals.append(Rival(Fact(*sale, kind_of(sale[1]), owner), False, True))
        rivals += [Rival(Fact(*sale, kind_of(sale[1]), anchor), False, False) for time, event, anchor in sorted(copies) if (time, event) == sale]

    def read_copies(self, slow):
        rows = yield from slow.transaction.read("copies")
        return {key for key, row in rows.items() if row}

    def with_rivals(self, slow, told):
        """Step (b) locks the anchors of the rivals, too."""
        if not self.keeps("rival-anchors"):
            return told
        places = yield from slow.transaction.read("places")
        wanted = {rival.fact.anchor for rivals in slow.rivals.values() for rival in rivals} - {NOBODY}
        return {**{anchor: places[anchor] for anchor in wanted if anchor in places and anchor not in told}, **told}

    def place_anchors(self, slow, told):
        for anchor, place in sorted(told.items()):
            if (yield from slow.transaction.insert("places", anchor, place)):
                slow.former[anchor], slow.was[anchor] = None, None
                continue
            known = yield from slow.transaction.lock("places", anchor)
            if self.is_newer(place, known):
                slow.former[anchor], slow.was[anchor] = known.profile, known
                yield from slow.transaction.update("places", anchor, lambda _, place=place: place)

    def lock_states(self, slow):
        places = yield from slow.transaction.read("places")
        anchors = {fact.anchor for fact in slow.new} | set(slow.former)
        if self.keeps("rival-states"):
            anchors |= {rival.fact.anchor for rivals in slow.rivals.values() for rival in rivals}
        anchors &= set(places)
        wanted = {places[anchor].profile for anchor in anchors} | set(slow.former.values()) - {None}
        for profile in sorted(wanted):
            slow.states[profile] = yield from slow.transaction.lock("states", profile)

    # ------------------------------------------------------------------------------------------- who owns what

    def choose_owners(self, slow):
        """{sale: fact of its owner} of the sales that several tell."""
        chosen = {}
        for sale, rivals in slow.rivals.items():
            former = [rival.fact for rival in rivals if rival.was_owner]
            is_first = former and not self.keeps("fixed-order")
            chosen[sale] = former[0] if is_first else first_of([rival.fact for rival in rivals], slow.places)
        return chosen

    def count_unidentified(self, slow, owners, cells):
        for fact in slow.alone:
            if holder(slow.places.get(fact.anchor)) != IDENTIFIED:
                credit(cells, fact, None)
        for sale, rivals in slow.rivals.items():
            for rival in rivals:
                anchor = rival.fact.anchor
                if rival.was_owner and holder(slow.old_place(anchor)) != IDENTIFIED:
                    credit(cells, rival.fact, None, -1)
                if owners[sale] == rival.fact and holder(slow.places.get(anchor)) != IDENTIFIED:
                    credit(cells, rival.fact, None)

    def count_moved(self, slow, cells):
        """Stored sales of anchors that become shared or cease to be. Returns those with copies that are not locked."""
        short, contested = set(), {(time, event) for time, event, _ in slow.copies}
        for fact in slow.facts:
            was, now = holder(slow.old_place(fact.anchor)), holder(slow.places.get(fact.anchor))
            if not self.is_sale(fact) or fact in slow.new or was == now or sale_of(fact) in slow.rivals:
                continue
            if sale_of(fact) in contested and self.keeps("sale-row"):
                short.add(sale_of(fact))
            elif IDENTIFIED in (was, now):
                credit(cells, fact, None, 1 if was == IDENTIFIED else -1)
        return short

    def count_customers(self, slow, owners, cells):
        """For each locked profile: what its touchpoints sold, less what they sold before."""
        was_owner = {rival.fact for rivals in slow.rivals.values() for rival in rivals if rival.was_owner}
        contested = set(slow.rivals)
        for fact in slow.facts:
            if not self.is_sale(fact):
                continue
            owned = (*sale_of(fact), fact.anchor) not in slow.copies
            owned_before = fact in was_owner if sale_of(fact) in contested else owned
            owned_after = owners[sale_of(fact)] == fact if sale_of(fact) in contested else owned
            before, after = slow.old_place(fact.anchor), slow.places.get(fact.anchor)
            if holder(before) == IDENTIFIED and before.profile in slow.states and owned_before and fact not in slow.new:
                credit(cells, fact, before, -1)
            if holder(after) == IDENTIFIED and after.profile in slow.states and owned_after:
                credit(cells, fact, after)

    def write_sales(self, slow, owners):
        for sale, rivals in sorted(slow.rivals.items()):
            yield from slow.transaction.update("sales", sale, lambda _, sale=sale: owners[sale].anchor)
            for rival in rivals:
                is_copy, key = rival.fact != owners[sale], (*sale, rival.fact.anchor)
                if is_copy or not (rival.is_new or rival.was_owner):
                    yield from slow.transaction.update("copies", key, lambda _, is_copy=is_copy: is_copy or None)

    def save_cells(self, transaction, cells):
        for key, value in sorted(cells.items(), key=str):
            if value:
                yield from transaction.update("cells", key, lambda row, value=value: (row or 0) + value)

    def remember(self, slow, told):
        self.states.update(slow.states)
        for anchor in told:
            place = slow.places[anchor]
            if place.profile in slow.states:
                self.anchors[anchor] = place, slow.states[place.profile].members


class SalesHistory(History):
    """Messages that several anchors tell, and anchors that become shared and cease to be."""

    def __init__(self, chance):
        self.sharing = chance.choice((0, 0.4, 0.8))
        super().__init__(chance, kinds=("buy",), moves=10)

    def make_moves(self, version):
        for move in super().make_moves(version):
            is_shared = self.chance.random() < self.sharing
            place = Place(move.anchor if is_shared else move.profile, 2 * version + is_shared)
            self.places[move.anchor][-1] = place
            yield Move(move.anchor, *place)

    def make_touches(self, kinds):
        for anchor, places in self.places.items():
            places[0] = Place(places[0].profile, 2)
        touches = []
        for touch in super().make_touches(kinds):
            told = {touch.anchor, *self.chance.sample([*self.anchors, NOBODY], self.chance.choice((0, 0, 1, 2)))}
            for anchor in sorted(told):
                kind = kind_of(touch.event_id)
                place = self.chance.choice(self.places[anchor]) if anchor != NOBODY else (None, 0)
                touches.append(Touch(touch.event_id, touch.time, anchor, kind, *place))
        return touches


class Sales(World):
    """Several journey-trackers over messages that are told under several anchors."""

    def prepare(self):
        self.history = SalesHistory(self.chance)
        self.add(SalesTracker, self.history.topic, self.chance.randint(2, 3))

    def problems(self):
        rows, found = self.database.rows, []
        facts = [fact for fact in self.history.facts() if fact.kind == "buy"]
        places = {anchor: places[-1] for anchor, places in self.history.places.items()}
        sold, owners, copies = Counter(), {}, set()
        for sale in sorted({sale_of(fact) for fact in facts}):
            tellers = [fact for fact in facts if sale_of(fact) == sale]
            owner = first_of(tellers, places)
            owners[sale] = owner.anchor
            copies |= {(*sale, fact.anchor) for fact in tellers if fact != owner}
            credit(sold, owner, places.get(owner.anchor))
        cells = {key: value for key, value in rows("cells").items() if value}
        if sum(cells.values()) != sum(sold.values()):
            found.append("total")
        if cells != sold:
            found.append("sums")
        if rows("sales") != owners or {key for key, row in rows("copies").items() if row} != copies:
            found.append("owners")
        return found


if __name__ == "__main__":
    command.main(Sales, RULES, __doc__)
