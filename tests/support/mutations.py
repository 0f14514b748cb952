"""Uploads that are nearly right: damaged bundles, outputs and contexts, the same ones for the same seed."""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Iterator

from ingest.collector import pack

CONTEXT = {"host": "bm1", "label": "a", "boot_id": "b1", "command": "./dirty_log_perf_test -v 1", "started_at": 1000.5}
_BITES = (b"\0", b"\xff" * 8, b"-" * 64, b"1e999", b"../../etc/passwd", b"\x1b[2J", b'{"a":' * 200, b"\xf0\x9f\x92\xa3")
_SAID = ("outputs", "facts", "context", "boot_since", "facts_named", "host", "label", "series", "version", "tags")
_VALUES = (
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "x" * 3000,
    "\0",
    "é" * 150,
    ".",
    "..",
    10**400,
    "\ud7ff\u202e",
    [],
    [[]] * 50,
    {"a": {}},
    "../..",
)


def uploads(seed: int, bundle: bytes, output: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers and body of one upload after the other, without end."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret
    while True:
        kind = chance.randrange(5)
        if kind == 0:
            yield {"Content-Type": "application/x-tar"}, damaged(chance, bundle)
        elif kind == 1:
            packed = damaged(chance, gzip.compress(damaged(chance, bundle), 1))
            yield {"Content-Type": "application/gzip"}, packed
        elif kind == 2:
            yield {"Content-Type": "text/plain", "Kvmperf-Context": _context(chance)}, output
        elif kind == 3:
            headers = {"Content-Type": "text/plain", "Kvmperf-Context": json.dumps(CONTEXT)}
            yield headers, damaged(chance, output)
        else:
            yield {"Content-Type": "application/x-tar"}, _resigned(chance, bundle)


def damaged(chance: random.Random, content: bytes) -> bytes:
    """The bytes with one to four wounds: cut, flipped, repeated, swapped, or with something put in."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        length = chance.choice((1, 8, 512, 4096))
        wound = chance.randrange(5)
        if wound == 0:
            content = content[:at]
        elif wound == 1 and at < len(content):
            content = content[:at] + bytes((content[at] ^ (1 << chance.randrange(8)),)) + content[at + 1 :]
        elif wound == 2:
            content = content[:at] + content[at : at + length] * chance.choice((2, 3, 50)) + content[at + length :]
        elif wound == 3:
            content = content[:at] + content[at + length :]
        else:
            content = content[:at] + chance.choice(_BITES) + content[at:]
    return content


def _resigned(chance: random.Random, bundle: bytes) -> bytes:
    """A bundle whose manifest says something else of a part, and has the digest of that."""
    written = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(bundle)) as old, tarfile.open(fileobj=written, mode="w") as new:
        for member in old:
            content = old.extractfile(member).read()
            if member.name == pack.MANIFEST:
                told = json.loads(content)
                part = chance.choice(told["parts"])
                for _ in range(chance.randint(1, 3)):
                    place = chance.choice((part, part["context"])) if isinstance(part["context"], dict) else part
                    place[chance.choice(_SAID)] = chance.choice((*_VALUES, "s001", "s001/dlp-1"))
                content = json.dumps({**told, "digest": pack.digest_of(told)}).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return written.getvalue()


def _context(chance: random.Random) -> str:
    context: dict[str, object] = dict(CONTEXT)
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(
            [
                *CONTEXT,
                "source",
                "ended_at",
                "series",
                "version",
                "patch",
                "exit_status",
                "kernel",
                "commit",
                "no such field",
            ]
        )
        if chance.random() < 0.3:
            context.pop(name, None)
        else:
            context[name] = chance.choice(_VALUES)
    text = json.dumps(context)
    return text if chance.random() < 0.8 else text[: chance.randrange(len(text))].rstrip()
