"""Memory of a training step: gathers the inputs of ``formulas.training`` from a question."""

from __future__ import annotations

from collections.abc import Mapping

from generator import numbers, options
from generator.calibration import Calibration
from generator.estimators import CannotEstimate, adapters, of_work
from generator.formulas import lowered
from generator.question import Question, Training
from generator.schema.model import LanguageModel

PROGRAM = "training_memory"
TABLES = (
    "method", "precision", "optimizer", "attention", "checkpointing", "loss", "kernels", "preparation", "adapter",
    "sharding", "offload", "weights",
)  # fmt: skip
# Input -> field of the work.
SIZES = {
    name: name
    for name in (
        "sequence", "micro_batch", "accumulation", "grouped_experts", "tensor_parallel", "pipeline_parallel",
        "context_parallel", "expert_parallel", "varying_lengths", "clears_cache", "adapter_bytes",
    )
}  # fmt: skip
# cuBLAS keeps one workspace a stream; the rest are small tensors such as rotary tables and token ids.
FIXED = {"workspace_bytes": 20e6}
# Whose code runs a model, by its family.
_OWN_CODE = {"granite": ("granite", "powerlm"), "gpt_bigcode": ("gpt-bigcode",), "gemma": ("gemma",)}


def inputs(question: Question, calibration: Calibration) -> dict[str, float]:
    """Every input of the program ``training_memory``. Raises CannotEstimate with the reason where one is unknown."""
    work = question.work
    assert isinstance(work, Training)
    found = of_model(question.model)
    found.update(of_work(work, TABLES, SIZES))
    found.update(adapters.inputs(question.model, work))
    found.update(FIXED, gpus=question.gpus)
    found.update(calibration.constants)
    found.update(numbers.of_capacity(question.card, question.capacity_gib))
    return found


def of_model(model: LanguageModel) -> dict[str, float]:
    """What the memory of training depends on in a model. Raises CannotEstimate with the reason."""
    try:
        found = numbers.of_model(model)
    except numbers.NoShapeError as error:
        raise CannotEstimate(str(error)) from error
    assert model.shape is not None
    tables = options.load()
    found.update(tables.numbers("mlp", model.shape.mlp.kind))
    found.update(tables.numbers("norm", model.shape.norm.kind))
    found.update(tables.numbers("own_code", own_code(model.family)))
    return found


def own_code(family: str) -> str:
    """Whose code runs a family of models, by the names of the option table ``own_code``."""
    for name, prefixes in _OWN_CODE.items():
        if family.startswith(prefixes):
            return name
    return "stock"


def estimate(question: Question, calibration: Calibration) -> Mapping[str, float]:
    """All results of the program in bytes, with its inputs. Raises CannotEstimate."""
    given = inputs(question, calibration)
    return {**given, **{name: float(value) for name, value in lowered.training_memory(given).items()}}


def kind(question: Question) -> str:
    """The kind of case, as :attr:`Calibration.bands` names it: the meter, and whether lengths vary."""
    work = question.work
    assert isinstance(work, Training)
    return f"{question.meter} {'varying' if work.varying_lengths else 'fixed'}"
