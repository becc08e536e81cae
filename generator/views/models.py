"""Models in tables."""

from __future__ import annotations

from generator import parameters
from generator.schema import LanguageModel
from generator.schema.model import Shape


def attention_kind(shape: Shape) -> str:
    """The field's abbreviation: MHA, GQA, MQA or MLA."""
    attention = shape.attention
    if attention.latent is not None:
        return "MLA"
    if attention.kv_heads == attention.heads:
        return "MHA"
    return "MQA" if attention.kv_heads == 1 else "GQA"


def order(model: LanguageModel) -> tuple[object, ...]:
    """By family, then size: relatives stand together."""
    return (model.family, parameters.count(model) or 0, model.slug)


BF16_BYTES = 2.0


def weights_gib(count: float, bytes_each: float = BF16_BYTES) -> float:
    """GiB that so many weights take at the given bytes each."""
    return count * bytes_each / 2**30
