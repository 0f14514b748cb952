"""QEMU's QMP answers: `query-migrate`, with times in ms and sizes in bytes, and `query-dirty-rate`.

The text form of the dirty rate, `info dirty_rate`, is read here too.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ingest.parsers import jsontext
from ingest.parsers.draft import Draft
from ingest.parsers.jsontext import looks_like_json
from ingest.parsers.lines import Line, Stripped, clean, sample, stripped_sentence
from ingest.parsers.migration import Migration, to_record
from ingest.records import Better, Format, FormatError, Measurement, Output, Record, Status, Unit

NAME = "qemu-query-migrate"
DIRTY_RATE = "qemu-dirty-rate"
VERSION = 1
# Field of the answer (dots lead into objects), the metric, the printed unit
_FIELDS: Mapping[str, tuple[str, str]] = {
    "total-time": ("total_time", "ms"),
    "downtime": ("downtime", "ms"),
    "expected-downtime": ("expected_downtime", "ms"),
    "setup-time": ("setup_time", "ms"),
    "ram.transferred": ("transferred_ram", ""),
    "ram.mbps": ("throughput", "mbps"),
    "ram.remaining": ("remaining_ram", ""),
    "ram.total": ("total_ram", ""),
    "ram.duplicate": ("duplicate", ""),
    "ram.skipped": ("skipped", ""),
    "ram.normal": ("normal", ""),
    "ram.normal-bytes": ("normal_bytes", ""),
    "ram.dirty-sync-count": ("dirty_sync_count", ""),
    "ram.page-size": ("page_size", ""),
    "ram.multifd-bytes": ("multifd_bytes", ""),
    "ram.pages-per-second": ("pages_per_second", ""),
    "ram.dirty-pages-rate": ("dirty_pages_rate", ""),
    "ram.postcopy-requests": ("postcopy_requests", ""),
    "ram.precopy-bytes": ("precopy_ram", ""),
    "ram.downtime-bytes": ("downtime_ram", ""),
    "ram.postcopy-bytes": ("postcopy_ram", ""),
    "ram.dirty-sync-missed-zero-copy": ("zero_copy_fallbacks", ""),
    "disk.transferred": ("transferred_disk", ""),
    "disk.remaining": ("remaining_disk", ""),
    "disk.total": ("total_disk", ""),
    "xbzrle-cache.cache-size": ("xbzrle_cache_size", ""),
    "xbzrle-cache.bytes": ("xbzrle_transferred", ""),
    "xbzrle-cache.pages": ("xbzrle_pages", ""),
    "xbzrle-cache.cache-miss": ("xbzrle_cache_miss", ""),
    "xbzrle-cache.cache-miss-rate": ("xbzrle_cache_miss_rate", ""),
    "xbzrle-cache.encoding-rate": ("xbzrle_encoding_rate", ""),
    "xbzrle-cache.overflow": ("xbzrle_overflow", ""),
    "vfio.transferred": ("vfio_transferred", ""),
    "cpu-throttle-percentage": ("cpu_throttle", "%"),
    "dirty-limit-throttle-time-per-round": ("dirty_limit_throttle_time", "us"),
    "dirty-limit-ring-full-time": ("dirty_limit_ring_full_time", "us"),
    "postcopy-blocktime": ("postcopy_blocktime", "ms"),
}
_VCPUS = "postcopy-vcpu-blocktime"
_STATUS = re.compile(r'"status" ?: ?"[a-z-]{2,30}"')
_OWN = ('"total-time"', '"setup-time"', '"postcopy-blocktime"', '"error-desc"', '"socket-address"')
_EMPTY = re.compile(r'[\s>]*\{\s*"return"\s*:\s*\{\s*\}\s*\}\s*\Z')
_RATE_LINE = re.compile(
    r"(?P<key>Status|Sample Pages|Period|Mode|Dirty rate): (?P<value>[\w-]{1,20})(?: \((?P<unit>[^)]{1,20})\))?\Z"
)


def _parse(output: Output) -> list[Record]:
    quoted = jsontext.is_quoted(output.text)
    found = [_migration(place, answer, quoted=quoted) for place, answer in _answers(output) if _is_migration(answer)]
    if not found:
        raise FormatError(output.source, 0, "holds no answer to query-migrate", "pass the JSON that QEMU answered")
    return [to_record(one, NAME, (output.command or "").strip()) for one in found]


def _answers(output: Output) -> Iterator[tuple[int, dict[str, Any]]]:
    """The answers in the text, without the envelope that QMP puts around them."""
    for place, document in jsontext.objects(output.text, output.source):
        inner = document.get("return", document)
        if isinstance(inner, dict) and "event" not in inner and "QMP" not in inner:
            yield place, inner


def _is_migration(answer: Mapping[str, Any]) -> bool:
    """Other commands answer in the same envelope; an empty answer is query-migrate's before any migration."""
    return (
        not answer
        or isinstance(answer.get("ram"), dict)
        or (isinstance(answer.get("status"), str) and not {"running", "dirty-rate", "sample-pages"} & set(answer))
    )


def _migration(place: int, answer: Mapping[str, Any], *, quoted: bool) -> Migration:
    status, error = answer.get("status"), answer.get("error-desc")
    found = Migration(
        status=status if isinstance(status, str) else "",
        error=error if isinstance(error, str) else "",
        draft=Draft(first_line=place),
    )
    line = Line(place, "", Stripped.QUOTE if quoted else Stripped.NOTHING)
    for path, (metric, unit) in _FIELDS.items():
        value = jsontext.number(_field(answer, path))
        if value is not None:
            found.add(line, metric, value, unit)
    vcpus = answer.get(_VCPUS)
    for index, blocked in enumerate(vcpus[:4096] if isinstance(vcpus, list) else ()):
        value = jsontext.number(blocked)
        if value is not None:
            found.add(line, "postcopy_vcpu_blocktime", value, "ms", f"vcpu{index}")
    return found


def _field(answer: Mapping[str, Any], path: str) -> object:
    group, _, key = path.rpartition(".")
    inner = answer.get(group) if group else answer
    return inner.get(key) if isinstance(inner, dict) else None


def _recognises(output: Output) -> bool:
    if not looks_like_json(output.text):
        return False
    text = sample(output.text)
    told = _STATUS.search(text) and (any(word in text for word in _OWN) or '"ram"' in text or '"return"' in text)
    other = '"sample-pages"' in text or '"benchmark"' in text or '"progress_history"' in text
    return (bool(told) and not other) or _EMPTY.match(text[:200]) is not None


def _parse_rate(output: Output) -> list[Record]:
    told = _rate_in_json(output) if looks_like_json(output.text) else _rate_in_text(output)
    if "status" not in told:
        raise FormatError(output.source, 0, "holds no dirty rate", "pass what `info dirty_rate` printed, whole")
    draft = Draft()
    line = Line(told["line"], "", Stripped.QUOTE if jsontext.is_quoted(output.text) else Stripped.NOTHING)
    rate = jsontext.number(told.get("dirty-rate"))
    is_measured = told["status"] == "measured" and rate is not None and rate >= 0
    if is_measured and rate is not None:
        # QEMU says MB/s and divides by 2^20
        one = Measurement("dirty_rate", Unit.BYTE_PER_SECOND, Better.NONE, rate * 2**20, line=line.number)
        draft.add(line, one)
    why = f"QEMU has no dirty rate yet (status {str(told['status'])[:40]})."
    cleaned = stripped_sentence(draft.stripped)
    record = Record(
        benchmark="migrate-perf/qemu-dirty-rate",
        format=DIRTY_RATE,
        status=Status.PASS if is_measured else Status.SKIP,
        command=(output.command or "").strip(),
        params=_rate_params(told),
        warnings=(*(() if is_measured else (why,)), *((cleaned,) if cleaned else ())),
        measurements=tuple(draft.measurements),
        reported=jsontext.is_quoted(output.text),
    )
    return [record]


def _rate_params(told: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    period, pages = jsontext.number(told.get("calc-time")), jsontext.number(told.get("sample-pages"))
    params: dict[str, str | int | float | bool] = {"mode": str(told.get("mode", ""))[:40]}
    params |= {"period_s": period} if period is not None else {}
    return params | ({"sample_pages_per_gib": int(pages)} if pages is not None else {})


def _rate_in_json(output: Output) -> dict[str, Any]:
    told = (({**one, "line": place}) for place, one in _answers(output) if "sample-pages" in one or "dirty-rate" in one)
    return next(told, {})


def _rate_in_text(output: Output) -> dict[str, Any]:
    names = {"Sample Pages": "sample-pages", "Period": "calc-time", "Dirty rate": "dirty-rate"}
    told: dict[str, Any] = {"line": 0}
    for line in clean(output.text):
        if match := _RATE_LINE.match(line.text):
            key, value = match["key"], match["value"]
            if key == "Dirty rate" and match["unit"] != "MB/s":
                continue
            told["line"] = line.number if key == "Dirty rate" else told["line"]
            told[names.get(key, key.lower())] = int(value) if value.isdigit() and key in names else value
    return told


def _recognises_rate(output: Output) -> bool:
    text = sample(output.text)
    if looks_like_json(output.text):
        return '"sample-pages"' in text and '"status"' in text
    return "Sample Pages: " in text and "Status: " in text


FORMATS = (
    Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),
    Format(name=DIRTY_RATE, version=VERSION, recognises=_recognises_rate, parse=_parse_rate),
)
