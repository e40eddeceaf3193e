"""Transactions that take turns, statement by statement: a lock is held until its transaction ends."""

import random


class Turns:
    """Plays transactions (`steps` by name, `done` of them) against one row. A step is `lock <what>`, which is taken where `wants`
    says so, `commit`, or one that `do` knows; where `do` answers False the transaction starts again."""

    def __init__(self, row, transactions):
        self.row, self.all, self.held = row, transactions, {}

    def release(self, who):
        self.held = {lock: owner for lock, owner in self.held.items() if owner is not who}

    def step(self, who):
        """False if it is done, or waits."""
        if who.done == len(who.steps):
            return False
        step = who.steps[who.done]
        if step.startswith("lock "):
            lock = step.removeprefix("lock ")
            if who.wants(lock) and self.held.setdefault(lock, who) is not who:
                return False
        elif step == "commit":
            who.commit(self.row)
            self.release(who)
        elif who.do(step, self.row) is False:
            self.release(who)
            who.restart()
            return True
        who.done += 1
        return True

    def play(self, order):
        """What is left of them after this order runs as they come."""
        for turn in order:
            self.step(self.all[turn])
        while any([self.step(who) for who in self.all]):
            pass
        assert all(who.done == len(who.steps) for who in self.all)
        return self.row


def orders(kinds, count):
    """Random orders of the steps of these kinds of transactions."""
    chance = random.Random(1)
    turns = [number for number, kind in enumerate(kinds) for _ in kind.steps]
    return (chance.sample(turns, len(turns)) for _ in range(count))
