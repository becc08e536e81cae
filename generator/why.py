"""Why an estimate may be far from a measurement: what the measured row itself says, or does not say.

Rules look at the row's own facts only, never at the error, so that a good estimate of the same kind of row would get
the same words. The first rules are about measurements that cannot be what they seem, the next about what the row leaves
open and about what the formulas know least.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator import calibration
from generator.cases import inference_speed, text
from generator.catalog import Catalog
from generator.estimators import CannotEstimate
from generator.estimators import inference_speed as estimator
from generator.i18n import N_
from generator.scoring import measured, number

Row = Mapping[str, str]
NO_REASON = N_("no known reason")
MOST = 2


@dataclass(frozen=True)
class Case:
    """A published row, and which of its quantities is looked at."""

    row: Row
    quantity: str
    catalog: Catalog

    def says(self, pattern: str, *columns: str) -> bool:
        """Whether one of the columns has the pattern."""
        return any(re.search(pattern, self.row.get(column) or "") for column in columns)


Rule = Callable[[Case], bool]


def why(row: Row, quantity: str, catalog: Catalog) -> tuple[str, ...]:
    """Up to two reasons as interface strings, the weightiest first; ``NO_REASON`` alone where no rule holds."""
    case = Case(row, quantity, catalog)
    found = tuple(reason for reason, holds in RULES if holds(case))
    return found[:MOST] or (NO_REASON,)


def has_experts(row: Row, catalog: Catalog) -> bool:
    """Whether the row's model is a mixture of experts."""
    try:
        model, _ = text.model_of(row, catalog.names, [])
    except CannotEstimate:
        return False
    hybrid = model.other_shape.hybrid if model.other_shape else None
    return bool((model.shape and model.shape.experts) or (hybrid and hybrid.experts))


def _beyond_memory(case: Case) -> bool:
    """More tokens than the cards' memory can deliver the weights for: the run ended early, or counts something else."""
    if case.quantity != "decode-speed":
        return False
    speed = next(iter(measured(case.row, case.quantity)[1]), 0.0)
    try:
        question = inference_speed.question(case.row, case.catalog.names)
        found = estimator.estimate(question, calibration.load("inference-speed"))
    except CannotEstimate:
        return False
    if inference_speed.figure(case.row, case.quantity) == "combined":
        speed *= found["generated"] / (found["prompt"] + found["generated"])
    steps_per_s = speed / found["batch"]
    return steps_per_s * found["step_weights"] > 1.02 * found["bandwidth"] * found["gpus"]


def _kernel_named_slow(case: Case) -> bool:
    # The page of Qwen's own speeds says so of GPTQ for experts in SGLang.
    is_gptq = case.says("(?i)gptq", "quantization", "model")
    return is_gptq and case.says("(?i)sglang", "engine") and has_experts(case.row, case.catalog)


def _length_is_a_cap(case: Case) -> bool:
    return case.says(r"max_length|^max \d|not packed|dynamic padding|avg ~", "seq_note")


def _unlike_cards(case: Case) -> bool:
    return case.says(r"\+", "gpu")


def _experts(case: Case) -> bool:
    return has_experts(case.row, case.catalog)


def _several(case: Case) -> bool:
    return (number(case.row.get("n_gpus")) or 1) > 1


def _layers_apart(case: Case) -> bool:
    return _several(case) and case.says("layer|device_map", "parallelism", "sharding")


def _device(case: Case) -> bool:
    return case.says("nvidia-smi", "what_is_measured")


def _device_of_several(case: Case) -> bool:
    return _device(case) and _several(case)


def _configuration_not_stated(case: Case) -> bool:
    is_training = case.row.get("method", "inference") not in ("", "inference")
    return is_training and not case.says(".", "activation_checkpointing", "attention_impl", "optimizer")


def _format_not_stated(case: Case) -> bool:
    return case.says("dtype not", "notes") or case.says("not stated", "quantization")


def _version_not_stated(case: Case) -> bool:
    return case.says(".", "engine") and not case.says(r"\d", "engine")


RULES: tuple[tuple[str, Rule], ...] = (
    (N_("more tokens a second than memory can deliver weights for: the run probably ended early"), _beyond_memory),
    (N_("the source itself says that this kernel needs work"), _kernel_named_slow),
    (N_("the stated length is a cap; how long the samples were is not known"), _length_is_a_cap),
    (N_("unlike cards side by side; the slowest was computed with"), _unlike_cards),
    (N_("mixture of experts: how tokens spread over the experts is not known"), _experts),
    (N_("layers on several cards one after the other; how far the engine overlaps them is not known"), _layers_apart),
    (N_("nvidia-smi on several GPUs: buffers for communication and gathered weights come on top"), _device_of_several),
    (N_("nvidia-smi also shows what the allocator kept from earlier steps"), _device),
    (N_("the source names no kernels, no optimizer and no recomputation"), _configuration_not_stated),
    (N_("the format of the weights is not stated"), _format_not_stated),
    (N_("the version of the engine is not stated"), _version_not_stated),
)
