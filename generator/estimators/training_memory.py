"""Memory of a training step: gathers the inputs of ``formulas.training`` from a question."""

from __future__ import annotations

from collections.abc import Mapping

from generator import numbers, options
from generator.calibration import Calibration
from generator.estimators import CannotEstimate
from generator.formulas import lowered
from generator.question import Question, Training
from generator.schema.model import Shape

PROGRAM = "training_memory"
# cuBLAS keeps one workspace a stream; the rest are small tensors such as rotary tables and token ids.
WORKSPACE_BYTES = 20e6
_TABLES = (
    "method", "precision", "optimizer", "attention", "checkpointing", "loss", "kernels", "preparation", "adapter",
    "sharding", "offload",
)  # fmt: skip
# Whose code runs a model, by its family.
_OWN_CODE = {"granite": ("granite", "powerlm"), "gpt_bigcode": ("gpt-bigcode",), "gemma": ("gemma",)}
# Matrices with the same input: queries, keys and values; gate and up.
_SAME_INPUT = {
    "k_proj": "q_proj", "v_proj": "q_proj", "kv_a_proj_with_mqa": "q_proj", "q_a_proj": "q_proj", "up_proj": "gate_proj",
}  # fmt: skip
_MLP = ("gate_proj", "up_proj", "down_proj")


def inputs(question: Question, calibration: Calibration) -> dict[str, float]:
    """Every input of the program ``training_memory``. Raises CannotEstimate with the reason where one is unknown."""
    work = question.work
    assert isinstance(work, Training)
    try:
        found = numbers.of_model(question.model)
    except numbers.NoShapeError as error:
        raise CannotEstimate(str(error)) from error
    shape = question.model.shape
    assert shape is not None
    tables = options.load()
    for table in _TABLES:
        found.update(tables.numbers(table, getattr(work, table)))
    found.update(tables.numbers("mlp", shape.mlp.kind))
    found.update(tables.numbers("norm", shape.norm.kind))
    found.update(tables.numbers("own_code", own_code(question.model.family)))
    found.update(tables.numbers("weights", work.weights))
    found.update(_adapters(shape, work))
    found.update(
        {
            "sequence": work.sequence,
            "micro_batch": work.micro_batch,
            "accumulates": float(work.accumulation > 1),
            "gpus": question.gpus,
            "grouped_experts": float(work.grouped_experts),
            "tensor_parallel": work.tensor_parallel,
            "pipeline_parallel": work.pipeline_parallel,
            "context_parallel": work.context_parallel,
            "expert_parallel": work.expert_parallel,
            "varying_lengths": float(work.varying_lengths),
            "clears_cache": float(work.clears_cache),
            "adapter_bytes": work.adapter_bytes,
            "workspace_bytes": WORKSPACE_BYTES,
        }
    )
    found.update(calibration.constants)
    found.update(numbers.of_capacity(question.card, question.capacity_gib))
    return found


def own_code(family: str) -> str:
    """Whose code runs a family of models, by the names of the option table ``own_code``."""
    for name, prefixes in _OWN_CODE.items():
        if family.startswith(prefixes):
            return name
    return "stock"


def _adapters(shape: Shape, work: Training) -> dict[str, float]:
    """Widths and sizes of the adapters of one layer; zeros for full fine-tuning."""
    if work.method == "full":
        return dict.fromkeys(
            ("adapter_parameters", "adapter_inputs", "adapter_distinct_inputs", "adapter_ranks", "adapts_mlp",
             "adapted_parameters"), 0.0,
        )  # fmt: skip
    known = numbers.modules(shape)
    targets = [name for name in work.targets if name in known]
    if not targets:
        raise CannotEstimate(f"none of the LoRA targets {' '.join(work.targets)} is a matrix of this model")
    moe = shape.experts is not None
    # Adapters of routed experts see only their own tokens, so their copies are counted with the experts.
    dense = [name for name in targets if not (moe and name in _MLP)]
    shared: dict[str, float] = {}
    for name in dense:
        shared[_SAME_INPUT.get(name, name)] = known[name][0]
    return {
        "adapter_parameters": float(work.trainable or numbers.adapter_parameters(shape, tuple(targets), work.rank)),
        "adapter_inputs": float(sum(known[name][0] for name in dense)),
        "adapter_distinct_inputs": float(sum(shared.values())),
        "adapter_ranks": float(work.rank * len(dense)),
        "adapts_mlp": float(any(name in dense for name in _MLP)),
        "adapted_parameters": float(sum(known[name][0] * known[name][1] for name in targets)),
    }


def estimate(question: Question, calibration: Calibration) -> Mapping[str, float]:
    """All results of the program in bytes, with its inputs. Raises CannotEstimate."""
    given = inputs(question, calibration)
    return {**given, **{name: float(value) for name, value in lowered.training_memory(given).items()}}


def kind(question: Question) -> str:
    """The kind of case, as :attr:`Calibration.bands` names it: the meter, and whether lengths vary."""
    work = question.work
    assert isinstance(work, Training)
    return f"{question.meter} {'varying' if work.varying_lengths else 'fixed'}"
