#!/usr/bin/env python3
"""The protocol of suppression: decisions on requests inside the slow path of the timeline, caps in every window.

    python3 tests/model/suppression.py --without every-window --schedules 2000 --seed 1
    python3 tests/model/suppression.py --all
"""

import command
from history import History
from ledger import Ledger
from machine import World

RULES = {
    "every-window": "a cap holds in every window that contains the request, later contacts included",
    "state-lock": "lock the states of the profiles before facts and decisions are read",
    "new-state-check": "run again if another instance inserted a new state first",
    "repeat-unknown": "a batch whose commit is unknown runs again",
    "offsets-last": "offsets are committed last",
    "acknowledged-only": "outbox rows go after the acknowledgement",
    "left-rows": "every instance publishes the outbox rows that others left",
}

GRANT, DENY = "grant", "deny"


def fits(times, time, cap, length, every=True):
    """Whether one more contact keeps to the cap; every: also in the windows that end after it."""
    if not every:
        return sum(time - length < t <= time for t in times) + 1 <= cap
    return not is_over([*times, time], cap, length)


def is_over(times, cap, length):
    """Whether some window of this length holds more contacts than the cap."""
    return any(sum(start <= t < start + length for t in times) > cap for start in times)


class Suppression(Ledger):
    def process(self, partition, batch):
        facts, told = self.read_batch(batch)
        slow = yield from self.lock_slow(facts, told)
        decisions = yield from slow.transaction.read("decisions")
        answers = self.decide(slow, dict(decisions))
        for event_id, verdict in sorted(answers.items()):
            yield from self.store(slow.transaction, event_id, verdict)
        yield from self.save_states(slow, dict.fromkeys(slow.states))
        yield from slow.transaction.commit()
        yield from self.publish(answers)

    def decide(self, slow, decisions):
        """{event_id: verdict} of the new requests, oldest first."""
        answers = {}
        for fact in sorted(slow.new):
            if fact.kind == "request":
                times = self.contacts(slow, fact, decisions)
                is_free = fits(times, fact.time, self.world.cap, self.world.length, self.keeps("every-window"))
                answers[fact.event_id] = decisions[fact.event_id] = GRANT if is_free else DENY
        return answers

    def contacts(self, slow, request, decisions):
        """Times of the contacts that were granted to the profile of a request."""
        facts = slow.new_facts(slow.profile(request.anchor))
        return [f.time for f in facts if decisions.get(f.event_id) == GRANT and f != request]

    def store(self, transaction, event_id, verdict):
        yield from transaction.insert("decisions", event_id, verdict)
        yield from transaction.update("outbox", event_id, lambda _: verdict)

    # ------------------------------------------------------------------------------------------------- outbox

    def left(self):
        return bool(self.database.rows("outbox"))

    def publish_left(self):
        yield from self.publish(sorted(self.database.rows("outbox")))

    def publish(self, event_ids):
        yield
        outbox = self.database.rows("outbox")
        rows = [(event_id, outbox[event_id]) for event_id in event_ids if event_id in outbox]
        if not self.keeps("acknowledged-only"):
            self.delete(rows)
        yield from self.send(self.world.told, rows)
        yield
        self.delete(rows)

    def delete(self, rows):
        for event_id, _ in rows:
            self.database.rows("outbox").pop(event_id, None)


class Requests(World):
    """Several instances of suppression. No anchor moves, so that a cap that holds at a decision holds at the end."""

    def prepare(self):
        self.cap, self.length = self.chance.randint(1, 2), self.chance.choice((5, 10, 20))
        self.told = []
        self.history = History(self.chance, kinds=("request", "request", "click"), moves=0)
        self.add(Suppression, self.history.topic, self.chance.randint(2, 3))

    def problems(self):
        decisions, found = self.database.rows("decisions"), []
        requests = {fact.event_id for fact in self.history.facts() if fact.kind == "request"}
        if set(decisions) != requests:
            found.append("a request without a decision")
        if any(self.is_over(facts, decisions) for facts in self.history.timelines().values()):
            found.append("a cap does not hold")
        if set(self.told) != set(decisions.items()):
            found.append("answers that were told")
        return found

    def is_over(self, facts, decisions):
        times = [fact.time for fact in facts if decisions.get(fact.event_id) == GRANT]
        return is_over(times, self.cap, self.length)


if __name__ == "__main__":
    command.main(Requests, RULES, __doc__)
