"""Numbers as people read them, ranks, namesakes, prices and software answers."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import i18n
from generator import pricing as prices
from generator.catalog import Catalog
from generator.facts import State
from generator.schema import PriceRow
from generator.views import columns, labels, software, strip
from generator.views.ranking import Rankings
from generator.views.variants import Variants, product_name, spellings
from tests.conftest import TODAY


@pytest.mark.parametrize(
    ("value", "text"),
    [(71, "71"), (35.6, "35.6"), (1008, "1,008"), (165.2, "165"), (0.0291, "0.0291"), (9.999, "10"),
     (None, "—"), (0, "0"), (20250, "20,250")],
)  # fmt: skip
def test_number(value: float | None, text: str) -> None:
    assert i18n.number(value) == text


@given(st.floats(1e-6, 1e9))
def test_number_keeps_three_digits(value: float) -> None:
    assert float(i18n.number(value).replace(",", "")) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (dt.date(2020, 9, 24), "September 24, 2020", "2020 年 9 月 24 日"),
        ("2026-10", "October 2026", "2026 年 10 月"),
        ("2026", "2026", "2026 年"),
        (None, "—", "—"),
    ],
)
def test_dates(value: dt.date | str | None, en: str, zh: str) -> None:
    assert i18n.language("en").date(value) == en
    assert i18n.language("zh").date(value) == zh


def test_column_ids_are_unique_and_defaults_are_few() -> None:
    ids = [c.id for c in columns.COLUMNS]
    assert len(ids) == len(set(ids))
    assert 6 <= sum(c.default for c in columns.COLUMNS) <= 8


def test_every_column_answers_for_every_card(catalog: Catalog) -> None:
    for card in catalog.cards.values():
        for column in columns.COLUMNS:
            fact = column.get(card)
            assert (fact.value is None) == (fact.state is not State.KNOWN) or fact.state is State.NONE
            if column.kind == "number" and fact.state is State.KNOWN:
                assert fact.number is not None, (card.gpu.slug, column.id)


def test_ratios_are_derived_with_their_formula(catalog: Catalog) -> None:
    fact = columns.COLUMN_BY_ID["bandwidth_per_watt"].get(catalog.cards["rtx-3090"])
    assert fact.value == pytest.approx(936 / 350)
    assert fact.formula == "936 GB/s ÷ 350 W"


def test_ranks(catalog: Catalog) -> None:
    rankings = Rankings(catalog.cards.values())
    by_column = {s.column.id: s for s in rankings.of(catalog.cards["b300-sxm-288gb"])}
    assert by_column["memory"].rank == 1
    assert by_column["memory"].me == pytest.approx(1)
    for card in catalog.cards.values():
        for standing in rankings.of(card):
            assert 1 <= standing.rank <= standing.total <= 168
            assert -1e-9 <= standing.me <= 1 + 1e-9
            ticks, x = strip.strip_paths(standing)
            assert ticks.startswith("M8 ")
            assert strip.PAD <= x <= strip.WIDTH - strip.PAD


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("GeForce RTX 3060 Laptop 6GB", "geforce rtx 3060"),
        ("GeForce RTX 3060 12GB", "geforce rtx 3060"),
        ("GeForce RTX 3060 Ti GDDR6X", "geforce rtx 3060 ti"),
        ("GeForce RTX 4070 SUPER", "geforce rtx 4070 super"),
        ("GeForce RTX 5090 D v2", "geforce rtx 5090"),
        ("H100 SXM5 80GB", "h100"),
    ],
)
def test_product_names(name: str, product: str) -> None:
    assert product_name(name) == product


def test_variants_of_the_3060(catalog: Catalog) -> None:
    found = Variants(catalog.cards.values()).of(catalog.cards["rtx-3060-12gb"])
    assert [c.gpu.slug for c in found] == ["rtx-3060-laptop", "rtx-3060-8gb"]


def test_every_laptop_with_a_desktop_namesake_is_told_apart(catalog: Catalog) -> None:
    variants = Variants(catalog.cards.values())
    for card in catalog.cards.values():
        if card.gpu.market == "laptop" and card.gpu.slug != "rtx-4050-laptop":
            assert any(c.gpu.market == "geforce" for c in variants.of(card)), card.gpu.slug


def test_spellings() -> None:
    assert spellings("GeForce RTX 4090") == ["RTX 4090", "RTX4090", "4090"]
    assert "RTX3060" in spellings("GeForce RTX 3060 12GB")


def _price(date: str | None, low: float = 10, high: float = 10, **more: object) -> PriceRow:
    row = {
        "gpu": "rtx-3090", "listed_as": "x", "kind": "used", "tier": None, "currency": "CNY", "price_low": low,
        "price_high": high, "date": date, "date_basis": "stated" if date else "undated", "provider": "x",
        "gpus_per_instance": None, "instance": None, "source": "TPU", "confidence": "high", "url": None,
        "note_en": None, "note_zh": None,
    }  # fmt: skip
    return PriceRow.model_validate({**row, **more})


def test_the_newest_snapshot_is_summed_up() -> None:
    rows = [_price("2026-01", 100.0, 100.0), _price("2026-11", 50.0, 70.0), _price("2026-11", 40.0, 40.0), _price(None)]
    summary = prices.summarise("used", rows, TODAY)
    assert summary is not None
    assert (summary.low, summary.median, summary.high, summary.count) == (40, 50, 70, 2)
    assert (summary.months, summary.old) == (0, False)


@pytest.mark.parametrize(
    ("date", "months", "old"),
    [("2026-11-20", 0, False), ("2026-05-24", 5, False), ("2026-05-01", 6, True), ("2025-11", 12, True),
     ("2026", None, False), ("2025", None, True), (None, None, True)],
)  # fmt: skip
def test_age(date: str | None, months: int | None, old: bool) -> None:
    assert prices.month_age(date, TODAY) == months
    assert prices.is_old(date, TODAY) is old


def test_exchange_rate_is_the_newest_month(catalog: Catalog) -> None:
    found = prices.yuan_per_dollar(catalog)
    assert found is not None
    assert found[1] == max(rate.date for rate in catalog.fx if len(rate.date) == 7)


# Worked out by hand from the facts, apart from the code: S supported, L with limits, X ended,
# E emulated, - not supported, ? not known.
EXPECTED = """
                     6.0 6.1 7.0 7.5 8.0 8.6 8.7 8.9 9.0 10.0 10.3 11.0 12.0 12.1
last_driver_branch     L   L   L   S   S   S   ?   S   S    S    S    ?    S    S
last_pytorch_release   X   X   X   S   S   S   ?   S   S    S    S    S    S    S
last_cuda_toolkit      X   X   X   S   S   S   S   S   S    S    S    S    S    S
bf16                   E   E   E   E   S   S   S   S   S    S    S    S    S    S
fp8                    -   -   -   -   -   -   -   S   S    S    S    S    S    S
fp4                    -   -   -   -   -   -   -   -   -    S    S    S    S    S
flash_attention_2      -   -   -   -   S   S   ?   S   S    S    S    ?    S    S
torch_compile          -   -   L   L   S   S   ?   S   S    S    S    ?    S    S
bitsandbytes_nf4       S   S   S   S   S   S   ?   S   S    S    S    ?    S    S
vllm                   -   -   X   L   S   S   ?   S   S    S    S    ?    S    S
sglang                 -   -   -   L   S   S   ?   S   S    S    S    ?    S    ?
tensorrt_llm           ?   ?   X   L   S   S   ?   S   S    S    S    ?    ?    S
llama_cpp              S   S   S   S   S   S   S   S   S    S    S    S    S    S
exllamav3              ?   ?   ?   ?   S   S   ?   S   S    S    S    ?    S    ?
"""
LETTERS = {"supported": "S", "limited": "L", "end_of_life": "X", "emulated": "E", "unsupported": "-", None: "?"}


def test_software_answers(catalog: Catalog) -> None:
    header, *rows = EXPECTED.strip().splitlines()
    for i, capability in enumerate(header.split()):
        answers = {a.key: LETTERS[a.status] for a in software.answers(catalog, capability)}
        expected = {row.split()[0]: row.split()[i + 1] for row in rows}
        assert {key: answers[key] for key in expected} == expected, capability


def test_every_question_is_answered_by_a_fact(catalog: Catalog) -> None:
    asked = {key for s in catalog.software.values() for f in s.facts for key in f.answers}
    assert {key for key, _ in software.QUESTIONS} <= asked


def test_every_code_has_a_word(catalog: Catalog) -> None:
    used = {("market", c.gpu.market) for c in catalog.cards.values()}
    used |= {("form_factor", c.gpu.identity.form_factor) for c in catalog.cards.values()}
    used |= {("topic", n.topic) for c in catalog.cards.values() for n in c.gpu.notes}
    used |= {("status", f.status) for s in catalog.software.values() for f in s.facts}
    used |= {("source_kind", s.kind) for s in catalog.sources.values()}
    used |= {("group", s.group) for s in catalog.series.values()}
    used |= {("tier", p.tier) for p in catalog.prices if p.tier}
    used |= {("glossary_topic", t.topic) for t in catalog.glossary}
    missing = [(table, code) for table, code in used if code not in labels.EVERY_LABEL[table]]
    assert missing == []
