"""One touchpoint as the figures see it: event, direction, kind, conversion, credit, each from the raw record alone."""

import fractions
import hashlib
import math
import re
import string
import struct
import zoneinfo

from identity import ASCII_SPACE
from letters import ASCII_LOWER
from order_lines import lines_of
from origins import glob
from policy import DAY, ZONES
from traits import said

ASCII_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}  # worst and best raw answer
NO_DIRECTION = {"identify", "alias", "group", "merge"}
OUTBOUND, NO_TOUCH, INBOUND, CONVERSION, RETURN = range(5)


def event_id(source, message_id):
    source, message_id = source.encode(), message_id.encode()
    text = struct.pack(">I", len(source)) + source + struct.pack(">I", len(message_id)) + message_id
    return hashlib.blake2b(text, digest_size=16).digest()


def text(value):
    """An empty text counts as absent."""
    return value or None


def currency_of(value):
    """Three letters in upper case; any other text names no currency."""
    code = (value or "").strip(ASCII_SPACE).translate(ASCII_UPPER)
    return code if re.fullmatch("[A-Z]{3}", code) else None


def score_of(raw):
    """From -100 to 100: as sent, or a raw answer on its scale."""
    if raw.get("score_raw") is None:
        return raw.get("score")
    if raw.get("score_kind") not in SCALES:
        return None
    worst, best = SCALES[raw["score_kind"]]
    return round(fractions.Fraction(200 * (raw["score_raw"] - worst), best - worst)) - 100


def is_score_refused(raw):
    """A score outside its range, or a raw one outside its scale."""
    worst, best = SCALES.get(raw.get("score_kind"), (-math.inf, math.inf))
    return not -100 <= (raw.get("score") or 0) <= 100 or (raw.get("score_raw") is not None and not worst <= raw["score_raw"] <= best)


def uuid_of(text):
    """The id that a text names, None if it names none."""
    form = r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    return bytes.fromhex(text.replace("-", "")) if text and re.fullmatch(form, text) else None


class Touchpoint:
    """A distinct, identified touchpoint."""

    __slots__ = (
        "event_id",
        "anchor",
        "occurred_at",
        "event",
        "type",
        "channel",
        "direction",
        "is_bot",
        "is_touch",
        "network",
        "touch_kind",
        "source",
        "message_id",
        "received_at",
        "department",
        "purpose",
        "contact_class",
        "campaign_id",
        "campaign_name",
        "click_id",
        "content_id",
        "product_id",
        "product_category",
        "location_id",
        "agent_id",
        "order_id",
        "decision_id",
        "case_id",
        "opportunity_id",
        "device_type",
        "country",
        "zone",
        "person_zone",
        "score",
        "score_kind",
        "value",
        "margin",
        "cost",
        "currency",
        "categories",
        "lines",
        "traits",
        "segments",
        "rules",
        "goal_id",
        "decision",
        "is_order_event",
        "is_order_name",
        "is_elsewhere",
        "telling",
        "is_return",
        "taking",
        "conversion",
        "is_creditable",
        "session_number",
        "stage_before",
    )

    def __init__(self, raw, anchor, policies):
        campaign, device = raw.get("campaign") or {}, raw.get("device") or {}
        self.anchor = anchor
        self.source, self.message_id = raw["source"], raw["message_id"]
        self.event_id = event_id(self.source, self.message_id)
        self.occurred_at, self.received_at = raw["occurred_at"], raw.get("received_at")
        self.type, self.channel = raw["type"], raw["channel"]
        self.event = raw.get("event_name") or raw["type"]
        for name in (
            "department",
            "purpose",
            "content_id",
            "product_id",
            "product_category",
            "location_id",
            "agent_id",
            "order_id",
            "decision_id",
            "case_id",
            "score_kind",
        ):
            setattr(self, name, text(raw.get(name)))
        self.currency = currency_of(raw.get("currency"))
        self.campaign_id, self.campaign_name = text(campaign.get("id")), text(campaign.get("name"))
        self.click_id = text(campaign.get("click_id"))
        self.contact_class = text((raw.get("contact") or {}).get("class"))
        self.device_type, self.country = text(device.get("type")), text((raw.get("geo") or {}).get("country"))
        self.score = score_of(raw)
        self.value, self.margin, self.cost = (
            raw.get(name) for name in ("value_micros", "margin_micros", "cost_micros")
        )
        self.decision, self.opportunity_id = uuid_of(raw.get("decision_id")), uuid_of(raw.get("opportunity_id"))
        self.is_bot = bool(raw.get("is_bot"))
        self.zone = zoneinfo.ZoneInfo(raw["timezone"]) if raw.get("timezone") in ZONES else None
        self.person_zone = None
        self.lines = lines_of(raw.get("items_json")) if self.order_id or self.value is not None else []
        named = [self.product_category, *(line.category for line in self.lines)]
        self.categories = [category for category in named if category]
        self.traits = said(raw.get("traits_json")) if policies.traits else {}
        self.segments = ()  # those before it
        self.set_direction(raw.get("direction"), policies)
        self.set_kind(raw, campaign, policies.origins)
        self.set_conversion(policies, campaign)
        self.session_number = self.stage_before = None
        self.is_elsewhere = False  # it is a sale that another profile owns
        self.telling = self.taking = self.conversion = None

    @property
    def rank(self):
        """The place within an instant, among touchpoints of other ranks."""
        if self.is_return:
            return RETURN
        if self.goal_id is not None:
            return CONVERSION
        return {"outbound": OUTBOUND, "inbound": INBOUND}[self.direction] if self.is_touch else NO_TOUCH

    @property
    def order(self):
        return (self.occurred_at, self.rank, self.event_id, self.short_anchor)

    @property
    def short_anchor(self):
        """The first 8 bytes of the anchor as a signed number; 0 without one."""
        return struct.unpack(">q", self.anchor[:8])[0] if self.anchor else 0

    @property
    def message(self):
        return (self.event_id, self.occurred_at)

    @property
    def key(self):
        return (self.anchor, self.occurred_at, self.event_id)

    def set_direction(self, sent, policies):
        """The direction, and whether the touchpoint is a touch: a bot's visit has a direction and is none."""
        is_order_event = self.event in policies.order_events and sent != "outbound"
        self.is_order_name = is_order_event
        self.is_return = self.event in policies.returns["events"] or (is_order_event and (self.value or 0) < 0)
        if is_order_event or self.is_return:
            self.direction = "inbound"
        elif self.event in policies.no_touch or sent == "none":
            self.direction = None
        elif sent in ("inbound", "outbound"):
            self.direction = sent
        elif self.type in NO_DIRECTION:
            self.direction = None
        elif self.event == "Campaign Sent" or self.event.startswith("Contact "):
            self.direction = "outbound"
        else:
            self.direction = "inbound"
        is_sale = is_order_event or self.is_return
        self.is_touch = is_sale or self.direction == "outbound" or (self.direction == "inbound" and not self.is_bot)

    def set_kind(self, raw, campaign, origins):
        self.network = text(campaign.get("click_network"))
        self.touch_kind = f"{self.channel}:{self.event}"
        found = origins.of((raw.get("page") or {}).get("referrer"), campaign) if self.direction == "inbound" else None
        if found:
            self.network, self.touch_kind = found[1], ":".join(found)

    def set_conversion(self, policies, campaign):
        is_order_event = self.direction == "inbound" and not self.is_return
        rules = [rule for rule in policies.conversions if is_order_event and rule["event"] == self.event]
        self.is_order_event = bool(rules)
        self.rules = [rule for rule in rules if rule.get("value") == "any" or (self.value or 0) > 0]
        self.goal_id = self.rules[0]["goal"] if self.rules else None
        if not self.is_touch or self.is_return or self.event in policies.conversion_events:
            self.is_creditable = False
        elif policies.creditable is not None:
            self.is_creditable = self.event in policies.creditable or (
                self.direction == "inbound" and any(visit_fits(rule, campaign) for rule in policies.creditable_visits)
            )
        else:
            self.is_creditable = bool(self.campaign_id or (self.direction == "inbound" and self.click_id))

    @property
    def is_negative_order(self):
        """A return that is told as an order with a negative value."""
        return self.is_return and self.is_order_name

    @property
    def is_goal(self):
        """It has a row in fct_conversions, for the profile."""
        return self.conversion is not None

    @property
    def is_order(self):
        """It tells an order of the profile."""
        return self.is_order_event and not self.is_elsewhere

    @property
    def is_again(self):
        """It is a sale that counts elsewhere, or an order that was told before."""
        return self.is_elsewhere or (self.telling is not None and not self.telling.is_first)

    @property
    def is_send(self):
        return self.is_creditable and self.direction == "outbound" and self.event in ("Contact Sent", "Campaign Sent")

    @property
    def is_late(self):
        return self.received_at is not None and self.received_at - self.occurred_at > DAY


def visit_fits(rule, campaign):
    """Whether a visit of such a campaign is in the list `creditable`: all that the rule names must hold."""
    facts = {"utm_medium": campaign.get("medium"), "utm_source": campaign.get("source"), "click_network": campaign.get("click_network")}
    if rule.get("click_id") and not text(campaign.get("click_id")):
        return False
    return all(
        glob(rule[name].translate(ASCII_LOWER), (value or "").translate(ASCII_LOWER)) for name, value in facts.items() if name in rule
    )


def products(raw):
    """[(product, category)] of the touchpoint and of the lines of its order."""
    named = [(raw.get("product_id"), raw.get("product_category"))]
    named += [(line.product, line.category) for line in lines_of(raw.get("items_json"))]
    return [pair for pair in named if any(pair)]
