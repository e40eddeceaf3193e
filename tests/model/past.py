#!/usr/bin/env python3
"""A new contact policy and its past: `tutti policy apply` between instances of journey-tracker and suppression.

    python3 tests/model/past.py --without read-again --schedules 2000 --seed 1
    python3 tests/model/past.py --all

Both services read one topic in groups of their own. journey-tracker stores every touchpoint, suppression those that its
policy asks for. At some moment an operator stops the instances that he sees and applies a policy that asks for more.
Wrong is an end at which the ledger is not the one of a database that always had the new policy.
"""

from collections import namedtuple

import command
from machine import Instance, Retry, Transaction, World

RULES = {
    "fill": "stored touchpoints that the new policy asks for become facts of the ledger",
    "read-again": "suppression reads again from where journey-tracker's offsets are",
    "empty-group": "offsets are set back when the group has no member, whose late commit would move them on again",
    "asks-policy": "every transaction asks for the active policy under a lock, for which a switch waits",
    "complete-last": "services start when all of this is done, so an interrupted apply is run again",
    "offsets-last": "offsets are committed last",
}
OLD, NEW = 1, 2
ASKED = {OLD: ("consent",), NEW: ("consent", "complaint")}

Told = namedtuple("Told", "event_id kind")
Policy = namedtuple("Policy", "number is_complete")


class Outdated(Exception):
    """Another policy is active: the service ends."""


class Reader(Instance):
    """A service. It holds its session, which apply waits for, until it ends or its connection breaks."""

    has_session = False

    def start(self):
        policy = self.world.policy()
        if policy.is_complete and not self.world.is_locked:
            self.policy, self.has_session = policy.number, True
            super().start()

    def forget(self):
        """Nothing is cached."""

    def crash(self):
        if self.is_alive:
            self.has_session = False
            super().crash()

    def attempt(self, steps):
        before, done = self.group.generation, False
        try:
            done = yield from super().attempt(steps)
        except Outdated:
            self.is_alive = self.has_session = False
            self.transaction.rollback()
            self.group.leave(self)
            yield lambda: False
        self.has_session = self.has_session and self.transaction.was_confirmed
        return done and self.is_member(before)

    def is_member(self, generation):
        """Kafka takes offsets from nobody else."""
        return self in self.group.members and self.group.generation == generation

    def process(self, partition, batch):
        transaction = self.begin()
        yield
        if self.keeps("asks-policy"):
            yield lambda: not self.world.is_switching
            self.world.transactions.append(transaction)
            if self.world.policy().number != self.policy:
                raise Outdated
        for told in batch:
            if self.wants(told):
                yield from transaction.insert(self.table, told, True)
        yield from transaction.commit()
        for _ in range(self.chance.choice((0, 5, 50))):  # until what it sends is acknowledged
            yield

    def lose_session(self):
        """The connection breaks, and the server notices before the service does."""
        self.has_session = False
        if self.transaction is not None:
            self.transaction.rollback()

    def begin(self):
        self.transaction = Session(self.database)
        return self.transaction


class Session(Transaction):
    was_confirmed = False

    def commit(self):
        yield from super().commit()
        self.was_confirmed = True


class JourneyTracker(Reader):
    table = "stored"

    def wants(self, told):
        return True


class Suppression(Reader):
    table = "ledger"

    def wants(self, told):
        return told.kind in ASKED[self.policy]


class Operator(Instance):
    """Stops the services, applies the policy and starts them; begins again where that was interrupted."""

    def start(self):
        self.is_alive, self.transaction, self.may_go_on, self.steps = True, None, None, self.work()
        self.paused_until = max(self.world.now, self.world.begins)

    def crash(self):
        self.steps.close()
        self.is_alive = self.world.is_locked = self.world.is_switching = False
        if self.transaction is not None:
            self.database.abandon(self.transaction)

    def pause(self, steps):
        self.paused_until = max(self.paused_until, self.world.now + steps)

    def work(self):
        while self.world.policy() != Policy(NEW, True):
            yield
            yield from self.attempt(self.apply())
            self.world.is_locked = self.world.is_switching = False
        while True:
            for service in self.dead():
                service.start()
            yield self.dead

    def dead(self):
        return [service for service in self.world.services if not service.is_alive]

    def apply(self):
        yield from self.lock_out()
        if self.world.policy().number == OLD:
            yield from self.switch()
        if self.keeps("fill"):
            yield from self.fill()
        if self.keeps("read-again"):
            yield from self.read_again()
        yield from self.write("policy", {"active": Policy(NEW, True)})

    def lock_out(self):
        """Instances whose connection broke are not seen, and go on."""
        yield
        while sessions := [service for service in self.world.services if service.has_session]:
            self.chance.choice(sessions).crash()
            yield
        self.world.is_locked = True

    def switch(self):
        """Alone for this one transaction: those that hold the old policy end first, later ones see the new one."""
        self.world.is_switching = True
        yield
        if any(transaction.is_open for transaction in self.world.transactions):
            raise Retry("a transaction is under way")
        yield from self.write("policy", {"active": Policy(NEW, not self.keeps("complete-last"))})
        self.world.is_switching = False

    def fill(self):
        stored = dict(self.database.rows("stored"))
        yield from self.write("ledger", {told: True for told in stored if told.kind in ASKED[NEW]})

    def read_again(self):
        journey, suppression = (service.group for service in (self.world.services[0], self.world.services[-1]))
        ends = list(journey.committed)
        while self.keeps("empty-group") and suppression.members:
            self.chance.choice(suppression.members).crash()
            yield
        suppression.committed = [min(pair) for pair in zip(suppression.committed, ends)]
        yield

    def write(self, table, rows):
        self.transaction = Session(self.database)
        for key, row in sorted(rows.items()):
            yield from self.transaction.update(table, key, lambda _, row=row: row)
        yield from self.transaction.commit()


class Past(World):
    """One topic, two services in groups of their own, and an operator with a new policy."""

    def prepare(self):
        self.is_locked = self.is_switching = False
        self.transactions = []
        self.begins = self.chance.randint(0, 200)
        self.resets = 0
        self.database.rows("policy")["active"] = Policy(OLD, True)
        topic = [[] for _ in range(self.chance.randint(1, 3))]
        for event_id in range(self.chance.randint(6, 24)):
            kind = self.chance.choice(("view", "consent", "complaint"))
            self.chance.choice(topic).append(Told(event_id, kind))
        self.told = {told for partition in topic for told in partition}
        self.add(JourneyTracker, topic, self.chance.randint(1, 2))
        self.add(Suppression, topic, self.chance.randint(1, 3))
        self.services = list(self.instances)
        self.instances.append(Operator(self, self.groups[0]))

    def fault(self):
        super().fault()
        self.chance.choice(self.services).lose_session()

    def policy(self):
        return self.database.rows("policy")["active"]

    def problems(self):
        wanted = {told for told in self.told if told.kind in ASKED[NEW]}
        return [] if set(self.database.rows("ledger")) == wanted else ["the ledger does not know the past"]


if __name__ == "__main__":
    command.main(Past, RULES, __doc__)
