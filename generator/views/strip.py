"""A strip plot as plain SVG: every card a tick on a logarithmic line, this card marked."""

from __future__ import annotations

from generator.views.ranking import Standing

WIDTH, HEIGHT, PAD = 600, 40, 8


def strip_paths(standing: Standing) -> tuple[str, float]:
    """The path data of all ticks and the x of this card's mark, in a box of WIDTH × HEIGHT."""
    scale = WIDTH - 2 * PAD
    places = dict.fromkeys(round(PAD + p * scale, 1) for p in standing.positions)
    ticks = "".join(f"M{x:g} 14v12" for x in places)
    return ticks, round(PAD + standing.me * scale, 1)
