"""Every output of the corpus, cut anywhere, with flipped bytes, with its lines shuffled: records or a format error."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import parsers
from ingest.errors import InputError
from ingest.outputs import decoded
from ingest.records import FormatError, Output

SEED = 20261123
ROOMS = ("mail", "kvm-lab/ab", "kvm-lab/gallery", "kvm-lab/kselftest", "kvm-lab/migrate", "mmtests/mmtest")
SUFFIXES = (".txt", ".out", ".log", ".json", ".jsonl")
LARGEST = 60_000  # what the others are made of too
Damage = Callable[[bytes, random.Random], bytes]


def cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def flipped(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def shuffled(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("room", ROOMS)
def test_a_damaged_output_gives_records_or_a_clear_error(shared: Path, room: str) -> None:
    chance = random.Random(f"{SEED} {room}")  # noqa: S311 - a reproducible choice, no secret
    contents = outputs(shared / "corpus" / room)[:200]

    for raw in contents:
        for damage in (cut, flipped, shuffled):
            assert "\n" not in refusal(damage(raw, chance))

    assert len(contents) > 20


def outputs(folder: Path) -> list[bytes]:
    """Every different output in a folder, in a stable order."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and 0 < path.stat().st_size < LARGEST)
    return list(dict.fromkeys(path.read_bytes() for path in files))


def refusal(raw: bytes) -> str:
    """Read bytes as an upload does; the error for people, or nothing. Any other exception fails the test."""
    try:
        parsers.parse(Output(decoded(raw, "x.out"), "x.out"))
    except (FormatError, InputError) as error:
        return str(error)
    return ""
