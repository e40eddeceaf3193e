"""A corpus that cannot be replayed fails the run of a fuzz target, which says where it lies."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TUTTI_BUILD_DIR") or ROOT / "build" / "release")


def replay(*paths):
    return subprocess.run([BUILD / "tests" / "fuzz" / "cells_fuzz", *paths], text=True, capture_output=True, check=False)


def folder_with_broken_link(folder):
    (folder / "input").symlink_to(folder / "gone")
    return folder / "input"


@pytest.mark.parametrize(
    "make",
    [lambda folder: folder / "missing", lambda folder: folder, folder_with_broken_link],
    ids=["missing", "empty", "unreadable"],
)
def test_a_corpus_that_cannot_be_replayed_fails(tmp_path, make):
    at_fault = make(tmp_path)
    corpus = at_fault if not at_fault.is_symlink() else tmp_path
    done = replay(corpus)
    assert done.returncode == 1, done.stdout
    assert f"cannot replay {at_fault}: " in done.stderr


def test_one_empty_folder_among_others_fails(tmp_path):
    done = replay(ROOT / "tests" / "fuzz" / "corpus" / "cells", tmp_path)
    assert (done.returncode, str(tmp_path) in done.stderr) == (1, True)


def test_no_corpus_at_all_fails():
    assert replay().returncode == 1


def test_a_corpus_is_replayed():
    done = replay(ROOT / "tests" / "fuzz" / "corpus" / "cells")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("replayed ")
