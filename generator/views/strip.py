"""A strip plot as plain SVG: every card a tick on a logarithmic line, this card marked."""

from __future__ import annotations

from functools import lru_cache

from generator.views.ranking import Standing

WIDTH, HEIGHT, PAD = 600, 40, 8


def strip_paths(standing: Standing) -> tuple[str, float]:
    """The path data of all ticks and the x of this card's mark, in a box of WIDTH × HEIGHT."""
    return _ticks(standing.positions), _place(standing.me)


def _place(share: float) -> float:
    return round(PAD + share * (WIDTH - 2 * PAD), 1)


@lru_cache(maxsize=16)
def _ticks(positions: tuple[float, ...]) -> str:
    return "".join(f"M{x:g} 14v12" for x in dict.fromkeys(map(_place, positions)))
