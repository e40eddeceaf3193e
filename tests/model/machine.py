"""What the models share: a database, topics with consumer groups, instances that fail, and a scheduler.

The database works as PostgreSQL does at READ COMMITTED: row locks, unique keys, one view per statement.

Instances are generators. Each `yield` ends one step; a yielded function says when the instance may go on. The scheduler
picks who makes the next step, so two transactions meet between any two of their statements.
"""

import random


class Retry(Exception):
    """The transaction is lost or its fate is unknown: the batch runs again from its messages."""


class UnknownCommit(Retry):
    """The connection broke while the commit was under way."""


class Fatal(Exception):
    """The service ends because no later result could be right."""


class Transaction:
    """One transaction; every method but rollback is a generator and one statement."""

    def __init__(self, database):
        self.database, self.is_open = database, True
        self.writes, self.held, self.waits_for = {}, set(), None

    def check(self):
        if not self.is_open:
            raise Retry("the connection is lost")

    def row(self, table, key):
        """The newest row that a statement of this transaction sees."""
        return self.writes.get((table, key), self.database.rows(table).get(key))

    def hold(self, name):
        """Takes a row's lock, or waits for it. A circle of waits rolls this transaction back."""
        locks = self.database.locks
        while locks.get(name, self) is not self:
            self.waits_for = name
            if self.database.is_circle(self):
                self.rollback()
                raise Retry("deadlock")
            yield lambda: name not in locks or not self.is_open
            self.check()
        self.waits_for = None
        locks[name] = self
        self.held.add(name)

    def read(self, table):
        """SELECT without a lock: {key: row} of the whole table."""
        yield
        self.check()
        mine = {key: row for (name, key), row in self.writes.items() if name == table}
        return {**self.database.rows(table), **mine}

    def insert(self, table, key, row):
        """INSERT ... ON CONFLICT DO NOTHING: whether it was inserted. Waits for another insert of the same key."""
        yield
        self.check()
        if self.row(table, key) is not None:
            return False
        yield from self.hold((table, key))
        if self.row(table, key) is not None:
            self.database.release(self, (table, key))
            return False
        self.writes[table, key] = row
        return True

    def lock(self, table, key):
        """SELECT ... FOR UPDATE: the newest row, or None. An absent row locks nothing."""
        yield
        self.check()
        if self.row(table, key) is None:
            return None
        yield from self.hold((table, key))
        return self.row(table, key)

    def lock_fixed(self, key):
        """Locks one of the rows that are always there."""
        yield
        self.check()
        yield from self.hold(("fixed", key))

    def update(self, table, key, change):
        """UPDATE ... SET row = change(row) ... RETURNING: the row that it leaves."""
        yield
        self.check()
        yield from self.hold((table, key))
        self.writes[table, key] = change(self.row(table, key))
        return self.writes[table, key]

    def commit(self):
        yield
        self.check()
        self.database.commit(self)
        yield

    def end(self):
        self.is_open, self.waits_for = False, None
        for name in list(self.held):
            self.database.release(self, name)

    def apply(self):
        if self.is_open:
            for (table, key), row in self.writes.items():
                self.database.rows(table)[key] = row
            self.end()

    def rollback(self):
        if self.is_open:
            self.end()


class Database:
    """Tables of committed rows, the locks on them, and commits that a broken connection leaves behind."""

    def __init__(self, chance):
        self.tables, self.locks, self.chance = {}, {}, chance
        self.unknown_share, self.left = 0, []

    def rows(self, table):
        return self.tables.setdefault(table, {})

    def release(self, transaction, name):
        transaction.held.discard(name)
        if self.locks.get(name) is transaction:
            del self.locks[name]

    def is_circle(self, transaction):
        other = self.locks.get(transaction.waits_for)
        for _ in range(len(self.locks)):
            if other is transaction:
                return True
            if other is None or other.waits_for is None:
                return False
            other = self.locks.get(other.waits_for)
        return False

    def commit(self, transaction):
        """Commits, or breaks the connection: then the commit happened, will happen, or never happens."""
        if self.chance.random() >= self.unknown_share:
            transaction.apply()
            return
        fate = self.chance.choice((transaction.apply, transaction.rollback, None))
        if fate is None:
            self.left.append(transaction.apply)
        else:
            fate()
        raise UnknownCommit("the commit was not confirmed")

    def abandon(self, transaction):
        """A crash: the server notices now or later that the client is gone."""
        if self.chance.random() < 0.5:
            transaction.rollback()
        else:
            self.left.append(transaction.rollback)

    def finish_one(self):
        """What a broken connection left behind comes to its end."""
        self.left.pop(self.chance.randrange(len(self.left)))()


class Group:
    """A consumer group on the partitions of one topic: committed offsets and who owns what."""

    def __init__(self, chance, topic):
        self.chance, self.topic = chance, topic
        self.committed = [0] * len(topic)
        self.members, self.owners, self.generation = [], {}, 0

    def rebalance(self):
        self.generation += 1
        members = self.chance.sample(self.members, len(self.members))
        partitions = self.chance.sample(range(len(self.topic)), len(self.topic))
        self.owners = {p: members[i % len(members)] for i, p in enumerate(partitions)} if members else {}

    def join(self, member):
        if member not in self.members:
            self.members.append(member)
            self.rebalance()

    def leave(self, member):
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def reset(self):
        """An operator sets offsets back."""
        self.committed = [self.chance.randint(0, offset) for offset in self.committed]
        self.rebalance()

    def unread(self, member):
        return [
            p for p, owner in self.owners.items() if owner is member and self.committed[p] < len(self.topic[p])
        ]


class Instance:
    """One instance of a service. Subclasses have forget, process and, where they publish, left and publish_left."""

    def __init__(self, world, group):
        self.world, self.group = world, group
        self.chance, self.database, self.keeps = world.chance, world.database, world.keeps
        self.is_alive, self.transaction, self.paused_until = False, None, 0

    # ------------------------------------------------------------------------------------ what a service says

    def forget(self):
        """Empties the caches, as a start does."""

    def process(self, partition, batch):
        raise NotImplementedError

    def left(self):
        """Whether an outbox has rows that this instance may publish."""
        return False

    def publish_left(self):
        yield

    # --------------------------------------------------------------------------------------------------- life

    def start(self):
        self.is_alive, self.transaction, self.paused_until = True, None, 0
        self.may_go_on, self.steps = None, self.work()
        self.forget()
        self.group.join(self)

    def crash(self):
        self.steps.close()
        self.is_alive = False
        if self.transaction is not None:
            self.database.abandon(self.transaction)
        self.group.leave(self)

    def pause(self, steps):
        """It makes no step for a while. Mostly the group takes it for dead: it wakes as a zombie."""
        self.paused_until = self.world.now + steps
        if self.chance.random() < 0.8:
            self.group.leave(self)

    def can_step(self):
        return (
            self.is_alive and self.paused_until <= self.world.now and (self.may_go_on is None or self.may_go_on())
        )

    def step(self):
        self.may_go_on = next(self.steps)

    # --------------------------------------------------------------------------------------------------- work

    def begin(self):
        self.transaction = Transaction(self.database)
        return self.transaction

    def wants_to_publish(self):
        return self.left() and self.keeps("left-rows")

    def has_work(self):
        return self not in self.group.members or self.group.unread(self) or self.wants_to_publish()

    def work(self):
        """The loop of every service: publish what is left, or run one batch."""
        while True:
            yield
            self.group.join(self)
            unread = self.group.unread(self)
            if self.wants_to_publish() and (not unread or self.chance.random() < 0.2):
                yield from self.attempt(self.publish_left())
            elif unread:
                yield from self.run_batch(self.chance.choice(unread))
            else:
                yield self.has_work

    def run_batch(self, partition):
        start = self.group.committed[partition]
        end = min(len(self.group.topic[partition]), start + self.chance.randint(1, self.world.batch))
        batch = self.group.topic[partition][start:end]
        if not self.keeps("offsets-last"):
            self.group.committed[partition] = end
        if (yield from self.attempt(self.process(partition, batch))):
            self.group.committed[partition] = end

    def attempt(self, steps):
        """Whether the steps came to their end; if not, what they did is rolled back."""
        try:
            yield from steps
            return True
        except UnknownCommit:
            return not self.keeps("repeat-unknown")
        except Retry:
            if self.transaction is not None:
                self.transaction.rollback()
            self.paused_until = self.world.now + self.chance.randint(0, 8)
            return False

    def send(self, partition, messages):
        """Produces; raises Retry if one was not acknowledged. Later ones may have arrived all the same."""
        is_lost = False
        for message in messages:
            yield
            if self.chance.random() < self.world.lost_share:
                is_lost = True
            else:
                partition.append(message)
        if is_lost:
            raise Retry("a message was not acknowledged")


class World:
    """One schedule: a seed decides the workload, the order of steps and the faults.

    Subclasses have prepare and problems.
    """

    LIMIT = 30000

    def __init__(self, seed, without=()):
        self.chance, self.without, self.now = random.Random(seed), set(without), 0
        self.database = Database(self.chance)
        self.instances, self.groups = [], []
        self.batch = self.chance.choice((1, 2, 4))
        self.fault_share = self.chance.choice((0, 0.01, 0.02, 0.04))
        self.database.unknown_share = self.chance.choice((0, 0.1, 0.3))
        self.lost_share = self.chance.choice((0, 0.1, 0.3))
        self.calm_after = self.chance.choice((300, 1000, 2500))
        self.resets = self.chance.randint(0, 2)
        self.burst = self.chance.choice((0, 0, 0.5, 0.9))
        self.is_calm, self.last = False, None
        self.prepare()

    def keeps(self, rule):
        return rule not in self.without

    def prepare(self):
        raise NotImplementedError

    def problems(self):
        """What is wrong with the end state: a list of words."""
        raise NotImplementedError

    def add(self, kind, topic, count):
        """So many instances of a service, which read a topic in one group."""
        group = Group(self.chance, topic)
        self.groups.append(group)
        self.instances += [kind(self, group) for _ in range(count)]

    # ------------------------------------------------------------------------------------------------- faults

    def fault(self):
        instance, group = self.chance.choice(self.instances), self.chance.choice(self.groups)
        kind = self.chance.choices(("crash", "start", "pause", "lose", "rebalance", "reset"), (5, 6, 6, 1, 3, 1))[0]
        if kind == "crash" and instance.is_alive:
            instance.crash()
        elif kind == "start" and not instance.is_alive:
            instance.start()
        elif kind == "pause" and instance.is_alive:
            instance.pause(self.chance.choice((10, 50, 200)))
        elif kind == "lose" and instance.transaction is not None:
            instance.transaction.rollback()
        elif kind == "rebalance":
            group.rebalance()
        elif kind == "reset" and self.resets > 0:
            self.resets -= 1
            group.reset()

    def calm(self):
        """No more faults: all instances are there and work to the end."""
        self.is_calm = True
        self.fault_share = self.database.unknown_share = self.lost_share = 0
        for instance in self.instances:
            if not instance.is_alive:
                instance.start()

    # ---------------------------------------------------------------------------------------------- scheduler

    def run(self):
        """Runs to the end; what is wrong then."""
        for instance in self.instances:
            instance.start()
        try:
            while self.advance():
                self.now += 1
                if self.now > self.LIMIT:
                    return ["it does not end"]
        except Fatal as fatal:
            return [str(fatal)]
        return self.problems()

    def advance(self):
        """One step of one instance; False when nothing is left to do."""
        if self.fault_share and self.chance.random() < self.fault_share:
            self.fault()
        if self.now >= self.calm_after and not self.is_calm:
            self.calm()
        if self.database.left and self.chance.random() < 0.02:
            self.database.finish_one()
        ready = [instance for instance in self.instances if instance.can_step()]
        if ready:
            self.step_one(ready)
            return True
        return self.pass_time()

    def step_one(self, ready):
        """In a burst the same instance goes on."""
        if self.last not in ready or self.chance.random() >= self.burst:
            self.last = self.chance.choice(ready)
        self.last.step()

    def pass_time(self):
        """No instance can make a step: something ends by itself, or the schedule is over."""
        paused = [i.paused_until for i in self.instances if i.is_alive and i.paused_until > self.now]
        if self.database.left:
            self.database.finish_one()
        elif paused:
            self.now = min(paused) - 1
        elif not self.is_calm:
            self.calm()
        else:
            return False
        return True
