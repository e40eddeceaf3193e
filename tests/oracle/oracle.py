"""The oracle: what every convergent column must show, computed slowly and plainly from the set of touchpoints.

Written from docs/figures.md alone, sorted and in memory. Usage:
    oracle.py --input FILE... --policies DIR --key HEX [--as-of TIME] [--out DIR]
prints one checksum per view (the same as checksums.py prints for the database) and, with --out, writes VIEW.tsv.
"""

import argparse
import gc
import gzip
import hashlib
import json
import pathlib
import sys
import time

import policy
from consents import Consents
from goals import is_sale
from identity import ASCII_SPACE, Identifiers, IdentityMap
from policy import DAY, US, Policies, instant
from pressure import Pressure
from render import COLUMNS, View, line
from rows import Rows
from touchpoint import Touchpoint, event_id, is_score_refused


def read_lines(paths):
    """Touchpoints from JSON lines (also gzip; - is standard input)."""
    for path in paths:
        stream = (
            sys.stdin
            if path == "-"
            else (gzip.open if str(path).endswith(".gz") else open)(path, "rt", encoding="utf-8")
        )
        with stream:
            for text in stream:
                if text.strip():
                    yield json.loads(text)


class Oracle:
    """Feed it with `add`, then ask for `views`. `recorded_at` is the timestamp of all Kafka records that say no other.

    `topic` is where all touchpoints were read."""

    def __init__(self, policies, key, recorded_at, topic=""):
        self.policies, self.recorded_at, self.topic = policies, recorded_at, topic
        self.min_time = instant(policies.identity.get("min_time", "1971-01-01"))
        self.identifiers = Identifiers(policies.identity, key)
        self.identity = IdentityMap(policies.identity)
        self.touchpoints, self.unidentified = {}, {}
        self.consents, self.pressure = Consents(policies.contact), Pressure(policies)
        self.requests = set()  # event ids; every stored request gets a decision

    def is_refused(self, raw, recorded_at):
        """Dead letters: more than a day after the record's timestamp, or before min_time; a blank required text; no such score."""
        if any(not raw[name].strip(ASCII_SPACE) for name in ("source", "message_id", "type", "channel")):
            return True
        if is_score_refused(raw):
            return True
        return not self.min_time <= raw["occurred_at"] <= recorded_at + DAY

    def add(self, raw, recorded_at=None):
        if raw.get("is_test") or self.is_refused(raw, self.recorded_at if recorded_at is None else recorded_at):
            return
        raw = {"topic": self.topic, **raw}
        found = self.identifiers.of(raw)
        if raw.get("event_name") == "Contact Requested":
            self.requests.add(event_id(raw["source"], raw["message_id"]))
        if not found:
            key = (event_id(raw["source"], raw["message_id"]), raw["occurred_at"])
            self.unidentified.setdefault(key, Touchpoint(raw, None, self.policies))
            return
        anchor = self.identifiers.anchor(found)
        touchpoint = Touchpoint(raw, anchor, self.policies)
        self.identity.see(found, anchor, raw["occurred_at"], touchpoint.event_id)
        for pair in self.identifiers.aliases(raw, found):
            self.identity.see_alias(*pair)
        self.touchpoints.setdefault(touchpoint.key, touchpoint)
        self.pressure.add(raw, anchor)
        self.consents.add(raw, touchpoint.event_id, found, anchor, self.recorded_at if recorded_at is None else recorded_at)

    def order(self, kind, *identifiers):
        """An operator's link, same, cut or release; identifiers as "type:value", or their ids."""
        self.identity.order(kind, *map(self.named, identifiers))

    def named(self, identifier):
        if isinstance(identifier, bytes):
            return identifier
        found = self.identifiers.identifier_id(*identifier.split(":", 1))
        if found is None:
            raise ValueError(f"not an identifier: {identifier!r}")
        return found

    def profiles(self):
        """(profile_id, its touchpoints in order without repeats, the repeats), profiles without touchpoints included."""
        map_ = self.identity.resolve()
        timelines = {profile: [] for profile in map_.values()}
        for touchpoint in self.touchpoints.values():
            timelines[map_[touchpoint.anchor]].append(touchpoint)
        owners = self.owners()
        for profile, timeline in timelines.items():
            everything = timeline
            timeline = sorted(self.without_repeats(timeline), key=lambda touchpoint: touchpoint.order)
            for touchpoint in timeline:
                if is_sale(touchpoint, self.policies):
                    touchpoint.is_elsewhere = map_[owners[touchpoint.message].anchor] != profile
            counted = set(map(id, timeline)) if len(timeline) < len(everything) else None
            yield profile, timeline, [one for one in everything if counted and id(one) not in counted]

    def unidentified_sales(self):
        """Sales without an identifier or of a shared profile that no known customer owns. After `profiles`."""
        return [owner for owner in self.owners().values() if self.obscurity(owner) > 0]

    def obscurity(self, touchpoint):
        """0: of a known customer, 1: of a shared profile, 2: without an identifier."""
        return 2 if touchpoint.anchor is None else int(self.identity.is_shared(self.identity.profile[touchpoint.anchor]))

    def owners(self):
        """{(event_id, time) of a sale: the touchpoint that owns it}."""
        sales = [one for one in [*self.touchpoints.values(), *self.unidentified.values()] if is_sale(one, self.policies)]
        sales.sort(key=lambda one: (self.obscurity(one), -one.rank, one.short_anchor))
        return {one.message: one for one in reversed(sales)}

    def without_repeats(self, timeline):
        """Of the touchpoints of one message the highest rank, then a sale, then the smallest anchor."""
        best = sorted(timeline, key=lambda one: (-one.rank, not is_sale(one, self.policies), one.short_anchor))
        return {one.message: one for one in reversed(best)}.values()

    def views(self, as_of, declared=COLUMNS):
        """{view: rows of text, sorted by key}."""
        rows = Rows(self, as_of).all()
        return {name: View(name, declared).text_rows(rows[name]) for name in declared}


def checksum(rows):
    """md5 over the rows as COPY text, in the order of their key."""
    digest = hashlib.md5()
    for row in rows:
        digest.update(line(row).encode())
    return digest.hexdigest()


def compute(paths, policies, key, as_of, recorded_at, orders=()):
    """The whole oracle in one call: {view: rows of text}. orders: what operators ordered, see database.orders."""
    gc.disable()  # nothing here is cyclic, and millions of live objects make each collection slow
    oracle = Oracle(policies, key, recorded_at)
    for raw in read_lines(paths):
        oracle.add(raw)
    for order in orders:
        oracle.order(*order)
    return oracle.views(as_of)


def add_arguments(parser):
    parser.add_argument(
        "--input",
        nargs="+",
        required=True,
        metavar="FILE",
        help="touchpoints as JSON lines (.gz too, - for standard input)",
    )
    parser.add_argument(
        "--policies",
        required=True,
        metavar="DIR",
        help="folder of identity.json, journey.json, goals.json, channels.json",
    )
    parser.add_argument(
        "--key", required=True, metavar="HEX", help="identity key, hexadecimal, or @FILE with its bytes"
    )
    parser.add_argument(
        "--orders", metavar="FILE", help='operators\' orders, oldest first: lines such as ["cut", "user_id:a", "email:b"]'
    )
    parser.add_argument("--as-of", metavar="TIME", help="what tutti.as_of() answers (default: now)")
    parser.add_argument(
        "--recorded-at", metavar="TIME", help="timestamp of the Kafka records: what is a day later is refused (default: now)"
    )


def from_arguments(arguments, orders=()):
    """(views, as_of) of the parsed arguments. orders: those of the database that is compared; else of the file --orders."""
    clock = int(time.time() * US)
    as_of = policy.instant(arguments.as_of) if arguments.as_of else clock
    recorded_at = policy.instant(arguments.recorded_at) if arguments.recorded_at else clock
    key = (
        pathlib.Path(arguments.key[1:]).read_bytes() if arguments.key.startswith("@") else bytes.fromhex(arguments.key)
    )
    if arguments.orders:
        orders = [tuple(json.loads(text)) for text in pathlib.Path(arguments.orders).read_text().splitlines()]
    return compute(arguments.input, Policies.load(arguments.policies), key, as_of, recorded_at, orders), as_of


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--out", metavar="DIR", help="also write the rows of each view to DIR/VIEW.tsv")
    arguments = parser.parse_args()
    views, _ = from_arguments(arguments)
    for name, rows in views.items():
        print(f"{checksum(rows)}  {len(rows):>9}  {name}")
        if arguments.out:
            pathlib.Path(arguments.out).mkdir(parents=True, exist_ok=True)
            with open(pathlib.Path(arguments.out) / f"{name}.tsv", "w", encoding="utf-8") as out:
                out.writelines(map(line, rows))


if __name__ == "__main__":
    main()
