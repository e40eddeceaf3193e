"""The corpus of bad records: what a broken or hostile producer may send, each with the code of its dead letter."""

import io
import json
import struct
import time

import fastavro

from topics import SCHEMAS, framed

HOUR = 3600 * 1000000
FAR = (1 << 63) - 1
PREFIX = 5


def zigzag(value):
    """Avro's long."""
    bits = (value << 1) ^ (value >> 63)
    out = bytearray()
    while True:
        out.append(bits & 0x7F | (0x80 if bits > 0x7F else 0))
        bits >>= 7
        if not bits:
            return bytes(out)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return zigzag(len(raw)) + raw


def changed(good, **fields):
    """The touchpoint with other fields, encoded."""
    return framed(1, {**good, **fields})


def raw_head(good, message_id):
    """The prefix and message_id, given as encoded bytes, then the rest of the touchpoint."""
    plain = framed(1, good)
    return plain[:PREFIX] + message_id + plain[PREFIX + len(text(good["message_id"])) :]


def framings(good):
    plain = framed(1, good)
    yield "null value", None, ()
    yield "empty value", b"", ()
    yield "wrong magic", b"\x07" + plain[1:], ()
    yield "glue's magic", b"\x03" + plain[1:], ()
    yield "plain JSON", json.dumps(good).encode(), ()
    yield "single-object prefix", b"\xc3\x01" + plain, ()
    yield "unknown schema id", b"\x00" + struct.pack(">I", 4711) + plain[PREFIX:], ()
    yield "schema id of our own message", b"\x00" + struct.pack(">I", 900002) + plain[PREFIX:], ()
    yield "largest schema id", b"\x00\xff\xff\xff\xff" + plain[PREFIX:], ()
    yield "unknown GUID", plain[PREFIX:], [("__value_schema_id", b"\x01" + bytes(range(16)))]
    yield "malformed GUID", plain[PREFIX:], [("__value_schema_id", b"\x01\x02\x03")]


def truncations(good):
    plain = framed(1, good)
    for length in sorted({1, 3, 4, 5, 6, 7, 12, len(plain) // 3, len(plain) // 2, len(plain) - 2, len(plain) - 1}):
        yield f"truncated at {length}", plain[:length], ()
    yield "trailing byte", plain + b"\x00", ()
    yield "another record behind", plain + plain[PREFIX:], ()


def lengths(good):
    for length in (-1, 1 << 20, 1 << 31, 1 << 40, FAR, -FAR - 1):
        yield f"text of length {length}", raw_head(good, zigzag(length) + b"abc"), ()
    yield "endless number", raw_head(good, b"\xff" * 12), ()
    head = b"\x00" + struct.pack(">I", 1) + text("m") + text("urn:x") + text("track") + text("web") + zigzag(1)
    before_identifiers = head + zigzag(0) * 16
    for count in (1 << 20, 1 << 31, FAR, -FAR - 1):
        yield f"{count} identifiers", before_identifiers + zigzag(count) + b"\x00" * 8, ()
    yield "endless empty identifiers", before_identifiers + (zigzag(33) + text("") * 4 * 33) + zigzag(0), ()
    yield "union branch out of range", head + zigzag(7), ()


def values(good):
    now = int(time.time() * 1000000)
    yield "bad UTF-8", raw_head(good, text(b"caf\xe9")), ()
    yield "overlong UTF-8", raw_head(good, text(b"\xc0\xaf")), ()
    yield "surrogate in UTF-8", raw_head(good, text(b"\xed\xa0\x80")), ()
    yield "NUL in a text", raw_head(good, text(b"bob\x00evil")), ()
    yield "time after the year 9999", changed(good, occurred_at=253402300800000000), ()
    yield "time at the end of numbers", changed(good, occurred_at=FAR), ()
    yield "time before 1970", changed(good, occurred_at=-1), ()
    yield "time 25 hours ahead", changed(good, occurred_at=now + 25 * HOUR), ()
    yield "milliseconds for microseconds", changed(good, occurred_at=now // 1000), ()
    yield "seconds for microseconds", changed(good, occurred_at=now // 1000000), ()
    yield "money that is no amount", changed(good, cost_micros=-FAR - 1), ()
    yield "score above 100", changed(good, score=101), ()
    yield "score below -100", changed(good, score=-101), ()
    yield "negative session_index", changed(good, session_index=-1), ()


def missing_fields(good):
    for field in ("message_id", "source", "type", "channel"):
        yield f"empty {field}", changed(good, **{field: ""}), ()
        yield f"blank {field}", changed(good, **{field: " \t"}), ()


def large(good):
    yield "larger than 900 kB", changed(good, context_json=json.dumps({"x": "y" * 930000})), ()
    yield "text beyond its limit", changed(good, user_agent="u" * 70000), ()
    yield "headers beyond the limit", framed(1, good), [("big", b"h" * 920000)]


def touchpoints(good):
    """(name, value, headers) of every bad touchpoint; good is a dict with all required fields."""
    for part in (framings, truncations, lengths, values, missing_fields, large):
        yield from part(good)


def own_message(schema_id):
    """Some well-formed record of one of our own schemas, with values that no program writes."""
    found = {
        900001: {"version": 1, "changed_at": 1, "cause": "touchpoint", "cause_id": None, "moves": []},
        900002: {"lane": 999, "seq": 1, "more": False, "again": False, "generation": b"g" * 16, "raw_size": 9, "cells": b"garbage"},
    }
    return found[schema_id]


def framed_badly(schema_id):
    """Bad records of one of our own schemas."""
    plain = framed(schema_id, own_message(schema_id))
    yield "null value", None
    yield "empty value", b""
    yield "wrong magic", b"\x09" + plain[1:]
    yield "another schema", framed(1, {"message_id": "1", "source": "s", "type": "t", "channel": "c", "occurred_at": 1})
    for length in (3, 5, 6, len(plain) - 1):
        yield f"truncated at {length}", plain[:length]
    yield "trailing byte", plain + b"\x00"


def identity_changes():
    yield from framed_badly(900001)
    head = b"\x00" + struct.pack(">I", 900001) + zigzag(1) + zigzag(1) + text("x") + zigzag(0)
    for count in (1 << 31, FAR, -FAR - 1):
        yield f"{count} moves", head + zigzag(count) + b"\x00" * 48


def journey_diffs():
    yield from framed_badly(900002)
    good = own_message(900002)
    yield "negative lane", framed(900002, {**good, "lane": -1})
    yield "number 0", framed(900002, {**good, "seq": 0})
    yield "largest number", framed(900002, {**good, "seq": FAR})


def broken_cells(generation):
    """Cells that cannot be unpacked, in the active generation, on lanes that are not in use."""
    good = {**own_message(900002), "generation": generation}
    for lane, raw_size, cells in ((901, 9, b"garbage"), (902, -1, b""), (903, 1 << 30, b"\xff" * 64), (904, 4, b"")):
        record = {**good, "lane": lane, "raw_size": raw_size, "cells": cells}
        yield f"cells {cells[:8]!r} of {raw_size}", framed(900002, record)


def resolved_touchpoints(good):
    start = b"\x00" + struct.pack(">I", 2000001)
    head = bytes(range(48)) + bytes(8) + bytes(2)
    plain = start + head + bytes(1) + framed(1, good)[PREFIX:]
    yield "null value", None
    yield "empty value", b""
    yield "wrong magic", b"\x01" + plain[1:]
    yield "a touchpoint as it was sent", framed(1, good)
    yield "unknown schema id", b"\x00" + struct.pack(">I", 2004711) + plain[PREFIX:]
    for length in (3, 5, 20, 60, 61, 62, 63, len(plain) - 1):
        yield f"truncated at {length}", plain[:length]
    yield "others without end", start + head + b"\xfe\xff\xff\xff\x0f" + framed(1, good)[PREFIX:]
    yield "trailing byte", plain + b"\x00"
    yield "bad UTF-8", plain.replace(good["source"].encode(), b"\xff" * len(good["source"]))


def is_well_formed(value):
    """Whether fastavro reads all of a framed touchpoint; for a check of the corpus itself."""
    stream = io.BytesIO(value[PREFIX:])
    try:
        fastavro.schemaless_reader(stream, SCHEMAS[1], None)
    except Exception:
        return False
    return not stream.read(1)
