"""The key of identifier hashes is exchanged while touchpoints flow: stored ids stay, every value has one id, and all figures are those of
the oracle; who lacks a key is refused by name; who was erased stays erased; raw values that are kept speed it up."""

import json

import oracle
import psycopg
import pytest
from feeding import Feeder
from identity import Identifiers
from people import HOME, HOUR, JANE, NOW, RECENT, START, feed, kiosk, one_family, order, profiles, touchpoint, why
from test_chaos import SETTINGS
from test_command_kills import start
from waiting import until

RESOLVER = "identity-resolver"
KEYS = ["identity.key", "second.key", "third.key"]
SECONDS = 60
PIECES = 120


@pytest.fixture
def keys(world):
    """Three key files; the world's own is the first."""
    for number, name in enumerate(KEYS[1:], 1):
        (world.directory / name).write_text(bytes([number] * 32).hex())
    return [bytes.fromhex((world.directory / name).read_text().strip()) for name in KEYS]


def key_files(world, number, previous=True):
    """The settings of a program that has key `number`, and the one before it."""
    names = {"identity.key_file": KEYS[number]}
    if previous and number > 0:
        names["identity.previous_key_file"] = KEYS[number - 1]
    return {name: world.directory / file for name, file in names.items()}


def tool_of(run, world, number, *words, previous=True, **more):
    settings = [word for name, file in key_files(world, number, previous).items() for word in (f"--{name}", file)]
    return run(*words, *settings, **more)


def tool(world, number, *words, **more):
    """`tutti` with these keys."""
    return tool_of(world.tool, world, number, *words, **more)


def rotate(world, number, *words, check=True):
    done = tool(world, number, "identity", "rotate-key", "--json", *words, check=check)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def resolvers(world):
    return [service for service in world.of(RESOLVER) if service.is_alive()]


def give(world, service, number, previous=True, kills=False):
    """Another start with other keys."""
    if kills:
        service.kill()
    else:
        service.stop()
    service.settings.pop("identity.previous_key_file", None)
    service.settings.update(key_files(world, number, previous))
    service.start().wait_ready()


def expect_refusals(world, *given):
    """An instance with none of these keys starts."""
    for number, previous in given:
        service = world.service(RESOLVER)
        service.settings.update(key_files(world, number, previous))
        expect_end(service.start(), "identity.previous_key_file")
        world.services.remove(service)


def expect_end(service, *words):
    """It ends by itself with status 1 and says why."""
    until(lambda: not service.is_alive(), SECONDS, lambda: f"{service.name} ends\n{service.last_lines()}")
    assert service.process.returncode == 1, service.last_lines()
    assert all(word in service.last_lines() for word in words), service.last_lines()


class Rotated(Identifiers):
    """The oracle's identifiers, where the id of a value is its hash under one of the keys: that of the time when it was stored."""

    def __init__(self, identity, keys, stored):
        super().__init__(identity, keys[0])
        self.later = [Identifiers(identity, key) for key in keys[1:]]
        self.stored = stored

    def identifier_id(self, *value):
        hashes = [super().identifier_id(*value), *(one.identifier_id(*value) for one in self.later)]
        found = [one for one in hashes if one in self.stored]
        assert len(found) <= 1, f"{value} has {len(found)} ids"
        return found[0] if found else hashes[0]


def assert_equals_oracle(world, keys, monkeypatch):
    stored = {row[0].bytes for row in world.query("SELECT identifier_id FROM tutti.dim_identifiers")}
    with monkeypatch.context() as patch:
        patch.setattr(oracle, "Identifiers", lambda identity, key: Rotated(identity, keys, stored))
        return world.assert_equals_oracle()


def mixed(many, few):
    """`few` spread evenly over `many`."""
    step = len(many) // len(few)
    return [line for i, one in enumerate(few) for line in (*many[i * step : (i + 1) * step], one)] + many[len(few) * step :]


def strangers(world, number, count=300):
    """New people all the time, who come back later."""
    lines = [
        json.dumps(touchpoint(f"{number}-{i}", START + i * HOUR, user_id=f"new-{number}-{i}", email=f"new-{number}-{i // 2}@example1.com"))
        for i in range(count)
    ]
    world.lines += lines
    return lines


class Paced(Feeder):
    """Sends all the time, but not more than a share of its pieces during one step of the exchange."""

    def __init__(self, world, lines):
        super().__init__(world, lines, PIECES)
        self.limit = 0

    def send(self, piece):
        until(lambda: self.sent < self.limit or self.ends.is_set(), 300, "the next step")
        super().send(piece)

    def next_step(self):
        self.limit = self.sent + PIECES // 6
        self.wait_for_pieces(2)

    def __exit__(self, *failure):
        self.limit = PIECES
        super().__exit__(*failure)


def exchange(world, feeder, number):
    """From key `number` - 1 to it, with instances restarted one by one, of which one is killed, while touchpoints flow."""
    for i, service in enumerate(resolvers(world)):
        feeder.next_step()
        give(world, service, number, kills=number == 1 and i == 0)
    feeder.next_step()
    assert rotate(world, number)["phase"] == "one key"
    assert rotate(world, number, "--to", "announced", "--execute")["phase"] == "announced"
    feeder.next_step()
    state = rotate(world, number, "--to", "rotating", "--execute")
    assert state["phase"] == "rotating" and state["key_number"] == number


def finish(world, number, *words):
    """The previous key is not needed any more."""
    assert rotate(world, number, "--to", "finished", "--execute", *words)["phase"] == "one key"
    for service in resolvers(world):
        give(world, service, number, previous=False)


def test_two_exchanges_while_touchpoints_flow(world, keys, monkeypatch):
    """Values seen before, during and after; all of the oracle's figures, twice as many keys later."""
    world.settings.update(SETTINGS)
    lines = world.generate("bank", people=150, events=3600)
    third = len(lines) // 3
    world.start(names=["journey-tracker", "suppression", "metrics-aggregator"])
    world.start(instances=2, names=[RESOLVER])
    world.produce(lines[:third])
    during = mixed(lines[third : 2 * third], strangers(world, 1))
    with Paced(world, during) as feeder:
        exchange(world, feeder, 1)
    world.settle()
    made = dict(world.query("SELECT key_number, count(*) FROM identity.identifiers GROUP BY 1"))
    assert made[0] > 0 and made[1] > 0, made
    left = rotate(world, 1)["only_by_previous"]
    refused = rotate(world, 1, "--to", "finished", "--execute", check=left == 0)
    if left:
        assert f"{left} identifiers would no longer be recognised" in refused
    world.produce(lines[:third] + during)  # people who are seen are found by the new key from then on
    world.settle()
    assert rotate(world, 1)["only_by_previous"] == 0
    if left:
        assert rotate(world, 1, "--to", "finished", "--execute")["phase"] == "one key"
    for service in resolvers(world):
        give(world, service, 1, previous=False)
    with Paced(world, mixed(lines[2 * third :] + lines[:third], strangers(world, 2))) as feeder:
        exchange(world, feeder, 2)
    world.produce(world.lines)
    world.settle()
    finish(world, 2)
    assert world.query("SELECT DISTINCT key_number FROM identity.found_by") == [(2,)]
    world.produce(world.lines)
    world.settle()
    assert_equals_oracle(world, keys, monkeypatch)
    world.stop()


def test_who_lacks_a_key_is_refused_by_name(world, keys):
    (late,) = world.start(names=[RESOLVER])
    world.produce([json.dumps(touchpoint("1", START, user_id="jane"))])
    world.settle(names=[RESOLVER])
    wrong = rotate(world, 2, "--to", "announced", "--execute", check=False)
    assert "identity.previous_key_file the one that is at work" in wrong
    alone = tool(world, 0, "identity", "rotate-key", "--to", "announced", "--execute", check=False)
    assert alone.returncode == 1 and "identity.key_file must be the new key" in alone.stderr
    rotate(world, 1, "--to", "announced", "--execute")
    world.produce([json.dumps(touchpoint("2", START, user_id="new"))])
    expect_end(late, "identity.previous_key_file")
    expect_refusals(world, (0, False), (1, False), (2, True))
    assert rotate(world, 1, "--cancel", "--execute")["phase"] == "one key"
    late.start().wait_ready()
    world.settle(names=[RESOLVER])
    give(world, late, 1)
    rotate(world, 1, "--to", "announced", "--execute")
    rotate(world, 1, "--to", "rotating", "--execute")
    expect_refusals(world, (0, False), (1, False), (2, True))
    refused = tool(world, 1, "explain", JANE, previous=False, check=False)
    assert refused.returncode == 1 and "identity.previous_key_file" in refused.stderr
    world.stop([late])


OFFERS = "SELECT opportunity_id, accepted_at IS NOT NULL FROM tutti.fct_opportunities ORDER BY 1"


def test_operators_find_the_same_customers(world, keys, monkeypatch):
    """explain and unlink by values, before and after what they name was seen under the new key; an opportunity keeps its id."""
    world.start()
    feed(world, *one_family(), touchpoint("printer", START, "Order Completed", user_id="jane", product_category="printers", value_micros=1, currency="USD"))
    before, offers = profiles(world), world.query(OFFERS)
    assert len(offers) == 3
    for service in resolvers(world):
        give(world, service, 1)
    rotate(world, 1, "--to", "announced", "--execute")
    rotate(world, 1, "--to", "rotating", "--execute")
    plain = world.tool

    def with_both_keys(*words, **more):
        hashes = words[0] in ("explain", "identity", "erase")
        return tool_of(plain, world, 1, *words, **more) if hashes else plain(*words, **more)

    monkeypatch.setattr(world, "tool", with_both_keys)
    assert why(world, JANE, HOME)["one_customer"] is True
    feed(world, touchpoint("5", START + 4 * HOUR, user_id="jane", email="home@example1.com"), *kiosk(2))
    feed(world, touchpoint("yes", START + 5 * HOUR, "Opportunity Accepted", user_id="jane", opportunity_id=str(offers[0][0])))
    assert world.query(OFFERS) == [(offers[0][0], True), *offers[1:]]
    assert why(world, JANE, HOME)["one_customer"] is True
    assert why(world, "user_id:user-0", "device_id:kiosk")["one_customer"] is True
    assert before < profiles(world)
    order(world, "unlink", JANE, HOME, "--reason", "two people")
    assert why(world, JANE, HOME)["one_customer"] is False
    world.stop()


def test_who_was_erased_does_not_come_back_with_the_key(world, keys):
    world.start()
    old = [touchpoint("1", RECENT, user_id="jane", email="home@example1.com"), touchpoint("2", RECENT + HOUR, user_id="jane")]
    other = [touchpoint("3", RECENT, user_id="joan"), touchpoint("4", RECENT, user_id="bob")]
    feed(world, *old, *other)
    world.stop()
    world.tool("erase", JANE, "--reason", "asked for it", "--execute")
    world.tool("erase", "user_id:joan", "--reason", "asked for it", "--execute")
    for service in world.services:
        if service.name == RESOLVER:
            service.settings.update(key_files(world, 1))
        service.start()
    for service in world.services:
        service.wait_ready()
    rotate(world, 1, "--to", "announced", "--execute")
    rotate(world, 1, "--to", "rotating", "--execute")
    bob = world.query("SELECT identifier_id FROM tutti.dim_identifiers")
    assert len(bob) == 1
    world.produce([json.dumps(record) for record in old])  # jane is met again, joan is not
    world.settle()
    assert world.query("SELECT identifier_id FROM tutti.dim_identifiers") == bob
    state = rotate(world, 1)
    assert (state["erased"], state["erased_only_by_previous"], state["only_by_previous"]) == (3, 1, 1)
    assert len(state["lost"]) == 1
    refused = rotate(world, 1, "--to", "finished", "--execute", check=False)
    assert "1 identifiers would no longer be recognised" in refused and "1 erased ones" in refused
    world.produce([json.dumps(record) for record in other])
    world.settle()
    finish(world, 1)
    world.produce([json.dumps(record) for record in old + other])
    world.settle()
    assert world.query("SELECT identifier_id FROM tutti.dim_identifiers") == bob
    past = "SELECT clock_timestamp() > max(erased_at) FROM identity.erased"
    until(lambda: world.query(past) == [(True,)], SECONDS, "the time up to which the tombstones reach")
    later = touchpoint("5", NOW + 2 * HOUR, user_id="jane")
    feed(world, later, *old)
    assert len(world.query("SELECT FROM tutti.dim_identifiers")) == 2
    assert world.query("SELECT message_id FROM tutti.fct_touchpoints ORDER BY 1") == [("4",), ("5",)]
    world.stop()


def test_kept_values_are_hashed_with_the_new_key(world, keys):
    """Without their values being seen again; hashed e-mails and a second exchange included."""
    (world.directory / "privacy.key").write_text("5c" * 32)
    keeping = {"privacy.raw_values": "true", "privacy.key_file": world.directory / "privacy.key"}
    service = world.service(RESOLVER)
    service.settings.update(keeping)
    service.start().wait_ready()
    clear = [touchpoint(str(i), START, user_id=f"user-{i}", email=f"Person{i}@Example1.com") for i in range(40)]
    hashed = {"type": "phone", "value": "5E" * 32, "encoding": "sha256"}
    clear.append({**touchpoint("hashed", START), "identifiers": [hashed]})
    world.produce([json.dumps(record) for record in clear])
    world.settle(names=[RESOLVER])
    for number in (1, 2):
        service.stop()
        service.settings.pop("identity.previous_key_file", None)
        service.settings.update(key_files(world, number))
        service.start().wait_ready()
        rotate(world, number, "--to", "announced", "--execute")
        fill = ("--to", "rotating", "--execute", "--privacy.key_file", world.directory / "privacy.key")
        state = rotate(world, number, *fill)
        assert (state["added"], state["unusable"], state["only_by_previous"]) == (81, 0, 0)
        assert rotate(world, number, *fill)["added"] == 0
        rotate(world, number, "--to", "finished", "--execute")
    world.produce([json.dumps({**record, "message_id": record["message_id"] + "-again"}) for record in clear])
    world.settle(names=[RESOLVER])
    assert len(world.query("SELECT FROM tutti.dim_identifiers")) == 81
    with psycopg.connect(world.url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM identity.found_by WHERE key_number <> 2").fetchone() == (0,)
    service.stop()


def test_a_forced_end_forgets(world, keys):
    """A person who was not seen since is a new one; the others are not."""
    (service,) = world.start(names=[RESOLVER])
    world.produce([json.dumps(touchpoint(name, START, user_id=name)) for name in ("jane", "joan")])
    world.settle(names=[RESOLVER])
    give(world, service, 1)
    rotate(world, 1, "--to", "announced", "--execute")
    rotate(world, 1, "--to", "rotating", "--execute")
    world.produce([json.dumps(touchpoint("jane-2", START, user_id="jane"))])
    world.settle(names=[RESOLVER])
    assert rotate(world, 1)["only_by_previous"] == 1
    assert "1 identifiers would" in rotate(world, 1, "--to", "finished", "--execute", check=False)
    assert rotate(world, 1, "--to", "finished", "--execute", "--force")["phase"] == "one key"
    give(world, service, 1, previous=False)
    world.produce([json.dumps(touchpoint(name + "-3", START, user_id=name)) for name in ("jane", "joan")])
    world.settle(names=[RESOLVER])
    assert world.query("SELECT count(*) FROM tutti.dim_identifiers") == [(3,)]
    give(world, service, 2)
    assert rotate(world, 2, "--to", "announced", "--execute")["only_by_previous"] == 2  # what is lost is not waited for again
    rotate(world, 2, "--to", "rotating", "--execute")
    world.produce([json.dumps(touchpoint(name + "-4", START, user_id=name)) for name in ("jane", "joan")])
    world.settle(names=[RESOLVER])
    assert rotate(world, 2)["only_by_previous"] == 0
    assert world.query("SELECT count(*) FROM tutti.dim_identifiers") == [(3,)]
    service.stop()


def test_a_former_key_is_refused(world, keys):
    """Going back to it could not be finished: what was made with it is found by it, and never gets another hash."""
    (service,) = world.start(names=[RESOLVER])
    send = [json.dumps(touchpoint(name, START, user_id=name)) for name in ("jane", "joan")]
    for number in (0, 1):
        if number:
            give(world, service, number)
            rotate(world, number, "--to", "announced", "--execute")
            rotate(world, number, "--to", "rotating", "--execute")
        world.produce(send)
        world.settle(names=[RESOLVER])
    rotate(world, 1, "--to", "finished", "--execute")
    back = ("--identity.key_file", world.directory / KEYS[0], "--identity.previous_key_file", world.directory / KEYS[1])
    refused = world.tool("identity", "rotate-key", "--to", "announced", "--execute", *back, check=False)
    assert refused.returncode == 1 and "was at work before" in refused.stderr, refused.stderr
    assert rotate(world, 1)["phase"] == "one key"
    give(world, service, 2)
    assert rotate(world, 2, "--to", "announced", "--execute")["phase"] == "announced"
    service.stop()


def test_an_interrupted_end_is_run_again(world, keys):
    """Killed before hashes under former keys are gone: the exchange is over, and they go when it is run again."""
    (service,) = world.start(names=[RESOLVER])
    for number in (0, 1, 2):
        if number:
            give(world, service, number)
            rotate(world, number, "--to", "announced", "--execute")
            rotate(world, number, "--to", "rotating", "--execute")
        world.produce([json.dumps(touchpoint("1", START, user_id="jane"))])
        world.settle(names=[RESOLVER])
        if number == 1:
            rotate(world, number, "--to", "finished", "--execute")
    numbers = "SELECT key_number FROM identity.found_by ORDER BY 1"
    waits = "SELECT count(*) FROM pg_locks WHERE relation = 'identity.found_by'::regclass AND NOT granted"
    with psycopg.connect(world.url) as connection:
        connection.execute("LOCK TABLE identity.found_by IN SHARE MODE")
        more = [f"--{name}={file}" for name, file in key_files(world, 2).items()]
        process = start(world, "identity", "rotate-key", "--to", "finished", "--execute", *more)
        until(lambda: world.query(waits) == [(1,)] or process.poll() is not None, SECONDS, "it comes to forgetting")
        process.kill()
        process.wait()
    assert rotate(world, 2)["phase"] == "one key" and world.query(numbers) == [(1,), (2,)]
    assert rotate(world, 2, "--to", "finished", "--execute")["phase"] == "one key"
    assert world.query(numbers) == [(2,)]
    service.stop()


def test_the_same_words_again_go_no_further(world, keys):
    """Each phase is named: a line that is run twice, or long after, changes nothing; none leads over two phases."""
    (service,) = world.start(names=[RESOLVER])
    world.produce([json.dumps(touchpoint("1", START, user_id="jane"))])
    world.settle(names=[RESOLVER])
    give(world, service, 1)

    def state():
        found = rotate(world, 1)
        return found["phase"], found["key_number"], world.query("SELECT key_epoch FROM identity.policies WHERE is_active")

    def to(phase, number=1, check=True):
        return rotate(world, number, "--to", phase, "--execute", check=check)

    for words in (("--execute",), ("--to", "somewhere"), ("--to", "rotating", "--cancel", "--execute")):
        refused = tool(world, 1, "identity", "rotate-key", *words, check=False)
        assert refused.returncode == 2 and "--to" in refused.stderr, refused.stderr
    assert "--to announced first" in to("rotating", check=False) and "no exchange" in to("finished", check=False)
    assert state()[:2] == ("one key", 0)
    to("announced")
    announced = state()
    assert announced[:2] == ("announced", 0)
    to("announced")
    assert "--to rotating first" in to("finished", check=False) and "the new key that was announced" in to("announced", 2, check=False)
    assert state() == announced
    to("rotating")
    rotating = state()
    assert rotating[:2] == ("rotating", 1)
    for phase in ("announced", "rotating"):
        to(phase)
    assert "another key than identity.key_file" in to("announced", 2, check=False)
    assert "identity.key_file must be the key that is at work" in to("finished", 2, check=False)
    assert state() == rotating
    world.produce([json.dumps(touchpoint("2", START, user_id="jane"))])
    world.settle(names=[RESOLVER])
    to("finished")
    finished = state()
    assert finished[:2] == ("one key", 1)
    for phase in ("announced", "rotating", "finished"):
        to(phase)
    assert state() == finished
    world.stop([service])
