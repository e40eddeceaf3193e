"""A topic that a pattern finds and that has no dead letter topic: it alone is not read, and it is told."""

from people import START, touchpoint
from topics import framed
from waiting import until

UNREAD = "tutti_kafka_topic_unread"


def one(message_id):
    """(key, value, headers) of a touchpoint."""
    return None, framed(1, touchpoint(message_id, START, user_id=message_id)), None


def known(world):
    """How many people identity-resolver knows."""
    return world.query("SELECT count(*) FROM identity.identifiers")[0][0]


def test_the_others_go_on(world):
    stray = world.topic("touchpoints.stray")
    world.topics.create({stray: 2})
    world.topics.produce(stray, [one("stray")])
    world.topics.produce(world.topic("touchpoints"), [one("first")])
    pattern = rf"^{world.name}\.touchpoints(\.stray)?$"
    service = world.service("identity-resolver", topic_touchpoints=pattern).start().wait_ready()
    until(lambda: known(world) == 1, 60, "the other topic is read")
    world.topics.produce(world.topic("touchpoints"), [one("second")])
    until(lambda: known(world) == 2, 60, "the other topic goes on")
    assert service.metric(f'{UNREAD}{{topic="{stray}"}}') == 1
    told = [line for line in service.log_events() if line["event"] == "topic_unread"]
    assert told and told[0]["topic"] == stray and f"{stray}.dlq" in told[0]["message"]
    world.topics.create({f"{stray}.dlq": 1})
    until(lambda: known(world) == 3, 90, "the topic is read once it has a dead letter topic")
    assert service.metric(f'{UNREAD}{{topic="{stray}"}}') == 0
    world.stop()
