"""Fit the speed of training: few constants, in log space, robust, each drawn to a prior; bands from families left out.

Constants of a software or of a class of cards are deviations from a common one, drawn to zero, so that a level with few
rows stays near the others. The share of the rated speed that a card attains comes from matrix products measured alone
(``data/published/kernels``) and is not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from generator import catalog, scoring
from generator.calibration import ROOT
from generator.calibrators.matmul import shares
from generator.cases import train_speed as cases
from generator.estimators import CannotEstimate, matmul, train_speed
from generator.formulas import lowered
from generator.names import Names

KIND = "train"
Row = Mapping[str, str]
Array = np.ndarray[Any, np.dtype[Any]]
# constant -> (median, standard deviation of its logarithm) before any measurement of a training run.
_PRIORS = {
    "matmul": (0.92, 0.06),
    "narrow_width": (150.0, 0.7),
    "attention_factor": (0.9, 0.15),
    "elementwise_passes": (1.5, 0.5),
    "quantizing_cost": (0.3, 0.5),
    "routing_passes": (2.0, 0.5),
    "adapter_passes": (6.0, 0.4),
    "dequantize_factor": (2.0, 0.5),
    "data_link": (0.5, 0.5),
    "tensor_link": (1.0, 0.5),
    "expert_link": (0.6, 0.5),
    "bubble_factor": (1.0, 0.3),
    "host_seconds": (2e-3, 0.7),
    "host_adapter": (0.3, 0.5),
    "host_router": (2.5, 0.5),
    "host_expert": (0.2, 0.5),
    "unit_seconds": (1.5e-3, 0.7),
    "unit_adapters": (2.0, 0.4),
}
_BLACKWELL = ("blackwell_dc", "blackwell_ultra")
# Inputs with levels: (their constant, architectures or software that share a level, deviation allowed to a level).
# Empty: whatever has no level of its own.
_LEVELS: Mapping[str, tuple[str, tuple[tuple[str, ...], ...], float]] = {
    "matmul_16": ("matmul", (("ampere_ga100",), ("hopper",), _BLACKWELL, ()), 0.05),
    "matmul_8": ("matmul", (("hopper",), _BLACKWELL), 0.05),
    "matmul_4": ("matmul", (_BLACKWELL,), 0.05),
    "elementwise_passes": ("elementwise_passes", (("transformers", "fused"), ("native",), ("megatron",)), 0.35),
    "host_seconds": ("host_seconds", (("transformers",), ("fused",), ("native",), ("megatron",)), 0.5),
}
_WEIGHT = {"A": 1.0, "B": 0.6, "C": 0.3}
# Scatter of a row that the priors are weighed against, and the residual (in scatters) from which on an outlier counts
# linearly instead of squared.
_SCATTER, _SOFT = 0.10, 1.5
# n rows of a family share their errors: they count as 6 √n.
_SHARED = 6.0
# Bands: quantiles of log(measured / predicted) of rows whose family was left out, each family weighed by √n.
_QUANTILES = (0.04, 0.96)
# A class of cards on which nobody measured a language model: so many times as wide, in logarithms, as dense cases on
# measured ones. Speeds of an encoder on fifteen cards (C_LAMBDA_BENCH), scaled together, lie within 31 % of
# the estimate in 16 bits and 38 % in 32 bits.
_UNTESTED = 2.0


def fit(rows: Sequence[Row], exclude_family: str | None = None) -> dict[str, Any]:
    """Constants, bands and facts from all rows, or from all but one family's."""
    table = _table(tuple(tuple(row.items()) for row in rows))
    left_out = frozenset({exclude_family} if exclude_family else ())
    fitted = _fit(table, left_out)
    return {
        "constants": _constants(fitted),
        "bands": _bands(table, left_out),
        "n": int(np.sum(table.used & ~np.isin(table.family, sorted(left_out)))),
        "attained": shares(),
        "architectures": table.tested,
    }


# --- the rows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Table:
    """Rows that can be estimated, as columns."""

    inputs: Mapping[str, Array]
    result: Array
    measured: Array
    family: Array
    trust: Array
    architecture: Array
    stack: Array
    used: Array

    @property
    def tested(self) -> list[str]:
        """Architectures on which language models were measured."""
        return sorted(set(self.architecture[np.isin(self.trust, ("A", "B"))].tolist()))


@lru_cache(maxsize=2)
def _table(frozen: tuple[tuple[tuple[str, str], ...], ...]) -> _Table:
    names = Names(catalog.load(ROOT))
    facts = {"attained": shares(), "architectures": ()}
    found: list[tuple[dict[str, float], Row, str, str]] = []
    for items in frozen:
        row = dict(items)
        if not scoring.measured(row, "train-speed")[1]:
            continue
        try:
            question = cases.question(row, names)
            given = train_speed.given(question)
        except CannotEstimate:
            continue
        assert question.card is not None
        given.update(train_speed.of_class(facts, question.card))
        found.append((given, row, question.card.gpu.architecture, getattr(question.work, "stack", "")))
    rows = [row for _, row, _, _ in found]
    return _Table(
        inputs={
            name: np.array([float(given[name]) for given, _, _, _ in found])
            for name in lowered.INPUTS[train_speed.PROGRAM]
            if name in found[0][0]
        },
        result=np.array([cases.counts(row) for row in rows]),
        measured=np.array([scoring.measured(row, "train-speed")[1][0] for row in rows]),
        family=np.array([row["source_family"] for row in rows]),
        trust=np.array([row["trust"] for row in rows]),
        architecture=np.array([architecture for _, _, architecture, _ in found]),
        stack=np.array([stack for _, _, _, stack in found]),
        # Rows of trust C say too little about their tokens unless a note does.
        used=np.array([row["trust"] in "AB" or (row["trust"] == "C" and bool(row["seq_note"])) for row in rows]),
    )


# --- the fit ---------------------------------------------------------------------------------------------------------


def _names() -> list[tuple[str, int]]:
    """Parameters of the fit: ("matmul", -1) is a constant, ("matmul_16", 0) the deviation of a level."""
    deviations = [(name, i) for name, (_, levels, _) in _LEVELS.items() for i in range(len(levels))]
    return [*((name, -1) for name in _PRIORS), *deviations]


_NAMES = _names()
_START = np.array([np.log(_PRIORS[name][0]) if i < 0 else 0.0 for name, i in _NAMES])
_SPREAD = np.array([_PRIORS[name][1] if i < 0 else _LEVELS[name][2] for name, i in _NAMES])


def _columns(table: _Table, theta: Array) -> dict[str, Array]:
    """Every row's constants: common value and deviation of its level, as numbers."""
    at = dict(zip(_NAMES, theta, strict=True))
    columns: dict[str, Array] = {
        name: np.exp(at[name, -1]) for name in _PRIORS if name != "matmul" and name not in _LEVELS
    }
    for name, (parent, levels, _) in _LEVELS.items():
        of_row = table.architecture if name in train_speed.BY_ARCHITECTURE else table.stack
        value, named = np.zeros(len(of_row)), np.zeros(len(of_row), dtype=bool)
        for i, members in enumerate(levels):
            here = np.isin(of_row, members) if members else ~named
            value, named = value + np.where(here, at[name, i], 0.0), named | here
        columns[name] = np.exp(at[parent, -1] + value)
    return columns


def _constants(theta: Array) -> dict[str, Any]:
    """The same for ``data/calibration``: a number, or numbers by level."""
    at = dict(zip(_NAMES, theta.tolist(), strict=True))
    found: dict[str, Any] = {
        name: float(np.exp(at[name, -1])) for name in _PRIORS if name != "matmul" and name not in _LEVELS
    }
    for name, (parent, levels, _) in _LEVELS.items():
        value = {matmul.DEFAULT: float(np.exp(at[parent, -1]))}
        for i, members in enumerate(levels):
            for member in members or (matmul.DEFAULT,):
                value[member] = float(np.exp(at[parent, -1] + at[name, i]))
        found[name] = value
    return found


def _error(table: _Table, theta: Array) -> Array:
    """log(measured / predicted) of every row."""
    results = lowered.train_speed({**table.inputs, **_columns(table, theta)})
    predicted = np.where(table.result == "tokens_per_s", results["tokens_per_s"], results["computed_tokens_per_s"])
    return np.asarray(np.log(table.measured / predicted))


def _rows(table: _Table, mask: Array) -> _Table:
    return _Table(
        {name: column[mask] for name, column in table.inputs.items()},
        *(getattr(table, field.name)[mask] for field in fields(table) if field.name != "inputs"),
    )


@lru_cache(maxsize=128)
def _fit(table: _Table, without: frozenset[str]) -> Array:
    """Logarithms of the constants, fitted without some families."""
    use = _rows(table, table.used & ~np.isin(table.family, sorted(without)))
    size = {family: int(np.sum(use.family == family)) for family in set(use.family.tolist())}
    shared = np.array([min(1.0, _SHARED / size[family] ** 0.5) ** 0.5 for family in use.family])
    weight = np.array([_WEIGHT[trust] for trust in use.trust]) * shared

    def residuals(theta: Array) -> Array:
        z = _error(use, theta) / _SCATTER * weight
        z = np.sign(z) * _SOFT * np.sqrt(2 * (np.sqrt(1 + (z / _SOFT) ** 2) - 1))
        return np.concatenate([z, (theta - _START) / _SPREAD])

    with np.errstate(all="ignore"):
        solution = least_squares(residuals, _START, x_scale=_SPREAD, max_nfev=300)
    return np.asarray(solution.x)


# --- the bands -------------------------------------------------------------------------------------------------------


def _bands(table: _Table, left_out: frozenset[str]) -> dict[str, tuple[float, float]]:
    """Low and high factor on the estimate by kind of case; each family's residuals come from a fit without it."""
    parts: dict[str, list[tuple[Array, Array]]] = {kind: [] for kind in train_speed.KINDS}
    for family in sorted(set(table.family[table.used].tolist()) - left_out):
        rows = _rows(table, table.used & (table.family == family))
        kind, error = _residuals(rows, _fit(table, left_out | {family}))
        for i, name in enumerate(train_speed.KINDS):
            chosen = error[kind == i]
            parts[name].append((chosen, np.full(len(chosen), max(len(chosen), 1) ** -0.5)))
    bands = {name: _band(found) for name, found in parts.items() if name != "untested"}
    bands["untested"] = (bands["dense"][0] ** _UNTESTED, bands["dense"][1] ** _UNTESTED)
    return bands


def _residuals(table: _Table, theta: Array) -> tuple[Array, Array]:
    """The kind of case of every row, as a place in KINDS, and its error."""
    inputs = {**table.inputs, **_columns(table, theta), "tested_class": np.isin(table.architecture, table.tested) * 1.0}
    with np.errstate(all="ignore"):
        return np.asarray(lowered.train_speed(inputs)["case_kind"]), _error(table, theta)


def _band(parts: Sequence[tuple[Array, Array]]) -> tuple[float, float]:
    error, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(error)
    # The middle of each row's share of the whole weight.
    place = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    low, high = np.interp(_QUANTILES, place, error[order])
    return float(np.exp(low)), float(np.exp(high))
