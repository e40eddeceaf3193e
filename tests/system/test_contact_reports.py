"""The reports on contact requests, on rows as suppression stores them."""
import json
import os

import psycopg
import pytest

import schema

URL = os.environ.get("TUTTI_DATABASE_URL")
pytestmark = pytest.mark.skipif(not URL, reason="TUTTI_DATABASE_URL is not set (dev/stack up, then eval \"$(dev/stack env)\")")

POLICY = {"contact.json": {"classes": {"marketing": {}, "receipt": {"counts": False}}, "rules": []}}
GRANT, DENY, INVALID = 1, 2, 3
SENT, DELIVERED = 2, 3


class Desk:
    """Of customer 1; requests and contacts have numbers."""

    def __init__(self, connection):
        self.connection, self.contacts = connection, 0
        connection.execute("INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES (gen_random_uuid(), %s, true)", [json.dumps(POLICY)])
        connection.execute("INSERT INTO journey.policies (generation, reporting_timezone, default_timezone, session, lapsed_after, journey_end, stored_model,"
                           " first_percent, last_percent, half_life)"
                           " SELECT generation, 'Europe/Berlin', 'UTC', 'PT30M', 'P56D', 'P365D', 'linear', 40, 40, 'P7D' FROM tutti_meta.generations")
        connection.execute("INSERT INTO suppression.anchors SELECT n, n, CASE n WHEN 3 THEN 1 ELSE 2 END, md5(n::text)::uuid, md5(n::text)::uuid"
                           " FROM generate_series(1, 3) AS n")

    def request(self, number, verdict, at="2026-06-10T10:00:00Z", **more):
        row = {"request_id": uuid(number), "anchor": 1, "verdict": verdict, "outcome": 0, "generation": 1, "requested_at": at, "planned_at": at,
               "asked_for_at": at, "decided_at": at, "channel": "email", "department": "sales", "class": "marketing", "rules": b"", "waited_us": 1_000_000, **more}
        self.insert("suppression.decisions", row)

    def contact(self, at, kind=SENT, request=None, **more):
        self.contacts += 1
        row = {"anchor": 1, "occurred_at": at, "event_id": uuid(100 + self.contacts), "kind": kind, "flags": 0, "event": "Contact Sent", "channel": "email",
               "decision_id": uuid(request) if request else None, **more}
        self.insert("suppression.facts", row)

    def insert(self, table, row):
        places = ", ".join(["%s"] * len(row))
        self.connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))

    def rows(self, columns, view, order=""):
        return self.connection.execute(f"SELECT {columns} FROM tutti.{view} ORDER BY {order or columns}").fetchall()


def uuid(number):
    return f"00000000-0000-4000-8000-{number:012}"


@pytest.fixture
def desk():
    with schema.database(URL, "reports") as url, psycopg.connect(url) as connection:
        yield Desk(connection)


def test_v1_one_row_per_answer(desk):
    for number in range(3):
        desk.request(number, GRANT, waited_us=(number + 1) * 1_000_000)
    for number in range(3, 5):
        desk.request(number, DENY, reason="cap", rule_id="week", rule_owner="office")
    desk.request(5, DENY, reason="hold", rule_id="upset")
    found = desk.rows("verdict, reason, rule_id, requests, customers", "rpt_contact_decisions_daily", "verdict, reason")
    assert found == [("deny", "cap", "week", 2, 1), ("deny", "hold", "upset", 1, 1), ("grant", None, None, 3, 1)]
    assert desk.rows("p50_seconds, p99_seconds", "rpt_contact_decisions_daily")[-1] == (2, 3)


def test_a_day_is_one_of_the_reporting_zone(desk):
    desk.request(1, GRANT, at="2026-06-10T21:59:59Z")
    desk.request(2, GRANT, at="2026-06-10T22:00:00Z")
    assert [str(row[0]) for row in desk.rows("request_date", "rpt_contact_decisions_daily")] == ["2026-06-10", "2026-06-11"]


def test_what_became_of_requests(desk):
    late = {"expires_at": "2026-06-10T12:00:00Z", "sent_at": "2026-06-10T13:00:00Z", "outcome": 3}
    desk.request(1, GRANT, moved_by="quiet", expires_at="2026-06-11T10:00:00Z")
    desk.request(2, GRANT, **late)
    desk.request(3, GRANT, outcome=1, outcome_cause="opt_out")
    desk.request(4, DENY, reason="cap", sent_at="2026-06-10T13:00:00Z", outcome=3)
    found = desk.rows("verdict, requests, moved, sends, late_sends, sent_anyway, expired, revoked", "rpt_contact_decisions_daily")
    assert found == [("deny", 1, 0, 1, 0, 1, 0, 0), ("grant", 3, 1, 1, 1, 0, 1, 1)]


def test_a_contact_is_counted_once_and_where_it_was_made(desk):
    desk.request(1, GRANT, at="2026-05-31T10:00:00Z", priority=3)
    desk.request(2, DENY, reason="cap")
    desk.contact("2026-06-02T10:00:00Z", request=1)
    desk.contact("2026-06-01T10:00:00Z", request=1, department="agency")
    desk.contact("2026-05-31T12:00:00Z", DELIVERED, request=1)
    desk.contact("2026-06-05T10:00:00Z", department="agency", priority=1)
    desk.contact("2026-06-06T10:00:00Z", DELIVERED)
    columns = "period_start_date::text, department, requests, grants, denied_by_cap, contacts, share_of_contacts, unasked_sends"
    assert desk.rows(columns, "rpt_contact_budget") == [
        ("2026-05-01", "sales", 1, 1, 0, 0, None, 0),
        ("2026-06-01", "agency", 0, 0, 0, 2, 1, 1),
        ("2026-06-01", "sales", 1, 0, 1, 0, 0, 0),
    ]
    found = desk.rows("low_priority_contacts, normal_priority_contacts, high_priority_contacts", "rpt_contact_budget")
    assert found[-1] == (1, 0, 1), "what the send leaves out is taken from its request"


def test_what_is_no_contact(desk):
    desk.request(1, GRANT, **{"class": "receipt"})
    desk.contact("2026-06-01T10:00:00Z", request=1)
    desk.contact("2026-06-02T10:00:00Z", **{"class": "receipt"})
    desk.contact("2026-06-03T10:00:00Z", anchor=3)
    assert desk.rows("contacts", "rpt_contact_budget") == [(0,)]


def test_a_message_told_with_one_more_identifier_is_one(desk):
    for more in ({}, {"anchor": 2}):
        desk.contact("2026-06-01T10:00:00Z", **more, event_id=uuid(7))
    desk.connection.execute("UPDATE suppression.anchors SET profile_id = md5('1')::uuid WHERE anchor = 2")
    assert desk.rows("contacts", "rpt_contact_budget") == [(1,)]


def test_shares_add_up_over_departments(desk):
    for number, department in enumerate(("sales", "sales", "agency")):
        desk.contact(f"2026-06-0{number + 1}T10:00:00Z", department=department)
    desk.contact("2026-06-01T10:00:00Z", channel="SMS")
    found = desk.rows("channel, department, share_of_contacts::text", "rpt_contact_budget")
    assert found == [("email", "agency", "0.333333"), ("email", "sales", "0.666667"), ("sms", "(none)", "1.000000")]
