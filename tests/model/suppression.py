#!/usr/bin/env python3
"""The protocol of suppression: decisions on requests inside the slow path of the timeline, caps in every window, and
a no that revokes what is granted. The ledger is read only where something may be decided.

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
    "open-noted": "a state says that grants of its profile may be open",
    "note-kept": "who does not read the ledger leaves that note as it is",
    "repeat-unknown": "a batch whose commit is unknown runs again",
    "offsets-last": "offsets are committed last",
    "acknowledged-only": "outbox rows go after the acknowledgement",
    "left-rows": "every instance publishes the outbox rows that others left",
}

GRANT, DENY, REVOKED = "grant", "deny", "revoked"


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
        reading = {profile for profile in slow.states if self.must_read(slow, profile)}
        answers = self.revoke(slow, decisions, reading) + self.decide(slow, dict(decisions))
        for event_id, verdict in answers:
            yield from self.store(slow.transaction, event_id, verdict)
        decisions = {**decisions, **dict(answers)}
        yield from self.save_states(slow, {p: self.note(slow, p, decisions, p in reading) for p in slow.states})
        yield from slow.transaction.commit()
        yield from self.publish(answers)

    def must_read(self, slow, profile):
        """A new request is decided by the ledger. A no, only if grants may be open."""
        kinds = {fact.kind for fact in slow.new if slow.profile(fact.anchor) == profile}
        return "request" in kinds or ("no" in kinds and slow.states[profile] is not None and slow.states[profile].end)

    def note(self, slow, profile, decisions, is_read):
        """Whether grants may be open, for the state row."""
        if not self.keeps("open-noted"):
            return False
        if not is_read:
            return self.keeps("note-kept") and slow.states[profile] is not None and slow.states[profile].end
        return any(decisions.get(fact.event_id) == GRANT for fact in slow.new_facts(profile))

    def revoke(self, slow, decisions, reading):
        """[(event_id, verdict)] of the grants beside a no."""
        return [
            (fact.event_id, REVOKED)
            for profile in sorted(reading)
            if self.said_no(slow.new_facts(profile))
            for fact in slow.new_facts(profile)
            if decisions.get(fact.event_id) == GRANT
        ]

    def said_no(self, facts):
        return any(fact.kind == "no" for fact in facts)

    def decide(self, slow, decisions):
        """[(event_id, verdict)] of the new requests, oldest first."""
        answers = []
        for fact in sorted(slow.new):
            if fact.kind == "request":
                times = self.contacts(slow, fact, decisions)
                is_free = fits(times, fact.time, self.world.cap, self.world.length, self.keeps("every-window"))
                said_no = self.said_no(slow.new_facts(slow.profile(fact.anchor)))
                decisions[fact.event_id] = GRANT if is_free and not said_no else DENY
                answers.append((fact.event_id, decisions[fact.event_id]))
        return answers

    def contacts(self, slow, request, decisions):
        """Times of the contacts that were granted to the profile of a request."""
        facts = slow.new_facts(slow.profile(request.anchor))
        return [f.time for f in facts if decisions.get(f.event_id) == GRANT and f != request]

    def store(self, transaction, event_id, verdict):
        if verdict == REVOKED:
            yield from transaction.update("decisions", event_id, lambda _: verdict)
        else:
            yield from transaction.insert("decisions", event_id, verdict)
        yield from transaction.update("outbox", (event_id, verdict), lambda _: True)

    # ------------------------------------------------------------------------------------------------- outbox

    def left(self):
        return bool(self.database.rows("outbox"))

    def publish_left(self):
        yield from self.publish(sorted(self.database.rows("outbox")))

    def publish(self, answers):
        yield
        rows = [answer for answer in answers if answer in self.database.rows("outbox")]
        if not self.keeps("acknowledged-only"):
            self.delete(rows)
        yield from self.send(self.world.told, rows)
        yield
        self.delete(rows)

    def delete(self, rows):
        for row in rows:
            self.database.rows("outbox").pop(row, None)


class Requests(World):
    """Several instances of suppression. No anchor moves, so that a cap that holds at a decision holds at the end."""

    def prepare(self):
        self.cap, self.length = self.chance.randint(1, 2), self.chance.choice((5, 10, 20))
        self.told = []
        kinds = self.chance.choice((("request", "request", "click"), ("request", "request", "click", "no")))
        self.history = History(self.chance, kinds=kinds, moves=0)
        self.add(Suppression, self.history.topic, self.chance.randint(2, 3))

    def problems(self):
        decisions, found = self.database.rows("decisions"), []
        requests = {fact.event_id for fact in self.history.facts() if fact.kind == "request"}
        if set(decisions) != requests:
            found.append("a request without a decision")
        if any(self.is_over(facts, decisions) for facts in self.history.timelines().values()):
            found.append("a cap does not hold")
        if any(self.is_open_beside_no(facts, decisions) for facts in self.history.timelines().values()):
            found.append("a grant beside a no")
        granted = {(event_id, GRANT) for event_id, verdict in decisions.items() if verdict == REVOKED}
        if set(self.told) != set(decisions.items()) | granted:
            found.append("answers that were told")
        return found

    def is_open_beside_no(self, facts, decisions):
        return any(f.kind == "no" for f in facts) and any(decisions.get(f.event_id) == GRANT for f in facts)

    def is_over(self, facts, decisions):
        times = [fact.time for fact in facts if decisions.get(fact.event_id) == GRANT]
        return is_over(times, self.cap, self.length)


if __name__ == "__main__":
    command.main(Requests, RULES, __doc__)
