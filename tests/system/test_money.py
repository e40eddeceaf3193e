"""What the company sold is the same number, whoever bought: messages told again under other identifiers, merges, cuts, quarantine,
erasure and other policies move money between customers and `(unidentified)`, and never change a total."""

import json
import random
import shutil

import pytest

from cluster import RETAILER
from people import DAY, HOUR, START, US, feed, order, touchpoint
from test_erase import restart

HISTORIES = 30


def totals(world):
    """{goal: (total, own + assisted + unattributed + unidentified)} of the goals of money, and the number of orders."""
    rows = world.query(
        "SELECT goal_id, sum(value) FILTER (WHERE department = '(all)'), sum(value) FILTER (WHERE department <> '(all)')"
        " FROM tutti.rpt_shared_goals_daily WHERE segment_id = '(all)' AND goal_id IN ('sale', 'orders') GROUP BY goal_id"
    )
    return {goal: (total, parts) for goal, total, parts in rows}


def assert_sold(world, amounts):
    found, money = totals(world), sum(amounts)
    assert found == {"sale": (money, money), "orders": (len(amounts), len(amounts))}, found


def assert_credit_adds_up(world):
    """rpt_attributions_daily has all of it in each model."""
    sums = world.query("SELECT model, sum(attributed_revenue) FROM tutti.rpt_attributions_daily WHERE segment_id = '(all)' AND goal_id = 'sale' GROUP BY 1")
    total, _ = totals(world)["sale"]
    assert len(sums) == 3 and all(revenue == total for _, revenue in sums), sums


class History:
    """A few people who buy; each message is told under up to three of their identifiers, or of nobody's."""

    def __init__(self, number, chance):
        self.number, self.chance, self.amounts = number, chance, []
        self.people = [f"h{number}-{i}" for i in range(chance.randint(1, 3))]

    def who(self):
        person = self.chance.choice(self.people)
        return self.chance.choice([
            {},
            {"user_id": person},
            {"anonymous_id": f"cookie-{person}"},
            {"email": f"{person}@shop.example"},
            {"user_id": person, "anonymous_id": f"cookie-{person}"},
            {"user_id": person, "email": f"{person}@shop.example"},
        ])

    def sales(self):
        for i in range(self.chance.randint(1, 4)):
            at, amount = START + self.chance.randint(0, 5) * DAY, self.chance.randint(1, 90)
            self.amounts.append(amount)
            for _ in range(self.chance.randint(1, 3)):
                yield touchpoint(f"sale-{self.number}-{i}", at, "Order Completed", "pos", value_micros=amount * US, currency="USD",
                                 order_id=f"order-{self.number}-{i}", **self.who())

    def visits(self):
        for person in self.people:
            more = {"campaign": {"id": "c"}} if self.chance.random() < 0.5 else {}
            yield touchpoint(f"visit-{person}", START - DAY, "Page Viewed", user_id=person, anonymous_id=f"cookie-{person}", **more)

    def ties(self):
        """What unites the identifiers of a person, told late."""
        for person in self.people:
            yield touchpoint(f"tie-{person}", START + 6 * DAY, user_id=person, email=f"{person}@shop.example",
                             anonymous_id=f"cookie-{person}")

    def crowd(self):
        """Puts the first person's cookie into quarantine."""
        for i in range(4):
            yield touchpoint(f"crowd-{self.number}-{i}", START + 7 * DAY, user_id=f"x{self.number}-{i}",
                             anonymous_id=f"cookie-{self.people[0]}")


def edit(folder, name, change):
    policy = json.loads((folder / name).read_text(encoding="utf-8"))
    change(policy)
    (folder / name).write_text(json.dumps(policy), encoding="utf-8")


def quarantine_cookies(policy):
    for entry in policy["types"]:
        if entry["type"] == "anonymous_id":
            entry["max_links"] = {"user_id": 3}


@pytest.fixture
def shop(stack, make_world, tmp_path):
    folder = shutil.copytree(RETAILER, tmp_path / "policies")
    edit(folder, "identity.json", quarantine_cookies)
    return make_world(stack, "money", policies=folder)


def test_nothing_changes_what_was_sold(shop):
    world = shop
    chance = random.Random(20260101)
    histories = [History(number, chance) for number in range(HISTORIES)]
    services = world.start()
    sales = [sale for history in histories for sale in history.sales()]
    amounts = [amount for history in histories for amount in history.amounts]
    visits = [visit for history in histories for visit in history.visits()]
    first = chance.sample(sales, len(sales) // 2)
    feed(world, *first, *visits)
    feed(world, *(sale for sale in sales if sale not in first))
    assert_sold(world, amounts)
    feed(world, *(tie for history in histories for tie in history.ties()))
    assert_sold(world, amounts)
    feed(world, *(one for history in histories[::3] for one in history.crowd()))
    assert world.query("SELECT count(*) > 0 FROM tutti.dim_profiles WHERE is_shared") == [(True,)]
    assert_sold(world, amounts)
    for history in histories[1:7]:
        person = history.people[0]
        order(world, "unlink", f"user_id:{person}", f"email:{person}@shop.example", "--reason", "two people")
    assert_sold(world, amounts)
    order(world, "release", f"anonymous_id:cookie-{histories[0].people[0]}", "--reason", "one person")
    assert_sold(world, amounts)
    feed(world, *chance.sample(sales, len(sales)))
    assert_sold(world, amounts)

    for history in histories[7:12]:
        said = json.loads(world.tool("erase", f"user_id:{history.people[0]}", "--reason", "asked", "--execute", "--json").stdout)
        assert said["keeps_money"] is True
    assert_sold(world, amounts)
    names = {person for history in histories[7:12] for person in history.people[:1]}
    assert not world.query("SELECT 1 FROM journey.kept_sales AS k JOIN journey.shapes AS s USING (shape) WHERE s.source <> ''")
    orders = [sale["order_id"] for sale in sales if sale.get("user_id") in names]
    assert orders and not world.query("SELECT 1 FROM tutti.fct_unidentified_touchpoints WHERE order_id = ANY (%s)", orders)
    told_again = [{**sale, "anonymous_id": f"new-{i}"} for i, sale in enumerate(sales) if not names & {sale.get("user_id")}]
    feed(world, *told_again)
    assert_sold(world, amounts)

    world.stop()
    edit(world.policies, "journey.json", lambda policy: policy.update(session="PT45M"))
    world.tool("policy", "apply")
    restart(world, services)
    assert_sold(world, amounts)
    assert_credit_adds_up(world)
    feed(world, *sales[: len(sales) // 2])
    assert_sold(world, amounts)
    world.stop(services)
