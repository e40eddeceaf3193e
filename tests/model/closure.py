#!/usr/bin/env python3
"""Identity by closure: a change looks at the profiles that it touches and at the neighbours that would join.

The result must be the same as if all evidence were judged at once.

    python3 tests/model/closure.py --without neighbours --schedules 2000 --seed 1
    python3 tests/model/closure.py --all
"""

import itertools
import random

import command

RULES = {
    "neighbours": "test every profile that a link leads to",
    "until-none": "test again after a neighbour came inside, until none does",
    "refused-links": "links between touched profiles that were refused before count again",
    "at-its-place": "test with the clusters at the link's place in the order, not with whole profiles",
}


class Evidence:
    """Identifiers with their first time, links with their place, and which identifiers are unique in a profile.

    The place of a link is (is_indirect, time): the smallest of all that showed it."""

    def __init__(self, unique):
        self.seen, self.links, self.unique = {}, {}, unique

    def ordered(self, ids, before=None):
        """Links inside a set of identifiers in the one order; before: only those that precede a link."""
        inside = ((time, link) for link, time in self.links.items() if ids.issuperset(link))
        return sorted(place for place in inside if before is None or place < (self.links[before], before))

    def conflict(self, one, other):
        """Two clusters with an identifier of the same unique type stay apart."""
        return any(one & ids and other & ids for ids in self.unique)

    def clusters(self, ids, before=None, ignored=frozenset()):
        """{identifier: its cluster} when the links are accepted or refused one after the other."""
        found = {i: {i} for i in ids}
        for _, link in self.ordered(ids, before):
            one, other = found[link[0]], found[link[1]]
            if link not in ignored and one is not other and not self.conflict(one, other):
                one |= other
                found.update((i, one) for i in other)
        return found

    def partition(self, ids, ignored=frozenset()):
        """{identifier: its profile}; a profile is named after its first identifier."""
        clusters = self.clusters(ids, None, ignored).items()
        return {i: min((self.seen[j], j) for j in cluster)[1] for i, cluster in clusters}


def shown(ids, time):
    """{link: its place}: the first identifier with each of the others, and those with each other."""
    pairs = itertools.combinations(range(len(ids)), 2)
    return {(min(ids[i], ids[k]), max(ids[i], ids[k])): (i > 0, time) for i, k in pairs}


def add_first(table, places):
    """The smallest of each key stays."""
    table.update((key, min(place, table.get(key, place))) for key, place in places.items())


def members(profiles, profile):
    return {i for i, of in profiles.items() if of == profile}


def would_join(evidence, link, piece, neighbour, at_its_place):
    """Whether a link between two profiles is accepted at its place, given what each is by itself."""
    if not at_its_place:
        return not evidence.conflict(piece, neighbour)
    one, other = (evidence.clusters(ids, link) for ids in (piece, neighbour))
    inner, outer = link if link[0] in piece else link[::-1]
    return not evidence.conflict(one[inner], other[outer])


def leaving(evidence, inside):
    """(link, inner end, outer end) of the links that lead out."""
    for link in evidence.links:
        ends = sorted(link, key=lambda end: end not in inside)
        if ends[0] in inside and ends[1] not in inside:
            yield link, *ends


def joining(evidence, profiles, inside, result, without):
    """Neighbours, as profiles, that one of the links leading out would join."""
    found = set()
    for link, inner, outer in leaving(evidence, inside) if "neighbours" not in without else ():
        piece, neighbour = members(result, result[inner]), members(profiles, profiles[outer])
        if would_join(evidence, link, piece, neighbour, "at-its-place" not in without):
            found.add(profiles[outer])
    return found


def settle(evidence, profiles, touched, changed=(), without=()):
    """The new profiles of what is inside: the touched identifiers' profiles, and neighbours until none would join.

    changed: links of this change, which are tested even without the rule refused-links.
    """
    inside = set(touched).union(*(members(profiles, profiles[i]) for i in touched if i in profiles))
    while True:
        result = evidence.partition(inside, ignored_links(evidence, profiles, inside, changed, without))
        joined = joining(evidence, profiles, inside, result, without)
        inside = inside.union(*(members(profiles, profile) for profile in joined))
        if not joined:
            return result
        if "until-none" in without:
            return evidence.partition(inside)


def ignored_links(evidence, profiles, inside, changed, without):
    """Without the rule refused-links: links between two former profiles that are not of this change."""
    if "refused-links" not in without:
        return frozenset()
    others = (link for link in evidence.links if inside.issuperset(link) and link not in changed)
    return frozenset(link for link in others if profiles.get(link[0]) != profiles.get(link[1]))


class Closure:
    """A history of touchpoints and of evidence taken back, settled step by step."""

    STEPS = 30

    def __init__(self, seed, without=()):
        self.chance, self.without, self.profiles = random.Random(seed), set(without), {}
        self.ids = list(range(self.chance.randint(4, 10)))
        self.evidence = Evidence(self.unique_types())

    def unique_types(self):
        ids, split = self.ids[: self.chance.randint(2, len(self.ids))], self.chance.randint(1, 2)
        return [set(ids[k::split]) for k in range(split)]

    def run(self):
        """What is wrong after the first step that does not give the global result."""
        for _ in range(self.STEPS):
            touched, changed = self.change()
            self.profiles.update(settle(self.evidence, self.profiles, touched, changed, self.without))
            if self.profiles != self.evidence.partition(set(self.profiles)):
                return ["not the global result"]
        return []

    def change(self):
        """(identifiers that it touches, links that it brings)."""
        is_back = self.evidence.links and self.chance.random() < 0.2
        return self.take_back() if is_back else self.touchpoint()

    def touchpoint(self):
        """The first identifier is the anchor. It may be late."""
        ids, time = self.chance.sample(self.ids, self.chance.choice((1, 2, 2, 3, 4))), self.chance.randint(0, 30)
        links = shown(ids, time)
        add_first(self.evidence.seen, dict.fromkeys(ids, time))
        add_first(self.evidence.links, links)
        return ids, list(links)

    def take_back(self):
        """An operator cuts a link, or a person is erased: it was never there."""
        link = self.chance.choice(sorted(self.evidence.links))
        del self.evidence.links[link]
        return link, []


if __name__ == "__main__":
    command.main(Closure, RULES, __doc__)
