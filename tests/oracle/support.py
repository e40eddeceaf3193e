"""Helpers of the oracle's own tests: short touchpoints, the default policies, views as dicts."""

import json
import pathlib

from oracle import Oracle
from policy import DAY, Policies, instant
from render import EVERYTHING

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = bytes(range(16))
START = instant("2017-01-01T00:00:00Z")
HOUR, MINUTE = DAY // 24, DAY // 1440
LATER = instant("2030-01-01T00:00:00Z")


def policies(conversions="positive", creditable=("Campaign Sent",), **identity):
    """The default policies; `conversions` is the value condition, creditable None the rule without a list."""
    found = Policies.load(ROOT / "policies")
    found.conversions = [{**rule, "value": conversions} for rule in found.conversions]
    found.creditable = None if creditable is None else {one for one in creditable if isinstance(one, str)}
    found.creditable_visits = [one for one in creditable or () if isinstance(one, dict)]
    found.identity.update(identity)
    found.figure_segments = []  # sums are those of all customers; test_segments.py has figures of segments
    found.influence, found.responses = [], None  # what a story asks for by itself
    return found


class Story:
    """Collects touchpoints with running message ids; times are microseconds after 2017-01-01."""

    def __init__(self):
        self.touchpoints = []

    def add(self, time, event, person="ann", **fields):
        fields = {"type": "track", "channel": "web", **fields}
        if person is not None:
            fields.setdefault("user_id", person)
        one = {
            "source": "urn:test",
            "message_id": f"m{len(self.touchpoints)}",
            "occurred_at": START + time,
            "event_name": event,
            **fields,
        }
        self.touchpoints.append(one)
        return one

    def send(self, time, campaign, **fields):
        return self.add(
            time, "Campaign Sent", channel="direct_mail", department="marketing", campaign={"id": campaign}, **fields
        )

    def order(self, time, value, **fields):
        fields = {"channel": "pos", "department": "stores", "currency": "USD", **fields}
        return self.add(time, "Order Completed", value_micros=value, **fields)


def views(touchpoints, with_policies=None, as_of=LATER):
    """{view: rows as dicts of text}."""
    oracle = Oracle(with_policies or policies(), KEY, LATER)
    for raw in touchpoints:
        oracle.add(json.loads(json.dumps(raw)))
    return {name: as_dicts(name, rows) for name, rows in oracle.views(as_of, EVERYTHING).items()}


def as_dicts(view, rows):
    return [dict(zip(EVERYTHING[view]["columns"], row)) for row in rows]
