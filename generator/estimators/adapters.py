"""What LoRA adapters add to the inputs of the programs, matrix by matrix, so that any choice of targets is a sum."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from generator import numbers
from generator.estimators import CannotEstimate
from generator.question import Training
from generator.schema.model import LanguageModel, Shape

# Sums over the adapted matrices; the first two are for each unit of the rank.
PER_RANK = ("adapter_parameters", "adapter_ranks")
SUMS = (*PER_RANK, "adapter_inputs", "adapted_parameters", "adapts_mlp", "adapter_widths", "adapted_matrices")
_MLP = ("gate_proj", "up_proj", "down_proj")
# Matrices with the same input: queries, keys and values; gate and up.
SAME_INPUT = {
    "k_proj": "q_proj", "v_proj": "q_proj", "kv_a_proj_with_mqa": "q_proj", "q_a_proj": "q_proj",
    "up_proj": "gate_proj",
}  # fmt: skip


# What adapters on one kind of matrix add to each of SUMS.
Adds = tuple[float, ...]


def sites(shape: Shape) -> Mapping[str, Adds]:
    """Every kind of matrix that an adapter can sit on, by the names that PEFT uses."""
    return _sites(shape.model_dump_json())


@lru_cache(maxsize=1024)
def _sites(shape_json: str) -> Mapping[str, Adds]:
    shape = Shape.model_validate_json(shape_json)
    found = {}
    for name, (into, out, _) in numbers.modules(shape).items():
        # Adapters of routed experts see only their own tokens, so their copies are counted with the experts.
        dense = not (shape.experts is not None and name in _MLP)
        adds = {
            "adapter_parameters": numbers.adapter_parameters(shape, (name,), 1),
            "adapter_ranks": dense,
            "adapter_inputs": into * dense,
            "adapted_parameters": into * out,
            "adapts_mlp": dense and name in _MLP,
            "adapter_widths": numbers.adapter_widths(shape, (name,)),
            "adapted_matrices": 1,
        }
        found[name] = tuple(float(adds[n]) for n in SUMS)
    return found


def inputs(model: LanguageModel, work: Training) -> dict[str, float]:
    """Sizes of the adapters of a piece of work; zeros for full fine-tuning. Raises CannotEstimate with the reason."""
    if work.method == "full":
        return dict.fromkeys((*SUMS, "adapter_distinct_inputs"), 0.0)
    if model.shape is None:
        raise CannotEstimate(f"{model.name}: the matrices that adapters would sit on are not known")
    known = sites(model.shape)
    chosen = {name: dict(zip(SUMS, known[name], strict=True)) for name in work.targets if name in known}
    if not chosen:
        raise CannotEstimate(f"none of the LoRA targets {' '.join(work.targets)} is a matrix of this model")
    found = {n: sum(adds[n] for adds in chosen.values()) * (work.rank if n in PER_RANK else 1) for n in SUMS}
    found["adapts_mlp"] = min(found["adapts_mlp"], 1.0)
    distinct = {SAME_INPUT.get(name, name): adds["adapter_inputs"] for name, adds in chosen.items()}
    found["adapter_distinct_inputs"] = sum(distinct.values())
    if work.trainable:
        found["adapter_parameters"] = float(work.trainable)
    return found
