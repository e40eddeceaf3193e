"""Prints the client ids of a consumer group's members:  members.py BROKERS GROUP

It is a process of its own: librdkafka's admin client can abort when the broker restarts while it asks, and ends its caller too.
"""
import sys

from confluent_kafka.admin import AdminClient

admin = AdminClient({"bootstrap.servers": sys.argv[1], "log_level": 0})
(future,) = admin.describe_consumer_groups([sys.argv[2]], request_timeout=5).values()
for member in future.result(10).members:
    print(member.client_id)
