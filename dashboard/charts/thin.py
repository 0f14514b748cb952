"""Fewer points for a crowded figure: the shape of each line stays, its extremes are kept. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from report.trend import Line

MOST = 20_000  # points of one figure that stay fluid in a browser
_LEAST = 40  # points of one line


def thinned(lines: Sequence[Line], most: int = MOST) -> list[Line]:
    """The lines with at most about `most` points together; all of them where they are few enough.

    A long line is cut into stretches; of each the lowest and the highest point stay, and both ends of the line.
    """
    total = sum(len(line.points) for line in lines)
    if total <= most:
        return list(lines)
    return [_thin(line, max(_LEAST, len(line.points) * most // total)) for line in lines]


def _thin(line: Line, most: int) -> Line:
    count = len(line.points)
    if count <= most:
        return line
    values = np.array([point.level.value for point in line.points])
    edges = np.linspace(0, count, most // 2 + 1).astype(int)
    kept = {0, count - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if stop > start:
            kept |= {start + int(values[start:stop].argmin()), start + int(values[start:stop].argmax())}
    return replace(line, points=tuple(line.points[i] for i in sorted(kept)))
