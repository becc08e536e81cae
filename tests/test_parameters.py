"""Parameter counts: every decoder to the unit, against counts that others published."""

from __future__ import annotations

import pytest

from generator import parameters
from generator.catalog import Catalog
from tests.conftest import Break


def test_all_models_are_there(catalog: Catalog) -> None:
    assert len(catalog.models) == 233


@pytest.mark.parametrize(
    ("slug", "count"),
    [
        # Totals of released checkpoints, each a different corner of the arithmetic.
        ("llama-3.1-8b", 8_030_261_248),  # GQA, untied
        ("qwen2.5-7b", 7_615_616_512),  # biases on queries, keys and values
        ("qwen3-8b", 8_190_735_360),  # norms on heads
        ("gemma-2-9b", 9_241_705_984),  # four norms a layer, tied
        ("mixtral-8x7b", 46_702_792_704),  # experts
        ("qwen1.5-moe-a2.7b", 14_315_784_192),  # a wider shared expert with a gate
        ("deepseek-v2-lite", 15_706_484_224),  # latent attention
        ("gpt-oss-20b", 20_914_757_184),  # sinks, router and expert biases
        ("powerlm-3b", 3_512_017_152),  # biases everywhere, tied
        ("santacoder", 1_124_886_528),  # one KV head, learned positions
        ("bloom-176b", 176_247_271_424),  # a norm after the embedding
    ],
)
def test_counts_to_the_unit(catalog: Catalog, slug: str, count: int) -> None:
    assert parameters.count(catalog.models[slug]) == count
    assert catalog.models[slug].parameters.published == count


def test_most_decoders_equal_their_checkpoint(catalog: Catalog) -> None:
    decoders = [m for m in catalog.models.values() if m.shape is not None]
    assert len(decoders) >= 154
    equal = sum(parameters.count(m) == m.parameters.published for m in decoders)
    assert equal >= 109


@pytest.mark.parametrize(
    ("slug", "active"),
    [("mixtral-8x7b", 12_879_925_248), ("deepseek-v3", 37_552_297_472), ("gpt-oss-120b", 5_711_982_912)],
)
def test_active_parameters(catalog: Catalog, slug: str, active: int) -> None:
    shape = catalog.models[slug].shape
    assert shape is not None
    assert parameters.total(shape, active=True) == active


def test_kv_cache(catalog: Catalog) -> None:
    """Llama 3.1 8B: 2 × 32 layers × 8 heads × 128; DeepSeek-V3: 61 × (512 + 64)."""
    for slug, values in (("llama-3.1-8b", 2 * 32 * 8 * 128), ("deepseek-v3", 61 * 576)):
        shape = catalog.models[slug].shape
        assert shape is not None
        assert parameters.kv_values_per_token(shape) == values


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("models/qwen2.5-7b.yaml", "hidden_size: 3584", "hidden_size: 3072", "parameters.published: 7,615,616,512 but"),
        ("models/qwen2.5-7b.yaml", "kv_heads: 4", "kv_heads: 5", "shape.attention.kv_heads: does not divide the heads"),
        ("models/qwen2.5-7b.yaml", "counted: null", "counted: 1", "parameters.counted: typed though the shape gives"),
        ("models/mixtral-8x7b.yaml", "kind: moe_decoder", "kind: dense_decoder", "kind: does not fit shape.experts"),
        ("models/mixtral-8x7b.yaml", "per_token: 2", "per_token: 9", "shape.experts.per_token: more than there are"),
        ("models/deepseek-v3.yaml", "intermediate_size: 18432", "intermediate_size: null", "null with 3 dense layers"),
        ("models/qwen2.5-7b.yaml", "reason: null", "reason: {en: So., zh: 如此。}", "parameters.reason: needless"),
        ("models/resnet-50.yaml", "published: 25557032\n  counted: 25557032", "published: null\n  counted: null",
         "parameters: neither a shape nor a count"),
        ("models/granite-4.0-tiny-preview.yaml", "  active: 1386716736\n", "", "parameters.active: does not fit"),
        ("models/qwen2.5-7b.yaml", 'released: "2024', 'released: "2034', "released: no such day, or in the future"),
    ],
)  # fmt: skip
def test_model_rules(broken: Break, path: str, old: str, new: str, says: str) -> None:
    lines = [str(p) for p in broken(path, old, new)]
    assert any(line.startswith(f"data/{path}:") and says in line for line in lines), lines
