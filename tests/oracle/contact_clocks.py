"""Clocks of a customer, plainly: what a zone reads at an instant, quiet hours, days and weeks, and in which zones a customer may be.

Only instants are turned into readings, never readings into instants. So hours that do not exist, or come twice, need no rule.
"""

import bisect
import datetime
import functools
import itertools
import pathlib
import re
import zoneinfo

from identity import phone_number, phone_text
from policy import DAY, EPOCH, ZONES, duration

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
HORIZON = 100 * DAY  # clocks repeat by the week
MOST_DEVICES = 24
COUNTRY_MEMORY = 365


# ------------------------------------------------------------------------------------------------------------- readings


@functools.lru_cache(maxsize=200_000)
def reading(at, zone):
    return (EPOCH + datetime.timedelta(microseconds=at)).astimezone(zoneinfo.ZoneInfo(zone))


def offset(at, zone):
    return reading(at, zone).utcoffset() // datetime.timedelta(microseconds=1)


@functools.lru_cache(maxsize=4096)
def changes(zone, first, last):
    """Instants at which the zone changes its offset, on the UTC days from first to last."""
    found = []
    for day in range(first, last + 1):
        low, high = day * DAY, (day + 1) * DAY
        if offset(low, zone) == offset(high, zone):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle, zone) == offset(day * DAY, zone) else (low, middle)
        found.append(high)
    return found


@functools.lru_cache(maxsize=4096)
def instants(marks, zone, first, last):
    """Every instant of the UTC days from first to last at which the zone may read one of the marks, and its changes."""
    found = set(changes(zone, first - 1, last + 1))
    ends = [first * DAY, *sorted(found), (last + 1) * DAY]
    for begin in ends[:-1]:
        shift = offset(begin, zone)
        found |= {day * DAY + mark - shift for day in range(first - 2, last + 3) for mark in marks}
    return sorted(found)


def clock(text):
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000_000


class Hours:
    """Windows of local time, and days that count from 00:00 to 24:00."""

    def __init__(self, windows, also=(), dates=()):
        self.windows = [(clock(one["from"]), clock(one["to"]), one.get("days") or DAYS) for one in windows]
        self.texts = [f"{one['from']}-{one['to']}" for one in windows]
        self.also, self.dates = set(also), set(dates)

    def holds(self, at, zone):
        local = reading(at, zone)
        time = ((local.hour * 60 + local.minute) * 60 + local.second) * 1_000_000 + local.microsecond
        today, yesterday = local.date(), local.date() - datetime.timedelta(days=1)
        if DAYS[today.weekday()] in self.also or today.isoformat() in self.dates:
            return True
        return any(self.is_within(window, time, today, yesterday) for window in self.windows)

    @staticmethod
    def is_within(window, time, today, yesterday):
        begin, end, days = window
        is_day, was_day = DAYS[today.weekday()] in days, DAYS[yesterday.weekday()] in days
        if begin < end:
            return is_day and begin <= time < end
        return (is_day and time >= begin) or (was_day and time < end)  # it belongs to the day on which it begins

    def instants(self, zone, first, last):
        marks = frozenset([0, *(mark for begin, end, _ in self.windows for mark in (begin, end))])
        return instants(marks, zone, first, last)


def at_or_after(at, zones, hours, is_allowed, length=HORIZON):
    """The first instant from `at` on at which it is allowed, within `length`; None: none."""
    return first_of(at, zones, hours, is_allowed, at, length)


def first_of(at, zones, hours, is_wanted, begin, length=HORIZON):
    if is_wanted(begin):
        return begin
    step = 8
    for day in range(at // DAY, (at + length) // DAY + 1, step):
        found = sorted(set(itertools.chain(*(hours.instants(zone, day, day + step) for zone in zones))))
        for one in found[bisect.bisect_right(found, begin) :]:
            if one > at + length:
                return None
            if is_wanted(one):
                return one
    return None


def reading_text(at, zone):
    """ "22:30+02:00 Wed". """
    local = reading(at, zone)
    shift = local.strftime("%z")
    return f"{local:%H:%M}{shift[:3]}:{shift[3:5]} {DAYS[local.weekday()][:3].title()}"


# -------------------------------------------------------------------------------------------------------------- periods


def period(at, unit, zone, week_starts="monday"):
    """The first date of the local day, week or month."""
    date = reading(at, zone).date()
    if unit == "day":
        return date
    if unit == "month":
        return date.replace(day=1)
    return date - datetime.timedelta(days=(date.weekday() - DAYS.index(week_starts)) % 7)


# --------------------------------------------------------------------------------------------------- where a customer is


@functools.cache
def zones_of_countries():
    """{country: its zones}, by zone.tab."""
    found = {}
    for folder in zoneinfo.TZPATH:
        path = pathlib.Path(folder) / "zone.tab"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if not line.startswith("#"):
                    country, _, zone, *_ = line.split("\t")
                    found.setdefault(country, set()).add(zone.strip())
            return found
    raise FileNotFoundError("zone.tab")


# Calling codes of countries, as far as stories use them: +1 is all its countries.
CALLING = {
    "1": "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI".split(),
    "7": ["KZ", "RU"],
    "33": ["FR"],
    "43": ["AT"],
    "44": ["GB", "GG", "IM", "JE"],
    "49": ["DE"],
    "61": ["AU", "CC", "CX"],
    "977": ["NP"],
}


def countries_of_phone(text):
    """Of a number as it was sent; one without a calling code says nothing."""
    if not re.match(r"[ ()\-./]*(\+|0[ ()\-./]*0)", text):
        return []
    number = phone_number(text, "49") or ""
    return CALLING.get(next((code for code in CALLING if number.startswith("+" + code)), None), [])


class Places:
    """Evidence of where a customer is: {(kind, value): (first day, last day)}."""

    def __init__(self):
        self.days = {}

    def add(self, kind, value, at):
        first, last = self.days.get((kind, value), (at // DAY, at // DAY))
        self.days[kind, value] = min(first, at // DAY), max(last, at // DAY)

    def read(self, raw):
        """What one touchpoint says."""
        if raw.get("timezone") in ZONES:
            self.add("zone", raw["timezone"], raw["occurred_at"])
        geo = raw.get("geo") or {}
        for name in ("country", "region"):
            if geo.get(name):
                self.add(name, geo[name].upper() if name == "country" else geo[name], raw["occurred_at"])
        for one in raw.get("identifiers") or []:
            for country in countries_of_phone(phone_text(one["value"])) if one["type"] == "phone" and one.get("encoding", "none") == "none" else ():
                self.add("phone", country, raw["occurred_at"])

    def since(self, day, *kinds):
        return {value for (kind, value), (_, last) in self.days.items() if kind in kinds and last >= day}


def zones_of(places, stated, unknown, memory, day):
    """([zones], where they are known from) of a customer on a day."""
    if stated:
        return [stated], "stated"
    recent = places.since(day - memory // DAY, "zone")
    if recent and len(recent) <= MOST_DEVICES:
        return sorted(recent), "device"
    lasts = {value: last for (kind, value), (_, last) in places.days.items() if kind == "zone"}
    old = {zone for zone in lasts if lasts[zone] == max(lasts.values())} if not recent else set()
    named = set().union(*(zones_of_countries().get(one, ()) for one in places.since(day - COUNTRY_MEMORY, "country", "phone")))
    if old or (named and not recent):
        return sorted(old | named), "device or country"
    return sorted(set().union(*(zones_of_countries().get(one, {one}) for one in unknown))), "unknown: " + " ".join(unknown)


def distinct(zones, at):
    """Those that read alike from the day before to 400 days later are one."""
    found = {}
    for zone in zones:
        shifts = [offset(at - DAY, zone)]
        moments = changes(zone, at // DAY - 1, at // DAY + 400)
        found.setdefault((tuple(shifts), *((moment, offset(moment, zone)) for moment in moments)), zone)
    return list(found.values())


def memory_of(policy):
    return duration(policy.get("zones", {}).get("memory", "P30D"))
