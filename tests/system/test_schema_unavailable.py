"""A registry that fails for one schema: its records wait, everything else goes on, and they come back by themselves."""

import contextlib
import http.server
import json
import pathlib
import struct
import threading

from people import START, touchpoint
from topics import framed
from waiting import until

SCHEMA = (pathlib.Path(__file__).resolve().parents[2] / "schemas" / "avro" / "touchpoint.avsc").read_text(encoding="utf-8")


class Registry(http.server.ThreadingHTTPServer):
    """Gives every id the same schema, but for those that it fails for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.failing = {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(self.path.rsplit("/", 1)[1]) if self.path.startswith("/schemas/ids/") else None
        status, text = self.server.failing.get(number, (200, json.dumps({"schema": SCHEMA} if number else ["AVRO"])))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running_registry():
    registry = Registry()
    thread = threading.Thread(target=registry.serve_forever)
    thread.start()
    try:
        yield registry
    finally:
        registry.shutdown()
        thread.join()
        registry.server_close()


def one(message_id, schema_id):
    value = framed(1, touchpoint(message_id, START, user_id=message_id))
    return message_id.encode(), b"\x00" + struct.pack(">I", schema_id) + value[5:], [("kept", b"\xff")]


def known(world):
    return world.query("SELECT count(*) FROM tutti.fct_touchpoints")[0][0]


def test_the_others_go_on_and_it_comes_back(world):
    with running_registry() as registry:
        registry.failing = {7: (500, "{}"), 8: (302, ""), 9: (200, "<html>"), 10: (429, "slow down")}
        world.settings |= {"schema.registry.url": registry.url, "schema.registry.retry": "1s"}
        world.start()
        sent = [one(f"person {n}", n) for n in (1, 7, 8, 9, 10, 2)]
        world.topics.produce(world.topic("touchpoints"), sent, partition=0)
        until(lambda: known(world) == 2, 60, "the others on the same partition")
        letters = list(world.topics.read(world.dead_letters("touchpoints")))
        assert {letter.value() for letter in letters} == {value for _, value, _ in sent[1:5]}
        assert {dict(letter.headers())["tutti.error.code"] for letter in letters} == {b"schema_unavailable"}
        assert b"schema id 7" in dict(letters[0].headers())["__connect.errors.exception.message"]
        registry.failing = {10: registry.failing[10]}
        until(lambda: known(world) == 5, 120, lambda: f"they come back, {known(world)} of 5")
        registry.failing = {}
        until(lambda: known(world) == 6, 180, lambda: f"the last one comes back, {known(world)} of 6")
        records = list(world.topics.read(world.topic("touchpoints")))
        assert len(records) > len(sent)
        assert {(record.key(), record.value(), tuple(record.headers())) for record in records} == {
            (key, value, tuple(headers)) for key, value, headers in sent
        }
        world.stop()
