"""dev/play: the stories of tests/scenarios/play on the shared stack, and what it says of cases that are wrong."""

import json
import subprocess
import sys

import pytest

from stack import BUILD, ROOT, plain_environment

sys.path[:0] = [str(ROOT / "dev"), str(ROOT / "tests" / "oracle")]

from playing.asking import Table, column_names, json_lines  # noqa: E402
from playing.case import Case, CaseError, queries_of  # noqa: E402
from playing.player import changed_tables, order_names, ordered  # noqa: E402
from playing.wanted import Wanted  # noqa: E402

STORIES = ROOT / "tests" / "scenarios" / "play"
EVENT = '{"message_id": "1"}\n'


def play(stack, *words):
    """(exit status, standard output, standard error)."""
    servers = {"TUTTI_KAFKA_BOOTSTRAP_SERVERS": stack.brokers, "TUTTI_DATABASE_URL": stack.database_url}
    done = subprocess.run(
        [sys.executable, ROOT / "dev" / "play", "--environment", *map(str, words)],
        env=plain_environment(TUTTI_BUILD_DIR=str(BUILD), **servers),
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def test_stories_read_again_and_reversed_give_their_expected_rows(stack):
    stories = [STORIES / name for name in ("one-mail-a-week", "a-printer-becomes-ink", "two-people-one-mailbox", "who-answers-which-mail")]
    status, out, error = play(stack, "--reset", "--shuffle", 2, "--twice", *stories)
    assert status == 0, out + error
    assert out.count("\nas expected\n") == 4 and out.count("reversed: the same") == 4
    for row in out.splitlines()[-4:]:
        assert row.split()[1:-1] == ["as", "expected", "agrees", "same", "same"]


def test_a_row_that_does_not_come_is_a_difference(stack):
    status, out, _ = play(stack, "--quiet", STORIES / "must-differ", STORIES / "one-mail-a-week")
    assert status == 1
    assert "(nearest row: differs in revenue)" in out and '- {"message_id": "tuesday", "verdict": "grant"}' in out
    assert [row.split()[1] for row in out.splitlines()[-2:]] == ["DIFFERENT", "as"]


def test_printed_rows_are_expected_rows(stack, tmp_path):
    status, out, error = play(stack, "--jsonl", STORIES / "one-mail-a-week")
    assert status == 0, error
    (tmp_path / "mail-a-week").mkdir()
    (tmp_path / "mail-a-week" / "expected.jsonl").write_text(out)
    status, out, error = play(stack, "--quiet", "--expected", tmp_path, STORIES / "one-mail-a-week")
    assert status == 0, out + error


# ------------------------------------------------------------------------------------------------- without a stack


WRONG = [
    ({}, "there is no events.jsonl"),
    ({"events.jsonl": EVENT + "\n{"}, "events.jsonl:3: not JSON"),
    ({"events.jsonl": "[1]\n"}, "events.jsonl:1: expected a JSON object"),
    ({"events.jsonl": EVENT, "events3.jsonl": EVENT}, "events3.jsonl: is not played"),
    ({"events.jsonl": EVENT, "orders.jsonl": '["cut", "user_id:a"]'}, "orders.jsonl:1: expected link, same or unlink"),
    ({"events.jsonl": EVENT, "check.sql": "-- as_of: noon\n"}, "check.sql:1: as_of"),
    ({"events.jsonl": EVENT, "policy/BASE": "grocer"}, "BASE: expected bank, found 'grocer'"),
    ({"events.jsonl": EVENT, "policy/contacts.json": "{}"}, "contacts.json: is no policy file"),
    ({"events.jsonl": EVENT, "policy/contact.json": '{"rules": {}}'}, "policy/contact.json: "),
    ({"events.jsonl": EVENT, "expected.jsonl": '{"query": 1}'}, "expected.jsonl:1: expected {"),
]


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_wrong_cases_are_told_before_anything_starts(tmp_path):
    cases = [write(tmp_path / str(number), files) for number, (files, _) in enumerate(WRONG)]
    done = subprocess.run(
        [sys.executable, ROOT / "dev" / "play", *cases, tmp_path / "nowhere"],
        env=plain_environment(TUTTI_BUILD_DIR=str(BUILD), TUTTI_RUN_DIR=str(tmp_path / "run")),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1 and done.stdout == ""
    told = done.stderr.splitlines()
    for line, said in zip(told, [*(said for _, said in WRONG), "nowhere: there is no such folder"], strict=True):
        assert line.startswith("error: ") and said in line
    assert not (tmp_path / "run").exists()


def table(*rows, title="one", number=1, is_chronicle=False):
    return Table(title, list(rows[0]) if rows else [], [tuple(row.values()) for row in rows], number, is_chronicle=is_chronicle)


@pytest.fixture
def wanted(tmp_path):
    def read(*lines):
        text = "\n".join(json.dumps(dict(zip(("query", "row"), line))) for line in lines)
        return Wanted(write(tmp_path, {"expected.jsonl": text}) / "expected.jsonl")

    return read


def test_how_rows_compare(wanted):
    found = table({"who": "x", "at": "2025-03-01T00:00:00Z", "n": 5}, {"who": "y", "at": None, "n": 7})
    same = wanted((1, {"who": "@b", "n": 7, "at": None}), (1, {"who": "@a", "n": "5.000", "at": "2025-03-01T01:00:00+01:00"}))
    assert same.differences([found], True) == []
    assert wanted(("one", {"who": "@a"}), (1, {"who": "@b"})).differences([found], True) == []
    assert wanted((1, {"who": "@a"}), (1, {"who": "@a"})).differences([found], True) != []
    assert wanted((1, {"n": True}), (1, {"n": 7})).differences([found], True) != []
    assert "no column 'm'" in wanted((1, {"m": 1})).differences([found], True)[1]


def test_which_queries_compare(wanted):
    one, two = table({"n": 1}), table({"n": 2}, title="two", number=2, is_chronicle=True)
    only_one = wanted((1, {"n": 1}))
    assert only_one.differences([one, two], all_compared=False) == []
    assert only_one.differences([one, two], all_compared=True)[0] == "query 2: 0 expected rows did not come, 1 others came"
    assert only_one.differences([one, two], all_compared=True, with_chronicles=False) == []
    assert wanted(("two", None)).differences([one, two], all_compared=False) != []
    with pytest.raises(CaseError, match="there is no query 3"):
        wanted((3, {})).differences([one, two], True)


def test_queries_of_a_file():
    text = "-- as_of: 2025-01-01\n-- first\nSELECT 1, ';' FROM tutti.dim_profiles; -- done\nSELECT request_id\nFROM tutti.fct_contact_decisions;\n"
    one, two = queries_of(text)
    assert one == (1, "first", "SELECT 1, ';' FROM tutti.dim_profiles") and not one.is_chronicle
    assert two.title == "SELECT request_id FROM tutti.fct_contact_decisions" and two.is_chronicle
    assert column_names(["a", "b", "a", "a"]) == ["a", "b", "a_2", "a_3"]


def test_orders_keep_the_set_and_the_sizes_of_the_steps(tmp_path):
    events = [json.dumps({"message_id": str(number)}) for number in range(9)]
    steps = Case(write(tmp_path, {"events.jsonl": "\n".join(events[:6]), "events2.jsonl": "\n".join(events[6:])})).steps
    names = order_names(4)
    assert names == ["file order", "reversed", "seed 1", "seed 2"]
    for name in names:
        found = ordered(steps, name, twice=True)
        assert [len(step.lines) for step in found] == [12, 6]
        assert sorted(line.text for step in found for line in step.lines) == sorted(events * 2)
    assert ordered(steps, "file order", twice=False) == steps
    assert ordered(steps, "seed 1", twice=False) == ordered(steps, "seed 1", twice=False) != ordered(steps, "seed 2", twice=False)


def test_changes_of_tables_and_their_lines():
    before, after = table({"n": 1}, {"n": 2}, {"n": 2}), table({"n": 2}, {"n": 1}, {"n": 3})
    assert changed_tables([before], [after], True) == ["one:", "  - 2", "  + 3"]
    assert changed_tables([before], [table({"n": 2}, {"n": 2}, {"n": 1})], True) == []
    stored = [table({"n": 1, "loaded_at": at}) for at in ("now", "later")]
    assert changed_tables(stored[:1], stored[1:], False) == [] != changed_tables(stored[:1], stored[1:], True)
    assert list(json_lines(table({"a": None, "b": "ü"}), by_name=False)) == ['{"query": 1, "row": {"a": null, "b": "ü"}}']
