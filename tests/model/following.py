#!/usr/bin/env python3
"""Other policies while everything runs: a follower derives all people anew into a second slot, and then switches.

    python3 tests/model/following.py --without last-pass --schedules 2000 --seed 1
    python3 tests/model/following.py --all

journey-tracker works as in sales.py, in the tables of the active slot. Under the new policies other touchpoints are sales, also
such as no transaction of the old ones cares about. A follower may be killed, and another goes on; people are erased meanwhile.
Wrong is a switch at which the new slot is not what a derivation of everything gives, or sums that are wrong in the end.
"""

from collections import Counter, namedtuple

import command
from ledger import Fact, State
from machine import Instance, Retry, Transaction, World
from sales import IDENTIFIED, NOBODY, SalesHistory, SalesTracker, credit, first_of, holder, kind_of, sale_of

RULES = {
    "asks-policy": "every transaction of a service asks which slot is active, under a lock for which the switch waits",
    "last-pass": "the last pass runs under the lock of the switch",
    "state-lock": "the follower locks the states of the active slot before it reads members and facts",
    "seen-ver": "it notes the ver that it saw: who was written since then is derived again",
    "own-old": "it takes from the new sums what it stored itself beside the new state",
    "one-building": "each of its transactions locks one row: that of a killed follower ends first",
    "all-members": "sales of shared identifiers, too, are settled when their profile is derived",
    "mark-owners": "who gains or loses a sale of others is derived again",
    "nobody": "sales of touchpoints without an identifier are settled under the lock",
    "alone": "sales without a customer are counted under the lock",
    "gone": "what it stored of erased people is taken from the new sums",
    "gone-sales": "sales of erased people are taken over from the active slot",
    "both-slots": "an erasure deletes in both slots",
    "erasures": "its transactions hold the erasures, as those of services do",
}
OLD, NEW = 0, 1  # the policies, and the slot in which what they say is
DERIVED = ("states", "sales", "copies", "cells", "rows")
ERASED = -2  # the owner of a sale whose customer was erased
FEW = 2  # so few people are left for the lock

Noted = namedtuple("Noted", "ver cells")  # what the follower stores beside a new state


class Slotted(Transaction):
    """Derived tables are those of the transaction's slot, unless another one is named."""

    slot = OLD

    def name(self, table):
        return (table, self.slot) if table in DERIVED else table

    def row(self, table, key):
        return super().row(self.name(table), key)

    def read(self, table):
        rows = yield from super().read(self.name(table))
        return {key: row for key, row in rows.items() if row is not None}

    def insert(self, table, key, row):
        return super().insert(self.name(table), key, row)

    def lock(self, table, key):
        return super().lock(self.name(table), key)

    def update(self, table, key, change):
        return super().update(self.name(table), key, change)


class Tracker(SalesTracker):
    """journey-tracker, in the slot that is active when its transaction begins."""

    slot, known_erasures = OLD, 0

    @property
    def sold(self):
        return self.world.sold[self.slot]

    def begin(self):
        self.transaction = Slotted(self.database)
        return self.transaction

    def open(self, transaction):
        """Holds the policies and the erasures. What it knew under others is forgotten, and the batch begins again."""
        yield
        transaction.slot = self.slot
        asks = self.keeps("asks-policy")
        yield lambda: not self.world.is_erasing and not (asks and self.world.is_switching())
        self.world.holding.append(transaction)
        if self.world.slot() != self.slot or self.known_erasures != self.world.erasures:
            self.slot, self.known_erasures = self.world.slot(), self.world.erasures
            self.forget()
            raise Retry("other policies, or somebody was erased")

    def process(self, partition, batch):
        yield from super().process(partition, [m for m in batch if m.anchor not in self.world.tombstones])

    def choose_owners(self, slow):
        chosen = super().choose_owners(slow)
        for sale, rivals in slow.rivals.items():
            chosen[sale] = next((rival.fact for rival in rivals if rival.fact.anchor == ERASED), chosen[sale])
        return chosen


class Sharing(Slotted):
    """A transaction of a follower. Its locks on states are shared with those of other followers."""

    slot = NEW

    def hold(self, name):
        other = self.database.locks.get(name)
        if isinstance(other, Sharing) and name[0] == ("states", OLD):
            other.held.discard(name)
            del self.database.locks[name]
        yield from super().hold(name)

    def lock_active(self, profile):
        yield
        self.check()
        if self.database.rows(("states", OLD)).get(profile) is None:
            return None
        yield from self.hold((("states", OLD), profile))
        return self.database.rows(("states", OLD)).get(profile)


class Follower(Instance):
    """`tutti policy apply`: passes over everybody who was written since he was derived, then the switch."""

    def start(self):
        self.is_alive, self.transaction, self.paused_until = True, None, max(self.world.now, self.world.begins)
        self.is_busy = False
        self.may_go_on, self.steps = None, self.work()

    def crash(self):
        self.steps.close()
        self.is_alive = False
        if self.transaction is not None:
            self.database.abandon(self.transaction)

    def pause(self, steps):
        self.paused_until = max(self.paused_until, self.world.now + steps)

    def work(self):
        while self.world.slot() != NEW:
            yield
            yield from self.attempt(self.apply())
        yield lambda: False

    def apply(self):
        """A second follower refuses while the first lives; it looks again later."""
        if any(other is not self and other.is_alive and other.is_busy for other in self.world.followers):
            yield
            raise Retry("another one is at work")
        self.is_busy = True
        while self.world.slot() != NEW:
            behind = self.behind()
            if len(behind) <= FEW or self.chance.random() < 0.1:
                yield from self.switch()
            else:
                yield from self.pass_over(self.chance.sample(behind, self.chance.randint(1, len(behind))))

    def behind(self):
        """Profiles whose state is not the one that was seen, and those that are gone; committed rows only."""
        return self.world.behind(self.database.rows("noted"), self.keeps("seen-ver"), self.keeps("gone"))

    def begin(self):
        self.transaction = Sharing(self.database)
        return self.transaction

    def open(self):
        transaction = self.begin()
        yield
        if self.keeps("erasures"):
            yield lambda: not self.world.is_erasing
            self.world.holding.append(transaction)
        if self.keeps("one-building"):
            yield from transaction.lock_fixed("building")
            if self.world.slot() == NEW:
                raise Retry("the other one switched")
        return transaction

    def pass_over(self, profiles):
        transaction = yield from self.open()
        yield from self.derive(transaction, profiles)
        yield from transaction.commit()

    def switch(self):
        """One transaction alone. It waits for those under way, and later ones see the new slot."""
        if not self.keeps("last-pass"):
            while behind := self.behind():
                yield from self.pass_over(behind)
        transaction = yield from self.open()
        self.world.switch = transaction
        others = [other for other in self.world.holding if other is not transaction]
        yield lambda: not any(other.is_open for other in others) or not transaction.is_open
        if self.keeps("last-pass"):
            yield from self.settle_nobody(transaction)
            while True:
                noted = yield from transaction.read("noted")
                behind = self.world.behind(noted, self.keeps("seen-ver"), self.keeps("gone"))
                if not behind:
                    break
                yield from self.derive(transaction, behind)
        if self.keeps("alone"):
            yield from self.count_alone(transaction)
        yield from transaction.update("policy", "slot", lambda _: NEW)
        yield from transaction.commit()

    # ----------------------------------------------------------------------------------------------- deriving

    def derive(self, transaction, profiles):
        vers = {}
        if self.keeps("state-lock"):
            for profile in sorted(profiles):
                vers[profile] = yield from transaction.lock_active(profile)
        places = yield from transaction.read("places")
        facts = yield from transaction.read("facts")
        if not self.keeps("state-lock"):
            yield
            vers = {profile: self.database.rows(("states", OLD)).get(profile) for profile in profiles}
        if self.keeps("gone-sales"):
            yield from self.take_over_gone(transaction, places)
        for profile in sorted(profiles):
            yield from self.settle(transaction, self.claims(profile, facts, places), places)
        for profile in sorted(profiles):
            yield from self.write(transaction, profile, vers[profile], facts, places)

    def claims(self, profile, facts, places):
        def is_member(fact):
            place = places.get(fact.anchor)
            return place and place.profile == profile and (self.keeps("all-members") or holder(place) == IDENTIFIED)

        return [fact for fact in facts if fact.kind in self.world.sold[NEW] and is_member(fact)]

    def settle_nobody(self, transaction):
        facts = yield from transaction.read("facts")
        places = yield from transaction.read("places")
        claims = [fact for fact in facts if fact.kind in self.world.sold[NEW] and fact.anchor == NOBODY]
        if self.keeps("nobody"):
            yield from self.settle(transaction, claims, places)
        if self.keeps("gone-sales"):
            yield from self.take_over_gone(transaction, places)

    def settle(self, transaction, claims, places):
        """Chooses the owners of these sales among all who are known to tell them."""
        sales = yield from transaction.read("sales")
        copies = yield from transaction.read("copies")
        for sale in sorted({sale_of(fact) for fact in claims}):
            anchors = {fact.anchor for fact in claims if sale_of(fact) == sale}
            anchors |= {anchor for *key, anchor in copies if tuple(key) == sale}
            owner = sales.get(sale)
            if owner == ERASED:
                yield from self.write_sale(transaction, sale, ERASED, anchors, owner, places)
                continue
            if owner is not None:
                anchors.add(owner)
            first = first_of([Fact(*sale, kind_of(sale[1]), anchor) for anchor in sorted(anchors)], places).anchor
            yield from self.write_sale(transaction, sale, first, anchors - {first}, owner, places)

    def write_sale(self, transaction, sale, owner, others, former, places):
        copies = yield from transaction.read("copies")
        if owner != former:
            yield from transaction.update("sales", sale, lambda _: owner)
            for anchor in (owner, former) if self.keeps("mark-owners") else ():
                yield from self.mark(transaction, places.get(anchor))
        for anchor in sorted(others):
            if (*sale, anchor) not in copies:
                yield from transaction.update("copies", (*sale, anchor), lambda _: True)
        if owner is not None and (*sale, owner) in copies:
            yield from transaction.update("copies", (*sale, owner), lambda _: None)

    def mark(self, transaction, place):
        noted = yield from transaction.read("noted")
        if place is not None and place.profile in noted:
            yield from transaction.update("noted", place.profile, lambda row: row._replace(ver=None))

    def take_over_gone(self, transaction, places):
        """Who tells a sale of erased people gets nothing: as in the active slot, and nothing but that."""
        sales = yield from transaction.read("sales")
        copies = yield from transaction.read("copies")
        active = {sale for sale, owner in self.database.rows(("sales", OLD)).items() if owner == ERASED}
        built = {sale for sale, owner in sales.items() if owner == ERASED}
        for sale in sorted(active - built):
            former = sales.get(sale)
            yield from self.write_sale(transaction, sale, ERASED, {former} - {None}, former, places)
        for sale in sorted(built - active):
            anchors = sorted(anchor for *key, anchor in copies if tuple(key) == sale)
            facts = [Fact(*sale, kind_of(sale[1]), anchor) for anchor in anchors]
            first = first_of(facts, places).anchor if facts else None
            yield from self.write_sale(transaction, sale, first, set(), ERASED, places)

    def write(self, transaction, profile, state, facts, places):
        copies = yield from transaction.read("copies")
        noted = (yield from transaction.read("noted")).get(profile)
        anchors = {anchor for anchor, place in places.items() if place.profile == profile}
        cells, rows = self.world.derive(profile, facts, places, NEW, copies)
        changes = Counter(cells)
        if noted and self.keeps("own-old"):
            changes.subtract(noted.cells)
        yield from add_cells(transaction, changes)
        stored = yield from transaction.read("rows")
        for key in sorted(stored):
            if key[0] in anchors and key not in rows:
                yield from transaction.update("rows", key, lambda _: None)
        for key, row in sorted(rows.items()):
            yield from transaction.update("rows", key, lambda _, row=row: row)
        if state is None:
            yield from transaction.update("noted", profile, lambda _: None)
            return
        yield from transaction.update("states", profile, lambda _: State(state.ver, state.members, None))
        yield from transaction.update("noted", profile, lambda _: Noted(state.ver, dict(cells)))

    def count_alone(self, transaction):
        places = yield from transaction.read("places")
        sales = yield from transaction.read("sales")
        cells = Counter()
        for sale, owner in sales.items():
            fact = Fact(*sale, kind_of(sale[1]), owner)
            if owner != ERASED and holder(places.get(owner)) != IDENTIFIED:
                credit(cells, fact, None)
        yield from add_cells(transaction, cells)


def add_cells(transaction, cells):
    for key, value in sorted(cells.items(), key=str):
        if value:
            yield from transaction.update("cells", key, lambda row, value=value: (row or 0) + value)


class Following(World):
    """Several journey-trackers, followers, and people who are erased."""

    def prepare(self):
        self.history = SalesHistory(self.chance)
        self.sold = {OLD: ("buy",), NEW: self.chance.choice((("view",), ("buy", "view"), ("buy", "view")))}
        self.begins = self.chance.randint(0, 200)
        self.holding, self.switch, self.is_erasing = [], None, False
        self.tombstones, self.erasures, self.stay = set(), 0, Counter()
        self.erasure_times = sorted(self.chance.randint(0, 600) for _ in range(self.chance.choice((0, 1, 2))))
        self.found = []
        self.was_switched = False
        self.add(Tracker, self.history.topic, self.chance.randint(2, 3))
        self.followers = [Follower(self, self.groups[0]) for _ in range(self.chance.choice((1, 1, 2)))]
        self.instances += self.followers

    def slot(self):
        return self.database.rows("policy").get("slot", OLD)

    def is_switching(self):
        return self.switch is not None and self.switch.is_open

    def behind(self, noted, asks_ver=True, asks_gone=True):
        states = self.database.rows(("states", OLD))
        noted = {profile: row for profile, row in noted.items() if row is not None}

        def is_behind(profile):
            if profile not in noted:
                return True
            return noted[profile].ver != states[profile].ver and (asks_ver or noted[profile].ver is None)

        gone = [profile for profile in noted if profile not in states] if asks_gone else []
        return sorted([profile for profile in states if is_behind(profile)] + gone)

    def advance(self):
        if self.erasure_times and self.now >= self.erasure_times[0]:
            self.erasure_times.pop(0)
            self.is_erasing = True
        if self.is_erasing and not any(transaction.is_open for transaction in self.holding):
            self.erase()
            self.is_erasing = False
        goes_on = super().advance()
        if self.slot() == NEW and not self.was_switched:
            self.was_switched = True
            self.found += self.compare(self.gone(OLD), Counter(), True)
        return goes_on or self.is_erasing

    # ------------------------------------------------------------------------------------------------ erasure

    def erase(self):
        """One transaction that runs alone."""
        places = self.database.rows("places")
        profiles = sorted({place.profile for place in places.values()})
        if not profiles:
            return
        profile = self.chance.choice(profiles)
        anchors = {anchor for anchor, place in places.items() if place.profile == profile}
        before = self.wanted(self.slot(), self.gone(self.slot()))[0]
        for slot in (OLD, NEW) if self.keeps("both-slots") else (self.slot(),):
            self.erase_slot(slot, profile, anchors)
        for table in ("facts", "places"):
            rows = self.database.rows(table)
            for key in [key for key in rows if (key.anchor if table == "facts" else key) in anchors]:
                del rows[key]
        noted = self.database.rows("noted")
        if noted.get(profile) is not None:
            noted[profile] = noted[profile]._replace(ver=None)
        self.tombstones |= anchors
        self.erasures += 1
        if self.slot() == NEW:
            after = self.wanted(NEW, self.gone(NEW))[0]
            self.stay.update(before)
            self.stay.subtract(after)

    def erase_slot(self, slot, profile, anchors):
        rows = self.database.rows
        rows(("states", slot)).pop(profile, None)
        for sale, owner in rows(("sales", slot)).items():
            if owner in anchors:
                rows(("sales", slot))[sale] = ERASED
        for table in ("copies", "rows"):
            own = rows((table, slot))
            for key in [key for key in own if (key[2] if table == "copies" else key[0]) in anchors]:
                del own[key]

    def gone(self, slot):
        return {sale for sale, owner in self.database.rows(("sales", slot)).items() if owner == ERASED}

    # -------------------------------------------------------------------------------------- what must come out

    def derive(self, profile, facts, places, slot, copies):
        """(cells, rows) of one profile: what it bought, and which of its purchases each one is."""
        cells, rows, number = Counter(), {}, 0
        for fact in sorted(facts):
            place = places.get(fact.anchor)
            if place is None or place.profile != profile or holder(place) != IDENTIFIED:
                continue
            if fact.kind in self.sold[slot] and (*sale_of(fact), fact.anchor) not in copies:
                number += 1
                credit(cells, fact, place)
                rows[fact.anchor, fact.time, fact.event_id] = number
        return cells, rows

    def wanted(self, slot, gone):
        facts = [fact for fact, row in self.database.rows("facts").items() if row is not None]
        places = {anchor: place for anchor, place in self.database.rows("places").items() if place is not None}
        sales = [fact for fact in facts if fact.kind in self.sold[slot]]
        owners, copies, cells, rows = dict.fromkeys(gone, ERASED), set(), Counter(), {}
        for sale in sorted({sale_of(fact) for fact in sales}):
            tellers = [fact for fact in sales if sale_of(fact) == sale]
            owner = None if sale in gone else first_of(tellers, places)
            copies |= {(*sale, fact.anchor) for fact in tellers if fact != owner}
            if owner is not None:
                owners[sale] = owner.anchor
                if holder(places.get(owner.anchor)) != IDENTIFIED:
                    credit(cells, owner, None)
        for profile in {place.profile for place in places.values()}:
            own_cells, own_rows = self.derive(profile, facts, places, slot, copies)
            cells.update(own_cells)
            rows.update(own_rows)
        return cells, owners, copies, rows

    def compare(self, gone, stay, has_rows):
        """What of the new slot is not as it must be."""
        found = []
        cells, owners, copies, rows = self.wanted(NEW, gone)
        cells.update(stay)
        built = {table: self.built(table) for table in DERIVED}
        if {k: v for k, v in built["cells"].items() if v} != {k: v for k, v in cells.items() if v}:
            found.append("sums")
        if built["sales"] != owners or set(built["copies"]) != copies:
            found.append("owners")
        if has_rows and built["rows"] != rows:
            found.append("rows")
        return [f"{word} at the switch" for word in found] if has_rows else found

    def built(self, table):
        return {key: row for key, row in self.database.rows((table, NEW)).items() if row is not None}

    def problems(self):
        if self.slot() != NEW:
            return ["no switch"]
        return self.found or self.compare(self.gone(NEW), self.stay, False)


if __name__ == "__main__":
    command.main(Following, RULES, __doc__)
