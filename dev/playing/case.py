"""A case: a small story in a folder. It is read and checked before anything runs."""

import json
import pathlib
import re
import typing

import policy  # of tests/oracle
from render import COLUMNS
from stack import ROOT

POLICIES = ROOT / "policies"
# What names something that another file declares: whole files, and one section of a file.
NAMES_OF = {"targets": "goals", "orchestration": "segments"}
SECTION_OF = {"journey": ("influence", "goals")}
POLICY_FILES = ("identity", "journey", "goals", "contact", "channels", "referrers", "segments", "traits", "targets", "orchestration")
FIXED_SET = pathlib.Path(__file__).with_name("fixed_set.sql")
ALWAYS = "contact decisions"  # the query of the fixed set that is asked in any case
ORDERS = {"link": 2, "same": 2, "unlink": 2, "release": 1, "erase": 1}  # how many identifiers each takes

AS_OF = re.compile(r"\s*--\s*as_of:\s*(\S+)")
END_OF_STATEMENT = re.compile(r";[ \t]*(?:--[^\n]*)?(?:\n|$)")


class CaseError(Exception):
    """What is wrong with a case, for the person who wrote it."""


class Line(typing.NamedTuple):
    """A touchpoint as text, and where it stands."""

    place: str
    text: str


class Step(typing.NamedTuple):
    """Touchpoints that are sent together, and what an operator orders once they have come to rest."""

    lines: list
    orders: list


class Query(typing.NamedTuple):
    """number: from 1, in the order of check.sql, None in the fixed set; title: the comment above it, or its own text."""

    number: int | None
    title: str
    statement: str

    @property
    def is_chronicle(self):
        """Whether it asks a view that tells what was done at the time, which depends on the order of arrival."""
        return not set(re.findall(r"\btutti\.(\w+)", self.statement)) <= COLUMNS.keys() | {"as_of"}


class Case:
    """A folder as it was read."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not self.folder.is_dir():
            raise CaseError(f"{folder}: there is no such folder")
        self.name = self.folder.resolve().name
        self.steps = read_steps(self.folder)
        self.as_of, self.queries = None, []
        self.read_check(self.folder / "check.sql")
        self.has_fixed_set = not self.queries
        fixed = queries_of(FIXED_SET.read_text(encoding="utf-8"))
        self.queries += [query._replace(number=None) for query in fixed if self.has_fixed_set or query.title == ALWAYS]

    @property
    def lines(self):
        return [line for step in self.steps for line in step.lines]

    def read_check(self, path):
        if not path.exists():
            return
        text = read_text(path)
        found = AS_OF.match(text)
        if found:
            try:
                self.as_of = policy.instant(found.group(1))
            except ValueError as error:
                raise CaseError(f"{path}:1: as_of: {error}") from None
        self.queries = queries_of(text)

    def write_policies(self, directory):
        """Fills a folder with the case's policies: its own files, and those of the base that it does not have.

        What names something that another file declares goes with that file: goals of its own have only targets of its own.
        """
        own = self.folder / "policy"
        base = base_of(own)
        directory.mkdir()
        for name in POLICY_FILES:
            is_own = name in NAMES_OF and (own / f"{NAMES_OF[name]}.json").exists()
            folders = [own] if is_own else [own, base]
            for file in [folder / f"{name}.json" for folder in folders if (folder / f"{name}.json").exists()][:1]:
                (directory / file.name).write_bytes(file.read_bytes())
        for name, (section, declaring) in SECTION_OF.items():
            if (own / f"{declaring}.json").exists() and not (own / f"{name}.json").exists():
                leave_out(directory / f"{name}.json", section)

    def wanted_file(self, elsewhere=None):
        """The file of its expected rows, or None. elsewhere: a folder of folders that comes first."""
        folders = [self.folder]
        if elsewhere:
            short = self.name.partition("-")[2]
            folders[:0] = [elsewhere / name for name in (self.name, short) if name]
        files = (folder / "expected.jsonl" for folder in folders)
        return next((file for file in files if file.exists()), None)


def leave_out(path, section):
    document = json.loads(path.read_text(encoding="utf-8"))
    document.pop(section, None)
    path.write_text(json.dumps(document), encoding="utf-8")


def read_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: {error}") from None


def read_steps(folder):
    """events.jsonl, events2.jsonl and so on, each with the orders that follow it."""
    if not (folder / "events.jsonl").exists():
        raise CaseError(f"{folder}: there is no events.jsonl: nothing to play")
    steps, suffix = [], ""
    while (folder / f"events{suffix}.jsonl").exists():
        steps.append(Step(read_lines(folder / f"events{suffix}.jsonl"), read_orders(folder / f"orders{suffix}.jsonl")))
        suffix = len(steps) + 1
    refuse_stray_files(folder, len(steps))
    return steps


def refuse_stray_files(folder, count):
    """A file behind a gap in the numbers would silently not be played."""
    known = {f"{kind}{suffix}.jsonl" for kind in ("events", "orders") for suffix in ("", *range(2, count + 1))}
    for path in sorted([*folder.glob("events*.jsonl"), *folder.glob("orders*.jsonl")]):
        if path.name not in known:
            raise CaseError(f"{path}: is not played: the files are events.jsonl, events2.jsonl and so on, without a gap")


def objects(path, kind):
    """(place, text, value) of each JSON line, which must be of the kind."""
    for number, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except ValueError as error:
            raise CaseError(f"{path}:{number}: not JSON: {error}") from None
        if not isinstance(value, kind):
            raise CaseError(f"{path}:{number}: expected a JSON {'object' if kind is dict else 'list'}")
        yield f"{path.name}:{number}", text.strip(), value


def read_lines(path):
    return [Line(place, text) for place, text, _ in objects(path, dict)]


def read_orders(path):
    """Lists such as ["link", "user_id:a", "email:b@example.com"]."""
    if not path.exists():
        return []
    found = []
    for place, _, order in objects(path, list):
        if not all(isinstance(word, str) for word in order) or ORDERS.get(order[0] if order else "") != len(order) - 1:
            raise CaseError(f"{path.parent / place}: expected link, same or unlink with two identifiers, release or erase with one")
        found.append(order)
    return found


def base_of(own):
    """The folder of the shipped policies that a case builds on."""
    if not own.exists():
        return POLICIES
    unknown = {path.name for path in own.iterdir()} - {"BASE", *(f"{name}.json" for name in POLICY_FILES)}
    if unknown:
        raise CaseError(f"{own / min(unknown)}: is no policy file; those are BASE and {', '.join(POLICY_FILES)} (.json)")
    name = read_text(own / "BASE").strip() if (own / "BASE").exists() else ""
    if name not in ("", "bank"):
        raise CaseError(f"{own / 'BASE'}: expected bank, found {name!r}")
    return POLICIES / name


def queries_of(text):
    """The statements of a file; each ends with a semicolon at the end of a line."""
    found = []
    for chunk in END_OF_STATEMENT.split(text):
        comments, statement = [], chunk.strip()
        while statement.startswith("--"):
            comment, _, statement = statement.partition("\n")
            statement = statement.strip()
            if not AS_OF.match(comment):
                comments.append(comment.lstrip("- ").strip())
        if statement:
            title = comments[-1] if comments else " ".join(statement.split())
            found.append(Query(len(found) + 1, title, statement))
    return found
