"""Random touchpoints and messages written by fastavro must be read the same by us. Run by avro_fastavro_test."""

import copy
import hashlib
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import uuid

import fastavro

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "avro"
MESSAGES = {"identity_change": 900001, "journey_diff": 900002, "contact_decision": 900004, "stage_change": 900005, "opportunity_change": 900006}
REQUIRED = {"message_id", "source", "type", "channel", "occurred_at"}
TEXTS = ["", "a", "1234567", "12345678", "somewhat longer text", "Zoë", "東京", "😀 smile", "x" * 300]


def load(name):
    return json.loads((SCHEMAS / f"{name}.avsc").read_text())


def encode(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def write_frames(path, frames):
    path.write_bytes(b"".join(struct.pack(">I", len(f)) + f for f in frames))


def read_frames(path):
    data, frames, at = path.read_bytes(), [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        frames.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return frames


def writer_schema(rng):
    """The published schema as another producer may have it: fields missing, reordered, added, null last, milliseconds."""
    schema = load("touchpoint")
    vary(rng, schema)
    return schema


def vary(rng, record):
    fields = [f for f in record["fields"] if f["name"] in REQUIRED | {"value"} or rng.random() < 0.85]
    if rng.random() < 0.5:
        rng.shuffle(fields)
    for field in fields:
        kind = field["type"]
        if isinstance(kind, list) and rng.random() < 0.3:
            field["type"] = kind = [kind[1], kind[0]]
            field.pop("default")
        for branch in kind if isinstance(kind, list) else [kind]:
            if isinstance(branch, dict) and branch.get("logicalType") and rng.random() < 0.4:
                branch["logicalType"] = "timestamp-millis"
            if isinstance(branch, dict) and branch["type"] == "record":
                vary(rng, branch)
            if isinstance(branch, dict) and branch["type"] == "array":
                vary(rng, branch["items"])
    if rng.random() < 0.5:
        extra = {"name": "own_field", "type": {"type": "array", "items": ["null", "double", "string"]}}
        fields.insert(rng.randrange(len(fields) + 1), extra)
    record["fields"] = fields


def random_value(rng, kind, name):
    if isinstance(kind, list):
        return random_value(rng, rng.choice(kind), name)
    if isinstance(kind, str):
        kind = {"type": kind}
    match kind["type"]:
        case "null":
            return None
        case "boolean":
            return rng.random() < 0.5
        case "int":
            return rng.randint(0, 100)
        case "long":
            return rng.randint(0, 2**45)
        case "double":
            return rng.random()
        case "string":
            return rng.choice(TEXTS[1:] if name in REQUIRED else TEXTS)
        case "bytes":
            return rng.randbytes(rng.randint(0, 40))
        case "fixed" | "Id":
            return bytes([1 + rng.randrange(255)]) + rng.randbytes(15)
        case "array":
            return [random_value(rng, kind["items"], None) for _ in range(rng.randint(0, 4))]
        case "map":
            return {rng.choice(TEXTS) + str(i): rng.random() < 0.5 for i in range(rng.randint(0, 4))}
        case "record":
            return {f["name"]: random_value(rng, f["type"], f["name"]) for f in kind["fields"]}
    raise ValueError(kind)


def in_micros(schema_type, value):
    branches = schema_type if isinstance(schema_type, list) else [schema_type]
    millis = any(isinstance(b, dict) and b.get("logicalType") == "timestamp-millis" for b in branches)
    return value * 1000 if millis else value


def flatten(schema, record, prefix, out):
    for field in schema["fields"]:
        name, value, kind = field["name"], record[field["name"]], field["type"]
        if value is None or name == "own_field":
            continue
        if name == "identifiers":
            out[name] = [[i.get("type"), i["value"], i.get("encoding", "none"), i.get("collection", "users")] for i in value]
        elif name in ("consent", "is_test", "is_bot"):
            out[name] = value
        elif isinstance(value, dict):
            inner = next(b for b in kind if isinstance(b, dict))
            flatten(inner, value, name + ".", out)
            out["has_contact"] |= name == "contact"
        else:
            out[prefix + name] = in_micros(kind, value)


def event_id(record):
    data = b"".join(struct.pack(">I", len(b)) + b for b in (record["source"].encode(), record["message_id"].encode()))
    return str(uuid.UUID(bytes=hashlib.blake2b(data, digest_size=16).digest()))


def expected(schema, record):
    out = {"identifiers": [], "is_test": False, "is_bot": False, "has_contact": False, "event_id": event_id(record)}
    flatten(schema, record, "", out)
    return out


def check_touchpoints(program, folder, rng):
    schema = writer_schema(rng)
    parsed = fastavro.parse_schema(copy.deepcopy(schema))
    records = [random_value(rng, schema, None) for _ in range(40)]
    (folder / "schema.avsc").write_text(json.dumps(schema))
    write_frames(folder / "frames", [encode(parsed, r) for r in records])
    lines = subprocess.run(
        [program, "--dump", folder / "schema.avsc", folder / "frames"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert len(lines) == len(records), f"{len(lines)} lines"
    for line, record in zip(lines, records):
        got, want = json.loads(line), expected(schema, record)
        wrong = {k: (got.get(k), want.get(k)) for k in got.keys() | want.keys() if got.get(k) != want.get(k)}
        assert not wrong, f"got, expected: {wrong}"


def check_messages(program, folder, rng, kind):
    schema = load(kind)
    parsed = fastavro.parse_schema(copy.deepcopy(schema))
    frames = []
    for _ in range(200):
        record = random_value(rng, schema, None)
        frames.append(b"\0" + struct.pack(">I", MESSAGES[kind]) + encode(parsed, record))
    write_frames(folder / "in", frames)
    subprocess.run([program, "--recode", kind, folder / "in", folder / "out"], check=True)
    assert read_frames(folder / "out") == frames, kind


def main():
    program = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get("TUTTI_SEED", time.time()))
    print(f"TUTTI_SEED={seed}", flush=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        for _ in range(25):
            check_touchpoints(program, pathlib.Path(name), rng)
        for kind in MESSAGES:
            check_messages(program, pathlib.Path(name), rng, kind)
    print("ok")


if __name__ == "__main__":
    main()
