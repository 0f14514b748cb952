# ruff: noqa: INP001 (a script beside the pictures that it draws)
"""Draws the pictures of docs/statistics.md as SVG, from simulated data and from our own functions. No dependencies.

PYTHONPATH=. python docs/images/draw_statistics.py
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stats.attribution import StateSamples, attribute
from stats.bisection import Bisection, BootNoise, Change, Observation
from stats.changepoints import Segmentation, State, detect

HERE = Path(__file__).parent
INK, GREY, BLUE, RED = "#222222", "#9a9a9a", "#1f6fb4", "#c0392b"


def main() -> None:
    """Write all pictures."""
    (HERE / "statistics-boots.svg").write_text(boots())
    (HERE / "statistics-attribution.svg").write_text(attribution())
    (HERE / "statistics-bisection.svg").write_text(bisection())
    (HERE / "statistics-changes.svg").write_text(changes())


def boots() -> str:
    """Two sides without any difference: iterations agree inside a boot, boots differ."""
    rng = np.random.default_rng(14)
    parts = [text(20, 24, "The same kernel twice, four boots of twelve iterations a side (boots scatter by 1 %)", 14)]
    levels = rng.normal(0, 1.0, 8)
    for boot, level in enumerate(levels):
        x = 70 + boot * 70 + (40 if boot >= 4 else 0)
        values = level + rng.normal(0, 0.25, 12)
        colour = BLUE if boot < 4 else RED
        parts += [dot(x + rng.uniform(-12, 12), 140 - 30 * v, colour, 3, 0.6) for v in values]
        parts.append(line(x - 18, 140 - 30 * level, x + 18, 140 - 30 * level, INK, 2))
        parts.append(text(x - 18, 222, f"boot {boot + 1}", 11, GREY))
    for side, first, colour in (("base", 0, BLUE), ("head", 4, RED)):
        mine = levels[first : first + 4]
        x = 90 + (first > 0) * 320 + 90
        parts.append(text(x, 250, f"{side}: mean {mean_pm(mine)} %, by boots", 12, colour, "middle"))
    told = f"Pooled, head is {levels[4:].mean() - levels[:4].mean():+.1f} % with an interval of +-0.4: a false alarm."
    parts.append(text(345, 276, told, 12, INK, "middle"))
    return svg(690, 290, parts)


def attribution() -> str:
    """Levels after each of six patches in four boots, and the posterior of the culprit."""
    rng = np.random.default_rng(2)
    state, boot, _ = np.indices((7, 4, 2)).reshape(3, -1)
    height = np.array([0.0, 0.03, -0.02, 0.015])
    logs = np.where(state >= 3, np.log(1.07), 0.0) + height[boot] + rng.normal(0, 0.012, state.size)
    found = attribute(StateSamples(state, boot, np.arange(state.size), np.exp(logs)), states=7)
    parts = [text(20, 24, "Six patches, four shared boots: every line is a boot, bars are posteriors", 14)]
    shades = (BLUE, "#2a9d8f", "#8e6bbf", "#d08b28")
    for b in range(4):
        means = [float(np.mean(logs[(state == s) & (boot == b)])) for s in range(7)]
        points = [(80 + 85 * s, 150 - 900 * m) for s, m in enumerate(means)]
        parts.append(polyline(points, shades[b]))
        parts += [
            dot(80 + 85 * s, 150 - 900 * v, shades[b], 2.5, 0.6)
            for s in range(7)
            for v in logs[(state == s) & (boot == b)]
        ]
    parts += [text(80 + 85 * s, 200, "base" if s == 0 else f"patch {s}", 11, GREY, "middle") for s in range(7)]
    for one in found.patches:
        tall = 60 * (one.posterior or 0.0)
        parts.append(box(65 + 85 * one.k, 280 - tall, 30, max(tall, 1), RED if one.k in found.culprits else GREY))
        parts.append(text(80 + 85 * one.k, 296, f"{one.posterior or 0:.2f}", 11, INK, "middle"))
    effect = found.patches[2].effect or 0.0
    parts.append(text(80, 250, f"patch 3: {100 * effect:+.1f} %", 12, RED))
    return svg(690, 310, parts)


def bisection() -> str:
    """The posterior over twelve patches after 4, 8, … boots of one noisy search."""
    rng = np.random.default_rng(8)
    truth, boot = 8, 0
    state = Bisection.start(12, BootNoise(0.03**2, 0.0, 20), Change(0.04, 0.03))
    shots: list[tuple[int, Sequence[float]]] = []
    while not state.is_decided and boot < 60:
        place = state.next_revision()
        value = float(np.exp(np.log(1.04) * (place >= truth) + rng.normal(0, 0.03)))
        state = state.observe([Observation(place, boot, value)])
        boot += 1
        if boot in (6, 12, 24):
            shots.append((boot, state.posterior().tolist()))
    if shots[-1][0] < boot:
        shots.append((boot, state.posterior().tolist()))
    parts = [text(20, 24, "One search for a 4 % step at patch 8, boots scattering by 3 %: where it may be", 14)]
    for row, (many, chances) in enumerate(shots):
        bottom = 95 + 62 * row
        parts.append(text(20, bottom, f"{many} boots", 12))
        for k in range(1, 13):
            tall = 50 * chances[k]
            parts.append(box(80 + 48 * k, bottom - tall, 36, max(tall, 0.8), RED if chances[k] >= 0.95 else BLUE))
    parts += [text(98 + 48 * k, 95 + 62 * len(shots) - 40, str(k), 11, GREY, "middle") for k in range(1, 13)]
    return svg(720, 80 + 62 * len(shots), parts)


def changes() -> str:
    """Two series with every state that a change can have."""
    rng = np.random.default_rng(15)
    quiet = 0.01 * rng.normal(size=120)
    quiet[18:21] += 0.08
    quiet[45:] += 0.035
    quiet[80:] -= 0.05
    quiet[118:] += 0.07
    hosts = (np.arange(120) >= 80).astype(np.int64)
    bursty = 0.01 * rng.normal(size=120)
    for start, length in ((24, 4), (44, 4), (90, 5)):
        bursty[start : start + length] += 0.07
    bursty[66:] += 0.04
    parts = [text(20, 24, "A quiet series with a new host state at 80, and one with bursts of its own", 14)]
    parts += _series(quiet, detect(np.exp(quiet), host_states=hosts), 130)
    parts += _series(bursty, detect(np.exp(bursty)), 300)
    return svg(760, 370, parts)


def _series(logs: np.ndarray, found: Segmentation, bottom: int) -> list[str]:
    """The points, the levels between the changes, and each change with its state."""
    parts = [dot(30 + 6 * k, bottom - 700 * value, GREY, 2.5, 1) for k, value in enumerate(logs)]
    for run in found.set_aside:
        colour = "#d08b28" if run.state is State.NOISY else "#8e6bbf"
        left, high = 27 + 6 * run.index, bottom - 700 * np.log(run.after)
        parts.append(box(left, high - 12, 6 * (run.end - run.index), 24, colour + "55"))
        parts.append(text(left - 8, high - 18, run.state.value, 11, colour))
    for change in found.changes:
        x, high = 27 + 6 * change.index, bottom - 700 * np.log(change.after)
        colour = GREY if change.host_changed else RED if change.state is State.CONFIRMED else BLUE
        side = "end" if x > 700 else "middle"
        word = "host changed" if change.host_changed else change.state.value
        parts.append(line(x, bottom - 75, x, bottom + 45, colour, 1))
        parts.append(line(x, high, 27 + 6 * change.end, high, INK, 1.5))
        parts.append(text(x - 4, bottom + 58, f"{word} {100 * change.effect:+.1f} %", 11, colour, side))
    return parts


def mean_pm(values: np.ndarray) -> str:
    """Mean and half a 95 % interval."""
    half = 3.18 * values.std(ddof=1) / 2
    return f"{values.mean():+.1f} +- {half:.1f}"


def svg(width: int, height: int, parts: Sequence[str]) -> str:
    """A picture on white."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>"]) + "\n"


def text(x: float, y: float, words: str, size: int, colour: str = INK, anchor: str = "start") -> str:
    """A line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{words}</text>'


def dot(x: float, y: float, colour: str, radius: float, opacity: float) -> str:
    """A dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" fill-opacity="{opacity}"/>'


def line(x0: float, y0: float, x1: float, y1: float, colour: str, width: float) -> str:
    """A straight line."""
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def polyline(points: Sequence[tuple[float, float]], colour: str) -> str:
    """A line through points."""
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A bar."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height:.1f}" fill="{colour}"/>'


if __name__ == "__main__":
    main()
