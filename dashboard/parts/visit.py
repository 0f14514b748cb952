"""From a point of a figure or a row of a table to the run behind it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.parts.plain import shortened
from dashboard.state import RunView, chosen_row, leave_for, on_pick, on_point
from db.values import SeriesRow
from report.scales import axis_scale, with_unit
from report.trend import RawPoint, typical

_ROWS = 500  # of one table of runs


def clicked(key: str, source: tuple[str, str], series: Sequence[SeriesRow]) -> Any:  # Any: the figure's callback type
    """The callback of a figure of these time series: a level opens its most typical run, a single run itself."""
    metrics = {one.id: one.metric for one in series}

    def go(point: Mapping[str, Any]) -> None:
        told = _numbers(point.get("customdata"))
        if len(told) == 2 and told[1] in metrics:
            leave_for("run", RunView(run=str(told[0]), metric=metrics[told[1]]))
        elif len(told) > 2 and told[-2] in metrics:
            _open(_typical(source, told[-2], told[-1]), metrics)

    return on_point(key, go)


def table(
    key: str, found: Sequence[RawPoint], names: Mapping[int, str], boots: Mapping[int, str], series: SeriesRow
) -> None:
    """The runs of a time series with what each measured; choosing one opens it."""
    shown = found[:_ROWS]
    factor, unit = axis_scale((one.value for one in shown), series.unit)
    st.dataframe(
        pd.DataFrame(
            {
                "revision": [shortened(names.get(one.revision_id, ""), 60) for one in shown],
                "boot": [shortened(boots.get(one.boot, "unknown"), 60) for one in shown],
                "run": [one.run_id for one in shown],
                "median of its values": [with_unit(one.value, factor, unit) for one in shown],
            }
        ),
        hide_index=True,
        selection_mode="single-row",
        key=chosen_row(key, None),
        on_select=on_pick(key, lambda row: _open([shown[row]], {series.id: series.metric})),
    )
    if len(found) > _ROWS:
        st.caption(f"The first {_ROWS} of {len(found)} runs.")


def level_picked(source: tuple[str, str], places: Sequence[tuple[SeriesRow, int]]) -> Callable[[int], None]:
    """What choosing a row does in a table of levels: (time series, revision) by row."""

    def go(row: int) -> None:
        series, revision = places[row]
        _open(_typical(source, series.id, revision), {series.id: series.metric})

    return go


def _numbers(told: Any) -> list[int]:  # Any: what the browser sends
    """The ids that a point carries. Plotly sends a row of an array as an object whose keys are positions."""
    found = list(told.values()) if isinstance(told, dict) else told if isinstance(told, list) else []
    return [int(part) if isinstance(part, int | float) and math.isfinite(part) else -1 for part in found]


def _typical(source: tuple[str, str], series: int, revision: int) -> Sequence[RawPoint]:
    """The run nearest to the level of a point."""
    for line in loaders.lines(*source, (series,)):
        for point in line.points:
            if point.revision.id == revision:
                return typical(loaders.raw(*source, series), revision, point.level.value)
    return ()


def _open(found: Sequence[RawPoint], metrics: Mapping[int, str]) -> None:
    for one in found:
        leave_for("run", RunView(run=str(one.run_id), metric=metrics[one.series_id]))
