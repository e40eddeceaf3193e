"""Consents, touchpoint by touchpoint: what holds, and what a customer's own words and those of others show."""

import pytest

from support import DAY, Story, policies, views

PARTS = {"id": "parts", "kind": "consent", "purposes": {"offers": "consent", "share": "interest"}, "topics": {"tips": "in"}}


def consents(*said, person="ann", **contact):
    """{(key, day): (is_given, is_in_force)} of a customer. said: (event, words) or (event, words, fields), a day apart."""
    return {(row["consent_key"], day(row)): (row["is_given"] == "true", row["is_in_force"] == "true") for row in rows(*said, **contact)}


def day(row):
    return row["occurred_at"] and int(row["occurred_at"][8:10])


def rows(*said, **contact):
    found, story = policies(), Story()
    found.contact = {**found.contact, "consent": {}, "rules": [PARTS], **contact}
    for number, (event, words, *fields) in enumerate(said):
        story.add(number * DAY, event, consent=words, **(fields[0] if fields else {}))
    return views(story.touchpoints, found)["fct_consents"]


def test_k1_a_no_to_all_and_a_yes_to_the_channel():
    assert consents(("Form", {"email": True}), ("Form", {"all": False})) == {("email", 1): (True, False), ("all", 2): (False, True)}
    found = consents(("Form", {"email": True}), ("Form", {"all": False}), ("Form", {"email": True}))
    assert found == {("email", 1): (True, False), ("all", 2): (False, True), ("email", 3): (True, True)}


def test_k2_a_topic_on_one_channel():
    found = consents(("Form", {"topic:tips": True}), ("Form", {"topic:tips@sms": False}))
    assert found == {("topic:tips", 1): (True, True), ("topic:tips@sms", 2): (False, True)}


def test_k3_double_opt_in():
    entry = {"email": {"confirmed_by": ["Opt-In Confirmed"], "since": "2017-01-02"}}
    found = consents(*[("Form Submitted", {"email": True})] * 2, ("Opt-In Confirmed", {"email": True}), consent=entry)
    assert found == {("email", 1): (True, False), ("email", 2): (True, False), ("email", 3): (True, True)}
    assert consents(*[("Form Submitted", {"email": True})] * 2, consent=entry)[("email", 1)] == (True, True), "before since"


def test_k4_a_yes_binds_nobody_else_and_a_no_does_without_its_story():
    """Ann names Bob's telephone, which belongs to him."""
    def said_by_others(words):
        found, story = policies(), Story()
        found.contact = {**found.contact, "consent": {}}
        found.identity["types"] = [{**one, "unique": one["type"] in ("user_id", "phone")} for one in found.identity["types"]]
        phones = {name: {"identifiers": [{"type": "phone", "value": value}]} for name, value in (("bob", "+49170123456"), ("ann", "+49170654321"))}
        for person, named in phones.items():
            story.add(0, "Form", person, **named)
        story.add(DAY, "Form", "ann", consent=words, content_id="text", **phones["bob"])
        return [row for row in views(story.touchpoints, found)["fct_consents"] if row["is_own"] == "false"]

    assert said_by_others({"email": True}) == []
    (row,) = said_by_others({"email": False})
    assert (row["consent_key"], row["is_given"], row["is_in_force"]) == ("email", "false", "true")
    hidden = ("occurred_at", "event_name", "channel", "source", "message_id", "text_version", "touchpoint_id")
    assert all(row[name] is None for name in hidden)


def test_k12_a_no_to_sharing_is_none_to_email():
    found = consents(("Form", {"email": True, "purpose:offers": True}), ("Page Viewed", {"purpose:share": False}))
    assert found == {("email", 1): (True, True), ("purpose:offers", 1): (True, True), ("purpose:share", 2): (False, True)}


@pytest.mark.parametrize("centre, holds", [([], True), (["Preferences Updated"], False)])
def test_k13_a_yes_to_all_lifts_the_no_of_a_channel_in_the_preference_centre_only(centre, holds):
    found = consents(("Form", {"email": False}), ("Preferences Updated", {"all": True}), preference_center=centre)
    assert found[("email", 1)] == (False, holds)
    assert found[("all", 2)] == (True, True)


def test_unsubscribed_is_a_no_to_its_channel():
    found = consents(("Form", {"E-Mail": True}), ("Unsubscribed", None, {"channel": "email"}))
    assert found == {("email", 1): (True, False), ("email", 2): (False, True)}


def test_a_word_without_a_meaning_and_a_yes_of_the_company_hold_nothing():
    found = consents(("Form", {"analytics": True}), ("Newsletter Sent", {"sms": True}, {"direction": "outbound"}))
    assert found == {("analytics", 1): (True, False), ("sms", 2): (True, False)}


def test_the_text_that_was_agreed_to():
    (row,) = rows(("Form", {"email": True}, {"content_id": "newsletter-2"}))
    assert (row["text_version"], row["source"], row["message_id"], row["is_own"]) == ("newsletter-2", "urn:test", "m0", "true")
