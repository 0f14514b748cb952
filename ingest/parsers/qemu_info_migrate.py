"""QEMU's monitor command `info migrate` in the layouts of 2016, of 2021 to early 2025, and of QEMU 10.1.

The first two print `label: number unit`; 10.1 prints groups, `Time (ms): total=9912, down=7`, with the unit in the
group's name or behind each size. Drafts of 10.1 that were posted on the list spell some names otherwise.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.parsers.draft import MAX_RUNS, Draft
from ingest.parsers.jsontext import looks_like_json
from ingest.parsers.lines import MARGIN, Line, clean, is_mail, sample, without_cut_line
from ingest.parsers.migration import Migration, to_record
from ingest.records import Format, FormatError, Output, Record

NAME = "qemu-info-migrate"
VERSION = 1
_NUMBER = r"-?\d{1,30}(?:\.\d{1,9})?"
_STATUS = re.compile(
    r"(?:Migration status:\s+(?P<status>[a-z][a-z-]{2,30})|"
    r"Status:\s+(?P<short>setup|cancell(?:ing|ed)|active|postcopy-[a-z-]{2,20}|completed|failed|failing|colo|"
    r"pre-switchover|device|wait-unplug))(?: \((?P<error>.{0,400})\))?\Z"
)
_LABELLED = re.compile(
    rf"(?P<label>[A-Za-z][\w -]{{2,40}}): (?P<number>{_NUMBER})"
    r"(?: (?P<unit>ms|milliseconds|us|kbytes|bytes|mbps|pages|times))?\Z"
)
_GROUP = re.compile(r"(?P<group>[A-Z][A-Za-z -]{2,30})(?: \((?P<unit>[\w%]{1,5})\))?:\s*(?P<rest>.*)\Z")
_PAIR = re.compile(rf"(?P<key>[a-z][a-z_]{{1,30}})=(?P<number>{_NUMBER})(?: ?(?P<unit>(?:[KMGTPE]i)?B))?(?=,|\s|\Z)")
_ALONE = re.compile(rf"(?P<number>{_NUMBER})\Z")
_PROMPT = "(qemu)"
_VERSION = re.compile(r"QEMU (?P<version>\d[\w.]{0,20}) monitor")
_CAPABILITY = re.compile(r"(?P<name>[a-z][\w-]{2,40}): (?P<state>on|off)\b")
# Label of the line, the metric, and the unit that must stand behind the number ("" none)
_LABELS: Mapping[str, tuple[str, str]] = {
    "total time": ("total_time", "ms"),
    "expected downtime": ("expected_downtime", "ms"),
    "downtime": ("downtime", "ms"),
    "setup": ("setup_time", "ms"),
    "transferred ram": ("transferred_ram", "kbytes"),
    "throughput": ("throughput", "mbps"),
    "remaining ram": ("remaining_ram", "kbytes"),
    "total ram": ("total_ram", "kbytes"),
    "duplicate": ("duplicate", "pages"),
    "skipped": ("skipped", "pages"),
    "normal": ("normal", "pages"),
    "normal bytes": ("normal_bytes", "kbytes"),
    "dirty sync count": ("dirty_sync_count", ""),
    "page size": ("page_size", "kbytes"),
    "multifd bytes": ("multifd_bytes", "kbytes"),
    "pages-per-second": ("pages_per_second", ""),
    "dirty pages rate": ("dirty_pages_rate", "pages"),
    "postcopy request count": ("postcopy_requests", ""),
    "precopy ram": ("precopy_ram", "kbytes"),
    "downtime ram": ("downtime_ram", "kbytes"),
    "postcopy ram": ("postcopy_ram", "kbytes"),
    "zero-copy-send fallbacks happened": ("zero_copy_fallbacks", "times"),
    "transferred disk": ("transferred_disk", "kbytes"),
    "remaining disk": ("remaining_disk", "kbytes"),
    "total disk": ("total_disk", "kbytes"),
    "cache size": ("xbzrle_cache_size", "bytes"),
    "xbzrle transferred": ("xbzrle_transferred", "kbytes"),
    "xbzrle pages": ("xbzrle_pages", "pages"),
    "xbzrle cache miss": ("xbzrle_cache_miss", "pages"),
    "xbzrle cache miss rate": ("xbzrle_cache_miss_rate", ""),
    "xbzrle encoding rate": ("xbzrle_encoding_rate", ""),
    "xbzrle overflow": ("xbzrle_overflow", ""),
    "cpu throttle percentage": ("cpu_throttle", ""),
    "dirty-limit throttle time": ("dirty_limit_throttle_time", "us"),
    "dirty-limit ring full time": ("dirty_limit_ring_full_time", "us"),
    "postcopy blocktime": ("postcopy_blocktime", ""),
    "vfio device transferred": ("vfio_transferred", "kbytes"),
}
_UNSPOKEN = {"postcopy_blocktime": "ms", "cpu_throttle": "%"}  # units that the labelled layout does not print
# Group of the newer layout, its key ("" for a group that is one number), and the metric
_KEYS: Mapping[tuple[str, str], str] = {
    ("time", "total"): "total_time",
    ("time", "setup"): "setup_time",
    ("time", "down"): "downtime",
    ("time", "exp_down"): "expected_downtime",
    ("throughput", ""): "throughput",
    ("bandwidth", ""): "throughput",
    ("sizes", "psize"): "page_size",
    ("sizes", "pagesize"): "page_size",
    ("sizes", "total"): "total_ram",
    **{(group, "transferred"): "transferred_ram" for group in ("sizes", "transfers")},
    **{(group, "remain"): "remaining_ram" for group in ("sizes", "transfers")},
    **{(group, "precopy"): "precopy_ram" for group in ("sizes", "transfers", "channels")},
    **{(group, "multifd"): "multifd_bytes" for group in ("sizes", "transfers", "channels")},
    **{(group, "postcopy"): "postcopy_ram" for group in ("sizes", "transfers", "channels")},
    **{(group, "vfio"): "vfio_transferred" for group in ("sizes", "transfers", "channels")},
    **{(group, "normal"): "normal" for group in ("pages", "page types")},
    **{(group, "zero"): "duplicate" for group in ("pages", "page types")},
    ("pages", "rate_per_sec"): "pages_per_second",
    ("page rates", "transfer"): "pages_per_second",
    ("page rates", "transfer_rate"): "pages_per_second",
    ("page rates", "dirty_rate"): "dirty_pages_rate",
    ("page rates", "dirty"): "dirty_pages_rate",
    ("others", "dirty_pages_rate"): "dirty_pages_rate",
    ("others", "dirty_syncs"): "dirty_sync_count",
    ("others", "postcopy_req"): "postcopy_requests",
    ("others", "downtime_ram"): "downtime_ram",
    ("others", "downtime_bytes"): "downtime_ram",
    ("others", "zerocopy_fallbacks"): "zero_copy_fallbacks",
    ("xbzrle", "size"): "xbzrle_cache_size",
    ("xbzrle", "transferred"): "xbzrle_transferred",
    ("xbzrle", "pages"): "xbzrle_pages",
    ("xbzrle", "miss"): "xbzrle_cache_miss",
    ("xbzrle", "miss_rate"): "xbzrle_cache_miss_rate",
    ("xbzrle", "encode_rate"): "xbzrle_encoding_rate",
    ("xbzrle", "overflow"): "xbzrle_overflow",
    ("cpu throttle", ""): "cpu_throttle",
    ("dirty-limit throttle", ""): "dirty_limit_throttle_time",
    ("dirty-limit ring full", ""): "dirty_limit_ring_full_time",
    ("postcopy blocktime", ""): "postcopy_blocktime",
    ("postcopy latency", ""): "postcopy_latency",
}
_GROUPS = frozenset(group for group, _key in _KEYS)
_GROUP_UNITS = {"ms": "ms", "us": "us", "ns": "ns", "%": "%", "mbps": "mbps", "kb": "kbytes", "kib": "kbytes"}
_SIZES = {"B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4, "PiB": 5, "EiB": 6}
_ROUNDED = "QEMU printed rounded sizes (three digits): `query-migrate` tells them exactly."
_MARKERS = ("Migration status:", "transferred ram:", "expected downtime:", "Time (ms):", "store-global-state:")
_ALONE_MARKER = re.compile(MARGIN + r"total time: \d{1,15} m(?:s|illiseconds)\b", re.MULTILINE)


class _Reader:
    """Goes through the lines and keeps the report that it stands in."""

    def __init__(self) -> None:
        self.found: list[Migration] = []
        self.is_open = False
        self.group, self.unit = "", ""
        self.version = ""

    def current(self, line: Line) -> Migration:
        """The report that the line belongs to, begun here if none is open."""
        if not self.is_open:
            self.begin(line)
        return self.found[-1]

    def begin(self, line: Line) -> None:
        """Another report begins."""
        self.found.append(Migration(draft=Draft(first_line=line.number)))
        self.is_open, self.group = True, ""
        if self.version:
            self.found[-1].draft.labels["qemu"] = self.version

    def add(self, line: Line, metric: str, number: str, unit: str) -> None:
        """Keep a number; a metric that was there already belongs to another report."""
        if self.current(line).has(metric):
            self.begin(line)
        self.found[-1].add(line, metric, float(number), unit)


def _scan(lines: Sequence[Line]) -> list[Migration]:
    reader = _Reader()
    for line in lines:
        text = line.text
        if len(text) > 2000 or not (":" in text or "=" in text or text.startswith(_PROMPT)):
            continue
        if text.startswith((_PROMPT, "QEMU ")):
            reader.is_open = False
            version = _VERSION.match(text)
            reader.version = version["version"] if version else reader.version
        elif match := _STATUS.match(text):
            _read_status(line, match, reader)
        elif text == "globals:" or text.startswith("capabilities: "):
            _read_head(line, reader)
        else:
            _read(line, reader)
        if len(reader.found) > MAX_RUNS:
            break
    return reader.found


def _read_head(line: Line, reader: _Reader) -> None:
    """What the layouts before 10.1 print first."""
    if not reader.is_open or reader.found[-1].status or reader.found[-1].draft.measurements:
        reader.begin(line)
    on = [match["name"] for match in _CAPABILITY.finditer(line.text) if match["state"] == "on"]
    reader.found[-1].capabilities += [name for name in on if name != "events"]


def _read_status(line: Line, match: re.Match[str], reader: _Reader) -> None:
    if reader.is_open and (reader.found[-1].status or reader.found[-1].draft.measurements):
        reader.is_open = False
    migration = reader.current(line)
    migration.status, migration.error = match["status"] or match["short"], match["error"] or ""
    migration.draft.see(line)


def _read(line: Line, reader: _Reader) -> None:
    if match := _LABELLED.match(line.text):
        known = _LABELS.get(match["label"].lower())
        if known is not None:
            _read_labelled(line, match, known, reader)
            return
    group = _GROUP.match(line.text)
    if group is not None:
        reader.group, reader.unit = group["group"].lower(), _GROUP_UNITS.get((group["unit"] or "").lower(), "")
    if reader.group in _GROUPS:
        _read_pairs(line, group["rest"] if group else line.text, reader)


def _read_labelled(line: Line, match: re.Match[str], known: tuple[str, str], reader: _Reader) -> None:
    metric, wanted = known
    printed = (match["unit"] or "").replace("milliseconds", "ms")
    if printed == wanted:
        reader.add(line, metric, match["number"], _UNSPOKEN.get(metric, wanted))


def _read_pairs(line: Line, rest: str, reader: _Reader) -> None:
    """The numbers of a group; lines without a label continue the group before them."""
    alone = _ALONE.match(rest)
    if alone is not None and (metric := _KEYS.get((reader.group, ""))):
        reader.add(line, metric, alone["number"], reader.unit)
        return
    if "=" not in rest:
        reader.group = reader.group if line.text != rest else ""
        return
    for pair in _PAIR.finditer(rest):
        if metric := _KEYS.get((reader.group, pair["key"])):
            _add_pair(line, metric, pair, reader)


def _add_pair(line: Line, metric: str, pair: re.Match[str], reader: _Reader) -> None:
    if pair["unit"] is None:
        reader.add(line, metric, pair["number"], reader.unit)
        return
    number = float(pair["number"]) * 1024 ** _SIZES[pair["unit"]]
    if reader.current(line).has(metric):
        reader.begin(line)
    reader.found[-1].add(line, metric, number, "bytes")
    if _SIZES[pair["unit"]] > 1:
        reader.found[-1].draft.warn(_ROUNDED)


def _parse(output: Output) -> list[Record]:
    lines, cut = without_cut_line(clean(output.text), output.text, ends_in_number=True)
    found = _scan(lines)
    if len(found) > MAX_RUNS:
        raise FormatError(output.source, 0, f"more than {MAX_RUNS} reports in one text", "pass one migration per file")
    told = [one for one in found if not one.is_empty] or found[:1]
    if not told:
        raise FormatError(
            output.source, 0, "mentions a migration and holds no `info migrate`", "pass what the monitor printed"
        )
    if cut:
        told[-1].draft.warn(cut)
    reported = is_mail(lines)
    records = [to_record(one, NAME, (output.command or "").strip()) for one in told]
    return [replace(record, reported=True) for record in records] if reported else records


def _recognises(output: Output) -> bool:
    if looks_like_json(output.text):
        return False
    text = sample(output.text)
    return any(marker in text for marker in _MARKERS) or _ALONE_MARKER.search(text) is not None


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
