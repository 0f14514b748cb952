"""Futexes and mutexes: perf bench futex in three dresses, and sysbench mutex."""

import re

from ingest.parsers.mmtests.benchmarks.cpu import one_per_file
from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan, natural

_WOKEN = re.compile(r"\[Run \d{1,9}\]: (?:Wokeup|Requeued) .{1,200}? in (?P<value>\S{1,40}) ms")
_HASHED = re.compile(r"\[thread +\d{1,9}\] .{0,200}\[ (?P<value>\S{1,40}) ops/sec \]")
_KIND = re.compile(r"\[(?P<kind>private|shared)\]")
_FUTEX_WAKE = re.compile(r"benchlog-(?P<threads>\d{1,9})-_-(?P<iteration>\d{1,9})")
_PERCENTILE = re.compile(r"\s*95th percentile:\s{1,40}(?P<value>\S{1,40})")
_WORKLOADS = ("wake", "wake-parallel", "requeue", "hash", "lock-pi")


def futex_wake(logs: Logs, scan: Scan) -> None:
    """wake-latency-T in microseconds (perf prints ms); all runs in a file carry the iteration of the file."""
    for name in sorted((name for name in logs.names if _FUTEX_WAKE.fullmatch(name)), key=natural):
        match = _FUTEX_WAKE.fullmatch(name)
        assert match is not None  # noqa: S101 (filtered by this very pattern)
        operation = f"wake-latency-{match['threads']}"
        found = _values(logs, name, _WOKEN)
        for value in found:
            scan.add(operation, _thousandfold(value), int(match["iteration"]))
        if not found:
            scan.lacks(name, operation)


def futexbench(logs: Logs, scan: Scan) -> None:
    """WORKLOAD-KIND-T: milliseconds until all are woken or moved; for hash operations per second of each thread."""
    names = logs.text("workloads").split() or _WORKLOADS
    for workload in [name for name in names if re.fullmatch(r"[\w-]{1,40}", name)]:
        pattern = re.compile(rf"{re.escape(workload)}-(?P<threads>\d{{1,9}})\.log")
        for name in sorted((name for name in logs.names if pattern.fullmatch(name)), key=natural):
            _futex_log(logs, name, workload, scan)


def sysbench_mutex(logs: Logs, scan: Scan) -> None:
    """latency-T: the 95th percentile in milliseconds."""
    one_per_file(logs, scan, _PERCENTILE, lambda threads: f"latency-{threads}")


def _futex_log(logs: Logs, name: str, workload: str, scan: Scan) -> None:
    kind = _KIND.search(logs.text(name)[:100_000])
    threads = name.removesuffix(".log").rpartition("-")[2]
    operation = f"{workload}-{kind['kind'] if kind else 'private'}-{threads}"
    found = _values(logs, name, _HASHED if workload == "hash" else _WOKEN)
    for interval, value in enumerate(found, start=1):
        scan.add(operation, value, interval)
    if not found:
        scan.lacks(name, operation)


def _values(logs: Logs, name: str, pattern: re.Pattern[str]) -> list[str]:
    return [match["value"] for line in logs.lines(name) if (match := pattern.match(line)) is not None]


def _thousandfold(text: str) -> str:
    """A decimal text times a thousand, without a rounding on the way."""
    return f"{text}e3" if re.fullmatch(r"\d{1,30}(?:\.\d{0,30})?", text) else text
