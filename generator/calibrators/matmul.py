"""What share of its rated speed each card attains in matrix products, by number format: one table for all speeds.

The share is the fastest ``torch.matmul`` of a submission over the rated speed, the median over a card's submissions.
Shares above 1 are no mistake: a GeForce runs above its rated clock, a laptop GPU far above its lowest.

A card that nobody measured has, in 16 bits, the share that its board power allows, because a card that lacks power
lowers its clock: a × min(W per rated TFLOP/s, ENOUGH_WATTS) ** b, fitted over the measured cards. In FP32 and TF32, and
without a known power, it has the median of its class (architecture, laptops apart) or else of all cards. In 8 bits it
has its share in 16 bits times the loss of the cards that were measured in both, and in 4 bits, which nobody published,
what 8 bits attain times that loss again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import median

import numpy as np

from generator import catalog, numbers, published
from generator.calibration import ROOT
from generator.catalog import Card
from generator.estimators.matmul import DEFAULT, RATES, class_of
from generator.names import Miss
from generator.scoring import number

Row = Mapping[str, str]
FORMAT_OF = {"fp32": "fp32", "tf32": "tf32", "bf16": "16", "fp16": "16", "fp8": "8"}
# More power than this for a rated TFLOP/s changes nothing in the measurements.
ENOUGH_WATTS = 4.0


@lru_cache(maxsize=1)
def shares(root: Path = ROOT) -> dict[str, dict[str, float]]:
    """Number format -> share by card slug, class or DEFAULT, from ``data/published/kernels``."""
    cards = catalog.load(root)
    best: dict[str, dict[str, dict[tuple[str, str], float]]] = {name: {} for name in RATES}
    for row in published.rows(root, "kernels"):
        name, match, speed = FORMAT_OF.get(row["dtype"]), cards.names.card(row["gpu"]), number(row["measured_value"])
        if "matmul" not in row["kernel"] or row["trust"] == "D" or name is None or isinstance(match, Miss) or not speed:
            continue
        rated = numbers.of_card(match.card)[RATES[name]]
        if rated:
            # A submission is a card in one place of a source; of its BF16 and FP16 the faster counts.
            submissions = best[name].setdefault(match.card.gpu.slug, {})
            place = (row["gpu"], row["source_path"])
            submissions[place] = max(submissions.get(place, 0.0), speed * 1e12 / rated)
    found = {name: {slug: median(values.values()) for slug, values in best[name].items()} for name in RATES}
    loss = median(found["8"][slug] / found["16"][slug] for slug in found["8"] if slug in found["16"])
    tables = {name: _with_classes(table, cards.cards) for name, table in found.items() if name not in ("8", "4")}
    tables["16"] = _by_power(found["16"], cards.cards) | tables["16"]
    tables["8"] = {key: share * loss for key, share in tables["16"].items()} | found["8"]
    tables["4"] = {key: share * loss for key, share in tables["8"].items()}
    return tables


def _with_classes(measured: Mapping[str, float], known: Mapping[str, Card]) -> dict[str, float]:
    classes: dict[str, list[float]] = {}
    for slug, share in measured.items():
        classes.setdefault(class_of(known[slug]), []).append(share)
    return {**{name: median(found) for name, found in classes.items()}, DEFAULT: median(measured.values()), **measured}


def _by_power(measured: Mapping[str, float], known: Mapping[str, Card]) -> dict[str, float]:
    """The share that board power allows, for every card but laptop GPUs; by least squares in logarithms."""
    watts = {slug: w for slug, card in known.items() if (w := _watts_per_tflops(card)) is not None}
    slugs: Sequence[str] = [slug for slug in measured if slug in watts]
    exponent, level = np.polyfit(np.log([watts[s] for s in slugs]), np.log([measured[s] for s in slugs]), 1)
    return {slug: float(np.exp(level) * w**exponent) for slug, w in watts.items()}


def _watts_per_tflops(card: Card) -> float | None:
    """Board power over the rated 16-bit speed; None for laptop GPUs, whose limits vary, and where one is not known."""
    rated, power = numbers.of_card(card)["rate_tensor16"], card.gpu.power.tdp_w
    if card.gpu.market == "laptop" or not rated or not power:
        return None
    return min(power / (rated / 1e12), ENOUGH_WATTS)
