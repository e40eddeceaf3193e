"""What a service holds in memory while it reads large touchpoints that have piled up."""

import pathlib

from people import START, touchpoint
from topics import framed

LARGE = 890_000  # below max.record.bytes
UNREAD = 1_500  # 1.3 GB
MOST = 512 << 20  # docs/operations.md says so of a service at its default settings


def large(number):
    """A touchpoint with two large texts that nobody reads."""
    half = "x" * (LARGE // 2)
    return framed(1, touchpoint(f"large {number}", START, user_id=f"u{number % 50}", properties_json=half, context_json=half))


def peak(service):
    """Bytes of memory that the process had at most."""
    status = pathlib.Path(f"/proc/{service.process.pid}/status").read_text()
    (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kilobytes) << 10


def test_large_touchpoints_that_piled_up(world):
    for start in range(0, UNREAD, 100):
        world.topics.produce(world.topic("touchpoints"), [(None, large(n), None) for n in range(start, start + 100)])
    services = world.start()
    world.settle(240)
    held = {service.name: peak(service) for service in services}
    assert all(bytes_ < MOST for bytes_ in held.values()), {name: f"{bytes_ >> 20} MB" for name, bytes_ in held.items()}
    assert world.query("SELECT count(*) FROM tutti.fct_touchpoints") == [(UNREAD,)]
    world.stop()
