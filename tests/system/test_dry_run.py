"""`tutti produce --dry-run` finds what the pipeline would refuse, without a broker."""

import json
import shutil
import subprocess
import time

from test_policy_schema import BIN, ROOT
from waiting import patient

GOOD = {"message_id": "m", "source": "urn:x", "type": "track", "channel": "web", "occurred_at": "2026-01-31T09:30:00Z", "user_id": "u"}
MOST = 2**63 - 1


def dry_run(lines, folder, *words):
    """{number of the line: what is wrong}."""
    command = [BIN / "tutti", "produce", "--topic", "auto", "--dry-run", *words]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True, timeout=patient(60), check=False)
    bad = dict(line.removeprefix("error: line ").split(": ", 1) for line in done.stderr.splitlines() if line.startswith("error: line "))
    assert done.returncode == (1 if bad else 0), done
    return {int(number): why for number, why in bad.items()}


def test_what_the_pipeline_refuses(tmp_path):
    day = 86400 * 10**6
    now = int(time.time()) * 10**6
    refused = {
        "message_id is missing or blank": {"message_id": " "},
        "channel is missing or blank": {"channel": "\t"},
        "occurred_at is before min_time": {"occurred_at": now // 1000},
        "occurred_at is more than 24 hours after": {"occurred_at": now + day + 600 * 10**6},
        "occurred_at: a time outside": {"occurred_at": -1},
        "score: a number outside": {"score": 101},
        "value_micros: a number outside": {"value_micros": -MOST - 1},
        "department: text longer": {"department": "d" * 1001},
        "identifiers: more than 32": {"identifiers": [{"type": "email", "value": str(n)} for n in range(33)]},
        "900000": {"context_json": "x" * 500000, "traits_json": "y" * 500000},
    }
    taken = [{"value_micros": MOST}, {"value_micros": -MOST}, {"occurred_at": now + day - 600 * 10**6}]
    lines = [{**GOOD, **change} for change in (*refused.values(), *taken)]
    found = dry_run(lines, tmp_path)
    assert list(found) == list(range(1, len(refused) + 1)), found
    for why, says in zip(refused, found.values()):
        assert why in says or "900 kB" in says, (why, says)


def test_the_policy_that_it_finds(tmp_path):
    """min_time is that of policy.dir; 1971 where no policy is at hand."""
    shutil.copytree(ROOT / "policies", tmp_path / "mine")
    path = tmp_path / "mine" / "identity.json"
    path.write_text(path.read_text().replace('"min_time": "1971-01-01"', '"min_time": "2026-02-01"'))
    words = ("--policy.dir", tmp_path / "mine")
    assert dry_run([GOOD], tmp_path) == {}
    assert dry_run([GOOD], tmp_path, *words) == {1: "occurred_at is before min_time of identity.json"}
