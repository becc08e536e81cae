"""Can this card do the job at all? Number formats and software by compute capability, before any estimate counts."""

from __future__ import annotations

from dataclasses import dataclass

from generator.catalog import Catalog
from generator.i18n import N_
from generator.question import Question, Training
from generator.schema.software import Status
from generator.support import answers

_BAD: tuple[Status | None, ...] = ("unsupported", "emulated", "end_of_life", "limited")


@dataclass(frozen=True)
class Gate:
    """One thing that stands in the way. ``blocks``: it does not run; else it runs slowly, or not for long."""

    key: str
    text: str
    status: Status
    blocks: bool


# (question of generator.support, statuses that block, what to tell the reader)
_TEXTS = {
    "bf16": N_("No BF16 in hardware: use FP16 with loss scaling."),
    "fp8": N_("No FP8 in hardware."),
    "fp4": N_("No FP4 in hardware."),
    "flash_attention_2": N_("FlashAttention 2 does not run on this card: PyTorch's SDPA takes its place."),
    "bitsandbytes_nf4": N_("bitsandbytes does not support 4-bit weights on this card."),
    "bitsandbytes_8bit_optim": N_("bitsandbytes does not support 8-bit optimizers on this card."),
    "last_pytorch_release": N_("PyTorch no longer builds, or will soon not build, for this card."),
    "vllm": N_("vLLM does not run on this card, or only with limits."),
    "context": N_("Longer than the context that the model was made for."),
    "sglang": N_("SGLang does not run on this card, or only with limits."),
    "tensorrt_llm": N_("TensorRT-LLM does not run on this card, or only with limits."),
}
_BLOCKING = ("bitsandbytes_nf4", "bitsandbytes_8bit_optim", "vllm", "sglang", "tensorrt_llm", "fp8", "fp4")


def gates(question: Question, catalog: Catalog) -> tuple[Gate, ...]:
    """What stands in the way of a question on its card; empty without a card."""
    found = []
    if _longer_than_context(question):
        found.append(Gate("context", _TEXTS["context"], "limited", False))
    if question.card is None:
        return tuple(found)
    known = {a.key: a.status for a in answers(catalog, question.card.architecture.compute_capability)}
    for key in _asked(question):
        status = known.get(key)
        if status is not None and status in _BAD and not (key == "last_pytorch_release" and status == "limited"):
            blocks = key in _BLOCKING and status in ("unsupported", "end_of_life")
            found.append(Gate(key, _TEXTS[key], status, blocks))
    return tuple(found)


def _longer_than_context(question: Question) -> bool:
    work, most = question.work, question.model.max_context
    length = work.sequence if isinstance(work, Training) else work.prompt + work.generated
    return most is not None and length > most


def _asked(question: Question) -> list[str]:
    """The questions that matter for a piece of work."""
    work = question.work
    asked = ["last_pytorch_release"]
    if isinstance(work, Training):
        if work.precision in ("bf16", "amp-bf16") or (work.weights == "bf16" and not work.precision.endswith("fp16")):
            asked.append("bf16")
        asked += [f for f in ("fp8", "fp4") if work.precision == f]
        if work.attention.startswith("flash"):
            asked.append("flash_attention_2")
        if work.weights.startswith(("nf4", "fp4")):
            asked.append("bitsandbytes_nf4")
        if "8bit" in work.optimizer:
            asked.append("bitsandbytes_8bit_optim")
        return asked
    engines = {"vllm": "vllm", "sglang": "sglang", "tensorrt-llm": "tensorrt_llm"}
    if work.engine in engines:
        asked.append(engines[work.engine])
    if work.engine in ("llama.cpp", "ollama"):
        asked.remove("last_pytorch_release")
    if work.weights.startswith(("nf4", "fp4")) and work.engine == "transformers":
        asked.append("bitsandbytes_nf4")
    return asked
