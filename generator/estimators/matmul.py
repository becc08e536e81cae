"""The share of its rated speed that a card attains in matrix products: a look-up in what
:mod:`generator.calibrators.matmul` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping

from generator.catalog import Card

# Number format -> the rate of :func:`generator.numbers.of_card` that the share is of.
RATES: Mapping[str, str] = {
    "fp32": "rate_fp32", "tf32": "rate_tf32", "16": "rate_tensor16", "8": "rate_fp8", "4": "rate_fp4",
}  # fmt: skip
DEFAULT = "default"
# Number format -> share by card, class of cards, or DEFAULT.
Shares = Mapping[str, Mapping[str, float]]


def attained(card: Card, shares: Shares) -> dict[str, float]:
    """``attained_fp32`` … ``attained_4`` of a card: its own, else its class's, else that of all cards."""
    keys = (card.gpu.slug, class_of(card), DEFAULT)
    return {f"attained_{name}": float(next(shares[name][key] for key in keys if key in shares[name])) for name in RATES}


def class_of(card: Card) -> str:
    """Cards that attain alike: one architecture; laptop GPUs apart, which are rated at their lowest clock."""
    return f"{card.gpu.architecture}/laptop" if card.gpu.market == "laptop" else card.gpu.architecture
