"""Scratch of the reviewer."""
import json, random, shutil, uuid
import psycopg, pytest
from cluster import NAMES, RETAILER
from people import DAY, HOME, HOUR, JANE, NOW, RECENT, START, US, feed, identity, order, profiles, request, touchpoint, opted_out_family, kiosk, one_family, identity_tables, assert_plan_is_quiet
from traces import erase, traces, wait_past_erasure
from test_identity_reanchor import mixed, ranked_folder, apply, facts, where, PAIRS, policy_file
from test_key_rotation import keys, key_files, tool, tool_of, rotate, give, resolvers
from waiting import until

READERS = ("identity-resolver", "journey-tracker", "suppression")
DEC = "SELECT request_id, verdict, reason, outcome, anchor, profile_id FROM suppression.decisions ORDER BY request_id" 

def dec(world):
    return world.query("SELECT * FROM tutti.fct_contact_decisions ORDER BY request_id")

def state(world):
    return {"facts": facts(world), "identity": identity_tables(world), "sums": world.checksums(), "dec": dec(world),
            "maps": [world.query(f"SELECT anchor_id, profile_id, version FROM {s}.anchors ORDER BY 1") for s in ("journey", "suppression")],
            "map": world.query("SELECT identifier_id, profile_id, version FROM identity.identifiers ORDER BY 1")}

def same(a, b):
    bad = []
    for k in a:
        if a[k] != b[k]:
            bad.append(k)
            if isinstance(a[k], dict):
                for kk in a[k]:
                    if a[k][kk] != b[k][kk]:
                        bad.append((kk, str(a[k][kk])[:300], str(b[k][kk])[:300]))
            else:
                for i,(x,y) in enumerate(zip(a[k], b[k])):
                    xs, ys = set(map(str,x if isinstance(x, list) else [x])), set(map(str,y if isinstance(y, list) else [y]))
                    bad.append((k, i, list(xs-ys)[:4], list(ys-xs)[:4])) if xs != ys else None
    assert not bad, bad

def check_maps(world):
    for s in ("journey", "suppression"):
        rows = world.query(f"SELECT a.anchor_id, a.profile_id, i.profile_id, a.version, i.version FROM {s}.anchors a LEFT JOIN identity.identifiers i ON i.identifier_id = a.anchor_id WHERE i.profile_id IS DISTINCT FROM a.profile_id")
        assert not rows, (s, rows[:5])

def replay(world, names=READERS):
    world.stop()
    for name in names:
        world.rewind(name)
    for s in world.services:
        s.start()
    for s in world.services:
        s.wait_ready()
    world.settle()

@pytest.fixture
def ranked(stack, make_world, tmp_path, request):
    folder = tmp_path / "first"
    shutil.copytree(RETAILER, folder)
    policy_file(folder, pairs=PAIRS)
    return make_world(stack, request.node.name.replace("_", "-").split("[")[0][:40], policies=folder)

def test_chain(ranked, monkeypatch):
    world = ranked
    for number, name in enumerate(["second.key", "third.key"], 1):
        (world.directory / name).write_text(bytes([number] * 32).hex())
    (world.directory / "privacy.key").write_text("5c" * 32)
    plain = world.tool
    number = [0]
    def with_keys(*words, **more):
        if words[0] in ("explain", "identity", "erase"):
            return tool_of(plain, world, number[0], *words, **more)
        return plain(*words, **more)
    monkeypatch.setattr(world, "tool", with_keys)
    for name in NAMES:
        for _ in range(2):
            s = world.service(name)
            if name == "identity-resolver":
                s.settings.update({"privacy.raw_values": "true", "privacy.key_file": world.directory / "privacy.key"})
            s.start()
    for s in world.services:
        s.wait_ready()
    lines = [json.dumps(r) for r in mixed(60)]
    random.Random(5).shuffle(lines)
    half = len(lines) // 2
    gone = set()
    def er(who):
        said = erase(world, who)
        gone.update(said["identifiers"])
        world.settle()
        assert traces(world, gone) == {}, who
        check_maps(world)
    world.produce(lines[:half]); world.settle()
    er("user_id:user-3")
    for s in resolvers(world):
        give(world, s, 1)
    number[0] = 1
    rotate(world, 1, "--execute")
    er("user_id:user-7")
    world.produce(lines[half: half + 100])
    rotate(world, 1, "--execute")
    world.settle()
    er("user_id:user-12")
    er("device_id:kiosk-0")
    world.produce(lines[half + 100:]); world.settle()
    er("email:mail-17@example1.com")
    order(world, "unlink", "user_id:user-20", "device_id:kiosk-1" , "--reason", "x")
    r = identity(world, "unlink", "user_id:user-21", "email:mail-21@example1.com", "--reason", "x", "--execute", check=False)
    print(r.returncode, r.stderr)
    world.settle()
    check_maps(world)
    assert_plan_is_quiet(world)
    a = state(world)
    replay(world)
    same(a, state(world))
    print(rotate(world, 1))
    # ranks
    world.stop()
    folder = ranked_folder(world)
    apply(world, folder, "--batch", 3)
    world.policies = folder
    for s in world.services:
        s.settings["policy.dir"] = folder
        s.start()
    for s in world.services:
        s.wait_ready()
    world.settle()
    assert traces(world, gone) == {}
    check_maps(world)
    a = state(world)
    er("user_id:user-30")
    er("phone:+15550000013")
    assert_plan_is_quiet(world)
    wait_past_erasure(world)
    world.produce(lines); world.settle()
    b = state(world)
    check_maps(world)
    t = traces(world, gone)
    print("after replay by producing", t)
    print(rotate(world, 1))
    rotate(world, 1, "--execute", "--privacy.key_file", world.directory / "privacy.key")
    print(rotate(world, 1))
    rotate(world, 1, "--finish", "--execute")
    for s in resolvers(world):
        give(world, s, 1, previous=False)
    world.produce(lines); world.settle()
    c = state(world)
    same(b, c)
    replay(world)
    same(c, state(world))
    assert traces(world, gone) == t == {}
    assert_plan_is_quiet(world)
    world.stop()


def test_late_opt_out_of_erased_anchor(world):
    """Bob's address said no in a touchpoint of Jane's that is read after she was erased."""
    services = world.start()
    feed(world, touchpoint("1", RECENT, user_id="bob", email="home@example1.com"),
         touchpoint("c", RECENT, "Consent Given", user_id="bob", consent={"email": True}),
         touchpoint("2", RECENT + HOUR, user_id="jane", email="jane@example1.com"))
    erase(world, JANE)
    feed(world, touchpoint("3", RECENT + 2 * HOUR, "Consent Withdrawn", user_id="jane", email="home@example1.com", consent={"email": False}))
    feed(world, request("r", NOW - HOUR, user_id="bob"))
    assert world.query("SELECT verdict, reason FROM tutti.fct_contact_decisions") == [("deny", "opt_out")]
    world.stop()


def test_hostile_identifiers(world):
    services = world.start()
    many = [{"type": t, "value": f"{t}{i}@example1.com" if t == "email" else f"+1555100{i:04d}" if t == "phone" else f"{t}{i}"}
            for t in ("email", "phone", "loyalty_id", "external_id") for i in range(8)]
    base = touchpoint("many", RECENT, "Consent Withdrawn", user_id="u", anonymous_id="a", session_id="s", consent={"email": False, "all": False})
    base["device"] = {"id": "dev"}
    records = [{**base, "identifiers": many},
      {**touchpoint("alias", RECENT + 1, "Complaint Filed", user_id="u2", anonymous_id="a2", session_id="s2"), "type": "alias", "previous_id": "a3", "identifiers": many},
      {**touchpoint("same", RECENT + 2, "Consent Withdrawn", user_id="x1", consent={"email": False}), "identifiers": [{"type": "external_id", "value": "x1"}, {"type": "loyalty_id", "value": "x1"}, {"type": "user_id", "value": "x1"}, {"type": "email", "value": "X1@example1.com"}, {"type": "email", "value": "x1@EXAMPLE1.com"}]},
      {**touchpoint("users", RECENT + 3, "Consent Withdrawn", consent={"email": False}), "identifiers": [{"type": "user_id", "value": f"uu{i}"} for i in range(32)]},
    ]
    feed(world, *records)
    n = world.query("SELECT count(*) FROM suppression.facts WHERE flags & 4 <> 0")
    print(n)
    world.assert_equals_oracle()
    a = state(world)
    replay(world)
    same(a, state(world))
    gone = erase(world, "user_id:u")["identifiers"]
    gone += erase(world, "user_id:uu7")["identifiers"]
    world.settle()
    assert traces(world, gone) == {}
    assert_plan_is_quiet(world)
    a = state(world)
    replay(world)
    same(a, state(world))
    assert traces(world, gone) == {}
    world.stop()
    # ranks with 35 others
    folder = ranked_folder(world)


def test_hostile_resolved(world):
    services = world.start()
    feed(world, touchpoint("1", RECENT, "Consent Withdrawn", user_id="bob", email="home@example1.com", consent={"email": False}))
    (rec,) = list(world.topics.read(world.topic("resolved")))
    v = rec.value()
    print(v.hex()[:300])
    from confluent_kafka import Producer
    p = Producer({"bootstrap.servers": world.stack.brokers})
    old = v[:1] + (int.from_bytes(v[1:5], "big") - 1000000).to_bytes(4, "big") + v[5:5 + 56] + v[5 + 56 + 1 + 40 + 1:]
    bad = [old]
    head, rest = v[:61], v[61:]
    assert rest[0] == 2, rest[:3]
    def zz(n):
        n = (n << 1) ^ (n >> 63); n &= (1 << 64) - 1; out = b""
        while n > 127:
            out += bytes([n & 127 | 128]); n >>= 7
        return out + bytes([n])
    for c in (1 << 62, -(1 << 63), (1 << 63) - 1, 1000000, 41, 40, 100, -1, 1 << 32, (1 << 32) + 1, (1<<61)//5):
        bad.append(head + zz(c) + rest[1:])
        bad.append(head + zz(c) + rest[1:41])
        bad.append(head + zz(c))
    bad.append(head + b"\xff" * 10 + rest[1:]); bad.append(head + b"\xff" * 9 + b"\x01" + rest[1:])
    bad.append(head + b"\x01\x50" + rest[1:])  # negative count with size
    bad.append(head + zz(1) + rest[1:41] + zz(1) + rest[1:41] + rest[41:])  # two blocks
    bad.append(head + zz(2) + rest[1:41] * 2 + rest[41:])  # twice the same
    for i in range(len(v)):
        bad.append(v[:i])
    for i, b in enumerate(bad):
        p.produce(world.topic("resolved"), value=b, partition=i % 4)
    p.flush()
    world.settle()
    for s in services:
        assert s.is_alive()
    dl = list(world.topics.read(world.dead_letters("resolved")))
    print(len(bad), len(dl))
    feed(world, touchpoint("2", RECENT + HOUR, user_id="bob"))
    world.stop()
