"""The options of a question on the command line, shared by ``estimate`` and ``recommend``."""

from __future__ import annotations

import argparse
from typing import Any

from generator.catalog import Catalog
from generator.names import Miss, ModelMatch
from generator.numbers import modules
from generator.problems import DataError, show
from generator.question import ALL_TARGETS, ATTENTION_TARGETS, METERS, Inference, Question, QuestionError, Training, ask
from generator.schema.model import LanguageModel

RUN = "run"
METHODS = ("full", "lora", "qlora", RUN)
_TARGETS = {"all": ALL_TARGETS, "attention": ATTENTION_TARGETS, "qv": ("q_proj", "v_proj")}

# (option, field, type, help); None in a namespace means: not given.
_SHARED: tuple[tuple[str, str, type, str], ...] = (
    ("--weights", "weights", str, "format of the stored weights: bf16, nf4-dq, awq-int4, q4_k_m, …"),
    ("--attention", "attention", str, "eager, sdpa or flash"),
    ("--tensor-parallel", "tensor_parallel", int, "GPUs that share each matrix"),
)
_TRAINING: tuple[tuple[str, str, type, str], ...] = (
    ("--seq", "sequence", int, "tokens of a sequence"),
    ("--accumulation", "accumulation", int, "micro-batches of one optimizer step"),
    ("--precision", "precision", str, "bf16, fp16, amp-bf16, amp-fp16, fp32, fp8, …"),
    ("--optimizer", "optimizer", str, "adamw, adamw-8bit, paged-adamw-8bit, adafactor, sgd, …"),
    ("--checkpointing", "checkpointing", str, "none, selective or full"),
    ("--loss", "loss", str, "stock, chunked, fused, fused-inplace or linear"),
    ("--kernels", "kernels", str, "stock, liger, unsloth, …"),
    ("--rank", "rank", int, "rank of the LoRA adapters"),
    ("--sharding", "sharding", str, "ddp, zero1, zero2, zero3, fsdp, fsdp2 or device_map"),
    ("--pipeline-parallel", "pipeline_parallel", int, "GPUs that share the layers"),
    ("--context-parallel", "context_parallel", int, "GPUs that share each sequence"),
    ("--expert-parallel", "expert_parallel", int, "GPUs that share the experts"),
    ("--offload", "offload", str, "none, optimizer or all"),
)
_INFERENCE: tuple[tuple[str, str, type, str], ...] = (
    ("--prompt", "prompt", int, "tokens of a prompt"),
    ("--generate", "generated", int, "tokens of an answer"),
    ("--engine", "engine", str, "transformers, vllm, llama.cpp, exllama, …"),
    ("--kv-cache", "kv_cache", str, "16bit or 8bit"),
    ("--context", "context", int, "tokens of context that the engine is started with"),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add every option of a question but model, method and card."""
    for name, _, kind, text in (*_SHARED, *_TRAINING, *_INFERENCE):
        parser.add_argument(name, type=kind, help=text, metavar=kind.__name__.upper() if kind is int else None)
    parser.add_argument("--batch", type=int, metavar="INT", help="sequences at once (training: on one GPU)")
    parser.add_argument("--targets", help="LoRA targets: all, attention, qv, or names with commas")
    parser.add_argument("--gpus", type=int, default=1, metavar="INT", help="number of GPUs (1)")
    parser.add_argument("--meter", choices=METERS, default="allocated", help="what memory means (allocated)")


def question(arguments: argparse.Namespace, catalog: Catalog, model: str, method: str, gpu: str | None) -> Question:
    """The question that a command line asks. Raises QuestionError with one line a problem."""
    problems = []
    found = named_model(catalog, model)
    if isinstance(found, Miss):
        problems.append(str(found))
    card = catalog.names.card(gpu) if gpu is not None else None
    if isinstance(card, Miss):
        problems.append(str(card))
    kind: type[Training] | type[Inference] = Inference if method == RUN else Training
    given, foreign = _given(arguments, method)
    problems += [f"{name}: means nothing for --method {method}" for name in foreign]
    if isinstance(found, Miss) or isinstance(card, Miss) or problems:
        raise QuestionError("\n".join(problems))
    assumed = [str(a) for a in found.assumptions] + ([str(a) for a in card.assumptions] if card else [])
    gpus = (card.count if card and card.count else 1) * arguments.gpus if arguments.gpus > 0 else arguments.gpus
    if found.weights is not None and given.get("weights") is None:
        given["weights"] = found.weights.format
    if method == "qlora" and given.get("weights") in ("bf16", "fp16", "fp32"):
        raise QuestionError(
            f"--weights: '{given['weights']}' is not quantized; expected nf4-dq or another quantized format"
        )
    _check_targets(given, found.model)
    _share(given, kind, method, gpus, assumed)
    return ask(kind, given, model=found.model, card=card.card if card else None, gpus=gpus,
               meter=arguments.meter, assumed=assumed)  # fmt: skip


def named_model(catalog: Catalog, name: str) -> ModelMatch | Miss:
    """The model of that name or of a config.json; what is wrong with the file becomes a QuestionError."""
    try:
        return catalog.names.model(name)
    except DataError as error:
        raise QuestionError("\n".join(str(problem) for problem in error.problems)) from error


def _check_targets(given: dict[str, Any], model: LanguageModel) -> None:
    """Raises QuestionError for LoRA targets that are no matrices of the model."""
    if not given.get("targets") or model.shape is None:
        return
    known = modules(model.shape)
    # A model without a gate still understands "all".
    wrong = [t for t in given["targets"] if t not in known and t not in ALL_TARGETS]
    if wrong:
        raise QuestionError(f"--targets: '{show(wrong[0])}' is no matrix of {model.name}; expected {', '.join(known)}")


def _given(arguments: argparse.Namespace, method: str) -> tuple[dict[str, Any], list[str]]:
    """Fields of the work that were given, and options that belong to the other kind of work."""
    own, other = (_INFERENCE, _TRAINING) if method == RUN else (_TRAINING, _INFERENCE)
    values = vars(arguments)
    given = {field: values[_key(name)] for name, field, _, _ in (*_SHARED, *own)}
    foreign = [name for name, _, _, _ in other if values[_key(name)] is not None]
    given["batch" if method == RUN else "micro_batch"] = arguments.batch
    if method == RUN:
        return given, foreign + (["--targets"] if arguments.targets else [])
    given["method"] = method
    if arguments.targets:
        given["targets"] = _TARGETS.get(arguments.targets) or tuple(arguments.targets.split(","))
    return given, foreign


def _key(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _share(
    given: dict[str, Any], kind: type[Training] | type[Inference], method: str, gpus: int, assumed: list[str]
) -> None:
    """How several GPUs share the work where it was not said."""
    if gpus <= 1:
        return
    if kind is Inference:
        if given.get("tensor_parallel") is None:
            given["tensor_parallel"] = gpus
            assumed.append(f"tensor_parallel = {gpus}")
        return
    split = any((given.get(n) or 1) > 1 for n in ("tensor_parallel", "pipeline_parallel", "context_parallel"))
    if given.get("sharding") is None and not split:
        given["sharding"] = "fsdp2" if method == "full" else "ddp"
        assumed.append(f"sharding = {given['sharding']}")
