"""A user's config.json: shapes to the unit, clear refusals, and nothing else whatever the bytes are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import huggingface, parameters
from generator.catalog import Catalog
from generator.huggingface import Config, Weights
from generator.problems import DataError

FIXTURES = sorted((Path(__file__).parent / "data" / "hf").glob("*.json"))
LLAMA: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "hidden_act": "silu",
    "max_position_embeddings": 128, "tie_word_embeddings": False,
}  # fmt: skip


def parse(changes: dict[str, Any] | None = None, drop: tuple[str, ...] = ()) -> Config:
    data = {k: v for k, v in (LLAMA | (changes or {})).items() if k not in drop}
    return huggingface.parse(json.dumps(data).encode())


def problems(changes: dict[str, Any] | None = None, drop: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(DataError) as caught:
        parse(changes, drop)
    return [str(p) for p in caught.value.problems]


def text_problems(raw: bytes) -> list[str]:
    with pytest.raises(DataError) as caught:
        huggingface.parse(raw)
    return [str(p) for p in caught.value.problems]


def test_fixtures_are_there() -> None:
    assert len(FIXTURES) >= 38


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_shape_is_that_of_the_catalog(catalog: Catalog, path: Path) -> None:
    """The config of a model that the catalog has gives the catalog's shape, family by family."""
    config, model = huggingface.read(path), catalog.models[path.stem]
    assert config.shape == model.shape
    assert parameters.count(config.model) == parameters.count(model)
    assert config.model.kind == model.kind


def test_what_the_file_says_beside_the_shape() -> None:
    config = parse({"torch_dtype": "bfloat16", "_name_or_path": "me/tiny-7b"})
    assert (config.dtype, config.model.max_context, config.model.name) == ("bfloat16", 128, "tiny-7b")
    assert config.model.hugging_face == "me/tiny-7b"
    assert config.weights is None
    assert config.assumptions == ()
    assert parse({"dtype": "torch.float16"}).dtype == "float16"


def test_defaults_of_the_class_are_listed() -> None:
    config = parse({"model_type": "mistral", "num_attention_heads": 16}, ("num_key_value_heads",))
    assert config.shape.attention.kv_heads == 8
    assert "num_key_value_heads = 8 (not in the file: the default of its class)" in map(str, config.assumptions)
    assert "sliding_window = 4096 (not in the file: the default of its class)" in map(str, config.assumptions)


def test_multimodal_takes_the_text_part_and_says_so() -> None:
    whole = {
        "model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 64, "num_hidden_layers": 6,
        "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2}, "vision_config": {"x": 1},
    }  # fmt: skip
    config = huggingface.parse(json.dumps(whole).encode())
    assert config.shape.embedding.vocabulary == 262_208
    said = list(map(str, config.assumptions))
    assert "text_config = text part only (vision, audio and projector weights are not counted)" in said
    assert any(line.startswith("text_config.vocab_size = 262208") for line in said)
    del whole["text_config"]["hidden_size"]  # type: ignore[attr-defined]
    assert text_problems(json.dumps(whole).encode()) == [
        "config.json: text_config.hidden_size: missing; expected a whole number"
    ]


def test_problems_come_all_at_once() -> None:
    assert problems({"hidden_size": "64", "vocab_size": -1, "attention_bias": "no"}, ("num_hidden_layers",)) == [
        'config.json: attention_bias: wrong type ("no"); expected true or false',
        'config.json: hidden_size: wrong type ("64"); expected a whole number',
        "config.json: num_hidden_layers: missing; expected a whole number",
        "config.json: vocab_size: out of range (-1); expected 1 to 100,000,000",
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hidden_size": True}, "hidden_size: wrong type (true); expected a whole number"),
        ({"hidden_size": 64.0}, "hidden_size: wrong type (64.0)"),
        ({"hidden_size": None}, "hidden_size: wrong type (null)"),
        ({"hidden_size": {}}, "hidden_size: wrong type (an object)"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers: out of range (1000000000); expected 1 to 10,000"),
        ({"num_key_value_heads": 3}, "num_key_value_heads: does not divide the heads (3 of 4)"),
        ({"num_attention_heads": 6, "num_key_value_heads": 6}, "num_attention_heads: does not divide the hidden size"),
        ({"hidden_act": "tanh"}, "hidden_act: not supported (tanh); expected silu or a gelu"),
        ({"model_type": "mixtral", "num_experts_per_tok": 9}, "num_experts_per_tok: more than there are experts (9)"),
        ({"model_type": "mixtral", "sliding_window": -1}, "sliding_window: out of range (-1)"),
        ({"model_type": "phi", "qk_layernorm": True}, "qk_layernorm: not supported (true); expected false"),
        ({"model_type": "opt", "ffn_dim": 8, "word_embed_proj_dim": 32}, "word_embed_proj_dim: not supported (32)"),
        ({"model_type": "deepseek_v3", "attention_bias": True}, "attention_bias: not supported (true)"),
        ({"model_type": "deepseek_v2"}, "num_experts_per_tok: missing"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": [1]}, "mlp_only_layers: not supported"),
        ({"model_type": "gemma2", "layer_types": ["x"]}, "layer_types: 1 entries; expected one for each of 2 layers"),
        ({"model_type": "gemma2", "layer_types": [1, 2]}, "layer_types: wrong type; expected a list of texts"),
        ({"model_type": "mpt", "d_model": 64, "n_heads": 4, "n_layers": 2, "attn_config": 3}, "attn_config: wrong typ"),
        ({"model_type": 3}, "model_type: wrong type (3)"),
        ({"quantization_config": 3}, "quantization_config: wrong type (3)"),
        ({"quantization_config": {"quant_method": "gptq", "bits": "4"}}, "quantization_config.bits: wrong type"),
        ({"text_config": 3}, "text_config: wrong type (3); expected keys and values"),
    ],
)
def test_refusals(changes: dict[str, Any], says: str) -> None:
    lines = problems(changes)
    assert any(line.startswith("config.json: ") and says in line for line in lines), lines


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"model_type": "llamaa", "num_experts": 8},
            "(llamaa) (did you mean 'llama'?) and not counted like llama: num",
        ),
        ({"model_type": "bert", "type_vocab_size": 2}, "(bert)"),
        ({"model_type": "roberta", "type_vocab_size": 1}, "type_vocab_size speaks against it"),
        ({"model_type": "t5x", "is_encoder_decoder": True}, "is_encoder_decoder speaks against it"),
        ({"model_type": "nemotron_h", "mamba_num_heads": 64}, "mamba_num_heads speaks against it"),
        ({"model_type": "lfm2", "layer_types": ["conv", "full_attention"]}, "layer_types speaks against it"),
        ({"model_type": "odd", "hidden_act": "gelu"}, "hidden_act speaks against it"),
    ],
)
def test_unknown_types_are_refused_by_the_key_that_tells(changes: dict[str, Any], says: str) -> None:
    (line,) = problems(changes)
    assert line.startswith("config.json: model_type: not supported") and says in line, line
    assert "one of: arcee, baichuan" in line


def test_unknown_type_that_lacks_a_field() -> None:
    (line,) = problems({"model_type": "odd"}, ("intermediate_size", "hidden_act"))
    assert "it lacks intermediate_size, hidden_act" in line


def test_unknown_type_with_all_of_llama_is_counted_and_noted() -> None:
    config = parse({"model_type": "yi_next", "is_encoder_decoder": False})
    assert config.shape == parse().shape
    assert [a.key for a in config.assumptions] == ["model_type"]
    assert "yi_next is not known" in str(config.assumptions[0])


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "config.json:1: not valid JSON"),
        (b"[]", "config.json: holds a list; expected one JSON object"),
        (b"{\n'a': 1}", "config.json:2: not valid JSON"),
        (b'{"a": 1, "a": 2}', "config.json: a: key given twice; expected each key once"),
        (b'{"x": {"b": 1, "b": 1}}', "config.json: b: key given twice"),
        (b'{"a": NaN}', "config.json: not a number (NaN); expected finite numbers"),
        (b'{"a": -Infinity}', "config.json: not a number (-Infinity)"),
        (b'{"a": 1e999}', "config.json: number out of range (1e999)"),
        (b'{"a": ' + b"9" * 5000 + b"}", "config.json: number out of range (999"),
        (b"\xff{}", "config.json: is not UTF-8 (byte 0xff)"),
        (b'{"a":' * 100_000, "config.json: nested too deeply"),
        (b" " * 1_000_001, "config.json: is too large; expected at most 1,000,000 bytes"),
        (b"{}", "config.json: model_type: missing; expected a text, e.g. llama"),
    ],
    ids=range(13),
)
def test_bad_files(raw: bytes, says: str) -> None:
    lines = text_problems(raw)
    assert any(line.startswith(says) for line in lines), lines


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "none.json", "cannot be found")):
        with pytest.raises(DataError, match=says):
            huggingface.read(path)


@pytest.mark.parametrize(
    ("stated", "weights"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, Weights("gptq-int4", group_size=128)),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, Weights("gptq-int8", group_size=-1)),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, Weights("awq-int4", group_size=128)),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
         Weights("nf4", group_size=64)),
        ({"load_in_4bit": True}, Weights("fp4", group_size=64)),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, Weights("int8")),
        ({"quant_method": "fp8"}, Weights("fp8")),
        ({"quant_method": "mxfp4"}, Weights("mxfp4")),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, Weights("nvfp4")),
        ({"quant_method": "compressed-tensors",
          "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}}, Weights("fp8")),
        ({"quant_method": "compressed-tensors",
          "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}}},
         Weights("gptq-int4", group_size=128)),
        ({"quant_method": "something"}, None),
    ],
)  # fmt: skip
def test_quantization_is_a_hint(stated: dict[str, Any], weights: Weights | None) -> None:
    config = parse({"quantization_config": stated})
    assert config.weights == weights
    assert (weights is None) == any(a.key == "quantization_config" for a in config.assumptions)


@pytest.mark.parametrize(
    ("changes", "window"),
    [
        ({"model_type": "gemma2", "num_hidden_layers": 5}, (4096, 1, 2)),
        ({"model_type": "gemma3_text", "num_hidden_layers": 8, "sliding_window": 512}, (512, 5, 6)),
        ({"model_type": "gemma3_text", "num_hidden_layers": 8, "sliding_window_pattern": 4}, (4096, 3, 4)),
        ({"model_type": "mistral", "sliding_window": None}, None),
        ({"model_type": "mistral"}, (4096, 1, 1)),
        ({"model_type": "qwen2", "sliding_window": 99}, None),
        ({"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 3, "num_hidden_layers": 4},
         (4096, 1, 4)),
        ({"model_type": "exaone4", "num_hidden_layers": 8, "sliding_window_pattern": "LLG"}, (4096, 2, 3)),
        ({"model_type": "olmo3", "num_hidden_layers": 3,
          "layer_types": ["full_attention", "sliding_attention", "full_attention"]}, (4096, 1, 2)),
    ],
)  # fmt: skip
def test_sliding_windows(changes: dict[str, Any], window: tuple[int, int, int] | None) -> None:
    found = parse(changes).shape.attention.sliding_window
    assert (found and (found.tokens, found.layers, found.out_of)) == window


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(LLAMA)), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted({*LLAMA, "num_local_experts", "num_experts_per_tok", "layer_types", "sliding_window", "text_config",
               "quantization_config", "attn_config", "n_embd", "n_layer", "n_head", "head_dim", "tie_word_embeddings",
               "moe_layers", "mlp_only_layers", "expansion_ratio", "kv_lora_rank", "torch_dtype"})  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    model_type=st.sampled_from([*huggingface.FAMILIES, "unknown"]),
    changes=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5),
)
def test_any_object_gives_a_shape_or_a_report(model_type: str, changes: dict[str, Any]) -> None:
    raw = json.dumps(LLAMA | {"model_type": model_type} | changes).encode()
    try:
        config = huggingface.parse(raw)
    except DataError as error:
        assert str(error)
        assert all(len(line) < 1500 and line.isprintable() for line in str(error).splitlines())
    else:
        assert parameters.total(config.shape) > 0
        assert parameters.total(config.shape, active=True) <= parameters.total(config.shape)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_report(raw: bytes) -> None:
    with pytest.raises(DataError):
        huggingface.parse(raw)
