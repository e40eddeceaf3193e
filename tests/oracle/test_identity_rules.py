"""Every rule of links and profiles by itself: order, quarantine, manual evidence, each refusal and which comes first.

A world is written as text, "A-e@1": a link first seen at 1. The first letter of a name is its type: A-Z a user id (unique),
e an e-mail, p a phone, d a device, a an anonymous id, x an external id.
"""

import itertools
import random

import pytest

from identity import IdentityMap, link_hash, pair_of

DAY = 86_400_000_000
KINDS = {"e": "email", "p": "phone", "d": "device_id", "a": "anonymous_id", "x": "external_id"}
TYPES = ("user_id", "email", "phone", "external_id", "device_id", "anonymous_id")


def policy(types=None, **rest):
    base = [{"type": name, "rank": rank, "unique": name == "user_id"} for rank, name in enumerate(TYPES)]
    return {"types": [{**entry, **(types or {}).get(entry["type"], {})} for entry in base], **rest}


def with_strengths(**of_users):
    return policy(pairs=[{"types": [kind, "user_id"], "strength": strength} for kind, strength in of_users.items()])


def id_of(name):
    return name.encode().ljust(16, b"\0")


def kind_of(name):
    return KINDS.get(name[0], "user_id")


def evidence(text):
    """[(one, two or None, time, is_indirect)], of "A-e@1", "A~e@1" or "A@1"."""
    for word in text.split():
        names, time = word.split("@")
        one, sign, two = names.partition("~" if "~" in names else "-")
        yield one, two or None, int(float(time) * DAY), sign == "~"


def resolve(rules, text, orders="", sequence=None):
    """A resolved world; orders: "cut A e, release d"."""
    world = IdentityMap(rules)
    seen = list(evidence(text))
    for one, two, time, is_indirect in sequence(seen) if sequence else seen:
        for name in filter(None, (one, two)):
            world.see_identifier(id_of(name), kind_of(name), time)
        if two:
            world.see_link(id_of(one), id_of(two), time, bytes(16), is_indirect)
    for order in filter(None, orders.split(", ")):
        kind, *ends = order.split()
        world.order(kind, *map(id_of, ends))
    world.resolve()
    return world


def shown(world):
    """Profiles as text: "Ae B", members and profiles in alphabetical order."""
    profiles = {}
    for one, profile in world.profile.items():
        profiles.setdefault(profile, []).append(one.rstrip(b"\0").decode())
    return " ".join(sorted("".join(sorted(members)) for members in profiles.values()))


def name_of(world, name):
    return world.profile[id_of(name)].rstrip(b"\0").decode()


def refused(world, one, two):
    return world.refused_by[pair_of(id_of(one), id_of(two))]


def check(rules, text, profiles, refusals=None, orders=""):
    """In every order of arrival, or forwards and backwards where there are too many."""
    seen = list(evidence(text))
    for places in itertools.permutations(range(len(seen))) if len(seen) < 6 else (range(len(seen)), range(len(seen))[::-1]):
        world = resolve(rules, text, orders, lambda seen, places=places: [seen[i] for i in places])
        assert shown(world) == profiles
        found = {pair: rule for pair, rule in world.refused_by.items() if rule}
        wanted = {pair_of(*map(id_of, pair.split("-"))): rule for pair, rule in (refusals or {}).items()}
        assert found == wanted
    return world


# ---------------------------------------------------------------------------------------------------------- names


def test_the_oldest_names_the_profile_then_the_smallest():
    assert name_of(check(policy(), "a1-a2@2 a2@1", "a1a2"), "a1") == "a2"
    assert name_of(check(policy(), "a2-a1@1", "a1a2"), "a2") == "a1"
    assert name_of(check(policy(), "a1@3 a2@2 a1-a2@4", "a1a2"), "a1") == "a2"


def test_first_seen_is_the_smallest_time():
    world = resolve(policy(), "A-e@5 A-e@3 e@1")
    assert world.first_seen[id_of("e")] == DAY and world.links[pair_of(id_of("A"), id_of("e"))][1] == 3 * DAY


def test_the_evidence_is_the_first_touchpoint():
    world = IdentityMap(policy())
    one, two = id_of("A"), id_of("e")
    world.see({one: "user_id", two: "email"}, one, 5, b"\x01")
    world.see({one: "user_id", two: "email"}, one, 5, b"\x00")
    world.see({one: "user_id", two: "email"}, one, 6, b"\x00")
    assert world.links == {pair_of(one, two): (False, 5, b"\x00")}


# ---------------------------------------------------------------------------------------------------------- order


def test_the_older_link_decides():
    check(policy(), "A-e@1 B-e@2", "Ae B", {"B-e": "unique"})
    check(policy(), "A-e@2 B-e@1", "A Be", {"A-e": "unique"})


USERS = list(itertools.combinations("ABCDEF", 2))


def by_hash(users):
    """The users in the order of the hashes of their links to e."""
    return sorted(users, key=lambda name: link_hash(pair_of(id_of(name), id_of("e"))))


def test_the_hash_has_an_order_of_its_own():
    assert {by_hash(users) == list(users) for users in USERS} == {True, False}


@pytest.mark.parametrize("users", USERS)
def test_links_of_one_time_go_by_hash(users):
    first, other = by_hash(users)
    for text in (f"{first}-e@1 {other}-e@1", f"{other}-e@1 {first}-e@1"):
        world = resolve(policy(), text)
        assert refused(world, first, "e") is None and refused(world, other, "e") == "unique"


def test_strength_comes_before_age():
    check(with_strengths(device_id="weak"), "A-d@1 e-d@2 B-e@3", "A Bde", {"A-d": "unique"})
    check(policy(), "A-d@1 e-d@2 B-e@3", "Ade B", {"B-e": "unique"})


def test_indirect_links_come_after_all_direct_ones():
    check(policy(), "e-e2@1 A-e@2 B-e2@3", "Aee2 B", {"B-e2": "unique"})
    check(policy(), "e~e2@1 A-e@2 B-e2@3", "Ae Be2", {"e-e2": "unique"})
    check(with_strengths(email="weak"), "e~d@1 A-e@2 B-d@3", "Ae Bd", {"e-d": "unique"})


def test_a_pair_seen_both_ways_is_direct_since_it_was_first_seen_so():
    check(policy(), "e~e2@1 e-e2@2 A-e@2.5 B-e2@3", "Aee2 B", {"B-e2": "unique"})
    world = check(policy(), "e~e2@1 e-e2@9 A-e@2 B-e2@3", "Ae Be2", {"e-e2": "unique"})
    assert world.links[pair_of(id_of("e"), id_of("e2"))][:2] == (False, 9 * DAY)


def test_an_indirect_link_can_be_ordered_and_cut():
    check(policy(), "e~e2@1 A-e@2 B-e2@3", "Aee2 B", {"B-e2": "unique"}, "link e e2")
    check(policy(), "e~e2@1", "e e2", {"e-e2": "cut"}, "cut e e2")


def test_links_of_one_time_go_by_the_ranks_of_both_ends():
    """User and e-mail, user and cookie, e-mail and cookie."""
    for one, two in itertools.product(("a1", "a2", "a3"), ("e1", "e2", "e3")):
        check(policy(), f"{two}-{one}@1 A-{two}@1 B-{one}@1", f"A{two} B{one}", {f"{two}-{one}": "unique"})


def see_all(world, found, time=5):
    anchor = min(found, key=lambda one: (world.rules.rank(found[one]), one))
    world.see(found, anchor, time, bytes(16))


@pytest.mark.parametrize("count, links, indirect", [(1, 0, 0), (2, 1, 0), (3, 3, 1), (8, 28, 21), (9, 29, 21), (30, 50, 21)])
def test_the_eight_strongest_are_linked_with_each_other(count, links, indirect):
    world = IdentityMap(policy())
    see_all(world, {id_of(f"a{i:02}"): "anonymous_id" for i in range(count)})
    assert (len(world.links), sum(is_indirect for is_indirect, *_ in world.links.values())) == (links, indirect)
    assert not any(is_indirect for pair, (is_indirect, *_) in world.links.items() if id_of("a00") in pair)
    assert all(two < id_of("a08") for (_, two), (is_indirect, *_) in world.links.items() if is_indirect)


def test_the_others_belong_together_where_the_strongest_joins_no_one():
    world = IdentityMap(policy({"email": {"max_links": {"user_id": 1}}}))
    for user in "AB":
        see_all(world, {id_of(user): "user_id", id_of("e"): "email"})
    see_all(world, {id_of("e"): "email", id_of("d"): "device_id", id_of("a"): "anonymous_id"})
    world.resolve()
    assert shown(world) == "A B ad e"


def test_quarantine_does_not_depend_on_the_key():
    """Profiles may: of several of one rank the key makes one the anchor."""
    profiles = set()
    for seed in range(300):
        chance = random.Random(seed)
        names = [letter + str(i) for letter in "ABepda" for i in range(3)]
        touchpoints = [(chance.sample(names, chance.randint(2, 8)), time) for time in range(chance.randint(2, 8))]
        rules = policy({"device_id": {"max_links": {"email": 3}}, "anonymous_id": {"counts": False}}, max_degree=chance.randint(5, 9))
        found = [seen_under(chance, rules, names, touchpoints) for _ in range(2)]
        assert found[0][0] == found[1][0]
        profiles.add(found[0][1] == found[1][1])
    assert profiles == {True, False}


def seen_under(chance, rules, names, touchpoints):
    """(who is in quarantine, profiles) where a key gives the names their ids."""
    ids = {name: chance.randbytes(16) for name in names}
    back = {one: name for name, one in ids.items()}
    world = IdentityMap(rules)
    for carried, time in touchpoints:
        see_all(world, {ids[name]: kind_of(name) for name in carried}, time)
    profiles = {}
    for one, profile in world.resolve().items():
        profiles.setdefault(profile, set()).add(back[one])
    return {back[one] for one in world.quarantined}, {frozenset(members) for members in profiles.values()}


def test_exact_then_strong_then_weak():
    rules = with_strengths(email="strong", phone="weak")
    check(rules, "A-p@1 B-e@2 C-a@3 p-e@4 e-a@5", "A B Caep", {"A-p": "unique", "B-e": "unique"})
    check(rules, "A-p@1 B-e@2 p-e@4", "A Bep", {"A-p": "unique"})


def test_manual_links_come_first_whatever_their_strength():
    rules = with_strengths(email="weak")
    check(rules, "A-e@1 B-e@2", "A Be", {"A-e": "unique"}, "link B e")
    check(rules, "A-e@1 B@2", "A Be", {"A-e": "unique"}, "link B e")


@pytest.mark.parametrize("users", USERS)
def test_manual_links_among_themselves_go_by_hash(users):
    """Not by the age of the evidence, nor by that of the orders."""
    first, other = by_hash(users)
    for text in (f"{first}@1 {other}@1 e@1", f"{other}-e@1 {first}-e@2"):
        for orders in (f"link {first} e, link {other} e", f"link {other} e, link {first} e"):
            world = resolve(policy(), text, orders)
            assert refused(world, first, "e") is None and refused(world, other, "e") == "unique"


def test_the_newest_order_of_a_pair_counts():
    check(policy(), "A-e@1", "A e", {"A-e": "cut"}, "link A e, cut e A")
    check(policy(), "A-e@1", "Ae", {}, "cut A e, link e A")
    check(policy(), "A@1 e@2", "Ae", {}, "cut A e, link A e")


def test_orders_about_the_unseen_wait():
    check(policy(), "A@1", "A", {}, "link A e, cut A p, release d")


# ------------------------------------------------------------------------------------------------------ the rules


def test_pairs_that_may_not_link():
    rules = policy(pairs=[{"types": ["device_id", "external_id"], "links": False}])
    check(rules, "x-d@1", "d x", {"x-d": "pair"})
    check(rules, "x-d@1 e-d@2 e-x@3", "dex", {"x-d": "pair"})
    check(rules, "x-d@1", "dx", {}, "link x d")


def test_a_type_may_not_link_with_itself():
    rules = policy(pairs=[{"types": ["email", "email"], "links": False}])
    check(rules, "e1-e2@1 e2-a@2", "ae2 e1", {"e1-e2": "pair"})


def test_max_degree_counts_every_observed_link():
    rules = policy(max_degree=2, pairs=[{"types": ["device_id", "external_id"], "links": False}])
    check(rules, "d-a1@1 d-a2@2", "a1a2d")
    check(rules, "d-a1@1 d-a2@2 d-x@3", "a1 a2 d x", {"d-a1": "quarantine", "d-a2": "quarantine", "d-x": "pair"})
    check(rules, "d-a1@1 d-a2@2 d-a3@3", "a1 a2 a3 d", dict.fromkeys(("d-a1", "d-a2", "d-a3"), "quarantine"), "cut d a3")
    check(rules, "d-a1@1 d-a2@2 a3@3", "a1a2a3d", {}, "link d a3")


def test_max_links_counts_one_type():
    rules = policy({"device_id": {"max_links": {"user_id": 1}}})
    check(rules, "A-d@1 d-a1@2 d-a2@3", "Aa1a2d")
    check(rules, "A-d@1 B-d@2 d-a@3", "A B a d", dict.fromkeys(("A-d", "B-d", "a-d"), "quarantine"))
    check(rules, "A-d1@1 A-d2@2", "Ad1d2")


def test_release_ends_a_quarantine():
    rules = policy({"device_id": {"max_links": {"user_id": 1}}})
    check(rules, "A-d@1 B-d@2 d-a@3", "Aad B", {"B-d": "unique"}, "release d")
    check(rules, "A-d@1 B-d@2", "A B d", {"A-d": "quarantine", "B-d": "quarantine"}, "release A")


def test_a_manual_link_does_not_open_a_quarantine():
    rules = policy({"device_id": {"max_links": {"user_id": 1}}})
    check(rules, "A-d@1 B-d@2", "A B d", {"A-d": "quarantine", "B-d": "quarantine"}, "link A d")


def test_only_the_quarantined_are_shared():
    world = resolve(policy(max_degree=1), "d-a1@1 d-a2@2")
    assert [name for name in ("d", "a1", "a2") if world.is_shared(world.profile[id_of(name)])] == ["d"]


def test_a_cut_holds_whatever_path_would_unite():
    check(policy(), "A-e@1 e-p@2 p-d@3", "Aep d", {"p-d": "cut"}, "cut A d")
    check(policy(), "A-e@3 e-p@2 p-d@1", "A dep", {"A-e": "cut"}, "cut A d")


def test_unique():
    check(policy(), "A-B@1", "A B", {"A-B": "unique"})
    check(policy({"phone": {"unique": True}}), "A-p1@1 A-p2@2 A-a@3 a-p2@4", "Aap1 p2", {"A-p2": "unique", "a-p2": "unique"})


def test_limit():
    rules = policy({"phone": {"limit": {"count": 2}}})
    check(rules, "A-p1@1 A-p2@2 A-p3@3", "Ap1p2 p3", {"A-p3": "limit"})
    check(rules, "A-p1@1 A-p2@2 e-p3@3 A-e@4", "Ap1p2 ep3", {"A-e": "limit"})
    check(rules, "A-p1@1 A-p2@2 p3@3", "Ap1p3 p2", {"A-p2": "limit"}, "link A p3")


@pytest.mark.parametrize("third, is_refused", [(21, True), (31, True), (31.25, False), (31.5, False), (60, False)])
def test_limit_with_a_window_counts_what_was_seen_within(third, is_refused):
    rules = policy({"phone": {"limit": {"count": 2, "window": "P30D"}}})
    assert refused(resolve(rules, f"A-p1@1.25 A-p2@20 A-p3@{third}"), "A", "p3") == ("limit" if is_refused else None)


def test_the_window_is_open_at_its_beginning_and_closed_at_its_end():
    rules = policy({"phone": {"limit": {"count": 1, "window": "P30D"}}})
    assert refused(resolve(rules, "A-p1@1 A-p2@31"), "A", "p2") is None
    assert refused(resolve(rules, "A-p1@1.0000001 A-p2@31"), "A", "p2") == "limit"
    assert refused(resolve(rules, "p1@1 p2@1 A-p1@40 A-p2@50"), "A", "p2") is None
    assert refused(resolve(rules, "p1@60 p2@60 A-p1@30 A-p2@50"), "A", "p2") == "limit"


def test_the_window_ends_with_the_link_also_where_younger_links_came_first():
    rules = with_strengths(email="weak")
    rules["types"][2]["limit"] = {"count": 1, "window": "P30D"}
    check(rules, "e-p1@50 A-p2@5 A-e@10", "Aep1p2")
    check(rules, "e-p1@50 A-p2@45 A-e@60", "Ap2 ep1", {"A-e": "limit"})


def test_a_window_does_not_count_for_a_manual_link():
    rules = policy({"phone": {"limit": {"count": 1, "window": "P30D"}}})
    world = resolve(rules, "A-p1@1 A-p2@2", "link A p1, link A p2")
    assert set(world.refused_by.values()) == {None}
    plain = resolve(policy({"phone": {"limit": {"count": 1}}}), "A@1 p1@1 p2@2", "link A p1, link A p2")
    assert sorted(map(str, plain.refused_by.values())) == ["None", "limit"]


def test_types_that_do_not_count_take_no_place():
    rules = policy({"device_id": {"counts": False}}, max_identifiers=3)
    check(rules, "A-d1@1 A-d2@2 A-d3@3 A-e@4 A-p@5", "Ad1d2d3ep")
    check(rules, "A-d1@1 A-e@2 A-p@3 A-a@4", "Ad1ep a", {"A-a": "max_identifiers"})
    rules["types"][4]["limit"] = {"count": 2}
    check(rules, "A-d1@1 A-d2@2 A-d3@3", "Ad1d2 d3", {"A-d3": "limit"})


def test_types_that_do_not_count_make_no_degree():
    rules = policy({"device_id": {"counts": False}}, max_degree=2)
    check(rules, "A-d1@1 A-d2@2 A-d3@3 A-e@4 A-p@5", "Ad1d2d3ep")
    assert resolve(rules, "A-d1@1 A-e@2 A-p@3 A-a@4").quarantined == {id_of("A")}
    rules["types"][0]["max_links"] = {"device_id": 2}
    assert resolve(rules, "A-d1@1 A-d2@2").quarantined == set()
    assert resolve(rules, "A-d1@1 A-d2@2 A-d3@3").quarantined == {id_of("A")}


def test_max_identifiers():
    check(policy(max_identifiers=3), "A-a1@1 A-a2@2 A-a3@3", "Aa1a2 a3", {"A-a3": "max_identifiers"})
    check(policy(max_identifiers=3), "a1-a2@1 a3-a4@2 a1-a3@3", "a1a2 a3a4", {"a1-a3": "max_identifiers"})


def test_a_hundred_is_the_default():
    text = " ".join(f"A-a{i}@{i}" for i in range(1, 102))
    world = resolve(policy(), text)
    assert [rule for rule in world.refused_by.values() if rule] == ["max_identifiers"] * 2


def test_a_thousand_neighbours_are_the_default():
    world = resolve(policy(), " ".join(f"A-a{i}@{i}" for i in range(1000)))
    assert not world.quarantined
    assert resolve(policy(), " ".join(f"A-a{i}@{i}" for i in range(1001))).quarantined == {id_of("A")}


def test_within_a_profile_nothing_is_asked_but_pair_and_quarantine():
    check(policy(max_identifiers=3), "A-e@1 A-d@2 e-d@3", "Ade")
    rules = policy(max_identifiers=3, pairs=[{"types": ["email", "device_id"], "links": False}])
    check(rules, "A-e@1 A-d@2 e-d@3", "Ade", {"e-d": "pair"})
    weak = [{"types": ["phone", "phone"], "strength": "weak"}]
    rules = policy({"phone": {"limit": {"count": 1, "window": "P30D"}}}, pairs=weak)
    check(rules, "A-p1@1 p2@20 A-p2@40 p1-p2@25", "Ap1p2")
    check(rules, "A-p1@1 p2@20 p1-p2@25", "Ap1 p2", {"p1-p2": "limit"})


def test_two_values_of_one_person():
    """An operator says it; the newest order of the pair counts, and a cut of others of the profile is stronger."""
    check(policy(), "A-e@1 B-e@2", "Ae B", {"B-e": "unique"})
    check(policy(), "A-e@1 B-e@2", "ABe", {}, "same A B")
    check(policy(), "A-e@1 B-e@2", "Ae B", {"A-B": "unique", "B-e": "unique"}, "same A B, link B A")
    check(policy(), "A-e@1 B-e@2", "Ae B", {"B-e": "cut"}, "same A B, cut A B")
    check(policy(), "A-e@1 B-e@2", "ABe", {}, "cut A B, same B A")
    check(policy(), "A-e@1 B-d@2 A-d@3", "ABe d", {"B-d": "cut", "A-d": "cut"}, "same A B, cut e d")
    check(policy(), "A-e@1 B-e@2 C-e@3", "ABe C", {"C-e": "unique"}, "same A B")
    check(policy(), "A-e@1 B-e@2 C-e@3", "ABCe", {}, "same A B, same C B")


FIRST = [
    ("pair", {"pairs": [{"types": ["user_id", "user_id"], "links": False}]}, ""),
    ("quarantine", {"max_degree": 1}, ""),
    ("cut", {}, "cut A B"),
    ("unique", {}, ""),
]


@pytest.mark.parametrize("at", range(4))
def test_the_first_rule_that_applies_is_named(at):
    """A-B breaks everything from rule `at` on."""
    rules, orders = {"max_identifiers": 2}, []
    for _, more, order in FIRST[at:]:
        rules.update(more)
        orders += [order] if order else []
    types = {"phone": {"limit": {"count": 1}}}
    world = resolve(policy(types, **rules), "A-p1@1 B-p2@2 A-B@3", ", ".join(orders))
    assert refused(world, "A", "B") == FIRST[at][0]


def test_unique_limit_and_size_in_this_order():
    size, limit = {"max_identifiers": 3}, {"phone": {"limit": {"count": 1}}}
    assert refused(resolve(policy(limit, **size), "A-p1@1 B-p2@2 p1-p2@3"), "p1", "p2") == "unique"
    assert refused(resolve(policy(limit, **size), "A-p1@1 e-p2@2 p1-p2@3"), "p1", "p2") == "limit"
    assert refused(resolve(policy({}, **size), "A-p1@1 e-p2@2 p1-p2@3"), "p1", "p2") == "max_identifiers"
    assert refused(resolve(policy(), "A-p1@1 e-p2@2 p1-p2@3"), "p1", "p2") is None
