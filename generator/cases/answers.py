"""Answers to published rows: a prediction with its band for each; and the measured run nearest to a question."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator import calibration, estimate, numbers, published, scoring
from generator.calibration import ROOT
from generator.cases import inference_memory, inference_speed, train_speed, training_memory
from generator.cases.columns import canonical
from generator.catalog import Catalog
from generator.estimators import CannotEstimate
from generator.estimators import inference_speed as inference_speed_estimator
from generator.estimators import train_speed as train_speed_estimator
from generator.question import Inference, Question, Training
from generator.schema.published import INFERENCE, MEMORY, TRAIN

Row = Mapping[str, str]
# A file may leave out columns that say nothing.
_BLANK = dict.fromkeys((name for kind in (MEMORY, TRAIN, INFERENCE) for name in kind.names), "")
COLUMNS = ("predicted", "predicted_low", "predicted_high", "unit", "meter", "verdict", "assumed", "skipped_reason")
_WORDS = {"fits": "fits", "tight": "tight", "no": "does not fit"}


def predict(row: Row, quantity: str, catalog: Catalog, exclude_family: str | None = None) -> dict[str, str]:
    """The added columns of one row; a row that cannot be predicted gets a reason, never a guess."""
    out = dict.fromkeys(COLUMNS, "")
    out["unit"] = scoring.UNITS[quantity]
    try:
        found = _PREDICTORS[quantity](_BLANK | dict(canonical(row)), catalog, exclude_family)
    except CannotEstimate as reason:
        return out | {"skipped_reason": str(reason).replace("\n", "; ")}
    values = {k: _text(v) if isinstance(v, float) else v for k, v in found.items()}
    return out | values


def _text(value: float) -> str:
    return f"{value:.6g}"


def _memory(row: Row, catalog: Catalog, exclude_family: str | None) -> dict[str, Any]:
    reader = inference_memory if inference_memory.is_inference(row) else training_memory
    question = reader.question(row, catalog.names)
    found = estimate.memory(question, exclude_family)
    return {
        "predicted": found.gib.value, "predicted_low": found.gib.low, "predicted_high": found.gib.high,
        "meter": found.meter, "verdict": _WORDS[found.verdict] if found.verdict else "",
        "assumed": "; ".join(question.assumed),
    }  # fmt: skip


def _train_speed(row: Row, catalog: Catalog, exclude_family: str | None) -> dict[str, Any]:
    question = train_speed.question(row, catalog.names)
    fitted = calibration.load("train-speed").excluding(exclude_family)
    results = train_speed_estimator.estimate(question, fitted)
    return _speed(results[train_speed.counts(row)], train_speed_estimator.band(results, fitted), question)


def _inference_speed(row: Row, catalog: Catalog, exclude_family: str | None, quantity: str) -> dict[str, Any]:
    question = inference_speed.question(row, catalog.names)
    fitted = calibration.load("inference-speed").excluding(exclude_family)
    figure = inference_speed.figure(row, quantity)
    value = inference_speed_estimator.estimate(question, fitted)[f"{figure}_tokens_per_s"]
    return _speed(value, inference_speed_estimator.band(question, figure, fitted), question)


def _speed(value: float, band: tuple[float, float], question: Question) -> dict[str, Any]:
    if not math.isfinite(value) or value <= 0:
        raise CannotEstimate("the inputs give no finite speed")
    return {"predicted": value, "predicted_low": value * band[0], "predicted_high": value * band[1],
            "assumed": "; ".join(question.assumed)}  # fmt: skip


_PREDICTORS: Mapping[str, Any] = {
    "memory": _memory,
    "train-speed": _train_speed,
    "prefill-speed": lambda row, catalog, family: _inference_speed(row, catalog, family, "prefill-speed"),
    "decode-speed": lambda row, catalog, family: _inference_speed(row, catalog, family, "decode-speed"),
}


@dataclass(frozen=True)
class Nearest:
    """The measured run whose settings are nearest; ``distance`` 0 means the same settings."""

    row: Row
    distance: float
    measured_gib: float
    predicted_gib: float
    text: str

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {"id": self.row["id"], "source": self.row["source_repo_or_url"], "distance": self.distance,
                "measured_gib": self.measured_gib, "predicted_gib": self.predicted_gib, "what": self.text}  # fmt: skip


def nearest(question: Question, catalog: Catalog) -> Nearest | None:
    """The measured run of the same kind that is nearest to a question; None when none is comparable."""
    best: tuple[float, Row, Question] | None = None
    for row, other in _measured(catalog):
        if type(other.work) is not type(question.work):
            continue
        distance = _distance(question, other)
        if best is None or distance < best[0]:
            best = (distance, row, other)
    if best is None or not math.isfinite(best[0]):
        return None
    distance, row, other = best
    column, values = scoring.measured(row, "memory")
    del column
    try:
        predicted = estimate.memory(other)
    except CannotEstimate:
        return None
    gib = min(values, key=lambda v: abs(predicted.gib.value / v - 1))
    return Nearest(row, round(distance, 2), gib, predicted.gib.value, _describe(row, other, gib, predicted.gib.value))


# The questions of all measured runs, for the last catalog that was asked about.
_LAST: dict[int, tuple[tuple[Row, Question], ...]] = {}


def _measured(catalog: Catalog) -> tuple[tuple[Row, Question], ...]:
    if id(catalog) not in _LAST:
        _LAST.clear()
        _LAST[id(catalog)] = tuple(_read(catalog))
    return _LAST[id(catalog)]


def _read(catalog: Catalog) -> Iterator[tuple[Row, Question]]:
    for row in published.rows(ROOT, "memory"):
        if row.get("trust") not in ("A", "B") or not scoring.is_ok(row) or not scoring.measured(row, "memory")[1]:
            continue
        reader = inference_memory if inference_memory.is_inference(row) else training_memory
        try:
            yield row, reader.question(row, catalog.names)
        except CannotEstimate:
            continue


def _ratio(a: float, b: float) -> float:
    return abs(math.log2(max(a, 1e-9) / max(b, 1e-9)))


def _distance(one: Question, two: Question) -> float:
    """Doublings of model and tokens that lie between two questions, and one for each choice that differs."""
    try:
        size = _ratio(numbers.of_model(one.model)["parameters"], numbers.of_model(two.model)["parameters"])
    except numbers.NoShapeError:
        return math.inf
    size += 0.5 * (one.model.family != two.model.family) + 0.5 * _ratio(one.gpus, two.gpus)
    a, b = one.work, two.work
    if isinstance(a, Training) and isinstance(b, Training):
        if a.method != b.method:
            return math.inf
        size += _ratio(a.sequence * a.micro_batch, b.sequence * b.micro_batch)
        names = ("checkpointing", "attention", "loss", "kernels", "optimizer", "precision", "sharding")
        return size + 0.5 * sum(bool(getattr(a, n) != getattr(b, n)) for n in names)
    if isinstance(a, Inference) and isinstance(b, Inference):
        size += 0.5 * _ratio(a.prompt + a.generated, b.prompt + b.generated) + _ratio(a.batch, b.batch)
        return size + 1.0 * (a.weights != b.weights) + 0.5 * (a.engine != b.engine)
    return math.inf


def _describe(row: Row, question: Question, gib: float, predicted: float) -> str:
    work = question.work
    card = question.card.gpu.name if question.card else row.get("gpu") or "?"
    count = f"{question.gpus} × " if question.gpus > 1 else ""
    if isinstance(work, Training):
        what = f"{work.method}, {work.micro_batch} × {work.sequence:,} tokens"
    else:
        what = f"{work.engine}, {work.batch} × ({work.prompt:,} + {work.generated:,}) tokens, {work.weights}"
    return (f"{question.model.name}, {what}, {count}{card}: {gib:.2f} GiB {question.meter} measured, "
            f"{predicted:.2f} estimated ({row['id']}, {row['source_repo_or_url']})")  # fmt: skip
