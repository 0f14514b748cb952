"""GNU time: `time-F-I`, what most benchmarks of MMTests that run a program for its duration leave behind."""

import re

from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan, natural

_NAME = re.compile(r"time-(?P<factor>.{1,100})-(?P<iteration>\d{1,9})")
_LINE = re.compile(
    r"(?P<user>\d{1,12}\.\d\d)user (?P<system>\d{1,12}\.\d\d)system "
    r"(?:(?P<hours>\d{1,6}):)?(?P<minutes>\d{1,9}):(?P<seconds>\d{1,2}(?:\.\d{1,3})?)elapsed "
)
_FAILED = re.compile(r"Command (?:exited with non-zero status|terminated by signal) (?P<status>\d{1,5})")


def gnu_time(logs: Logs, scan: Scan) -> None:
    """User-F, System-F and Elapsed-F in seconds, one sample per file."""
    found: dict[str, dict[str, list[tuple[str, int]]]] = {"Elapsed": {}, "System": {}, "User": {}}
    for name in sorted(logs.names, key=natural):
        named = _NAME.fullmatch(name)
        if named is None:
            continue
        factor, iteration = named["factor"], int(named["iteration"])
        times = _times(logs.lines(name), name, scan)
        if not times:
            scan.lacks(name, *(f"{kind}-{factor}" for kind in found))
        for kind, text in times.items():
            found[kind].setdefault(factor, []).append((text, iteration))
    for kind, factors in found.items():
        for factor in sorted(factors, key=natural):
            for text, iteration in factors[factor]:
                scan.add(f"{kind}-{factor}", text, iteration)


def _times(lines: list[str], name: str, scan: Scan) -> dict[str, str]:
    """The three times of the last command in a log; empty when there is none."""
    found = {}
    for line in lines:
        if (failed := _FAILED.match(line)) is not None:
            scan.warn(f"{name}: the timed command ended with status {failed['status']}.")
        match = _LINE.match(line)
        if match is not None:
            minutes = int(match["hours"] or 0) * 60 + int(match["minutes"])
            elapsed = _sum(minutes, match["seconds"])
            found = {"User": match["user"], "System": match["system"], "Elapsed": elapsed}
    return found


def _sum(minutes: int, seconds: str) -> str:
    """Minutes and seconds in seconds, exact to the printed digit."""
    whole, point, fraction = seconds.partition(".")
    return f"{minutes * 60 + int(whole)}{point}{fraction}"
