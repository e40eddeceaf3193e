"""What identity-resolver would publish: touchpoints and moves with versions, some late, repeated or outdated."""

from ledger import Fact, Move, Place, Touch


class History:
    """A map anchor -> profile through its versions, touchpoints that name it, and both as messages in partitions."""

    def __init__(self, chance, kinds=("view", "click", "buy"), moves=4):
        self.chance = chance
        self.anchors = list(range(chance.randint(2, 4)))
        self.places = {anchor: [Place(self.any_profile(anchor), 1)] for anchor in self.anchors}
        self.moves = [move for version in range(2, 2 + chance.randint(0, moves)) for move in self.make_moves(version)]
        self.touches = self.make_touches(kinds)
        self.topic = self.make_topic()

    def any_profile(self, anchor):
        return self.chance.choice((anchor, self.chance.choice(self.anchors)))

    def make_moves(self, version):
        """One identity change: some anchors move to one profile."""
        profile = self.chance.choice(self.anchors)
        for anchor in self.chance.sample(self.anchors, self.chance.randint(1, 2)):
            if self.places[anchor][-1].profile != profile:
                self.places[anchor].append(Place(profile, version))
                yield Move(anchor, profile, version)

    def make_touches(self, kinds):
        """Touchpoints in order of time; each says where a cache, maybe stale, has its anchor."""
        last = self.chance.choice((6, 15, 40))
        times = sorted(self.chance.randint(0, last) for _ in range(self.chance.randint(6, 20)))
        touches = []
        for event_id, time in zip(self.chance.sample(range(100), len(times)), times):
            anchor = self.chance.choice(self.anchors)
            place = self.chance.choice(self.places[anchor])
            touches.append(Touch(event_id, time, anchor, self.chance.choice(kinds), *place))
        return touches

    def make_topic(self):
        """Partitions of messages, some repeated, some late. How orderly they are differs from schedule to schedule."""
        disorder = self.chance.choice((0, 0, 3, 20))
        repeated = [m for m in self.touches + self.moves if self.chance.random() < 0.2]
        ranked = [(index + self.chance.uniform(0, disorder), m) for index, m in enumerate(self.touches)]
        ranked += [(self.chance.uniform(0, len(self.touches)), m) for m in self.moves + repeated]
        topic = [[] for _ in range(self.chance.randint(1, 3))]
        for _, message in sorted(ranked, key=lambda pair: pair[0]):
            self.chance.choice(topic).append(message)
        return topic

    # -------------------------------------------------------------------------------------- what must come out

    def facts(self):
        return {Fact(t.time, t.event_id, t.kind, t.anchor) for t in self.touches}

    def profiles(self):
        """{anchor: profile} at the newest version, of the anchors that some message names."""
        named = {message.anchor for message in self.touches + self.moves}
        return {anchor: self.places[anchor][-1].profile for anchor in named}

    def timelines(self):
        found, profiles = {}, self.profiles()
        for fact in self.facts():
            found.setdefault(profiles[fact.anchor], []).append(fact)
        return found
