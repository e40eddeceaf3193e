"""May we? Opt-outs, holds and failed addresses of a customer, computed plainly from all touchpoints.

Written from the semantics: an opt-out or a hold is a fact of every identifier of its touchpoint, an opt-in, a failed address and
a purchase of its anchor alone; what holds for a customer follows from the facts of its identifiers, in event time.
An address has a word of its own: what anybody said against it binds every request that relies on it.
"""

import dataclasses

from policy import duration, instant
from touchpoint import products
from words import Words, fold

FOREVER = 1 << 62
CONTACTS = {"Contact Requested", "Contact Sent", "Contact Delivered", "Contact Failed", "Contact Cancelled"}
IDENTITY = {"identify", "alias", "group", "merge"}
OF_PRODUCTS = ("already_bought", "never_after")
REASONS = ("opt_out", "invalid_address", "hold", "already_bought", "never_after")


@dataclasses.dataclass
class Heard:
    """A fact of a customer; is_own: its anchor is theirs."""

    at: int
    event_id: bytes
    is_own: bool
    raw: dict


class Ledger:
    """Everything that was said. policy: contact.json as it is written; other kinds are in contact_kinds.py."""

    contact_class = "marketing"

    def __init__(self, policy):
        self.rules = [rule for rule in policy["rules"] if rule["kind"] in REASONS]
        self.words = Words(policy)
        self.consent = {self.words.channel(name) or name: entry for name, entry in policy.get("consent", {}).items()}
        self.preference_center = policy.get("preference_center", [])
        self.said = {}  # (occurred_at, event_id) -> (anchor, all identifiers, record)
        self.reaches = {}  # identifier -> the channels that it is an address of
        self.received = {}  # (occurred_at, event_id) -> the earliest time at which one of its copies came in

    def add(self, raw, event_id, found, anchor, recorded_at=FOREVER, reaches=()):
        """found: the identifiers of the touchpoint; recorded_at: when its record came in; reaches: which channels each is an
        address of. A test touchpoint, or one that names no one, says nothing."""
        self.reaches |= dict(reaches)
        if found and not raw.get("is_test"):
            key = (raw["occurred_at"], event_id)
            self.said.setdefault(key, (anchor, set(found), raw))
            self.received[key] = min(self.received.get(key, FOREVER), raw.get("received_at") or FOREVER, recorded_at)

    def of(self, members):
        """What concerns the customer with these identifiers, in order: (occurred_at, whether the anchor is theirs, record)."""
        return self.facts(members, lambda anchor, found, at, raw: not found.isdisjoint(members))

    def heard(self, members):
        """The same, as facts."""
        for key, (anchor, found, raw) in sorted(self.said.items(), key=lambda entry: entry[0]):
            if not found.isdisjoint(members):
                yield Heard(*key, anchor in members, {**raw, "received_at": self.received[key]})

    def facts(self, members, wanted):
        for key, (anchor, found, raw) in sorted(self.said.items(), key=lambda entry: entry[0]):
            if wanted(anchor, found, key[0], raw):
                yield key[0], anchor in members, {**raw, "received_at": self.received[key]}

    def is_address(self, one, channel):
        return channel in self.reaches.get(one, ())

    def known(self, members, channel):
        """{address: when the customer was first seen with it}, of the channel."""
        known = {}
        for (at, _), (anchor, found, raw) in self.said.items():
            for one in found if anchor in members and is_of_customer(raw) else ():
                if self.is_address(one, channel):
                    known[one] = min(at, known.get(one, FOREVER))
        return known

    def ask_about(self, members, channel, named):
        self.customer = frozenset(members)
        self.named = {one for one in named if self.is_address(one, channel)}

    @staticmethod
    def counts_from(at, raw, frees):
        """The time of a fact. One that frees counts from when it was received, if that is earlier."""
        return min(at, raw["received_at"]) if frees else at

    def answer(self, members, channel, at, product=None, category=None, named=()):
        """The reason of a denial, or "grant": of a marketing contact at that time, asked when everything is known. named: what the
        request names."""
        channel = self.words.channel(channel)
        if channel is None:
            return "unknown_channel"
        facts = list(self.of(members))
        self.ask_about(members, channel, named)
        for rule in self.rules:
            judge = getattr(self, rule["kind"])
            offer = (product, category) if rule["kind"] in OF_PRODUCTS else (product,)
            if not judge(rule, facts, channel, at, *offer):
                return rule["kind"]
        return "grant"

    # ------------------------------------------------------------------------------- True: the rule lets it pass

    def opt_out(self, _, facts, channel, at, product):
        if self.left_class(facts, self.contact_class) or any(self.has_left(one, channel) for one in self.named or self.seen_with(channel)):
            return False
        said = [(self.counts_from(time, raw, word), raw, key, word)
                for time, is_own, raw in facts for key, word in [self.channel_word(raw, is_own, channel)]]  # fmt: skip
        if self.holds_a_no(said, channel):
            return False
        if newest(said, channel, True) is not None or newest(said, "all", True) is not None:
            return True
        unknown = self.consent.get(channel, self.consent.get("*", {})).get("on_unknown", "deny")
        return unknown == "allow"

    def holds_a_no(self, said, channel):
        no, yes = newest(said, channel, False), newest(said, channel, True)
        no_all, yes_all = newest(said, "all", False), newest(said, "all", True)
        centre = newest([one for one in said if self.is_centre(one[1])], "all", True)
        if no is not None and max(later(yes, no), later(centre, no)) is False:
            return True
        return no_all is not None and max(later(yes, no_all), later(yes_all, no_all)) is False

    def seen_with(self, channel):
        return set(self.known(self.customer, channel))

    def has_left(self, address, channel):
        """True if the address said no: by anybody's touchpoint that names it, against the yes of the customer's own; those must name
        it, too, if the request does."""
        facts = self.facts(self.customer, lambda anchor, found, at, raw:
                           address in found or (not self.named and anchor in self.customer))  # fmt: skip
        said = [(self.counts_from(time, raw, word), raw, key, word)
                for time, is_own, raw in facts for key, word in [self.channel_word(raw, is_own, channel)]]  # fmt: skip
        return self.holds_a_no(said, channel)

    def left_class(self, facts, kind):
        """True if the customer said no to this class of contacts, and that holds."""
        no = yes = None
        for time, is_own, raw in facts:
            values = {value for word, value in consent_map(raw) if ("class", kind) in self.words.meanings(word)}
            alls = self.all_words(raw)
            lifts = values == {True} or (not values and alls == {True} and self.is_centre(raw))
            lifts = lifts and self.is_confirmed(raw, self.words.channel(raw["channel"]))
            if False in values:
                no = time
            elif lifts and may_opt_in(raw, is_own):
                yes = max(yes or 0, self.counts_from(time, raw, True))
        return no is not None and not later(yes, no)

    def channel_word(self, raw, is_own, channel):
        """(channel or "all", value) of what one touchpoint says that concerns the channel; (None, None): nothing."""
        own = {value for word, value in consent_map(raw) if ("channel", channel) in self.words.meanings(word)}
        alls = self.all_words(raw)
        if not is_said(raw) or (is_own and not self.is_confirmed(raw, channel)):
            own, alls = own - {True}, alls - {True}  # a yes that does not count excepts nothing
        if not own and ("channel", channel) in self.left_by_event(raw):
            own = {False}
        about, values = (channel, own) if own else ("all", alls)
        if not values:
            return None, None
        if values == {True} and not may_opt_in(raw, is_own):
            return None, None
        return about, False not in values

    def is_confirmed(self, raw, channel):
        """Whether a yes is taken for one: to a channel by its entry of the policy, to others by that of where it was said."""
        entry = self.consent.get(channel, self.consent.get("*", {}))
        wanted = entry.get("confirmed_by")
        if wanted is None or raw["occurred_at"] < since(entry.get("since")):
            return True
        wanted = {"events": wanted} if isinstance(wanted, list) else wanted
        channels = {self.words.channel(name) for name in wanted.get("channels", [])}
        return (
            raw.get("source") in wanted.get("sources", [raw.get("source")])
            and event_of(raw) in wanted.get("events", [event_of(raw)])
            and (not channels or self.words.channel(raw["channel"]) in channels)
        )

    def all_words(self, raw):
        said = {value for word, value in consent_map(raw) if "all" in self.words.meanings(word)}
        return said | ({False} if "all" in self.left_by_event(raw) else set())

    def left_by_event(self, raw):
        if event_of(raw) != "Unsubscribed" or is_of_a_topic(raw):
            return set()
        return self.words.unsubscribed(raw["channel"])

    def is_centre(self, raw):
        return event_of(raw) in self.preference_center

    def hold(self, rule, facts, channel, at, product):
        releases = [(self.counts_from(time, raw, True), raw) for time, _, raw in facts if event_of(raw) in rule.get("release", ())]
        then = duration(rule.get("then", "PT0S"))
        for since, _, raw in facts:
            if is_trigger(rule, raw):
                ended = [time + then for time, end in releases if is_after(since, raw, time, end) and is_about(rule, raw, end)]
                if min([since + lasts(rule), *ended]) > at:
                    return False
        return True

    def invalid_address(self, rule, facts, channel, at, product):
        known = self.known(self.customer, channel)
        failed = [self.failed(rule, channel, one, known.get(one, FOREVER), len(self.named or known) == 1, at) for one in self.named or known]
        return not all(failed) if failed else not self.failed(rule, channel, None, 0, True, at)

    def failed(self, rule, channel, address, since, is_only, at):
        """True if the address (None: whatever the customer is reached by) has failed, and still does."""

        def is_about(anchor, found, time, raw):
            if (self.words.channel(raw["channel"]) or raw["channel"]) != channel:
                about = self.words.reported(raw["channel"], event_of(raw))
                if about is None and address not in found:
                    return False
                if about not in (None, channel):
                    return False
            if anchor not in self.customer:
                return address in found and event_of(raw) not in CONTACTS | {"Campaign Sent"}
            return address is None or address in found or (is_vague(found) and since <= time)

        def is_vague(found):
            return not any(self.is_address(one, channel) for one in found)

        last, count, was_vague = None, 0, False
        about = [(self.counts_from(time, {"received_at": self.received[time, event]}, not is_trigger(rule, raw)), found, raw)
                 for (time, event), (anchor, found, raw) in sorted(self.said.items(), key=lambda entry: entry[0])
                 if is_about(anchor, found, time, raw)]  # fmt: skip
        # of one instant a failure counts more
        for time, found, raw in sorted(about, key=lambda fact: (fact[0], is_trigger(rule, fact[2]))):
            if is_trigger(rule, raw):
                last, count, was_vague = time, count + 1, is_vague(found)
            elif event_of(raw) in rule.get("until", ()) and (is_only or address is None or was_vague or not is_vague(found)):
                last, count = None, 0
        return count >= rule.get("nth", 1) and last + lasts(rule) > at

    def already_bought(self, rule, facts, channel, at, product, category=None):
        own = [(time, raw) for time, is_own, raw in facts if is_own]
        returns = [(self.counts_from(time, raw, True), raw) for time, raw in own if is_given_back(rule, raw)]
        for since, raw in own:
            if not is_trigger(rule, raw) or is_given_back(rule, raw):
                continue
            given_back = [end for time, end in returns if is_after(since, raw, time, end)]
            for item in products(raw):
                if (
                    is_offered(rule, product, category, item)
                    and not any(takes_back(end, raw, item) for end in given_back)
                    and since + life(rule, item[1]) > at
                ):
                    return False
        return True

    def never_after(self, rule, facts, channel, at, product, category=None):
        """match any: whatever it is about."""
        if rule.get("match", "any") != "any":
            return self.already_bought(rule, facts, channel, at, product, category)
        own = [(time, raw) for time, is_own, raw in facts if is_own]
        ends = [(self.counts_from(time, raw, True), raw) for time, raw in own if event_of(raw) in rule.get("until", ())]
        open_since = [since for since, raw in own
                      if is_trigger(rule, raw) and not any(is_after(since, raw, time, end) for time, end in ends)]  # fmt: skip
        return all(since + lasts(rule) <= at for since in open_since)


def is_given_back(rule, raw):
    """An event of `until`, or one of `on` with a negative value."""
    return event_of(raw) in rule.get("until", ()) or ((raw.get("value_micros") or 0) < 0 and is_trigger(rule, raw))


def is_after(since, start, time, end):
    """An end ends what began before; at the same time only if it names the same case or order."""
    same = any(start.get(name) and start.get(name) == end.get(name) for name in ("case_id", "order_id"))
    return time > since or (time == since and same)


def is_about(rule, start, end):
    """By the ids that the rule names: one in common and none that differs, or none at all."""
    by = rule.get("by", [])
    pairs = [(start.get(name), end.get(name)) for name in ([by] if isinstance(by, str) else by)]
    if any(a and b and a != b for a, b in pairs):
        return False
    return any(a and a == b for a, b in pairs) or not any(a or b for a, b in pairs)


def covers(category, other):
    return bool(category) and bool(other) and (other == category or other.startswith(category + "/"))


def is_offered(rule, product, category, item):
    match = rule.get("match", "any")
    by_product = match != "category" and product and product == item[0]
    return bool(by_product or (match != "product" and covers(category, item[1])))


def takes_back(end, purchase, item):
    named = products(end)
    if not named:
        return bool(end.get("order_id")) and end.get("order_id") == purchase.get("order_id")
    return any(given[0] == item[0] if given[0] and item[0] else covers(given[1], item[1]) for given in named)


def life(rule, category):
    paths = [path for path in rule.get("for_category", {}) if covers(path, category)]
    return duration(rule["for_category"][max(paths, key=len)]) if paths else lasts(rule)


def since(text):
    return -FOREVER if text is None else instant(text if "T" in text else text + "T00:00:00Z")


def event_of(raw):
    return raw.get("event_name") or raw["type"]


def lasts(rule):
    return duration(rule["for"]) if rule.get("for") else FOREVER


def is_trigger(rule, raw):
    return any(is_cause({"event": cause} if isinstance(cause, str) else cause, raw) for cause in rule["on"])


def is_cause(cause, raw):
    if "event" in cause and cause["event"] != event_of(raw):
        return False
    score = raw.get("score")
    return "score_max" not in cause or (score is not None and score <= cause["score_max"])


def consent_map(raw):
    return (raw.get("consent") or {}).items()


def is_of_a_topic(raw):
    return any(value is False and len(fold(word)) > len(start) and fold(word).startswith(start)
               for word, value in consent_map(raw) for start in ("topic:", "purpose:"))  # fmt: skip


def may_opt_in(raw, is_own):
    """Only the customer does, for himself: no copy."""
    return is_own and is_said(raw)


def is_said(raw):
    """By a person: a program says no yes."""
    return is_of_customer(raw) and not raw.get("is_bot")


def is_of_customer(raw):
    """Not what the company sent or asked."""
    name, direction = event_of(raw), raw.get("direction")
    if name == "Campaign Sent" or name in CONTACTS:
        return False
    if direction in ("inbound", "outbound"):
        return direction == "inbound"
    return raw["type"] in IDENTITY or not name.startswith("Contact ")


def newest(said, about, value):
    return max((time for time, _, key, word in said if key == about and word is value), default=None)


def later(yes, no):
    return yes is not None and yes > no
