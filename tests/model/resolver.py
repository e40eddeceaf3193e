#!/usr/bin/env python3
"""The protocol of identity-resolver: instances that store links and profiles at once, and what readers learn of it.

    python3 tests/model/resolver.py --without neighbour-lock --schedules 2000 --seed 1
    python3 tests/model/resolver.py --all
"""

from collections import namedtuple

import command
from closure import Evidence, add_first, leaving, settle, shown
from ledger import Move, Place
from machine import Instance, Retry, World

RULES = {
    "stripe-lock": "lock the stripes of the touched profiles",
    "look-again": "look again, after the locks, for the profiles of the identifiers",
    "neighbour-lock": "lock the neighbours that are tested, too",
    "new-key-check": "start again if another instance inserted a new identifier first",
    "late-version": "take the version after the last lock, from a sequence that is not cached",
    "every-moved": "tell all moved identifiers, also those that were never an anchor",
    "confirmed-cache": "caches change only after a confirmed commit",
    "repeat-unknown": "a batch whose commit is unknown runs again",
    "offsets-last": "offsets are committed last",
    "acknowledged-only": "outbox rows go after the acknowledgement",
    "left-rows": "every instance publishes the outbox rows that others left",
}

BLOCK = 8  # numbers of a cached sequence

# A touchpoint, whose first identifier is the anchor; or an operator's cut between two identifiers.
Seen = namedtuple("Seen", "time ids is_cut")
Identifier = namedtuple("Identifier", "first_seen profile version")  # a stored row


def evidence_of(touches, unique):
    evidence = Evidence(unique)
    for touch in touches:
        add_first(evidence.seen, {i: touch.time for i in touch.ids})
        if not touch.is_cut:
            add_first(evidence.links, shown(touch.ids, touch.time))
    return evidence


def cuts_of(touches):
    return {link for touch in touches if touch.is_cut for link in shown(touch.ids, touch.time)}


def without_cuts(evidence, cuts):
    """What decides: a link that was cut does not count, whenever it was shown."""
    evidence.links = {link: time for link, time in evidence.links.items() if link not in cuts}
    return evidence


class IdentityResolver(Instance):
    def forget(self):
        self.ids, self.links = {}, {}  # caches: {identifier: Identifier}, {link: place}
        self.stripes, self.block = set(), []

    def process(self, partition, batch):
        missing = [touch for touch in batch if not self.is_covered(touch)]
        version = None
        if missing:
            version = yield from self.resolve(missing)
        yield from self.send(self.world.resolved, [self.resolved(touch) for touch in batch if not touch.is_cut])
        if version is not None:
            yield from self.publish(version)

    def resolved(self, touch):
        row = self.ids[touch.ids[0]]
        return Move(touch.ids[0], row.profile, row.version)

    def is_covered(self, touch):
        """Whether the touchpoint says nothing that is not stored; then no database is needed."""
        if touch.is_cut:
            return False
        return all(i in self.ids and self.ids[i].first_seen <= touch.time for i in touch.ids) and all(
            link in self.links and self.links[link] <= place for link, place in shown(touch.ids, touch.time).items()
        )

    # --------------------------------------------------------------------------------------- one transaction

    def resolve(self, touches):
        """Stores what a batch shows; the version of its identity change, or None."""
        news, cuts, transaction = evidence_of(touches, self.world.unique), cuts_of(touches), self.begin()
        if self.keeps("late-version"):
            evidence, stored, profiles = yield from self.lock_closure(transaction, news, cuts)
            version = self.next_version()
        else:
            version = self.cached_version()
            evidence, stored, profiles = yield from self.lock_closure(transaction, news, cuts)
        rows = self.changed_rows(evidence, stored, profiles, version)
        yield from self.store_links(transaction, news, cuts)
        yield from self.store_ids(transaction, stored, rows)
        told = yield from self.store_change(transaction, touches, stored, rows, version)
        yield from self.commit(transaction, news, {**stored, **rows})
        return version if told else None

    def next_version(self):
        self.world.sequence += 1
        return self.world.sequence

    def cached_version(self):
        if not self.block:
            self.block = [self.next_version() for _ in range(BLOCK)]
        return self.block.pop(0)

    def lock_closure(self, transaction, news, cuts):
        """(evidence, stored identifiers, new profiles): locks profiles until all that decide are locked."""
        held, needed = set(), self.suggested(news)
        while True:
            yield from self.lock_stripes(transaction, held, needed)
            evidence, stored = yield from self.read_evidence(transaction, news, cuts)
            former = {i: row.profile for i, row in stored.items()}
            profiles = settle(evidence, former, list(news.seen))
            needed = self.deciding(evidence, former, profiles)
            if needed <= held or not self.keeps("look-again") or not self.keeps("stripe-lock"):
                self.stripes = set()
                return evidence, stored, profiles

    def suggested(self, news):
        """The profiles to lock first: those of the caches, or all of a try that had to start again."""
        if self.stripes:
            return self.stripes
        stored = self.database.rows("ids")
        rows = [self.ids.get(i) or stored.get(i) for i in news.seen]
        return {row.profile for row in rows if row}

    def lock_stripes(self, transaction, held, needed):
        """Ascending. One below a held one: everything starts again with all of them first."""
        missing = sorted(needed - held) if self.keeps("stripe-lock") else []
        if held and missing and missing[0] < max(held):
            self.stripes = held | needed
            raise Retry("a stripe below a held one")
        for profile in missing:
            yield from transaction.lock_fixed(profile)
        held |= needed

    def read_evidence(self, transaction, news, cuts):
        """What is stored together with what the batch shows."""
        stored = yield from transaction.read("ids")
        links = yield from transaction.read("links")
        stored_cuts = yield from transaction.read("cuts")
        evidence = Evidence(self.world.unique)
        evidence.seen = {i: row.first_seen for i, row in stored.items()}
        add_first(evidence.seen, news.seen)
        evidence.links = {link: time for link, time in links.items() if stored.keys() >= set(link)}
        add_first(evidence.links, news.links)
        return without_cuts(evidence, cuts | stored_cuts.keys()), stored

    def deciding(self, evidence, former, profiles):
        """The stored profiles that the result depends on: what is inside, and the tested neighbours."""
        inside = {former[i] for i in profiles if i in former}
        if not self.keeps("neighbour-lock"):
            return inside
        outer = {outer for _, _, outer in leaving(evidence, set(profiles))}
        return inside | {former[i] for i in outer if i in former}

    # ------------------------------------------------------------------------------------------------ writing

    def changed_rows(self, evidence, stored, profiles, version):
        """Rows of the identifiers that are new, moved, or seen earlier than known."""
        rows = {}
        for i, profile in profiles.items():
            old = stored.get(i)
            is_moved = old is None or old.profile != profile
            row = Identifier(evidence.seen[i], profile, version if is_moved else old.version)
            if row != old:
                rows[i] = row
        return rows

    def store_links(self, transaction, news, cuts):
        for link in sorted(cuts):
            yield from transaction.insert("cuts", link, True)
        for link, time in sorted(news.links.items()):
            if not (yield from transaction.insert("links", link, time)):
                yield from transaction.update("links", link, lambda row: min(row, time))

    def store_ids(self, transaction, stored, rows):
        for i in sorted(rows.keys() & stored.keys()):
            yield from transaction.update("ids", i, lambda _: rows[i])
        for i in sorted(rows.keys() - stored.keys()):
            is_first = yield from transaction.insert("ids", i, rows[i])
            if not is_first and self.keeps("new-key-check"):
                raise Retry("another instance inserted the identifier")

    def store_change(self, transaction, touches, stored, rows, version):
        """The identity change, into the outbox; whether there is one."""
        moved = [i for i, row in rows.items() if i in stored and row.profile != stored[i].profile]
        if not self.keeps("every-moved"):
            anchors = yield from transaction.read("anchors")
            moved = [i for i in moved if i in anchors]
            for anchor in {touch.ids[0] for touch in touches}:
                yield from transaction.insert("anchors", anchor, True)
        if moved:
            yield from transaction.insert("outbox", version, [Move(i, rows[i].profile, version) for i in moved])
        return bool(moved)

    def commit(self, transaction, news, rows):
        if not self.keeps("confirmed-cache"):
            self.fill(news, rows)
        yield from transaction.commit()
        self.fill(news, rows)

    def fill(self, news, rows):
        self.ids.update((i, rows[i]) for i in news.seen)
        add_first(self.links, news.links)

    # ------------------------------------------------------------------------------------------------- outbox

    def left(self):
        return bool(self.database.rows("outbox"))

    def publish_left(self):
        for version in sorted(self.database.rows("outbox")):
            yield from self.publish(version)

    def publish(self, version):
        yield
        outbox = self.database.rows("outbox")
        moves = outbox.get(version, [])
        if not self.keeps("acknowledged-only"):
            outbox.pop(version, None)
        yield from self.send(self.world.resolved, moves)
        yield
        outbox.pop(version, None)


class Identity(World):
    """Several identity-resolvers over touchpoints that name one to three identifiers each."""

    def prepare(self):
        self.sequence, self.resolved = 0, []
        self.touches, topic = [], [[] for _ in range(self.chance.randint(1, 3))]
        if self.chance.random() < 0.3:
            self.two_cuts(topic)
        else:
            self.any_touches(topic)
        self.add(IdentityResolver, topic, self.chance.randint(2, 3))

    def any_touches(self, topic):
        ids = list(range(self.chance.randint(4, 8)))
        split = self.chance.randint(1, 2)
        unique = self.chance.sample(ids, self.chance.randint(2, len(ids)))
        self.unique = [set(unique[k::split]) for k in range(split)]
        self.tell(topic, [self.make_touch(ids) for _ in range(self.chance.randint(8, 24))])

    def two_cuts(self, topic):
        """Two profiles are kept apart by two types at once; two operators take away one reason each."""
        a, b, *uniques = self.chance.sample(range(6), 6)
        self.unique = [set(uniques[:2]), set(uniques[2:])]
        pairs = [(a, uniques[0]), (b, uniques[1]), (a, uniques[2]), (b, uniques[3])]
        self.tell(topic, [Seen(self.chance.randint(0, 9), pair, False) for pair in pairs] + [Seen(10, (a, b), False)])
        for pair in (pairs[0], pairs[3]):
            self.tell(topic[-1:] if pair == pairs[0] else topic[:1], [Seen(20, pair, True)])

    def tell(self, topic, touches):
        """Writes the touchpoints to any partitions, some of them twice."""
        self.touches += touches
        for touch in touches + [t for t in touches if self.chance.random() < 0.3]:
            self.chance.choice(topic).append(touch)

    def make_touch(self, ids):
        named = self.chance.sample(ids, self.chance.choice((1, 2, 2, 3)))
        return Seen(self.chance.randint(0, 30), tuple(named), len(named) == 2 and self.chance.random() < 0.3)

    def problems(self):
        evidence, rows = evidence_of(self.touches, self.unique), self.database.rows
        stored, links, found = rows("ids"), dict(evidence.links), []
        wanted = without_cuts(evidence, cuts_of(self.touches)).partition(set(evidence.seen))
        if {i: row.profile for i, row in stored.items()} != wanted:
            found.append("profiles")
        if {i: row.first_seen for i, row in stored.items()} != evidence.seen or rows("links") != links:
            found.append("evidence")
        if any(place.profile != wanted[anchor] for anchor, place in self.reader_map().items()):
            found.append("map of a reader")
        return found

    def reader_map(self):
        """{anchor: place of the highest version}, as journey-tracker and suppression keep it."""
        places = {}
        for move in self.resolved:
            if move.anchor not in places or places[move.anchor].version < move.version:
                places[move.anchor] = Place(move.profile, move.version)
        return places


if __name__ == "__main__":
    command.main(Identity, RULES, __doc__)
