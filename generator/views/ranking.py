"""Where a card stands among all cards."""

from __future__ import annotations

import math
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
        self._positions: dict[str, tuple[float, ...]] = {}
        for name in RANKED:
            column = COLUMN_BY_ID[name]
            values = {card.gpu.slug: column.get(card).number for card in everyone}
            self._values[name] = {slug: v for slug, v in values.items() if v}
            own = sorted(self._values[name].values())
            span = math.log(own[-1] / own[0]) or 1.0 if own else 1.0
            self._positions[name] = tuple(math.log(v / own[0]) / span for v in own)

    def of(self, card: Card) -> list[Standing]:
        """The card's standing in every ranked column that it has a value in."""
        found = []
        for name, values in self._values.items():
            value = values.get(card.gpu.slug)
            if value is None:
                continue
            low, high = min(values.values()), max(values.values())
            span = math.log(high / low) or 1.0
            rank = 1 + sum(other > value for other in values.values())
            found.append(
                Standing(
                    COLUMN_BY_ID[name], value, rank, len(values),
                    self._positions[name],
                    math.log(value / low) / span, low, high,
                )
            )  # fmt: skip
        return found
