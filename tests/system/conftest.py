"""Fixtures of the system tests: a stack, and a world per test. Without a stack in the environment one is started."""

import os

import pytest

from cluster import World
from stack import from_environment, own_stack

# Keys that tests write must not be readable by others; folders stay passable for the user of PostgreSQL.
os.umask(0o026)


@pytest.fixture(scope="session")
def stack():
    """Kafka and PostgreSQL that the tests share; no test stops them."""
    found = from_environment()
    if found:
        yield found
        found.remove_template()
        return
    with own_stack("shared") as started:
        yield started


@pytest.fixture
def fragile():
    """A stack of one test, which may stop and kill its servers; named before make_world, so that it goes last."""
    with own_stack("fragile") as started:
        yield started


@pytest.fixture
def make_world(tmp_path):
    """make_world(stack, name, ...): worlds that are removed at the end, also of a failed test."""
    worlds = []

    def make(stack, name, **options):
        worlds.append(World(stack, tmp_path / f"{name}-{len(worlds)}", name, **options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.remove()


@pytest.fixture
def world(stack, make_world, request):
    """A world of the shared stack with the retailer's policies."""
    return make_world(stack, request.node.name.replace("_", "-").split("[")[0][:40])
