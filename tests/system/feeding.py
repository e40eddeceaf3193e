"""A channel system in the background: sends its lines in small pieces while the test does its worst."""

import subprocess
import threading

from cluster import ToolFailed
from waiting import until


class Feeder:
    """Sends the world's lines on a thread, each piece again until it is acknowledged.

    with Feeder(world, lines, pieces=40) as feeder:
        feeder.wait_for_pieces(3)   # three more are acknowledged
    """

    def __init__(self, world, lines, pieces):
        size = -(-len(lines) // pieces)
        self.world = world
        self.pieces = [lines[at : at + size] for at in range(0, len(lines), size)]
        self.sent, self.allowed, self.failure = 0, len(self.pieces), None
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, name="feeder")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.ends.set()
        self.thread.join()
        if kind is None:
            assert self.failure is None, self.failure
            assert self.sent == len(self.pieces)

    def run(self):
        try:
            for piece in self.pieces:
                self.send(piece)
                self.sent += 1
                if self.ends.is_set():
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

    def wait_for_pieces(self, count, seconds=120):
        """Until so many more pieces are sent, or all are."""
        goal = min(self.sent + count, len(self.pieces))
        until(lambda: self.sent >= goal or self.failure, seconds, "the feeder")
        assert self.failure is None, self.failure
