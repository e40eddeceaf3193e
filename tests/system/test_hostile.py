"""Bad records between good ones: one distinct dead letter each, with all that was sent; the good ones are unharmed."""

import decimal
import json

import hostile
from policy import DAY
from people import START, feed, touchpoint
from topics import framed

LARGEST = 900000  # max.record.bytes: key, value and headers
ERROR_HEADERS = {
    "__connect.errors.topic",
    "__connect.errors.partition",
    "__connect.errors.offset",
    "__connect.errors.exception.class.name",
    "__connect.errors.exception.message",
    "tutti.error.code",
    "tutti.original.key",
}
ADDED = ERROR_HEADERS | {"tutti.value.omitted"}


def produce_between(world, short, bad, good=()):
    """Sends bad records, each followed by some of the good ones, with keys; {key of the dead letter: bad record}."""
    records, names = [], []
    step = -(-len(good) // len(bad))
    for position, (name, value, headers) in enumerate(bad):
        records.append((f"key {position}".encode(), value, [("kept", b"\xff\x00"), *headers]))
        names.append(name)
        following = good[position * step : (position + 1) * step]
        records += [(None, value, None) for value in following]
        names += [None] * len(following)
    placed = world.topics.produce(world.topic(short), records)
    return {
        f"{world.topic(short)}-{partition}-{offset}": (name, record)
        for (partition, offset), name, record in zip(placed, names, records)
        if name is not None
    }


def check_letters(world, short, expected):
    """Exactly the expected dead letters, by key; each is as the record was. Two readers may both refuse a record."""
    found = {}
    for letter in world.topics.read(world.dead_letters(short)):
        found.setdefault(letter.key().decode(), []).append(letter)
    missing = [name for key, (name, _) in expected.items() if key not in found]
    assert not missing, f"no dead letter for: {missing}"
    assert found.keys() == expected.keys(), f"unexpected dead letters: {found.keys() - expected.keys()}"
    for key, letters in found.items():
        for letter in letters:
            check_letter(world.topic(short), key, letter, *expected[key])
    return found


def check_letter(topic, key, letter, name, record):
    sent_key, value, sent_headers = record
    headers = dict(letter.headers())
    assert headers.keys() >= ERROR_HEADERS, (name, headers.keys())
    assert headers["__connect.errors.topic"].decode() == topic
    place = [headers[f"__connect.errors.{part}"].decode() for part in ("topic", "partition", "offset")]
    assert key == "-".join(place)
    assert headers["tutti.original.key"] == sent_key, name
    code = headers["tutti.error.code"].decode()
    assert code and code in headers["__connect.errors.exception.message"].decode(), name
    if "tutti.value.omitted" in headers:
        assert int(headers["tutti.value.omitted"]) == len(value), name
        assert len(value) > 800000 or len(dict(sent_headers)["big"]) > 800000, name
        return
    assert letter.value() == value or (value is None and not letter.value()), name
    kept = [(header, content) for header, content in letter.headers() if header not in ADDED]
    assert kept == list(sent_headers), name


def with_headers(bad):
    return [(name, value, ()) for name, value in bad]


def test_hostile_touchpoints(world):
    lines = world.generate("bench", people=60, events=600)
    good = [framed(1, json.loads(line)) for line in lines]
    assert all(map(hostile.is_well_formed, good))
    bad = list(hostile.touchpoints({**json.loads(lines[0]), "message_id": "hostile"}))
    assert len({name for name, _, _ in bad}) == len(bad) > 50
    world.start()
    expected = produce_between(world, "touchpoints", bad, good)
    world.settle()
    letters = check_letters(world, "touchpoints", expected)
    assert all(len(same) == 1 for same in letters.values()), "a record was refused twice"
    (resolver,) = world.of("identity-resolver")
    assert resolver.metric("dead_letters_total") + resolver.metric("tutti_dead_letters_total") == len(bad)
    world.assert_equals_oracle()
    world.stop()


def test_the_clock_is_that_of_the_record(world):
    """Not that of the reader: what was in the future when it came stays refused when it is read again years later."""
    at, hour = START // 1000, 3600 * 1000
    cases = {
        "a day ahead": (at - 24 * hour, None),
        "more than a day ahead": (at - 24 * hour - 1, "time_in_the_future"),
        "late": (at + 400 * 24 * hour, None),
        "no timestamp": (-1, "timestamp_missing"),
    }
    told = {name: touchpoint(name, START, "Product Viewed", user_id=name.replace(" ", "-")) for name in cases}
    told["before min_time"] = touchpoint("before min_time", 365 * DAY - 1, "Product Viewed", user_id="old")
    told["at min_time"] = touchpoint("at min_time", 365 * DAY, "Product Viewed", user_id="not-old")
    cases.update({"before min_time": (at, "time_too_old"), "at min_time": (at, None)})
    world.start()
    world.topics.produce(
        world.topic("touchpoints"),
        [(name.encode(), framed(1, one), None, cases[name][0]) for name, one in told.items()],
    )
    world.lines += [json.dumps(one) for name, one in told.items() if cases[name][1] is None]

    def codes():
        letters = world.topics.read(world.dead_letters("touchpoints"))
        found = {letter.key(): dict(letter.headers()) for letter in letters}
        return {headers["tutti.original.key"].decode(): headers["tutti.error.code"].decode() for headers in found.values()}

    wanted = {name: code for name, (_, code) in cases.items() if code}
    world.settle()
    assert codes() == wanted
    world.assert_equals_oracle()
    world.read_again(["identity-resolver"])
    world.settle()
    assert codes() == wanted
    world.assert_equals_oracle()
    world.stop()


def test_hostile_records_on_our_own_topics(world):
    lines = world.generate("bench", people=60, events=900)
    good = {**json.loads(lines[0]), "message_id": "hostile"}
    world.start()
    world.produce(lines[:300])
    world.settle()
    ((generation,),) = world.query("SELECT generation FROM tutti_meta.generations WHERE is_active")
    corpora = {
        "resolved": list(hostile.resolved_touchpoints(good)),
        "identity.changes": list(hostile.identity_changes()),
        "diffs": [*hostile.journey_diffs(), *hostile.broken_cells(generation.bytes)],
    }
    expected = {}
    for number, (short, bad) in enumerate(corpora.items(), 1):
        world.produce(lines[number * 150 + 150 : number * 150 + 300])
        expected[short] = produce_between(world, short, with_headers(bad))
    world.produce(lines[750:])
    world.settle()
    for short, letters in expected.items():
        check_letters(world, short, letters)
    world.assert_equals_oracle()
    world.stop()


def test_absurd_money(world):
    """3,000 orders on one day, each as large as 64 bits hold: sums leave 64 bits, and stay exact."""
    most = 2**63 - 1
    absurd = [
        touchpoint(f"o{n}", START + n, "Order Completed", user_id=f"user{n % 1000}", order_id=f"o{n}", value_micros=most, currency="EUR")
        for n in range(3000)
    ]
    world.start()
    feed(world, *absurd)
    world.assert_equals_oracle()
    (revenue,) = world.query("SELECT sum(revenue) FROM tutti.fct_touchpoints")[0]
    (credited,) = world.query("SELECT sum(attributed_revenue) FROM tutti.rpt_attributions_daily WHERE segment_id = '(all)' AND model = 'linear'")[0]
    (profiles,) = world.query("SELECT sum(revenue) FROM tutti.dim_profiles")[0]
    assert revenue == credited == profiles == decimal.Decimal(len(absurd) * most).scaleb(-6)


def of_size(message_id, size):
    """(key, value, no headers) of a touchpoint whose record has so many bytes."""
    key = message_id.encode()
    line = touchpoint(message_id, START, user_id="jane")
    filler = size
    while True:
        halves = {"context_json": json.dumps("x" * 400000), "properties_json": json.dumps("x" * (filler - 400000))}
        value = framed(1, {**line, **halves})
        if len(key) + len(value) == size:
            return key, value, None
        filler -= len(key) + len(value) - size


def test_what_the_first_service_takes_all_others_take(world):
    """Just below and at the limit: every service has it. One byte more: one dead letter, and nothing of it is stored."""
    world.start()
    sizes = {"below": LARGEST - 60, "at": LARGEST, "above": LARGEST + 1}
    world.topics.produce(world.topic("touchpoints"), [of_size(name, size) for name, size in sizes.items()])
    world.settle()
    letters = [dict(letter.headers())["tutti.error.code"] for letter in world.topics.read(world.dead_letters("touchpoints"))]
    assert letters == [b"record_too_large"]
    assert list(world.topics.read(world.dead_letters("resolved"))) == []
    assert world.query("SELECT count(*) FROM tutti.fct_touchpoints") == [(2,)]
    world.stop()
