"""What a name means, for models and cards; and that the published cases speak of things that we have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import published
from generator.catalog import Catalog
from generator.huggingface import Weights
from generator.names import CardMatch, Miss, ModelMatch, Names
from generator.problems import DataError
from tests.conftest import ROOT, Break


@pytest.fixture(scope="session")
def names(catalog: Catalog) -> Names:
    return catalog.names


def test_every_name_of_the_catalog_means_its_own(catalog: Catalog, names: Names) -> None:
    for slug, model in catalog.models.items():
        for name in (slug, model.name, model.hugging_face, *model.aliases):
            for spelling in (name, name.upper(), name.replace("-", " ")) if name else ():
                found = names.model(spelling)
                assert isinstance(found, ModelMatch) and found.model.slug == slug, (spelling, found)
    for slug, card in catalog.cards.items():
        for name in (slug, card.gpu.name, *card.gpu.aliases):
            for spelling in (name, name.upper(), f"NVIDIA {name}"):
                match = names.card(spelling)
                assert isinstance(match, CardMatch) and match.card.gpu.slug == slug, (spelling, match)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("LLaMA-2-7B", "llama-2-7b"), ("Qwen2.5 7B", "qwen2.5-7b"), ("LLAMA3.1_405B", "llama-3.1-405b"),
        ("LLAMA3_8B", "llama-3-8b"), ("qwen-1_8b-chat", "qwen-1.8b"), ("qwen1half-7b-chat", "qwen1.5-7b"),
        ("Llama 3.2:3b", "llama-3.2-3b"), ("GPT OSS 120B", "gpt-oss-120b"), ("DeepSeekV3", "deepseek-v3"),
        ("deepseek-ai/DeepSeek-V3-0324", "deepseek-v3"), ("deepseek-r1:14b", "deepseek-r1-distill-qwen-14b"),
        ("DeepSeek R1", "deepseek-r1"), ("NousResearch/Llama-2-70b-hf", "llama-2-70b"),
        ("mistralai/Mistral-7B-Instruct-v0.1", "mistral-7b-v0.1"), ("mistral-7b-instruct-v0.3", "mistral-7b-v0.3"),
        ("Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"), ("gemma 2 9b it", "gemma-2-9b"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "qwen3-30b-a3b"), ("Qwen3_30B_a3B (tokendrop)", "qwen3-30b-a3b"),
        ("Phi-3-mini-128k-instruct", "phi-3.5-mini"), ("chatglm3-6b-32k", "chatglm3-6b"), ("Llama-33B", "llama-30b"),
        ("BERT-large (SQuAD fine-tune)", "bert-large"), ("t5-base", "t5-base"), ("MPT-30b", "mpt-30b"),
        ("Nemotron_3_5_Lightning", "nemotron-3-nano-30b-a3b"), ("bigcode/gpt_bigcode-santacoder", "santacoder"),
    ],
)  # fmt: skip
def test_models(names: Names, name: str, slug: str) -> None:
    found = names.model(name)
    assert isinstance(found, ModelMatch), found
    assert (found.model.slug, found.weights) == (slug, None)


@pytest.mark.parametrize(
    ("name", "slug", "weights"),
    [
        ("TheBloke/Mistral-7B-v0.1-GPTQ", "mistral-7b-v0.1", Weights("gptq-int4")),
        ("Qwen2.5-72B-Instruct-GPTQ-Int8", "qwen2.5-72b", Weights("gptq-int8")),
        ("qwen/Qwen-14B-Chat-Int4", "qwen-14b", Weights("gptq-int4")),
        ("Llama-2-70B-chat-GPTQ-4bit-128g", "llama-2-70b", Weights("gptq-int4", group_size=128)),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "qwen2.5-7b", Weights("awq-int4")),
        ("unsloth/llama-3-8b-bnb-4bit", "llama-3-8b", Weights("nf4")),
        ("Llama 3 8B Q4_K_M", "llama-3-8b", Weights("q4_k_m")),
        ("Meta-Llama-3.1-8B-Instruct-Q8_0.gguf", "llama-3.1-8b", Weights("q8_0")),
        ("Qwen/Qwen3-14B-FP8", "qwen3-14b", Weights("fp8")),
        ("RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8-dynamic", "llama-3.1-70b", Weights("fp8")),
        ("FP16 llama2-7b", "llama-2-7b", Weights("fp16")),
        ("Llama-3-8b exl2 4.5 bpw", "llama-3-8b", Weights("exl2", bits=4.5)),
        ("llama2-7b-aqlm-2bit-1x16", "llama-2-7b", Weights("aqlm")),
        ("google/gemma-3-27b-it-qat-q4_0-gguf", "gemma-3-27b", Weights("q4_0")),
    ],
)
def test_stored_formats_come_from_the_name(names: Names, name: str, slug: str, weights: Weights) -> None:
    found = names.model(name)
    assert isinstance(found, ModelMatch), found
    assert (found.model.slug, found.weights) == (slug, weights)
    assert any(a.key == "weights" for a in found.assumptions)


def test_what_was_inferred_is_said(names: Names) -> None:
    found = names.model("TheBloke/Mixtral-8x7B-Instruct-v0.1-GPTQ")
    assert isinstance(found, ModelMatch)
    assert [str(a) for a in found.assumptions] == [
        "weights = gptq-int4 (from the name Mixtral-8x7B-Instruct-v0.1-GPTQ)",
        "model = mixtral-8x7b (the shape of Mixtral-8x7B-v0.1 for Mixtral-8x7B-Instruct-v0.1-GPTQ)",
    ]
    for exact in ("mixtral-8x7b", "mistralai/Mixtral-8x7B-v0.1", "MIXTRAL 8X7B"):
        assert names.model(exact) == ModelMatch(found.model)
    alias = names.model("Koala-13B")
    assert isinstance(alias, ModelMatch) and [a.key for a in alias.assumptions] == ["model"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Llama-3-9B", "unknown model (Llama-3-9B) (did you mean 'llama-3-8b'?)"),
        ("llama-27b", "(did you mean 'llama-2-7b'?)"), ("generic 7B", "unknown model (generic 7B)"), ("", "unknown"),
        ("GPT-2 124M variant (record 2025-01-16)", "unknown model"), ("Qwen-VL-Chat", "unknown model"),
        ("mistral-7b-v0.9", "unknown model"), ("Baichuan-13B-Base", "(did you mean 'baichuan2-13b'?)"),
        ("Llama-3-8B; rm", "unknown model"), ("../../etc/passwd", "unknown model"), ("x" * 201, "too long for a name"),
        ("DeepSeek-V2.5", "unknown model"), ("a\nb\u202e", "unknown model (a\\nb\\u202e)"),
    ],
)  # fmt: skip
def test_what_might_have_another_shape_is_a_miss(names: Names, name: str, says: str) -> None:
    found = names.model(name)
    assert isinstance(found, Miss), found
    assert says in str(found)


def test_a_config_is_accepted_where_a_name_is(names: Names, tmp_path: Path) -> None:
    file = tmp_path / "Config.JSON"
    file.write_text(json.dumps({
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2,
        "num_attention_heads": 4, "vocab_size": 100, "tie_word_embeddings": False,
        "quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 64},
    }))  # fmt: skip
    found = names.model(str(file))
    assert isinstance(found, ModelMatch)
    assert found.model.shape is not None and found.model.shape.layers == 2
    assert found.weights == Weights("awq-int4", group_size=64)
    with pytest.raises(DataError, match="cannot be found"):
        names.model(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("name", "slug", "noted"),
    [
        ("A100-80GB", "a100-sxm4-80gb", True), ("A100 SXM4 80GB", "a100-sxm4-80gb", False),
        ("A100", "a100-sxm4-80gb", True), ("A100-40G", "a100-sxm4-40gb", True),
        ("NVIDIA A100-PCIE-40GB", "a100-pcie-40gb", False), ("A100 (ALCF)", "a100-sxm4-40gb", False),
        ("H100-80GB-HBM3", "h100-sxm5-80gb", False), ("NVIDIA H100 80GB HBM3", "h100-sxm5-80gb", False),
        ("H100 PCIe", "h100-pcie-80gb", False), ("H100 (DGX-H100)", "h100-sxm5-80gb", False),
        ("H100 80GB PCIe Gen5", "h100-pcie-80gb", False), ("NVIDIA H100 NVL", "h100-nvl-94gb", False),
        ("H20", "h20-96gb", False), ("GH200", "gh200-96gb", False), ("NVIDIA GH200 480GB", "gh200-96gb", False),
        ("GB300 NVL72", "gb300-per-gpu", False), ("NVIDIA L40S", "l40s", False), ("A10G", "a10g", False),
        ("T4", "t4", False), ("Tesla V100-SXM2-16GB", "v100-sxm2-16gb", False), ("V100", "v100-sxm2-16gb", True),
        ("4090", "rtx-4090", False), ("RTX 4090", "rtx-4090", False), ("rtx-4080", "rtx-4080", False),
        ("GeForce RTX 3090", "rtx-3090", False), ("RTX3080Ti", "rtx-3080-ti", False),
        ("4070TiSuper", "rtx-4070-ti-super", False), ("RTX 4090D", "rtx-4090-d", False),
        ("RTX3060-12G", "rtx-3060-12gb", False), ("RTX 3060", "rtx-3060-12gb", True), ("RTX 2060", "rtx-2060", False),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", "rtx-3060-laptop", False), ("RTX 4090 Mobile", "rtx-4090-laptop", False),
        ("RTX 6000", "quadro-rtx-6000", False), ("6000 Ada", "rtx-6000-ada", False), ("A6000", "rtx-a6000", False),
        ("RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000-blackwell-server", False),
        ("RTX PRO 6000", "rtx-pro-6000-blackwell-ws", True), ("Titan Xp", "titan-xp", False),
        ("DGX Spark", "gb10-dgx-spark", False), ("Jetson AGX Orin", "jetson-agx-orin-64gb", True),
        ("H20, cuda12.9", "h20-96gb", True), ("Dell H100 80GB SXM5", "h100-sxm5-80gb", True),
    ],
)  # fmt: skip
def test_cards(names: Names, name: str, slug: str, noted: bool) -> None:
    found = names.card(name)
    assert isinstance(found, CardMatch), found
    assert (found.card.gpu.slug, bool(found.assumptions), found.count) == (slug, noted, None)


def test_the_choice_is_said(names: Names) -> None:
    found = names.card("A100-80GB")
    assert isinstance(found, CardMatch)
    assert [str(a) for a in found.assumptions] == ["gpu = a100-sxm4-80gb (A100-80GB may also be A100 PCIe 80GB)"]


@pytest.mark.parametrize(
    ("name", "count"),
    [("2x RTX 3090", 2), ("8xRTX 3090", 8), ("RTX 3090 x4", 4), ("RTX 3090 (x2)", 2), ("Dell 2× 3090", 2)],
)  # fmt: skip
def test_counts(names: Names, name: str, count: int) -> None:
    found = names.card(name)
    assert isinstance(found, CardMatch)
    assert (found.card.gpu.slug, found.count) == ("rtx-3090", count)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("RTX 4090 48GB", "unknown card (RTX 4090 48GB): GeForce RTX 4090 has 24 GB"),
        ("RTX 2080 Ti 22GB", "GeForce RTX 2080 Ti has 11 GB"),
        ("RTX 4090 + RTX 3090 Ti", "names several cards"), ("V100, A10, 3090", "names several cards"),
        ("RTX3090/4090", "names several cards"), ("RTX 9090", "(did you mean 'rtx-5090'?)"), ("MI300X", "unknown card"),
        ("", "unknown card ()"), ("geforce", "unknown card"), ("80GB", "unknown card"), ("RTX A400", "unknown card"),
        ("GeForce RTX 3050 Laptop GPU", "unknown card"), ("x" * 201, "too long for a name"),
    ],
)  # fmt: skip
def test_cards_that_are_not_there(names: Names, name: str, says: str) -> None:
    found = names.card(name)
    assert isinstance(found, Miss), found
    assert says in str(found)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60).filter(lambda text: not text.lower().endswith(".json")))
def test_any_text_is_answered(catalog: Catalog, text: str) -> None:
    for found in (catalog.names.model(text), catalog.names.card(text)):
        assert str(found).isprintable() if isinstance(found, Miss) else found.assumptions is not None


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("models/qwen2.5-7b.yaml", "name: Qwen2.5-7B", "name: Qwen2.5-14B", "'Qwen2.5-14B' also means qwen2.5-14b"),
        ("models/llama-30b.yaml", "Llama-33B", "llama 13B", "'llama 13B' also means llama-13b"),
        ("gpus/rtx-4060.yaml", "market:", "aliases: [GeForce RTX 3090]\nmarket:", "'GeForce RTX 3090' also means"),
    ],
)
def test_no_two_share_a_name(broken: Break, path: str, old: str, new: str, says: str) -> None:
    lines = [str(p) for p in broken(path, old, new)]
    assert any(says in line and "aliases" in line for line in lines), lines


@pytest.mark.parametrize(("kind", "least"), [("memory", 0.98), ("train", 0.98), ("inference", 0.98)])
def test_the_published_cases_are_known(names: Names, kind: str, least: float) -> None:
    """Of the rows that accuracy is scored on: model and card are found, where the row names a card."""
    rows = [row for row in published.load(ROOT, kinds=(kind,)).rows(kind) if row["trust"] in ("A", "B")]
    known = [
        isinstance(names.model(row["model"]), ModelMatch)
        and (not row["gpu"] or isinstance(names.card(row["gpu"]), CardMatch))
        for row in rows
    ]
    assert len(known) > 800
    assert sum(known) / len(known) >= least
