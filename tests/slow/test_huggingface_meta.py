"""Every supported model_type, built by transformers without weights, has the parameters that we count.

Needs torch and transformers (not among the project's requirements): skipped where they are missing.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from generator import huggingface, parameters

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.slow

# Families whose code is not in transformers: their counts are checked in tests/test_huggingface.py.
REMOTE = {"baichuan", "chatglm", "internlm2", "kimi_k2", "minicpm", "qwen"}
SEEDS = range(4)


def flip(rng: random.Random) -> bool:
    return rng.random() < 0.5


def options(model_type: str, rng: random.Random) -> dict[str, Any]:
    """Toy dimensions and random options of one model_type, in the names of its file."""
    head_dim, heads = rng.choice((16, 32)), rng.choice((4, 8))
    kv = rng.choice((1, 2, 4))
    hidden = heads * head_dim
    layers = rng.choice((3, 4, 6))
    d: dict[str, Any] = {
        "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": rng.choice((48, 96, 130)), "vocab_size": rng.choice((100, 131)),
        "num_key_value_heads": kv, "tie_word_embeddings": flip(rng),
    }  # fmt: skip
    if model_type in ("gpt2", "gpt_bigcode", "gptj"):
        d = {"n_layer": layers, "n_embd": hidden, "n_head": heads, "vocab_size": 100, "n_positions": 64,
             "tie_word_embeddings": model_type != "gptj"}  # fmt: skip
        if flip(rng):
            d["n_inner"] = 100
        if model_type == "gpt_bigcode":
            d["multi_query"] = flip(rng)
        if model_type == "gptj":
            d["rotary_dim"] = 8
    if model_type == "bloom":
        d = {"n_layer": layers, "hidden_size": hidden, "n_head": heads, "vocab_size": 100}
    if model_type == "mpt":
        d = {"n_layers": layers, "d_model": hidden, "n_heads": heads, "vocab_size": 100, "max_seq_len": 64,
             "attn_config": {"alibi": True}, "expansion_ratio": 4, "no_bias": True}  # fmt: skip
    if model_type == "opt":
        d |= {"ffn_dim": 96, "max_position_embeddings": 50, "enable_bias": flip(rng),
              "do_layer_norm_before": flip(rng), "layer_norm_elementwise_affine": flip(rng),
              "word_embed_proj_dim": hidden}  # fmt: skip
    if model_type == "falcon":
        del d["num_key_value_heads"], d["intermediate_size"]
        d |= {"new_decoder_architecture": flip(rng), "multi_query": flip(rng), "parallel_attn": flip(rng),
              "bias": flip(rng), "tie_word_embeddings": True}  # fmt: skip
        if d["new_decoder_architecture"]:
            d |= {"num_kv_heads": kv, "num_ln_in_parallel_attn": rng.choice((1, 2))}
        if flip(rng):
            d["ffn_hidden_size"] = 72
    if model_type in HEAD_DIM:
        d["head_dim"] = rng.choice((16, 32, 64))
    for key in FLAGS.get(model_type, ()):
        d[key] = flip(rng)
    d |= EXPERTS.get(model_type, lambda _: {})(rng)
    if model_type in ("deepseek_v2", "deepseek_v3"):
        d["num_key_value_heads"] = heads
        d |= {"kv_lora_rank": 24, "q_lora_rank": rng.choice((None, 40)), "qk_rope_head_dim": 8,
              "qk_nope_head_dim": 16, "v_head_dim": rng.choice((16, 24)), "first_k_dense_replace": rng.choice((0, 1)),
              "n_shared_experts": rng.choice((1, 2)), "n_group": 1, "topk_group": 1}  # fmt: skip
    if model_type == "glm4_moe":
        d |= {"first_k_dense_replace": rng.choice((0, 1, 2)), "n_shared_experts": 1, "n_group": 1, "topk_group": 1}
    return d


HEAD_DIM = {"llama", "mistral", "mixtral", "qwen3", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "gpt_oss",
            "llama4_text", "nemotron", "arcee", "seed_oss", "internlm3", "hunyuan_v1_dense", "ministral"}  # fmt: skip
FLAGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text", "olmo", "olmo2", "olmo3", "olmoe", "cohere2", "glm",
         "glm4", "gpt_oss", "llama4_text", "granitemoe", "granitemoeshared", "gpt_neox", "hunyuan_v1_dense"),
        ("attention_bias",),
    ),
    **dict.fromkeys(("llama", "granite", "nemotron", "arcee", "smollm3"), ("attention_bias", "mlp_bias")),
    "cohere": ("attention_bias", "use_qk_norm"),
    "glm4_moe": ("attention_bias", "use_qk_norm"),
    "phimoe": ("attention_bias", "lm_head_bias"),
    "qwen2_moe": ("qkv_bias",),
    "seed_oss": ("attention_bias", "attention_out_bias", "mlp_bias"),
    "stablelm": ("use_qkv_bias", "qk_layernorm", "use_parallel_residual"),
    "starcoder2": ("use_bias",),
}  # fmt: skip


def _sparse(rng: random.Random) -> dict[str, Any]:
    first = rng.choice((None, [0], [0, 1]))
    return (
        {"decoder_sparse_step": 1, "mlp_only_layers": first} if first else {"decoder_sparse_step": rng.choice((1, 2))}
    )


EXPERTS: dict[str, Any] = {
    "mixtral": lambda rng: {"num_local_experts": 4, "num_experts_per_tok": 2},
    "phimoe": lambda rng: {"num_local_experts": 4, "num_experts_per_tok": 2},
    "olmoe": lambda rng: {"num_experts": 6, "num_experts_per_tok": 2},
    "granitemoe": lambda rng: {"num_local_experts": 4, "num_experts_per_tok": 2},
    "granitemoeshared": lambda rng: {
        "num_local_experts": 4, "num_experts_per_tok": 2, "shared_intermediate_size": rng.choice((0, 40))
    },
    "gpt_oss": lambda rng: {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen2_moe": lambda rng: {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 40,
                              "shared_expert_intermediate_size": 56, **_sparse(rng)},
    "qwen3_moe": lambda rng: {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 40, **_sparse(rng)},
    "llama4_text": lambda rng: {"num_local_experts": 4, "num_experts_per_tok": 1, "intermediate_size_mlp": 80,
                                "interleave_moe_layer_step": rng.choice((1, 2, 3))},
    **dict.fromkeys(
        ("deepseek_v2", "deepseek_v3", "glm4_moe"),
        lambda rng: {"n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 40},
    ),
}  # fmt: skip


def configured(model_type: str, stated: dict[str, Any]) -> Any:
    """The real config; its class defaults name padding tokens beyond a toy vocabulary."""
    return transformers.AutoConfig.for_model(model_type, **stated, pad_token_id=0)


def built(config: Any) -> int:
    """Parameters of the real class, with the balancing bias that some keep as a buffer."""
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    buffers = sum(b.numel() for name, b in model.named_buffers() if name.endswith("e_score_correction_bias"))
    return sum(p.numel() for p in model.parameters()) + buffers


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("model_type", sorted(set(huggingface.FAMILIES) - REMOTE))
def test_count_equals_the_class(model_type: str, seed: int) -> None:
    stated = options(model_type, random.Random(f"{model_type} {seed}"))
    if model_type == "internlm3":  # transformers asks that all biases agree and calls them otherwise
        stated |= dict.fromkeys(("qkv_bias", "bias"), seed % 2 == 0)
    config = configured(model_type, stated)
    want = built(config)
    for data in (stated | {"model_type": model_type}, json.loads(config.to_json_string(use_diff=True))):
        if model_type == "internlm3":
            data |= {k: v for k, v in stated.items() if k in ("qkv_bias", "bias")}
        shape = huggingface.parse(json.dumps(data).encode()).shape
        assert parameters.total(shape) == want, data


@pytest.mark.parametrize("model_type", sorted(set(huggingface.FAMILIES) - REMOTE - {"deepseek_v2"}))
def test_class_defaults(model_type: str) -> None:
    """Only the keys that we ask for: everything else is the default of the class."""
    rng = random.Random(model_type)
    stated = options(model_type, rng)
    keys = {"num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size", "n_layer",
            "n_embd", "n_head", "n_layers", "d_model", "n_heads", "ffn_dim", "num_experts", "num_local_experts",
            "n_routed_experts", "num_experts_per_tok"}  # fmt: skip
    kept = {k: v for k, v in stated.items() if k in keys}
    for key in ("num_attention_heads", "n_head", "n_heads"):  # divisible by every default number of KV heads
        if key in kept:
            kept[key] = 32
    for key in ("hidden_size", "n_embd", "d_model"):
        if key in kept:
            kept[key] = 256
    # What these classes cannot be built without.
    kept |= {"gptj": {"rotary_dim": 4}, "nemotron": {"num_key_value_heads": 4}}.get(model_type, {})
    if model_type in ("hunyuan_v1_dense", "ministral"):
        kept["head_dim"] = 8
    config = configured(model_type, kept)
    shape = huggingface.parse(json.dumps(kept | {"model_type": model_type}).encode()).shape
    assert parameters.total(shape) == built(config)
    sliding = [kind == "sliding_attention" for kind in getattr(config, "layer_types", None) or []]
    if any(sliding) and model_type != "mistral":
        assert shape.attention.sliding_window is not None
        window = shape.attention.sliding_window
        assert window.tokens == config.sliding_window
        pattern = sliding[: window.out_of]
        assert sum(pattern) == window.layers
