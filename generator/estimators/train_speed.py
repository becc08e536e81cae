"""Speed of training: gathers the inputs of ``formulas.train_speed`` from a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from generator import numbers, options
from generator.calibration import Calibration
from generator.catalog import Card
from generator.estimators import CannotEstimate, adapters, matmul, of_work
from generator.facts import State
from generator.formulas import lowered
from generator.question import Question, Training

PROGRAM = "train_speed"
KINDS = ("dense", "small", "experts", "untested")
# Constants with a value of their own for each architecture or software; everything else has one value.
BY_ARCHITECTURE = ("matmul_16", "matmul_8", "matmul_4")
BY_STACK = ("elementwise_passes", "host_seconds")
TABLES = (
    "method", "precision", "optimizer", "attention", "checkpointing", "loss", "kernels", "preparation", "sharding",
    "weights", "stack", "packing",
)  # fmt: skip
# Input -> field of the work.
SIZES = {
    name: name
    for name in (
        "sequence", "mean_length", "micro_batch", "accumulation", "tensor_parallel", "pipeline_parallel",
        "virtual_pipeline", "context_parallel", "expert_parallel", "grouped_experts",
    )
}  # fmt: skip
# Rate of the products by their bits, and what a card's facts call it; every other number of bits: 16.
RATES = {32: ("rate_fp32", "fp32"), 19: ("rate_tf32", "tensor_tf32"), 16: ("rate_tensor16", "tensor_bf16_fp32acc")}


def inputs(question: Question, calibration: Calibration) -> dict[str, float]:
    """Every input of the program ``train_speed``. Raises CannotEstimate with the reason where one is unknown."""
    work = question.work
    assert isinstance(work, Training)
    if question.card is None:
        raise CannotEstimate("the speed of training needs a card")
    found = given(question)
    found.update(constants(calibration.constants, question.card, work.stack))
    found.update(of_class(calibration.facts, question.card))
    return found


def given(question: Question) -> dict[str, float]:
    """The inputs that are neither fitted nor measured: model, work, choices, card."""
    work, card = question.work, question.card
    assert isinstance(work, Training)
    assert card is not None
    try:
        found = numbers.of_trained_model(question.model)
    except numbers.NoShapeError as error:
        raise CannotEstimate(str(error)) from error
    found.update(of_work(work, TABLES, SIZES), gpus=question.gpus)
    found.update(of_architecture(card))
    found.update(numbers.of_card(card))
    found.update(adapters.inputs(question.model, work))
    _check_rate(card, found)
    return found


def _check_rate(card: Card, found: Mapping[str, float]) -> None:
    """Raises CannotEstimate when the rate that the products would run at is not published."""
    rate, fact = RATES.get(int(found["matmul_bits"]), RATES[16])
    if found[rate] > 0:
        return
    # Hardware without the format falls back to FP32; a rate that nobody published is another matter.
    if card.rates[fact].state is State.UNKNOWN or found["rate_fp32"] <= 0:
        raise CannotEstimate(f"{card.gpu.name}: its speed in this number format is not published")


def of_architecture(card: Card) -> Mapping[str, float]:
    """What stands for the architecture of a card in the option table ``card_class``."""
    tables, name = options.load(), card.gpu.architecture
    return tables.numbers("card_class", name if name in tables.names("card_class") else "other")


def constants(fitted: Mapping[str, Any], card: Card, stack: str) -> dict[str, float]:
    """The fitted constants for one card and one software: those of their own level, else of none in particular."""
    level = {**dict.fromkeys(BY_ARCHITECTURE, card.gpu.architecture), **dict.fromkeys(BY_STACK, stack)}
    return {
        name: float(value.get(level[name], value[matmul.DEFAULT]) if name in level else value)
        for name, value in fitted.items()
    }


def of_class(facts: Mapping[str, Any], card: Card) -> dict[str, float]:
    """What was measured of a card or else of its class: attained shares, and whether language models were."""
    return {
        **matmul.attained(card, facts["attained"]),
        "tested_class": float(card.gpu.architecture in facts["architectures"]),
    }


def estimate(question: Question, calibration: Calibration) -> Mapping[str, float]:
    """All results of the program with its inputs; times in seconds. Raises CannotEstimate."""
    found = inputs(question, calibration)
    # As NumPy numbers, where a part that does not apply may divide by zero.
    with np.errstate(all="ignore"):
        results = lowered.train_speed({name: np.float64(value) for name, value in found.items()})
    return {**found, **{name: float(value) for name, value in results.items()}}


def band(results: Mapping[str, float], calibration: Calibration) -> tuple[float, float]:
    """Low and high factor on the speed for a case of this kind."""
    return calibration.bands[KINDS[int(results["case_kind"])]]
