"""One question to the estimator: what is run, how, on what. Every choice has a name and a documented default.

A question is complete. Whoever builds one (the command line, a row of published cases, a page) leaves blanks to
:func:`ask`, which fills them with the defaults of the dataclasses below and returns what had to be assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar

from generator import options
from generator.catalog import Card
from generator.problems import near, show
from generator.schema.model import LanguageModel

STACKS = ("transformers", "fused", "native", "megatron", "unknown")
METERS = ("allocated", "reserved", "device")
ATTENTION_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj")
ALL_TARGETS = (*ATTENTION_TARGETS, "gate_proj", "up_proj", "down_proj")
MAX_TOKENS = 10_000_000
MAX_GPUS = 100_000
MAX_GROUP = 1_000_000
# Limited numbers that need not be whole.
FRACTIONS = ("weight_bits", "adapter_bytes")
# Ways to share a work that also run on one GPU.
ALONE = ("none", "fsdp", "fsdp2", "zero1", "zero2", "zero3")


class QuestionError(ValueError):
    """The question makes no sense. ``str()`` is one line a problem: option, what is wrong, what was expected."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training step. Sizes count tokens and sequences of one GPU's micro-batch."""

    method: str
    sequence: int = 2048
    micro_batch: int = 1
    accumulation: int = 1
    precision: str = "bf16"
    weights: str = "bf16"
    optimizer: str = "adamw"
    attention: str = "sdpa"
    checkpointing: str = "full"
    loss: str = "stock"
    kernels: str = "stock"
    adapter: str = "lora"
    rank: int = 16
    targets: tuple[str, ...] = ALL_TARGETS
    adapter_bytes: float = 4.0
    # Parameters of all adapters where they are known; else they follow from rank and targets.
    trainable: int | None = None
    preparation: str = "none"
    varying_lengths: bool = False
    clears_cache: bool = False
    sharding: str = "none"
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context_parallel: int = 1
    expert_parallel: int = 1
    # Parts that each GPU of a pipeline cuts its layers into.
    virtual_pipeline: int = 1
    # One kernel for all experts of a layer (ScatterMoE, grouped products), where the software itself loops over them.
    grouped_experts: bool = False
    offload: str = "none"
    stack: str = "transformers"
    # How samples share a sequence; mean_length is theirs where they are shorter than it.
    packing: str = "full"
    mean_length: int = 210

    # Options whose names stand in a table of the same name.
    choices: ClassVar[tuple[str, ...]] = (
        "method", "precision", "weights", "optimizer", "attention", "checkpointing", "loss", "kernels",
        "preparation", "adapter", "sharding", "offload", "stack", "packing",
    )  # fmt: skip
    # The least and the most of numbers that no other option limits.
    limits: ClassVar[Mapping[str, tuple[int, int]]] = {
        **dict.fromkeys(
            ("sequence", "micro_batch", "accumulation", "rank", "virtual_pipeline", "mean_length"), (1, MAX_TOKENS)
        ),
        "adapter_bytes": (0, 8),
    }


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Generating text: a batch of prompts, then so many tokens each. Sizes count all sequences of the run."""

    prompt: int = 1024
    generated: int = 256
    batch: int = 1
    weights: str = "bf16"
    # Weights that share a scale, -1 for a whole row; 0 is the format's usual number.
    group_size: int = 0
    # Of one weight, for formats that leave it open (exl2); 0 is the format's own.
    weight_bits: float = 0.0
    kv_cache: str = "16bit"
    # Tokens of context that the engine is started with; 0: as many as prompt and answer need.
    context: int = 0
    attention: str = "sdpa"
    engine: str = "transformers"
    # Of the transformers library, where the engine uses its models.
    release: str = "5.0"
    # GPUs that share each matrix; 0: as the engine does by itself, all or (layer after layer) one.
    tensor_parallel: int = 0

    # Options whose names stand in a table of the same name.
    choices: ClassVar[tuple[str, ...]] = ("weights", "kv_cache", "attention", "engine", "release")
    # As for training.
    limits: ClassVar[Mapping[str, tuple[int, int]]] = {
        "prompt": (1, MAX_TOKENS), "batch": (1, MAX_TOKENS), "generated": (0, MAX_TOKENS), "context": (0, MAX_TOKENS),
        "group_size": (-1, MAX_GROUP), "weight_bits": (0, 32),
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Question:
    """``card`` is None where only memory is asked for; ``capacity_gib`` is the size of a card that is not named."""

    model: LanguageModel
    work: Training | Inference
    card: Card | None = None
    capacity_gib: float | None = None
    gpus: int = 1
    meter: str = "allocated"
    assumed: tuple[str, ...] = ()


def ask(kind: type[Training] | type[Inference], given: Mapping[str, Any], **where: Any) -> Question:
    """A complete question from what was given; blanks (None) take their defaults, listed in ``assumed``.

    ``where`` goes to :class:`Question`. Raises QuestionError with all problems, one a line.
    """
    filled: dict[str, Any] = {}
    assumed: list[str] = list(where.pop("assumed", ()))
    for item in fields(kind):
        value = given.get(item.name)
        if value is not None:
            filled[item.name] = value
        elif item.default is not MISSING:
            filled[item.name] = _default(item.name, item.default, filled)
            if _matters(item.name, filled):
                assumed.append(f"{item.name} = {_shown(filled[item.name])}")
    unknown = sorted(set(given) - {f.name for f in fields(kind)})
    problems = [f"{name}: there is no such option{near(name, [f.name for f in fields(kind)])}" for name in unknown]
    if not problems:
        problems = check(kind(**filled), where.get("gpus", 1))
    if problems:
        raise QuestionError("\n".join(problems))
    return Question(work=kind(**filled), assumed=tuple(assumed), **where)


@dataclass(frozen=True)
class Condition:
    """Holds where each option in ``only`` has one of the values there, and none in ``never`` has one of those."""

    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    never: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def holds(self, filled: Mapping[str, Any]) -> bool:
        """Whether it holds for what was given and filled in so far."""
        return all(filled.get(name) in values for name, values in self.only.items()) and not any(
            filled.get(name) in values for name, values in self.never.items()
        )


# Defaults that follow from other options: the first of an option's conditions that holds decides. Data, not code:
# the browser reads the same rules.
DEFAULTS: tuple[tuple[str, Condition, Any], ...] = (
    ("weights", Condition({"method": ("qlora",)}), "nf4-dq"),
    ("weights", Condition({"method": ("full",), "precision": ("fp32", "tf32", "amp-bf16", "amp-fp16")}), "fp32"),
    # PEFT's own examples and TRL prepare a 4-bit model before they add adapters.
    ("preparation", Condition({"weights": ("nf4", "nf4-dq", "fp4", "int8"), "kernels": ("stock",)}), "kbit"),
    ("stack", Condition(never={"kernels": ("stock",)}), "fused"),
    ("virtual_pipeline", Condition(never={"pipeline_parallel": (1,)}), 4),
)
# Defaults that are never worth a line: they are what a reader expects who has not heard of the option.
QUIET = ("tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel", "offload", "adapter_bytes",
         "accumulation", "stack", "group_size", "weight_bits", "context", "kernels", "adapter", "trainable",
         "varying_lengths", "clears_cache", "grouped_experts", "packing", "sharding")  # fmt: skip


@cache
def matters() -> Mapping[str, Condition]:
    """When the defaults of some options have any effect: else they are not listed as assumptions."""
    tables = options.load()
    engines = tuple(n for n in tables.names("engine") if tables.numbers("engine", n)["transformers_code"])
    return {
        "rank": Condition(never={"method": ("full",)}),
        "targets": Condition(never={"method": ("full",)}),
        "virtual_pipeline": Condition(never={"pipeline_parallel": (1,)}),
        "mean_length": Condition(never={"packing": ("full",)}),
        "release": Condition({"engine": engines}),
    }


def _default(name: str, default: Any, filled: Mapping[str, Any]) -> Any:
    return next((value for option, when, value in DEFAULTS if option == name and when.holds(filled)), default)


def _matters(name: str, filled: Mapping[str, Any]) -> bool:
    return name not in QUIET and (name not in matters() or matters()[name].holds(filled))


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def check(work: Training | Inference, gpus: int) -> list[str]:
    """Everything that is wrong with a piece of work on ``gpus`` GPUs, one line each."""
    found = []
    tables = options.load()
    for name in work.choices:
        value, allowed = getattr(work, name), tables.names(name)
        if value not in allowed:
            found.append(
                f"{name}: '{show(value)}' is not known{near(str(value), allowed)}; expected {', '.join(allowed)}"
            )
    for name, (least, most) in work.limits.items():
        value = getattr(work, name)
        if not (isinstance(value, int) or name in FRACTIONS) or not least <= value <= most:
            found.append(f"{name}: {show(value)} is out of range; expected {least} to {most:,}")
    if not isinstance(gpus, int) or not 1 <= gpus <= MAX_GPUS:
        found.append(f"gpus: {show(gpus)} is no number of GPUs; expected 1 to {MAX_GPUS}")
        return found
    if isinstance(work, Inference):
        ways = work.tensor_parallel
        if not isinstance(ways, int) or not 0 <= ways <= gpus or (ways and gpus % ways):
            found.append(f"tensor_parallel: {show(ways)} with {gpus} GPUs; expected 0 or a divisor of {gpus}")
        return found
    return found + _check_parallel(work, gpus)


def _check_parallel(work: Training, gpus: int) -> list[str]:
    found = []
    sizes = {
        n: getattr(work, n) for n in ("tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel")
    }
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            found.append(f"{name}: {show(value)} is out of range; expected 1 to {gpus}")
    if found:
        return found
    product = work.tensor_parallel * work.pipeline_parallel * work.context_parallel
    if gpus % product:
        found.append(
            f"gpus: {gpus} GPUs cannot be split by tensor × pipeline × context parallel = {product}; "
            f"expected a multiple of {product}"
        )
    if work.expert_parallel > gpus:
        found.append(f"expert_parallel: {work.expert_parallel} with {gpus} GPUs; expected 1 to {gpus}")
    if gpus == 1 and work.sharding not in ALONE:
        found.append(f"sharding: '{work.sharding}' needs more than 1 GPU; expected none")
    if gpus > 1 and work.sharding == "none" and product == 1:
        ways = ", ".join(options.load().names("sharding")[1:])
        found.append(f"sharding: {gpus} GPUs need a way to share the work; expected {ways}")
    return found
