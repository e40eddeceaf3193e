"""Random journeys: the oracle gives the same in every order, and everything that is asked for comes about."""

import random

from journey_random import journeys, write_policies
from oracle import Oracle
from policy import instant
from render import EVERYTHING

KEY, AS_OF = bytes(range(32)), instant("2024-05-01T00:00:00Z")


def views_of(events, policies):
    oracle = Oracle(policies, KEY, instant("2030-01-01T00:00:00Z"))
    for event in events:
        oracle.add(event)
    return oracle.views(AS_OF, EVERYTHING)


def test_any_order_and_every_kind_of_row(tmp_path):
    policies = write_policies(tmp_path / "policies")
    events = journeys(1, 400, KEY, policies)
    found = views_of(events, policies)
    assert views_of(random.Random(1).sample(events * 2, 2 * len(events)), policies) == found
    assert [name for name, rows in found.items() if not rows and name not in ("fct_identity_links", "dim_goal_targets")] == []
    states = {row[list(EVERYTHING["fct_opportunities"]["columns"]).index("state")] for row in found["fct_opportunities"]}
    assert states >= {"won", "cancelled", "expired", "declined"}
    assert any(row[list(EVERYTHING["fct_opportunities"]["columns"]).index("accepted_at")] for row in found["fct_opportunities"])
