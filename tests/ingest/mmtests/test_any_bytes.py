"""What must hold for every file of a tree, export or table: records or a format error, whatever happened to it."""

import gzip
import lzma
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from mmtests_tree import HACKBENCH, TIMED

from ingest import parsers
from ingest.mmtests.finding import Part, is_iteration, parts_of_run, read_part
from ingest.records import FormatError, Output, Record

HANDMADE = {
    "hackbench-process-pipes/logs/hackbench-1": HACKBENCH.encode(),
    "trunc/logs/time-fault-1.gz": gzip.compress(TIMED.encode()),
    "fio/logs/fio_lat.1.log.xz": lzma.compress(b"20, 242128, 0, 0, 0\n"),
    "saladfork/logs/saladfork-0.log": b"PARENT CHILD LATENCY\n000 001 142\n",
    "redis/logs/redis-2-1.log": b'"test","rps","avg_latency_ms"\n"GET","1.5","0.1"\n',
}
Change = Callable[[bytes, st.DataObject], bytes]


def records_or_nothing(output: Output) -> list[Record]:
    try:
        return parsers.parse(output)
    except FormatError:
        return []


def cut(raw: bytes, data: st.DataObject) -> bytes:
    return raw[: data.draw(st.integers(0, len(raw)))]


def flip(raw: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(raw)
    for place in data.draw(st.lists(st.integers(0, max(0, len(raw) - 1)), max_size=12)) if raw else ():
        changed[place] = data.draw(st.integers(0, 255))
    return bytes(changed)


def shuffle(raw: bytes, data: st.DataObject) -> bytes:
    """Lines in another order, inside the packing where there is one."""
    unpack, pack = next(((one, two) for head, one, two in PACKINGS if raw.startswith(head)), (bytes, bytes))
    lines = unpack(raw).split(b"\n")
    random.Random(data.draw(st.integers())).shuffle(lines)  # noqa: S311 - a reproducible order, no secret
    return pack(b"\n".join(lines))


PACKINGS = ((b"\x1f\x8b", gzip.decompress, gzip.compress), (b"\xfd7zXZ", lzma.decompress, lzma.compress))
changes = st.sampled_from((cut, flip, shuffle))


@given(st.sampled_from(sorted(HANDMADE)), changes, st.data())
def test_a_damaged_log_gives_records_or_a_format_error(name: str, change: Change, data: st.DataObject) -> None:
    stamps = f"test begin :: {name.partition('/')[0]} 1\ntest end :: {name.partition('/')[0]} 2 0\n".encode()

    records_or_nothing(Output("", "r/iter-0/x", files={name: change(HANDMADE[name], data), "tests-timestamp": stamps}))


@given(st.dictionaries(st.text(max_size=30), st.binary(max_size=50), max_size=4))
def test_any_files_give_records_or_a_format_error(files: dict[str, bytes]) -> None:
    records_or_nothing(Output("", files=files | {"tests-timestamp": b"start :: 1\n"}))


@given(st.binary(max_size=400))
def test_any_timestamps_give_an_iteration_or_a_format_error(raw: bytes) -> None:
    records_or_nothing(Output("", files={"tests-timestamp": raw, "folders.txt": b"a\nb"}))


@cache
def captured_parts(shared: Path) -> list[Output]:
    """One part of each benchmark in the corpus, and one more of the edge cases."""
    logs = shared / "corpus" / "mmtests"
    runs = sorted(path.parent for path in logs.glob("*logs/*/iter-0")) + sorted(logs.glob("edge/logs/*"))
    parts: dict[str, Part] = {}
    for run in dict.fromkeys(runs):
        if is_iteration(run / "iter-0"):
            for part in parts_of_run(run):
                kind = "edge" if "edge" in str(run) else ""
                parts.setdefault(f"{kind}{part.benchmark}", part)
    return [read_part(part) for part in parts.values()]


def test_damaged_files_of_the_corpus_give_records_or_a_format_error(shared: Path) -> None:
    outputs = captured_parts(shared)
    assert len(outputs) > 20

    @given(st.sampled_from(outputs), changes, st.data())
    def check(output: Output, change: Change, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(output.files)))
        changed = change(output.files[name], data) if not name.endswith(".tar.gz") else b""

        records_or_nothing(Output("", output.source, files={**output.files, name: changed}))

    check()


def test_damaged_texts_of_the_corpus_give_records_or_a_format_error(shared: Path) -> None:
    corpus = shared / "corpus" / "mmtests"
    files = [
        *sorted((corpus / "reports").glob("*.txt")),
        *sorted((corpus / "oracle").glob("*/*compare*.txt")),
        *sorted((corpus / "oracle").glob("*/*.json")),
    ]
    texts = [file.read_bytes() for file in files if file.stat().st_size < 100_000]
    assert len(texts) > 100

    @given(st.sampled_from(texts), changes, st.data())
    def check(raw: bytes, change: Change, data: st.DataObject) -> None:
        records_or_nothing(Output(change(raw, data).decode("utf-8", "replace")))

    check()
