"""dev/prose finds what is too long or avoided, and nothing else."""

import pathlib
import runpy

import pytest

PROSE = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "dev" / "prose"))
LONG = "Word " + "word " * 39 + "word."  # 41 words
SHORT = "Word " + "word " * 38 + "word."  # 40 words


def findings(text, page="page.md"):
    return list(PROSE["findings"](page, text))


@pytest.mark.parametrize(
    "text, line",
    [
        (LONG, 1),
        (f"# Title\n\n{SHORT} {LONG}", 3),
        (f"{SHORT}\n{LONG}", 2),
        (f"- {SHORT}\n- {LONG}", 2),
        (f"1. {SHORT}\n   {LONG}", 2),
        (f"| a | b |\n|---|---|\n| {SHORT} | {LONG} |", 3),
        (f"# {LONG}", 1),
        (LONG.replace("word", "[word](https://example.com)"), 1),
        (LONG.replace("word", "`word. Word`"), 1),
        (LONG.replace("word", "e.g. Word", 1), 1),
        (LONG.replace("word", "e.g.\nWord", 1), 1),
        (LONG.replace("word", "v1.2 is. the", 1), 1),
        (LONG.replace("word ", "word;\n", 20), 1),
        (f"```\ncode\n```\n{LONG}", 4),
        (f"<!--\n{LONG}\n-->\n{LONG}", 4),
    ],
)
def test_too_long(text, line):
    found = findings(text)
    assert len(found) == 1
    assert found[0].startswith(f"page.md:{line}: a sentence of 4")


@pytest.mark.parametrize(
    "text",
    [
        SHORT,
        f"{SHORT} {SHORT}",
        f"{SHORT}\n{SHORT}",
        f"{SHORT}\n{SHORT.lower()}",
        f"{SHORT.replace('.', '!')} **{SHORT}** ({SHORT}) {SHORT}",
        f"# {SHORT[:-1]}\n{SHORT[:-1]}\n\n{SHORT[:-1]}\n- {SHORT[:-1]}\n- {SHORT[:-1]}",
        f"| {SHORT[:-1]} | {SHORT[:-1]} |\n| --- | --- |\n| {SHORT[:-1]} | |",
        f"Run it:\n\n    {LONG}\n\nor\n\n```sh\n{LONG}\n```\n",
        f"1. Run it:\n\n       {LONG}\n\n   and look.",
        f"<!-- {LONG}\nnobody -->",
        SHORT.replace("word", f"`{LONG}`"),
        SHORT.replace("word", "https://example.com/a-b-c?d=e&f=g"),
        SHORT.replace("word", f"[word](a/b-c.md#{'d-' * 30})"),
        "The setting `nobody` is no word; `what is` is code.",
        "A busybody answered: what, is it? The folder a-word-for-nobody-else is a name.",
    ],
)
def test_passes(text):
    assert findings(text) == []


@pytest.mark.parametrize("word", PROSE["AVOIDED"])
def test_avoided(word):
    text = f"# Title\n\nFirst line\nand {word.capitalize()} here.\n\n| a | {word} |"
    assert findings(text) == [f'page.md:4: "{word}"', f'page.md:6: "{word}"']


def test_avoided_at_the_end_of_a_line():
    assert findings("One\nsearched in\nvain for it.") == ['page.md:2: "in vain"']


def test_ceiling():
    PROSE["CEILINGS"]["quoting.md"] = (1, "quotes")
    assert findings("Nobody.", "quoting.md") == []
    assert findings("Nobody. Nobody.", "quoting.md") == ['quoting.md:1: "nobody" (2 on this page, 1 may be: quotes)'] * 2


def test_row_of_the_table():
    assert PROSE["row"]("page.md", f"# One\n\n{SHORT} Nobody comes. Nobody.") == ["page.md", 4, 40, 2, 0, 0, 0, 0, 0, 0]


def test_every_page_is_tracked():
    assert set(PROSE["GENERATED"]).isdisjoint(PROSE["tracked_pages"]())
    assert set(PROSE["CEILINGS"]) - {"quoting.md"} <= set(PROSE["tracked_pages"]())
