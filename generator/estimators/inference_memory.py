"""Memory of inference on one GPU: gathers the inputs of ``formulas.inference`` from a question."""

from __future__ import annotations

from collections.abc import Mapping

from generator import numbers
from generator.calibration import Calibration
from generator.estimators import CannotEstimate, of_work
from generator.formulas import lowered
from generator.question import Inference, Question

PROGRAM = "inference_memory"
GIB = 2**30
TABLES = ("weights", "kv_cache", "attention", "engine", "release")
# Input -> field of the work.
SIZES = {
    "prompt": "prompt", "generated": "generated", "batch": "batch", "context_length": "context",
    "group_size": "group_size", "weight_bits": "weight_bits",
}  # fmt: skip
NO_CARD = dict.fromkeys(("card_bytes", "inline_ecc", "sms", "compute_capability"), 0.0)
# What cannot be said without knowing how large the card is.
_OF_CARD = ("usable_bytes", "card_bytes")


def inputs(question: Question, calibration: Calibration) -> dict[str, float]:
    """Every input of the program ``inference_memory``. Raises CannotEstimate with the reason where one is unknown."""
    work = question.work
    assert isinstance(work, Inference)
    try:
        found = numbers.of_model(question.model)
    except numbers.NoShapeError as error:
        raise CannotEstimate(str(error)) from error
    found.update(of_work(work, TABLES, SIZES), gpus=question.gpus)
    found.update(calibration.constants)
    if question.card is not None:
        found.update(numbers.of_card(question.card))
    else:
        found.update(NO_CARD, card_bytes=(question.capacity_gib or 0.0) * GIB)
    return found


def estimate(question: Question, calibration: Calibration) -> Mapping[str, float]:
    """All results of the program, with its inputs; what depends on the card only where its size is known.

    Raises CannotEstimate with the reason.
    """
    given = inputs(question, calibration)
    if question.meter == "device" and given["fills_card"] and not (given["pool_share"] and given["card_bytes"]):
        what = "which share is not known here" if not given["pool_share"] else "which card is not said"
        assert isinstance(question.work, Inference)
        raise CannotEstimate(f"{question.work.engine} takes a share of the card at the start; {what}")
    results = {**given, **{name: float(value) for name, value in lowered.inference_memory(given).items()}}
    return results if given["card_bytes"] else {n: v for n, v in results.items() if n not in _OF_CARD}


def kind(question: Question) -> str:
    """The kind of case, as :attr:`Calibration.bands` names it: what the meter sees."""
    return "device" if question.meter == "device" else "allocated"
