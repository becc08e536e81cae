"""What people do: files that fit their models, in both languages."""

from __future__ import annotations

import re

import pytest

from generator.catalog import Catalog
from tests.conftest import Break


def test_what_people_do_is_there(catalog: Catalog) -> None:
    assert {
        "chat-8b", "chat-70b", "chat-long", "coding-agent", "rag-32k", "serve-7b", "batch-32b", "qlora-7b", "lora-7b",
        "qlora-70b", "dpo-8b", "full-7b", "continued-8b", "pretrain-1b", "gpt2-124m", "bert-classify", "recommender",
        "resnet50-imagenet", "cifar-cnn", "vit-finetune", "detector", "gan", "sd-lora", "flux-images",
    } == set(catalog.workloads)  # fmt: skip


def test_each_group_has_an_order(catalog: Catalog) -> None:
    places = [(w.group, w.order) for w in catalog.workloads.values()]
    assert len(set(places)) == len(places)


def test_texts_are_in_their_language(catalog: Catalog) -> None:
    for w in catalog.workloads.values():
        assert re.search(r"[\u4e00-\u9fff]", w.title.zh) and re.search(r"[\u4e00-\u9fff]", w.summary.zh), w.slug
        assert not re.search(r"[\u3000-\u9fff]", w.title.en + w.summary.en), w.slug
        assert w.summary.en.endswith(".") and w.summary.zh.endswith("。"), w.slug


def test_figures_are_choices_or_sourced(catalog: Catalog) -> None:
    for w in catalog.workloads.values():
        assert w.amount is None or (w.amount.basis == "source") == bool(w.amount.sources), w.slug


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("lora-7b", "model: qwen2.5-7b", "model: qwen2.5-7", "model: unknown (qwen2.5-7) (did you mean 'qwen2.5-7b'?)"),
        ("gpt2-124m", "sequence: 1024", "sequence: 2048", "sequence: longer than gpt2 takes (2048); expected 1024"),
        ("chat-long", "prompt: 98304", "prompt: 131072", "prompt: longer than llama-3.1-8b takes (132096)"),
        ("lora-7b", "method: lora", "method: null", "method: does not fit task train; expected a value"),
        ("chat-8b", "method: null", "method: lora", "method: does not fit task run; expected null"),
        ("chat-8b", "prompt: 1024", "prompt: null", "prompt: does not fit task run; expected a value"),
        ("lora-7b", "answer: null", "answer: 5", "answer: does not fit task train; expected null"),
        ("lora-7b", "basis: choice", "basis: source", "amount.sources: does not fit basis source"),
        ("lora-7b", "sources: []", "sources: [NOPE]", "amount.sources[0]: unknown source (NOPE)"),
        ("lora-7b", "slug: lora-7b", "slug: lora-8b", "slug: differs from the file name (lora-8b)"),
        ("lora-7b", "batch: 2", "batch: 0", "batch: out of range (0)"),
        ("lora-7b", "stresses: [memory, compute]", "stresses: [noise]", "unknown value (noise)"),
    ],
)
def test_rules(broken: Break, path: str, old: str, new: str, says: str) -> None:
    lines = [str(p) for p in broken(f"workloads/{path}.yaml", old, new)]
    assert any(line.startswith(f"data/workloads/{path}.yaml:") and says in line for line in lines), lines
