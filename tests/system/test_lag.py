"""What a reader says of how far it is behind: transactions, records that retention took, a broker that cannot be asked."""

import math
import time

from confluent_kafka import Producer, TopicPartition

from people import START, touchpoint
from topics import framed
from waiting import patient, until

LAG = "tutti_kafka_consumer_lag"


def one(message_id):
    """(key, value, headers) of a touchpoint."""
    return None, framed(1, touchpoint(message_id, START, user_id="jane")), None


def lag(service):
    return service.metric(LAG)


def in_transactions(world, ends):
    """One record in a transaction of its own per end: commit, abort, or None to leave it open."""
    producers = []
    for number, end in enumerate(ends):
        settings = {"bootstrap.servers": world.stack.brokers, "transactional.id": f"{world.name}-{number}"}
        producer = Producer(settings)
        producer.init_transactions(patient(30))
        producer.begin_transaction()
        producer.produce(world.topic("touchpoints"), one(f"in {number}")[1], partition=0)
        producer.flush(patient(30))
        if end:
            getattr(producer, f"{end}_transaction")(patient(30))
        producers.append(producer)
    return producers


def test_the_lag_behind_transactions_reaches_zero(world):
    """Marks and aborted records cannot be read; nor can what stands behind an open transaction."""
    (service,) = world.start(names=["identity-resolver"])
    producers = in_transactions(world, ["commit", "abort", "commit", "abort", None])
    until(lambda: world.query("SELECT count(*) > 0 FROM identity.identifiers") == [(True,)], 60, "the first is read")
    time.sleep(3)  # the lag is told every second, and was 0 before the first record
    until(lambda: lag(service) == 0, 60, lambda: f"the lag is {lag(service)}")
    assert service.is_ready()
    producers[-1].abort_transaction(patient(30))
    until(lambda: lag(service) == 0, 60, lambda: f"the lag is {lag(service)}")
    world.stop()


def test_what_retention_took_is_counted(world):
    service = world.service("identity-resolver").start().wait_ready()
    world.topics.produce(world.topic("touchpoints"), [one("first")], partition=0)
    world.settle(names=["identity-resolver"])
    service.stop()
    world.topics.produce(world.topic("touchpoints"), [one(f"lost {n}") for n in range(5)], partition=0)
    end = world.topics.ends(world.topics.consumer("ends"), world.topic("touchpoints"))[0][1]
    cut = TopicPartition(world.topic("touchpoints"), 0, end)
    for done in world.topics.admin.delete_records([cut]).values():
        done.result(patient(30))
    world.topics.produce(world.topic("touchpoints"), [one("kept")], partition=0)
    service.start().wait_ready()
    until(lambda: service.metric("tutti_records_lost_total") > 0, 60, "the loss is told")
    assert service.metric("tutti_records_lost_total") == 5
    (told,) = [line for line in service.log_events() if line["event"] == "records_lost"]
    assert told["count"] == 5 and told["topic"] == world.topic("touchpoints")
    world.stop()


def test_a_broker_that_cannot_be_asked(fragile, make_world):
    world = make_world(fragile, "unasked")
    (service,) = world.start(names=["identity-resolver"])
    until(lambda: lag(service) == 0, 60, "the lag is known")
    fragile("stop", "kafka")
    until(lambda: math.isnan(lag(service)), 60, lambda: f"the lag is {lag(service)}")
    fragile("start", "kafka")
    until(lambda: lag(service) == 0, 120, lambda: f"the lag is {lag(service)}")
    world.stop()
