"""Every rule can be made red, says where and why, and an exception is only good when needed."""

from __future__ import annotations

import pytest

from generator.catalog import check
from generator.rules import CARD_RULES
from tests.conftest import TODAY, Break

# rule -> file under data/, text to replace, replacement, what the problem must say
RED: dict[str, tuple[str, str, str, str]] = {
    "references": ("gpus/rtx-3090.yaml", "series: geforce-30", "series: geforce-3",
                   "series: unknown (geforce-3) (did you mean 'geforce-30'?); expected a file of data/series/"),
    "sources_given": ("gpus/rtx-3090.yaml", "sources: [TPU]", "sources: []",
                      "memory.sources: no source for the values of this group"),
    "cores": ("gpus/rtx-3090.yaml", "cuda_cores: 10496", "cuda_cores: 10495",
              "compute.cuda_cores: does not follow from the SMs (10495); expected 82 SM × 128 = 10496"),
    "bandwidth": ("gpus/rtx-3090.yaml", "bandwidth_gb_s: 936", "bandwidth_gb_s: 963",
                  "memory.bandwidth_gb_s: does not follow from bus and speed (963; off by 2.9 %); "
                  "expected 384 bit × 19.5 Gbit/s ÷ 8 = 936 GB/s within 1 %"),
    "derived_follow": ("gpus/rtx-3090.yaml", "derived: [speed_gbps]", "derived: [speed]",
                       "memory.derived[0]: no such key in memory (speed)"),
    "published_rate": ("gpus/rtx-3090.yaml", "tensor_bf16_fp32acc_tflops: {value: 71,",
                       "tensor_bf16_fp32acc_tflops: {value: 142,",
                       "rates.published.tensor_bf16_fp32acc_tflops: published 142 but derived 71.16"),
    "supported_formats": ("gpus/rtx-3090.yaml", "    fp32_tflops: {value: 35.6, source: GA102_WP}",
                          "    fp32_tflops: {value: 35.6, source: GA102_WP}\n"
                          "    tensor_fp4_tflops: {value: 1, source: TPU}",
                          "rates.published.tensor_fp4_tflops: FP4 is unsupported on ampere_geforce"),
    "not_in_the_future": ("gpus/rtx-3090.yaml", "launch_date: 2020-09-24", "launch_date: 2126-09-24",
                          "identity.launch_date: in the future (2126-09-24); expected 2026-11-23 or earlier"),
    "per_package": ("gpus/b200-sxm-180gb.yaml", "memory_gib: 180", "memory_gib: 90",
                    "memory.memory_gib: looks like one die of 2 (90)"),
    "laptop_is_a_laptop": ("gpus/rtx-4060-laptop.yaml", "market: laptop", "market: geforce",
                           "market: laptop or not? (market: not laptop, identity.form_factor: laptop, name: laptop)"),
    "laptop_has_own_numbers": ("gpus/rtx-4060-laptop.yaml", "boost_clock_mhz: 1890", "boost_clock_mhz: 2460",
                               "same as the desktop card rtx-4060"),
    "memory_in_name": ("gpus/b200-sxm-180gb.yaml", "name: B200 SXM 180GB", "name: B200 SXM 192GB",
                       "memory.memory_gib: differs from the name (180); expected 192 as in 'B200 SXM 192GB'"),
    "memory_bus": ("gpus/rtx-3090.yaml", "memory_type: GDDR6X", "memory_type: HBM2",
                   "memory.bus_width_bits: HBM2 on 384 bit; expected 1024 bit or more"),
    "ranges_hold": ("gpus/rtx-4060-laptop.yaml", "power_range_w: [35, 115]", "power_range_w: [35, 105]",
                    "power.tdp_w: outside its range (115 in [35, 105])"),
    "series_market": ("gpus/rtx-3090.yaml", "series: geforce-30", "series: laptop-30",
                      "series: 'laptop-30' is a laptop series (geforce card); expected a series of group geforce"),
    "unique_name": ("gpus/rtx-4060.yaml", "name: GeForce RTX 4060", "name: RTX GeForce 3090",
                    "name: the same name as rtx-3090"),
}  # fmt: skip


def test_every_rule_is_listed() -> None:
    # unique_hardware needs a second file and has a test of its own below.
    assert {*RED, "unique_hardware"} == {rule.id for rule in CARD_RULES}


def test_the_sample_is_clean(small) -> None:
    assert [str(p) for p in check(small, TODAY)[1]] == []


@pytest.mark.parametrize("rule", RED)
def test_rule_is_red(rule: str, broken: Break) -> None:
    path, old, new, says = RED[rule]
    lines = [str(p) for p in broken(path, old, new)]
    assert any(says in line for line in lines), lines
    assert all(line.startswith("data/") for line in lines)
    assert all(line.split(":")[1].isdigit() for line in lines)


def test_two_cards_with_the_same_hardware(small) -> None:
    text = (small / "data/gpus/rtx-3090.yaml").read_text(encoding="utf-8")
    copy = text.replace("slug: rtx-3090", "slug: rtx-3090-copy").replace("GeForce RTX 3090", "GeForce RTX 3091")
    (small / "data/gpus/rtx-3090-copy.yaml").write_text(copy, encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert len(lines) == 1
    assert lines[0].startswith("data/gpus/rtx-3090-copy.yaml:1: slug: every number equals those of rtx-3090;")


EXCUSE = "\nexceptions:\n  {rule}:\n    en: It is so.\n    zh: 就是这样。\n"


def test_an_exception_excuses_its_rule_only(small, broken: Break) -> None:
    path = small / "data/gpus/rtx-3090.yaml"
    path.write_text(path.read_text(encoding="utf-8") + EXCUSE.format(rule="bandwidth"), encoding="utf-8")
    assert [str(p) for p in broken("gpus/rtx-3090.yaml", "bandwidth_gb_s: 936", "bandwidth_gb_s: 990")] == [
        f"data/gpus/rtx-3090.yaml:{line}: memory.speed_gbps: is not what it is derived from (19.5); "
        "expected 990 GB/s × 8 ÷ 384 bit = 20.62"
        for line in [_line(path, "  speed_gbps:")]
    ]


def test_a_needless_exception_is_a_problem(small) -> None:
    path = small / "data/gpus/rtx-3090.yaml"
    path.write_text(path.read_text(encoding="utf-8") + EXCUSE.format(rule="bandwidth"), encoding="utf-8")
    assert [str(p) for p in check(small, TODAY)[1]] == [
        f"data/gpus/rtx-3090.yaml:{_line(path, '  bandwidth:')}: exceptions.bandwidth: "
        "needless exception: the rule holds; expected no entry"
    ]


@pytest.mark.parametrize("rule", ["bandwith", "references"])
def test_an_exception_to_no_excusable_rule_is_a_problem(small, rule: str) -> None:
    path = small / "data/gpus/rtx-3090.yaml"
    path.write_text(path.read_text(encoding="utf-8") + EXCUSE.format(rule=rule), encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert len(lines) == 1
    assert f"exceptions.{rule}: no such rule" in lines[0]


def _line(path, start: str) -> int:
    return next(i for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("architectures/ampere_geforce.yaml", "fp32_accumulate: half", "fp32_accumulate: full",
         "fp32_accumulate: the rates say otherwise (full); expected half"),
        ("architectures/ampere_geforce.yaml", "  fp8: unsupported", "  fp8: native", ""),
        ("architectures/ampere_geforce.yaml", "  bf16: native", "  bf16: unsupported",
         "fma_per_clock_per_sm.tensor_bf16_fp32acc: a rate for a format that is unsupported"),
        ("architectures/ampere_geforce.yaml", "  tensor_cores: 4", "  tensor_cores: 0",
         "sm.tensor_cores: 0, but Tensor rates are given"),
        ("architectures/turing_gtx16.yaml", "tensor_core_generation: null", "tensor_core_generation: 2",
         "sm.tensor_core_generation: does not fit the number of Tensor Cores"),
        ("architectures/ampere_geforce.yaml", "sources: [GA102_WP]", "sources: [GA102]",
         "unknown source (GA102) (did you mean 'GA102_"),
        ("sources.yaml", "accessed: 2026-11-23", "accessed: 2027-11-23", "accessed: in the future (2027-11-23)"),
        ("glossary.yaml", "see: [", "see: [no-such-term, ", "unknown term (no-such-term)"),
        ("software/pytorch.yaml", 'min: "6.0", max: "6.1"', 'min: "6.1", max: "6.0"', "runs backwards (6.1 … 6.0)"),
    ],
)  # fmt: skip
def test_other_files(broken: Break, path: str, old: str, new: str, says: str) -> None:
    lines = [str(p) for p in broken(path, old, new)]
    if not says:
        assert lines == []
    else:
        assert any(line.startswith(f"data/{path}:") and says in line for line in lines), lines


GOOD_PRICE = "rtx-3090,RTX 3090,used,,CNY,5000,6000,2026-01,stated,Shop,,,TPU,high,,,"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (GOOD_PRICE, ""),
        (GOOD_PRICE.replace("rtx-3090", "rtx-309"), "gpu: unknown card (rtx-309) (did you mean 'rtx-3090'?)"),
        (GOOD_PRICE.replace(",TPU,", ",TPUX,"), "source: unknown source (TPUX)"),
        (GOOD_PRICE.replace("5000", "7000"), "price_low: above price_high (7000)"),
        (GOOD_PRICE.replace("5000", "-5000"), "price_low: out of range (-5000.0); expected more than 0"),
        (GOOD_PRICE.replace("5000", "cheap"), "price_low: wrong type (cheap); expected a number"),
        (GOOD_PRICE.replace("2026-01", "2026-13"), "date: no such day, or in the future (2026-13)"),
        (GOOD_PRICE.replace("2026-01", "2027-01"), "date: no such day, or in the future (2027-01)"),
        (GOOD_PRICE.replace("2026-01", ""), "date_basis: does not fit the date (stated)"),
        (GOOD_PRICE.replace("used,,", "used,spot,"), "tier: does not fit the kind (used)"),
        (GOOD_PRICE + "x", "note_en: the note is there in one language"),
        (GOOD_PRICE.replace("Shop", "=HYPERLINK(1)"), "provider: would run as a formula"),
        (GOOD_PRICE + "\n" + GOOD_PRICE, "the same row as line 2"),
        ("a,b", "wrong number of cells"),
        (GOOD_PRICE + ",,,", "wrong number of cells"),
    ],
)
def test_prices(small, row: str, says: str) -> None:
    path = small / "data/prices/purchase.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    if not says:
        assert lines == []
    else:
        assert any(says in line and line.startswith("data/prices/purchase.csv:") for line in lines), lines


def test_a_missing_column_is_one_line(small) -> None:
    path = small / "data/prices/rental.csv"
    path.write_text("gpu,price\nrtx-3090,1\n", encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert len(lines) == 1
    assert lines[0].startswith("data/prices/rental.csv:1: wrong columns (gpu,price); expected gpu,listed_as,")


def test_exchange_rates(small) -> None:
    path = small / "data/prices/fx.csv"
    path.write_text("date,cny_per_usd,source\n2026-01,7,TPU\n2026-01,7.1,TPU\n2027-01,7,NOPE\n", encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert [line.split(": ", 1)[1].split(";")[0] for line in lines] == [
        "date: given twice (2026-01)", "date: in the future (2027-01)", "source: unknown source (NOPE)",
    ]  # fmt: skip


def test_lists_are_sorted_and_without_doubles(small) -> None:
    path = small / "data/glossary.yaml"
    text = path.read_text(encoding="utf-8")
    first = text[: text.index("\n- id: ", 5) + 1]
    entry = first[first.index("- id: ") :]
    path.write_text(text.rstrip("\n") + "\n" + entry, encoding="utf-8")
    assert any(": used twice (" in str(p) for p in check(small, TODAY)[1])
    path.write_text(text.replace("- id: ", "- id: zz-", 1), encoding="utf-8")
    assert any(": out of order (" in str(p) for p in check(small, TODAY)[1])


def test_all_problems_are_reported_at_once(small) -> None:
    for slug, old, new in (
        ("rtx-3090", "cuda_cores: 10496", "cuda_cores: 1"),
        ("rtx-4060", "tdp_w: 115", "tdp: 115"),
        ("h100-sxm5-80gb", "market: datacenter", "market: datacentre"),
    ):
        path = small / f"data/gpus/{slug}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert {line.split(":")[0] for line in lines} == {
        "data/gpus/rtx-3090.yaml", "data/gpus/rtx-4060.yaml", "data/gpus/h100-sxm5-80gb.yaml",
    }  # fmt: skip
    assert any("power.tdp: unknown key (did you mean 'tdp_w'?)" in line for line in lines)
    assert any("power.tdp_w: missing" in line for line in lines)
    assert any("market: unknown value (datacentre) (did you mean 'datacenter'?)" in line for line in lines)


def test_stray_and_misnamed_files(small) -> None:
    (small / "data/gpus/notes.txt").write_text("x")
    (small / "data/gpus/rtx-3090.yaml").rename(small / "data/gpus/rtx-3091.yaml")
    lines = [str(p) for p in check(small, TODAY)[1]]
    assert "data/gpus/notes.txt: does not belong here; expected files named <slug>.yaml" in lines
    assert "data/gpus/rtx-3091.yaml:1: slug: differs from the file name (rtx-3090); expected 'rtx-3091'" in lines
