"""What an analyst writes on the first day is planned for the rows that there are.

`tutti.fct_touchpoints` numbers sessions, so that it is read as a whole. A planner who takes another view for one row reads it again
for every row of that view. So no plan may have it on the inner side of a nested loop.
"""
import json
import os

import psycopg
import pytest

import schema

URL = os.environ.get("TUTTI_DATABASE_URL")
pytestmark = pytest.mark.skipif(not URL, reason="TUTTI_DATABASE_URL is not set (dev/stack up, then eval \"$(dev/stack env)\")")

# 20,000 facts of 250 customers: orders, each tenth with a return, and each of them with a change of stage.
SEED = """
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql RETURN md5(n::text)::uuid;
INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES (pg_temp.id(0), '{}', true);
INSERT INTO journey.policies (generation, reporting_timezone, default_timezone, session, lapsed_after, journey_end, stored_model,
                              first_percent, last_percent, half_life)
VALUES (pg_temp.id(0), 'UTC', 'UTC', 'PT30M', 'P56D', 'P365D', 'linear', 40, 40, 'P7D');
INSERT INTO journey.dictionary (value) SELECT 'word ' || n FROM generate_series(1, 40) AS n;
INSERT INTO journey.shapes (hash, source, type, event, channel, department, currency, campaign_id, has_click_id, is_bot)
SELECT pg_temp.id(n), 's', 'track', 'Event ' || n, 'channel ' || n % 5, 'd' || n % 3, 'EUR', 'c' || n % 7, false, false
FROM generate_series(1, 40) AS n;
INSERT INTO journey.shape_meanings (shape, touch_kind, is_goal_event, needs_value, shown_direction, is_touch, is_money, is_money_with_value)
SELECT shape, 'k' || shape, true, true, 'inbound', true, true, true FROM journey.shapes;
INSERT INTO journey.anchors SELECT n, n, 2, pg_temp.id(n), pg_temp.id(n) FROM generate_series(1, 250) AS n;
INSERT INTO identity.types (code, type, is_unique) VALUES (1, 'user_id', true);
INSERT INTO identity.identifiers (identifier_id, type, profile_id, first_seen_at, version)
SELECT pg_temp.id(n), 1, pg_temp.id(n), '2024-01-01', 2 FROM generate_series(1, 250) AS n;
INSERT INTO journey.states SELECT n, 1, 1, 0, '\\x' FROM generate_series(1, 250) AS n;
INSERT INTO journey.facts (anchor, occurred_at, event_id, shape, value_micros, message_id, order_id, location_id)
SELECT n % 250 + 1, '2024-01-01'::timestamptz + n / 50 * interval '1 hour', pg_temp.id(n), n % 40 + 1, n * 1000, 'm' || n, 'o' || n, 'l' || n % 30
FROM generate_series(1, 20000) AS n;
INSERT INTO journey.conversions (anchor, occurred_at, event_id, shape, goal, is_first, stage_before, value_micros, touch_count, touches)
SELECT anchor, occurred_at, event_id, shape, 1, false, 1, value_micros, 1, uuid_send(event_id) || '\\x000000000000000000000001'
FROM journey.facts WHERE value_micros % 10000 <> 0;
INSERT INTO journey.order_changes (anchor, occurred_at, event_id, shape, is_return, is_full, is_repeat, order_anchor, order_at, order_event_id, goal,
                                   seller_shape, money_shape, share, value_micros, value_before, margin_before, over_micros, touch_count, touches)
SELECT f.anchor, f.occurred_at, f.event_id, f.shape, true, false, false, c.anchor, c.occurred_at, c.event_id, 1, 1, 1, 0, -1, 5, 0, 0, 1, c.touches
FROM journey.facts AS f
JOIN journey.conversions AS c ON c.event_id = pg_temp.id(f.value_micros / 1000 - 1)
WHERE f.value_micros % 10000 = 0;
INSERT INTO journey.stage_changes (stage_change_id, touchpoint_id, anchor, journey_number, changed_at, from_stage, to_stage, from_status, to_status, reason, position)
SELECT event_id, event_id, anchor, 1, occurred_at, 1, 2, 1, 1, 1, 1 FROM journey.facts;
ANALYZE;
"""
ROWS = {"fct_conversions": 18000, "fct_returns": 2000, "fct_stage_changes": 20000, "fct_attributions": 100000}
KEYS = {"fct_conversions": "conversion_id", "fct_returns": "return_id", "fct_stage_changes": "touchpoint_id", "fct_attributions": "conversion_id"}
FILTERS = {
    "fct_conversions": ["true", "revenue > 5", "department = 'd1'", "location_id = 'l7'", "order_id <> 'o1'", "profile_id IS NOT NULL",
                        "converted_at >= '2024-01-05'"],
    "fct_returns": ["true", "returned_revenue > 0", "order_id <> 'o1'"],
    "fct_stage_changes": ["true", "reason = 'rule'", "to_stage = 'consideration'"],
    "fct_attributions": ["true", "model = 'linear' AND conversion_department = 'd1'", "touch_channel = 'channel 1'"],
}
TOUCHPOINTS = ["occurred_date BETWEEN '2024-01-03' AND '2024-01-09'", "channel = 'channel 2'", "session_number = 1"]


@pytest.fixture(scope="module")
def seeded():
    with schema.database(URL, "plans") as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SEED)
        yield connection


def plan_of(connection, query):
    return connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()[0][0]["Plan"]


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def reads_again(plan):
    """Whether something is read as a whole, and its sessions numbered, for every row of something else."""
    loops = (node for node in nodes(plan) if node["Node Type"] == "Nested Loop")
    inner = (child for loop in loops for child in loop["Plans"] if child["Parent Relationship"] == "Inner")
    return any(node["Node Type"] == "WindowAgg" for child in inner if child["Node Type"] != "Materialize" for node in nodes(child))


@pytest.mark.parametrize("view", ROWS)
def test_a_view_is_planned_for_its_rows(seeded, view):
    assert seeded.execute(f"SELECT count(*) FROM tutti.{view}").fetchone() == (ROWS[view],)
    assert ROWS[view] / 10 <= plan_of(seeded, f"SELECT * FROM tutti.{view}")["Plan Rows"] <= ROWS[view] * 10


@pytest.mark.parametrize("view", ROWS)
def test_no_join_reads_touchpoints_again_and_again(seeded, view):
    key, wrong = KEYS[view], []
    for asked in FILTERS[view]:
        for which in TOUCHPOINTS:
            touchpoints = f"SELECT touchpoint_id, channel FROM tutti.fct_touchpoints WHERE {which}"
            rows = f"SELECT * FROM tutti.{view} WHERE {asked}"
            queries = (f"{rows} AND {key} IN (SELECT touchpoint_id FROM ({touchpoints}) AS t)",
                       f"SELECT * FROM ({rows}) AS r JOIN ({touchpoints}) AS t ON t.touchpoint_id = r.{key}",
                       f"SELECT * FROM ({rows}) AS r JOIN tutti.dim_profiles AS p USING (profile_id)"
                       f" JOIN ({touchpoints}) AS t ON t.touchpoint_id = r.{key}")
            wrong += [query for query in queries if reads_again(plan_of(seeded, query))]
    assert not wrong, json.dumps(wrong, indent=1)


def test_money_of_a_month_is_fast(seeded):
    """Every conversion of some days by the touchpoints of these days, as a time and not as a plan."""
    seeded.execute("SET statement_timeout = '20s'")
    found = seeded.execute("SELECT count(*) FROM tutti.fct_conversions WHERE touchpoint_id IN (SELECT touchpoint_id FROM tutti.fct_touchpoints"
                           " WHERE occurred_date BETWEEN '2024-01-02' AND '2024-01-08')").fetchone()
    assert found[0] > 1000
