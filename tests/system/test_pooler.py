"""A pooler that takes no `options` at the start of a session, as PgBouncer in session mode."""

import socket
import struct
import threading

import psycopg
import pytest

NO_SSL = (8, 80877103)


def receive(source, count):
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Pooler:
    """Passes sessions on; ends those whose startup message names options."""

    def __init__(self, host, port):
        self.target, self.refused = (host, port), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            head = receive(client, 8)
            while struct.unpack(">II", head) != NO_SSL and head[4:] != struct.pack(">I", 196608):
                client.sendall(b"N")
                head = receive(client, 8)
            if struct.unpack(">II", head) == NO_SSL:
                client.sendall(b"N")
                head = receive(client, 8)
            body = receive(client, struct.unpack(">I", head[:4])[0] - 8)
        except ConnectionError:
            return
        if b"options\0" in body:
            self.refused += 1
            text = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            client.sendall(b"E" + struct.pack(">I", len(text) + 4) + text)
            client.close()
            return
        server = socket.create_connection(self.target)
        server.sendall(head + body)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)


@pytest.fixture
def pooler(world):
    parts = psycopg.conninfo.conninfo_to_dict(world.url)
    found = Pooler(parts["host"], int(parts.get("port", 5432)))
    yield found
    found.listener.close()


def test_a_service_behind_a_pooler_in_session_mode(world, pooler):
    parts = psycopg.conninfo.conninfo_to_dict(world.url)
    url = f"postgresql://{parts['user']}@127.0.0.1:{pooler.port}/{parts['dbname']}?sslmode=disable&gssencmode=disable"
    service = world.service("suppression")
    service.settings["database.url"] = url
    service.start().wait_ready(30)
    assert pooler.refused == 0
    service.stop()
