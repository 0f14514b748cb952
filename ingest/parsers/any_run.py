"""One run of any benchmark as a JSON object: checked field by field, with the path of what is wrong; then a record.

The same rules stand in `ingest/schema/run.schema.json`; the client has no schema library, and a test holds them equal.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count, repeat
from typing import Any, Final

from ingest.parsers.any_unit import KNOWN, UNITS
from ingest.records import Better, Measurement, Param, Record, Status

FORMAT_NAME: Final = "jsonl"
_BENCHMARK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,3}\Z")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,148}[^\s\x00-\x1f\x7f])?\Z")
_PHASE = re.compile(r"[A-Za-z0-9._+-]{0,48}\Z")
_INSTANT = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])\Z"
)
_MAX_FIELDS = 200
_MAX_TEXT = 2000
MAX_MEASUREMENTS: Final = 100_000
MAX_VALUES: Final = 1_000_000
_EPOCH_END = 1e11
_STATUSES = {status.value: status for status in Status}
_FLOAT = frozenset({float})
_DIRECTIONS = {better.value: better for better in Better}
_RUN_FIELDS = frozenset(
    {"benchmark", "params", "status", "command", "started_at", "ended_at", "measurements", "labels", "warnings"}
    | {"reported", "host", "boot", "revision", "format", "source"}
)
_MEASUREMENT_FIELDS = frozenset({"metric", "unit", "better", "value", "values", "iteration", "phase", "warmup", "line"})
_NOTES = ("host", "boot", "revision", "started_at", "ended_at")


class InvalidRunError(Exception):
    """A field that is not as the format says: its JSON path, what is wrong, and what to do."""

    def __init__(self, path: str, what: str, hint: str = "") -> None:
        super().__init__(f"{path}: {what}" if path else what)
        self.path, self.what, self.hint = path, what, hint


def to_record(run: object, line: int = 0, format: str = FORMAT_NAME) -> Record:  # noqa: A002 - the record's word
    """The record of one run; InvalidRunError names the first field that is wrong. `line` is where it stands."""
    fields = _object(run, "")
    _known(fields, _RUN_FIELDS)
    benchmark = _required(fields, "benchmark")
    if not isinstance(benchmark, str) or not _BENCHMARK.match(benchmark):
        raise InvalidRunError("benchmark", f"{_shown(benchmark)} is no name like suite/program")
    measurements = _required(fields, "measurements")
    return Record(
        benchmark=benchmark,
        format=format,
        status=_status(fields.get("status", "pass")),
        command=_text(fields.get("command", ""), "command"),
        params=_params(fields.get("params", {})),
        labels={**_texts(fields.get("labels", {}), "labels"), **_notes(fields)},
        warnings=tuple(_list_of_texts(fields.get("warnings", []), "warnings")),
        measurements=_measurements(measurements, line),
        reported=_flag(fields.get("reported", False), "reported"),
    )


def _measurements(told: object, line: int) -> tuple[Measurement, ...]:
    if not isinstance(told, list):
        raise InvalidRunError("measurements", f"{_shown(told)} is no list")
    if len(told) > MAX_MEASUREMENTS:
        raise InvalidRunError("measurements", f"{len(told)} entries, more than {MAX_MEASUREMENTS}")
    found: list[Measurement] = []
    for index, one in enumerate(told):
        try:
            _read(one, line, found)
        except InvalidRunError as error:
            path = f"measurements[{index}]" + (f".{error.path}" if error.path else "")
            raise InvalidRunError(path, error.what, error.hint) from error
        if len(found) > MAX_VALUES:
            raise InvalidRunError("measurements", f"more than {MAX_VALUES} values")
    return tuple(found)


def _read(one: object, line: int, found: list[Measurement]) -> None:
    fields = _object(one, "")
    if not fields.keys() <= _MEASUREMENT_FIELDS:
        _known(fields, _MEASUREMENT_FIELDS)
    metric = _required(fields, "metric")
    if not isinstance(metric, str) or not _is_name(metric):
        raise InvalidRunError("metric", f"{_shown(metric)} is no name of 1 to 150 characters")
    unit, factor, divisor = _unit(_required(fields, "unit"))
    better = _direction(_required(fields, "better"))
    phase = _matching(fields.get("phase", ""), _PHASE, "phase", "is no word of letters, digits and . _ + -")
    values, is_list = _values(fields)
    first = _iteration(fields.get("iteration"), is_list=is_list)
    warmup = _warmup(fields.get("warmup", False), len(values))
    based = [value * factor / divisor for value in values]
    if not all(map(math.isfinite, based)):
        raise InvalidRunError("values" if is_list else "value", "is too large in base units")
    numbers: Iterable[int | None] = count(first) if first is not None else repeat(None)
    found += [
        Measurement(metric, unit, better, base, number, phase, index < warmup, line)
        for index, (base, number) in enumerate(zip(based, numbers))  # noqa: B905 - the second is endless
    ]


def _values(fields: Mapping[str, Any]) -> tuple[list[float], bool]:
    if ("value" in fields) == ("values" in fields):
        raise InvalidRunError("", "needs either value or values")
    if "value" in fields:
        return [_number(fields["value"], "value")], False
    told = fields["values"]
    if not isinstance(told, list) or not told:
        raise InvalidRunError("values", f"{_shown(told)} is no list with numbers")
    if len(told) > MAX_VALUES:
        raise InvalidRunError("values", f"{len(told)} numbers, more than {MAX_VALUES}")
    if _FLOAT.issuperset(map(type, told)) and all(map(math.isfinite, told)):  # long lists, at the speed of C
        return told, True
    return [_number(value, "values", index) for index, value in enumerate(told)], True


def _number(value: object, path: str, index: int | None = None) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float(value) if is_number else math.nan  # type: ignore[arg-type]  # a number by the line above
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        place = path if index is None else f"{path}[{index}]"
        raise InvalidRunError(place, f"{_shown(value)} is no finite number")
    return number


def _iteration(told: object, *, is_list: bool) -> int | None:
    """The number of the first value; a list without one is numbered from 1."""
    if told is None:
        return 1 if is_list else None
    return _whole(told, "iteration")


def _whole(told: object, path: str, most: int = 10**9) -> int:
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= most:
        raise InvalidRunError(path, f"{_shown(told)} is no whole number from 0 to {most}")
    return told


def _warmup(told: object, values: int) -> int:
    """How many of the values, from the first on, are kept and never judged."""
    if isinstance(told, bool):
        return values if told else 0
    return _whole(told, "warmup", MAX_VALUES)


def _unit(told: object) -> tuple[Any, float, float]:  # Any: the enum's member, as `UNITS` has it
    known = UNITS.get(told) if isinstance(told, str) else None
    if known is None:
        raise InvalidRunError("unit", f"unknown unit {_shown(told)}", KNOWN)
    return known


def _direction(told: object) -> Better:
    known = _DIRECTIONS.get(told) if isinstance(told, str) else None
    if known is None:
        raise InvalidRunError("better", f"{_shown(told)} is none of lower, higher, none")
    return known


def _status(told: object) -> Status:
    known = _STATUSES.get(told) if isinstance(told, str) else None
    if known is None:
        raise InvalidRunError("status", f"{_shown(told)} is none of {', '.join(_STATUSES)}")
    return known


def _params(told: object) -> dict[str, Param]:
    found: dict[str, Param] = {}
    for name, value in _fields(told, "params").items():
        if isinstance(value, str):
            found[name] = _text(value, f"params.{name}")
        elif isinstance(value, bool):
            found[name] = value
        elif isinstance(value, int | float):
            _number(value, f"params.{name}")
            found[name] = value
        else:
            raise InvalidRunError(f"params.{name}", f"{_shown(value)} is no text, number, true or false")
    return found


def _texts(told: object, path: str) -> dict[str, str]:
    return {name: _text(value, f"{path}.{name}") for name, value in _fields(told, path).items()}


def _fields(told: object, path: str) -> dict[str, Any]:
    fields = _object(told, path)
    if len(fields) > _MAX_FIELDS:
        raise InvalidRunError(path, f"{len(fields)} fields, more than {_MAX_FIELDS}")
    for name in fields:
        if not _is_name(name):
            raise InvalidRunError(path, f"{_shown(name)} is no name of 1 to 150 characters")
    return fields


def _list_of_texts(told: object, path: str) -> list[str]:
    if not isinstance(told, list) or len(told) > _MAX_FIELDS:
        raise InvalidRunError(path, f"{_shown(told)} is no list of at most {_MAX_FIELDS} texts")
    return [_text(one, f"{path}[{index}]") for index, one in enumerate(told)]


def _notes(fields: Mapping[str, Any]) -> dict[str, str]:
    """Where, when and on what it ran, as the file says: kept beside the run; an upload's own context goes before it."""
    found: dict[str, str] = {}
    for name in _NOTES:
        if name not in fields:
            continue
        told = fields[name]
        if name.endswith("_at"):
            _instant(told, name)
        found[name] = str(told) if name.endswith("_at") else _text(told, name)
    return found


def _instant(told: object, path: str) -> None:
    if isinstance(told, str) and _INSTANT.match(told):
        return
    is_epoch = isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < _EPOCH_END
    if not is_epoch:
        raise InvalidRunError(path, f"{_shown(told)} is neither epoch seconds nor a time like 2026-01-31T12:00:00Z")


@lru_cache(maxsize=1024)
def _is_name(text: str) -> bool:
    return len(text) <= 150 and _NAME.match(text) is not None


def _object(told: object, path: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise InvalidRunError(path, f"{_shown(told)} is no object")
    return told


def _required(fields: Mapping[str, Any], name: str) -> Any:  # Any: the caller checks it
    if name not in fields:
        raise InvalidRunError(name, "is missing")
    return fields[name]


def _known(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in fields:
        if name not in known and not name.startswith("x-"):
            hint = f"known fields: {', '.join(sorted(known))}; yours begin with x-"
            raise InvalidRunError(name[:60], "unknown field", hint)


def _matching(told: object, shape: re.Pattern[str], path: str, what: str) -> str:
    if not isinstance(told, str) or not shape.match(told):
        raise InvalidRunError(path, f"{_shown(told)} {what}")
    return told


def _text(told: object, path: str) -> str:
    if not isinstance(told, str) or len(told) > _MAX_TEXT:
        raise InvalidRunError(path, f"{_shown(told)} is no text of at most {_MAX_TEXT} characters")
    return told


def _flag(told: object, path: str) -> bool:
    if not isinstance(told, bool):
        raise InvalidRunError(path, f"{_shown(told)} is neither true nor false")
    return told


def _shown(value: object) -> str:
    """A value as an error message can hold it."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits has no decimal text
        return "a number that is far too large"
    return text if len(text) <= 60 else f"{text[:57]}..."
