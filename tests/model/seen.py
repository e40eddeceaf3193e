#!/usr/bin/env python3
"""A customer who is seen with an address of somebody else, while a request that names none is decided or the address opts out.

    python3 tests/model/seen.py                       # all rules: 0 wrong
    python3 tests/model/seen.py --without state-lock
    python3 tests/model/seen.py --all                 # the table: each rule in its turn

1,000 orders of the statements of each two of the three transactions, and of all three. They share the row of the address in
the map, and the state of the customer. A wrong end is an open grant of a customer who is known by an address that said no.
"""

import command
from turns import Turns, orders

RULES = {
    "state-lock": "who is seen with another one's address locks the state of his profile",
    "judge": "open grants are judged again by the words of that address",
    "list": "what stays open is listed under the address",
    "check-locked": "start again if an address was not locked before its words are read",
}


class Row:
    """What is committed."""

    def __init__(self, **known):
        self.opted_out = self.known = self.granted = self.listed = self.revoked = False
        vars(self).update(known)


class Transaction:
    """Steps by name; a lock is `lock <what>`, taken where `wants` says so."""

    def __init__(self, rules):
        self.rules = rules
        self.restart()

    def restart(self):
        self.done, self.writes, self.saw, self.addresses = 0, {}, Row(), False

    def wants(self, lock):
        return True

    def settle(self):
        """False: it starts again."""
        return True

    def do(self, step, row):
        if step == "look":
            self.addresses = self.finds(row)
        elif step == "read":
            self.saw = Row(**{**vars(row), **self.writes})
        return step != "settle" or self.settle()

    def commit(self, row):
        vars(row).update(self.writes)

    def is_unlocked(self):
        return not self.addresses and "check-locked" in self.rules


class Request(Transaction):
    """Names no address: relies on those that are known."""

    steps = ["look", "lock address", "lock state", "read", "settle", "commit"]

    def finds(self, row):
        return row.known

    def wants(self, lock):
        return lock == "state" or self.addresses

    def settle(self):
        if self.saw.known and self.is_unlocked():
            return False
        if not (self.saw.known and self.saw.opted_out):
            self.writes = {"granted": True, "listed": self.saw.known}
        return True


class Seen(Transaction):
    steps = ["insert", "look", "lock address", "lock state", "read", "settle", "commit"]

    def do(self, step, row):
        if step == "insert":
            self.writes = {"known": True}
        return super().do(step, row)

    def finds(self, row):
        return row.granted

    def wants(self, lock):
        return "state-lock" in self.rules if lock == "state" else self.addresses

    def settle(self):
        if not self.saw.granted:
            return True
        if self.is_unlocked():
            return False
        if self.saw.opted_out:
            self.writes["revoked"] = "judge" in self.rules
        else:
            self.writes["listed"] = "list" in self.rules
        return True


class OptOut(Transaction):
    steps = ["insert", "lock address", "read", "settle", "commit"]

    def do(self, step, row):
        if step == "insert":
            self.writes = {"opted_out": True}
        return super().do(step, row)

    def settle(self):
        if self.saw.granted and self.saw.listed:
            self.writes["revoked"] = True
        return True


PLAYS = [  # who takes part, what was there before
    ((Seen, Request), {"opted_out": True}),
    ((Seen, OptOut), {"granted": True}),
    ((Request, OptOut), {"known": True}),
    ((Seen, Request, OptOut), {}),
]
ORDERS = 1000  # of each


def wrong(without=()):
    """(how many orders end wrongly, of how many)."""
    rules = set(RULES) - set(without)
    ends = [
        Turns(Row(**start), [kind(rules) for kind in kinds]).play(order) for kinds, start in PLAYS for order in orders(kinds, ORDERS)
    ]
    return sum(row.granted and row.known and row.opted_out and not row.revoked for row in ends), len(ends)


if __name__ == "__main__":
    command.main_of_orders(wrong, RULES, __doc__)
