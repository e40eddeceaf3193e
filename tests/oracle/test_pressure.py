"""Contacts of customers in 30 days."""

from policy import instant
from support import DAY, HOUR, START, Story, policies, views


def pressure(story, as_of, **contact):
    """{(day, department, channel, bucket): (customers, contacts, over saturated)} of all customers."""
    found = policies()
    found.contact = {**found.contact, **contact}
    rows = views(story.touchpoints, found, instant(as_of))["rpt_contact_pressure"]
    return {
        (row["period_end_date"], row["department"], row["channel"], int(row["contacts_30d"])): tuple(
            row[name] and int(row[name]) for name in ("customers", "contacts", "over_saturated_customers")
        )
        for row in rows
        if row["segment_id"] == "(all)"
    }


def mail(story, day, person="ann", **fields):
    return story.add((day - 1) * DAY + 12 * HOUR, "Contact Sent", person, **{"channel": "email", "department": "sales", **fields})


def test_v2_thirty_days_are_720_hours():
    story = Story()
    for day in (1, 2, 31):
        mail(story, day)
    assert pressure(story, "2017-01-31T23:00:00Z")["2017-01-31", "(all)", "(all)", 2] == (1, 2, None)
    assert pressure(story, "2017-01-30T23:00:00Z")["2017-01-30", "(all)", "(all)", 2] == (1, 2, None)


def test_ends_of_months_and_of_today():
    story = Story()
    mail(story, 31)
    found = pressure(story, "2017-03-10T12:00:00Z")
    days = {day: bucket for day, department, channel, bucket in found if (department, channel) == ("(all)", "(all)")}
    assert days == {"2017-01-31": 1, "2017-02-28": 1, "2017-03-10": 0}


def test_a_customer_of_two_departments_is_one():
    story = Story()
    mail(story, 1)
    mail(story, 2, department="agency", channel="SMS")
    mail(story, 3, person="bob")
    found = pressure(story, "2017-01-10T12:00:00Z", pressure={"over": 1})
    rows = {key[1:]: value for key, value in found.items() if key[0] == "2017-01-10"}
    assert rows["(all)", "(all)", 1] == (1, 1, 0)
    assert rows["(all)", "(all)", 2] == (1, 2, 1)
    assert rows["sales", "(all)", 1] == (2, 2, None)
    assert rows["agency", "sms", 1] == (1, 1, None)


def test_a_class_that_does_not_count_and_a_delivery():
    story = Story()
    mail(story, 1, contact={"class": "transactional"})
    mail(story, 2)
    story.add(3 * DAY, "Contact Delivered", channel="email")
    assert pressure(story, "2017-01-10T12:00:00Z")["2017-01-10", "(all)", "(all)", 1] == (1, 1, None)
    assert START == instant("2017-01-01T00:00:00Z")


def test_ten_or_more():
    story = Story()
    for day in range(1, 13):
        mail(story, day)
    assert pressure(story, "2017-01-13T12:00:00Z")["2017-01-13", "(all)", "(all)", 10] == (1, 12, None)
