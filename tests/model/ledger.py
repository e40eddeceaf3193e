"""The slow path of the timeline, which journey-tracker and suppression share.

Locks are taken in the order facts, anchors, states.
"""

from collections import namedtuple

from machine import Instance, Retry

Touch = namedtuple("Touch", "event_id time anchor kind profile version")  # a resolved touchpoint
Move = namedtuple("Move", "anchor profile version")  # one identifier of an identity change
Fact = namedtuple("Fact", "time event_id kind anchor")  # sorts in timeline order
Place = namedtuple("Place", "profile version")  # a row of the map anchor -> profile
State = namedtuple("State", "ver members end")  # a profile's row; end: the automaton after its last fact


class Slow:
    """What one slow transaction found and locked."""

    def __init__(self, transaction):
        self.transaction = transaction
        self.new, self.former, self.states = set(), {}, {}
        self.places, self.facts, self.early_facts = {}, {}, {}

    def old_profile(self, anchor):
        """Where the anchor was before this transaction."""
        if anchor in self.former:
            return self.former[anchor]
        return self.profile(anchor)

    def profile(self, anchor):
        """Where it is now; None if this statement did not see it, as it belongs to profiles that are not locked."""
        return self.places[anchor].profile if anchor in self.places else None

    def old_facts(self, profile):
        return sorted(f for f in self.early_facts if f not in self.new and self.old_profile(f.anchor) == profile)

    def new_facts(self, profile):
        return sorted(f for f in self.facts if self.profile(f.anchor) == profile)

    def moved_profiles(self):
        """Both profiles of every anchor that moved or is new."""
        pairs = ((old, self.places[anchor].profile) for anchor, old in self.former.items())
        return {profile for old, new in pairs if old != new for profile in (old, new)}


class Ledger(Instance):
    """A reader of resolved touchpoints and identity changes."""

    def read_batch(self, batch):
        """(facts, {anchor: newest place}) of a batch; a touchpoint says where its anchor is, like a move."""
        facts = {Fact(m.time, m.event_id, m.kind, m.anchor) for m in batch if isinstance(m, Touch)}
        places = {}
        for message in batch:
            if self.is_newer(message, places.get(message.anchor)):
                places[message.anchor] = Place(message.profile, message.version)
        return facts, places

    def is_newer(self, message, place):
        return place is None or message.version > place.version or not self.keeps("move-version")

    def lock_slow(self, facts, told):
        """Inserts the facts, moves the anchors and locks what the derivation reads; all of it as struct Slow."""
        slow = Slow(self.begin())
        yield from self.insert_facts(slow, facts)
        yield from self.place_anchors(slow, told)
        if not self.keeps("read-after-lock"):
            slow.early_facts = yield from slow.transaction.read("facts")
        yield from self.lock_states(slow)
        slow.places = yield from slow.transaction.read("places")
        slow.facts = yield from slow.transaction.read("facts")
        if self.keeps("read-after-lock"):
            slow.early_facts = slow.facts
        return slow

    def insert_facts(self, slow, facts):
        """Looks which facts are there, then inserts the others. Of two who insert one, the second runs again."""
        known = yield from slow.transaction.read("facts")
        slow.new = {fact for fact in facts if fact not in known or not self.keeps("only-new-facts")}
        for fact in sorted(facts - set(known)):
            is_first = yield from slow.transaction.insert("facts", fact, True)
            if not is_first and self.keeps("new-fact-check"):
                raise Retry("another instance inserted the fact")

    def place_anchors(self, slow, told):
        """Locks every anchor of the batch, sorted, and keeps the newest place; then inserts those that are not there."""
        absent = []
        for anchor, place in sorted(told.items()):
            if not (yield from self.place_anchor(slow, anchor, place)):
                absent.append((anchor, place))
        for anchor, place in absent:
            is_first = yield from slow.transaction.insert("places", anchor, place)
            if not is_first and self.keeps("new-anchor-check"):
                raise Retry("another instance made the anchor")
            slow.former[anchor] = None

    def place_anchor(self, slow, anchor, place):
        """Whether the anchor is there."""
        if not self.keeps("anchor-lock"):
            known = (yield from slow.transaction.read("places")).get(anchor)
            if known is None or not self.is_newer(place, known):
                return known is not None
        known = yield from slow.transaction.lock("places", anchor)
        if known is not None and self.is_newer(place, known):
            slow.former[anchor] = known.profile
            yield from slow.transaction.update("places", anchor, lambda _: place)
        return known is not None

    def lock_states(self, slow):
        """Locks the states of the profiles that change, sorted. A state that is not there yet stays None."""
        places = yield from slow.transaction.read("places")
        anchors = {fact.anchor for fact in slow.new} | set(slow.former)
        wanted = {places[anchor].profile for anchor in anchors} | set(slow.former.values()) - {None}
        for profile in sorted(wanted):
            if self.keeps("state-lock"):
                slow.states[profile] = yield from slow.transaction.lock("states", profile)
            else:
                slow.states[profile] = (yield from slow.transaction.read("states")).get(profile)

    def save_states(self, slow, ends):
        """Writes the locked states; a state that another instance inserted meanwhile makes the batch run again."""
        moved = slow.moved_profiles()
        for profile, state in sorted(slow.states.items()):
            is_moved = profile in moved
            if state is None:
                yield from self.insert_state(slow, profile, State(0, int(is_moved), ends[profile]))
            else:
                yield from self.update_state(slow, profile, is_moved, ends[profile])

    def insert_state(self, slow, profile, state):
        slow.states[profile] = state
        is_first = yield from slow.transaction.insert("states", profile, state)
        if not is_first and self.keeps("new-state-check"):
            raise Retry("another instance made the state")

    def update_state(self, slow, profile, is_moved, end):
        step = 1 if self.keeps("state-bump") else 0
        slow.states[profile] = yield from slow.transaction.update(
            "states", profile, lambda row: State(row.ver + step, row.members + is_moved, end)
        )
