"""Random journeys full of what people disagree about: equal instants, retold messages, bots, sales of strangers, returns.

Each kind of trouble stands alone or together with others: a test names the kinds, and gets touchpoints and policies for them.
"""

import copy
import json
import pathlib
import random

from policy import DAY, US, instant

KINDS = ("ties", "messages", "delivery", "strangers", "orders", "returns", "statuses")
ROOT = pathlib.Path(__file__).resolve().parents[2]
START, DAYS, PEOPLE = instant("2024-02-20T00:00:00Z"), 45, 7
# Midnights of these zones, in winter and in summer; their clocks change within these days, but those of Apia.
ZONES = {"messages": "America/New_York", "returns": "Europe/Berlin", "statuses": "Pacific/Apia", "orders": "America/New_York"}
MIDNIGHTS = [*(hour * US * 3600 for hour in (4, 5, 11, 22, 23)), 5 * US * 3600 - 1]

PLAIN = ("Product Viewed", "Product Viewed", "Campaign Sent", "Campaign Sent", "Contact Sent", "Account Created", "Ad Clicked")
SALES = (*["Order Completed"] * 8, "Subscription Started", "Donated")
DELIVERY = ("Contact Failed", "Contact Failed", "Contact Delivered", "Email Bounced", "Unsubscribed", "Bot Clicked", "Shrugged")
RETURNS = ("Order Returned", "Order Refunded", "Order Returned", "Negative Order")


def random_sales(seed, count, kinds=KINDS):
    """Touchpoints, in no order. A message that is told again under the same strongest identifier is told in the same words."""
    chance, found = random.Random(f"{seed} {sorted(kinds)}"), []
    more = random.Random(f"{seed} {sorted(kinds)} more")
    for number in range(count):
        event = touchpoint(chance, number, kinds)
        told = {}  # by the strongest identifier
        for _ in range(1 + ("messages" in kinds and chance.random() < 0.3) + ("messages" in kinds and chance.random() < 0.1)):
            who = identifiers(chance, event["person"], kinds)
            words = told.setdefault(json.dumps(strongest(who)), say_more(more, enriched(chance, event) if told else event))
            found.append({key: value for key, value in {**words, **who}.items() if key != "person"})
    chance.shuffle(found)
    return found


def zone_of(kinds):
    return next((zone for kind, zone in ZONES.items() if kind in kinds), "UTC")


def ties_of(kinds):
    return [0, 0, 0, *MIDNIGHTS] if zone_of(kinds) != "UTC" else [0, 0, 0, 1, 3600 * US]


def touchpoint(chance, number, kinds):
    what = chance.choice(PLAIN + SALES + (DELIVERY if "delivery" in kinds else ()) + (RETURNS * 2 if "returns" in kinds else ()))
    time = START + chance.randrange(DAYS) * DAY + (chance.choice(ties_of(kinds)) if "ties" in kinds else number * US)
    event = {
        "person": chance.randrange(PEOPLE),
        "message_id": f"m{number}",
        "source": f"urn:{chance.choice('abc')}",
        "type": "track",
        "channel": chance.choice(["web", "pos", "email"]),
        "occurred_at": time,
        "event_name": what,
    }
    if "messages" in kinds and number % 5 == 0:
        event["timezone"] = ["Asia/Kolkata", "US/Eastern", "Europe/Berlin", "berlin", ""][number // 5 % 5]
    if chance.random() < 0.6:
        event["department"] = chance.choice(["stores", "marketing"])
    if what in ("Campaign Sent", "Contact Sent", "Contact Failed", "Ad Clicked", "Bot Clicked"):
        event["campaign"] = {"id": chance.choice("xyz")}
        if "Contact" in what and chance.random() < 0.3:
            event["decision_id"] = f"d{chance.randrange(20)}"
    if what in SALES + RETURNS:
        add_money(chance, event, kinds)
    if what in DELIVERY or what in SALES + RETURNS and "delivery" in kinds and chance.random() < 0.15:
        add_flags(chance, event)
    event["event_name"] = {"Negative Order": "Order Completed", "Bot Clicked": "Ad Clicked", "Shrugged": "Product Viewed"}.get(what, what)
    return event


def add_money(chance, event, kinds):
    what, value = event["event_name"], chance.choice([0, 1, 10, 10, 30, 1_000_003, 2_500_000])
    if what in RETURNS:
        value = -value if what == "Negative Order" else value * chance.choice([1, -1])
    if chance.random() < 0.85:
        event["value_micros"] = value
    if chance.random() < 0.5:
        event["margin_micros"] = chance.randrange(-3, 8)
    if chance.random() < 0.9:
        event["currency"] = chance.choice(["USD", "USD", "USD", "EUR", "usd"])
    if ("orders" in kinds or "returns" in kinds) and chance.random() < 0.8:
        event["order_id"] = f"o{event['person']}-{chance.randrange(4)}"


def add_flags(chance, event):
    if event["event_name"] == "Bot Clicked" or chance.random() < 0.3:
        event["is_bot"] = True
    if event["event_name"] == "Shrugged":
        event["direction"] = "none"
    elif chance.random() < 0.3:
        event["direction"] = chance.choice(["none", "inbound", "outbound", "sideways"])


def identifiers(chance, person, kinds):
    cookie = {"anonymous_id": f"c{person}-{chance.randrange(3)}"}
    choices = [{"user_id": f"u{person}"}, {"user_id": f"u{person}"}, {"user_id": f"u{person}", **cookie}, cookie]
    if "strangers" in kinds:
        card = {"identifiers": [{"type": "loyalty_id", "value": f"card{person % 3}"}]}
        choices += [{}, {"user_id": "guest"}, card, {"user_id": f"u{person}", **card}]
    if "messages" in kinds:
        choices.append({"user_id": f"u{chance.randrange(PEOPLE)}"})
    return chance.choice(choices)


def strongest(who):
    if who.get("user_id", "guest") != "guest":
        return who["user_id"]
    return who.get("identifiers") or who.get("anonymous_id")


def say_more(chance, event):
    """What the customer is like, what the touch cost, how it was liked."""
    found = dict(event)
    if chance.random() < 0.3:
        traits = {"city": ["Bonn", " Köln ", "", None, 7], "children": [0, 1, 2, -2.5, "1", None], "born": ["2000-02-29", "2001-02-29"]}
        traits |= {"member": [True, False, None], "shoe_size": [42]}
        found["traits_json"] = json.dumps({name: chance.choice(values) for name, values in traits.items() if chance.random() < 0.5})
    if chance.random() < 0.3:
        found["cost_micros"] = chance.choice([0, 3, 1_000_000])
    if chance.random() < 0.2:
        found |= {"score": chance.choice([-100, -35, 5, 80]), "score_kind": chance.choice(["nps", "csat"])}
    if chance.random() < 0.3:
        found["device"] = {"type": chance.choice(["phone", "desktop"])}
    return found


def enriched(chance, event):
    """The same message with other words about money or place: another system knows more, or less."""
    found = dict(event)
    if chance.random() < 0.3 and "value_micros" in found:
        del found["value_micros"]
    elif chance.random() < 0.3:
        found.update(value_micros=17, currency="USD")
    if chance.random() < 0.3:
        found["department"] = "service"
    return found


def policies(kinds=KINDS):
    """{file: content} of policies in which the kinds matter; the keys of other kinds are left out."""
    found = {name: json.loads((ROOT / "policies" / f"{name}.json").read_text(encoding="utf-8")) for name in ("identity", "journey", "goals", "channels", "contact")}
    journey, any_of = found["journey"], lambda *events: {"events": list(events)}
    journey["reporting_timezone"] = zone_of(kinds)
    journey["attribution"] = {
        "conversions": [
            {"goal": "sale", "event": "Order Completed", "value": "any"},
            {"goal": "subscriptions", "event": "Subscription Started", "value": "positive"},
        ],
        "lookback": "P7D",
        "stored_model": "linear",
    }
    journey["influence"] = [{"goal": "sale", "conversions": "all", "lookback": "P3D"}, {"goal": "subscriptions", "node": "channel"}]
    journey["status"] = {"at_risk": {"after": "P4D", "on": []}, "lapsed": {"after": "P9D", "on": []}}
    found["goals"] = {"goals": copy.deepcopy(GOALS)}
    found["traits"] = {"traits": copy.deepcopy(TRAITS)}
    found["segments"] = random_segments(random.Random(f"{sorted(kinds)} segments"))
    if "orders" in kinds:
        journey["orders"] = {"events": ["Order Completed"], "within": "P9D", "prefer": ["urn:c"]}
    if "returns" in kinds:
        journey["returns"] = {"events": ["Order Returned", "Order Refunded"], "within": "P20D"}
        found["goals"]["goals"] += [
            {"id": "returns", "title": "Returns", "unit": "returns", "on": any_of("Order Returned", "Order Refunded"), "measure": "count"},
            {"id": "returned", "title": "Returned", "unit": "currency", "on": any_of("Order Returned"), "measure": "value"},
        ]
    if "delivery" in kinds:
        found["goals"]["goals"].append({"id": "bounces", "title": "Bounces", "unit": "mails", "on": any_of("Email Bounced"), "measure": "count"})
    if "statuses" in kinds:
        stock = {"status": "active", "measure": "stock", "unit": "customers"}
        found["goals"]["goals"] += [
            {"id": "buyers", "title": "Buyers", **stock, "from_stage": "purchase"},
            {"id": "entered", "title": "New buyers", **stock, "measure": "entries", "from_stage": "retention"},
        ]
    if "strangers" in kinds:
        card = next(entry for entry in found["identity"]["types"] if entry["type"] == "loyalty_id")
        card["max_links"] = {"user_id": 1}
    return found


def random_segments(chance, count=20):
    """segments.json with conditions of every kind, nested, some about segments above."""
    rows = []
    for number in range(count):
        rows.append({"id": f"s{number}", "when": random_condition(chance, 2, [row["id"] for row in rows])})
    return {"segments": rows}


def random_condition(chance, depth, above):
    kind = chance.random()
    if depth and kind < 0.25:
        return {chance.choice(["all", "any"]): [random_condition(chance, depth - 1, above) for _ in range(chance.randint(1, 3))]}
    if depth and kind < 0.4:
        return {"not": random_condition(chance, depth - 1, above)}
    if above and kind < 0.5:
        return {"segment": chance.choice(above)}
    return random_atom(chance)


def random_atom(chance):
    within = {"within": chance.choice(["PT1H", "P1D", "P3D", "P9D", "P30D"])}
    maybe = within if chance.random() < 0.6 else {}
    return chance.choice([
        lambda: {"did": random_filter(chance), chance.choice(["at_least", "at_most"]): chance.randint(1, 4), **maybe},
        lambda: {"did": random_filter(chance), **maybe},
        lambda: {"spent": chance.choice(SPENT), **chance.choice(LEDGERS), chance.choice(["at_least", "below"]): chance.choice(["0.00001", "-1", "2.5", "0"]), "within": chance.choice(["P1D", "P4D", "P20D"])},
        lambda: {"open": random_filter(chance), "until": random_filter(chance), **maybe},
        lambda: {"trait": "city", **chance.choice([{"is": "Bonn"}, {"in": ["Köln", "Bonn"]}, {"known": True}])},
        lambda: {"trait": "children", chance.choice(["at_least", "at_most", "is"]): chance.choice([-2.5, 0, 1, 2])},
        lambda: {"trait": "born", chance.choice(["at_least", "at_most"]): "2000-02-29"},
        lambda: {"trait": "member", "is": chance.choice([True, False])},
        lambda: {"last_score": {chance.choice(["at_least", "at_most"]): chance.choice([-35, 0, 5]), **chance.choice([{}, {"kind": "nps"}])}, **maybe},
        lambda: {"stage": chance.sample(["inquiry", "consideration", "purchase", "retention"], 2)},
        lambda: {"stage_at_least": chance.choice(["purchase", "loyalty"])},
        lambda: {"status": chance.sample(["active", "at_risk", "lapsed", "won_back"], 2)},
        lambda: {"new_within": chance.choice(["PT5H", "P4D", "P30D"])},
    ])()  # fmt: skip


def random_filter(chance):
    return chance.choice([
        {"events": ["Order Completed"]},
        {"events": ["Order Completed"], "value": "positive"},
        {"events": ["Order Returned", "Order Refunded"]},
        {"events": ["Email Bounced", "Unsubscribed"]},
        {"events": ["Product Viewed"], "channels": ["web", "email"]},
        {"direction": "outbound"},
        {"direction": "inbound", "departments": ["stores"]},
        {"campaigns": ["x", "y*"]},
        {"score_min": -50, "score_max": 50},
        {"score_kind": "nps"},
        {"channels": ["pos"]},
    ])  # fmt: skip


SPENT = [{"events": ["Order Completed", "Order Returned"]}, {"channels": ["web", "pos"]}]
LEDGERS = [{"measure": "value", "currency": "USD"}, {"measure": "cost", "currency": "USD"}]


def write_policies(folder, kinds=KINDS):
    folder.mkdir()
    for name, content in policies(kinds).items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


TRAITS = [
    {"name": "city", "type": "text", "rule": "latest", "sources": ["urn:b"]},
    {"name": "children", "type": "number", "rule": "max"},
    {"name": "born", "type": "date", "rule": "first", "sources": ["urn:c", "urn:a"]},
    {"name": "member", "type": "boolean", "rule": "latest"},
]
GOALS = [
    {"id": "margin", "title": "Margin", "unit": "currency", "on": {"value": "positive"}, "measure": "margin_else_value"},
    {"id": "sale", "parent": "margin", "title": "Sales", "unit": "currency", "on": {"events": ["Order Completed"], "value": "positive", "direction": "inbound"}, "measure": "value", "credited": True},
    {"id": "subscriptions", "title": "Subscriptions on the web", "unit": "currency", "on": {"events": ["Subscription Started"], "channels": ["web"]}, "measure": "value", "credited": True},
    {"id": "orders", "title": "Orders", "unit": "orders", "on": {"events": ["Order Completed"], "direction": "inbound"}, "measure": "count"},
    {"id": "paid", "title": "Paid orders", "unit": "orders", "on": {"events": ["Order Completed"], "value": "positive"}, "measure": "count"},
    {"id": "second", "title": "Second order in time", "unit": "customers", "on": {"events": ["Order Completed"]}, "nth": 2, "within": "P20D", "measure": "count"},
    {"id": "gifts", "title": "Gifts", "unit": "currency", "on": {"events": ["Donated"]}, "measure": "value"},
    {"id": "stores", "title": "In stores", "unit": "touches", "on": {"channels": ["pos"], "direction": "inbound"}, "measure": "count"},
    {"id": "pressure", "title": "Contacts", "unit": "contacts", "on": {"direction": "outbound"}, "measure": "count"},
]  # fmt: skip
