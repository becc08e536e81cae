"""Fit the allocator's losses, what a fit needs beyond the peak, and the error bands of training memory.

Allocated memory has no fitted constant. Reserved and device memory are fitted on rows with those meters; the need on
runs that failed, their nearest successes and the longest that fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import minimize

from generator import catalog, numbers, scoring, verdict
from generator.calibration import ROOT, Calibration
from generator.cases import training_memory as cases
from generator.estimators import CannotEstimate, training_memory
from generator.formulas import lowered
from generator.names import Names

KIND = "memory"
Row = Mapping[str, str]
GIB = 2**30
# name -> (start, scale). Starts are guesses of the right size, and where no row says anything, they stay; the starts of
# the need were chosen with the rows in view.
_LOST = {
    "fragment_logit_bytes": (5.0, 1.0), "fragment_varying_bytes": (10.0, 1.0), "fragment_saved": (0.2, 1.0),
    "fragment_step": (0.3, 1.0), "reserve_base": (0.2, float(GIB)), "fragment_sharded": (0.3, 1.0),
    "nccl_bytes": (1.0, float(GIB)), "fragment_score_bytes": (4.0, 1.0), "fragment_step_cleared": (0.1, 1.0),
}  # fmt: skip
_NEED = {"need_fragments": 0.02, "need_fragments_multi": 0.25}
# An under-estimate costs more than an over-estimate of the same size, and nothing costs more than 60 %.
_UNDER_WEIGHT, _WORST = 1.4, 0.6
# A failure that was promised to fit counts as much as so many other wrong verdicts.
_FALSE_FIT = 4.0
# How much a constant is held at its start, in units of mean error for a factor of e.
_PULL = 0.002
# The same for the need, in wrong verdicts for a change of 1: before it fails, the allocator gives unused blocks back.
_NEED_PULL = 60.0
_QUANTILES = (0.05, 0.95)
_NARROWEST = 0.03


def fit(rows: Sequence[Row], exclude_family: str | None = None) -> dict[str, Any]:
    """Constants, bands and counts from all rows, or from all but one family's."""
    start = {name: value * scale for name, (value, scale) in _LOST.items()} | _NEED
    table = [case for case in _table(tuple(map(_frozen, rows))) if case.row["source_family"] != exclude_family]
    ran = [c for c in table if scoring.is_ok(c.row) and c.row["trust"] in ("A", "B") and c.measured]
    lost = _fit_lost([c for c in ran if c.meter != "allocated"], start)
    constants = {**start, **lost}
    constants |= _fit_need(table, constants)
    return {
        "constants": constants,
        "bands": _bands(ran, constants),
        "verdicts": _verdicts(table, constants),
        "n": {meter: sum(c.meter == meter for c in ran) for meter in ("allocated", "reserved", "device")},
    }


class _Case:
    """A row with the inputs of its question; ``measured`` are the GiB it may stand for."""

    def __init__(self, row: Row, inputs: dict[str, float], meter: str, varying: bool) -> None:
        self.row, self.inputs, self.meter, self.varying = row, inputs, meter, varying
        self.sized = inputs["card_bytes"] < numbers.UNLIMITED
        self.measured = scoring.measured(row, "memory")[1]


def _frozen(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(row.items())


@lru_cache(maxsize=2)
def _table(rows: tuple[tuple[tuple[str, str], ...], ...]) -> tuple[_Case, ...]:
    names = Names(catalog.load(ROOT))
    empty = Calibration("training-memory", dict.fromkeys([*_LOST, *_NEED], 0.0), {}, {}, {})
    found = []
    for frozen in rows:
        row = dict(frozen)
        if not cases.is_training(row):
            continue
        try:
            question = cases.question(row, names)
            inputs = training_memory.inputs(question, empty)
        except CannotEstimate:
            continue
        found.append(_Case(row, inputs, question.meter, bool(inputs["varying_lengths"])))
    return tuple(found)


def _columns(table: Sequence[_Case], constants: Mapping[str, float]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: np.array([c.inputs[name] for c in table]) for name in table[0].inputs}
    return lowered.training_memory({**columns, **constants})


def _errors(table: Sequence[_Case], constants: Mapping[str, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    results = _columns(table, constants)
    predicted = np.select([np.array([c.meter == m for c in table]) for m in ("allocated", "reserved", "device")],
                          [results["allocated"], results["reserved"], results["device"]]) / GIB  # fmt: skip
    return np.array([min((p / m - 1 for m in c.measured), key=abs) for p, c in zip(predicted, table, strict=True)])


def _fit_lost(table: Sequence[_Case], start: Mapping[str, float]) -> dict[str, float]:
    """Least mean asymmetric error; a family of many rows weighs as the square root of its number."""
    families = [c.row["source_family"] for c in table]
    weight = np.array([families.count(f) ** -0.5 for f in families])
    names = [n for n in _LOST if _says_something(n, table)]
    scale = np.array([start[n] for n in names])

    def loss(x: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        error = _errors(table, {**start, **dict(zip(names, np.abs(x) * scale, strict=True))})
        cost = np.clip(np.where(error < 0, -_UNDER_WEIGHT * error, error), 0, _WORST)
        return float(np.average(cost, weights=weight) + _PULL * np.sum(np.log(np.abs(x) + 1e-3) ** 2))

    if not table or not names:
        return {}
    first = np.ones(len(names))
    simplex = np.array([first, *(first + 0.5 * np.eye(len(names))[i] for i in range(len(names)))])
    best = minimize(loss, first, method="Nelder-Mead", options={"maxfev": 700, "initial_simplex": simplex})
    return dict(zip(names, (np.abs(best.x) * scale).tolist(), strict=True))


def _says_something(name: str, table: Sequence[_Case]) -> bool:
    """Whether any row depends on a constant; else it keeps its start."""
    depends = {
        "fragment_sharded": lambda x: x["gpus"] > 1 and x["shards_weights"] and x["full"],
        "nccl_bytes": lambda x: x["gpus"] > 1,
        "fragment_varying_bytes": lambda x: x["varying_lengths"],
        "fragment_score_bytes": lambda x: x["score_copies"] > 0,
        "fragment_step_cleared": lambda x: x["clears_cache"],
    }
    return name not in depends or sum(bool(depends[name](c.inputs)) for c in table) >= 5


def _fit_need(table: Sequence[_Case], constants: Mapping[str, float]) -> dict[str, float]:
    """The shares that give the most right verdicts; of equals those nearest to the start."""
    by_id = {c.row["id"]: c for c in table}
    truth = scoring.fit_rows([c.row for c in table])
    evidence = [(by_id[r["id"]], what == "no") for what, rows in truth.items() for r in rows if by_id[r["id"]].sized]
    if not evidence:
        return {}
    chosen = [c for c, _ in evidence]
    failed = np.array([no for _, no in evidence])
    one, more = (grid.ravel()[:, None] for grid in np.meshgrid(np.arange(0, 0.31, 0.01), np.arange(0, 0.51, 0.01)))
    results = _columns(chosen, {**constants, "need_fragments": one, "need_fragments_multi": more})
    share = results["need"] / results["usable_bytes"]
    wrong = np.where(failed, (share <= verdict.NO) + _FALSE_FIT * (share <= verdict.TIGHT), share > verdict.NO)
    distance = abs(one - _NEED["need_fragments"]) + abs(more - _NEED["need_fragments_multi"])
    best = int(np.argmin(wrong.sum(axis=1) + _NEED_PULL * distance[:, 0]))
    return {"need_fragments": float(one[best, 0]), "need_fragments_multi": float(more[best, 0])}


def _verdicts(table: Sequence[_Case], constants: Mapping[str, float]) -> dict[str, tuple[int, int]]:
    """(runs that finished, all runs) by verdict, over every row of trust A to C whose card is known."""
    known = [c for c in table if c.sized and c.row["trust"] in ("A", "B", "C")]
    if not known:
        return {}
    results = _columns(known, constants)
    found = {"fits": (0, 0), "tight": (0, 0), "no": (0, 0)}
    for case, need, usable in zip(known, results["need"], results["usable_bytes"], strict=True):
        word = verdict.verdict(float(need), float(usable))
        failed = bool(scoring.FAILED.match(case.row.get("status") or ""))
        found[word] = (found[word][0] + (not failed), found[word][1] + 1)
    return found


def _bands(table: Sequence[_Case], constants: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Low and high factor on the prediction, by meter and whether lengths vary."""
    errors = _errors(table, constants)
    found = {}
    for meter in ("allocated", "reserved", "device"):
        for varying in (False, True):
            kind = f"{meter} {'varying' if varying else 'fixed'}"
            own = np.array([c.meter == meter for c in table])
            alike = own & np.array([c.varying == varying for c in table])
            ratio = 1 / (1 + errors[alike if alike.sum() >= 10 else own])
            low, high = (float(q) for q in np.quantile(ratio, _QUANTILES)) if len(ratio) else (0.85, 1.25)
            found[kind] = (min(low, 1 - _NARROWEST), max(high, 1 + _NARROWEST))
    return found
