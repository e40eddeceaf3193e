"""May we? Opt-outs, holds and failed addresses of a customer, computed plainly from all touchpoints.

Written from the semantics: an opt-out or a hold is a fact of every identifier of its touchpoint, an opt-in, a failed address and
a purchase of its anchor alone; what holds for a customer follows from the facts of its identifiers, in event time.
"""

from policy import duration

FOREVER = 1 << 62
REASONS = ("opt_out", "invalid_address", "hold", "already_bought")


class Ledger:
    """Everything that was said. policy: contact.json as it is written; caps are left out."""

    def __init__(self, policy):
        self.rules = [rule for rule in policy["rules"] if rule["kind"] in REASONS]
        self.consent = policy.get("consent", {})
        self.said = {}  # (occurred_at, event_id) -> (anchor, all identifiers, record)

    def add(self, raw, event_id, found, anchor):
        """found: the identifiers of the touchpoint. A test touchpoint, or one that names no one, says nothing."""
        if found and not raw.get("is_test"):
            self.said.setdefault((raw["occurred_at"], event_id), (anchor, set(found), raw))

    def of(self, members):
        """What concerns the customer with these identifiers, in order: (occurred_at, whether the anchor is theirs, record)."""
        for (at, _), (anchor, found, raw) in sorted(self.said.items(), key=lambda entry: entry[0]):
            if not found.isdisjoint(members):
                yield at, anchor in members, raw

    def answer(self, members, channel, at, product=None):
        """The reason of a denial, or "grant": of a contact at that time, asked when everything is known."""
        facts = list(self.of(members))
        for rule in self.rules:
            judge = getattr(self, rule["kind"])
            if not judge(rule, facts, channel, at, product):
                return rule["kind"]
        return "grant"

    # ------------------------------------------------------------------------------- True: the rule lets it pass

    def opt_out(self, _, facts, channel, at, product):
        for _, is_own, raw in reversed(facts):
            word = consent_of(raw, channel)
            if word is False or (word and is_own):
                return word
        unknown = self.consent.get(channel, self.consent.get("*", {})).get("on_unknown", "deny")
        return unknown == "allow"

    def hold(self, rule, facts, channel, at, product):
        ends = -1
        for time, _, raw in facts:
            end = time + lasts(rule)
            if is_trigger(rule, raw) and end >= ends:
                ends = end
            elif event_of(raw) in rule.get("release", ()):
                ends = min(ends, time + duration(rule.get("then", "PT0S")))
        return ends <= at

    def invalid_address(self, rule, facts, channel, at, product):
        since = None
        for time, is_own, raw in facts:
            if not is_own or raw["channel"] != channel:
                continue
            if is_trigger(rule, raw):
                since = time
            elif event_of(raw) in rule.get("until", ()):
                since = None
        return since is None or since + lasts(rule) <= at

    def already_bought(self, rule, facts, channel, at, product):
        bought = None
        for time, is_own, raw in facts:
            if not is_own or product is None or raw.get("product_id") != product:
                continue
            if is_trigger(rule, raw):
                bought = time
            elif event_of(raw) in rule.get("until", ()):
                bought = None
        return bought is None or bought + lasts(rule) <= at


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


def consent_of(raw, channel):
    """What a touchpoint says of a channel: True in, False out, None nothing; the channel's own word before that for all."""
    consent = raw.get("consent")
    if consent is None:
        consent = {raw["channel"]: False} if event_of(raw) == "Unsubscribed" else {}
    return consent.get(channel, consent.get("all"))
