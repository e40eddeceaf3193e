"""Plays a case in a world of its own: a fresh database and fresh topics on a stack that all cases share."""

import io
import json
import random
import re
import typing

import checksums  # of tests/oracle
import compare
from cluster import INPUTS, PARTITIONS, World, run_tool
from playing.asking import Table, ask_all
from playing.case import CaseError
from service import NAMES
from topics import touchpoint_of

KEY = b"the key of every case that is ever played"[:32]  # one key, so that ids are the same in every run
SETTINGS = {"flush.interval": "10ms", "kafka.consumer.fetch.wait.max.ms": 20}
BAD_LINE = re.compile(r"line (\d+): (.*)")


class Played(typing.NamedTuple):
    """What came out of playing a case in one order."""

    tables: list  # what was asked, the dead letters, and the lines that could not be sent
    checksums: dict
    views: int | None  # how many differ from the oracle; None: it was not asked
    difference: str  # and in what


def write_policies(case, folder):
    """The policies of a case, which must be valid."""
    case.write_policies(folder)
    checked = run_tool("policy", "check", folder, check=False)
    if checked.returncode != 0:
        said = checked.stderr.strip().removeprefix("error: ")
        raise CaseError(said.replace(str(folder), str(case.folder / "policy")))


def make_world(stack, directory, policies, partitions=1):
    """Identity changes have an order of their own: their topic has one partition."""
    counts = dict.fromkeys(PARTITIONS, partitions) | {"identity.changes": 1}
    return World(stack, directory, "play", policies=policies, partitions=counts, settings=SETTINGS, key=KEY)


class Player:
    """One case in one world. Use `play` first."""

    def __init__(self, world, case, as_of, instances=1):
        self.world, self.case, self.as_of, self.instances = world, case, as_of, instances
        self.refused, self.has_erased = [], False

    def play(self, steps):
        """Sends the steps, each once the pipeline has come to rest from the one before."""
        self.world.start(self.instances)
        for step in steps:
            self.send(step.lines)
            self.world.settle()
            for order in step.orders:
                self.give(order)
            if step.orders:
                self.world.settle()
        return self.look()

    def send(self, lines):
        """What `tutti produce` refuses is left out, and told."""
        text = "".join(line.text + "\n" for line in lines)
        done = self.world.tool("produce", "--topic", self.world.topic("touchpoints"), check=False, input=text)
        bad = [(int(number), why) for number, why in BAD_LINE.findall(done.stderr)]
        self.refused += [(lines[number - 1].place, why) for number, why in bad]
        if done.returncode != 0 and not bad:
            raise CaseError(f"tutti produce: {done.stderr.strip()}")

    def give(self, order):
        """What an operator orders."""
        word, *identifiers = order
        command, where = ["identity", word], ["--topic", self.world.topic("resolved"), "--group", self.world.group("suppression")]
        if word == "erase":
            self.has_erased, command, where = True, ["erase"], []
        done = self.world.tool(*command, *identifiers, "--reason", "a case", "--execute", *where, check=False)
        if done.returncode != 0:
            raise CaseError(f"tutti {' '.join([*command, *identifiers])}: {done.stderr.strip()}")

    def read_again(self):
        """Every service reads everything again."""
        self.world.read_again(NAMES)
        self.world.settle()
        return self.look()

    # --------------------------------------------------------------------------------------------------- looking

    def look(self):
        tables = ask_all(self.world.url, self.as_of, self.case.queries)
        dead = self.dead_letters()
        letters = list(dict(dead.values()).values())  # one per content: an event that was sent twice is told once
        tables.append(Table("dead letters", ["topic", "code", "message", "message_id"], letters))
        tables.append(Table("not sent", ["line", "why"], list(dict.fromkeys(self.refused))))
        return Played(tables, checksums.checksums(self.world.url, self.as_of), *self.ask_oracle(dead.keys()))

    def dead_letters(self):
        """{topic-partition-offset of the record: (its bytes, row)}. A letter that is written again has the same key."""
        found = {}
        for short in dict.fromkeys(short for inputs in INPUTS.values() for short in inputs):
            for letter in self.world.topics.read(self.world.dead_letters(short)):
                found[letter.key().decode()] = letter.value(), dead_letter(short, letter)
        return found

    def sent(self, dead):
        """The touchpoints on the topic that were not refused, as the oracle reads them."""
        topic = self.world.topic("touchpoints")
        for record in self.world.topics.read(topic):
            if f"{topic}-{record.partition()}-{record.offset()}" not in dead:
                yield touchpoint_of(record.value())

    def ask_oracle(self, dead):
        """(views that differ, in what). It knows nothing of erased people."""
        if self.has_erased:
            return None, ""
        self.world.lines = [json.dumps(touchpoint) for touchpoint in self.sent(dead)]
        try:
            views = self.world.oracle_views(self.as_of)
        except Exception as error:  # it is a program of its own, with faults of its own
            return 1, f"the oracle failed: {type(error).__name__}: {error}"
        out = io.StringIO()
        failures = compare.compare_all(self.world.url, views, self.as_of, show=3, out=out)
        text = re.sub(r"^ok .*\n", "", out.getvalue(), flags=re.MULTILINE)
        return failures, text.rstrip() if failures else ""


def dead_letter(short, letter):
    headers = {name: (value or b"").decode(errors="replace") for name, value in letter.headers()}
    code, message = headers["tutti.error.code"], headers["__connect.errors.exception.message"]
    return short, code, message.removeprefix(f"{code}: "), message_id_of(short, letter.value())


def message_id_of(short, value):
    """None where the record cannot be read."""
    try:
        return touchpoint_of(value)["message_id"] if short == "touchpoints" else None
    except Exception:
        return None


# ------------------------------------------------------------------------------------------------------------ orders


def doubled(steps):
    """Every event twice: the whole step a second time behind itself."""
    return [step._replace(lines=step.lines * 2) for step in steps]


def order_names(count):
    return ["file order", "reversed", *(f"seed {number}" for number in range(1, count - 1))][:count]


def ordered(steps, name, twice):
    """The same set in another order, cut into steps of the same sizes."""
    steps = doubled(steps) if twice else steps
    if name == "file order":
        return steps
    lines = [line for step in steps for line in step.lines]
    lines = lines[::-1] if name == "reversed" else random.Random(name).sample(lines, len(lines))
    cut, at = [], 0
    for step in steps:
        cut.append(step._replace(lines=lines[at : at + len(step.lines)]))
        at += len(step.lines)
    return cut


def changed_views(one, two):
    """Lines that name the views whose checksums differ."""
    changed = [name for name in one if one[name] != two[name]]
    return [f"{name}: {one[name][1]} rows before, {two[name][1]} after" for name in changed]


def changed_tables(one, two, with_chronicles):
    """Lines that say in which answers two plays differ; rows may come in another order."""
    said = []
    for before, after in zip(one, two):
        if before.is_chronicle and not with_chronicles:
            continue
        old, new = (table.rows if with_chronicles else convergent_rows(table) for table in (before, after))
        gone, came = without(old, new), without(new, old)
        if gone or came:
            said.append(f"{before.title}:")
            said += [f"  {sign} {', '.join(map(str, row))}" for sign, rows in (("-", gone), ("+", came)) for row in rows[:10]]
    return said


def convergent_rows(table):
    """Its rows without the time of storing."""
    kept = [at for at, column in enumerate(table.columns) if column != "loaded_at"]
    return [tuple(row[at] for at in kept) for row in table.rows]


def without(rows, others):
    left = list(others)
    return [row for row in rows if row not in left or left.remove(row)]

