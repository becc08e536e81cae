"""Fit the error bands of inference memory, and what nvidia-smi shows beyond allocated memory and CUDA context.

The formulas themselves have no fitted constant. Each source family counts once: one has more rows than all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from generator import catalog, scoring
from generator.calibration import ROOT, Calibration
from generator.cases import inference_memory as cases
from generator.estimators import CannotEstimate, inference_memory
from generator.formulas import lowered
from generator.names import Names

KIND = "memory"
Row = Mapping[str, str]
GIB = 2**30
_SLACK = ("slack_transformers", "slack_llama_cpp", "slack_other")
# Bands where no row speaks of a meter, and the narrowest that rows can make them.
_START = {"allocated": (0.95, 1.05), "device": (0.8, 1.25)}
_NARROWEST = {"allocated": (0.95, 1.05), "device": (0.9, 1.1)}
_QUANTILES = (0.1, 0.9)


@dataclass(frozen=True)
class _Case:
    """A measured row: the inputs of its question, the GiB that it may stand for, which slack it has."""

    family: str
    kind: str
    slack: str
    inputs: Mapping[str, float]
    measured: tuple[float, ...]

    def off(self, constants: Mapping[str, float]) -> tuple[float, float]:
        """(measured, predicted) in GiB, of the readings of the measurement the nearest."""
        results = lowered.inference_memory({**self.inputs, **constants})
        predicted = float(results["device" if self.kind == "device" else "allocated"]) / GIB
        return min(self.measured, key=lambda m: abs(predicted / m - 1)), predicted


def fit(rows: Sequence[Row], exclude_family: str | None = None) -> dict[str, Any]:
    """Constants, bands and counts from all rows, or from all but one family's."""
    table = [c for c in _table(tuple(tuple(row.items()) for row in rows)) if c.family != exclude_family]
    constants = _fit_slack([c for c in table if c.kind == "device"])
    return {
        "constants": constants,
        "bands": {kind: _band([c for c in table if c.kind == kind], kind, constants) for kind in _START},
        "n": {kind: sum(c.kind == kind for c in table) for kind in _START},
    }


@lru_cache(maxsize=2)
def _table(rows: tuple[tuple[tuple[str, str], ...], ...]) -> tuple[_Case, ...]:
    """The rows that count: they ran, were measured, and not by an engine that takes its share of the card anyway."""
    names = Names(catalog.load(ROOT))
    nothing = Calibration("inference-memory", dict.fromkeys(_SLACK, 0.0), {}, {}, {})
    found = []
    for frozen in rows:
        row = dict(frozen)
        values = scoring.measured(row, KIND)[1]
        if not (cases.is_inference(row) and row["trust"] in ("A", "B", "C") and scoring.is_ok(row) and values):
            continue
        try:
            question = cases.question(row, names)
            given = inference_memory.inputs(question, nothing)
        except CannotEstimate:
            continue
        if not given["fills_card"]:
            kind = inference_memory.kind(question)
            found.append(_Case(row["source_family"], kind, _slack_of(given), given, values))
    return tuple(found)


def _slack_of(given: Mapping[str, float]) -> str:
    """The constant that the formula ``slack`` chooses: that which shows when each is its own number."""
    marked = lowered.inference_memory({**given, **{name: float(i) for i, name in enumerate(_SLACK)}})
    return _SLACK[int(marked["slack"])]


def _fit_slack(table: Sequence[_Case]) -> dict[str, float]:
    """Medians by group, never below 0; a group without rows has the median of all."""
    nothing = dict.fromkeys(_SLACK, 0.0)
    left = [(c.slack, (measured - predicted) * GIB) for c in table for measured, predicted in (c.off(nothing),)]
    if not left:
        return nothing
    everything = [value for _, value in left]
    return {
        name: max(0.0, float(np.median([value for group, value in left if group == name] or everything)))
        for name in _SLACK
    }


def _band(table: Sequence[_Case], kind: str, constants: Mapping[str, float]) -> tuple[float, float]:
    """Low and high factor on a prediction: quantiles of measured / predicted, the mean over families."""
    ratios: dict[str, list[float]] = {}
    for case in table:
        measured, predicted = case.off(constants)
        ratios.setdefault(case.family, []).append(measured / predicted)
    if not ratios:
        return _START[kind]
    low, high = (float(np.mean([np.quantile(r, q) for r in ratios.values()])) for q in _QUANTILES)
    return min(low, _NARROWEST[kind][0]), max(high, _NARROWEST[kind][1])
