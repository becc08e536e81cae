"""How far predictions are from measurements: errors, bias, under-estimates, coverage, fits or not.

Rows are the published cases (:mod:`generator.published`) as mappings of strings, with the columns of a
prediction added: ``predicted``, ``predicted_low``, ``predicted_high``, ``verdict``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Row = Mapping[str, str]
GIB = 2**30
QUANTITIES = ("memory", "train-speed", "prefill-speed", "decode-speed")
UNITS = {"memory": "GiB per GPU", "train-speed": "tokens/s per GPU",
         "prefill-speed": "tokens/s", "decode-speed": "tokens/s"}  # fmt: skip
# The first of these columns that holds a positive number is the measurement.
MEASURED = {
    "memory": ("measured_peak_gb_per_gpu",),
    "train-speed": ("tokens_per_s_per_gpu", "derived_tokens_per_s_per_gpu"),
    "prefill-speed": ("prefill_tok_s",),
    "decode-speed": ("decode_tok_s", "total_output_tok_s", "combined_tok_s"),
}
# An answer this far below the truth is an under-estimate: for memory the dangerous side.
UNDER = 0.95
# How the status of a run begins that did not fit.
FAILED = re.compile(r"OOM|failed|>")
# What makes two runs alike; the nearest success of a failed run differs in the fewest of these.
CONFIGURATION = (
    "method", "weights_dtype", "optimizer", "seq_len", "batch_size", "activation_checkpointing", "attention_impl",
    "lora_rank", "lora_targets", "sharding", "n_gpus", "gpu", "framework", "prompt_len", "gen_len",
    "compute_dtype_or_amp", "other_parallelism", "notes",
)  # fmt: skip


def number(text: str | None) -> float | None:
    """A finite number, or None for anything else."""
    try:
        value = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def measured(row: Row, quantity: str) -> tuple[str, tuple[float, ...]]:
    """(column, values it may stand for) of the row's measurement; ("", ()) without one.

    Memory comes out in GiB. A bare "GB" or "MB" may be decimal or binary: both readings are returned.
    """
    for column in MEASURED[quantity]:
        value = number(row.get(column))
        if value is not None and value > 0:
            return column, _gib(value, row.get("gb_unit") or "") if quantity == "memory" else (value,)
    return "", ()


def _gib(value: float, unit: str) -> tuple[float, ...]:
    unit = unit.lower()
    if "1e9" in unit:
        return (value * 1e9 / GIB,)
    if "gib" in unit and "gb/gib" not in unit:
        return (value,)
    return (value, value * (1024e6 if unit.startswith("mb") else 1e9) / GIB)


def error(row: Row, quantity: str) -> float | None:
    """predicted / measured − 1 with the reading that is nearer, or None without a prediction or a measurement."""
    predicted, (_, values) = number(row.get("predicted")), measured(row, quantity)
    if predicted is None or not values:
        return None
    return min((predicted / value - 1 for value in values), key=abs)


def is_ok(row: Row) -> bool:
    """Whether the run finished."""
    return (row.get("status") or "ok") == "ok"


def scored(rows: Iterable[Row], quantity: str) -> list[Row]:
    """The rows that count: trust A or B, finished, with a measurement of the quantity."""
    return [r for r in rows if r.get("trust") in ("A", "B") and is_ok(r) and measured(r, quantity)[1]]


@dataclass(frozen=True)
class Score:
    """Statistics of one set of rows; shares and errors as fractions, None without an answer."""

    rows: int
    answered: int
    median: float | None
    p90: float | None
    bias: float | None
    under: float | None
    covered: float | None


def score(rows: Sequence[Row], quantity: str) -> Score:
    """Statistics over ``rows``, all of which count (see :func:`scored`)."""
    errors, inside = [], []
    for row in rows:
        off = error(row, quantity)
        if off is None:
            continue
        errors.append(off)
        low, high = number(row.get("predicted_low")), number(row.get("predicted_high"))
        if low is not None and high is not None:
            truth = (number(row["predicted"]) or 0.0) / (1 + off)
            inside.append(low <= truth * (1 + 1e-9) and truth * (1 - 1e-9) <= high)
    if not errors:
        return Score(len(rows), 0, None, None, None, None, None)
    size = np.abs(errors)
    return Score(
        rows=len(rows),
        answered=len(errors),
        median=float(np.median(size)),
        p90=float(np.quantile(size, 0.9)),
        bias=float(np.mean(errors)),
        under=float(np.mean(np.array(errors) < UNDER - 1)),
        covered=float(np.mean(inside)) if inside else None,
    )


@dataclass(frozen=True)
class Confusion:
    """Fits or not: how often each verdict was given, by what happened."""

    counts: Mapping[str, Mapping[str, int]]

    @property
    def right(self) -> float | None:
        """Share of right verdicts: "does not fit" for a failure, "fits" or "tight" for what ran."""
        total = sum(sum(c.values()) for c in self.counts.values())
        good = self.counts["no"]["no"] + sum(
            self.counts[t][w] for t in ("max fit", "success") for w in ("fits", "tight")
        )
        return good / total if total else None

    @property
    def false_fit(self) -> float | None:
        """Share of failures that were promised to fit."""
        total = sum(self.counts["no"].values())
        return self.counts["no"]["fits"] / total if total else None


def fit_rows(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Evidence of fits or not: failures, longest runs that fitted, and each failure's nearest success."""
    trusted = [r for r in rows if r.get("trust") in ("A", "B", "C")]
    failed = [r for r in trusted if FAILED.match(r.get("status") or "")]
    ran: dict[tuple[str, str], list[Row]] = {}
    for row in trusted:
        if is_ok(row) and measured(row, "memory")[1]:
            ran.setdefault((row["source_family"], row["model"]), []).append(row)
    nearest: dict[str, Row] = {}
    for row in failed:
        candidates = ran.get((row["source_family"], row["model"]))
        if candidates:
            best = min(candidates, key=lambda o: sum((o.get(c) or "") != (row.get(c) or "") for c in CONFIGURATION))
            nearest[best["id"]] = best
    return {
        "no": failed,
        "max fit": [r for r in trusted if "max fit" in (r.get("status") or "")],
        "success": list(nearest.values()),
    }


def confusion(rows: Iterable[Row]) -> Confusion:
    """The verdicts of ``rows`` against what happened."""
    words = ("fits", "tight", "no", "none")
    return Confusion({
        truth: {word: sum(_verdict(r) == word for r in found) for word in words}
        for truth, found in fit_rows(rows).items()
    })  # fmt: skip


def _verdict(row: Row) -> str:
    text = (row.get("verdict") or "").strip().lower()
    for word, starts in (("fits", ("fit",)), ("tight", ("tight",)), ("no", ("no", "does not"))):
        if text.startswith(starts):
            return word
    return "none"
