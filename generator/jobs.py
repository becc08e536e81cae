"""The five jobs of the home page, and the least memory that each takes for weights and optimizer.

These are floors, not estimates: activations, logits, KV cache and the CUDA context come on top.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.i18n import N_


@dataclass(frozen=True)
class Job:
    """A job with its bytes per parameter for everything that grows with the model.

    ``terms`` are (what, bytes per parameter). ``sources`` are ids of the bibliography.
    """

    id: str
    title: str
    question: str
    terms: tuple[tuple[str, float], ...]
    sources: tuple[str, ...]

    @property
    def bytes_per_parameter(self) -> float:
        """Sum of the terms."""
        return sum(size for _, size in self.terms)

    def floor_gib(self, parameters: float) -> float:
        """GiB for weights, gradients and optimizer of a model with ``parameters`` weights."""
        return weights_gib(parameters, self.bytes_per_parameter)


BF16_BYTES = 2.0
# 4 bits and, with double quantization, 0.127 bits of constants (Dettmers et al., QLoRA).
NF4_BYTES = 4.127 / 8


def weights_gib(parameters: float, bytes_per_parameter: float) -> float:
    """GiB that ``parameters`` numbers take at the given bytes each."""
    return parameters * bytes_per_parameter / 2**30


# Mixed precision with AdamW: 2 + 2 + 4 + 4 + 4 = 16 bytes (Rajbhandari et al., ZeRO, section 3.1).
_ADAMW = (
    (N_("BF16 weights"), BF16_BYTES),
    (N_("BF16 gradients"), BF16_BYTES),
    (N_("FP32 master weights"), 4.0),
    (N_("AdamW momentum"), 4.0),
    (N_("AdamW variance"), 4.0),
)
_NF4 = ((N_("NF4 weights with double quantization"), NF4_BYTES),)

JOBS: tuple[Job, ...] = (
    Job("run", N_("Run a model"), N_("Chat, agents, serving"), _NF4, ("QLORA_PAPER",)),
    Job("qlora", N_("QLoRA"), N_("Fine-tune adapters on a 4-bit base"), _NF4, ("QLORA_PAPER",)),
    Job("lora", N_("LoRA"), N_("Fine-tune adapters on a 16-bit base"),
        ((N_("BF16 weights"), BF16_BYTES),), ("LORA_PAPER",)),
    Job("full", N_("Full fine-tune"), N_("Change every weight"), _ADAMW, ("ZERO_PAPER",)),
    Job("train", N_("Train from scratch"), N_("Start from random weights"), _ADAMW,
        ("ZERO_PAPER",)),
)  # fmt: skip
