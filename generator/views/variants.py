"""Cards that are easily taken for one another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from generator.catalog import Card, card_order

# Words that tell variants of one product apart; what is left is the name people ask for.
_VARIANT_WORDS = (
    r"\(.*?\)|\b\d+(?:/\d+)? ?GB\b|\b\d+Gbps\b|\bGDDR\w+\b|\bHBM\w+\b|\bLaptop\b|\bMax-Q\b"
    r"|\bWorkstation Edition\b|\bServer Edition\b|\bSFF\b|\b(?:PCIe|SXM\d?|NVL)\b|\bD(?: v2)?\b"
)


def product_name(name: str) -> str:
    """``GeForce RTX 3060 Laptop 6GB`` and ``GeForce RTX 3060 12GB`` as ``geforce rtx 3060``."""
    base = re.sub(_VARIANT_WORDS, " ", name)
    return re.sub(r"\s+", " ", base).strip().lower()


def spellings(name: str) -> list[str]:
    """Other ways in which people type the name: ``RTX 3060``, ``RTX3060``, ``3060``."""
    short = re.sub(r"^(GeForce|Quadro|Tesla|NVIDIA|Jetson) ", "", re.sub(r"\s*\(.*?\)", "", name))
    model = re.sub(r" ?\d+ ?GB$", "", short)
    found = [short, model, model.replace(" ", "")]
    if match := re.match(r"(?:GTX|RTX) (\d{4}.*)$", model):
        found += [match.group(1), match.group(1).replace(" ", "")]
    return [text for text in dict.fromkeys(found) if text != name]


class Variants:
    """Groups of cards that share the product's name. Built once a build."""

    def __init__(self, cards: Iterable[Card]) -> None:
        self._groups: dict[str, list[Card]] = defaultdict(list)
        for card in cards:
            self._groups[product_name(card.gpu.name)].append(card)

    def of(self, card: Card) -> list[Card]:
        """The other cards of the same product name, oldest first; often none."""
        group = self._groups[product_name(card.gpu.name)]
        return sorted((c for c in group if c is not card), key=card_order)
