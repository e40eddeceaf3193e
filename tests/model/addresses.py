#!/usr/bin/env python3
"""A request that relies on an address, and an opt-out of that address by somebody else: every order of their statements.

    python3 tests/model/addresses.py                       # all rules: 0 wrong of 252
    python3 tests/model/addresses.py --without anchor-lock
    python3 tests/model/addresses.py --all                 # the table: each rule in its turn

The request and the opt-out are of two customers, so no state row is common to both. What they share is the row of the address
in the map. A wrong end is an open grant beside a stored opt-out.
"""

from itertools import combinations

import command

RULES = {
    "anchor-lock": "lock the row of the address before its words are read",
    "grant-row": "a grant leaves a row under each address that it relies on",
    "asked-again": "an opt-out asks the rules again for the grants that it finds there",
    "read-after-lock": "read the words of the address after the lock",
}
REQUEST = ["insert", "lock", "read", "decide", "commit"]
OPT_OUT = ["insert", "lock", "find", "revoke", "commit"]


class Row:
    """What is committed."""

    def __init__(self):
        self.opted_out = self.granted = self.listed = self.revoked = False


class Request:
    name = "request"

    def __init__(self, rules):
        early = "read-after-lock" not in rules
        self.steps = ["insert", "read", "lock", "decide", "commit"] if early else REQUEST
        self.rules, self.writes, self.saw_no = rules, {}, False

    def do(self, step, row):
        if step == "read":
            self.saw_no = row.opted_out
        elif step == "decide" and not self.saw_no:
            self.writes = {"granted": True, "listed": "grant-row" in self.rules}


class OptOut:
    name = "opt-out"

    def __init__(self, rules):
        self.steps, self.rules, self.writes, self.found = OPT_OUT, rules, {}, False

    def do(self, step, row):
        if step == "insert":
            self.writes = {"opted_out": True}
        elif step == "find":
            self.found = row.listed and row.granted
        elif step == "revoke" and self.found and "asked-again" in self.rules:
            self.writes["revoked"] = True


def play(order, rules):
    """The committed row after both, in this order of turns; who waits for the lock lets the other one go on."""
    row, holder, both, done = Row(), None, {True: Request(rules), False: OptOut(rules)}, {True: 0, False: 0}
    turns = list(order)
    while turns:
        who = turns.pop(0)
        step = both[who].steps[done[who]]
        if step == "lock" and "anchor-lock" in rules and holder not in (None, who):
            turns = [not who] * turns.count(not who) + [who] * (turns.count(who) + 1)
            continue
        done[who] += 1
        if step == "lock" and "anchor-lock" in rules:
            holder = who
        elif step == "commit":
            vars(row).update(both[who].writes)
            holder = None if holder is who else holder
        else:
            both[who].do(step, row)
    return row


def orders():
    steps = len(REQUEST) + len(OPT_OUT)
    for mine in combinations(range(steps), len(REQUEST)):
        yield [turn in mine for turn in range(steps)]


def wrong(without=()):
    """(how many orders end with an open grant beside a stored opt-out, of how many)."""
    rules = set(RULES) - set(without)
    ends = [play(order, rules) for order in orders()]
    return sum(row.granted and row.opted_out and not row.revoked for row in ends), len(ends)


if __name__ == "__main__":
    command.main_of_orders(wrong, RULES, __doc__)
