"""A patch series in two figures: metrics x patches as a heat map, one metric patch by patch as a waterfall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.charts.style import COLOURS, GREY, faint, finish
from dashboard.parts.plain import plotly_text
from dashboard.parts.wording import signed

_LIMIT = 0.3  # effects beyond have the deepest colour
_WORSE, _BETTER = COLOURS[1], COLOURS[0]
_OTHERS = [[0, faint(_BETTER, 1)], [0.5, "rgba(136,136,136,0.08)"], [1, faint(_WORSE, 1)]]
_NAMED = [[0, _BETTER], [0.35, "#7FB8D8"], [0.5, "#C8C8C8"], [0.65, "#EAAE7F"], [1, _WORSE]]


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


@dataclass(frozen=True, slots=True)
class _Cell:
    """One patch of one metric: colour (worse is positive, None: not measured), text, hover, whether it is named."""

    z: float | None
    text: str
    told: str
    is_named: bool = False


def heat_map(tracks: Sequence[Track], patches: int) -> go.Figure:
    """Rows are metrics, columns patches: orange is worse, blue is better, the change in every cell that has one."""
    shown = [_cells(track, patches) for track in tracks]
    axes = {
        "x": [str(k) for k in range(1, patches + 1)],
        "y": [f"{number}. {plotly_text(track.name, 28)}" for number, track in enumerate(tracks, start=1)],
    }
    figure = go.Figure([_layer(shown, axes, is_named=False), _layer(shown, axes, is_named=True)])
    figure.update_xaxes(title={"text": "change by patch [%]"}, side="top", type="category", showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return finish(figure, height=110 + 24 * max(len(tracks), 2), named=1)


def _layer(shown: Sequence[Sequence[_Cell]], axes: Mapping[str, Sequence[str]], *, is_named: bool) -> go.Heatmap:
    """The cells of patches that are named, or the others. Apart: Plotly has one colour of text for a whole layer.

    Named cells are opaque, so that Plotly finds a text that can be read on them; the others let the page shine through.
    """
    return go.Heatmap(
        z=[[cell.z if cell.is_named == is_named else None for cell in row] for row in shown],
        **axes,
        # Plotly writes the text of cells without a colour, too. One size for all: as the longest fits its cell.
        text=[[cell.text if cell.is_named == is_named else "" for cell in row] for row in shown],
        customdata=[[cell.told for cell in row] for row in shown],
        texttemplate="%{text}",  # no <b>: Plotly takes its letters for width
        textfont={"weight": "bold"} if is_named else {"color": GREY},
        hovertemplate="<b>%{y}</b><br>patch %{x}: %{customdata}<extra></extra>",
        hoverongaps=False,
        colorscale=_NAMED if is_named else _OTHERS,
        zmin=-1,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
    )


def waterfall(track: Track) -> go.Figure:
    """From the base to the whole series: each patch a step from where the metric stood to where it then stands.

    Intervals are those of where it stands against the base; what one patch did has its own in the hover.
    """
    steps = [step for step in track.steps if step.effect is not None]
    tops = _tops(steps)
    starts = [0.0, *tops[:-1]] if tops else []
    names = [*(str(step.k) for step in steps), "all"]
    bars = [*zip(starts, tops, strict=True), (0.0, tops[-1] if tops else 0.0)]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=[100 * (top - start) for start, top in bars],
            base=[100 * start for start, _ in bars],
            error_y=_errors(steps, tops),
            marker={"color": [*(_colour(s.effect or 0.0, track.worse) for s in steps), GREY], "opacity": 0.8},
            customdata=[*(plotly_text(step.told, 200) for step in steps), "the whole series against its base"],
            hovertemplate="patch %{x}<br>%{customdata}<extra></extra>",
            name="change",
        )
    )
    figure.add_trace(_stairs(names, starts))
    for place, (step, start, top) in enumerate(zip(steps, starts, tops, strict=True)):
        if step.mark:
            _name(figure, place, step, max(top, start, step.cumulative_high or top))
    figure.update_xaxes(title={"text": "patch"}, type="category", categoryorder="array", categoryarray=names)
    figure.update_yaxes(title={"text": "change against the base [%]"}, zeroline=True, zerolinecolor=GREY)
    return finish(figure, height=380, named=1)


def _tops(steps: Sequence[Step]) -> list[float]:
    """Where the metric stands after each patch: as measured against the base, else as the steps add up."""
    tops: list[float] = []
    for step in steps:
        before = tops[-1] if tops else 0.0
        tops.append((1 + before) * (1 + (step.effect or 0.0)) - 1 if step.cumulative is None else step.cumulative)
    return tops


def _stairs(names: Sequence[str], starts: Sequence[float]) -> go.Scatter:
    """Thin lines from the end of each bar to the beginning of the next: what makes bars in the air readable."""
    x: list[str | None] = []
    y: list[float | None] = []
    for name, following, level in zip(names, names[1:], starts[1:], strict=False):
        x += [name, following, None]
        y += [100 * level, 100 * level, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": GREY, "width": 1, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )


def _name(figure: go.Figure, place: int, step: Step, high: float) -> None:
    """The word over the bar of a patch that is named: the colour says only the direction.

    By its place: a name like `5` would be taken for the fifth place.
    """
    figure.add_annotation(
        x=place,
        y=100 * high,
        yanchor="bottom",
        yshift=4,
        showarrow=False,
        text=f"{'culprit' if step.mark == '*' else 'suspect'} {signed(step.effect or 0.0)}",
    )


def _cells(track: Track, count: int) -> list[_Cell]:
    by_patch = {step.k: step for step in track.steps}
    found = []
    for k in range(1, count + 1):
        step = by_patch.get(k)
        if step is None or step.effect is None:
            found.append(_Cell(None, "", "not measured"))
            continue
        z = track.worse * _strength(step.effect, step.mark)
        found.append(_Cell(z, f"{_short(step.effect)}{step.mark}", plotly_text(step.told, 200), bool(step.mark)))
    return found


def _short(effect: float) -> str:
    """Per cent as the axis says: without its sign more of it can be read on a small screen."""
    return signed(effect).removesuffix("%")


def _strength(effect: float, mark: str) -> float:
    """How deep the colour of a cell is, -1 to 1: a patch that is named stands out, however small its effect."""
    size = min(abs(effect) / _LIMIT, 1.0)
    depth = {"*": 0.6 + 0.4 * size, "?": 0.3 + 0.2 * size}.get(mark, 0.15 * size)
    return depth if effect > 0 else -depth


def _errors(steps: Sequence[Step], tops: Sequence[float]) -> dict[str, object]:
    """The intervals of where the metric stands, in percentage points; once more the last one, for the whole."""
    spans = [(top, step.cumulative_low, step.cumulative_high) for top, step in zip(tops, steps, strict=True)]
    spans += spans[-1:]
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - top) if high is not None else 0 for top, _, high in spans],
        "arrayminus": [100 * (top - low) if low is not None else 0 for top, low, _ in spans],
        "color": GREY,
        "thickness": 1.5,
        "width": 4,
    }


def _colour(effect: float, worse: int) -> str:
    return GREY if not worse or not effect else _WORSE if effect * worse > 0 else _BETTER
