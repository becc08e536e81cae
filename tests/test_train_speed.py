"""Speed of training: arithmetic by hand, laws that must hold, what rows of published cases mean, how it was fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from generator import calibration, numbers, parameters, published, scoring
from generator.calibration import Calibration
from generator.cases import train_speed as cases
from generator.catalog import Catalog
from generator.estimators import CannotEstimate, train_speed
from generator.formulas import book, lowered
from generator.question import Question, QuestionError, Training, ask
from tests.conftest import ROOT

TERMS = [f.gives for f in book.program(train_speed.PROGRAM).formulas if f.term]


@pytest.fixture(scope="session")
def fitted() -> Calibration:
    return calibration.load("train-speed")


@pytest.fixture(scope="session")
def rows() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in published.rows(ROOT, "train")}


def question(
    catalog: Catalog, card: str = "a100-sxm4-80gb", gpus: int = 1, model: str = "llama-2-7b", **given: Any
) -> Question:
    """A question about a model on a card; full training unless it says otherwise."""
    work = {"method": "full", "stack": "megatron", **given}
    if gpus > 1:
        work.setdefault("sharding", "fsdp")
    return ask(Training, work, model=catalog.models[model], card=catalog.cards[card], gpus=gpus)


def compute(inputs: Mapping[str, float], **changed: float) -> dict[str, float]:
    """All results of the program for inputs of which some are changed."""
    with np.errstate(all="ignore"):
        results = lowered.train_speed({k: np.float64(v) for k, v in {**inputs, **changed}.items()})
    return {name: float(value) for name, value in results.items()}


# --- by hand ----------------------------------------------------------------------------------------------------------

# Llama 2 7B: four attention matrices and three of the MLP in each of 32 layers, and the output head.
LAYERS, HIDDEN, FFN, VOCABULARY = 32, 4096, 11008, 32000
LINEAR = LAYERS * (4 * HIDDEN**2 + 3 * HIDDEN * FFN)
HEAD = VOCABULARY * HIDDEN


def test_arithmetic_of_a_token_by_hand(catalog: Catalog, fitted: Calibration) -> None:
    found = train_speed.estimate(question(catalog, sequence=2048, checkpointing="full"), fitted)
    # A token sees half of the sequence; scores and values are 2 products of 2 operations for each element.
    attention = LAYERS * 4 * (2048 / 2) * HIDDEN
    assert found["model_flops"] == pytest.approx(6 * (LINEAR + HEAD) + 3 * attention)
    assert found["hardware_flops"] == pytest.approx(found["model_flops"] + 2 * LINEAR + attention)
    assert found["mfu"] == pytest.approx(found["model_flops"] * found["tokens_per_s"] / 312e12)
    assert found["total_tokens_per_s"] == found["tokens_per_s"]


def test_frozen_weights_need_two_thirds_of_it(catalog: Catalog, fitted: Calibration) -> None:
    full = train_speed.estimate(question(catalog, sequence=2048), fitted)
    lora = train_speed.estimate(question(catalog, sequence=2048, method="lora"), fitted)
    assert full["model_flops"] - lora["model_flops"] == pytest.approx(2 * (LINEAR + HEAD))


def test_without_anything_but_products_the_rate_of_the_card_is_reached(catalog: Catalog, fitted: Calibration) -> None:
    inputs = train_speed.inputs(question(catalog, sequence=4096, micro_batch=8, checkpointing="none"), fitted)
    nothing = dict.fromkeys(
        ("attention_layers", "elementwise_passes", "vocab", "host_seconds", "step_traffic_bytes"), 0.0
    )
    found = compute(inputs, **nothing, attained_16=1.0, matmul_16=1.0, narrow_width=0.0, stack_fused_norms=1.0)
    assert found["tokens_per_s"] == pytest.approx(312e12 / (6 * (LINEAR + HEAD)))
    assert found["mfu"] == pytest.approx(1.0)


def test_a_host_that_needs_as_long_as_the_gpu_costs_a_fifth(catalog: Catalog, fitted: Calibration) -> None:
    inputs = train_speed.inputs(question(catalog, sequence=2048), fitted)
    found = compute(inputs, host_seconds=inputs["host_seconds"] * (found := compute(inputs))["gpu_s"] / found["host_s"])
    assert found["body_s"] == pytest.approx(found["gpu_s"] * 2**0.25)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"method": "qlora", "stack": "transformers", "checkpointing": "full"},
        {"gpus": 8, "model": "mixtral-8x7b", "expert_parallel": 8},
        {"gpus": 64, "tensor_parallel": 4, "pipeline_parallel": 4, "accumulation": 16, "sharding": "zero1"},
        {"gpus": 4, "sharding": "device_map", "stack": "transformers"},
        {"packing": "padded", "micro_batch": 8, "stack": "fused"},
    ],
)
def test_the_terms_add_up(catalog: Catalog, fitted: Calibration, given: dict[str, Any]) -> None:
    found = train_speed.estimate(question(catalog, **given), fitted)
    assert sum(found[name] for name in TERMS) == pytest.approx(found["seconds_per_token"], rel=1e-12)
    assert all(found[name] >= 0 for name in TERMS)


# --- laws -------------------------------------------------------------------------------------------------------------

QUESTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"method": "lora", "stack": "transformers"},
    {"method": "qlora", "stack": "transformers", "micro_batch": 4},
    {"gpus": 16, "sequence": 8192, "precision": "fp8", "card": "h100-sxm5-80gb"},
    {"gpus": 64, "model": "qwen3-30b-a3b", "expert_parallel": 16, "card": "b200-sxm-180gb", "precision": "mxfp8"},
    {"gpus": 32, "tensor_parallel": 4, "pipeline_parallel": 2, "sharding": "zero1", "accumulation": 8},
    {"gpus": 2, "card": "rtx-4090", "method": "qlora", "stack": "transformers"},
    {"model": "gemma-2-9b", "sequence": 8192, "stack": "native"},
    {"model": "deepseek-v2-lite", "stack": "transformers"},
)


@pytest.mark.parametrize("given", QUESTIONS)
def test_a_better_card_is_never_slower(catalog: Catalog, fitted: Calibration, given: dict[str, Any]) -> None:
    inputs = train_speed.inputs(question(catalog, **given), fitted)
    speed = compute(inputs)["tokens_per_s"]
    for name in (
        "bandwidth",
        "rate_tensor16",
        "rate_fp8",
        "rate_fp4",
        "rate_fp32",
        "nvlink",
        "pcie",
        "network",
        "link_domain",
    ):
        assert compute(inputs, **{name: inputs[name] * 1.5})["tokens_per_s"] >= speed * (1 - 1e-12), name


@pytest.mark.parametrize("given", QUESTIONS)
def test_more_work_is_never_faster(catalog: Catalog, fitted: Calibration, given: dict[str, Any]) -> None:
    inputs = train_speed.inputs(question(catalog, **given), fitted)
    speed = compute(inputs, recomputed_share=0.0)["tokens_per_s"]
    assert (
        speed
        >= compute(inputs, recomputed_share=0.5)["tokens_per_s"]
        >= compute(inputs, recomputed_share=1.0)["tokens_per_s"]
    )
    now = compute(inputs)["tokens_per_s"]
    for name in ("step_traffic_bytes", "adapter_widths", "vocab", "linear_parameters", "host_seconds", "unit_seconds"):
        assert compute(inputs, **{name: inputs[name] * 2})["tokens_per_s"] <= now * (1 + 1e-12), name
    # The same tokens in fewer but longer sequences differ in attention only.
    longer = compute(inputs, sequence=inputs["sequence"] * 2, micro_batch=inputs["micro_batch"] / 2)
    assert longer["tokens_per_s"] <= now * (1 + 1e-12)
    # More micro-batches share one optimizer step.
    assert compute(inputs, accumulation=inputs["accumulation"] * 4)["tokens_per_s"] >= now * (1 - 1e-12)


def test_a_card_without_a_format_takes_the_next_wider(catalog: Catalog, fitted: Calibration) -> None:
    found = {
        p: train_speed.estimate(question(catalog, precision=p), fitted)
        for p in ("bf16", "fp8", "mxfp8", "fp4", "fp32", "tf32")
    }
    assert (
        found["fp8"]["tokens_per_s"]
        == found["mxfp8"]["tokens_per_s"]
        == found["fp4"]["tokens_per_s"]
        == found["bf16"]["tokens_per_s"]
    )
    assert found["fp32"]["tokens_per_s"] < found["tf32"]["tokens_per_s"] < found["bf16"]["tokens_per_s"]
    pascal = train_speed.estimate(question(catalog, "gtx-1080-ti", precision="fp16", micro_batch=1), fitted)
    assert pascal["uses_fp32"] == 1 and pascal["rated"] == pytest.approx(
        catalog.cards["gtx-1080-ti"].rates["fp32"].number * 1e12
    )
    hopper = train_speed.estimate(question(catalog, "h100-sxm5-80gb", precision="fp4"), fitted)
    assert hopper["uses_8"] == 1


def test_padding_counts_for_nothing(catalog: Catalog, fitted: Calibration) -> None:
    found = train_speed.estimate(question(catalog, packing="padded", micro_batch=4, mean_length=200), fitted)
    assert found["padding"] == pytest.approx(1 + 0.27 * 2)
    assert found["row_length"] == pytest.approx(200 * found["padding"])
    assert found["computed_tokens_per_s"] == pytest.approx(found["tokens_per_s"] * found["padding"])
    full = train_speed.estimate(question(catalog), fitted)
    assert full["tokens_per_s"] == full["computed_tokens_per_s"]


# --- answers and reasons ----------------------------------------------------------------------------------------------


def test_every_card_and_every_model_has_a_speed_or_a_reason(catalog: Catalog, fitted: Calibration) -> None:
    reasons = set()
    for slug in catalog.cards:
        try:
            found = train_speed.estimate(question(catalog, slug), fitted)
        except CannotEstimate as reason:
            reasons.add(slug)
            assert "not published" in str(reason)
            continue
        assert 0 < found["tokens_per_s"] < 1e6 and 0 < found["mfu"] < 2.5, slug
    assert {"b100", "h800-sxm5-80gb"} <= reasons and len(reasons) < 10
    for slug, model in catalog.models.items():
        try:
            found = train_speed.estimate(question(catalog, "b200-sxm-180gb", model=slug, sequence=512), fitted)
        except CannotEstimate as reason:
            assert model.shape is None and model.kind in str(reason), slug
            continue
        assert 0 < found["tokens_per_s"] < 1e8 and 0 < found["mfu"] < 1, slug


def test_encoders_see_both_directions(catalog: Catalog, fitted: Calibration) -> None:
    found = train_speed.estimate(question(catalog, model="bert-large", sequence=384, micro_batch=32), fitted)
    # Four matrices of attention and two of the MLP; a token sees all 384.
    assert found["model_flops"] == pytest.approx(6 * 24 * 12 * 1024**2 + 3 * 24 * 4 * 384 * 1024)
    with pytest.raises(CannotEstimate, match="adapters"):
        train_speed.estimate(question(catalog, model="bert-large", method="lora"), fitted)


def test_hybrids_count_what_they_are_made_of(catalog: Catalog) -> None:
    hybrids = [m for m in catalog.models.values() if m.other_shape is not None and m.other_shape.hybrid is not None]
    assert len(hybrids) >= 4
    for model in hybrids:
        found = numbers.of_trained_model(model)
        idle = found["expert_parameters"] - found["active_expert_parameters"]
        assert model.parameters.counted is not None and model.parameters.active is not None
        assert idle == model.parameters.counted - model.parameters.active, model.slug
        assert 0 < found["expert_parameters"] < found["linear_parameters"] < found["parameters"]


def test_decoders_keep_their_numbers(catalog: Catalog) -> None:
    model = catalog.models["mixtral-8x7b"]
    found = numbers.of_trained_model(model)
    assert found["parameters"] == parameters.count(model)
    assert found["layernorm"] == 0
    widths = numbers.adapter_widths(model.shape, ("q_proj", "gate_proj"))
    assert widths == 32 * (4096 + 4096) + 32 * 2 * (4096 + 14336)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"virtual_pipeline": 0}, "virtual_pipeline"),
        ({"mean_length": -1}, "mean_length"),
        ({"packing": "dense"}, "packing"),
        ({"stack": "pytorch"}, "stack"),
        ({"precision": "fp7"}, "did you mean"),
    ],
)
def test_impossible_questions_are_refused(catalog: Catalog, given: dict[str, Any], says: str) -> None:
    with pytest.raises(QuestionError, match=says):
        question(catalog, **given)


def test_defaults_follow_from_other_choices(catalog: Catalog) -> None:
    assert question(catalog, gpus=8, pipeline_parallel=2, sharding="zero1").work.virtual_pipeline == 4
    found = ask(Training, {"method": "lora", "kernels": "liger"}, model=catalog.models["llama-2-7b"])
    assert isinstance(found.work, Training) and found.work.stack == "fused"


# --- rows of published cases ------------------------------------------------------------------------------------------

MEANT: dict[str, dict[str, Any]] = {
    "T-mosaicmlllmfou-0001": {
        "stack": "native", "precision": "amp-bf16", "attention": "flash-1", "checkpointing": "full", "sharding": "fsdp",
        "accumulation": 1, "micro_batch": 8, "sequence": 2048, "kernels": "stock",
    },
    "T-ibmfmsaccelera-0066": {
        "method": "qlora", "weights": "gptq-int4", "stack": "transformers", "kernels": "stock", "preparation": "none",
        "attention": "flash", "checkpointing": "full", "targets": ("q_proj", "k_proj", "v_proj", "o_proj"),
    },
    "T-ibmfmsaccelera-0254": {
        "method": "full", "grouped_experts": True, "expert_parallel": 2, "sharding": "fsdp", "packing": "padding-free",
        "accumulation": 8,
    },
    "T-fmsfsdp-0001": {"stack": "native", "attention": "sdpa", "optimizer": "adamw"},
    "T-nvidiamegatron-0001": {
        "stack": "megatron", "precision": "mxfp8", "tensor_parallel": 1, "pipeline_parallel": 2, "virtual_pipeline": 8,
        "expert_parallel": 32, "sharding": "zero1", "checkpointing": "none", "accumulation": 32,
        "optimizer": "adamw-fused", "loss": "parallel",
    },
    "T-nvidianemodocs-0001": {"precision": "fp8", "micro_batch": 4, "accumulation": 8, "packing": "full"},
    "T-peftbench-0033": {
        "method": "lora", "stack": "transformers", "targets": ("q_proj", "v_proj"), "packing": "padded",
        "mean_length": 210, "checkpointing": "none", "sharding": "none",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_what_a_row_means(catalog: Catalog, rows: Mapping[str, Mapping[str, str]], name: str) -> None:
    work = cases.question(rows[name], catalog.names).work
    assert {option: getattr(work, option) for option in MEANT[name]} == MEANT[name]


BLANK = {"model": "llama-3.1-8b", "gpu": "H100 80GB SXM5", "n_gpus": "1", "method": "full", "precision": "bf16"}


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        ({"framework": "HF Trainer", "method": "qlora", "precision": "bnb 4bit (nf4); autocast fp16"},
         {"weights": "nf4-dq", "precision": "amp-fp16", "preparation": "kbit", "stack": "transformers"}),
        ({"framework": "accelerated-peft-autogptq-foak", "method": "qlora", "precision": "gptq int4"},
         {"weights": "gptq-int4", "kernels": "fused-adapters", "stack": "fused", "preparation": "none"}),
        ({"framework": "HF, moe-scattermoe-granite-ep4-padding-free", "n_gpus": "8", "sharding": "fsdp"},
         {"grouped_experts": True, "expert_parallel": 4, "packing": "padding-free", "mean_length": 210}),
        ({"framework": "LLaMA-Factory Unsloth+FA2", "method": "lora"},
         {"kernels": "unsloth", "loss": "linear", "stack": "fused"}),
        ({"framework": "NeMo 24.07", "method": "lora", "lora_targets": ""},
         {"packing": "documents", "targets": ("q_proj", "k_proj", "v_proj", "o_proj"), "kernels": "fused-adapters"}),
        ({"n_gpus": "64", "other_parallelism": "tensor_model_parallel_size=4,pipeline_parallel=2",
          "global_batch_size": "64", "batch_size": "2"},
         {"stack": "megatron", "tensor_parallel": 4, "pipeline_parallel": 2, "accumulation": 4}),
        ({"method": "full (pretrain)"}, {"stack": "native", "checkpointing": "none"}),
        ({"framework": "DeepSpeed", "sharding": "zero-2", "n_gpus": "4", "optimizer": "paged_adamw_8bit"},
         {"sharding": "zero2", "optimizer": "paged-adamw-8bit"}),
        ({"framework": "torch.compile", "sharding": "HSDP", "n_gpus": "16", "activation_checkpointing": "selective"},
         {"sharding": "fsdp", "kernels": "fused", "checkpointing": "selective"}),
        ({"framework": "HF", "precision": "fp32/tf32", "attention_impl": "eager/none"},
         {"precision": "tf32", "attention": "eager", "weights": "fp32"}),
        ({"framework": "HF", "n_gpus": "2", "other_parallelism": "device_map auto"}, {"sharding": "device_map"}),
    ],
)  # fmt: skip
def test_what_cells_mean(
    catalog: Catalog, rows: Mapping[str, Mapping[str, str]], cells: dict[str, str], meant: dict[str, Any]
) -> None:
    empty = dict.fromkeys(next(iter(rows.values())), "")
    work = cases.question({**empty, **BLANK, **cells}, catalog.names).work
    assert {option: getattr(work, option) for option in meant} == meant


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"method": "dpo-full"}, "preference"),
        ({"method": "peft:VERA"}, "not modelled"),
        ({"gpu": ""}, "card"),
        ({"model": "no-such-model-9b"}, "unknown model"),
        ({"n_gpus": "6", "other_parallelism": "TP=4"}, "cannot be split"),
    ],
)
def test_what_a_row_does_not_say_is_a_reason(
    catalog: Catalog, rows: Mapping[str, Mapping[str, str]], cells: dict[str, str], says: str
) -> None:
    empty = dict.fromkeys(next(iter(rows.values())), "")
    with pytest.raises(CannotEstimate, match=says):
        cases.question({**empty, **BLANK, **cells}, catalog.names)


def test_real_tokens_are_compared_with_real_tokens(rows: Mapping[str, Mapping[str, str]]) -> None:
    assert cases.counts(rows["T-peftbench-0033"]) == "tokens_per_s"
    assert cases.counts(rows["T-mosaicmlllmfou-0001"]) == "computed_tokens_per_s"


def test_nearly_all_trusted_rows_are_answered_about_as_well_as_stated(
    catalog: Catalog, fitted: Calibration, rows: Mapping[str, Mapping[str, str]]
) -> None:
    """Constants without the row's family; the accuracy page has the exact figures."""
    wanted = scoring.scored(rows.values(), "train-speed")
    answered = []
    for row in wanted:
        try:
            asked = cases.question(row, catalog.names)
            found = train_speed.estimate(asked, fitted.excluding(row["source_family"]))
        except CannotEstimate:
            continue
        answered.append({**row, "predicted": str(found[cases.counts(row)])})
    score = scoring.score(answered, "train-speed")
    assert len(answered) >= 0.95 * len(wanted)
    assert score.median is not None and score.median < 0.10
    assert score.p90 is not None and score.p90 < 0.45


# --- the fit ----------------------------------------------------------------------------------------------------------


def test_bands_hold_what_they_promise(fitted: Calibration) -> None:
    for one in (fitted, *(fitted.excluding(family) for family in fitted.without)):
        assert set(one.bands) == set(train_speed.KINDS)
        assert all(low < 1 < high for low, high in one.bands.values())
        low, high = one.bands["dense"]
        assert one.bands["untested"] == pytest.approx((low**2, high**2), rel=1e-3)


def test_kinds_of_cases(catalog: Catalog, fitted: Calibration) -> None:
    def kind(**given: Any) -> str:
        found = train_speed.estimate(question(catalog, **given), fitted)
        assert train_speed.band(found, fitted) == fitted.bands[train_speed.KINDS[int(found["case_kind"])]]
        return train_speed.KINDS[int(found["case_kind"])]

    assert kind() == "dense"
    assert kind(sequence=128) == "small"
    assert kind(model="mixtral-8x7b") == "experts"
    assert kind(card="rtx-4090", micro_batch=2) == "untested"


def test_the_fit_gives_what_is_stored(fitted: Calibration, rows: Mapping[str, Mapping[str, str]]) -> None:
    from generator.calibrators import train_speed as fit

    table = fit._table(tuple(tuple(row.items()) for row in rows.values()))
    again = fit._constants(fit._fit(table, frozenset()))
    assert set(again) == set(fitted.constants)
    for name, value in again.items():
        stored: Any = fitted.constants[name]
        for level, one in value.items() if isinstance(value, dict) else ():
            assert one == pytest.approx(stored[level], rel=2e-3), (name, level)
        if not isinstance(value, dict):
            assert value == pytest.approx(stored, rel=2e-3), name


def test_a_card_is_drawn_to_its_class(catalog: Catalog) -> None:
    from generator.calibrators import matmul as builder

    found = builder._drawn({"h100-sxm5-80gb": [0.6], "h200-sxm-141gb": [0.8]}, catalog.cards)
    assert found["hopper"] == pytest.approx(0.7)
    # One submission of its own against one of its class.
    assert found["h100-sxm5-80gb"] == pytest.approx((0.6 + 0.7) / 2)


def test_formulas_take_columns(catalog: Catalog, fitted: Calibration) -> None:
    """All cards at once, as the pages compute them."""
    slugs = [s for s in catalog.cards if s not in ("b100", "h800-sxm5-80gb")][:30]
    inputs = []
    for slug in slugs:
        try:
            inputs.append(train_speed.inputs(question(catalog, slug), fitted))
        except CannotEstimate:
            continue
    with np.errstate(all="ignore"):
        together = lowered.train_speed({name: np.array([x[name] for x in inputs]) for name in inputs[0]})
    for i, one in enumerate(inputs):
        assert together["tokens_per_s"][i] == pytest.approx(compute(one)["tokens_per_s"], rel=1e-12)


def test_questions_can_be_changed(catalog: Catalog, fitted: Calibration) -> None:
    asked = question(catalog)
    faster = replace(asked, work=replace(asked.work, micro_batch=8))
    assert train_speed.estimate(faster, fitted)["tokens_per_s"] > train_speed.estimate(asked, fitted)["tokens_per_s"]
    assert math.isfinite(train_speed.estimate(asked, fitted)["mfu"])


def test_catalog_classes_are_known(catalog: Catalog) -> None:
    """Names of architectures in option tables and in the fit are those of the catalog."""
    from generator import options

    known = {card.gpu.architecture for card in catalog.cards.values()}
    assert set(options.load().names("card_class")) - {"other"} <= known
