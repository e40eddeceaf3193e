"""The schema of the tree, put into an empty database without the program `tutti`."""
import contextlib
import os
import pathlib

import psycopg

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def create(connection):
    for path in sorted((SCHEMAS / "sql").glob("[0-9]*.sql")):
        connection.execute(path.read_text(encoding="utf-8").split("-- migrate:down")[0])
    for path in sorted((SCHEMAS / "views").glob("[0-9]*.sql")):
        connection.execute(path.read_text(encoding="utf-8"))


@contextlib.contextmanager
def database(server_url, purpose):
    """The URL of a database of this process with the schema; it is dropped at the end. server_url: any database of the server."""
    name = f"tutti_{purpose}_{os.getpid()}"
    url = psycopg.conninfo.make_conninfo(server_url, dbname=name)
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(url) as connection:
                create(connection)
            yield url
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
