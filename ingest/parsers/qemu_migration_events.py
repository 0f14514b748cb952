"""QEMU's migration events (QMP, one JSON object a line) to phases with their lengths: what `query-migrate` cannot tell.

The source goes setup, active with a MIGRATION_PASS a round, STOP of the guest, completed; the destination waits in
setup, then active, RESUME of the guest, completed. Postcopy and a pause before the switch-over come between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.parsers import jsontext
from ingest.parsers.draft import MAX_RUNS
from ingest.parsers.jsontext import looks_like_json
from ingest.parsers.lines import sample
from ingest.parsers.migration import SNAPSHOT
from ingest.records import Better, Format, FormatError, Measurement, Output, Record, Status, Unit

NAME = "qemu-migration-events"
VERSION = 1
BENCHMARK = "migrate-perf/qemu-events"
_ENDS = {"completed": Status.PASS, "failed": Status.FAIL, "cancelled": Status.KILLED}
_KNOWN = frozenset({"MIGRATION", "MIGRATION_PASS", "STOP", "RESUME"})


@dataclass(slots=True)
class _Stream:
    """The events of one migration: when each state was first entered, when each round began (epoch seconds)."""

    states: dict[str, tuple[float, int]] = field(default_factory=dict)
    rounds: list[tuple[int, float, int]] = field(default_factory=list)
    stopped: tuple[float, int] | None = None
    resumed: tuple[float, int] | None = None
    is_backwards: bool = False
    last: float = 0.0

    @property
    def end(self) -> str:
        """The state that ended the migration; "" while none did."""
        return next((state for state in _ENDS if state in self.states), "")

    @property
    def is_source(self) -> bool:
        """Whether the guest left this QEMU."""
        return bool(self.rounds) or self.stopped is not None


def _parse(output: Output) -> list[Record]:
    streams = _streams(jsontext.objects(output.text, output.source))
    if not streams:
        raise FormatError(output.source, 0, "holds no migration events", "turn the `events` capability on in QEMU")
    if len(streams) > MAX_RUNS:
        raise FormatError(output.source, 0, f"more than {MAX_RUNS} migrations in one text", "pass one per file")
    quoted = jsontext.is_quoted(output.text)
    return [_record(stream, output, quoted=quoted) for stream in streams]


def _streams(documents: Iterable[tuple[int, dict[str, Any]]]) -> list[_Stream]:
    streams: list[_Stream] = []
    for place, event in documents:
        name, at = event.get("event"), _time(event)
        if name not in _KNOWN or at is None:
            continue
        data = event.get("data")
        state = data.get("status") if isinstance(data, dict) else None
        begins = name == "MIGRATION" and state == "setup"
        if begins or not streams:
            streams.append(_Stream(last=at))
        _read(streams[-1], str(name), data, (at, place))
    return [stream for stream in streams if stream.states or stream.rounds]


def _time(event: Mapping[str, Any]) -> float | None:
    stamp = event.get("timestamp")
    if not isinstance(stamp, dict):
        return None
    seconds, micro = jsontext.number(stamp.get("seconds")), jsontext.number(stamp.get("microseconds"))
    if seconds is None or micro is None or not 0 <= seconds < 1e11 or not 0 <= micro < 1e6:
        return None
    return seconds + micro / 1e6


def _read(stream: _Stream, name: str, data: object, here: tuple[float, int]) -> None:
    stream.is_backwards = stream.is_backwards or here[0] < stream.last
    stream.last = here[0]
    told = data if isinstance(data, dict) else {}
    if name == "STOP":
        stream.stopped = stream.stopped or here
    elif name == "RESUME":
        stream.resumed = stream.resumed or here
    elif name == "MIGRATION_PASS":
        number = jsontext.number(told.get("pass"))
        if number is not None and 0 < number < 1e9:
            stream.rounds.append((int(number), *here))
    elif isinstance(state := told.get("status"), str):
        stream.states.setdefault(state[:40], here)


def _record(stream: _Stream, output: Output, *, quoted: bool) -> Record:
    warnings: list[str] = []
    if stream.is_backwards:
        warnings.append("The clock went backwards between the events: nothing was measured.")
    measured = [] if stream.is_backwards else _source(stream) if stream.is_source else _destination(stream)
    status = _ENDS.get(stream.end, Status.KILLED)
    if not stream.end:
        warnings.append("The events end before the migration does: phases that had ended are kept and never judged.")
    elif status is not Status.PASS:
        warnings.append(
            f"The migration {stream.end}: phases that had ended are kept and never judged.".replace(
                "migration cancelled", "migration was cancelled"
            )
        )
    if status is not Status.PASS:
        measured = [one._replace(phase=f"{one.phase}.{SNAPSHOT}".lstrip("."), warmup=True) for one in measured]
    return Record(
        benchmark=BENCHMARK,
        format=NAME,
        status=status,
        command=(output.command or "").strip(),
        params={"side": "source" if stream.is_source else "destination"}
        | ({"postcopy": True} if "postcopy-active" in stream.states else {})
        | ({"pause_before_switchover": True} if "pre-switchover" in stream.states else {}),
        labels={"migration_status": stream.end or next(reversed(stream.states), "")},
        warnings=tuple(warnings),
        measurements=tuple(measured),
        reported=quoted,
    )


def _source(stream: _Stream) -> list[Measurement]:
    states, end = stream.states, stream.states.get(stream.end)
    postcopy = states.get("postcopy-active")
    switch = postcopy or states.get("pre-switchover") or stream.stopped
    found = [
        _length("setup_time", states.get("setup"), states.get("active")),
        _length("precopy_time", states.get("active"), _first(switch, stream.stopped)),
        *_rounds(stream, _first(postcopy, stream.stopped, end)),
        _length("switchover_wait_time", states.get("pre-switchover"), states.get("device")),
        _length("postcopy_time", postcopy, end),
        # in postcopy the guest runs again long before the end, on the destination: only its RESUME tells
        None if postcopy else _length("stop_to_end_time", stream.stopped, end),
        _length("total_time", states.get("setup"), end),
    ]
    return [one for one in found if one is not None]


def _rounds(stream: _Stream, end: tuple[float, int] | None) -> list[Measurement | None]:
    """How long each round of precopy took; the first sends all memory, the later ones what was dirtied meanwhile.

    The pass that begins after the guest was stopped belongs to the downtime.
    """
    stopped = stream.stopped[0] if stream.stopped else float("inf")
    rounds = [one for one in stream.rounds if one[1] < stopped]
    ends = [(at, line) for _number, at, line in rounds[1:]] + ([end] if end else [])
    return [
        _length("precopy_round_time", (at, line), until, number, "round1" if number == 1 else "later")
        for (number, at, line), until in zip(rounds, ends, strict=False)
    ]


def _destination(stream: _Stream) -> list[Measurement]:
    states, end = stream.states, stream.states.get(stream.end)
    found = [
        _length("incoming_time", states.get("active"), end),
        _length("time_to_resume", states.get("postcopy-active") or states.get("active"), stream.resumed),
        _length("postcopy_time", states.get("postcopy-active"), end),
    ]
    return [one for one in found if one is not None]


def _first(*moments: tuple[float, int] | None) -> tuple[float, int] | None:
    return min((one for one in moments if one is not None), default=None)


def _length(
    metric: str,
    begin: tuple[float, int] | None,
    end: tuple[float, int] | None,
    iteration: int | None = None,
    phase: str = "",
) -> Measurement | None:
    """The time between two events, on the line of the second; None when one is missing or they are in another order."""
    if begin is None or end is None or end[0] < begin[0]:
        return None
    # stamps have microseconds: what a float adds to a difference of epoch times is no measurement
    seconds = round(end[0] - begin[0], 6)
    return Measurement(metric, Unit.SECOND, Better.LOWER, seconds, iteration, phase, line=end[1])


def _recognises(output: Output) -> bool:
    if not looks_like_json(output.text):
        return False
    text = sample(output.text)
    return '"event"' in text and '"MIGRATION' in text


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
