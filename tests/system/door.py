"""tutti-door under test: an instance beside a world's services, and calls of it."""

import hashlib
import http.client
import json

from cluster import TOPIC_SETTINGS
from service import Service
from stack import free_ports
from waiting import patient

TOKENS = {
    "all": ("*", "*", "*"),
    "risk": ("risk", "*", "decide,peek"),
    "letters": ("marketing", "direct_mail", "decide"),
    "reader": ("*", "*", "peek"),
}


class Door(Service):
    """A service that is asked over HTTP."""

    def __init__(self, world, **more):
        world.counter += 1
        log = world.directory / f"door-{world.counter}.log"
        self.tokens = world.directory / f"tokens-{world.counter}"
        self.write_tokens(TOKENS)
        self.listen = free_ports()
        shared = {
            key: value
            for name in ("identity-resolver", "suppression")
            for key, value in world.settings_of(name).items()
            if key not in ("database.url", "group.id", "outbox.scan.interval") and not key.startswith("kafka.consumer.")
        }
        settings = {
            **{key: value for key, value in shared.items() if not key.startswith("topic.touchpoints")},
            "decider.identity.database.url": world.stack.url(world.name, "tutti_identity"),
            "decider.suppression.database.url": world.stack.url(world.name, "tutti_suppression"),
            "database.url": world.stack.url(world.name, "tutti_suppression"),
            "door.listen": f"127.0.0.1:{self.listen}",
            "door.topic": world.topic("touchpoints"),
            "door.tokens.file": self.tokens,
            "door.rate": 100000,
            **{f"topic.{short}": world.topic(short) for short in TOPIC_SETTINGS["suppression"]},
            **{key.replace("_", "."): value for key, value in more.items()},
        }
        super().__init__("door", settings, log)
        world.services.append(self)

    def write_tokens(self, tokens):
        """The file of door.tokens.file; the token is its name."""
        lines = [f"{hashlib.sha256(name.encode()).hexdigest()} {' '.join(fields)}\n" for name, fields in tokens.items()]
        self.tokens.write_text("# who may ask\n\n" + "".join(lines), encoding="ascii")
        self.tokens.chmod(0o600)

    def call(self, method, path, body=None, token="all"):
        """(status, headers, answer) of one call on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.listen, timeout=patient(20))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.headers.get("Content-Type", "").startswith("application/json")
            return answer.status, answer.headers, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()

    def ask(self, body, token="all"):
        """The answer to a request, which must have a verdict."""
        status, _, answer = self.call("POST", "/v1/contact-decisions", body, token)
        assert status == 200, (status, answer)
        return answer

    def peek(self, body, token="all"):
        status, _, answer = self.call("POST", "/v1/contact-decisions?peek=1", body, token)
        assert status == 200, (status, answer)
        return answer
