"""Live migrations as QEMU reports them, whatever the layout: one vocabulary of metrics, one reading of states.

Only a completed migration is a result. What QEMU says before that is a snapshot: kept, marked, never judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.parsers.draft import Draft
from ingest.parsers.lines import Line, Stripped, stripped_sentence
from ingest.records import Better, Measurement, Param, Record, Status, Unit

BENCHMARK = "migrate-perf/qemu"
SNAPSHOT = "snapshot"
# QEMU's kbytes and KB are 1024 bytes, its mbps 10^6 bits a second. Dividing keeps 1001 ms at 1.001 s.
_DIVISORS: Mapping[str, float] = {"ms": 1e3, "us": 1e6, "ns": 1e9, "%": 1e2}
_FACTORS: Mapping[str, float] = {"kbytes": 1024.0, "mbps": 1e6}
_LARGEST = 2.0**53  # in the printed unit: beyond it an unsigned subtraction went below zero
_TIME, _RAM, _PAGES = (Unit.SECOND, Better.NONE), (Unit.BYTE, Better.NONE), (Unit.PAGE, Better.NONE)
_COUNT, _SHARE = (Unit.COUNT, Better.NONE), (Unit.RATIO, Better.NONE)
METRICS: Mapping[str, tuple[Unit, Better]] = {
    "total_time": (Unit.SECOND, Better.LOWER),
    "downtime": (Unit.SECOND, Better.LOWER),
    "setup_time": (Unit.SECOND, Better.LOWER),
    "expected_downtime": _TIME,
    "transferred_ram": (Unit.BYTE, Better.LOWER),
    "throughput": (Unit.BIT_PER_SECOND, Better.HIGHER),
    "pages_per_second": (Unit.PAGE_PER_SECOND, Better.HIGHER),
    "dirty_pages_rate": (Unit.PAGE_PER_SECOND, Better.NONE),
    "downtime_ram": (Unit.BYTE, Better.LOWER),
    **dict.fromkeys(("remaining_ram", "total_ram", "normal_bytes", "page_size", "multifd_bytes"), _RAM),
    **dict.fromkeys(("precopy_ram", "postcopy_ram", "vfio_transferred"), _RAM),
    **dict.fromkeys(("transferred_disk", "remaining_disk", "total_disk"), _RAM),
    **dict.fromkeys(("duplicate", "skipped", "normal"), _PAGES),
    "dirty_sync_count": _COUNT,
    "postcopy_requests": (Unit.COUNT, Better.LOWER),
    "zero_copy_fallbacks": (Unit.COUNT, Better.LOWER),
    "postcopy_blocktime": (Unit.SECOND, Better.LOWER),
    "postcopy_vcpu_blocktime": (Unit.SECOND, Better.LOWER),
    "postcopy_latency": (Unit.SECOND, Better.LOWER),
    **dict.fromkeys(("xbzrle_cache_size", "xbzrle_transferred"), _RAM),
    **dict.fromkeys(("xbzrle_pages", "xbzrle_cache_miss"), _PAGES),
    **dict.fromkeys(("xbzrle_cache_miss_rate", "xbzrle_encoding_rate"), _SHARE),
    "xbzrle_overflow": _COUNT,
    "cpu_throttle": _SHARE,
    **dict.fromkeys(("dirty_limit_throttle_time", "dirty_limit_ring_full_time"), _TIME),
}
_FINISHED = {"completed": Status.PASS, "failed": Status.FAIL, "cancelled": Status.KILLED, "cancelling": Status.KILLED}
# What QEMU computes at the very end: asked a moment too early it still says zero, or the rate of the last interval.
_LATE = frozenset({"total_time", "downtime", "throughput", "pages_per_second", "downtime_ram"})


@dataclass(slots=True)
class Migration:
    """One report on a migration: QEMU's state word ("" when the text has none), its error, and what was measured."""

    status: str = ""
    error: str = ""
    capabilities: list[str] = field(default_factory=list)
    draft: Draft = field(default_factory=Draft)

    def has(self, metric: str) -> bool:
        """Whether the report tells this metric."""
        return any(one.metric == metric for one in self.draft.measurements)

    def value(self, metric: str) -> float | None:
        """The value of a metric; None when the report does not tell it."""
        return next((one.value for one in self.draft.measurements if one.metric == metric), None)

    def add(self, line: Line, metric: str, printed: float, unit: str = "", phase: str = "") -> None:
        """Keep a number in the unit that was printed; refuse one that cannot be, and say so."""
        if not 0 <= printed < _LARGEST:
            self.draft.warn(
                f"{metric} is {printed:.20g}: an unsigned counter of QEMU went below zero. It was left out."
            )
            return
        base, better = METRICS[metric]
        value = round(printed * _FACTORS.get(unit, 1.0) / _DIVISORS.get(unit, 1.0), 9 if base is Unit.SECOND else 3)
        self.draft.add(line, Measurement(metric, base, better, value, phase=phase, line=line.number))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was reported at all."""
        return not self.status and not self.draft.measurements


def to_record(found: Migration, format: str, command: str = "") -> Record:  # noqa: A002 - the record's word
    """The record of one report: only a completed migration passes."""
    _drop_view_of_destination(found)
    _drop_unsettled(found)
    status, why = _judge(found)
    draft = found.draft
    cleaned = stripped_sentence(draft.stripped)
    labels = {**draft.labels, **({"migration_status": found.status} if found.status else {})}
    return Record(
        benchmark=BENCHMARK,
        format=format,
        status=status,
        command=command,
        params=_params(found),
        labels={**labels, "error": found.error[:200]} if found.error else labels,
        warnings=(*why, *draft.warnings, *((cleaned,) if cleaned else ())),
        measurements=tuple(draft.measurements if status is Status.PASS else map(_as_snapshot, draft.measurements)),
        reported=any(Stripped.QUOTE in flags for flags in draft.stripped),
    )


def _judge(found: Migration) -> tuple[Status, tuple[str, ...]]:
    if found.is_empty:
        return Status.SKIP, ("No migration had been started when QEMU was asked: there is nothing to report.",)
    if found.status == "completed":
        early = found.has("total_time") and not found.has("transferred_ram")
        return Status.PASS, ("The report ends early: lines are missing.",) if early else ()
    if found.status == "failed":
        why = f": {found.error.rstrip('.')}" if found.error else ""
        return Status.FAIL, (f"The migration failed{why}.",)
    if found.status in _FINISHED:
        return Status.KILLED, ("The migration was cancelled: nothing is judged.",)
    if found.status in {"", "none"} and found.has("downtime") and found.has("total_time"):
        why = "The line with the status is missing; that it completed follows from its downtime, which QEMU tells last."
        return Status.PASS, (why,)
    state = f"still {found.status}" if found.status else "not known to be over"
    return Status.KILLED, (
        f"A snapshot of a migration that was {state}: its numbers are not final, they are kept and never judged.",
    )


def _as_snapshot(one: Measurement) -> Measurement:
    phase = f"{one.phase}.{SNAPSHOT}" if one.phase else SNAPSHOT
    return one._replace(phase=phase, warmup=True)


def _drop_view_of_destination(found: Migration) -> None:
    """The destination counts nothing: its `total time: 0 ms` is the lack of a measurement."""
    is_source = any(found.has(metric) for metric in ("transferred_ram", "total_ram", "downtime", "setup_time"))
    if not found.status or is_source or found.value("total_time") not in {0.0, None}:
        return
    found.draft.measurements = [one for one in found.draft.measurements if one.metric != "total_time"]
    if found.status not in {"failed", "cancelled", "cancelling", "none"}:
        found.draft.labels["side"] = "destination"
        found.draft.warn("This is the destination's view, which knows neither how long it took nor how much was sent.")


def _drop_unsettled(found: Migration) -> None:
    """QEMU can say `completed` a moment before it has computed the times (seen with 7.2 and multifd)."""
    if found.status != "completed" or found.value("total_time") != 0.0:
        return
    found.draft.measurements = [one for one in found.draft.measurements if one.metric not in _LATE]
    found.draft.warn(
        "QEMU was asked between the end of the migration and the computation of its times: total time, downtime and "
        "rates were left out. Ask again."
    )


def _params(found: Migration) -> dict[str, Param]:
    """What tells one test case from another: the guest's memory and the way it was sent."""
    params = dict(found.draft.params)
    total = found.value("total_ram")
    if total:
        params["ram_bytes"] = int(total)
    if found.value("multifd_bytes"):
        params["multifd"] = True
    if found.value("postcopy_ram") or found.status.startswith("postcopy"):
        params["postcopy"] = True
    if found.capabilities:
        params["capabilities"] = " ".join(sorted(found.capabilities))
    return params
