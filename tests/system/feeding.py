"""A channel system in the background: sends its lines in small pieces while the test does its worst."""

import itertools
import subprocess
import threading

from cluster import ToolFailed
from waiting import until


class Feeder:
    """Sends the world's lines on a thread, each piece again until it is acknowledged.

    with Feeder(world, lines, pieces=40) as feeder:
        feeder.wait_for_pieces(3)   # three more are acknowledged

    outlasts: once all are sent it begins again, until the block is left: the load lasts as long as what is done under it.
    """

    def __init__(self, world, lines, pieces, outlasts=False):
        size = -(-len(lines) // pieces)
        self.world = world
        self.pieces = [lines[at : at + size] for at in range(0, len(lines), size)]
        self.sent, self.allowed, self.failure = 0, len(self.pieces), None
        self.outlasts = outlasts
        self.is_left, self.ends = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, name="feeder")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.is_left.set()
        if kind is not None:
            self.ends.set()
        self.thread.join()
        if kind is None:
            assert self.failure is None, self.failure
            assert self.sent >= len(self.pieces)

    def run(self):
        try:
            for piece in itertools.cycle(self.pieces):
                self.send(piece)
                self.sent += 1
                if self.ends.is_set() or (self.sent >= len(self.pieces) and (self.is_left.is_set() or not self.outlasts)):
                    return
        except Exception as failure:  # told by the thread that joins
            self.failure = failure

    def send(self, piece):
        """Until the broker has all of it; while the broker is away, a piece may arrive twice."""
        while not self.ends.is_set():
            try:
                return self.world.produce(piece)
            except (ToolFailed, subprocess.TimeoutExpired) as failure:
                self.last_error = failure
        return None

    def wait_for_pieces(self, count, seconds=240):
        """Until so many more pieces are sent, or all are."""
        goal = self.sent + count if self.outlasts else min(self.sent + count, len(self.pieces))
        until(lambda: self.sent >= goal or self.failure, seconds, "the feeder")
        assert self.failure is None, self.failure
