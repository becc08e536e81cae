"""The repository's own facts: complete, consistent, and derived as a person would by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from generator import units
from generator.catalog import Catalog, check
from generator.facts import Proof, State
from generator.rates import training_rate
from generator.schema.rates import RATES
from tests.conftest import ROOT, TODAY


def test_the_repository_is_valid_today() -> None:
    assert [str(p) for p in check(ROOT)[1]] == []


def test_every_card_is_there(catalog: Catalog) -> None:
    assert len(catalog.cards) == 168
    assert len(list((ROOT / "data" / "gpus").glob("*.yaml"))) == 168


def test_every_architecture_and_series_is_used(catalog: Catalog) -> None:
    assert {c.gpu.architecture for c in catalog.cards.values()} == set(catalog.architectures)
    assert {c.gpu.series for c in catalog.cards.values()} == set(catalog.series)


@pytest.mark.parametrize(
    ("slug", "rate", "by_hand"),
    [
        ("rtx-3090", "fp32", 82 * 1695e6 * 128 * 2 / 1e12),
        ("rtx-3060-12gb", "tensor_bf16_fp32acc", 28 * 1777e6 * 256 * 2 / 1e12),
        ("rtx-5070-ti", "tensor_fp4", 70 * 2452e6 * 2048 * 2 / 1e12),
        ("gtx-1080-ti", "fp16", 28 * 1582e6 * 2 * 2 / 1e12),
    ],
)
def test_rates_by_hand(catalog: Catalog, slug: str, rate: str, by_hand: float) -> None:
    assert catalog.cards[slug].rates[rate].number == pytest.approx(by_hand, rel=0.01)


def test_h100_uses_its_tensor_clock(catalog: Catalog) -> None:
    """1830 MHz, not the 1980 MHz of the CUDA cores: 989, not 1071."""
    from generator.rates import derived_rate
    from generator.schema.rates import RATE_BY_KEY

    card = catalog.cards["h100-sxm5-80gb"]
    value = derived_rate(card.gpu, card.architecture, RATE_BY_KEY["tensor_bf16_fp32acc"])
    assert value.number == pytest.approx(989.4, rel=0.001)
    assert value.formula == "132 SM × 1830 MHz × 2048 FMA × 2"


def test_geforce_trains_at_half_rate_and_professional_cards_do_not(catalog: Catalog) -> None:
    for slug, factor in (("rtx-3090", 2), ("rtx-4090", 2), ("rtx-5090", 2), ("rtx-a6000", 1), ("l40s", 1), ("t4", 1)):
        rates = catalog.cards[slug].rates
        fp16acc, fp32acc = rates["tensor_fp16_fp16acc"].number, rates["tensor_fp16_fp32acc"].number
        assert fp16acc and fp32acc
        assert fp16acc / fp32acc == pytest.approx(factor, rel=0.02), slug


@pytest.mark.parametrize(
    ("slug", "rate", "state"),
    [
        ("gtx-1080-ti", "tensor_fp16_fp32acc", State.NONE),
        ("gtx-1080-ti", "tensor_bf16_fp32acc", State.EMULATED),
        ("rtx-2080-ti", "tensor_bf16_fp32acc", State.EMULATED),
        ("rtx-3090", "tensor_fp8_fp32acc", State.UNSUPPORTED),
        ("rtx-4090", "tensor_fp4", State.UNSUPPORTED),
        ("a100-sxm4-80gb", "tensor_fp8_fp32acc", State.UNSUPPORTED),
        ("rtx-pro-6000-blackwell-server", "tensor_bf16_fp32acc", State.UNKNOWN),
        ("rtx-6000d", "tensor_bf16_fp32acc", State.UNKNOWN),
        ("h20-96gb", "tensor_fp16_fp16acc", State.UNKNOWN),
        ("h800-pcie-80gb", "fp64", State.UNKNOWN),
        # An empty cell is not a missing unit.
        ("a10g", "tensor_int8", State.UNKNOWN),
        ("b200-sxm-180gb", "tensor_fp64", State.UNKNOWN),
        ("rtx-3090", "dp4a_int8", State.UNKNOWN),
        ("rtx-3090", "tensor_fp64", State.NONE),
        ("v100-sxm2-16gb", "tensor_int8", State.NONE),
        ("gtx-1660", "tensor_int8", State.NONE),
    ],
)
def test_why_there_is_no_number(catalog: Catalog, slug: str, rate: str, state: State) -> None:
    fact = catalog.cards[slug].rates[rate]
    assert (fact.value, fact.state) == (None, state)


def test_every_known_rate_says_how_it_is_known(catalog: Catalog) -> None:
    for card in catalog.cards.values():
        for kind in RATES:
            fact = card.rates[kind.key]
            if fact.state is State.KNOWN:
                assert fact.sources, (card.gpu.slug, kind.key)
                assert set(fact.sources) <= set(catalog.sources)
                assert (fact.proof is Proof.DERIVED) == (fact.formula is not None)


def test_training_rate_names_its_format(catalog: Catalog) -> None:
    says = {
        slug: training_rate(dict(catalog.cards[slug].rates))[0]
        for slug in ("gtx-1080-ti", "gtx-1660", "v100-sxm2-16gb", "rtx-2080-ti", "rtx-3090", "b300-sxm-288gb")
    }
    assert says == {
        "gtx-1080-ti": "fp32",
        "gtx-1660": "fp32",
        "v100-sxm2-16gb": "tensor_fp16_fp32acc",
        "rtx-2080-ti": "tensor_fp16_fp32acc",
        "rtx-3090": "tensor_bf16_fp32acc",
        "b300-sxm-288gb": "tensor_bf16_fp32acc",
    }


def test_derived_values_have_a_formula_where_one_exists(catalog: Catalog) -> None:
    card = catalog.cards["rtx-3090"]
    result = units.DERIVATIONS[("memory", "speed_gbps")](card.gpu, card.architecture)
    assert result == (19.5, "936 GB/s × 8 ÷ 384 bit")


def test_prices_belong_to_their_cards(catalog: Catalog) -> None:
    with (ROOT / "data/prices/rental.csv").open(encoding="utf-8", newline="") as stream:
        expected = sum(row["gpu"] == "rtx-4090" for row in csv.DictReader(stream))
    assert expected > 0
    assert sum(p.kind == "rental" for p in catalog.cards["rtx-4090"].prices) == expected


def test_a_folder_without_data_is_reported(tmp_path: Path) -> None:
    lines = [str(p) for p in check(tmp_path, TODAY)[1]]
    assert "data/gpus: is missing; expected a folder" in lines
    assert "data/sources.yaml: cannot be found; expected a YAML file" in lines
