"""Predicted against measured as plain SVG: both axes logarithmic, one path and one shape for each source."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.accuracy import Point
from generator.i18n import number

Axis = Callable[[float], float]
# The drawing is SIZE × SIZE; the axes take LEFT and BOTTOM of it.
SIZE, LEFT, BOTTOM, PAD = 560, 88, 46, 10
# Shapes drawn from a point on: (path, "line" or "fill"). Neighbours in the list differ most.
SHAPES: tuple[tuple[str, str], ...] = (
    ("h0", "dot"), ("m-5 4h10l-5-9z", "line"), ("m-4-4l8 8m0-8l-8 8", "line"), ("m-4-4h8v8h-8z", "line"),
    ("m0-5v10m-5-5h10", "line"), ("m0-6l6 6-6 6-6-6z", "line"), ("m-4-4h8v8h-8z", "fill"), ("m-5-4h10l-5 9z", "line"),
    ("m-5 4h10l-5-9z", "fill"), ("m0-6l6 6-6 6-6-6z", "fill"), ("m-6 0h12", "line"), ("m0-6v12", "line"),
)  # fmt: skip
# From so many points on a source's shapes are smaller, so that they do not hide each other.
MANY, SMALL = 150, 0.6
# Shares by which an estimate is off, drawn as guides beside the diagonal.
GUIDES = (0.10, 0.25)


@dataclass(frozen=True)
class Series:
    """All points of one source: ``path`` draws them in ``style``; ``tone`` is the number of its colour."""

    family: str
    count: int
    path: str
    shape: str
    style: str
    tone: int


@dataclass(frozen=True)
class Plot:
    """One drawing. Ticks are (place, label); guides are paths by their share, 0 for the diagonal."""

    series: tuple[Series, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    guides: tuple[tuple[float, str], ...]
    count: int
    within: Mapping[float, float]


def plot(points: Sequence[Point]) -> Plot:
    """The drawing of some points, of which there is at least one."""
    values = [v for p in points for v in (p.measured, p.predicted)]
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = max(0.04 * (high - low), 0.02)
    low, high = low - margin, high + margin
    width, height = SIZE - LEFT - PAD, SIZE - BOTTOM - PAD

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low) / (high - low) * width

    def y(value: float) -> float:
        return PAD + height - (math.log10(value) - low) / (high - low) * height

    counts: dict[str, int] = {}
    for point in points:
        counts[point.family] = counts.get(point.family, 0) + 1
    families = sorted(counts, key=lambda family: (-counts[family], family))
    series = []
    for i, family in enumerate(families):
        shape, style = SHAPES[i % len(SHAPES)]
        drawn = _scaled(shape, SMALL) if counts[family] > MANY else shape
        # Points that fall on the same place are drawn once.
        places = dict.fromkeys((round(x(p.measured)), round(y(p.predicted))) for p in points if p.family == family)
        path = "".join(f"M{a} {b}{drawn}" for a, b in places)
        series.append(Series(family, counts[family], path, shape, style, i % 4))
    ticks = list(_ticks(low, high))
    return Plot(
        tuple(series),
        tuple((round(x(t), 1), number(t)) for t in ticks), tuple((round(y(t), 1), number(t)) for t in ticks),
        tuple((share, _guide(share, low, high, x, y)) for share in (0.0, *GUIDES)),
        len(points),
        {share: sum(abs(p.error) <= share for p in points) / len(points) for share in GUIDES},
    )  # fmt: skip


def _scaled(shape: str, factor: float) -> str:
    """A shape with all its lengths multiplied; they are whole and relative."""
    spaced = re.sub(r"-?\d+", lambda m: f" {int(m[0]) * factor:g}", shape)
    return re.sub(r"(?<=[a-z]) +| +(?=-)", "", re.sub(" +", " ", spaced))


def _ticks(low: float, high: float) -> Iterator[float]:
    """Powers of ten; also 2 and 5 of each where there are few."""
    steps = (1,) if high - low > 2.5 else (1, 2, 5) if high - low > 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for step in steps:
            value = step * 10.0**exponent
            if low <= math.log10(value) <= high:
                yield value


def _guide(share: float, low: float, high: float, x: Axis, y: Axis) -> str:
    """Lines on which an estimate is too high and too low by a share, within the frame."""
    path = ""
    for factor in dict.fromkeys((1 + share, 1 - share)):
        shift = math.log10(factor)
        begin, end = max(low, low - shift), min(high, high - shift)
        path += f"M{x(10**begin):.0f} {y(10 ** (begin + shift)):.0f}L{x(10**end):.0f} {y(10 ** (end + shift)):.0f}"
    return path
