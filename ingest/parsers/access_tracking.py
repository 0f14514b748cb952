"""access_tracking_perf_test and execute_perf_test: how long vCPUs take to touch memory in each state it can be in.

Both print `label : seconds` lines. Patched variants print more of them, or loop: a label that comes again is another
repetition, except for marking and ageing, whose passes are different experiments.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from ingest.parsers.draft import SECONDS, Draft, begin
from ingest.parsers.lines import Line, unwrap
from ingest.parsers.memory_options import MEMORY_OPTIONS, read_header
from ingest.parsers.program import Program
from ingest.records import Better, Measurement, Output, Unit

_METRICS: Mapping[str, str] = {
    "populating memory": "populate_memory_time",
    "writing to populated memory": "write_populated_memory_time",
    "reading from populated memory": "read_populated_memory_time",
    "writing to memory": "write_memory_time",
    "reading from memory": "read_memory_time",
    "executing from memory": "execute_memory_time",
    "mark memory idle": "mark_memory_idle_time",
    "writing to idle memory": "write_idle_memory_time",
    "reading from idle memory": "read_idle_memory_time",
    "executing from idle memory": "execute_idle_memory_time",
    "vcpu wall time": "vcpu_wall_time",
    "lru_gen: aging": "lru_gen_aging_time",
}
_OTHER = re.compile(r"(?:writing|reading|executing|populating|mark|marking|lru_gen)\b", re.IGNORECASE)
_LABELLED = re.compile(rf"(?P<label>[A-Za-z][\w :-]{{1,60}}?) *: *(?P<time>{SECONDS})s(?![\w/])")
_AVERAGE = re.compile(
    rf"lru_gen avg pass duration *: *(?P<avg>{SECONDS})s, \(passes:(?P<passes>\d{{1,9}}), total:(?P<total>{SECONDS})s\)"
)
_IDLE = re.compile(
    r"vCPU(?P<vcpu>\d{1,5}): idle pages: (?P<idle>\d{1,15}) out of \d{1,15}, "
    r"failed to mark idle: (?P<failed>\d{1,15}) no pfn: (?P<no_pfn>\d{1,15})(?!\d)"
)
_STILL_IDLE = re.compile(r"WARNING: vCPU\d{1,5}: Too many pages still idle")
_PASSES = frozenset({"mark_memory_idle_time", "lru_gen_aging_time"})
_LAST = frozenset({"read_idle_memory_time", "execute_memory_time", "lru_gen_avg_pass_duration"})
_VOIDED = frozenset({"write_idle_memory_time", "read_idle_memory_time"})


def _scan(lines: list[Line], _output: Output) -> list[Draft]:
    drafts: list[Draft] = []
    is_populated = False
    for line in unwrap(lines, _is_cut):
        text = line.text
        populates = text.startswith("Populating memory")
        begins = (populates and is_populated) or text.startswith("Testing guest mode")
        if begins and (not drafts or drafts[-1].measurements):
            begin(drafts, line)
            is_populated = False
        is_populated = is_populated or populates
        if not text or (drafts and _read_header(line, drafts[-1])):
            continue
        if _is_result(text):
            _read(line, drafts[-1] if drafts else begin(drafts, line))
    for draft in drafts:
        _close(draft)
    return drafts


def _is_cut(text: str) -> bool:
    """Whether a line of the patched programs, which are longer than mails are wide, lacks its end."""
    if text.startswith("lru_gen avg"):
        return len(text) < 120 and not text.endswith(")")
    return text.startswith("vCPU") and "idle" in text and len(text) < 120 and _IDLE.match(text) is None


def _read_header(line: Line, draft: Draft) -> bool:
    if not read_header(line, draft):
        return False
    draft.is_begun = draft.is_begun or line.text.startswith("Testing guest mode")
    return True


def _is_result(text: str) -> bool:
    return ":" in text and text[:1].isalpha() and len(text) < 400


def _read(line: Line, draft: Draft) -> None:
    text = line.text
    if match := _LABELLED.match(text):
        if metric := _metric(match["label"]):
            draft.add_seconds(line, metric, match["time"])
        elif average := _AVERAGE.match(text):
            _read_average(line, average, draft)
    elif match := _IDLE.match(text):
        for metric, group in (("still_idle", "idle"), ("failed_to_mark_idle", "failed"), ("no_pfn", "no_pfn")):
            draft.add(line, _pages(f"{metric}_pages", match[group], match["vcpu"], line.number))
    elif _STILL_IDLE.match(text):
        draft.warn("Too many pages stayed idle, so the idle memory times mean nothing: they are kept and never judged.")
        draft.labels["still_idle"] = text[:200]


def _read_average(line: Line, match: re.Match[str], draft: Draft) -> None:
    draft.add_seconds(line, "lru_gen_avg_pass_duration", match["avg"])
    draft.add_count(line, "lru_gen_passes", match["passes"], Better.NONE)
    draft.add_seconds(line, "lru_gen_pass_total_time", match["total"])


def _pages(metric: str, number: str, vcpu: str, line: int) -> Measurement:
    phase = "" if vcpu == "0" else f"vcpu{vcpu}"
    return Measurement(metric, Unit.PAGE, Better.NONE, float(number), phase=phase, line=line)


@lru_cache(maxsize=256)
def _metric(label: str) -> str:
    """The metric of a printed label; "" for lines of something else."""
    words = " ".join(label.lower().split())
    if words == "lru_gen avg pass duration":
        return ""
    return _METRICS.get(words) or (_slug(words) if _OTHER.match(words) else "")


def _slug(label: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", label))[:60] + "_time"


def _close(draft: Draft) -> None:
    """Number what came more than once, and note whether the last line that the program prints was there."""
    times = Counter((measurement.metric, measurement.phase) for measurement in draft.measurements)
    counted: dict[tuple[str, str], int] = {}
    is_void = "still_idle" in draft.labels
    for index, measurement in enumerate(draft.measurements):
        series = (measurement.metric, measurement.phase)
        number = counted[series] = counted.get(series, 0) + 1
        phase = _pass_name(number) if measurement.metric in _PASSES else measurement.phase
        iteration = number if times[series] > 1 else None
        warmup = is_void and measurement.metric in _VOIDED
        if iteration is not None or warmup or phase != measurement.phase:
            metric, unit, better, value, *_, line = measurement
            draft.measurements[index] = Measurement(metric, unit, better, value, iteration, phase, warmup, line)
    draft.is_finished = any(measurement.metric in _LAST for measurement in draft.measurements)


def _pass_name(number: int) -> str:
    """Each pass meets memory in another state: upstream marks twice, the multi-gen LRU variant ages five times."""
    return f"pass{number}" if number <= 5 else "later"


ACCESS_TRACKING = Program(
    name="access_tracking_perf_test",
    version=2,
    markers=(
        "Populating memory ",
        "Writing to populated memory",
        "Reading from populated memory",
        "Mark memory idle",
        "Writing to idle memory",
        "Reading from idle memory",
        "lru_gen: Aging",
        "lru_gen avg pass duration",
    ),
    rivals=("Executing from ",),
    options=MEMORY_OPTIONS,
    scan=_scan,
)
EXECUTE = Program(
    name="execute_perf_test",
    version=2,
    markers=("Executing from memory",),
    options=MEMORY_OPTIONS,
    scan=_scan,
)
