"""Speed of inference: gathers the inputs of ``formulas.inference_speed`` from a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from generator import numbers, options
from generator.calibration import Calibration
from generator.catalog import Card
from generator.estimators import CannotEstimate, of_work
from generator.estimators.matmul import attained
from generator.formulas import lowered
from generator.question import Inference, Question

PROGRAM = "inference_speed"
TABLES = ("weights", "kv_cache")
# Input -> field of the work.
SIZES = {
    name: name for name in ("prompt", "generated", "batch", "tensor_parallel", "group_size", "weight_bits")
}  # fmt: skip
# What a measurement may state: speed of prompts, of generating, generated or all tokens over the whole run. The results
# are called <figure>_tokens_per_s.
FIGURES = ("prefill", "decode", "output", "combined")
GIB = 2**30
# The option of the table "format_speed" for those of "weights"; every other one is a type of llama.cpp.
_CLASSES = {
    "fp32": "fp32", "bf16": "16bit", "fp16": "16bit", "fp8": "fp8", "mxfp8": "fp8", "int8": "int8", "nf4": "int4",
    "fp4": "int4", "nf4-dq": "int4", "gptq-int8": "gptq8", "gptq-int4": "gptq4", "gptq-int3": "gptq4",
    "gptq-int2": "gptq4", "awq-int4": "awq4", "mxfp4": "fp4", "nvfp4": "fp4", "exl2": "exl2", "aqlm-2": "exl2",
}  # fmt: skip
# Formats that are read as they are.
PLAIN = ("16bit", "fp32")


def inputs(question: Question, calibration: Calibration) -> dict[str, float]:
    """Every input of the program ``inference_speed``. Raises CannotEstimate with the reason where one is unknown."""
    found = given(question, calibration.facts)
    work = question.work
    assert isinstance(work, Inference)
    found.update(constants(calibration.constants, work))
    return found


def given(question: Question, facts: Mapping[str, Any]) -> dict[str, float]:
    """The inputs that are not fitted; ``facts`` are ``attained`` and ``clocks`` of the calibration."""
    work, card = question.work, question.card
    assert isinstance(work, Inference)
    if card is None:
        raise CannotEstimate("the speed of inference needs a card")
    try:
        found = numbers.of_model(question.model)
    except numbers.NoShapeError as error:
        raise CannotEstimate(str(error)) from error
    # Longer ones are possible where positions are scaled.
    if work.generated and work.prompt == found["max_context"]:
        most = f"{found['max_context']:,.0f} tokens"
        raise CannotEstimate(f"the prompt fills the model's whole context of {most}: nothing can be generated")
    tables = options.load()
    found.update(of_work(work, TABLES, SIZES), gpus=question.gpus)
    found.update(tables.numbers("engine_speed", work.engine))
    found.update(tables.numbers("format_speed", format_class(work.weights)))
    found.update(numbers.of_card(card))
    found.update(measured(card, facts))
    _check_card(card, found)
    return found


def measured(card: Card, facts: Mapping[str, Any]) -> dict[str, float]:
    """What was measured of a card or else of its class: attained shares, and its clock where none is published."""
    clock = numbers.of_card(card)["clock"] or float(facts["clocks"].get(card.gpu.architecture, 0.0))
    return {**attained(card, facts["attained"]), "clock": clock}


def _check_card(card: Card, found: Mapping[str, float]) -> None:
    """Raises CannotEstimate for what nobody published of a card."""
    linked = found["pcie"] or found["nvlink_joined"] * found["nvlink"]
    unknown = {
        "its number of multiprocessors": not found["sms"],
        "its clock": not found["clock"],
        "its speed in 16 bits and in FP32": not (found["rate_tensor16"] or found["rate_fp32"]),
        "the speed of its link to other cards": found["gpus"] > 1 and not linked,
    }
    missing = [name for name, is_unknown in unknown.items() if is_unknown]
    if missing:
        raise CannotEstimate(f"{card.gpu.name}: not published: {', '.join(missing)}")


def format_class(weights: str) -> str:
    """Formats of stored weights that kernels use alike, by the names of the option table ``format_speed``."""
    return _CLASSES.get(weights, "gguf")


def group(engine: str) -> str:
    """Engines that behave alike: serving, python (it launches every layer), or compiled code layer by layer."""
    switches = options.load().numbers("engine_speed", engine)
    return "serving" if switches["serving_engine"] else "python" if switches["python_engine"] else "compiled"


def constants(fitted: Mapping[str, Any], work: Inference) -> dict[str, float]:
    """The fitted constants for an engine and a format: the engine's own, else its group's, else those of all."""
    return levels(fitted, work.engine, group(work.engine), format_class(work.weights))


def levels(fitted: Mapping[str, Any], engine: str, group_name: str, stored: str) -> dict[str, float]:
    """The constants at the most special level that has them: format with an engine, engine, group, all."""
    found = [
        fitted["formats"].get(engine, {}).get(stored, {}),
        fitted["engines"].get(engine, {}),
        fitted["groups"].get(group_name, {}),
        fitted["all"],
    ]
    return {name: float(next(level[name] for level in found if name in level)) for name in fitted["all"]}


def estimate(question: Question, calibration: Calibration) -> Mapping[str, float]:
    """All results of the program with its inputs; times in seconds. Raises CannotEstimate with the reason."""
    found = inputs(question, calibration)
    # As NumPy numbers, where a part that does not apply may divide by zero.
    with np.errstate(all="ignore"):
        results = lowered.inference_speed({name: np.float64(value) for name, value in found.items()})
    memory = found["card_bytes"] * found["gpus"]
    if results["weights"] > memory:
        size = f"{results['weights'] / GIB:.0f} GiB"
        raise CannotEstimate(
            f"the weights ({size}) do not fit into {question.gpus} × {found['card_bytes'] / GIB:.0f} GiB"
        )
    return {**found, **{name: float(value) for name, value in results.items()}}


def kind(question: Question, figure: str) -> str:
    """The kind of case, as :attr:`Calibration.bands` names it."""
    work = question.work
    assert isinstance(work, Inference)
    stored = "plain" if format_class(work.weights) in PLAIN else "quantized"
    return f"{phase(figure)} {group(work.engine)} {stored}"


def phase(figure: str) -> str:
    """What a figure mainly tells: prefill or decode."""
    return "prefill" if figure == "prefill" else "decode"


def band(question: Question, figure: str, calibration: Calibration) -> tuple[float, float]:
    """Low and high factor on the estimate of a figure: of its kind of case, else of its phase."""
    return calibration.bands.get(kind(question, figure)) or calibration.bands[phase(figure)]
