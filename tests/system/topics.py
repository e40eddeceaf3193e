"""The topics of a test: creating them, writing records as they are, reading whole topics back, group offsets."""

import io
import json
import struct

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from stack import ROOT
from waiting import patient, until

SCHEMA_FILES = {
    1: "touchpoint",
    900001: "identity_change",
    900002: "journey_diff",
    900004: "contact_decision",
    900005: "stage_change",
    900006: "opportunity_change",
}
SCHEMAS = {
    number: fastavro.parse_schema(
        json.loads((ROOT / "schemas" / "avro" / f"{name}.avsc").read_text(encoding="utf-8")), named_schemas={}
    )
    for number, name in SCHEMA_FILES.items()
}
QUIET = {"log_level": 2}


def framed(schema_id, record):
    """A record with the Confluent prefix."""
    out = io.BytesIO()
    out.write(b"\x00" + struct.pack(">I", schema_id))
    fastavro.schemaless_writer(out, SCHEMAS[schema_id], record)
    return out.getvalue()


def unframed(value):
    """The record of one of our own messages."""
    (schema_id,) = struct.unpack(">I", value[1:5])
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), SCHEMAS[schema_id], None)


def without_logical_types(schema):
    """The schema with times as they are stored, in microseconds."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [without_logical_types(one) for one in schema] if isinstance(schema, list) else schema


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


PLAIN_TOUCHPOINT = fastavro.parse_schema(
    without_logical_types(json.loads((ROOT / "schemas" / "avro" / "touchpoint.avsc").read_text(encoding="utf-8"))),
    named_schemas={},
)


def touchpoint_of(value):
    """The touchpoint of a framed record as the oracle reads it: times in microseconds, fields that are null left out."""
    return without_nulls(fastavro.schemaless_reader(io.BytesIO(value[5:]), PLAIN_TOUCHPOINT, None))


def watermarks(consumer, partition):
    """(low, high); None while the broker has only just been told that it leads the partition."""
    try:
        return consumer.get_watermark_offsets(partition, timeout=patient(30))
    except KafkaException as failure:
        if failure.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
            raise
        return None


class Topics:
    """A client of one broker."""

    def __init__(self, brokers):
        self.brokers = brokers
        self.admin = AdminClient({"bootstrap.servers": brokers, **QUIET})

    def create(self, partitions):
        """Creates {topic: partitions} and waits until the broker shows them."""
        futures = self.admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()])
        for future in futures.values():
            future.result(patient(30))
        until(lambda: partitions.keys() <= self.admin.list_topics(timeout=patient(10)).topics.keys(), 60, "the new topics")

    def delete(self, names):
        for future in self.admin.delete_topics(list(names)).values():
            future.result(patient(30))

    def consumer(self, group):
        return Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                **QUIET,
            }
        )

    def produce(self, topic, records, partition=None):
        """Sends (key, value, headers) or (..., timestamp in ms) and waits for all; (partition, offset) of each, in order."""
        placed = [None] * len(records)

        def noted(position):
            def report(error, message):
                assert error is None, error
                placed[position] = (message.partition(), message.offset())

            return report

        producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 5, **QUIET})
        for position, (key, value, headers, *timestamp) in enumerate(records):
            where = {} if partition is None else {"partition": partition}
            if timestamp:
                where["timestamp"] = timestamp[0]
            producer.produce(topic, value, key, headers=headers, on_delivery=noted(position), **where)
            producer.poll(0)
        assert producer.flush(patient(60)) == 0, f"records for {topic} were not acknowledged"
        return placed

    def read(self, topic):
        """All records of a topic as it stands."""
        consumer = self.consumer("reader")
        try:
            ends = self.ends(consumer, topic)
            left = {partition for partition, (low, high) in ends.items() if high > low}
            consumer.assign([TopicPartition(topic, partition, ends[partition][0]) for partition in left])
            while left:
                message = consumer.poll(patient(30))
                assert message is not None, f"{topic} could not be read to its end"
                if message.error():
                    raise KafkaException(message.error())
                if message.offset() + 1 >= ends[message.partition()][1]:
                    left.discard(message.partition())
                yield message
        finally:
            consumer.close()

    def ends(self, consumer, topic):
        """{partition: (low, high)}."""
        partitions = self.admin.list_topics(topic, timeout=patient(30)).topics[topic].partitions
        return {p: until(lambda: watermarks(consumer, TopicPartition(topic, p)), 60, "a partition's leader") for p in partitions}

    def lag(self, consumer, topics):
        """(records that a group has not committed, sum of ends)."""
        lag = total = 0
        for topic in topics:
            ends = self.ends(consumer, topic)
            for found in consumer.committed([TopicPartition(topic, partition) for partition in ends], timeout=patient(30)):
                low, high = ends[found.partition]
                lag += high - max(found.offset, low) if found.offset >= 0 else high - low
                total += high
        return lag, total

    def rewind(self, group, topics):
        """Sets the group, which must have no member, back to the beginning of its topics."""
        consumer = self.consumer(group)
        try:
            positions = [
                TopicPartition(topic, partition, low)
                for topic in topics
                for partition, (low, _) in self.ends(consumer, topic).items()
            ]
            assert all(found.error is None for found in consumer.commit(offsets=positions, asynchronous=False))
        finally:
            consumer.close()
