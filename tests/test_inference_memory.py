"""Memory of inference: by hand arithmetic, by properties that must hold, and from the texts of published rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator import options, published
from generator.__main__ import main
from generator.calibration import Calibration
from generator.calibrators import inference_memory as calibrator
from generator.cases import inference_memory as cases
from generator.cases.stored import stored
from generator.catalog import Catalog
from generator.estimators import CannotEstimate, inference_memory
from generator.formulas.inference import INFERENCE_MEMORY
from generator.names import Names
from generator.question import Inference, Question, QuestionError, ask
from tests.conftest import ROOT

MIB, GIB = 2**20, 2**30
NOTHING = Calibration(
    "inference-memory", dict.fromkeys(("slack_transformers", "slack_llama_cpp", "slack_other"), 0.0), {}, {}, {}
)
TERMS = [f.gives.name for f in INFERENCE_MEMORY.formulas if f.term]


def answer(catalog: Catalog, model: str, card: str | None = None, gpus: int = 1, **work: Any) -> dict[str, float]:
    """All results in bytes."""
    question = ask(
        Inference, work, model=catalog.models[model], gpus=gpus, card=catalog.cards[card] if card else None
    )  # fmt: skip
    return dict(inference_memory.estimate(question, NOTHING))


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_qwen_7b_in_bf16(catalog: Catalog) -> None:
    """One token in, 2,048 out: weights, rounded tensors, cache, one layer's keys again, logits, cuBLAS."""
    found = answer(catalog, "qwen2.5-7b", prompt=1, generated=2048, release="4.45", attention="flash")
    weights = 7_615_616_512 * 2
    # 28 layers × keys and values of 4 heads of 128 × 2 bytes.
    cache = 28 * 2 * 4 * 128 * 2 * 2049
    # 3,584 × 18,944 × 2 bytes are 129.5 MiB, in blocks of 130; the two tables of 1,039.5 MiB lie in 1,040.
    # The queries' 24.5 MiB would leave 1.5 MiB, which the allocator splits off.
    rounding = (28 * 3 * 0.5 + 2 * 0.5) * MIB
    step = 2049 * 4 * 128 * 2 + 152_064 * (2 + 24)
    assert found["weights"] == weights
    assert found["kv_cache"] == cache
    assert found["rounding"] == rounding
    assert found["allocated"] == weights + cache + rounding + step + 8320 * 1024
    assert found["at_generation"] == 1
    assert found["allocated"] / GIB == pytest.approx(14.35, abs=0.01)


def test_the_prompt_sets_the_peak(catalog: Catalog) -> None:
    """14,336 tokens through one layer of Llama 2 7B: three wide and four narrow tensors, cosines, sines and ids."""
    found = answer(catalog, "llama-2-7b", prompt=14_336, generated=1, release="4.45")
    layer = 14_336 * (2 * (3 * 11_008 + 4 * 4096) + 2 * 128 * 2 + 8)
    assert found["at_prompt"] == 1
    assert found["work_per_gpu"] == layer
    assert found["kv_per_gpu"] == 32 * 2 * 4096 * 2 * 14_336


def test_old_releases_make_all_logits(catalog: Catalog) -> None:
    found = answer(catalog, "qwen2-0.5b", prompt=6144, generated=1, release="4.0")
    assert found["logits_per_gpu"] == 6144 * (151_936 * (2 + 4) + 896 * 2)
    assert answer(catalog, "qwen2-0.5b", prompt=6144, generated=1)["logits_per_gpu"] == 0


def test_llama_cpp_file(catalog: Catalog) -> None:
    """Q4_K_M of Llama 3.1 8B is 4.58 GiB as a file; the embedding (Q4_K) stays in host memory."""
    found = answer(catalog, "llama-3.1-8b", engine="llama.cpp", weights="q4_k_m", prompt=512, generated=0, context=8192)
    embedding = 128_256 * 4096 * 4.5 / 8
    assert (found["weights"] + embedding) / GIB == pytest.approx(4.58, abs=0.01)
    assert found["kv_cache"] == 32 * 2 * 8 * 128 * 2 * 8192
    assert found["compute_buffer"] == 512 * 4 * (32 * 8192 + 6 * 4096)


def test_groups_of_quantized_weights(catalog: Catalog) -> None:
    """32 instead of 128 weights a group cost 20 × (1/32 - 1/128) bits each; a whole row has no constants worth it."""
    plain, fine, rows = (
        answer(catalog, "llama-2-7b", weights="awq-int4", group_size=g)["matrix_bytes"] for g in (0, 32, -1)
    )
    matrices = 32 * (4 * 4096**2 + 3 * 4096 * 11_008)
    assert plain == matrices * (4 + 20 / 128) / 8
    assert fine - plain == pytest.approx(matrices * 20 * (1 / 32 - 1 / 128) / 8)
    assert rows == matrices * 4 / 8


def test_tied_heads(catalog: Catalog) -> None:
    """llama.cpp needs a copy of a tied head on the card; AutoAWQ loads one twice."""
    model = catalog.models["qwen2.5-0.5b"]
    assert model.shape is not None and model.shape.embedding.tied
    table = 151_936 * 896
    assert answer(catalog, "qwen2.5-0.5b")["head_bytes"] == 0
    assert answer(catalog, "qwen2.5-0.5b", engine="llama.cpp", weights="q8_0")["head_bytes"] == table * 8.5 / 8
    found = answer(catalog, "qwen2.5-0.5b", weights="awq-int4", prompt=1, generated=1)
    assert found["at_loading"] == 1
    assert found["loading_per_gpu"] == table * 2
    assert found["allocated"] == found["load_peak"]


def test_sliding_windows(catalog: Catalog) -> None:
    """Gemma 3 keeps 512 or 1,024 tokens in five of six layers from transformers 5 on."""
    new, old = (answer(catalog, "gemma-3-1b", prompt=32_768, generated=1, release=r) for r in ("5.0", "4.45"))
    assert new["kv_cache"] < old["kv_cache"] / 4


@pytest.mark.parametrize(
    ("slug", "gib"),
    # What PyTorch prints as total capacity of such cards.
    [("rtx-4090", 23.65), ("rtx-3080-10gb", 9.78), ("a100-sxm4-80gb", 79.2), ("l4", 22.05), ("v100-sxm2-32gb", 31.74)],
)
def test_usable_memory(catalog: Catalog, slug: str, gib: float) -> None:
    assert answer(catalog, "qwen2-0.5b", card=slug)["usable_bytes"] / GIB == pytest.approx(gib, abs=0.21)


def test_without_a_card(catalog: Catalog) -> None:
    found = answer(catalog, "llama-3-8b", weights="int8")
    assert "usable_bytes" not in found
    assert found["allocated"] > 0


# --- properties ------------------------------------------------------------------------------------------------------

MODELS = (
    "llama-2-7b", "qwen2.5-0.5b", "qwen3-30b-a3b", "gpt-neox-20b", "deepseek-v2-lite", "mixtral-8x7b", "gemma-2-9b",
)  # fmt: skip
works = st.fixed_dictionaries({
    "weights": st.sampled_from(options.load().names("weights")),
    "engine": st.sampled_from(options.load().names("engine")),
    "release": st.sampled_from(options.load().names("release")),
    "kv_cache": st.sampled_from(options.load().names("kv_cache")),
    "attention": st.sampled_from(("eager", "sdpa", "flash")),
    "prompt": st.integers(1, 100_000),
    "generated": st.integers(0, 10_000),
    "batch": st.integers(1, 64),
    "group_size": st.sampled_from((-1, 0, 32, 64, 128)),
    "context": st.sampled_from((0, 4096, 200_000)),
})  # fmt: skip
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(st.sampled_from(MODELS), works, st.integers(1, 8))
def test_the_terms_add_up(catalog: Catalog, model: str, work: dict[str, Any], gpus: int) -> None:
    found = answer(catalog, model, gpus=gpus, **work)
    assert sum(found[name] for name in TERMS) == pytest.approx(found["allocated"], rel=1e-9)
    assert all(found[name] >= 0 for name in TERMS)
    assert found["allocated"] >= found["load_peak"] / gpus
    assert found["at_loading"] + found["at_prompt"] + found["at_generation"] == 1


@many
@given(
    st.sampled_from(MODELS), works, st.sampled_from(("prompt", "generated", "batch", "context")), st.integers(1, 5000)
)
def test_more_work_never_needs_less(catalog: Catalog, model: str, work: dict[str, Any], name: str, more: int) -> None:
    if name == "context" and not work["context"]:
        return  # 0 is "as needed"
    small, large = answer(catalog, model, **work), answer(catalog, model, **{**work, name: work[name] + more})
    assert large["allocated"] >= small["allocated"] * (1 - 1e-12)


@many
@given(st.sampled_from(MODELS), works)
def test_more_bits_never_need_less(catalog: Catalog, model: str, work: dict[str, Any]) -> None:
    work = {**work, "group_size": 0}
    for order in (
        ("q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k", "q8_0", "bf16", "fp32"),
        ("gptq-int2", "gptq-int3", "gptq-int4", "gptq-int8", "fp16", "fp32"),
        ("nf4-dq", "nf4", "int8", "bf16"),
    ):
        sizes = [answer(catalog, model, **{**work, "weights": w})["weights"] for w in order]
        assert sizes == sorted(sizes), order
    small, large = (answer(catalog, model, **{**work, "kv_cache": kind})["allocated"] for kind in ("8bit", "16bit"))
    assert small <= large


# --- published rows --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def names(catalog: Catalog) -> Names:
    return Names(catalog)


def row(**cells: str) -> dict[str, str]:
    silent = {"method": "inference", "model": "meta-llama/Llama-2-7b-hf", "what_is_measured": "max_memory_allocated"}
    return {**silent, **cells}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"weights_dtype": "BF16", "framework": "HF Transformers 4.38.2", "prompt_len": "6144", "gen_len": "2048"},
         {"weights": "bf16", "engine": "transformers", "release": "4.0", "prompt": 6144, "generated": 2048}),
        ({"weights_dtype": "GPTQ-Int4", "framework": "transformers 4.46.0"},
         {"weights": "gptq-int4", "group_size": 0, "release": "4.45", "prompt": cases.PROMPT}),
        ({"weights_dtype": "AWQ", "framework": "HF Transformers 5.2"}, {"weights": "awq-int4", "release": "5.0"}),
        ({"weights_dtype": "GPTQ 4bit g- act-order yes", "framework": "ExLlama v1", "seq_len": "2048"},
         {"weights": "gptq-int4", "group_size": -1, "engine": "exllama", "prompt": 2048, "generated": 0,
          "context": 2048}),
        ({"weights_dtype": "GPTQ-128g 4.15bit", "framework": "GPTQ-for-LLaMa", "seq_len": "2048"},
         {"weights": "gptq-int4", "group_size": 128, "engine": "gptq", "prompt": 1, "generated": 2047}),
        ({"weights_dtype": "nf4-double_quant 4.127bit", "framework": "transformers"}, {"weights": "nf4-dq"}),
        ({"weights_dtype": "GGUF Q4_K_M", "framework": "llama.cpp (2024-05)"},
         {"weights": "q4_k_m", "engine": "llama.cpp", "context": 1024}),
        ({"weights_dtype": "int8", "framework": "ctransformers"}, {"weights": "q8_0", "engine": "llama.cpp"}),
        ({"weights_dtype": "int4", "framework": "exllamav2"},
         {"weights": "exl2", "weight_bits": 4.0, "engine": "exllamav2", "context": 4096}),
        ({"weights_dtype": "float16", "framework": "AutoGPTQ", "commit_or_date": "2024-03-01"},
         {"weights": "gptq-int4", "engine": "autogptq", "release": "4.0"}),
        ({"model": "TheBloke/Llama-2-7B-GPTQ", "framework": "vLLM 0.4"}, {"weights": "gptq-int4", "engine": "vllm"}),
        ({"weights_dtype": "4.0bpw exl2", "attention_impl": "eager"},
         {"weights": "exl2", "engine": "exllamav2", "attention": "eager"}),
    ],
)  # fmt: skip
def test_rows_as_questions(names: Names, cells: dict[str, str], expected: dict[str, Any]) -> None:
    work = cases.question(row(**cells), names).work
    assert {name: getattr(work, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"weights_dtype": "ternary"}, "weight format 'ternary' is not known"),
        ({"weights_dtype": "GGUF Q9_X"}, "weight format"),
        ({"model": "no/such-model"}, "unknown model"),
    ],
)
def test_rows_that_say_too_little(names: Names, cells: dict[str, str], reason: str) -> None:
    with pytest.raises(CannotEstimate, match=reason):
        cases.question(row(**cells), names)


def test_meters_and_sizes_of_cards(names: Names) -> None:
    assert cases.meter({"what_is_measured": "nvidia-smi process memory"}) == "device"
    assert cases.meter({"what_is_measured": "swift logs max_memory_reserved"}) == "reserved"
    unnamed = cases.question(row(weights_dtype="fp16", status="OOM (16GB class card)"), names)
    assert unnamed.card is None and unnamed.capacity_gib == 16
    assert "card of 16 GiB" in unnamed.assumed
    assert cases.question(row(weights_dtype="fp16", gpu="Some Other Card"), names).capacity_gib is None


@pytest.mark.parametrize(
    ("text", "format_", "group", "bits"),
    [("W4A16 g64", "nf4-dq", None, None), ("gptq int3 g=64", "gptq-int3", 64, None),
     ("AWQ 4bit 128g", "awq-int4", 128, None),
     ("exl2 3.5bpw", "exl2", None, 3.5), ("IQ3_XXS", "iq3_xxs", None, None), ("bitsandbytes 8-bit", "int8", None, None),
     ("MXFP4", "mxfp4", None, None), ("16bit", "fp16", None, None)],
)  # fmt: skip
def test_stored_formats(text: str, format_: str, group: int | None, bits: float | None) -> None:
    found = stored(text)
    assert found is not None
    assert (found.format, found.group_size, found.bits) == (format_, group, bits)


# --- the rest --------------------------------------------------------------------------------------------------------


def test_engines_that_fill_the_card(catalog: Catalog) -> None:
    model, card = catalog.models["llama-2-7b"], catalog.cards["rtx-4090"]

    def asked(engine: str, meter: str, with_card: bool = True) -> Question:
        return ask(Inference, {"engine": engine}, model=model, meter=meter, card=card if with_card else None)

    assert inference_memory.estimate(asked("vllm", "device"), NOTHING)["device"] == 0.9 * 24 * GIB
    assert inference_memory.estimate(asked("sglang", "allocated"), NOTHING)["allocated"] > 0
    with pytest.raises(CannotEstimate, match="sglang takes a share of the card"):
        inference_memory.estimate(asked("sglang", "device"), NOTHING)
    with pytest.raises(CannotEstimate, match="which card is not said"):
        inference_memory.estimate(asked("vllm", "device", with_card=False), NOTHING)


def test_questions_that_make_no_sense(catalog: Catalog) -> None:
    with pytest.raises(QuestionError) as error:
        ask(
            Inference,
            {"weights": "q4_km", "engine": "transformer", "context": -1, "group_size": -7, "weight_bits": 99.0},
            model=catalog.models["llama-2-7b"],
        )  # fmt: skip
    lines = str(error.value).splitlines()
    assert len(lines) == 5
    assert "did you mean 'q4_k_m'?" in lines[0]
    assert "did you mean 'transformers'?" in lines[1]


def test_models_without_a_shape(catalog: Catalog) -> None:
    other = next(m for m in catalog.models.values() if m.shape is None)
    with pytest.raises(CannotEstimate, match="only decoders"):
        inference_memory.estimate(ask(Inference, {}, model=other), NOTHING)


def test_only_what_matters_is_listed_as_assumed(catalog: Catalog) -> None:
    model = catalog.models["llama-2-7b"]
    assert "release = 5.0" in ask(Inference, {}, model=model).assumed
    assert not any("release" in a for a in ask(Inference, {"engine": "llama.cpp"}, model=model).assumed)


def test_calibration() -> None:
    """A family's rows do not speak of it: without the only rows that show whole cards, nothing is known of those."""
    rows = published.rows(ROOT, calibrator.KIND)
    fitted = calibrator.fit(rows)
    assert fitted["n"]["allocated"] > 250
    assert fitted["bands"]["allocated"] == (0.95, 1.05)
    assert 0 < fitted["constants"]["slack_transformers"] < fitted["constants"]["slack_llama_cpp"] < 4 * GIB
    whole_cards = [r for r in rows if cases.is_inference(r) and cases.meter(r) == "device" and r["status"] == "ok"]
    (only,) = {r["source_family"] for r in whole_cards}
    without = calibrator.fit(rows, exclude_family=only)
    assert set(without["constants"].values()) == {0.0}
    assert without["bands"]["device"] == (0.8, 1.25)


def test_calibrate_refuses_unknown_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "inference-memry"]) == 2
    assert "did you mean 'inference-memory'?" in capsys.readouterr().err
