"""The stack that dev/play plays on: its own, found again if it was kept; or the servers of the environment."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil

from stack import ROOT, OwnStack, from_environment

MARK = "play.json"  # the ports of a stack that dev/play started


class NoServers(Exception):
    """Why there is nothing to play on."""


def run_folder():
    """TUTTI_RUN_DIR, or a folder of this user and checkout."""
    own = hashlib.sha256(f"{os.getuid()}:{ROOT}".encode()).hexdigest()[:12]
    return pathlib.Path(os.environ.get("TUTTI_RUN_DIR") or f"/var/tmp/tutti-play-{own}")


@contextlib.contextmanager
def servers(say, of_environment, keep):
    """The stack; one that dev/play started is stopped and wiped at the end, unless it is kept."""
    if of_environment:
        found = from_environment()
        if found is None:
            raise NoServers("--environment needs TUTTI_KAFKA_BOOTSTRAP_SERVERS and TUTTI_DATABASE_URL")
        with template_removed(found):
            yield found
        return
    with locked(run_folder()) as folder, started(folder, say, keep) as stack, template_removed(stack):
        yield stack


@contextlib.contextmanager
def template_removed(stack):
    try:
        yield
    finally:
        stack.remove_template()


@contextlib.contextmanager
def locked(folder):
    """Two plays in one folder would stop each other's servers."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "play.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoServers(f"another dev/play uses {folder}: wait for it, or set TUTTI_RUN_DIR") from None
        yield folder


@contextlib.contextmanager
def started(folder, say, keep):
    stack = OwnStack(folder, **ports(folder))
    ran = stack.is_up()
    if not ran:
        refuse_data_of_others(folder)
        say("starting Kafka and PostgreSQL ...")
        (folder / MARK).write_text(json.dumps({"kafka_port": stack.kafka_port, "pg_port": stack.pg_port}))
    try:
        if not ran:
            stack("up")
        yield stack
    finally:
        if keep or ran:
            say(f"the stack is left running; to remove it:  TUTTI_RUN_DIR={folder} dev/stack reset")
        else:
            stack("reset")
            shutil.rmtree(folder, ignore_errors=True)


def refuse_data_of_others(folder):
    """What dev/play starts it also wipes."""
    if (folder / "pg").exists() and not (folder / MARK).exists():
        raise NoServers(f"{folder} holds a stack that dev/play did not start: start it with dev/stack up, or set another TUTTI_RUN_DIR")


def ports(folder):
    """Those of the environment, or those of the servers that an earlier play kept; free ones where neither says any."""
    given = {"kafka_port": os.environ.get("TUTTI_KAFKA_PORT"), "pg_port": os.environ.get("TUTTI_PG_PORT")}
    kept = folder / MARK
    before = json.loads(kept.read_text()) if kept.exists() else {}
    return {name: int(port or before.get(name) or 0) for name, port in given.items()}
