"""Speed of inference: arithmetic by hand, laws that must hold, what published rows mean, how it was fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import calibration, numbers, options, published, scoring
from generator.calibration import Calibration
from generator.cases import inference_speed as cases
from generator.cases.engines import engine
from generator.catalog import Catalog
from generator.estimators import CannotEstimate, inference_speed, matmul
from generator.formulas import book, lowered
from generator.question import Inference, Question, QuestionError, ask
from tests.conftest import ROOT

GIB = 2**30
TERMS = [f.gives for f in book.program(inference_speed.PROGRAM).formulas if f.term]
# Nothing but bytes and products: kernels, hosts and delays cost nothing and every rated figure is reached.
IDEAL = {
    "dram_share": 1.0, "intake_16": 1e9, "cache_intake": 1e9, "kernel_speed": 1.0, "format_speed": 1.0,
    "layer_cycles": 0.0, "layer_host": 0.0, "expert_host": 0.0, "step_host": 0.0, "sequence_host": 0.0,
    "nvlink_latency": 0.0, "pcie_latency": 0.0, "stage_latency": 0.0, "link_share": 1.0, "matmul_share": 1.0,
    "prompt_attention_share": 1e9, "weight_passes": 0.0, "unpack_passes": 0.0, "tile_loss": 0.0, "score_passes": 0.0,
    "attained_16": 1.0, "attained_8": 1.0, "attained_fp32": 1.0,
}  # fmt: skip


@pytest.fixture(scope="session")
def fitted() -> Calibration:
    return calibration.load("inference-speed")


@pytest.fixture(scope="session")
def rows() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in published.rows(ROOT, "inference")}


def question(
    catalog: Catalog, card: str = "a100-sxm4-80gb", gpus: int = 1, model: str = "llama-2-7b", **work: Any
) -> Question:
    """A question about a model on a card: vLLM in BF16 unless it says otherwise."""
    filled = {"engine": "vllm", "prompt": 512, "generated": 128, **work}
    return ask(Inference, filled, model=catalog.models[model], card=catalog.cards[card], gpus=gpus)


def compute(inputs: Mapping[str, float], **changed: float) -> dict[str, float]:
    """All results of the program for inputs of which some are changed."""
    with np.errstate(all="ignore"):
        results = lowered.inference_speed({k: np.float64(v) for k, v in {**inputs, **changed}.items()})
    return {name: float(value) for name, value in results.items()}


# --- by hand ---------------------------------------------------------------------------------------------------------

# Llama 2 7B: all its weights but the input embedding are read in a step.
PARAMETERS, TABLE = 6_738_415_616, 32_000 * 4096
READ = PARAMETERS - TABLE
KV_TOKEN = 2 * 32 * 4096 * 2


def test_one_sequence_is_bound_by_bandwidth(catalog: Catalog, fitted: Calibration) -> None:
    """RTX 4090, BF16: 13.2 GB of weights and the cache of 576 tokens at 1,008 GB/s."""
    inputs = inference_speed.inputs(question(catalog, "rtx-4090"), fitted)
    found = compute(inputs, **IDEAL)
    assert found["step_weights"] == 2 * READ
    seconds = (2 * READ + (512 + 64) * KV_TOKEN) / 1008e9
    assert found["step_s"] == pytest.approx(seconds, rel=1e-6)
    assert found["decode_tokens_per_s"] == pytest.approx(74.6, abs=0.1)
    # Two sequences read the weights once.
    two = compute(inputs, **IDEAL, batch=2.0)
    assert two["step_s"] == pytest.approx(seconds + 576 * KV_TOKEN / 1008e9, rel=1e-6)


def test_a_prompt_costs_two_operations_a_parameter_and_token(catalog: Catalog, fitted: Calibration) -> None:
    inputs = inference_speed.inputs(question(catalog, prompt=2048), fitted)
    found = compute(inputs, **IDEAL)
    # Embedding and head take no part: only the last token of a prompt needs logits.
    body = PARAMETERS - 2 * TABLE
    assert found["prompt_matmul_s"] == pytest.approx(2 * body * 2048 / 312e12, rel=1e-9)
    assert found["prefill_tokens_per_s"] == pytest.approx(2048 / found["prompt_matmul_s"], rel=1e-6)
    attention = compute(inputs, **{**IDEAL, "prompt_attention_share": 1.0})["prompt_attention_s"]
    # Scores and their product with the values, over half of the prompt in the mean: 2 × 2 operations.
    assert attention == pytest.approx(4 * 4096 * 32 * 2048 * 1024 / 312e12, rel=1e-9)


def test_whole_runs_count_prompt_and_answer(catalog: Catalog, fitted: Calibration) -> None:
    found = inference_speed.estimate(question(catalog, batch=4), fitted)
    seconds = found["prompt_s"] + 128 * found["step_s"]
    assert found["waves"] == 1
    assert found["output_tokens_per_s"] == pytest.approx(4 * 128 / seconds)
    assert found["combined_tokens_per_s"] == pytest.approx(4 * 640 / seconds)
    assert found["decode_tokens_per_s"] == pytest.approx(4 / found["step_s"])


def test_waves_follow_from_the_room_for_the_cache(catalog: Catalog, fitted: Calibration) -> None:
    """On 40 GB, 0.9 × 40 GiB less weights and 2 GiB hold 42 caches of 1,024 tokens: 64 sequences need two waves."""
    found = inference_speed.estimate(question(catalog, "a100-sxm4-40gb", batch=64, prompt=512, generated=512), fitted)
    room = 36 * GIB - 2 * PARAMETERS - 2 * GIB
    assert found["fitting_sequences"] == math.floor(room / (1024 * KV_TOKEN)) == 42
    assert (found["waves"], found["concurrent"]) == (2, 32)


def test_experts_are_read_as_far_as_they_are_visited(catalog: Catalog, fitted: Calibration) -> None:
    """Mixtral: 2 of 8 experts for one token; 1 − (3/4)⁴ of them for four."""
    inputs = inference_speed.inputs(question(catalog, "h100-sxm5-80gb", 2, "mixtral-8x7b"), fitted)
    shape = numbers.of_model(catalog.models["mixtral-8x7b"])
    dense = shape["parameters"] - shape["embedding_parameters"] - shape["expert_parameters"]
    for batch, share in ((1, 1 / 4), (4, 1 - (3 / 4) ** 4)):
        read = compute(inputs, batch=float(batch))["step_weights"]
        assert read == pytest.approx(2 * (dense + share * shape["expert_parameters"]), rel=1e-9)


def test_all_reduces_go_over_the_link(catalog: Catalog, fitted: Calibration) -> None:
    """Two rings of 2 (n − 1) / n × 8 KiB in each of 32 layers, over half of 600 GB/s."""
    one = compute(inference_speed.inputs(question(catalog), fitted), **IDEAL)
    four = compute(inference_speed.inputs(question(catalog, gpus=4), fitted), **IDEAL)
    assert (one["all_reduce_s"], four["tensor_ways"]) == (0, 4)
    assert four["all_reduce_s"] == pytest.approx(2 * 32 * 2 * 3 / 4 * 4096 * 2 / 300e9, rel=1e-9)
    assert four["weight_read_s"] == pytest.approx(one["weight_read_s"] / 4)
    pcie = compute(inference_speed.inputs(question(catalog, "rtx-3090", 2), fitted), **IDEAL)
    # NVLink of a PCIe card needs a bridge.
    assert pcie["link_speed"] == pytest.approx(32e9)


def test_layers_one_after_the_other_save_no_time(catalog: Catalog, fitted: Calibration) -> None:
    one = inference_speed.estimate(question(catalog, engine="llama.cpp"), fitted)
    two = inference_speed.estimate(question(catalog, engine="llama.cpp", gpus=2), fitted)
    assert (two["tensor_ways"], two["stages"]) == (1, 2)
    assert two["step_s"] == pytest.approx(one["step_s"] + two["stage_latency"])
    assert two["prompt_matmul_s"] == one["prompt_matmul_s"], "a prompt of one part has nothing to fill a pipeline with"
    long = [
        inference_speed.estimate(question(catalog, engine="llama.cpp", gpus=n, prompt=2048), fitted) for n in (1, 2)
    ]
    assert long[1]["prompt_matmul_s"] == pytest.approx(long[0]["prompt_matmul_s"] * 5 / 8 * long[1]["pipeline_loss"])


@pytest.mark.parametrize("name", ["vllm", "llama.cpp", "transformers"])
def test_terms_add_up(catalog: Catalog, fitted: Calibration, name: str) -> None:
    found = inference_speed.estimate(question(catalog, engine=name, gpus=2), fitted)
    prompt = [term for term in TERMS if term.startswith("prompt_")]
    step = [term for term in TERMS if term not in prompt]
    assert len(prompt) == len(step) == 8
    assert sum(found[term] for term in step) == pytest.approx(found["step_s"])
    assert sum(found[term] for term in prompt) == pytest.approx(found["prompt_s"])


def test_products_of_the_prompt_use_what_the_card_has(catalog: Catalog, fitted: Calibration) -> None:
    def rate(card: str, **work: Any) -> float:
        return compute(inference_speed.inputs(question(catalog, card, **work), fitted), **IDEAL)["prompt_rate"]

    def rated(card: str, kind: str) -> float:
        return (catalog.cards[card].rates[kind].number or 0.0) * 1e12

    assert rate("h100-sxm5-80gb", weights="fp8") == rated("h100-sxm5-80gb", "tensor_fp8_fp32acc")
    assert rate("h100-sxm5-80gb", weights="fp8", engine="transformers") == rated(
        "h100-sxm5-80gb", "tensor_bf16_fp32acc"
    )
    assert rate("a100-sxm4-80gb", weights="fp8") == rated("a100-sxm4-80gb", "tensor_bf16_fp32acc")
    assert rate("rtx-3090", engine="llama.cpp") == rated("rtx-3090", "tensor_fp16_fp16acc")
    assert rate("p40", engine="llama.cpp", weights="q4_k_m") == rated("p40", "dp4a_int8") / 2
    assert rate("p40", engine="llama.cpp", weights="fp16") == rated("p40", "fp32")


# --- laws ------------------------------------------------------------------------------------------------------------

WORK = st.fixed_dictionaries({
    "engine": st.sampled_from(["vllm", "llama.cpp", "transformers", "exllamav2", "unknown"]),
    "weights": st.sampled_from(["bf16", "fp8", "gptq-int4", "q4_k_m"]),
    "prompt": st.integers(1, 8192), "generated": st.integers(1, 2048), "batch": st.integers(1, 64),
    "gpus": st.sampled_from([1, 2, 4]),
    "model": st.sampled_from(["llama-3.1-8b", "qwen2.5-7b", "qwen3-30b-a3b", "gemma-2-9b"]),
    "card": st.sampled_from(["a100-sxm4-80gb", "h100-sxm5-80gb", "l40s", "rtx-5090"]),
})  # fmt: skip


def inputs_of(catalog: Catalog, fitted: Calibration, work: dict[str, Any]) -> dict[str, float]:
    try:
        return inference_speed.inputs(question(catalog, **work), fitted)
    except CannotEstimate:
        return {}


@given(WORK, st.floats(1.0, 4.0))
@settings(max_examples=80, deadline=None)
def test_more_of_a_card_is_never_slower(work: dict[str, Any], factor: float) -> None:
    catalog_, fitted_ = _shared()
    inputs = inputs_of(catalog_, fitted_, work)
    if not inputs:
        return
    before = compute(inputs)
    for name in ("bandwidth", "clock", "sms", "rate_tensor16", "pcie", "nvlink"):
        after = compute(inputs, **{name: inputs[name] * factor})
        assert after["step_s"] <= before["step_s"] * (1 + 1e-12), name
        # More multiprocessors leave more of them idle at the end of a small product.
        if name != "sms":
            assert after["prompt_s"] <= before["prompt_s"] * (1 + 1e-12), name


@given(WORK)
@settings(max_examples=80, deadline=None)
def test_a_larger_batch_never_generates_less_until_memory_is_full(work: dict[str, Any]) -> None:
    catalog_, fitted_ = _shared()
    inputs = inputs_of(catalog_, fitted_, work)
    if not inputs:
        return
    before = compute(inputs)
    after = compute(inputs, batch=inputs["batch"] + 1)
    if after["waves"] == 1:
        assert after["decode_tokens_per_s"] >= before["decode_tokens_per_s"] * (1 - 1e-12)
    assert after["concurrent"] <= after["fitting_sequences"]


@given(WORK)
@settings(max_examples=40, deadline=None)
def test_fewer_bits_never_read_more(work: dict[str, Any]) -> None:
    catalog_, fitted_ = _shared()
    found = []
    for weights in ("fp32", "bf16", "fp8", "gptq-int4", "gptq-int3"):
        inputs = inputs_of(catalog_, fitted_, {**work, "weights": weights})
        # Of several sequences fewer may fit at once, and fewer visit fewer experts.
        found.append(compute(inputs, batch=1.0)["step_weights"] if inputs else math.nan)
    assert all(math.isnan(a) or math.isnan(b) or a > b for a, b in pairwise(found))


_KNOWN: list[tuple[Catalog, Calibration]] = []


def _shared() -> tuple[Catalog, Calibration]:
    """What fixtures would give; Hypothesis does not mix with fixtures of a function."""
    if not _KNOWN:
        from generator import catalog

        _KNOWN.append((catalog.load(ROOT), calibration.load("inference-speed")))
    return _KNOWN[0]


# --- what cannot be said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"model": "llama-3.1-70b"}, r"the weights \(131 GiB\) do not fit into 1 × 80 GiB"),
        ({"card": "b300-sxm-288gb"}, "not published: its number of multiprocessors"),
        ({"prompt": 4096}, "the prompt fills the model's whole context of 4,096 tokens"),
        ({"model": "resnet-50"}, "resnet"),
    ],
)
def test_reasons(catalog: Catalog, fitted: Calibration, given_: dict[str, Any], says: str) -> None:
    with pytest.raises(CannotEstimate, match=f"(?i){says}"):
        inference_speed.estimate(question(catalog, **given_), fitted)


def test_no_card_no_speed(catalog: Catalog, fitted: Calibration) -> None:
    asked = ask(Inference, {}, model=catalog.models["llama-2-7b"])
    with pytest.raises(CannotEstimate, match="needs a card"):
        inference_speed.estimate(asked, fitted)


@pytest.mark.parametrize("ways", [3, -1, 8])
def test_ways_divide_the_gpus(catalog: Catalog, ways: int) -> None:
    with pytest.raises(QuestionError, match="expected 0 or a divisor of 4"):
        question(catalog, gpus=4, tensor_parallel=ways)


def test_a_clock_that_nobody_published_is_its_class_s(catalog: Catalog, fitted: Calibration) -> None:
    assert numbers.of_card(catalog.cards["h20-96gb"])["clock"] == 0
    assert inference_speed.inputs(question(catalog, "h20-96gb"), fitted)["clock"] == 1.98e9


# --- tables and constants --------------------------------------------------------------------------------------------


def test_every_engine_and_format_has_a_speed(catalog: Catalog, fitted: Calibration) -> None:
    tables = options.load()
    assert set(tables.names("engine")) == set(tables.names("engine_speed"))
    assert {inference_speed.format_class(name) for name in tables.names("weights")} <= set(tables.names("format_speed"))
    for name in tables.names("engine"):
        for weights in ("bf16", "q4_k_m", "gptq-int4"):
            found = inference_speed.estimate(question(catalog, engine=name, weights=weights), fitted)
            for figure in inference_speed.FIGURES:
                low, high = inference_speed.band(question(catalog, engine=name, weights=weights), figure, fitted)
                assert 0 < low < 1 < high
                assert math.isfinite(found[f"{figure}_tokens_per_s"])


def test_constants_fall_back_from_engine_to_group_to_all() -> None:
    table = {
        "all": {"a": 1.0, "b": 1.0, "c": 1.0, "format_speed": 1.0},
        "groups": {"serving": {"a": 2.0, "b": 2.0}},
        "engines": {"vllm": {"a": 3.0}},
        "formats": {"vllm": {"awq4": {"format_speed": 0.5}}},
    }
    found = inference_speed.constants(table, Inference(engine="vllm", weights="awq-int4"))
    assert found == {"a": 3, "b": 2, "c": 1, "format_speed": 0.5}
    assert inference_speed.constants(table, Inference(engine="unknown"))["a"] == 2
    assert inference_speed.constants(table, Inference(engine="llama.cpp"))["a"] == 1


def test_a_card_without_a_measurement_has_its_class_s_share(catalog: Catalog, fitted: Calibration) -> None:
    shares = fitted.facts["attained"]
    own = matmul.attained(catalog.cards["a100-sxm4-80gb"], shares)
    assert own["attained_16"] == shares["16"]["a100-sxm4-80gb"]
    assert 0.8 < own["attained_16"] < 0.9
    laptop = next(card for slug, card in catalog.cards.items() if slug.endswith("-laptop") and slug not in shares["16"])
    assert matmul.attained(laptop, shares)["attained_16"] == shares["16"][matmul.class_of(laptop)]
    for slug in ("h100-sxm5-80gb", "rtx-4090", "l40s"):
        found = matmul.attained(catalog.cards[slug], shares)
        assert found["attained_16"] > found["attained_8"] > found["attained_4"]


# --- published rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "figures", "says"),
    [
        ("I-argonnellminfe-0001", "combined", {"engine": "tensorrt-llm", "weights": "bf16", "batch": 1, "prompt": 128}),
        ("I-argonnellminfe-0254", "combined", {"engine": "llama.cpp", "weights": "fp16", "tensor_parallel": 0}),
        ("I-argonnellminfe-0744", "combined", {"engine": "vllm", "tensor_parallel": 4, "generated": 128}),
        ("I-exllama-0005", "prefill decode", {"engine": "exllama", "weights": "gptq-int4", "group_size": 32}),
        ("I-exllamav2-0017", "decode", {"engine": "exllamav2", "weights": "exl2", "weight_bits": 2.5, "prompt": 128}),
        ("I-geerlingguyoll-0001", "decode", {"engine": "ollama", "weights": "q4_k_m", "generated": 256}),
        ("I-llamacppthread-0004", "prefill decode", {"engine": "llama.cpp", "weights": "q4_1", "prompt": 512}),
        ("I-llmawq-0002", "decode", {"engine": "tinychat", "weights": "awq-int4"}),
        ("I-lmdeploydocs-0001", "output", {"engine": "lmdeploy", "weights": "fp16", "batch": 256}),
        ("I-mlcllmperfbenc-0032", "decode", {"engine": "exllama", "weights": "gptq-int4", "tensor_parallel": 0}),
        ("I-mlcllmperfbenc-0031", "decode", {"engine": "mlc", "weights": "nf4-dq", "tensor_parallel": 2}),
        ("I-premai-0011", "decode", {"engine": "llama.cpp", "weights": "q8_0"}),
        ("I-qwendocs-0002", "output", {"engine": "transformers", "weights": "gptq-int8", "generated": 2048}),
        ("I-qwendocs-0119", "combined", {"engine": "vllm", "batch": 256, "tensor_parallel": 2}),
        ("I-qwendocs-0129", "output", {"engine": "transformers", "tensor_parallel": 1, "prompt": 14336}),
        ("I-qwendocs-0424", "combined", {"engine": "sglang", "weights": "fp8"}),
        ("I-xiongjiedailla-0033", "prefill decode", {"engine": "llama.cpp", "weights": "q4_k_m", "tensor_parallel": 1}),
    ],
)
def test_what_rows_mean(
    catalog: Catalog, rows: Mapping[str, Mapping[str, str]], row: str, figures: str, says: dict[str, Any]
) -> None:
    asked = cases.question(rows[row], catalog.names)
    assert {name: getattr(asked.work, name) for name in says} == says
    stated = [
        cases.figure(rows[row], q) for q in ("prefill-speed", "decode-speed") if scoring.measured(rows[row], q)[1]
    ]
    assert " ".join(stated) == figures


def test_what_is_silent_is_assumed(catalog: Catalog, rows: Mapping[str, Mapping[str, str]]) -> None:
    noted = cases.question(rows["I-geerlingguyoll-0001"], catalog.names).assumed
    assert {"weights = q4_k_m", "prompt = 128", "generated = 256"} <= set(noted)
    vision = cases.question({**rows["I-llmawq-0002"], "model": "VILA-13B"}, catalog.names)
    assert vision.model.slug == "llama-2-13b"
    assert "model = llama-2-13b (the text part of VILA-13B)" in vision.assumed
    two = cases.question(rows["I-exllama-0009"], catalog.names)
    assert two.card is not None
    assert (two.card.gpu.slug, two.gpus) == ("rtx-3090-ti", 2)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"gpu": "RTX A400"}, "not in the catalog"),
        ({"gpu": ""}, "not named"),
        ({"gpu": "RTX 4090 + Voodoo 2"}, "Voodoo"),
        ({"model": "moss-moon 16b"}, "unknown model"),
        ({"quantization": "ternary"}, "weight format 'ternary' is not known"),
    ],
)
def test_rows_that_say_too_little(
    catalog: Catalog, rows: Mapping[str, Mapping[str, str]], changed: dict[str, str], says: str
) -> None:
    with pytest.raises(CannotEstimate, match=says):
        cases.question({**rows["I-xiongjiedailla-0001"], **changed}, catalog.names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vLLM 0.6.3", "vllm"), ("KoboldCpp", "llama.cpp"), ("Ollama/llama.cpp", "ollama"), ("ExLlama v2", "exllamav2"),
        ("Text Generation Inference", None), ("HF Transformers 4.51", "transformers"), ("TensorRT-LLM", "tensorrt-llm"),
        ("LM Studio", "llama.cpp"), ("SGLang (vLLM kernels)", "sglang"), ("", None),
    ],
)  # fmt: skip
def test_engines_by_name(text: str, name: str | None) -> None:
    assert engine(text) == name


# --- how it was fitted -----------------------------------------------------------------------------------------------


def test_the_fit_gives_what_is_stored(fitted: Calibration, rows: Mapping[str, Mapping[str, str]]) -> None:
    from generator.calibrators import inference_speed as fit

    frozen = tuple(tuple(row.items()) for row in rows.values())
    again = fit._fitted(frozen, None).constants()
    assert set(again) == set(fitted.constants)
    for level in ("groups", "engines"):
        for name, values in again[level].items():
            assert values == pytest.approx(fitted.constants[level][name], rel=2e-3), name
    assert again["all"] == pytest.approx(fitted.constants["all"], rel=2e-3)


@pytest.mark.parametrize(
    ("quantity", "median", "p90", "answered"), [("decode-speed", 0.15, 0.56, 0.99), ("prefill-speed", 0.16, 0.38, 0.99)]
)
def test_families_that_were_left_out(
    catalog: Catalog, fitted: Calibration, rows: Mapping[str, dict[str, str]], quantity: str, median: float, p90: float,
    answered: float,
) -> None:  # fmt: skip
    """Every row with the constants that its own family had no part in."""
    predicted = []
    for row in scoring.scored(rows.values(), quantity):
        found: dict[str, str] = {"predicted": "", "predicted_low": "", "predicted_high": ""}
        without = fitted.excluding(row["source_family"])
        try:
            asked, figure = cases.question(row, catalog.names), cases.figure(row, quantity)
            speed = inference_speed.estimate(asked, without)[f"{figure}_tokens_per_s"]
        except CannotEstimate:
            pass
        else:
            low, high = inference_speed.band(asked, figure, without)
            found = {"predicted": str(speed), "predicted_low": str(speed * low), "predicted_high": str(speed * high)}
        predicted.append({**row, **found})
    score = scoring.score(predicted, quantity)
    assert score.answered >= answered * score.rows
    assert (score.median or 1) < median
    assert (score.p90 or 1) < p90
    assert (score.covered or 0) > 0.8
