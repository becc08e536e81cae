"""Fit the constants of inference speed, by engine and format of stored weights, and the error bands.

A constant of an engine is its group's times a factor that starts at 1, that of a format its engine's times a factor
against 16 bits. Each has a width: how far, in logarithms, rows may move it from where it starts, so that an engine with
few rows stays near its group. Logarithms of speeds are fitted by least squares that outliers do not rule (Huber), with
the method of Levenberg and Marquardt; a family of many rows weighs as the square root of its number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from typing import Any

import numpy as np

from generator import catalog
from generator.calibration import ROOT, Calibration
from generator.calibrators import matmul
from generator.cases import inference_speed as cases
from generator.estimators import CannotEstimate
from generator.estimators import inference_speed as estimator
from generator.formulas import lowered
from generator.names import Names
from generator.question import Inference, Question
from generator.scoring import measured

KIND = "inference"
Row = Mapping[str, str]
Frozen = tuple[tuple[tuple[str, str], ...], ...]
Array = np.ndarray[Any, np.dtype[Any]]
GROUPS = ("serving", "compiled", "python")
# Where a constant starts and its width. Starts are guesses of the right size, made while the rows were known.
_ALL = {
    "dram_share": (0.93, 0.04), "intake_16": (13, 0.4), "intake_exponent": (0.45, 0.3), "nvlink_latency": (10e-6, 0.7),
    "pcie_latency": (50e-6, 0.7), "link_share": (0.6, 0.4), "stage_latency": (150e-6, 0.7),
    "prompt_attention_share": (0.55, 0.2), "weight_passes": (1.0, 0.5), "unpack_passes": (2.0, 0.5),
    "tile_loss": (0.5, 0.7), "score_passes": (6, 0.5), "pipeline_loss": (1.0, 0.15), "expert_host": (95e-6, 0.7),
}  # fmt: skip
_BY_GROUP = {
    "kernel_speed": {"serving": (1, 0.2), "compiled": (0.8, 0.3), "python": (1, 0.3)},
    "cache_intake": {"serving": (12, 0.7), "compiled": (8, 0.7), "python": (5.5, 0.7)},
    "layer_cycles": {"serving": (80e3, 0.5), "compiled": (150e3, 0.5), "python": (200e3, 0.5)},
    "layer_host": {"python": (0.85e-3, 0.5)},
    "step_host": {"serving": (1e-3, 0.7), "compiled": (0.2e-3, 0.7), "python": (1e-3, 0.7)},
    "sequence_host": {"serving": (40e-6, 0.7), "compiled": (30e-6, 0.7), "python": (30e-6, 0.7)},
    "matmul_share": {"serving": (0.7, 0.3), "compiled": (0.7, 0.3), "python": (0.7, 0.3)},
}
# Widths of an engine's factor on its group's constant, and of a format's factor.
_BY_ENGINE = {"kernel_speed": 0.25, "layer_cycles": 0.3, "layer_host": 0.4, "step_host": 0.5, "sequence_host": 0.7,
              "matmul_share": 0.2}  # fmt: skip
_BY_FORMAT = {"format_speed": 0.25, "format_host": 0.4}
# What a constant is where nothing has a value of its own: Python launches nothing, a format is as fast as 16 bits.
_NEUTRAL = {"layer_host": 0.0, "format_speed": 1.0, "format_host": 1.0}
# Engines that run another one's code.
_SAME = {"autogptq": "transformers", "gptq": "transformers", "ollama": "llama.cpp"}
_HUBER, _SCALE, _FAMILY_ROWS, _TRUST = 0.3, 0.12, 60.0, {"A": 1.0, "B": 1.0, "C": 0.3}
_ITERATIONS, _STEP, _ENOUGH = 60, 1e-4, 1e-4
# A factor nearer to 1 than this, in logarithms, is not stored.
_MOVED = 1e-3
_QUANTILES, _NARROWEST = (0.04, 0.96), 0.10
# A kind of case has a band of its own from so many rows of so many families on.
_ROWS, _FAMILIES = 20, 2


def fit(rows: Sequence[Row], exclude_family: str | None = None) -> dict[str, Any]:
    """Constants, bands and counts from all rows, or from all but one family's."""
    frozen = tuple(tuple(row.items()) for row in rows)
    cases_ = [case for case in _table(frozen) if not case.reason]
    fitted = _fitted(frozen, exclude_family)
    return {
        "constants": fitted.constants(),
        "bands": _bands([r for r in _residuals(frozen) if r.family != exclude_family]),
        "n": dict(Counter(case.figure for case in cases_)),
        "left_out": dict(Counter(case.reason for case in _table(frozen) if case.reason)),
        **_facts(),
    }


@lru_cache(maxsize=1)
def _facts() -> dict[str, Any]:
    """What the estimator looks up beside constants: attained shares, and the highest clock of each architecture."""
    clocks: dict[str, float] = {}
    for gpu in catalog.load(ROOT).gpus:
        clock = (gpu.compute.boost_clock_mhz or 0.0) * 1e6
        if clock:
            clocks[gpu.architecture] = max(clock, clocks.get(gpu.architecture, 0.0))
    return {"attained": matmul.shares(), "clocks": clocks}


@dataclass(frozen=True)
class _Case:
    """A measured speed with the inputs of its question; ``reason`` why it does not inform the constants, if so."""

    family: str
    trust: str
    figure: str
    speed: float
    inputs: Mapping[str, float]
    engine: str
    group: str
    stored: str
    kind: str
    reason: str


@lru_cache(maxsize=1)
def _table(rows: Frozen) -> tuple[_Case, ...]:
    names = Names(catalog.load(ROOT))
    start = Calibration("inference-speed", _start(), {}, {}, _facts())
    found = []
    for frozen in rows:
        row = dict(frozen)
        try:
            question = cases.question(row, names)
            results = estimator.estimate(question, start)
        except CannotEstimate:
            continue
        for quantity in ("decode-speed", "prefill-speed"):
            speed = next(iter(measured(row, quantity)[1]), None)
            if speed is not None:
                found.append(_case(row, question, cases.figure(row, quantity), speed, results))
    return tuple(found)


def _case(row: Row, question: Question, figure: str, speed: float, results: Mapping[str, float]) -> _Case:
    work = question.work
    assert isinstance(work, Inference)
    given = {name: results[name] for name in lowered.INPUTS["inference_speed"]}
    engine, stored = _SAME.get(work.engine, work.engine), estimator.format_class(work.weights)
    return _Case(
        row["source_family"], row["trust"], figure, speed, given, engine, estimator.group(work.engine), stored,
        estimator.kind(question, figure), _left_out(row, figure, speed, results, engine, stored),
    )  # fmt: skip


def _left_out(row: Row, figure: str, speed: float, results: Mapping[str, float], engine: str, stored: str) -> str:
    """Why a measurement does not inform the constants; empty if it does. All are predicted all the same."""
    what = row["what_is_measured"]
    if "check failed" in what or "beam search" in what:
        return "what the figure counts is not certain"
    if row["trust"] not in _TRUST or (figure == "prefill" and row["trust"] == "C"):
        return "not trusted"
    most = 1.02 * results["bandwidth"] * results["gpus"]
    alone = figure in ("decode", "output") and results["batch"] == 1 and stored != "fp32"
    if alone and results["step_weights"] * speed > most:
        return "faster than the memory can deliver the weights"
    if stored == "fp32" and engine != "transformers":
        return "FP32 was asked for, not used"
    if figure == "combined" and engine == "llama.cpp":
        return "llama-bench -b 1: the prompt was processed token by token"
    moe = results["experts"] > 1
    if figure == "combined" and moe and results["batch"] > 1 and engine in ("tensorrt-llm", "deepspeed-mii"):
        return "all sequences of the batch are one text and visit the same experts"
    if engine == "sglang" and stored == "gptq4" and moe:
        return "the source says that this kernel needs work"
    if "AutoAWQ" in row["engine"]:
        return "AutoAWQ fuses layers that transformers runs one by one"
    if re.search(r"adapter (adalora|adapter|dora|lora|rslora|unsloth)", row["engine"]):
        return "an adapter that is not merged"
    return ""


def _start() -> dict[str, Any]:
    """Constants before any fit, in the form of the stored ones."""
    groups = {name: {k: values[name][0] for k, values in _BY_GROUP.items() if name in values} for name in GROUPS}
    common = {**_neutral(groups), **{k: v[0] for k, v in _ALL.items()}}
    return {"all": common, "groups": groups, "engines": {}, "formats": {}}


def _neutral(groups: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {**groups["serving"], **_NEUTRAL}


class _Fit:
    """The parameters of one fit: logarithms of constants and factors, each at a level (all, group, engine, format)."""

    def __init__(self, table: Sequence[_Case]) -> None:
        self.table = table
        self.keys: list[tuple[str, str]] = []
        centre, width = [], []
        engines = sorted({(c.engine, c.group) for c in table})
        formats = sorted({(c.engine, c.group, c.stored) for c in table if c.stored != "16bit"})
        levels = [
            *(((k, ""), v) for k, v in _ALL.items()),
            *(((k, g), v) for k, values in _BY_GROUP.items() for g, v in values.items()),
            *(((k, e), (1, w)) for e, g in engines for k, w in _BY_ENGINE.items() if g in _BY_GROUP[k]),
            *(((k, f"{e} {s}"), (1, w)) for e, g, s in formats for k, w in _BY_FORMAT.items()
              if k == "format_speed" or g == "python"),
        ]  # fmt: skip
        for key, (start, spread) in levels:
            self.keys.append(key)
            centre.append(log(start))
            width.append(spread)
        self.centre, self.width = np.array(centre), np.array(width)
        self.x = self.centre.copy()
        index = {key: i for i, key in enumerate(self.keys)}
        # Which parameters make up each constant of each row; -1 stands for none, whose logarithm is 0.
        levels_of = [("", c.group, c.engine, f"{c.engine} {c.stored}") for c in table]
        names = [*_ALL, *_BY_GROUP, *_BY_FORMAT]
        self.parts = {k: np.array([[index.get((k, level), -1) for level in row] for row in levels_of]) for k in names}
        self.absent: dict[str, Array] = {k: np.all(self.parts[k] < 0, axis=1) for k in names}
        self.columns = {n: np.array([c.inputs[n] for c in table]) for n in table[0].inputs} if table else {}
        self.figure = np.array([estimator.FIGURES.index(c.figure) for c in table])
        self.log_speed = np.log([c.speed for c in table])

    def predicted(self, x: Array, rows: Array) -> Array:
        """Log speeds of some rows for parameters ``x``."""
        extended = np.append(x, 0.0)
        given = {name: column[rows] for name, column in self.columns.items()}
        for name, parts in self.parts.items():
            given[name] = np.exp(extended[parts[rows]].sum(axis=1))
            if name in _NEUTRAL:
                given[name][self.absent[name][rows]] = _NEUTRAL[name]
        with np.errstate(all="ignore"):
            results = lowered.inference_speed(given)
        speeds = [results[f"{figure}_tokens_per_s"] for figure in estimator.FIGURES]
        stated: Array = np.choose(self.figure[rows], speeds)
        return np.log(stated)

    def solve(self) -> _Fit:
        """Levenberg and Marquardt on the robust cost."""
        everything = np.arange(len(self.table))
        reached = [np.flatnonzero((self.parts[name] == i).any(axis=1)) for i, (name, _) in enumerate(self.keys)]
        weight, huber = self._weights() / _SCALE**2, _HUBER

        def cost(residual: Array, x: Array) -> float:
            size = np.abs(residual)
            robust = np.where(size < huber, size**2 / 2, huber * (size - huber / 2))
            return float((weight * robust).sum() + (((x - self.centre) / self.width) ** 2).sum() / 2)

        x, damping = self.x, 1e-2
        logs = self.predicted(x, everything)
        best = cost(logs - self.log_speed, x)
        for _ in range(_ITERATIONS):
            slopes = np.zeros((len(self.table), len(x)))
            for i, rows in enumerate(reached):
                moved = x.copy()
                moved[i] += _STEP
                slopes[rows, i] = (self.predicted(moved, rows) - logs[rows]) / _STEP
            residual = logs - self.log_speed
            robust = weight * np.where(np.abs(residual) < huber, 1, huber / np.maximum(np.abs(residual), 1e-9))
            curvature = slopes.T @ (slopes * robust[:, None]) + np.diag(self.width**-2.0)
            gradient = slopes.T @ (robust * residual) + (x - self.centre) / self.width**2
            for _ in range(8):
                step = -np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), gradient)
                trial = x + np.clip(step, -0.7, 0.7)
                trial_logs = self.predicted(trial, everything)
                trial_cost = cost(trial_logs - self.log_speed, trial)
                if trial_cost < best:
                    break
                damping *= 4
            else:
                break
            gain, x, logs, best, damping = best - trial_cost, trial, trial_logs, trial_cost, max(damping / 3, 1e-5)
            if gain < _ENOUGH * best:
                break
        self.x = x
        return self

    def _weights(self) -> Array:
        of = [(c.family, estimator.phase(c.figure)) for c in self.table]
        count = Counter(of)
        share = [min(1.0, (_FAMILY_ROWS / count[key]) ** 0.5) for key in of]
        return np.array([_TRUST[c.trust] * part for c, part in zip(self.table, share, strict=True)])

    def constants(self) -> dict[str, Any]:
        """The constants by level as the estimator looks them up: an engine's stand complete, not as factors."""
        value = {key: exp(x) for key, x in zip(self.keys, self.x, strict=True)}
        found = _start()
        found["all"].update({k: value[k, ""] for k in _ALL})
        for name, levels in _BY_GROUP.items():
            for group in levels:
                found["groups"][group][name] = value[name, group]
        found["all"].update(_neutral(found["groups"]))
        group_of = {c.engine: c.group for c in self.table}
        for (name, level), x in zip(self.keys, self.x, strict=True):
            # What no row has moved stays with its group.
            if level in ("", *GROUPS) or abs(x) < _MOVED:
                continue
            engine, _, stored = level.partition(" ")
            if stored:
                found["formats"].setdefault(engine, {}).setdefault(stored, {})[name] = exp(x)
            else:
                found["engines"].setdefault(engine, {})[name] = exp(x) * value[name, group_of[engine]]
        for other, engine in _SAME.items():
            for level in ("engines", "formats"):
                if engine in found[level]:
                    found[level][other] = found[level][engine]
        return found


@lru_cache(maxsize=32)
def _fitted(rows: Frozen, family: str | None) -> _Fit:
    return _Fit([case for case in _table(rows) if not case.reason and case.family != family]).solve()


@dataclass(frozen=True)
class _Residual:
    family: str
    kind: str
    phase: str
    log_ratio: float
    weight: float


@lru_cache(maxsize=1)
def _residuals(rows: Frozen) -> tuple[_Residual, ...]:
    """Measured over predicted, each family with the constants fitted without it."""
    table, found = [case for case in _table(rows) if not case.reason], []
    for family in sorted({case.family for case in table}):
        inside = [case for case in table if case.family == family]
        fitted = _fitted(rows, family).constants()
        for case in inside:
            speed = _speed(case, fitted)
            weight = len(inside) ** -0.5 * _TRUST[case.trust]
            found.append(_Residual(family, case.kind, estimator.phase(case.figure), log(case.speed / speed), weight))
    return tuple(found)


def _speed(case: _Case, fitted: Mapping[str, Any]) -> float:
    levels = estimator.levels(fitted, case.engine, case.group, case.stored)
    with np.errstate(all="ignore"):
        results = lowered.inference_speed({k: np.float64(v) for k, v in {**case.inputs, **levels}.items()})
    return float(results[f"{case.figure}_tokens_per_s"])


def _bands(residuals: Sequence[_Residual]) -> dict[str, tuple[float, float]]:
    """Low and high factor by kind of case, and by phase for kinds with few rows or one family."""
    found = {}
    for name in sorted({r.kind for r in residuals} | {r.phase for r in residuals}):
        chosen = [r for r in residuals if name in (r.kind, r.phase)]
        if name not in ("decode", "prefill") and (len(chosen) < _ROWS or len({r.family for r in chosen}) < _FAMILIES):
            continue
        low, high = (_quantile(chosen, q) for q in _QUANTILES)
        found[name] = (exp(min(low, -_NARROWEST)), exp(max(high, _NARROWEST)))
    return found


def _quantile(residuals: Sequence[_Residual], share: float) -> float:
    ordered = sorted(residuals, key=lambda r: r.log_ratio)
    weight = np.array([r.weight for r in ordered])
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    return float(np.interp(share, middle, [r.log_ratio for r in ordered]))
