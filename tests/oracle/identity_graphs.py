"""Random evidence with conflicts, limits, quarantine, orders and late sightings: the C partition must be what the oracle finds.

Usage: identity_graphs.py PROGRAM [GRAPHS [SEED]]     PROGRAM: tests/property/property_identity_oracle_test of a build
"""

import hashlib
import json
import random
import subprocess
import sys

from identity import IdentityMap, pair_of

KEY = bytes([7, *range(1, 16)])
DAY = 86_400_000_000
TYPES = ("user_id", "email", "phone", "loyalty_id", "device_id", "anonymous_id")
GRAPHS = 2000


def random_policy(chance):
    """Every rule now and then, tight enough that it matters in a small graph."""
    policy = {
        "types": [{"type": name, "rank": rank} for rank, name in enumerate(TYPES, 1)],
        "default_calling_code": "1",
        "max_identifiers": chance.choice([3, 4, 6, 10, 100]),
    }
    for entry in policy["types"]:
        random_type(chance, entry)
    if chance.random() < 0.5:
        policy["max_degree"] = chance.choice([2, 3, 4, 6])
    pairs = [[one, two] for i, one in enumerate(TYPES) for two in TYPES[i:]]
    policy["pairs"] = [random_pair(chance, types) for types in chance.sample(pairs, chance.choice([0, 0, 2, 6]))]
    return policy


def random_type(chance, entry):
    if chance.random() < (0.8 if entry["type"] == "user_id" else 0.15):
        entry["unique"] = True
    if chance.random() < 0.2:
        entry["counts"] = False
    if chance.random() < 0.25:
        entry["limit"] = {"count": chance.choice([1, 2, 3])}
        if chance.random() < 0.6:
            entry["limit"]["window"] = f"P{chance.choice([1, 3, 7])}D"
    if chance.random() < 0.25:
        entry["max_links"] = {name: chance.choice([1, 2, 3]) for name in chance.sample(TYPES, chance.choice([1, 2]))}


def random_pair(chance, types):
    if chance.random() < 0.3:
        return {"types": chance.sample(types, 2), "links": False}
    return {"types": chance.sample(types, 2), "strength": chance.choice(["exact", "strong", "weak"])}


def random_graph(seed):
    """One graph in the format of identity_oracle_test.c. Times collide often, and first_seen is at times before every link."""
    chance = random.Random(seed)
    count = chance.choice([2, 3, 5, 8, 12, 20, 40])
    types = [chance.choice(TYPES) for _ in range(count)]
    links = random_links(chance, count)
    first_seen = [min((time for one, two, time, _ in links if i in (one, two)), default=0) for i in range(count)]
    earlier = [chance.choice([0, 0, 0, 1, 2, 5]) * DAY // 2 for _ in range(count)]
    kinds = ["link", "same", "same", "cut", "cut", "release"]
    orders = [random_order(chance, chance.choice(kinds), types) for _ in range(chance.choice([0, 0, 1, 3, 8]))]
    return {
        "policy": json.dumps(random_policy(chance)),
        "identifiers": [[types[i], f"v{seed}-{i}", first_seen[i] - earlier[i] + 100 * DAY] for i in range(count)],
        "links": [[one, two, time + 100 * DAY, is_indirect] for one, two, time, is_indirect in links],
        "orders": orders,
        "aliases": random_aliases(chance, types),
    }


def random_links(chance, count):
    found = {}
    for _ in range(chance.randrange(1, 3 * count)):
        one, two = chance.sample(range(count), 2)
        if chance.random() < 0.3:  # a hub
            one = chance.randrange(1 + count // 6)
        if one != two:
            time = chance.randrange(20) * DAY // 2 + chance.choice([0, 1])
            found.setdefault(frozenset((one, two)), (one, two, time, chance.random() < 0.3))
    return list(found.values())


def pairs_of_one_type(types):
    return [[one, two] for two, kind in enumerate(types) for one in range(two) if types[one] == kind]


def random_aliases(chance, types):
    """Pairs of one type, unique or not."""
    pairs = pairs_of_one_type(types)
    return chance.sample(pairs, min(len(pairs), chance.choice([0, 0, 1, 3, 8])))


def random_order(chance, kind, types):
    """What is the same is two of one type, unique or not; where no two are of one type, it is a link."""
    pairs = pairs_of_one_type(types) if kind == "same" else []
    kind = "link" if kind == "same" and not pairs else kind
    ends = chance.choice(pairs) if pairs else chance.sample(range(len(types)), 2)
    return [kind, ends[0]] if kind == "release" else [kind, *ends]


def identifier_id(kind, value):
    return hashlib.blake2b(f"{kind}\0{value}".encode(), digest_size=16, key=KEY).digest()


def expected(graph):
    """The oracle's answer, in the shape of the program's."""
    world = IdentityMap(json.loads(graph["policy"]))
    ids = [identifier_id(kind, value) for kind, value, _ in graph["identifiers"]]
    place = {one: i for i, one in enumerate(ids)}
    for one, (kind, _, first_seen) in zip(ids, graph["identifiers"]):
        world.see_identifier(one, kind, first_seen)
    for one, two, first_seen, is_indirect in graph["links"]:
        world.see_link(ids[one], ids[two], first_seen, bytes(16), is_indirect)
    for kind, *ends in graph["orders"]:
        world.order(kind, *(ids[i] for i in ends))
    for one, two in graph["aliases"]:
        world.see_alias(ids[one], ids[two])
    profile = world.resolve()
    return {
        "profiles": [place[profile[one]] for one in ids],
        "quarantined": sorted(place[one] for one in world.quarantined),
        "refused": by_pair([place[one], place[two], rule] for (one, two), rule in world.refused_by.items()),
    }


def by_pair(entries):
    return sorted(([*pair_of(*entry[:2]), entry[2]] for entry in entries), key=lambda entry: entry[:2])


def answers(program, graphs):
    """What the C program says to the same graphs."""
    text = "".join(json.dumps(graph) + "\n" for graph in graphs)
    done = subprocess.run([program, "--graphs"], input=text, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(graphs)
    return [{**one, "refused": by_pair(one["refused"])} for one in found]


def differences(program, seeds):
    """(seed, part, expected, found) of every part that differs."""
    seeds = list(seeds)
    graphs = [random_graph(seed) for seed in seeds]
    for seed, graph, found in zip(seeds, graphs, answers(program, graphs)):
        wanted = expected(graph)
        for part, value in wanted.items():
            if value != found[part]:
                yield seed, part, value, found[part]


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else GRAPHS
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    wrong = list(differences(program, range(first, first + count)))
    for seed, part, wanted, found in wrong[:10]:
        print(f"seed {seed}: {part}: expected {wanted}, found {found}")
    print(f"{count} graphs, {len({seed for seed, *_ in wrong})} differ")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
