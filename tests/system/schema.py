"""The schema of the tree, put into an empty database without the program `tutti`."""
import pathlib

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def create(connection):
    for path in sorted((SCHEMAS / "sql").glob("[0-9]*.sql")):
        connection.execute(path.read_text(encoding="utf-8").split("-- migrate:down")[0])
    for path in sorted((SCHEMAS / "views").glob("[0-9]*.sql")):
        connection.execute(path.read_text(encoding="utf-8"))
