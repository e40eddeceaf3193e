"""Addresses and numbers of every code point: the C forms of values must be what the oracle finds.

Usage: identity_values.py PROGRAM     PROGRAM: tests/property/property_identity_values_test of a build
"""

import json
import random
import re
import subprocess
import sys
import unicodedata

from identity import Identifiers
from support import ROOT

MIXED = 20000
LARGE = re.compile("CJK UNIFIED|HANGUL SYLLABLE|TANGUT|CUNEIFORM|EGYPTIAN|NUSHU|KHITAN")
SCHEMES = ("email", "phone", "user_id")


def code_points():
    """All that mean something in this Unicode; of the large scripts, where all are alike, one in 97."""
    known = [chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]
    return [point for point in known if not LARGE.match(unicodedata.name(point, "")) or ord(point) % 97 == 0]


def values(points):
    """(type, value, encoding): each code point in each place, then texts of many."""
    for point in points:
        yield "email", f"Jane{point}D@x.org", "none"
        yield "email", f"j@X{point}y.org", "none"
        yield "phone", f"+4930{point}123456", "none"
    chance = random.Random(4)
    odd = [point for point in points if not point.isalnum()] + list("@@@..++--tel: ") * 300
    for _ in range(MIXED):
        pool = chance.choice([odd, points])
        text = "".join(chance.choice([chance.choice(pool), chance.choice("aB1@.x+ \u0345\u00df\u03a3")]) for _ in range(8))
        yield chance.choice(SCHEMES), text + chance.choice(["@x.org", "", "030 1234567"]), chance.choice(["none", "sha256"])


def main():
    policy = json.loads((ROOT / "policies" / "identity.json").read_text())
    oracle = Identifiers(policy, b"")
    asked = list(values(code_points()))
    text = "".join(json.dumps(row) + "\n" for row in asked)
    done = subprocess.run([sys.argv[1], "--values"], input=text, capture_output=True, text=True, timeout=600)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(found) == len(asked), done.stderr
    wrong = [(row, oracle.normalise(*row), have) for row, have in zip(asked, found) if oracle.normalise(*row) != have]
    for row, wanted, have in wrong[:10]:
        print(f"{ascii(row)}: expected {ascii(wanted)}, found {ascii(have)}")
    print(f"{len(asked)} values, {len(wrong)} differ")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
