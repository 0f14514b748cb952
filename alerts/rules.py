"""Per-benchmark rules of alerting, from one TOML file. What is wrong is told with file, line and key. No database."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from db.errors import UserError
from db.values import SeriesRow

MARGIN = 0.02
_WHERE = ("benchmark", "metric", "host")
_KEYS = (*_WHERE, "params", "margin", "min_boots", "owners", "mute", "reason")
_TABLES = ("defaults", "rule", "silence")
_SILENCE = ("days", "revisions")


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the time series that it matches; None where it says nothing. Muted for good: datetime.max."""

    where: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    margin: float | None = None
    min_boots: int | None = None
    owners: tuple[str, ...] = ()
    muted_until: datetime | None = None
    reason: str = ""

    def takes(self, series: SeriesRow) -> bool:
        """Whether it speaks of a time series."""
        names = {"benchmark": (series.benchmark, series.benchmark.rsplit("/", 1)[-1]), "host": (series.host,)}
        names["metric"] = (series.metric, series.metric.split(".", 1)[0])
        fits = all(any(fnmatchcase(name, glob) for name in names[key]) for key, glob in self.where.items())
        return fits and all(series.params.get(key) == value for key, value in self.params.items())


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules in force for one time series."""

    margin: float = MARGIN
    min_boots: int = 1
    owners: tuple[str, ...] = ()
    muted_until: datetime | None = None
    reason: str = ""

    def is_muted(self, now: datetime) -> bool:
        """Whether nobody wants to hear of it now."""
        return self.muted_until is not None and now < self.muted_until


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules. Of several that match, the last one that says something about a term counts."""

    defaults: Terms = Terms()
    rules: tuple[Rule, ...] = ()
    silent_days: float = 5.0
    silent_revisions: int = 5

    def terms(self, series: SeriesRow) -> Terms:
        """What holds for a time series."""
        found = self.defaults
        for rule in self.rules:
            if rule.takes(series):
                found = _with(found, rule)
        return found


def read(path: Path) -> Rules:
    """The rules in a file. Raises UserError that names the line and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UserError(f"{path}: {reason}", "rules are a TOML file: --rules or KVMPERF_RULES names it") from error
    return parse(text, str(path))


def parse(text: str, source: str = "rules") -> Rules:
    """The rules in a TOML text."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{source}:{line.group(1)}" if line else source
        raise UserError(f"{place}: not TOML: {error}") from error
    reader = _Reader(text, source)
    reader.known(told, _TABLES, "")
    defaults = reader.rule(reader.table(told, "defaults"), "defaults", 0, _KEYS[len(_WHERE) + 1 :])
    listed = told.get("rule", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        reader.refuse("rule", "", 0, "rules are written as [[rule]]")
    silence = reader.table(told, "silence")
    reader.known(silence, _SILENCE, "silence")
    return Rules(
        _with(Terms(), defaults),
        tuple(reader.rule(one, "rule", number, _KEYS) for number, one in enumerate(listed)),
        float(reader.number(silence, "silence", "days", 5.0)),
        int(reader.number(silence, "silence", "revisions", 5)),
    )


def _with(terms: Terms, rule: Rule) -> Terms:
    said: dict[str, Any] = {  # Any: terms of several types
        name: value
        for name in ("margin", "min_boots", "owners", "muted_until")
        if (value := getattr(rule, name)) not in (None, ())
    }
    if "muted_until" in said:
        said["reason"] = rule.reason
    return replace(terms, **said)


Table = Mapping[str, Any]  # Any: TOML


class _Reader:
    """Takes tables apart; knows the text, so that an error can name its line."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source

    def rule(self, table: Table, name: str, number: int, keys: Sequence[str]) -> Rule:
        """One rule; `number` counts the [[rule]] tables from 0."""
        self.known(table, keys, name, number)
        where = {key: self._text(table, key, (name, number)) for key in _WHERE if key in table}
        params = table.get("params", {})
        if not isinstance(params, dict):
            self.refuse(name, "params", number, "a table such as {vcpus = 4}")
        return Rule(
            where=where,
            params=params,
            margin=self._margin(table, (name, number)),
            min_boots=self._min_boots(table, (name, number)),
            owners=self._owners(table, (name, number)),
            muted_until=self._mute(table, (name, number)),
            reason=self._text(table, "reason", (name, number)),
        )

    def table(self, told: Table, name: str) -> Table:
        """A table by name; empty where it is not there."""
        found = told.get(name, {})
        if not isinstance(found, dict):
            self.refuse(name, "", 0, f"write it as [{name}]")
        return dict(found)

    def known(self, table: Table, keys: Sequence[str], name: str, number: int = 0) -> None:
        """Refuse keys that nobody reads: a misspelt rule must not be silence."""
        for key in table:
            if key not in keys:
                near = get_close_matches(key, keys, 1)
                self.refuse(name, key, number, f"unknown; did you mean {near[0]}?" if near else "unknown")

    def number(self, table: Table, name: str, key: str, default: float) -> float:
        """A positive number."""
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            self.refuse(name, key, 0, f"{value!r} is no positive number")
        return float(value)

    def refuse(self, name: str, key: str, number: int, said: str) -> None:
        """Raise the error for a key of a table."""
        what = ".".join(part for part in (name, key) if part)
        raise UserError(
            f"{self._source}:{self._line(name, key, number)}: {what}: {said}", "docs/alerts.md has an example"
        )

    def _text(self, table: Table, key: str, place: tuple[str, int]) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self.refuse(place[0], key, place[1], f"{value!r} is no text")
        return str(value)

    def _margin(self, table: Table, place: tuple[str, int]) -> float | None:
        if "margin" not in table:
            return None
        value = table["margin"]
        try:
            margin = float(value.removesuffix("%")) / 100 if isinstance(value, str) else float(value)
        except (ValueError, TypeError):
            margin = -1.0
        if isinstance(value, bool) or not 0 <= margin < 1:
            self.refuse(place[0], "margin", place[1], f'{value!r} is no margin between 0% and 100%; for example "2%"')
        return margin

    def _min_boots(self, table: Table, place: tuple[str, int]) -> int | None:
        value = table.get("min_boots")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            self.refuse(place[0], "min_boots", place[1], f"{value!r} is no number of boots from 1 on")
        return value

    def _owners(self, table: Table, place: tuple[str, int]) -> tuple[str, ...]:
        value = table.get("owners", [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.refuse(place[0], "owners", place[1], "a list of names or mail addresses")
        return tuple(value)

    def _mute(self, table: Table, place: tuple[str, int]) -> datetime | None:
        value = table.get("mute")
        if value is None or value is False:
            return None
        if not table.get("reason"):
            self.refuse(place[0], "mute", place[1], 'say why: reason = "..."')
        if value is True:
            return datetime.max.replace(tzinfo=UTC)
        if not isinstance(value, date):
            self.refuse(place[0], "mute", place[1], f"{value!r} is neither true nor a date such as 2027-01-31")
        when = value if isinstance(value, datetime) else datetime.combine(value, time())
        return when if when.tzinfo else when.replace(tzinfo=UTC)

    def _line(self, name: str, key: str, number: int) -> int:
        """The line of a key in the `number`th table of that name; of the table where the key is not found."""
        header = re.compile(rf"\s*\[+\s*{re.escape(name)}\s*\]+") if name else re.compile("")
        heads = [i for i, line in enumerate(self._lines) if header.match(line)] or [0]
        start = heads[min(number, len(heads) - 1)]
        wanted = re.compile(rf"\s*\[*\s*\"?{re.escape(key)}\b") if key else header
        for i in range(start, len(self._lines)):
            if i > start and name and self._lines[i].lstrip().startswith("["):
                break
            if wanted.match(self._lines[i]):
                return i + 1
        return start + 1
