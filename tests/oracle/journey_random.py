"""Random journeys with everything that a policy can ask of a journey at once: windows, credit, influence, offers, gestures.

They are those of sales_stories.py, with more events, lines of orders, answers and offers, under policies that ask for all of it.
"""

import json
import random

from identity import Identifiers
from opportunities import opportunity_id
from policy import Policies
from render import uuid_text
from sales_stories import KINDS, policies, random_sales, strongest
from touchpoint import Touchpoint

PARTS = ("responses", "models", "rules", "goals", "influence", "opportunities")
LIFE = (
    *["Applied"] * 6,
    *["Policy Issued"] * 2,
    *("Withdrawn", "Bereaved", "Consoled", "Coupon Redeemed", "Coupon Redeemed"),
    *("Complaint Filed", "Complaint Resolved", "Gesture Given", "Gesture Given", "Gesture Approved"),
    *["Opportunity Accepted"] * 4,
    *["Opportunity Declined"] * 2,
)
LINES = [
    {"sku": "a", "category": "food/fruit", "quantity": 2, "price": 1.5},
    {"product_id": "b", "category": "food", "value": "0.1234567", "margin": -1},
    {"item_id": 7, "item_category": "garden"},
    {"quantity": 3, "price": 0.1666665, "margin": "1e3"},
    {"note": "nothing"},
]


def journeys(seed, count, key, found):
    """Touchpoints; found: the policies, as a Policies; key: of identities. Copies under one identifier have the same words."""
    events, answers = [], {}
    for event in random_sales(seed, count):
        of_message = random.Random(f"{seed} {event['message_id']}")
        of_copy = random.Random(f"{seed} {event['message_id']} {strongest(event)}")
        event = bought(of_copy, lived(of_message, event) if of_message.random() < 0.3 else event)
        if event["event_name"].startswith("Opportunity "):
            answers[event["message_id"]] = event
        else:
            events.append(event)
    reader = Identifiers(found.identity, key)
    triggers = sorted((event for event in events if event["event_name"] == "Applied" and reader.of(event)), key=lambda event: event["occurred_at"])
    for event in answers.values():
        before = [one for one in triggers if one["occurred_at"] <= event["occurred_at"]][-4:]
        events.append(named(random.Random(f"{seed} {event['message_id']} names"), before, event, reader, found) if before else event)
    return events


def lived(chance, event):
    found = {name: event[name] for name in event if name not in ("value_micros", "margin_micros", "currency", "direction")}
    found["event_name"] = chance.choice(LIFE)
    found["message_id"] = f"life {event['message_id']}"
    if found["event_name"] == "Policy Issued" and chance.random() < 0.7:
        found |= {"value_micros": chance.choice([0, 5, 1_000_001]), "currency": chance.choice(["USD", "EUR"])}
    if "Gesture" in found["event_name"] or "Complaint" in found["event_name"]:
        found |= {"case_id": chance.choice("cd"), "agent_id": chance.choice(["ann", "bob"])}
    if found["event_name"] == "Gesture Given":
        found |= {"cost_micros": chance.choice([0, 2, 3, 5]), "currency": "USD", "content_id": "flowers"}
    return found


def bought(chance, event):
    """With categories and lines, and as an answer."""
    if chance.random() < 0.3:
        event = {**event, "product_category": chance.choice(["food", "food/fruit", "garden"])}
    if ("order_id" in event or "value_micros" in event) and chance.random() < 0.5:
        event = {**event, "items_json": json.dumps(chance.sample(LINES, chance.randint(0, 4)))}
    if "Campaign Sent" != event["event_name"] and "campaign" not in event and chance.random() < 0.7:
        event = {**event, "campaign": {"id": chance.choice("xyz")}}
    if chance.random() < 0.2:
        event = {**event, "decision_id": f"d{chance.randrange(20)}"}
    return event


def named(chance, triggers, event, reader, found):
    """An answer to an opportunity that one of the triggers may have opened, by the same person."""
    trigger = chance.choice(triggers)
    rule = chance.choice(found.orchestration.get("rules", []) or [{"id": "none", "offers": [{"id": "none"}]}])
    touch = Touchpoint(trigger, reader.anchor(reader.of(trigger)), found)
    who = {name: trigger[name] for name in ("user_id", "anonymous_id", "identifiers") if name in trigger}
    rest = {name: value for name, value in event.items() if name not in ("user_id", "anonymous_id", "identifiers")}
    return {**rest, **who, "opportunity_id": uuid_text(opportunity_id(rule, chance.choice(rule["offers"]), touch))}


# ---------------------------------------------------------------------------------------------------- policies


def journey_policies(parts=PARTS):
    """{file: content}."""
    found = policies(KINDS)
    for segment in found["segments"]["segments"][::7]:
        segment["figures"] = True
    for part in parts:
        globals()[f"ask_{part}"](found)
    return found


def ask_responses(found):
    found["journey"]["responses"] = {"within": "P9D"}


def ask_models(found):
    attribution = found["journey"]["attribution"]
    attribution |= {"models": ["last_touch", "linear", "position_based", "time_decay"], "position": {"first": 30, "last": 50}}
    attribution |= {"half_life": "PT20H", "stored_model": "time_decay"}


def ask_rules(found):
    found["journey"]["attribution"]["conversions"] += [
        {"goal": "orders", "event": "Order Completed", "value": "any", "lookback": "P2D"},
        {"goal": "sale", "event": "Order Completed", "value": "any", "lookback": "P20D"},
    ]


def ask_goals(found):
    for goal, windows in zip(found["goals"]["goals"], [["week"], ["week", "month", "quarter"], [], ["quarter"], ["month", "week"]]):
        if windows:
            goal["windows"] = windows
    found["goals"]["goals"] += [
        {"id": "fruit", "title": "Fruit", "unit": "touches", "on": {"categories": ["food/*"]}, "measure": "count", "windows": ["month"]},
        {"id": "inside", "title": "In a segment", "unit": "customers", "segment": "s0", "measure": "stock"},
        {"id": "entering", "title": "Come into a segment", "unit": "customers", "segment": "s3", "measure": "entries"},
    ]


def ask_influence(found):
    on = {"events": ["Coupon Redeemed"]}
    found["goals"]["goals"] += [{"id": "coupons", "title": "Coupons", "unit": "coupons", "on": on, "measure": "count"}]
    found["journey"]["influence"] = [
        {"goal": "sale", "conversions": "all", "lookback": "P3D"},
        {"goal": "subscriptions", "node": "channel"},
        {"goal": "coupons", "node": "kind", "conversions": "all", "lookback": "P5D"},
    ]


def ask_opportunities(found):
    def on(*events):
        return {"events": list(events)}

    life = {"id": "home", "product": "home insurance", "owner": "insurance", "after": "PT10H", "expires": "P4D", "cooling": "P6D"}
    car = {"id": "car", "product": "car insurance", "owner": "cars", "expires": "P9D", "not_if": ["s9"], "cancel_on": on("Policy Issued")}
    ink = {"id": "ink", "product": "ink", "owner": "retail", "expires": "P3D", "done_on": {"categories": ["food"], "events": ["Order Completed"]}}
    found["segments"]["segments"].append({"id": "bereaved", "when": {"open": on("Bereaved"), "until": on("Consoled"), "within": "P9D"}})
    found["orchestration"] = {
        "never_if": ["bereaved"],
        "rules": [
            {"id": "life", "on": on("Applied"), "cancel_on": on("Withdrawn"), "offers": [{**life, "done_on": on("Policy Issued")}, car]},
            {"id": "printer", "on": on("Order Completed"), "not_if": ["s4"], "priority": "low", "offers": [ink]},
        ],
        "gestures": {
            "case_on": on("Complaint Filed"),
            "case_until": on("Complaint Resolved"),
            "limits": [{"currency": "USD", "per_case": "0.000006", "per_agent_month": "0.00002"}],
            "approver": "lead",
        },
    }


def write_policies(folder, parts=PARTS):
    folder.mkdir()
    for name, content in journey_policies(parts).items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return Policies.load(folder)
