"""`tutti contact plan`: what other contact rules would have granted and refused, and what followed the contacts that would go."""

import json
import shutil

import pytest

from cluster import RETAILER, World
from people import US, request, touchpoint
from policy import instant

FIRST = instant("2025-04-01T12:00:00Z")
DAY, HOUR = 24 * 3600 * US, 3600 * US
CLASSES = {"marketing": {}, "service": {"obeys": False}}
CAP = {"id": "mail", "kind": "cap", "channels": ["direct_mail"], "per": "P30D", "limit": 1}


def contact(*rules, **more):
    return {"owner": "office", "classes": CLASSES, "consent": {"*": {"on_unknown": "allow"}}, "reservation": {"default": "PT24H"}, "rules": list(rules), **more}


def letter(number, who, day, campaign, department="shop", **more):
    return touchpoint(f"letter-{number}", FIRST + day * DAY, "Campaign Sent", "direct_mail", direction="outbound", user_id=who, department=department,
                      campaign={"id": campaign}, **more)


def order(number, who, day, money=100):
    return touchpoint(f"order-{number}", FIRST + int(day * DAY), "Order Completed", "pos", user_id=who, value_micros=money * US, currency="USD", order_id=f"o-{number}")


def answer(number, who, day, campaign):
    return touchpoint(f"answer-{number}", FIRST + int(day * DAY), "Coupon Redeemed", "pos", user_id=who, campaign={"id": campaign})


def ask(number, who, day, priority=None, campaign="ask", department="crm", **more):
    asked = request(f"ask-{number}", FIRST + int(day * DAY), "email", user_id=who, department=department, campaign={"id": campaign}, **more)
    asked["contact"]["planned_at"] = asked["occurred_at"]
    if priority:
        asked["contact"]["priority"] = priority
    return asked


# Ann gets letters on days 0, 20, 40: of one in 30 days the second goes, and the third stays. Bob's second of two letters goes, too.
STORY = [
    letter(1, "ann", 0, "a"), letter(2, "ann", 20, "b"), letter(3, "ann", 40, "c"),
    letter(4, "bob", 0, "a"), letter(5, "bob", 45, "b", department="bank"), letter(6, "bob", 50, "c", department="bank"),
    answer(1, "ann", 23, "b"), answer(2, "bob", 70, "c"), answer(3, "ann", 41, "c"),
    order(1, "ann", 25), order(2, "bob", 51, 40), order(3, "ann", 43, 7),
    # Requests: three e-mails within a day, by priority; the second department asks ten days later.
    ask(1, "cleo", 0, 1), ask(2, "cleo", 0.25, 2), ask(3, "cleo", 0.5, 3),
    ask(4, "cleo", 10, department="bank"),
    touchpoint("upset", FIRST + 9 * HOUR, "Complaint Filed", "web", user_id="cleo"),
]


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    policies = shutil.copytree(RETAILER, folder / "policies")
    hold = {"id": "upset", "kind": "hold", "on": ["Complaint Filed"], "for": "P2D"}
    (policies / "contact.json").write_text(json.dumps(contact({**hold, "classes": ["service"]})))
    world = World(stack, folder / "world", "plan", policies=policies)
    try:
        world.start()
        world.lines = [json.dumps(line) for line in STORY]
        world.produce(world.lines)
        world.settle()
        yield world
    finally:
        world.remove()


def run(world, candidate, *words, check=True):
    path = world.directory / "candidate.json"
    path.write_text(candidate if isinstance(candidate, str) else json.dumps(candidate))
    return world.tool("contact", "plan", "--policy", path, *words, check=check)


def plan(world, candidate, *words):
    return json.loads(run(world, candidate, *words, "--json").stdout)


def cells(found):
    return {(row["active"], row["candidate"]): row["requests"] for row in found["verdicts"]}


def money(found, by):
    return {row["name"]: float(row["credited"]) for row in found["credited"] if row["by"] == by and row["currency"] == "USD"}


def test_a_refused_letter_fills_no_window(world):
    found = plan(world, contact(CAP), "--sends")
    assert (found["requests"], found["sends"], found["customers"]) == (4, 6, 3)
    assert cells(found) == {("granted", "granted"): 8, ("granted", "refused"): 2, ("refused", "granted"): 0, ("refused", "refused"): 0}
    assert found["by_rule"] == [{"rule": "mail", "kind": "cap", "refused": 2, "new": 2, "alone": 2, "customers": 2, "responses_7d": 1, "later": 2,
                                 "later_customers": 2, "conversions_7d": 2}]
    [everything] = found["all"]
    assert {key: everything[key] for key in ("requests", "granted", "refused", "freed")} == {"requests": 10, "granted": 10, "refused": 2, "freed": 0}


def test_departments_months_and_money_add_up(world):
    found = plan(world, contact(CAP), "--sends")
    refused = {row["department"]: (row["requests"], row["refused"]) for row in found["by_department"]}
    assert refused == {"shop": (4, 1), "bank": (3, 1), "crm": (3, 0)}
    assert {row["month"]: row["refused"] for row in found["by_month"]} == {"2025-04": 1, "2025-05": 1}
    # Letter 2 shares the sales of days 25 and 43 with another one, letter 6 that of day 51.
    assert money(found, "all") == {"(all)": 73.5}
    assert money(found, "rule") == {"mail": 73.5}
    assert money(found, "department") == {"shop": 53.5, "bank": 20}
    assert money(found, "month") == {"2025-04": 53.5, "2025-05": 20}
    assert found["model"] == "linear"


def test_without_sends_letters_stand(world):
    found = plan(world, contact(CAP))
    assert (found["requests"], found["sends"], found["customers"]) == (4, 0, 1)
    assert cells(found)["granted", "refused"] == 0


def test_requests_by_priority(world):
    limits = {"id": "day", "kind": "cap", "channels": ["email"], "per": "P7D", "limit_by_priority": {"low": 1, "normal": 1, "high": 2}}
    found = plan(world, contact(limits))
    assert {row["priority"]: (row["requests"], row["refused"]) for row in found["by_priority"]} == {"low": (1, 0), "normal": (2, 1), "high": (1, 0)}
    assert (found["stored"], found["drifted"]) == (4, 0)


def test_two_rules_share_a_refusal(world):
    hold = {"id": "upset", "kind": "hold", "on": ["Complaint Filed"], "for": "PT6H"}
    gap = {"id": "gap", "kind": "apart", "for": "P1D", "channels": ["email"]}
    found = {row["rule"]: (row["refused"], row["alone"]) for row in plan(world, contact(gap, hold))["by_rule"]}
    assert found == {"gap": (2, 1)}  # of the third request the hold refuses, too
    found = {row["rule"]: (row["refused"], row["alone"]) for row in plan(world, contact(hold, gap))["by_rule"]}
    assert found == {"gap": (1, 1), "upset": (1, 0)}


def test_days_bound_what_is_asked_again(world):
    words = ("--sends", "--from", "2025-04-21", "--to", "2025-05-16")
    found = plan(world, contact(CAP), *words)
    assert (found["requests"], found["sends"]) == (0, 3)  # days 20 to 45; day 0 stands from before
    assert {row["rule"]: row["refused"] for row in found["by_rule"]} == {"mail": 1}
    assert plan(world, contact(CAP), "--to", "2025-03-31", "--sends")["sends"] == 0


def test_the_class_of_sends(world):
    assert cells(plan(world, contact(CAP), "--sends", "--class", "service"))["granted", "refused"] == 0


def test_what_becomes_invalid(world):
    smaller = {**contact(), "classes": {"service": {}}}
    found = plan(world, smaller)
    assert found["by_rule"][0] | {"customers": 1} == found["by_rule"][0]
    assert (found["by_rule"][0]["rule"], found["by_rule"][0]["kind"], found["by_rule"][0]["refused"]) == ("unknown_class", "(invalid)", 4)


def test_nobody_is_held_back_by_lot(world):
    holdout = {"id": "group", "kind": "holdout", "percent": 50, "classes": ["marketing"]}
    assert cells(plan(world, contact(CAP, holdout), "--sends")) == cells(plan(world, contact(CAP), "--sends"))


def test_the_list_names_each_contact(world, tmp_path):
    run(world, contact(CAP), "--sends", "--list", tmp_path / "list.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "list.jsonl").read_text().splitlines()]
    assert sorted((row["campaign_id"], row["occurred_at"], row["active"], row["candidate"], row["rule_id"]) for row in rows) == [
        ("b", "2025-04-21T12:00:00.000000Z", "granted", "refused", "mail"),
        ("c", "2025-05-21T12:00:00.000000Z", "granted", "refused", "mail"),
    ]
    known = world.query("SELECT touchpoint_id::text, profile_id::text FROM tutti.fct_touchpoints")
    assert {(row["touchpoint_id"], row["profile_id"]) for row in rows} <= set(known)
    refused = run(world, contact(CAP), "--list", tmp_path / "no" / "list", check=False)
    assert refused.returncode == 1 and "No such file" in refused.stderr


def test_people_read_that_credited_is_not_lost(world):
    text = run(world, contact(CAP), "--sends").stdout
    assert "Credited is not lost" in text and "control group" in text
    assert "mail" in text and "73.50" in text


def test_the_past_of_a_new_event_is_not_known(world):
    hold = {"id": "moved", "kind": "hold", "on": ["Address Changed"], "for": "P2D"}
    assert '"Address Changed"' in run(world, contact(hold)).stderr
    assert "Address" not in run(world, contact(CAP)).stderr


def test_nothing_is_changed(world):
    before = world.query("SELECT * FROM suppression.decisions ORDER BY request_id"), world.query("SELECT * FROM suppression.states ORDER BY profile")
    plan(world, contact(CAP), "--sends")
    assert before == (world.query("SELECT * FROM suppression.decisions ORDER BY request_id"), world.query("SELECT * FROM suppression.states ORDER BY profile"))


@pytest.mark.parametrize("words, status, said", [
    (("contact",), 2, "expected plan"),
    (("contact", "plna"), 2, 'did you mean "plan"'),
    (("contact", "plan"), 2, "--policy is missing"),
    (("contact", "plan", "--polcy", "x"), 2, "--policy"),
    (("contact", "plan", "--policy", "x", "--class", "service"), 2, "--class is for --sends"),
    (("contact", "plan", "--policy", "x", "--from", "April"), 2, "--from: expected a day"),
    (("contact", "plan", "--policy", "x", "--from", "2025-05-02", "--to", "2025-05-01"), 2, "is after"),
    (("contact", "plan", "--policy", "/nowhere/contact.json"), 1, "/nowhere/contact.json"),
])
def test_wrong_words(world, words, status, said):
    done = world.tool(*words, check=False)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_wrong_policies_and_classes(world):
    done = run(world, contact({**CAP, "limt": 2}), check=False)
    assert done.returncode == 1 and '"limit"' in done.stderr
    done = run(world, contact(CAP), "--sends", "--class", "markting", check=False)
    assert done.returncode == 1 and 'the nearest is "marketing"' in done.stderr
