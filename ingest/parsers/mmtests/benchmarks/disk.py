"""File systems and memory behind them: fsmark, fio, dbench, thpchallenge."""

import re

from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan, is_number, natural

_FSMARK = re.compile(r"fsmark-(?P<threads>\d{1,9})\.log")
_FIO_LATENCY = re.compile(r"fio_lat\.(?P<run>\d{1,9})\.log")
_THREADS = re.compile(r"threads-(?P<threads>\d{1,9})\.log")
_DBENCH = re.compile(r"benchlog-(?P<heading>loadfile|tput|op)-(?P<clients>\d{1,9})")
_DIRECTIONS = {"0": "read", "1": "write"}
# fio's terse output, version 3, counted from 0
_JOB, _READ_KB, _READ_MEAN, _WRITTEN_KB, _WRITE_MEAN = 2, 5, 44, 46, 85


def fsmark(logs: Logs, scan: Scan) -> None:
    """files_sec-T: the fourth column of the table below `App Overhead`."""
    for name in _sorted(logs, _FSMARK):
        operation = f"files_sec-{name.removesuffix('.log').rpartition('-')[2]}"
        interval = 0
        is_table = False
        for line in logs.lines(name):
            words = line.split()
            if is_table and len(words) > 3 and is_number(words[3]):
                interval += 1
                scan.add(operation, words[3], interval)
            is_table = is_table or "App Overhead" in line
        if not interval:
            scan.lacks(name, operation)


def fio(logs: Logs, scan: Scan) -> None:
    """kb/sec-JOB-read and -write in KiB/s (terse output), and latency-read and -write in ns where fio logged them."""
    jobs = 0
    for line in logs.lines("fio.log"):
        fields = line.split(";")
        if fields[0] != "3" or len(fields) <= _WRITE_MEAN:
            continue
        jobs += 1
        for direction, moved, mean in (("read", _READ_KB, _READ_MEAN), ("write", _WRITTEN_KB, _WRITE_MEAN)):
            if is_number(fields[moved]) and float(fields[moved]) > 0:
                scan.add(f"kb/sec-{fields[_JOB][:60]}-{direction}", fields[mean], 1)
    if not jobs:
        scan.lacks("fio.log")
    _fio_latencies(logs, scan)


def thpchallenge(logs: Logs, scan: Scan) -> None:
    """fault-base-T, fault-huge-T and fault-both-T in microseconds; huge-T, local-* and remote-* in percent.

    MMTests gives a kind of fault that never happened one sample of 0; here it has none.
    """
    for name in _sorted(logs, _THREADS):
        threads = name.removesuffix(".log").rpartition("-")[2]
        faults: dict[str, list[str]] = {"base": [], "huge": []}
        for line in logs.lines(name):
            words = line.split()
            if len(words) < 4 or words[0] != "fault" or words[2] not in faults:
                continue
            faults[words[2]].append(words[5] if len(words) > 5 else "")
            interval = len(faults["base"]) + len(faults["huge"])
            scan.add(f"fault-{words[2]}-{threads}", words[3], interval)
            scan.add(f"fault-both-{threads}", words[3], interval)
        _fault_shares(faults, threads, scan)
        if not any(faults.values()):
            scan.lacks(name, *(f"fault-{kind}-{threads}" for kind in ("base", "huge", "both")))


def dbench(logs: Logs, scan: Scan) -> None:
    """loadfile-T and op-NAME-T in milliseconds, tput-T in MB/s. Written from the format: no real log was at hand."""
    columns = {"loadfile": 3, "tput": 2, "op": 2}
    for name in _sorted(logs, _DBENCH):
        match = _DBENCH.fullmatch(name)
        assert match is not None  # noqa: S101 (sorted by this very pattern)
        heading, clients = match["heading"], match["clients"]
        count = 0
        for line in logs.lines(name):
            words = line.split()
            if len(words) <= columns[heading] or not is_number(words[columns[heading]]):
                continue
            count += 1
            operation = f"op-{words[0][:60]}-{clients}" if heading == "op" else f"{heading}-{clients}"
            scan.add(operation, words[columns[heading]], count)
        if not count:
            scan.lacks(name, f"{heading}-{clients}")


def _fio_latencies(logs: Logs, scan: Scan) -> None:
    count = dict.fromkeys(_DIRECTIONS, 0)
    for name in _sorted(logs, _FIO_LATENCY):
        for line in logs.lines(name):
            fields = [field.strip() for field in line.split(",")]
            if len(fields) > 2 and fields[2] in _DIRECTIONS:
                count[fields[2]] += 1
                scan.add(f"latency-{_DIRECTIONS[fields[2]]}", fields[1], count[fields[2]])


def _fault_shares(faults: dict[str, list[str]], threads: str, scan: Scan) -> None:
    count = sum(map(len, faults.values()))
    if count:
        scan.add(f"huge-{threads}", repr(100 * len(faults["huge"]) / count), 1)
    for kind, places in faults.items():
        if places and set(places) <= {"0", "1", "-1"}:
            scan.add(f"local-{kind}-{threads}", repr(100 * places.count("1") / len(places)), 1)
            scan.add(f"remote-{kind}-{threads}", repr(100 * places.count("0") / len(places)), 1)


def _sorted(logs: Logs, pattern: re.Pattern[str]) -> list[str]:
    return sorted((name for name in logs.names if pattern.fullmatch(name)), key=natural)
