"""Colours, marks and layout that all figures share: told apart without colour, readable on light and dark."""

import math

import plotly.graph_objects as go

# Okabe and Ito's palette without black and yellow, which vanish on a dark or a light page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#888888"  # visible on both pages

PLAIN = {"displaylogo": False}  # what is told to Plotly beside the figure
_LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "title": {"text": ""}}
FEW = 20  # lines a legend can name
_ROW, _WIDTH = 26, 1000  # pixels: a row of the legend, and what is left for one on a usual page
_LETTER, _MARK = 6.5, 50  # pixels: a letter, and the stroke before a name


def colour(position: int) -> str:
    """The colour of the nth line or side."""
    return COLOURS[position % len(COLOURS)]


def symbol(position: int) -> str:
    """The mark of the nth line or side: another one where the colours begin again."""
    return SYMBOLS[(position + position // len(COLOURS)) % len(SYMBOLS)]


def dash(position: int) -> str:
    """The stroke of the nth line."""
    return DASHES[(position // len(COLOURS)) % len(DASHES)]


def faint(hexadecimal: str, alpha: float = 0.18) -> str:
    """A colour to fill a band with."""
    red, green, blue = (int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def finish(figure: go.Figure, *, height: int, named: int) -> go.Figure:
    """The common layout. `named` is the number of entries in the legend: too many are left to the hover.

    A legend of several rows makes the figure higher, so that the plot keeps its `height`.
    """
    is_told = 1 < named <= FEW
    figure.update_layout(
        height=height + (_ROW * max(_rows(figure) - 1, 0) if is_told else 0),
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        legend=_LEGEND,
        showlegend=is_told,
        hoverlabel={"align": "left", "namelength": -1},
        hovermode="closest",
        dragmode="zoom",
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def _rows(figure: go.Figure) -> int:
    """How many rows the legend will have: all its entries are as wide as the longest one."""
    names = [trace.name or "" for trace in figure.data if trace.showlegend is not False]
    widest = max((len(name) for name in names), default=0)
    return math.ceil(len(names) / max(1, int(_WIDTH // (widest * _LETTER + _MARK))))
