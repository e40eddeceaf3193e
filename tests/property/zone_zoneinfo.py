"""What the standard library says of every zone of this host, one answer a line. Run by zone_zoneinfo_test.

offset NAME INSTANT SECONDS          at both sides of every change until 2100, and at random instants
midnight NAME DAY INSTANT            the first instant of days around changes, found by trying every minute
next NAME INSTANT SECOND INSTANT     when a clock shows a time of the day next, found in the same way
"""

import bisect
import datetime
import random
import sys
import zoneinfo
from zoneinfo import _zoneinfo

UTC = datetime.timezone.utc
DAY = 86400
END = int(datetime.datetime(2101, 1, 1, tzinfo=UTC).timestamp())
YEAR_2037 = int(datetime.datetime(2037, 1, 1, tzinfo=UTC).timestamp())
FIRST = int(datetime.datetime(1800, 1, 1, tzinfo=UTC).timestamp())


class Zone:
    def __init__(self, name):
        self.name, self.zone = name, zoneinfo.ZoneInfo(name)
        listed = _zoneinfo.ZoneInfo(name)._trans_utc
        # Their times count the leap seconds of a file that has some; those files stand elsewhere.
        self.changes = sorted({t for t in listed if t >= FIRST} | set(self.ruled_changes()))

    def offset(self, t):
        return int(datetime.datetime.fromtimestamp(t, self.zone).utcoffset().total_seconds())

    def ruled_changes(self):
        """Changes that no file lists: found between two samples that differ."""
        before, offset = YEAR_2037, self.offset(YEAR_2037)
        for t in range(YEAR_2037 + 20 * DAY, END, 20 * DAY):
            now = self.offset(t)
            if now != offset:
                yield bisect.bisect_left(range(before, t), True, key=lambda u: self.offset(u) != offset) + before
            before, offset = t, now

    def shown(self, t):
        return t + self.offset(t)

    def midnight(self, day):
        start = (day * DAY - 27 * 3600) // 60 * 60
        return next(t for t in range(start, start + 100 * 3600, 60) if self.shown(t) >= day * DAY)

    def next(self, t, second):
        """The first instant with this time of the day, or the first one after the clock passed over it."""
        before = None
        for u in range(t, t + 3 * DAY, 60):
            shown = self.shown(u)
            if shown % DAY == second:
                return u
            # Its next showing lies between two minutes that follow each other.
            if before is not None and before < before + (second - before) % DAY < shown:
                return u
            before = shown
        raise AssertionError((self.name, t, second))


def main():
    seed = int(sys.argv[1])
    random.seed(seed)
    zones, contents = [], set()
    for name in sorted(zoneinfo.available_timezones()):
        if name == "localtime":
            continue
        zone = Zone(name)
        key = (tuple(zone.changes), tuple(zone.offset(t) for t in zone.changes), zone.offset(END - 1))
        probes = [random.randrange(FIRST, END) for _ in range(20)]
        if key not in contents:
            contents.add(key)
            zones.append(zone)
            probes += [random.randrange(FIRST, END) for _ in range(80)]
            probes += [t + d for t in zone.changes if t < END for d in (-1, 0, 1)]
        for t in probes:
            print("offset", name, t, zone.offset(t))
    modern = [(z, t) for z in zones for t in z.changes if 100_000_000 < t < END - 10 * DAY]
    for zone, t in random.sample(modern, 60) + [(z, t) for z, t in modern if abs(z.offset(t) - z.offset(t - 1)) > 2 * 3600]:
        for day in range(zone.shown(t) // DAY - 1, zone.shown(t) // DAY + 2):
            print("midnight", zone.name, day, zone.midnight(day))
        for second in (0, random.randrange(0, DAY, 1800), zone.shown(t) % DAY // 60 * 60, (zone.shown(t) - 1800) % DAY // 60 * 60):
            start = (t - random.randrange(0, 2 * DAY)) // 60 * 60
            print("next", zone.name, start, second, zone.next(start, second))


main()
