"""Schedulers and processors: hackbench, perf bench, saladfork, sysbench cpu, stress-ng, cyclictest."""

import re
from collections.abc import Callable

from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan, is_number, natural

_TOTAL = re.compile(r"\s*Total time: (?P<value>\S{1,40}) \[sec\]")
_USECS = re.compile(r"\s*(?P<value>\S{1,40}) usecs/op\b")
_EVENTS = re.compile(r"\s*events per second:\s{1,40}(?P<value>\S{1,40})")
_HACKBENCH = re.compile(r"hackbench-(?P<groups>\d{1,9})")
_BENCHLOG = re.compile(r"benchlog-(?P<threads>\d{1,9}|_)-_-(?P<iteration>\d{1,9})")
_STRESSNG = re.compile(r"stressng-(?P<threads>\d{1,9})-(?P<iteration>\d{1,9})\.log")
_FORK = re.compile(r"(?P<parent>\d{1,6})\s{1,20}(?P<child>\d{1,6})\s{1,20}(?P<latency>\d{1,18})\s*")
_NODE = re.compile(r"node (?P<node>\d{1,6}) cpus:(?P<cpus>[\d ]*)")
_LATENCIES = re.compile(r"# (?P<kind>Min|Avg|Max) Latencies:(?P<values>[ \d]{1,200000})")
_OVERFLOWS = re.compile(r"# Histogram Overflows:(?P<values>[ \d]{1,200000})")


def hackbench(logs: Logs, scan: Scan) -> None:
    """time-T in seconds: all iterations of a number of groups stand in one file, one block each."""
    for name in _sorted(logs, _HACKBENCH):
        operation = f"time-{name.partition('-')[2]}"
        lines = logs.lines(name)
        before = len(scan.samples)
        iteration = 0
        for line in lines:
            match = _TOTAL.match(line)
            if match is not None:
                iteration += 1
                scan.add(operation, match["value"], iteration)
        blocks = sum(line.startswith("# Running ") for line in lines)
        if len(scan.samples) == before and not iteration:
            scan.lacks(name, operation)
        elif blocks != iteration:
            scan.warn(f"{name}: {blocks} runs were started and {iteration} ended: one was tried again, or cut off.")


def usecs_per(operation: str) -> Callable[[Logs, Scan], None]:
    """A reader of `perf bench` programs that print microseconds per operation, one file an iteration."""

    def read(logs: Logs, scan: Scan) -> None:
        _one_per_file(logs, scan, _USECS, lambda _threads: operation)

    return read


def sysbench_cpu(logs: Logs, scan: Scan) -> None:
    """events/sec-T."""
    _one_per_file(logs, scan, _EVENTS, lambda threads: f"events/sec-{threads}")


def saladfork(logs: Logs, scan: Scan) -> None:
    """Latency of a fork in microseconds by whether parent and child ran on one node, and the share that did."""
    name = "saladfork-0.log"
    nodes = _node_of_each_cpu(logs.beside("numactl.txt"))
    forks = 0
    local: list[tuple[str, int]] = []
    remote: list[tuple[str, int]] = []
    for line in logs.lines(name):
        match = _FORK.fullmatch(line)
        if match is None:
            continue
        forks += 1
        is_near = nodes.get(int(match["parent"]), 0) == nodes.get(int(match["child"]), 0)
        (local if is_near else remote).append((match["latency"], forks))
    if not forks:
        scan.lacks(name, "local", "remote", "local_v_total")
        return
    if not nodes:
        scan.warn("numactl.txt is not here: all CPUs count as one node, every fork as local.")
    for operation, found in (("local", local), ("remote", remote)):
        for latency, interval in found:
            scan.add(operation, latency, interval)
    scan.add("local_v_total", repr(len(local) / forks), 1)


def stressng(logs: Logs, scan: Scan) -> None:
    """bops-STRESSOR-T: bogo operations per second of real time.

    The text extractor of MMTests takes the closing `successful run completed` for a stressor without a number.
    """
    for name in _sorted(logs, _STRESSNG):
        match = _STRESSNG.fullmatch(name)
        assert match is not None  # noqa: S101 (sorted by this very pattern)
        found = _metrics(logs.lines(name))
        for stressor, value in found:
            scan.add(f"bops-{stressor}-{match['threads']}", value, int(match["iteration"]))
        if not found:
            scan.lacks(name, *(one.name for one in scan.samples if one.name.endswith(f"-{match['threads']}")))


def cyclictest(logs: Logs, scan: Scan) -> None:
    """Least, average and greatest wake-up latency of each CPU in microseconds, and how often the histogram ran over."""
    name = "cyclictest-histogram.log"
    kinds: dict[str, str] = {}
    for line in logs.lines(name):
        if not line.startswith("# "):
            continue
        if (match := _LATENCIES.match(line)) is not None:
            kinds[f"{match['kind']}Lat"] = match["values"]
        elif (match := _OVERFLOWS.match(line)) is not None:
            kinds["Overflow"] = match["values"]
    for kind in ("MinLat", "AvgLat", "MaxLat", "Overflow"):
        for cpu, value in enumerate(kinds.get(kind, "").split()):
            scan.add(f"{kind}-{cpu}", value, 1)
    if len(kinds) < 4:
        scan.lacks(name)


def one_per_file(logs: Logs, scan: Scan, pattern: re.Pattern[str], operation: Callable[[str], str]) -> None:
    """One sample from each `benchlog-T-_-I`: the first line that the pattern matches."""
    for name in _sorted(logs, _BENCHLOG):
        match = _BENCHLOG.fullmatch(name)
        assert match is not None  # noqa: S101 (sorted by this very pattern)
        for line in logs.lines(name):
            found = pattern.match(line)
            if found is not None:
                scan.add(operation(match["threads"]), found["value"], int(match["iteration"]))
                break
        else:
            scan.lacks(name, operation(match["threads"]))


_one_per_file = one_per_file


def _sorted(logs: Logs, pattern: re.Pattern[str]) -> list[str]:
    return sorted((name for name in logs.names if pattern.fullmatch(name)), key=natural)


def _node_of_each_cpu(numactl: str) -> dict[int, int]:
    return {int(cpu): int(match["node"]) for match in _NODE.finditer(numactl) for cpu in match["cpus"].split()[:10_000]}


def _metrics(lines: list[str]) -> list[tuple[str, str]]:
    """Stressor and bogo operations per second, from the table below the line with `(secs)`."""
    found = []
    is_table = False
    for line in lines:
        if is_table:
            words = line.rpartition("] ")[2].split()
            if len(words) > 5 and is_number(words[5]) and is_number(words[1]):
                found.append((words[0], words[5]))
        is_table = is_table or "(secs)" in line
    return found
