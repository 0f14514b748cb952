"""The comparison as a table: one line a metric, test case, host and head, with everything a number needs beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.parts import wording
from dashboard.parts.plain import shortened
from dashboard.parts.verdicts import pair, word
from report.comparison import Absent, Row
from report.scales import axis_scale, with_unit
from report.text import case_line, interval

_ABSENT = {
    "missing": "not measured at head",
    "new": "not measured at base",
    "failed": "did not pass",
    "skipped": "was skipped",
}


def name(row: Row, *, many: bool) -> str:
    """What a link calls a row: the time series, and the pair where there are several."""
    return f"{row.series.id}:{pair(row)}" if many else str(row.series.id)


def frame(rows: Sequence[Row], *, many: bool) -> pd.DataFrame:
    """The rows as columns for `st.dataframe`. What all rows share (head, test case, host) stands above the table."""
    _, own = wording.common_and_own([row.series for row in rows])
    columns: dict[str, list[object]] = {
        "verdict": [word(row) for row in rows],
        "metric": [shortened(row.series.metric, 80) for row in rows],
        "change": [None if row.result.effect is None else 100 * row.result.effect for row in rows],
        "95% CI of change": [interval(row.result) for row in rows],
        "base": [level(row.result.base, row) for row in rows],
        "head": [level(row.result.head, row) for row in rows],
        "direction": [wording.direction(row.series.better) for row in rows],
        "test case": [shortened(told, 160) for told in own],
        "host": [shortened(row.series.host, 60) for row in rows],
        "n base": [wording.measured(row, 0) for row in rows],
        "n head": [wording.measured(row, 1) for row in rows],
        "why": [shortened(row.result.why) for row in rows],
    }
    if many:
        columns = {"verdict": columns.pop("verdict"), "against base": [shortened(pair(r), 60) for r in rows], **columns}
    if len({row.series.host for row in rows}) == 1:
        del columns["host"]
    if not any(own):
        del columns["test case"]
    return pd.DataFrame(columns)


def columns() -> Mapping[str, Any]:  # Any: the column types of the table have no common name
    """How the columns of `frame` are shown."""
    text = st.column_config.TextColumn
    return {
        "change": st.column_config.NumberColumn(
            format="%+.1f%%", help="Movement of the metric: head against base. The direction says what is better."
        ),
        "95% CI of change": text(help="Interval of the change in per cent; - where none is known."),
        "test case": text(width="medium"),
        "n base": text(help="Boots are the unit of replication."),
        "n head": text(help="Boots are the unit of replication."),
        "why": text(width="large"),
    }


def level(value: float | None, row: Row) -> str:
    """A level with its unit, in the power that suits base and head of this row."""
    if value is None:
        return "-"
    factor, unit = axis_scale((v for v in (row.result.base, row.result.head) if v is not None), row.series.unit)
    return with_unit(value, factor, unit)


def absent_frame(absent: Sequence[Absent]) -> pd.DataFrame:
    """What was not compared, and why not."""
    return pd.DataFrame(
        {
            "what": [one.what for one in absent],
            "meaning": [_ABSENT.get(one.what, one.what) for one in absent],
            "side": [one.side for one in absent],
            "against base": [shortened(one.head, 60) for one in absent],
            "runs": [one.runs for one in absent],
            "test case": [shortened(case_line(one.benchmark, sorted(one.params.items())), 160) for one in absent],
            "host": [shortened(one.host, 60) for one in absent],
        }
    )
