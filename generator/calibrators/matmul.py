"""What share of its rated speed each card attains in matrix products, by number format: one table for all speeds.

The share is the fastest ``torch.matmul`` of a submission over the rated speed, the median over a card's submissions,
drawn a little to the median of its class (architecture, laptops apart). Shares above 1 are no mistake: a GeForce runs
above its rated clock, a laptop GPU far above its lowest.

A card that nobody measured has its class's share. In 16 bits that is corrected for board power, because a card that
lacks power lowers its clock: share ~ min(W per rated TFLOP/s, ENOUGH_WATTS) ** b, with b fitted over all measured
cards; without a measured class that line alone holds. In 8 bits few cards were measured: the others have their share in
16 bits times the loss of the cards that were measured in both. In 4 bits nobody published products: 8 bits times that
loss again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import median

import numpy as np

from generator import catalog, numbers, published
from generator.calibration import ROOT
from generator.catalog import Card, Catalog
from generator.estimators.matmul import DEFAULT, RATES, class_of
from generator.names import Miss
from generator.scoring import number

Row = Mapping[str, str]
FORMAT_OF = {"fp32": "fp32", "tf32": "tf32", "bf16": "16", "fp16": "16", "fp8": "8"}
# More power than this for a rated TFLOP/s changes nothing in the measurements.
ENOUGH_WATTS = 4.0
# A card is drawn to its class as if the class were so many more of its submissions.
CLASS_SUBMISSIONS = 1.0


@lru_cache(maxsize=1)
def shares(root: Path = ROOT) -> dict[str, dict[str, float]]:
    """Number format -> share by card slug, class or DEFAULT, from ``data/published/kernels``."""
    cards, rows = catalog.load(root), published.rows(root, "kernels")
    measured = {name: _measured(name, cards, rows) for name in RATES}
    tables = {name: _drawn(found, cards.cards) for name, found in measured.items() if found}
    tables["16"] = _by_power(tables["16"], list(measured["16"]), cards.cards)
    loss = median(tables["8"][slug] / tables["16"][slug] for slug in measured["8"] if slug in measured["16"])
    of_8 = {slug: tables["8"][slug] for slug in measured["8"]}
    tables["8"] = {key: share * loss for key, share in tables["16"].items()} | of_8
    tables["4"] = {key: share * loss for key, share in tables["8"].items()}
    return tables


def _measured(name: str, cards: Catalog, rows: Iterable[Row]) -> dict[str, list[float]]:
    """The share of each submission in one format, by card. A submission is a card in one place of a source."""
    best: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows:
        if "matmul" not in row["kernel"] or row["trust"] == "D" or FORMAT_OF.get(row["dtype"]) != name:
            continue
        match, speed = cards.names.card(row["gpu"]), number(row["measured_value"])
        if isinstance(match, Miss) or not speed:
            continue
        rated = numbers.of_card(match.card)[RATES[name]]
        if rated:
            # Of its BF16 and FP16 the faster counts.
            submissions = best.setdefault(match.card.gpu.slug, {})
            place = (row["gpu"], row["source_path"])
            submissions[place] = max(submissions.get(place, 0.0), speed * 1e12 / rated)
    return {slug: list(submissions.values()) for slug, submissions in best.items()}


def _drawn(measured: Mapping[str, Sequence[float]], known: Mapping[str, Card]) -> dict[str, float]:
    """Medians of cards, drawn to their class; medians of classes and of all."""
    classes: dict[str, list[float]] = {}
    for slug, found in measured.items():
        classes.setdefault(class_of(known[slug]), []).extend(found)
    middle = {name: median(found) for name, found in classes.items()}
    own = {}
    for slug, found in measured.items():
        drawn = len(found) * median(found) + CLASS_SUBMISSIONS * middle[class_of(known[slug])]
        own[slug] = drawn / (len(found) + CLASS_SUBMISSIONS)
    # Laptops say nothing about other cards.
    return {**own, **middle, DEFAULT: median(v for name, v in middle.items() if not name.endswith("/laptop"))}


def _by_power(table: Mapping[str, float], measured: Sequence[str], known: Mapping[str, Card]) -> dict[str, float]:
    """The table with a share for every card whose power is known: its class's, corrected by the power law."""
    watts = {slug: w for slug, card in known.items() if (w := _watts_per_tflops(card)) is not None}
    points = [slug for slug in measured if slug in watts]
    exponent, level = np.polyfit(np.log([watts[s] for s in points]), np.log([table[s] for s in points]), 1)
    law = {slug: float(np.exp(level) * w**exponent) for slug, w in watts.items()}
    found = dict(table)
    for slug in sorted(set(law) - set(measured)):
        name = class_of(known[slug])
        peers = [law[peer] for peer in points if class_of(known[peer]) == name]
        if peers:
            found[slug] = table[name] * law[slug] / median(peers)
        elif name not in table:
            found[slug] = law[slug]
    return found


def _watts_per_tflops(card: Card) -> float | None:
    """Board power over the rated 16-bit speed; None for laptop GPUs, whose limits vary, and where one is not known."""
    rated, power = numbers.of_card(card)["rate_tensor16"], card.gpu.power.tdp_w
    if card.gpu.market == "laptop" or not rated or not power:
        return None
    return min(power / (rated / 1e12), ENOUGH_WATTS)
