"""A patch series in two figures: metrics x patches as a heat map, one metric patch by patch as a waterfall."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.charts.style import COLOURS, GREY, finish
from dashboard.parts.plain import plotly_text

_LIMIT = 0.3  # effects beyond have the deepest colour
_WORSE, _BETTER = COLOURS[1], COLOURS[0]


@dataclass(frozen=True, slots=True)
class Step:
    """What one patch did to a metric. Effects are ratios - 1; `mark` is `*` for a culprit, `?` for a suspect."""

    k: int
    subject: str
    effect: float | None
    low: float | None
    high: float | None
    cumulative: float | None
    cumulative_low: float | None
    cumulative_high: float | None
    mark: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """A metric over the patches of a version. `worse` is +1 where more is worse, -1 where less is, 0 for neither."""

    name: str
    worse: int
    steps: tuple[Step, ...]


def heat_map(tracks: Sequence[Track], patches: int) -> go.Figure:
    """Rows are metrics, columns patches: orange is worse, blue is better, the change in every cell that has one."""
    shown = [_cells(track, patches) for track in tracks]
    figure = go.Figure(
        go.Heatmap(
            z=[[z for z, _, _ in row] for row in shown],
            x=[str(k) for k in range(1, patches + 1)],
            y=[f"{number}. {plotly_text(track.name, 28)}" for number, track in enumerate(tracks, start=1)],
            text=[[text for _, text, _ in row] for row in shown],
            customdata=[[told for _, _, told in row] for row in shown],
            texttemplate="%{text}",
            hovertemplate="<b>%{y}</b><br>patch %{x}: %{customdata}<extra></extra>",
            colorscale=[[0, _BETTER], [0.5, "rgba(136,136,136,0.08)"], [1, _WORSE]],
            zmin=-1,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title={"text": "patch"}, side="top", type="category")
    figure.update_yaxes(autorange="reversed", type="category")
    return finish(figure, height=110 + 24 * max(len(tracks), 2), named=1)


def waterfall(track: Track) -> go.Figure:
    """Bars: what each patch did, with its interval. The line: where the metric stands against the base."""
    steps = [step for step in track.steps if step.effect is not None]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(
            x=[str(step.k) for step in steps],
            y=[100 * (step.effect or 0.0) for step in steps],
            error_y=_errors([(step.effect, step.low, step.high) for step in steps]),
            marker={"color": [_colour(step.effect or 0.0, track.worse) for step in steps], "opacity": 0.75},
            text=[f"{'culprit ' if step.mark == '*' else 'suspect ' if step.mark else ''}" for step in steps],
            textposition="inside",
            insidetextanchor="start",
            customdata=[plotly_text(step.told, 200) for step in steps],
            hovertemplate="patch %{x}<br>%{customdata}<extra></extra>",
            name="this patch",
        )
    )
    whole = [step for step in track.steps if step.cumulative is not None]
    figure.add_trace(
        go.Scatter(
            x=["base", *(str(step.k) for step in whole)],
            y=[0.0, *(100 * (step.cumulative or 0.0) for step in whole)],
            error_y=_errors([(0.0, None, None), *((s.cumulative, s.cumulative_low, s.cumulative_high) for s in whole)]),
            mode="lines+markers",
            line={"color": GREY, "width": 2, "shape": "hv"},
            marker={"size": 7, "color": GREY},
            hovertemplate="after patch %{x}: %{y:+.1f}% against the base<extra></extra>",
            name="since the base",
        )
    )
    order = ["base", *(str(step.k) for step in track.steps)]
    figure.update_xaxes(title={"text": "patch"}, type="category", categoryorder="array", categoryarray=order)
    figure.update_yaxes(title={"text": "change in %"}, zeroline=True)
    return finish(figure, height=380, named=2)


def _cells(track: Track, count: int) -> list[tuple[float | None, str, str]]:
    """For each patch the colour (worse is positive), the text in the cell and what the hover says."""
    by_patch = {step.k: step for step in track.steps}
    found: list[tuple[float | None, str, str]] = []
    for k in range(1, count + 1):
        step = by_patch.get(k)
        if step is None or step.effect is None:
            found.append((None, "", "not measured"))
            continue
        z = track.worse * _strength(step.effect, step.mark)
        found.append((z, f"{100 * step.effect:+.1f}%{step.mark}", plotly_text(step.told, 200)))
    return found


def _strength(effect: float, mark: str) -> float:
    """How deep the colour of a cell is, -1 to 1: a patch that is named stands out, however small its effect."""
    size = min(abs(effect) / _LIMIT, 1.0)
    depth = {"*": 0.6 + 0.4 * size, "?": 0.3 + 0.2 * size}.get(mark, 0.15 * size)
    return depth if effect > 0 else -depth


def _errors(points: Sequence[tuple[float | None, float | None, float | None]]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - (value or 0.0)) if high is not None else 0 for value, _, high in points],
        "arrayminus": [100 * ((value or 0.0) - low) if low is not None else 0 for value, low, _ in points],
    }


def _colour(effect: float, worse: int) -> str:
    return GREY if not worse or not effect else _WORSE if effect * worse > 0 else _BETTER
