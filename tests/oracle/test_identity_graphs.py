"""2,000 seeded graphs: the pure partition of the services against the oracle, which shares no code with it."""

import json
import os
import pathlib
from collections import Counter

import pytest

import identity_graphs
from identity_graphs import GRAPHS, differences, expected, random_graph
from support import ROOT

BUILD = pathlib.Path(os.environ.get("TUTTI_BUILD_DIR") or ROOT / "build" / "release")
PROGRAM = BUILD / "tests" / "property" / "property_identity_oracle_test"
needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


@needs_program
def test_the_partition_is_the_oracles():
    assert list(differences(PROGRAM, range(1, GRAPHS + 1))) == []


@needs_program
def test_another_answer_is_noticed(monkeypatch):
    monkeypatch.setattr(identity_graphs.IdentityMap, "is_cut", lambda *clusters: False)
    assert list(differences(PROGRAM, range(1, 200)))


def test_the_graphs_meet_every_rule():
    graphs = [random_graph(seed) for seed in range(1, GRAPHS + 1)]
    answers = [expected(graph) for graph in graphs]
    rules = Counter(rule for answer in answers for *_, rule in answer["refused"])
    assert set(rules) == {None, "pair", "quarantine", "cut", "unique", "limit", "max_identifiers"}
    assert min(rules.values()) > 500, rules
    assert Counter(order[0] for graph in graphs for order in graph["orders"]).keys() == {"link", "same", "cut", "release"}
    assert any("window" in entry.get("limit", {}) for graph in graphs for entry in json.loads(graph["policy"])["types"])
