#!/usr/bin/env python3
"""A channel claims a grant, while the customer opts out, somebody else opts out of his address, or another request asks for his place.

    python3 tests/model/claims.py                       # all rules: 0 wrong
    python3 tests/model/claims.py --without row-lock
    python3 tests/model/claims.py --all                 # the table: each rule in its turn

4,000 orders of the statements of what takes part. The transactions share the state of the customer and the row of the decision.
A wrong end is a send whose claim, or whose look at the messages, came after an opt-out was stored; a grant that was claimed and
revoked; or two sends where one contact is allowed.
"""

import command
from turns import Turns, orders

RULES = {
    "claim": "a channel claims before it sends; without, it heeds the revocations that it has read",
    "state-lock": "a claim locks the state of the customer",
    "row-lock": "a claim locks the row of the decision before it reads it",
    "ask": "a claim asks the rules: an opt-out may be stored, and may have revoked nothing",
    "stays": "a claimed grant is not revoked",
    "counts": "a claimed contact counts, also after the grant expired",
}


class Row:
    """What is committed."""

    def __init__(self, **known):
        self.opted_out = self.claimed = self.revoked = self.expired = self.other = self.told = False
        vars(self).update(known)


class Transaction:
    """Steps by name; a lock is `lock <what>`, taken where `wants` says so."""

    def __init__(self, play):
        self.play, self.done, self.writes, self.saw = play, 0, {}, Row()

    def keeps(self, rule):
        return rule in self.play.rules

    def wants(self, lock):
        return True

    def do(self, step, row):
        if step == "read":
            self.saw = Row(**{**vars(row), **self.writes})
        elif step == "settle":
            self.settle(row)

    def commit(self, row):
        vars(row).update(self.writes)


class Channel(Transaction):
    """Claims, then sends."""

    steps = ["lock state", "lock row", "read", "settle", "commit", "send"]

    def wants(self, lock):
        return self.keeps("claim") and self.keeps(f"{lock}-lock")

    def settle(self, row):
        if not self.keeps("claim"):
            return
        said_no = self.saw.opted_out and self.keeps("ask")
        if not (self.saw.revoked or self.saw.expired or said_no):
            self.writes = {"claimed": True}

    def commit(self, row):
        super().commit(row)
        if self.writes:
            self.play.note_go_ahead(row)

    def do(self, step, row):
        super().do(step, row)
        if step != "send":
            return
        if not self.keeps("claim") and not row.told and not self.saw.expired:
            self.play.note_go_ahead(row)
        self.play.sends += self.play.goes_ahead


class OptOut(Transaction):
    """Of the customer himself, under the lock of his state."""

    steps = ["lock state", "read", "settle", "lock row", "write", "commit", "tell"]

    def settle(self, row):
        self.writes = {"opted_out": True}

    def do(self, step, row):
        super().do(step, row)
        if step == "write" and not (row.claimed and self.keeps("stays")):
            self.writes["revoked"] = True
        elif step == "tell" and row.revoked:  # the channel reads its messages late
            row.told = True


class OthersOptOut(OptOut):
    """Of somebody who has the same address: it finds the grant under the address, and locks no state of its customer."""

    steps = ["read", "settle", "lock row", "write", "commit", "tell"]


class Clock(Transaction):
    steps = ["settle", "commit"]

    def settle(self, row):
        self.writes = {"expired": True}


class Rival(Transaction):
    """Another request for the one place, granted and sent."""

    steps = ["lock state", "read", "settle", "commit", "send"]

    def settle(self, row):
        is_held = not self.saw.revoked and (not self.saw.expired or (self.saw.claimed and self.keeps("counts")))
        self.writes = {"other": not is_held}

    def do(self, step, row):
        super().do(step, row)
        if step == "send":
            self.play.sends += self.writes["other"]


PLAYS = [  # who takes part, what was there before
    ((Channel, OptOut), {}),
    ((Channel, OthersOptOut), {}),
    ((Channel, Clock), {"opted_out": True}),  # the policy learnt a word that he had said, and nobody judged the grant again
    ((Channel, Clock, Rival), {}),
]
ORDERS = 1000  # of each


class Play(Turns):
    def __init__(self, kinds, start, rules):
        self.rules = rules
        self.sends, self.goes_ahead, self.is_late = 0, False, False
        super().__init__(Row(**start), [kind(self) for kind in kinds])

    def note_go_ahead(self, row):
        self.goes_ahead = True
        self.is_late = self.is_late or row.opted_out

    def is_wrong(self, order):
        row = self.play(order)
        return self.is_late or (row.claimed and row.revoked) or self.sends > 1


def wrong(without=()):
    """(how many orders end wrongly, of how many)."""
    rules = set(RULES) - set(without)
    ends = [Play(kinds, start, rules).is_wrong(order) for kinds, start in PLAYS for order in orders(kinds, ORDERS)]
    return sum(ends), len(ends)


if __name__ == "__main__":
    command.main_of_orders(wrong, RULES, __doc__)
