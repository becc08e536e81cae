"""Where a card stands among all cards."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from generator.catalog import Card
from generator.views.columns import COLUMN_BY_ID, Column

RANKED = ("memory", "bandwidth", "training", "training_per_watt")


@dataclass(frozen=True)
class Standing:
    """Rank of one card in one column: ``rank`` 1 is best, of ``total`` cards that have a value.

    ``positions`` are the places of all cards on a logarithmic scale from 0 to 1 and ``me`` that of
    this card; ``low`` and ``high`` are the ends of the scale in the column's unit.
    """

    column: Column
    value: float
    rank: int
    total: int
    positions: tuple[float, ...]
    me: float
    low: float
    high: float


class Rankings:
    """Ranks of all cards in the columns that a reader compares by. Built once a build."""

    def __init__(self, cards: Iterable[Card]) -> None:
        everyone = list(cards)
        self._values: dict[str, dict[str, float]] = {}
        self._sorted: dict[str, list[float]] = {}
        self._positions: dict[str, tuple[float, ...]] = {}
        for name in RANKED:
            column = COLUMN_BY_ID[name]
            values = {card.gpu.slug: column.get(card).number for card in everyone}
            self._values[name] = {slug: v for slug, v in values.items() if v}
            self._sorted[name] = sorted(self._values[name].values())
            self._positions[name] = tuple(_place(v, self._sorted[name]) for v in self._sorted[name])

    def of(self, card: Card) -> list[Standing]:
        """The card's standing in every ranked column that it has a value in."""
        found = []
        for name, values in self._values.items():
            value, ladder = values.get(card.gpu.slug), self._sorted[name]
            if value is None:
                continue
            rank = 1 + len(ladder) - bisect_right(ladder, value)
            me = _place(value, ladder)
            found.append(
                Standing(
                    COLUMN_BY_ID[name], value, rank, len(ladder), self._positions[name], me,
                    ladder[0], ladder[-1],
                )
            )  # fmt: skip
        return found


def _place(value: float, ladder: list[float]) -> float:
    """Where a value lies between the ends of a sorted list, on a logarithmic scale from 0 to 1."""
    span = math.log(ladder[-1] / ladder[0]) or 1.0
    return math.log(value / ladder[0]) / span
