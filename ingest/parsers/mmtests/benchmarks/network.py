"""Networks and servers: netperf, iperf3, redis. The header of a log says its unit, not MMTests' configuration."""

import csv
import re

from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan, is_number, natural
from ingest.records import FormatError

_PROTOCOL = re.compile(r"[A-Za-z][\w]{1,40}")
_UNIT = re.compile(r"10\^[369]bits|per sec\b")
_BITRATE = re.compile(r"\s{1,20}(?P<value>\d{1,20}(?:\.\d{1,9})?) (?P<unit>[KMGT]?)bits/sec\b")
_MEGA = {"": -6, "K": -3, "M": 0, "G": 3, "T": 6}
_STREAM = re.compile(r"\[ *(?P<id>\d{1,6}|SUM)\]")
_REDIS = re.compile(r"redis-(?P<clients>\d{1,9})-(?P<iteration>\d{1,9})\.log")
_REDIS_COLUMNS = (
    ("RPS", "rps"),
    ("lat95", "p95_latency_ms"),
    ("lat99", "p99_latency_ms"),
    ("latAvg", "avg_latency_ms"),
    ("latMax", "max_latency_ms"),
    ("latMin", "min_latency_ms"),
)
_RECORDS = 10_000


def netperf(logs: Logs, scan: Scan) -> None:
    """tcpstream-send-SIZE, tcprr-send-SIZE, udpstream-send-SIZE and -recv-SIZE.

    MMTests takes what was sent for received as well; the two are read apart here.
    """
    for protocol in _protocols(logs):
        pattern = re.compile(rf"{re.escape(protocol)}-(?P<size>[^.]{{1,60}})\.(?P<iteration>\d{{1,9}})")
        found = [
            (match["size"], int(match["iteration"]), name) for name in logs.names if (match := pattern.fullmatch(name))
        ]
        operation = protocol.lower().replace("_", "")
        for size in sorted({size for size, _, _ in found}, key=natural):
            for _, iteration, name in sorted(one for one in found if one[0] == size):
                _netperf_log(logs, name, (operation, size, iteration), scan)


def iperf3(logs: Logs, scan: Scan) -> None:
    """send-SIZE-RATE-T and recv-SIZE-RATE-T: the sum over the streams, from the client's summary (`-f m`)."""
    for protocol in _protocols(logs):
        pattern = re.compile(rf"{re.escape(protocol)}-(?P<factors>[^.]{{1,80}})\.(?P<iteration>\d{{1,9}})")
        for name in sorted((name for name in logs.names if pattern.fullmatch(name)), key=natural):
            match = pattern.fullmatch(name)
            assert match is not None  # noqa: S101 (filtered by this very pattern)
            sums = _iperf3_sums(logs.lines(name))
            for side in ("send", "recv"):
                operation = f"{side}-{match['factors']}"
                if side in sums:
                    scan.add(operation, sums[side], int(match["iteration"]))
                else:
                    scan.lacks(name, operation)


def redis(logs: Logs, scan: Scan) -> None:
    """TEST-RPS-C in thousands per second and TEST-lat*-C in microseconds.

    A test named again with a remark, `LPUSH (needed to benchmark LRANGE)`, is another experiment: it gets a phase.
    """
    tests: dict[tuple[str, str], list[dict[str, str]]] = {}
    for name in sorted((name for name in logs.names if _REDIS.fullmatch(name)), key=natural):
        for row in _redis_rows(logs, name, scan):
            tests.setdefault((row["test"], row["clients"]), []).append(row)
    for (test, clients), rows in sorted(tests.items(), key=lambda one: (one[0][0], natural(one[0][1]))):
        for kind, column in _REDIS_COLUMNS:
            for row in rows:
                if column in row:
                    text = _shifted(row[column], -3 if kind == "RPS" else 3)
                    scan.add(f"{test}-{kind}-{clients}", text, int(row["iteration"]), phase=row["phase"])


def _protocols(logs: Logs) -> list[str]:
    return [word for word in logs.text("protocols").split()[:100] if _PROTOCOL.fullmatch(word)]


def _netperf_log(logs: Logs, name: str, key: tuple[str, str, int], scan: Scan) -> None:
    operation, size, iteration = key
    is_udp = operation.startswith("udp")
    operations = [f"{operation}-{side}-{size}" for side in (("send", "recv") if is_udp else ("send",))]
    lines = logs.lines(name)
    found: dict[str, str] = {}
    for line in lines:
        words = line.split()
        if not words or not all(map(is_number, words)):
            continue
        side = _netperf_side(len(words), is_udp=is_udp)
        if side:
            found.setdefault(f"{operation}-{side}-{size}", words[-1])
    _netperf_unit(lines, logs.place(name), operation, scan)
    for one in operations:
        if one in found:
            scan.add(one, found[one], iteration)
        else:
            scan.lacks(name, one)


def _netperf_side(words: int, *, is_udp: bool) -> str:
    if is_udp:
        return {6: "send", 4: "recv"}.get(words, "")
    return "send" if words > 4 else ""


def _netperf_unit(lines: list[str], place: str, operation: str, scan: Scan) -> None:
    """Remember the unit that the table's header prints; two units in one benchmark would be two metrics in one."""
    headers = (line for line in lines if "throughput" in line.lower() or line.startswith("bytes"))
    printed = next((match[0] for line in headers if (match := _UNIT.search(line))), "")
    if printed and scan.printed_units.setdefault(operation, printed) != printed:
        raise FormatError(
            place, 0, "prints another unit than the logs before it", "upload the two configurations apart"
        )


def _iperf3_sums(lines: list[str]) -> dict[str, str]:
    """Mbit/s sent and received, from the lines between the summary's head and the server's own output."""
    rates: dict[str, list[tuple[str, str]]] = {"send": [], "recv": []}
    is_summary = False
    for line in lines:
        if "Summary Results:" in line:
            is_summary = True
        elif line.startswith("Server output:"):
            is_summary = False
        side = {"sender": "send", "receiver": "recv"}.get(line.rsplit(None, 1)[-1] if line.strip() else "", "")
        stream, rate = _STREAM.match(line), _BITRATE.search(line)
        if is_summary and side and stream is not None and rate is not None:
            rates[side].append((stream["id"], _shifted(rate["value"], _MEGA[rate["unit"]])))
    return {side: _stream_sum(found) for side, found in rates.items() if found}


def _stream_sum(found: list[tuple[str, str]]) -> str:
    """The sum over the streams; the program's own [SUM] line is not one of them."""
    streams = [one for one in found if one[0] != "SUM"] or found
    if len(streams) == 1:
        return streams[0][1]
    return repr(sum(float(value) for _, value in streams))


def _redis_rows(logs: Logs, name: str, scan: Scan) -> list[dict[str, str]]:
    match = _REDIS.fullmatch(name)
    assert match is not None  # noqa: S101 (filtered by this very pattern)
    rows = []
    seen: set[str] = set()
    lines = [line for line in logs.lines(name) if line.startswith('"')]
    if len(lines) > _RECORDS:
        raise FormatError(logs.place(name), _RECORDS, f"more than {_RECORDS} tests", "redis-benchmark has some twenty")
    try:
        table = list(csv.DictReader(lines))
    except csv.Error:
        table = []
    for row in table:
        named = row.get("test") or ""
        test, _, remark = named.partition(" (")
        phase = re.sub(r"\W{1,200}", "_", remark).strip("_") if test in seen else ""
        seen.add(test)
        fields = {column: text for _, column in _REDIS_COLUMNS if isinstance(text := row.get(column), str)}
        if test and fields:
            rows.append({**fields, **match.groupdict(), "test": test, "phase": phase})
    if not rows:
        scan.lacks(name)
    return rows


def _shifted(text: str, power: int) -> str:
    return f"{text}e{power}" if power and is_number(text) and "e" not in text.lower() else text
