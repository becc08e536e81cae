"""What software runs on a compute capability: facts resolved into one status a question."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from generator.catalog import Catalog
from generator.i18n import N_
from generator.schema import Software, SoftwareFact
from generator.schema.software import Status

# The questions that a card page answers, in the order in which a reader asks them.
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("last_pytorch_release", N_("PyTorch binaries")),
    ("last_driver_branch", N_("NVIDIA driver")),
    ("last_cuda_toolkit", N_("CUDA Toolkit")),
    ("bf16", N_("BF16 in hardware")),
    ("fp8", N_("FP8 in hardware")),
    ("fp4", N_("FP4 in hardware")),
    ("flash_attention_2", N_("FlashAttention 2")),
    ("torch_compile", N_("torch.compile")),
    ("bitsandbytes_nf4", N_("bitsandbytes NF4 (QLoRA)")),
    ("bitsandbytes_8bit_optim", N_("bitsandbytes 8-bit optimizers")),
    ("vllm", N_("vLLM")),
    ("sglang", N_("SGLang")),
    ("tensorrt_llm", N_("TensorRT-LLM")),
    ("llama_cpp", N_("llama.cpp")),
    ("ollama", N_("Ollama")),
    ("exllamav3", N_("ExLlamaV3")),
)


@dataclass(frozen=True)
class Answer:
    """The answer to one question for one compute capability; ``status`` None = not known."""

    key: str
    label: str
    status: Status | None
    facts: tuple[tuple[Software, SoftwareFact], ...]


def answers(catalog: Catalog, capability: str) -> list[Answer]:
    """An answer to every question for one compute capability."""
    found = []
    for key, label in QUESTIONS:
        deciding = [
            (software, fact)
            for software in catalog.software.values()
            for fact in software.facts
            if key in fact.answers and fact.covers(capability)
        ]
        found.append(Answer(key, label, resolve([f for _, f in deciding]), tuple(deciding)))
    return found


def resolve(facts: Iterable[SoftwareFact]) -> Status | None:
    """One status from all facts that decide a question; None when there is none.

    An end outranks all; then emulation, which says more than "not in hardware"; facts that say
    both yes and no leave it at "with limits"; else the worst news counts. The last version of a
    *supported* fact is only the newest one looked at, never an end, unless a later version is
    known not to support the card.
    """
    facts = list(facts)
    statuses = {fact.status for fact in facts}
    if not statuses:
        return None
    if "end_of_life" in statuses or _was_dropped(facts):
        return "end_of_life"
    if "emulated" in statuses:
        return "emulated"
    if "unsupported" in statuses:
        return "unsupported" if statuses == {"unsupported"} else "limited"
    return "limited" if "limited" in statuses else "supported"


def _was_dropped(facts: list[SoftwareFact]) -> bool:
    ends = [f.version.last for f in facts if f.status in ("supported", "limited") and f.version.last]
    starts = [f.version.first for f in facts if f.status == "unsupported" and f.version.first]
    return any(_version(end) < _version(start) for end in ends for start in starts)


def _version(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text.split("(")[0])]
