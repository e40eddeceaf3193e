"""Kinds of contact rules, each as the set of instants at which it allows a contact: plainly from the facts.

A rule has three questions: `allows(asked, at)`; `boundaries(asked)`, all instants at which its answer may change; and `saw(asked)`,
the texts (observed, allowed) that a decision records, None where the oracle does not say them.
"""

import dataclasses
import datetime
import hashlib
import json
import re

import contact
from contact import FOREVER
from contact_caps import Cap, fits, length_text
from contact_clocks import Hours, at_or_after, period, reading_text
from policy import DAY, EPOCH, ZONES, duration, instant
from words import fold


@dataclasses.dataclass
class Asked:
    """A request, and all that rules may look at. at: its own time, planned_at: the time of the contact that is judged."""

    request: object  # contact_caps.Fact
    offer: tuple  # (product, category)
    facts: list  # contact.Heard, in order
    contacts: list  # contact_caps.Contact
    ledger: contact.Ledger
    zones: list
    known_by: str
    places: object
    sequence: str = ""  # that it shares
    anchor: bytes = b""  # whose fact it is
    drawn: dict = dataclasses.field(default_factory=dict)  # {(holdout, anchor): Arm} of the customer; whoever draws adds to it
    known: dict = dataclasses.field(default_factory=dict)

    def once(self, what, find):
        """What is asked at many instants is found once."""
        if what not in self.known:
            self.known[what] = find()
        return self.known[what]

    @property
    def at(self):
        return self.request.planned_at

    @property
    def others(self):
        """Contacts that are not its own."""
        return [one for one in self.contacts if one.request_id != self.request.event_id and not one.is_attempt]


def text_of(at):
    return (EPOCH + datetime.timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Rule:
    """What is common to all kinds."""

    is_last = False  # True: it is asked only where all others grant
    exempts = False  # True: nothing is refused to a class with obeys: false
    is_clock = False

    def __init__(self, rule, policy, words):
        self.rule, self.policy, self.words = rule, policy, words
        self.name, self.kind = rule["id"], rule["kind"]
        self.classes = policy["classes"]

    def is_for(self, asked):
        return fits(self.rule, vars(asked.request), self.words)

    def is_asked(self, asked):
        return self.is_for(asked) and not (self.exempts and not self.obeys(asked.request.contact_class))

    def obeys(self, name):
        return self.classes.get(name, {}).get("obeys", True)

    def counts(self, name):
        return self.classes.get(name, {}).get("counts", True)

    def allows(self, asked, at):
        raise NotImplementedError

    def boundaries(self, asked):
        return ()

    def saw(self, asked):
        return None

    def texts(self, asked):
        """(observed, allowed), None where the oracle does not say them."""
        if not self.is_for(asked):
            return "not for this request", ""
        seen = self.saw(asked)
        return seen if self.is_asked(asked) else seen and ("class is exempt", seen[1])

    def next(self, asked):
        """The first instant from the contact time on that it allows."""
        if not self.is_asked(asked) or self.allows(asked, asked.at):
            return asked.at
        later = sorted({time + step for time in self.boundaries(asked) for step in (-1, 0, 1)})
        return next((time for time in later if asked.at < time <= asked.at + 400 * DAY and self.allows(asked, time)), None)


class Told(Rule):
    """Kinds that contact.py answers: opt_out, invalid_address, hold, already_bought, never_after."""

    LENGTHS = ("for", "then")

    def allows(self, asked, at):
        asked.ledger.contact_class = asked.request.contact_class
        channel = self.words.channel(asked.request.channel)
        facts = [(one.at, one.is_own, one.raw) for one in asked.facts]
        offer = asked.offer if self.kind in ("already_bought", "never_after") else asked.offer[:1]
        return getattr(asked.ledger, self.kind)(self.rule, facts, channel, at, *offer)

    def boundaries(self, asked):
        lengths = [duration(self.rule[name]) for name in self.LENGTHS if self.rule.get(name)]
        lengths += [duration(one) for one in self.rule.get("for_category", {}).values()]
        times = {time for one in asked.facts for time in (one.at, one.raw["received_at"]) if time < FOREVER}
        return {time + length for time in times for length in [0, *lengths]}


# ------------------------------------------------------------------------------------------------------------ what was said


class Consent(Rule):
    """Purposes and topics, each with a basis."""

    BASES = {"consent": "opted in", "out": "opted in", "deny": "opted in", "interest": "not opted out", "in": "not opted out"}
    BASES |= {"allow": "not opted out", "contract": "anything"}

    def wanted(self, asked):
        """[(word, basis)] that the request is asked for."""
        request, found = asked.request, []
        unknown = self.rule.get("unknown", "deny")
        if "purposes" in self.rule and request.purpose:
            found.append((f"purpose:{request.purpose}", basis(self.rule["purposes"], request.purpose, unknown)))
        for tag in request.tags if "topics" in self.rule else ():
            if tag.startswith("topic:"):
                found.append((tag, basis(self.rule["topics"], tag.removeprefix("topic:"), unknown)))
        return found

    def said(self, asked, word):
        """(True, False or None, when, whether a newer yes is not confirmed)."""
        channel = self.words.channel(asked.request.channel)
        yes, no, unconfirmed = {}, {}, None
        for one in asked.facts:
            heard = {}
            for key, value in contact.consent_map(one.raw):
                about, _, where = fold(key).partition("@")
                if about == fold(word) and (not where or self.words.channel(where) == channel):
                    heard.setdefault(bool(where), set()).add(value)
            if not heard:
                continue
            key = max(heard)  # the word with a channel is the more specific one
            if False in heard[key]:
                no[key] = max(one.at, no.get(key, -FOREVER))
            elif not contact.may_opt_in(one.raw, one.is_own):
                continue
            elif asked.ledger.is_confirmed(one.raw, self.words.channel(one.raw["channel"])):
                yes[key] = max(min(one.at, one.raw["received_at"]), yes.get(key, -FOREVER))
            else:
                unconfirmed = max(one.at, unconfirmed or -FOREVER)
        # a yes to the word alone does not lift the no of its channel
        lifted = {key: max([yes[other] for other in yes if other >= key], default=-FOREVER) for key in no}
        left = [time for key, time in no.items() if lifted[key] <= time]
        if left:
            return False, max(left)
        if yes:
            return True, max(yes.values())
        return None, unconfirmed

    def allows(self, asked, at):
        return all(self.passes(asked, *one) for one in self.wanted(asked))

    def passes(self, asked, word, wanted):
        answer, _ = self.said(asked, word)
        return {"opted in": answer is True, "not opted out": answer is not False, "anything": True}[self.BASES[wanted]]

    def saw(self, asked):
        wanted = self.wanted(asked)
        if not wanted:
            return "no purpose or topic", ""
        word, base = next((one for one in wanted if not self.passes(asked, *one)), wanted[0])
        answer, time = self.said(asked, word)
        if answer is None:
            observed = f"opted in at {text_of(time)}, not confirmed" if time else "unknown"
        else:
            observed = f"opted {'in' if answer else 'out'} at {text_of(time)}"
        return f"{word} {observed}", self.BASES[base]


def basis(entries, name, unknown):
    return {fold(key): value for key, value in entries.items()}.get(fold(name), unknown)


def preferences(asked, name):
    """[(fact, value)] of what was said of one preference, in order."""
    for one in asked.facts:
        try:
            said = json.loads(one.raw.get("preferences_json") or "null")
        except ValueError:
            continue
        if isinstance(said, dict) and name in said and (said[name] is None or is_readable(name, said[name])):
            yield one, said[name]


def is_readable(name, value):
    """Of others nothing is kept."""
    if name == "time_zone":
        return value in ZONES
    if name == "channels":
        return are_channels(value)
    if not isinstance(value, dict) or not are_channels(value.get("channels", ["all"])):
        return False
    if name == "hours":
        return value.keys() == {"from", "to"} and all(is_hour(one) for one in value.values())
    if name == "limit":
        count, per = value.get("count"), parsed(duration, value.get("per"))
        is_count = isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= 1000
        return value.keys() - {"channels"} == {"count", "per"} and is_count and DAY <= (per or 0) <= 365 * DAY
    return name == "pause" and value.keys() - {"channels"} == {"until"} and parsed(instant, value["until"]) is not None


def are_channels(value):
    return isinstance(value, list) and 0 < len(value) <= 32 and all(isinstance(one, str) and one for one in value)


def is_hour(value):
    return isinstance(value, str) and re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value) is not None


def parsed(parse, value):
    try:
        return parse(value)
    except (ValueError, TypeError, AttributeError):
        return None


def newest_preference(asked, name):
    """The anchor's own."""
    return next((value for one, value in reversed(list(preferences(asked, name))) if one.is_own), None)


class Pause(Rule):
    """"Again in March." """

    def until(self, asked):
        """What others said in a copy shortens no pause that the customer asked for."""
        said, ends = {}, []
        for one, value in preferences(asked, "pause"):
            if value is not None:
                for channel in value.get("channels") or ["*"]:
                    said[self.words.channel(channel) or channel, one.is_own] = one.at, end_of(value["until"], asked.zones)
            elif contact.may_opt_in(one.raw, one.is_own):
                ends.append(min(one.at, one.raw["received_at"]))
        keys = {(channel, is_own) for channel in (self.words.channel(asked.request.channel), "*") for is_own in (True, False)}
        last = max(ends, default=-FOREVER)
        return max((said[key][1] for key in keys & said.keys() if said[key][0] >= last), default=-FOREVER)

    def allows(self, asked, at):
        return at >= self.until(asked)

    def boundaries(self, asked):
        return [self.until(asked)]

    def saw(self, asked):
        until = self.until(asked)
        return ("none" if until == -FOREVER else f"paused until {text_of(until)}"), "no pause"


def end_of(text, zones):
    """Of a date without a time 00:00 in the latest of the zones."""
    if "T" in text:
        return instant(text)
    midnight = datetime.date.fromisoformat(text)
    hours = Hours([])
    starts = [at_or_after(instant(text) - DAY, [zone], hours, lambda at, zone=zone: period(at, "day", zone) >= midnight) for zone in zones]
    return max(starts, default=instant(text))


class OwnLimit(Rule):
    """At most so many contacts as the customer said."""

    exempts = True

    def limit(self, asked):
        said = newest_preference(asked, "limit")
        if said is None:
            return None
        channels = {self.words.channel(name) or name for name in said.get("channels") or []}
        channel = self.words.channel(asked.request.channel)
        return None if channels and channel not in channels else (said["count"], duration(said["per"]), channels)

    def times(self, asked, channels):
        return sorted(
            one.at
            for one in asked.others
            if self.obeys(one.words["contact_class"])
            and self.counts(one.words["contact_class"])
            and (not channels or (self.words.channel(one.words["channel"]) or one.words["channel"]) in channels)
        )

    def most(self, asked, at):
        count, per, channels = self.limit(asked)
        times = self.times(asked, channels)
        starts = [start for start in [at, *times] if at - per < start <= at]
        return max(1 + sum(start <= time < start + per for time in times) for start in starts)

    def allows(self, asked, at):
        limit = self.limit(asked)
        return limit is None or self.most(asked, at) <= limit[0]

    def boundaries(self, asked):
        limit = self.limit(asked)
        if limit is None:
            return ()
        return {time + shift for time in self.times(asked, limit[2]) for shift in (-limit[1], 0, limit[1])}

    def saw(self, asked):
        limit = self.limit(asked)
        if limit is None:
            return "no limit", ""
        return f"{self.most(asked, asked.at)} with this one", f"{limit[0]} per {length_text(limit[1])}"


# ----------------------------------------------------------------------------------------------------- what contacts were made


class Apart(Rule):
    """No two contacts closer than `for`; with `from`: of these with those."""

    exempts = True
    LISTS = {"departments": "department", "purposes": "purpose", "campaigns": "campaign_id"}

    def is_of(self, lists, words, classless=False):
        return fits(lists, words, self.words, classless) and all(
            words[word] in lists[name] for name, word in self.LISTS.items() if name in lists
        )

    def is_for(self, asked):
        return any(self.is_of(lists, vars(asked.request)) for lists in self.sides())

    def sides(self):
        own = {name: self.rule[name] for name in ("channels", "classes", "tags", *self.LISTS) if name in self.rule}
        return [own, self.rule["from"]] if "from" in self.rule else [own]

    def near(self, asked):
        """[(first, end, time of the contact)]: the contact refuses every instant first <= t < end."""
        length, sides = duration(self.rule["for"]), self.sides()
        words = vars(asked.request)
        for side, lists in enumerate(sides):
            if not self.is_of(lists, words):
                continue
            for one in asked.others:
                if not self.counts(one.words["contact_class"]) or not self.is_of(sides[-1 - side], one.words, True):
                    continue
                if self.rule.get("order", "both") == "both":
                    yield one.at - length + 1, one.at + length, one.at
                elif side == 0:
                    yield one.at, one.at + length, one.at
                else:
                    yield one.at - length + 1, one.at + 1, one.at

    def allows(self, asked, at):
        return not any(first <= at < end for first, end, _ in asked.once((self, "near"), lambda: list(self.near(asked))))

    def boundaries(self, asked):
        return {time for first, end, _ in self.near(asked) for time in (first, end)}

    def saw(self, asked):
        times = [time for *_, time in self.near(asked)]
        nearest = min(times, key=lambda time: (abs(time - asked.at), time), default=None)
        observed = "none" if nearest is None else f"contact at {text_of(nearest)}"
        return observed, f"{length_text(duration(self.rule['for']))} apart"


class GoalMet(Rule):
    """Whoever did what a campaign wants gets no more of it."""

    def reached(self, asked):
        """[(contact, event, name)] of each contact that reached the goal."""
        of = self.rule.get("of", "campaign")
        mine = asked.request.campaign_id if of == "campaign" else asked.sequence and (asked.request.department, asked.sequence)
        within = duration(self.rule.get("within", "P30D"))
        for one in asked.others if mine else ():
            its = one.words["campaign_id"] if of == "campaign" else (one.words["department"], one.sequence)
            if its != mine or not one.is_made or not self.counts(one.words["contact_class"]):
                continue
            for fact in asked.facts:
                campaign = (fact.raw.get("campaign") or {}).get("id")
                if (
                    contact.may_opt_in(fact.raw, fact.is_own)  # the customer did it, and no program
                    and contact.is_trigger(self.rule, fact.raw)
                    and one.at < fact.at <= one.at + within
                    and campaign in (None, "", one.words["campaign_id"])
                ):
                    yield one.at, fact.at, contact.event_of(fact.raw)

    def allows(self, asked, at):
        return all(time > at for time, *_ in self.reached(asked))

    def boundaries(self, asked):
        return [time for time, *_ in self.reached(asked)]

    def saw(self, asked):
        first = min(((at, name) for _, at, name in self.reached(asked)), default=None)
        return (f"{first[1]} at {text_of(first[0])}" if first else "none"), "goal not reached"


class Capped(Rule):
    """Caps: of windows that roll, or by the calendar of the customer."""

    exempts = True

    def __init__(self, rule, policy, words):
        super().__init__(rule, policy, words)
        self.cap = Cap(rule, policy, words)

    def parts(self, asked):
        return asked.once((self, "parts"), lambda: self.cap.parts(asked.request, asked.contacts))

    def zones(self, asked):
        return ["UTC"] if self.rule.get("zone") == "UTC" else asked.zones

    def allows(self, asked, at):
        return self.most(asked, self.parts(asked), at) <= self.cap.limit(asked.request)

    def most(self, asked, parts, at):
        own = self.cap.key(asked.request.department, asked.sequence) or "own"
        ask = self.cap.most if "per" in self.rule else lambda *one: max(self.in_period(*one, zone) for zone in self.zones(asked))
        return max((ask(part, own, at) for part in parts), default=0)

    def in_period(self, part, own, at, zone):
        unit, starts = self.rule["calendar"], self.rule.get("week_starts", "monday")
        return len({own, *(key for time, key in part if period(time, unit, zone, starts) == period(at, unit, zone, starts))})

    def boundaries(self, asked):
        parts = self.parts(asked)
        if "per" in self.rule:
            return self.cap.boundaries(parts)
        last = max((time for part in parts for time, _ in part), default=asked.at)
        days = range(asked.at // DAY - 1, max(last, asked.at) // DAY + 34)
        return {time for zone in self.zones(asked) for time in Hours([]).instants(zone, days[0], days[-1])}

    def saw(self, asked):
        parts = self.parts(asked)
        if not parts:
            return ("no tag" if self.rule["by"] == "tag" else "no campaign"), self.cap.allowed(asked.request)
        return f"{self.most(asked, parts, asked.at)} with this one", self.cap.allowed(asked.request)


# ----------------------------------------------------------------------------------------------------------------- clocks


class QuietHours(Rule):
    is_clock = True

    def hours(self, asked):
        return asked.once((self, "hours"), lambda: self.windows(asked))

    def windows(self, asked):
        rule = self.rule
        windows = rule.get("windows") or ([{name: rule[name] for name in ("from", "to", "days") if name in rule}] if "from" in rule else [])
        dates = [date for name in rule.get("calendars", ()) for date in self.policy["calendars"][name]]
        return Hours(windows, rule.get("also", ()), dates)

    def is_for(self, asked):
        return super().is_for(asked) and self.is_there(asked)

    def is_there(self, asked):
        """Evidence names one of the countries or regions, or names nothing."""
        day = asked.request.at // DAY - 365
        countries, regions = asked.places.since(day, "country", "phone"), asked.places.since(day, "region")
        if "regions" in self.rule and regions:
            return not regions.isdisjoint(self.rule["regions"])
        return "countries" not in self.rule or not countries or not countries.isdisjoint(self.rule["countries"])

    def refuses(self, asked, at, zone):
        return self.hours(asked).holds(at, zone)

    def allows(self, asked, at):
        return not any(self.refuses(asked, at, zone) for zone in asked.zones)

    def is_worth(self, asked, at, least):
        """Allowed, and for at least so long."""
        return self.allows(asked, at) and (least == 0 or self.until(asked, at, least) is None)

    def next(self, asked):
        if not self.is_asked(asked):
            return asked.at
        return at_or_after(asked.at, asked.zones, self.hours(asked), lambda at: self.allows(asked, at))

    def until(self, asked, at, within=None):
        """The first later instant at which it refuses; None: none, or not before so long."""
        zones, hours = asked.zones, self.hours(asked)
        if within is None:
            return at_or_after(at, zones, hours, lambda time: time > at and not self.allows(asked, time))
        marks = {time for zone in zones for time in hours.instants(zone, at // DAY, (at + within) // DAY)}
        return next((time for time in sorted(marks) if at < time < at + within and not self.allows(asked, time)), None)

    def marks(self, asked, first, last):
        hours = self.hours(asked)
        return {time for zone in asked.zones for time in hours.instants(zone, first, last)}

    def saw(self, asked):
        zones = sorted(asked.zones)
        zone = next((one for one in zones if self.refuses(asked, asked.at, one)), zones[0])
        many = f", {len(zones)} zones" if len(zones) > 1 else ""
        return f"{reading_text(asked.at, zone)} in {zone}{many} ({asked.known_by})", "not " + ", ".join(self.hours(asked).texts)


class OwnHours(QuietHours):
    """Hours that the customer wants."""

    def wanted(self, asked):
        return newest_preference(asked, "hours")

    def windows(self, asked):
        return Hours([self.wanted(asked)])

    def is_for(self, asked):
        return Rule.is_for(self, asked) and self.wanted(asked) is not None

    def refuses(self, asked, at, zone):
        return not self.hours(asked).holds(at, zone)

    def saw(self, asked):
        return super().saw(asked)[0], self.hours(asked).texts[0]

    def texts(self, asked):
        return ("no hours", "") if Rule.is_for(self, asked) and self.wanted(asked) is None else super().texts(asked)


# --------------------------------------------------------------------------------------------------------------- holdout


def bucket(holdout, anchor):
    """anchor: 16 bytes."""
    return int.from_bytes(hashlib.blake2b(holdout.encode() + b"\0" + anchor, digest_size=8).digest(), "big") % 10_000


def is_control(holdout, anchor, percent):
    return bucket(holdout, anchor) < round(100 * percent)


@dataclasses.dataclass
class Arm:
    is_control: bool
    basis_points: int
    assigned_at: int
    request_id: bytes


class Holdout(Rule):
    """Some are not contacted, by lot. Asked when everything else grants; who has no arm then draws."""

    is_last = True

    def is_for(self, asked):
        campaigns = self.rule.get("campaigns")
        return (
            super().is_for(asked)
            and (campaigns is None or asked.request.campaign_id in campaigns)
            and contact.since(self.rule.get("from")) <= asked.request.at
        )

    def allows(self, asked, at):
        if not any(holdout == self.name for holdout, _ in asked.drawn):
            arm = Arm(is_control(self.name, asked.anchor, self.rule["percent"]), round(100 * self.rule["percent"]), asked.request.at, asked.request.event_id)
            asked.drawn[self.name, asked.anchor] = arm
        return not any(arm.is_control for (holdout, _), arm in asked.drawn.items() if holdout == self.name)

    def saw(self, asked):
        return "treated" if self.allows(asked, asked.at) else "control", "treated"


KINDS = {
    **dict.fromkeys(("opt_out", "invalid_address", "hold", "already_bought", "never_after"), Told),
    "consent": Consent,
    "pause": Pause,
    "own_limit": OwnLimit,
    "apart": Apart,
    "goal_met": GoalMet,
    "cap": Capped,
    "quiet_hours": QuietHours,
    "own_hours": OwnHours,
    "holdout": Holdout,
}
