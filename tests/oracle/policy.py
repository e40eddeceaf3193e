"""The policy files as plain Python values, and the few readings (durations, days, zones) that all parts share."""

import datetime
import functools
import json
import pathlib
import re
import zoneinfo

from origins import Origins

US = 1_000_000
DAY = 86_400 * US
YEAR = 365 * DAY
STAGES = ["inquiry", "consideration", "purchase", "onboarding", "retention", "loyalty", "advocacy"]
ZONES = zoneinfo.available_timezones() - {"localtime"}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

NEVER_A_TOUCH = {"Contact Requested", "Contact Failed", "Contact Cancelled"}
NO_TOUCH = {
    "Contact Delivered",
    *("Email Delivered", "Email Deferred", "Email Bounced", "Email Dropped", "Email Marked as Spam"),
    *("SMS Delivered", "SMS Failed", "SMS Bounced"),
    *("Push Delivered", "Push Failed", "Push Bounced"),
    "Unsubscribed",
    *("Opportunity Accepted", "Opportunity Declined", "Gesture Approved", "Gesture Given"),
}

OPTIONAL = ("segments", "traits", "targets", "referrers", "orchestration", "contact")
SENDS = {"events": ["Contact Sent", "Campaign Sent"], "direction": "outbound"}

DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@functools.cache
def duration(text):
    """ISO 8601 duration in microseconds; a year counts 365 days."""
    match = DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise ValueError(f"not a duration: {text!r}")
    years, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (((years * 365 + weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 * US + seconds * US


def instant(text):
    """RFC 3339 (or a bare date) in microseconds since 1970."""
    value = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    return (value - EPOCH) // datetime.timedelta(microseconds=1)


def stage_rule(rule):
    """A stage rule with its conditions on the touch as a filter."""
    lists = {"event": "events", "channel": "channels"}
    on = {lists[key]: [rule[key]] for key in lists if key in rule}
    on |= {key: rule[key] for key in ("score_kind", "score_min", "score_max") if key in rule}
    found = {**rule, "on": on}
    return {**found, "within_us": duration(rule["within"])} if "within" in rule else found


def read_responses(found):
    """None: nobody asks for responses."""
    if found is None:
        return None
    return {"sends": found.get("sends", SENDS), "within": duration(found.get("within", "P7D"))}


class Policies:
    """What policies/{identity,journey,goals,channels,segments,traits,targets,referrers,orchestration,contact}.json say."""

    def __init__(self, identity, journey, goals, channels, segments=None, traits=None, targets=None, referrers=None, orchestration=None,
                 contact=None):  # fmt: skip
        self.identity, self.journey = identity, journey
        self.goals, self.channels = goals["goals"], channels["rules"]
        self.origins = Origins(channels, referrers or {})
        self.segments, self.tiers = (segments or {}).get("segments", []), (segments or {}).get("tiers")
        self.traits = (traits or {}).get("traits", [])
        self.orchestration = orchestration or {}
        self.contact = contact or {"rules": []}
        self.targets = (targets or {}).get("targets", [])
        self.figure_segments = [segment["id"] for segment in self.segments if segment.get("figures")]
        self.zone = zoneinfo.ZoneInfo(journey.get("reporting_timezone", "UTC"))
        self.person_zone = zoneinfo.ZoneInfo(journey.get("default_timezone", str(self.zone)))
        self.is_utc = journey.get("reporting_timezone", "UTC") == "UTC"
        attribution = journey["attribution"]
        self.conversions = attribution["conversions"]
        self.conversion_events = {rule["event"] for rule in self.conversions}
        listed = attribution.get("creditable")
        self.creditable = None if listed is None else {entry for entry in listed if isinstance(entry, str)}
        self.creditable_visits = [entry for entry in listed or () if isinstance(entry, dict)]
        self.lookback = duration(attribution["lookback"])
        self.models = attribution.get("models", ["first_touch", "last_touch", "linear"])
        self.position = [attribution.get("position", {}).get(end, 40) for end in ("first", "last")]
        self.half_life = duration(attribution.get("half_life", "P7D")) // US
        self.stored_model = attribution.get("stored_model", "linear")
        orders = journey.get("orders", {})
        self.orders = {
            "events": set(orders.get("events", [])),
            "within": duration(orders.get("within", "P1D")),
            "prefer": orders.get("prefer", []),
            "scope": orders.get("scope", "global"),
        }
        returns = journey.get("returns", {})
        self.returns = {
            "events": set(returns.get("events", ["Order Returned", "Order Refunded"])),
            "within": duration(returns.get("within", "P90D")),
        }
        self.responses = read_responses(journey.get("responses"))
        self.influence = journey.get("influence", [])
        self.no_touch = NEVER_A_TOUCH | set(journey.get("no_touch", NO_TOUCH))
        self.session = duration(journey.get("session", "PT30M"))
        self.status = {"at_risk": {}, "lapsed": {}, **journey.get("status", {})}
        self.deadlines = list(self.status_deadlines())
        self.stage_rules = {
            entry["stage"]: [stage_rule(rule) for rule in entry["rules"]] for entry in journey["stages"]
        }

    @property
    def order_events(self):
        """Events that tell an order: those of conversion rules that are no returns."""
        return self.conversion_events - self.returns["events"]

    @classmethod
    def load(cls, directory):
        def read(name):
            path = pathlib.Path(directory) / f"{name}.json"
            if name in OPTIONAL and not path.exists():
                return None
            return json.loads(path.read_text(encoding="utf-8"))

        return cls(*map(read, ("identity", "journey", "goals", "channels", *OPTIONAL)))

    def status_deadlines(self):
        """(status, microseconds without an inbound touch). Not given: at_risk never by itself, lapsed with the end."""
        at_risk, lapsed = (self.status[name].get("after") for name in ("at_risk", "lapsed"))
        if at_risk:
            yield "at_risk", duration(at_risk)
        yield "lapsed", duration(lapsed) if lapsed else YEAR

    def local(self, micros, zone=None):
        """The wall clock of an instant in a zone, else in the reporting zone."""
        return (EPOCH + datetime.timedelta(microseconds=micros)).astimezone(zone or self.zone)

    def day(self, micros):
        """Reporting date of an instant, as days since 1970-01-01."""
        if self.is_utc:
            return micros // DAY
        return self.local(micros).date().toordinal() - EPOCH.date().toordinal()

    def start_of(self, day):
        """The first instant of a reporting date."""
        low, high = (day - 2) * DAY, (day + 2) * DAY
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.day(middle) >= day else (middle, high)
        return high


@functools.cache
def date_of(day):
    return datetime.date.fromordinal(EPOCH.date().toordinal() + day)


@functools.cache
def month_of(day):
    """First day of the month of a day number."""
    return day - date_of(day).day + 1
