"""What the class of each ``model_type`` adds to the keys of its ``config.json``; see :mod:`generator.huggingface`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.jsonreader import MISSING, Reader, as_json
from generator.problems import show

Draft = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """A flag that a key of the file sets."""

    name: str
    default: bool


Flag = bool | Key
# How many layers see only a window: none; all (when the file has a window); n - 1 of n; the last ones (Qwen).
WindowRule = Literal["none", "all", "pattern", "upper", "alternate_lower"]


@dataclass(frozen=True)
class Family:
    """What the class of one ``model_type`` adds to the keys of its file.

    ``defaults``: values for dimensions that the file may leave out. ``keys``: other names of the dimensions ``layers``,
    ``hidden``, ``heads``, ``kv_heads``, ``head_dim``, ``inner``, ``vocabulary``, ``context``. ``kv_heads`` None: as
    many as heads. ``head_dim`` None: hidden size over heads. ``special`` finishes the draft of the shape.
    """

    name: str
    kv_heads: int | None = None
    head_dim: int | None = None
    qkv_bias: Flag = False
    output_bias: Flag = False
    mlp_bias: Flag = False
    head_bias: Flag = False
    gated: bool = True
    activation: str = "silu"
    norm: str = "rmsnorm"
    norms: int = 2
    qk_norm: str | None = None
    tied: bool = False
    learned_positions: int | None = None  # extra rows beyond the context; None: no position table
    inner_times_hidden: int | None = None  # the inner width where the file need not say it
    window: WindowRule = "none"
    window_tokens: int | None = None
    window_period: int = 1
    latent: bool = False
    defaults: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    special: Callable[[Reader, Draft], None] | None = None


KEYS: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers",),
    "hidden": ("hidden_size",),
    "heads": ("num_attention_heads",),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim",),
    "inner": ("intermediate_size",),
    "vocabulary": ("vocab_size",),
    "context": ("max_position_embeddings",),
}
_GPT2_KEYS: dict[str, tuple[str, ...]] = {
    "kv_heads": (),
    "layers": ("n_layer", "num_hidden_layers"),
    "hidden": ("n_embd", "hidden_size"),
    "heads": ("n_head", "num_attention_heads"),
    "inner": ("n_inner", "intermediate_size"),
    "context": ("n_positions", "max_position_embeddings"),
}


def _experts(
    r: Reader,
    d: Draft,
    count: int,
    per_token: int,
    width: int,
    *,
    shared: int = 0,
    shared_width: int | None = None,
    shared_gate: bool = False,
    dense_first: int = 0,
    every: int = 1,
    router_bias: bool = False,
    correction_bias: bool = False,
) -> None:
    """Write the experts into the draft; the dense width goes when every layer has experts."""
    layers = d["layers"]
    if per_token > count:
        r.wrong("num_experts_per_tok", f"more than there are experts ({per_token})", f"{count} or less")
    if dense_first and every != 1:
        r.wrong("decoder_sparse_step", f"not supported together with dense first layers ({every})", "1")
    if dense_first > layers:
        r.wrong("first_k_dense_replace", f"more than there are layers ({dense_first})", f"{layers} or less")
    if (layers - dense_first) // every == 0:
        return  # no layer with experts: a dense model
    d["experts"] = {
        "count": count, "per_token": per_token, "intermediate_size": width, "shared": shared,
        "shared_intermediate_size": shared_width, "shared_gate": shared_gate, "dense_first_layers": dense_first,
        "every": every, "router_bias": router_bias, "correction_bias": correction_bias,
    }  # fmt: skip
    if not dense_first and every == 1:
        d["mlp"]["intermediate_size"] = None


def _dense_layers(r: Reader, layers: int) -> tuple[int, int]:
    """``(dense first layers, experts in every n-th layer)`` of Qwen's keys."""
    every = r.whole("decoder_sparse_step", 1, high=100) if "decoder_sparse_step" in r.data else 1
    dense = sorted(r.items("mlp_only_layers", int) or [])
    if dense and (dense != list(range(len(dense))) or every != 1 or len(dense) > layers):
        r.not_counted("mlp_only_layers", "the first layers, with decoder_sparse_step 1")
        return 0, 1
    return len(dense), every


def _mixtral(r: Reader, d: Draft) -> None:
    count = r.whole(("num_local_experts", "num_experts"), 8, high=100_000)
    per_token = r.whole("num_experts_per_tok", 2, high=100_000)
    _experts(r, d, count, per_token, d["mlp"]["intermediate_size"])


def _phimoe(r: Reader, d: Draft) -> None:
    _experts(
        r, d, r.whole("num_local_experts", 16, high=100_000), r.whole("num_experts_per_tok", 2),
        d["mlp"]["intermediate_size"],
    )  # fmt: skip


def _olmoe(r: Reader, d: Draft) -> None:
    count = r.whole(("num_experts", "num_local_experts"), 64, high=100_000)
    _experts(r, d, count, r.whole("num_experts_per_tok", 8), d["mlp"]["intermediate_size"])


def _granitemoe(r: Reader, d: Draft) -> None:
    count = r.whole("num_local_experts", 8, high=100_000)
    per_token = r.whole("num_experts_per_tok", 2)
    width = r.whole("shared_intermediate_size", 0, low=0) if "shared_intermediate_size" in r.data else 0
    _experts(r, d, count, per_token, d["mlp"]["intermediate_size"], shared=int(width > 0), shared_width=width or None)


def _qwen2_moe(r: Reader, d: Draft) -> None:
    dense, every = _dense_layers(r, d["layers"])
    _experts(
        r, d, r.whole("num_experts", 60, high=100_000), r.whole("num_experts_per_tok", 4),
        r.whole("moe_intermediate_size", 1408), shared=1,
        shared_width=r.whole("shared_expert_intermediate_size", 5632), shared_gate=True,
        dense_first=dense, every=every,
    )  # fmt: skip


def _qwen3_moe(r: Reader, d: Draft) -> None:
    dense, every = _dense_layers(r, d["layers"])
    count = r.whole(("num_experts", "num_local_experts"), 128, high=100_000)
    per_token, width = r.whole("num_experts_per_tok", 8), r.whole("moe_intermediate_size", 768)
    _experts(r, d, count, per_token, width, dense_first=dense, every=every)


def _gpt_oss(r: Reader, d: Draft) -> None:
    count = r.whole(("num_local_experts", "num_experts"), 128, high=100_000)
    per_token = r.whole(("num_experts_per_tok", "experts_per_token"), 4)
    _experts(r, d, count, per_token, d["mlp"]["intermediate_size"], router_bias=True)
    d["attention"]["sinks"] = True


def _llama4(r: Reader, d: Draft) -> None:
    """Experts in every n-th layer, one shared expert as wide; other layers have a wider dense block."""
    width = d["mlp"]["intermediate_size"]
    count, per_token = r.whole("num_local_experts", 16, high=100_000), r.whole("num_experts_per_tok", 1)
    every = r.whole("interleave_moe_layer_step", 1, high=100)
    stated = r.items("moe_layers", int)
    if stated is not None and stated != list(range(every - 1, d["layers"], every)):
        r.not_counted("moe_layers", f"every {every}th layer, as interleave_moe_layer_step says")
    if every > 1:
        d["mlp"]["intermediate_size"] = r.whole("intermediate_size_mlp", 16384)
    _experts(r, d, count, per_token, width, shared=1, every=every)
    if r.maybe("attention_chunk_size", 8192) is not None:
        r.assume("attention_chunk_size", "none", "attention in chunks is counted as full attention")


def _glm4_moe(r: Reader, d: Draft) -> None:
    if r.flag("use_qk_norm", False):
        d["attention"]["qk_norm"] = "per_head"
    _deepseek_experts(r, d, 128, 8, 1408, 1, 1, correction=True)


def _deepseek_experts(
    r: Reader, d: Draft, count: int, per_token: int | object, width: int, shared: int, dense: int, correction: bool
) -> None:
    frequency = r.whole("moe_layer_freq", 1, high=100) if "moe_layer_freq" in r.data else 1
    if frequency != 1:
        r.not_counted("moe_layer_freq", "1")
    _experts(
        r, d, r.whole(("n_routed_experts", "num_experts"), count, high=100_000),
        r.whole("num_experts_per_tok", per_token), r.whole("moe_intermediate_size", width),
        shared=r.maybe("n_shared_experts", shared, low=0, high=64) or 0,
        dense_first=r.whole("first_k_dense_replace", dense, low=0), correction_bias=correction,
    )  # fmt: skip
    extra = r.maybe(("num_nextn_predict_layers", "num_mtp_layers"), low=0)
    if extra:
        r.assume("num_nextn_predict_layers", 0, "layers that predict further tokens are not counted")


def _latent(r: Reader, d: Draft) -> None:
    if r.flag("attention_bias", False):
        r.not_counted("attention_bias", "false with latent attention")
    d["attention"]["latent"] = {
        "kv_rank": r.whole("kv_lora_rank", 512),
        "q_rank": r.maybe("q_lora_rank", 1536),
        "rope_head_dim": r.whole("qk_rope_head_dim", 64),
        "nope_head_dim": r.whole("qk_nope_head_dim", 128),
        "value_head_dim": r.whole("v_head_dim", 128),
    }
    # Only the latent dimensions count; these keep the fields of ordinary attention meaningful.
    d["attention"].update(kv_heads=d["attention"]["heads"], head_dim=d["attention"]["latent"]["value_head_dim"])


def _deepseek_v2(r: Reader, d: Draft) -> None:
    _latent(r, d)
    _deepseek_experts(r, d, 64, MISSING, 1407, 2, 0, correction=False)


def _deepseek_v3(r: Reader, d: Draft) -> None:
    _latent(r, d)
    _deepseek_experts(r, d, 256, 8, 2048, 1, 3, correction=True)


def _phi(r: Reader, _: Draft) -> None:
    if r.flag("qk_layernorm", False):
        r.not_counted("qk_layernorm", "false")


def _stablelm(r: Reader, d: Draft) -> None:
    if r.flag("use_parallel_residual", False):
        d["norm"]["per_layer"] = 1
    if r.flag("qk_layernorm", False):
        d["attention"]["qk_norm"] = "full_width"


def _cohere(r: Reader, d: Draft) -> None:
    if r.flag("use_qk_norm", False):
        d["attention"]["qk_norm"] = "full_width"


def _bigcode(r: Reader, d: Draft) -> None:
    d["attention"]["kv_heads"] = 1 if r.flag("multi_query", True) else d["attention"]["heads"]


def _no_cross_attention(r: Reader, _: Draft) -> None:
    if r.flag("add_cross_attention", False):
        r.not_counted("add_cross_attention", "false")


def _bloom(_: Reader, d: Draft) -> None:
    d["norm"]["embedding"] = True


def _opt(r: Reader, d: Draft) -> None:
    project = r.maybe("word_embed_proj_dim")
    if project is not None and project != d["hidden_size"]:
        r.not_counted("word_embed_proj_dim", f"the hidden size, {d['hidden_size']}")
    if not r.flag("layer_norm_elementwise_affine", True):
        d["norm"]["kind"] = "layernorm_no_weights"
    d["norm"]["final"] = r.flag("do_layer_norm_before", True) and not r.flag("_remove_final_layer_norm", False)


def _falcon(r: Reader, d: Draft) -> None:
    heads = d["attention"]["heads"]
    new = r.flag("new_decoder_architecture", False)
    if new:
        kv = r.maybe(("num_kv_heads", "n_head_kv")) or heads
        # Falcon-11B shares one norm between attention and MLP, 40B and 180B have two.
        d["norm"]["per_layer"] = r.maybe("num_ln_in_parallel_attn", low=1, high=2) or 2
    else:
        kv = 1 if r.flag("multi_query", True) else heads
        d["norm"]["per_layer"] = 1 if r.flag("parallel_attn", True) else 2
    if heads % kv:
        r.wrong("num_kv_heads", f"does not divide the heads ({kv} of {heads})", "a divisor of num_attention_heads")
    d["attention"]["kv_heads"] = kv


def _mpt(r: Reader, d: Draft) -> None:
    """llm-foundry's keys; the class in transformers is the case without biases and with ALiBi."""
    heads, hidden = d["attention"]["heads"], d["hidden_size"]
    stated = r.data.get("attn_config") or {}
    if not isinstance(stated, dict):
        r.wrong("attn_config", "wrong type", "keys and values")
        stated = {}
    a = Reader(stated, r.path, (*r.inside, "attn_config"))
    kind = a.text("attn_type", "multihead_attention")
    kv = {"multihead_attention": heads, "multiquery_attention": 1}.get(kind)
    if kind == "grouped_query_attention":
        kv = a.whole("kv_n_heads")
    if kv is None or heads % kv:
        a.not_counted("attn_type" if kv is None else "kv_n_heads", "multihead, multiquery or grouped_query_attention")
        kv = heads
    if a.flag("qk_ln", False) or a.flag("qk_gn", False):
        a.not_counted("qk_ln", "no norm on queries and keys")
    positions = r.flag("learned_pos_emb", True) and not a.flag("alibi", True) and not a.flag("rope", False)
    ffn = r.data.get("ffn_config")
    if isinstance(ffn, dict) and ffn.get("ffn_type", "mptmlp") != "mptmlp":
        r.not_counted("ffn_config", "ffn_type mptmlp")
    ratio = r.data.get("expansion_ratio", 4)
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 100:
        r.wrong("expansion_ratio", f"wrong value ({show(as_json(ratio))})", "a number, e.g. 4")
        ratio = 4
    biases = not r.flag("no_bias", True)
    d["attention"].update(kv_heads=kv, qkv_bias=biases, output_bias=biases)
    d["mlp"].update(intermediate_size=max(1, int(hidden * ratio)), bias=biases)
    d["norm"]["kind"] = "layernorm" if biases else "layernorm_no_bias"
    if positions:
        d["embedding"]["learned_positions"] = r.whole("max_seq_len", 2048)
    r.problems += a.problems
    r.assumptions += a.assumptions


def _chatglm(r: Reader, d: Draft) -> None:
    heads = d["attention"]["heads"]
    groups = r.whole("multi_query_group_num") if r.flag("multi_query_attention", False) else heads
    if heads % groups:
        r.wrong("multi_query_group_num", f"does not divide the heads ({groups} of {heads})", "a divisor of the heads")
    d["attention"]["kv_heads"] = groups
    if r.flag("add_bias_linear", False):
        d["attention"]["output_bias"] = d["attention"]["qkv_bias"] = d["mlp"]["bias"] = True
    if not r.flag("rmsnorm", True):
        d["norm"]["kind"] = "layernorm"
    d["norm"]["final"] = r.flag("post_layer_norm", True)


def _qwen1(r: Reader, d: Draft) -> None:
    """The inner width in the file is that of both gated halves together."""
    width = d["mlp"]["intermediate_size"]
    if width % 2:
        r.wrong("intermediate_size", f"odd ({width})", "an even number: both gated halves")
    d["mlp"]["intermediate_size"] = max(1, width // 2)
    if not r.flag("no_bias", True):
        r.not_counted("no_bias", "true")


# Families by what they share: a LLaMA and what differs from it, a GPT-2 and what differs from that.
_BIAS: dict[str, Any] = {"qkv_bias": Key("attention_bias", False), "output_bias": Key("attention_bias", False)}
_ALL_BIAS: dict[str, Any] = {**_BIAS, "mlp_bias": Key("mlp_bias", False)}
_GEMMA: dict[str, Any] = {**_BIAS, "head_dim": 256, "activation": "gelu", "tied": True}
_COHERE: dict[str, Any] = {**_BIAS, "norm": "layernorm_no_bias", "norms": 1, "tied": True}
_GPT: dict[str, Any] = {"gated": False, "activation": "gelu", "norm": "layernorm"}
_BIASED: dict[str, Any] = {"qkv_bias": True, "output_bias": True, "mlp_bias": True}
_GPT2: dict[str, Any] = {
    **_GPT, **_BIASED, "tied": True, "learned_positions": 0, "inner_times_hidden": 4, "keys": _GPT2_KEYS,
    "defaults": {"context": 1024},
}  # fmt: skip


def _biased_by(key: str, default: bool) -> dict[str, Any]:
    return dict.fromkeys(("qkv_bias", "output_bias", "mlp_bias"), Key(key, default))


def _every(period: int, tokens: int) -> dict[str, Any]:
    """A window in all but the last of every ``period`` layers."""
    return {"window": "pattern", "window_tokens": tokens, "window_period": period}


FAMILIES: dict[str, Family] = {
    "llama": Family("llama", **_ALL_BIAS),
    "mistral": Family("mistral", kv_heads=8, window="all", window_tokens=4096),
    "ministral": Family("mistral", kv_heads=8, window="all", window_tokens=4096),
    "mixtral": Family("mixtral", kv_heads=8, window="all", special=_mixtral),
    "qwen": Family(
        "qwen", qkv_bias=True, head_dim=128, special=_qwen1,
        keys={"kv_heads": (), "head_dim": ("kv_channels",), "context": ("seq_length", "max_position_embeddings")},
    ),
    "qwen2": Family("qwen2", kv_heads=32, qkv_bias=True, window="upper", window_tokens=4096),
    "qwen2_moe": Family(
        "qwen2-moe", kv_heads=16, qkv_bias=Key("qkv_bias", True), window="alternate_lower", window_tokens=4096,
        special=_qwen2_moe, defaults={"inner": 5632},
    ),
    "qwen3": Family(
        "qwen3", kv_heads=32, head_dim=128, qk_norm="per_head", window="upper", window_tokens=4096, **_BIAS
    ),
    "qwen3_moe": Family(
        "qwen3-moe", kv_heads=4, qk_norm="per_head", special=_qwen3_moe, defaults={"inner": 6144}, **_BIAS
    ),
    "gemma": Family("gemma", kv_heads=16, **_GEMMA),
    "gemma2": Family("gemma2", kv_heads=4, norms=4, **_GEMMA, **_every(2, 4096)),
    "gemma3_text": Family(
        "gemma3", kv_heads=4, norms=4, qk_norm="per_head", defaults={"heads": 8, "vocabulary": 262_208},
        **_GEMMA, **_every(6, 4096),
    ),
    "phi": Family("phi", norms=1, head_bias=True, special=_phi, **_GPT, **_BIASED),
    "phi3": Family("phi3", window="all"),
    "phimoe": Family(
        "phimoe", kv_heads=8, norm="layernorm", head_bias=Key("lm_head_bias", False), window="all", special=_phimoe,
        **_BIAS,
    ),
    "gpt2": Family("gpt2", special=_no_cross_attention, **_GPT2),
    "gpt_bigcode": Family("gpt-bigcode", special=_bigcode, **_GPT2),
    "gptj": Family(
        "gptj", norms=1, mlp_bias=True, head_bias=True, inner_times_hidden=4, keys=_GPT2_KEYS, **_GPT
    ),
    "gpt_neox": Family(
        "gpt-neox", qkv_bias=Key("attention_bias", True), output_bias=Key("attention_bias", True), mlp_bias=True,
        keys={"kv_heads": ()}, **_GPT,
    ),
    "opt": Family(
        "opt", gated=False, activation="relu", norm="layernorm", tied=True, learned_positions=2,
        keys={"inner": ("ffn_dim",), "kv_heads": ()}, defaults={"context": 2048}, special=_opt,
        **_biased_by("enable_bias", True),
    ),
    "bloom": Family(
        "bloom", tied=True, inner_times_hidden=4, special=_bloom,
        keys={"layers": ("n_layer", "num_hidden_layers"), "heads": ("n_head", "num_attention_heads"),
              "hidden": ("hidden_size", "n_embed"), "kv_heads": (), "inner": ("n_inner",), "context": ("seq_length",)},
        **_GPT, **_BIASED,
    ),
    "falcon": Family(
        "falcon", tied=True, inner_times_hidden=4, special=_falcon,
        keys={"layers": ("num_hidden_layers", "n_layer"), "heads": ("num_attention_heads", "n_head"),
              "hidden": ("hidden_size", "n_embed"), "kv_heads": (), "inner": ("ffn_hidden_size",)},
        **_GPT, **_biased_by("bias", False),
    ),
    "mpt": Family(
        "mpt", gated=False, activation="gelu", norm="layernorm_no_bias", tied=True, inner_times_hidden=4, special=_mpt,
        keys={"layers": ("n_layers", "num_hidden_layers"), "heads": ("n_heads", "num_attention_heads"),
              "hidden": ("d_model", "hidden_size"), "kv_heads": (), "inner": (), "context": ("max_seq_len",)},
    ),
    "starcoder2": Family("starcoder2", kv_heads=2, tied=True, window="all", **_GPT, **_biased_by("use_bias", True)),
    "stablelm": Family(
        "stablelm", kv_heads=32, norm="layernorm", qkv_bias=Key("use_qkv_bias", False), special=_stablelm
    ),
    "cohere": Family("cohere", special=_cohere, **_COHERE),
    "cohere2": Family("cohere2", **_COHERE, **_every(4, 4096)),
    "olmo": Family("olmo", norm="layernorm_no_weights", **_BIAS),
    "olmo2": Family("olmo2", qk_norm="full_width", **_BIAS),
    "olmo3": Family("olmo3", qk_norm="full_width", **_BIAS, **_every(4, 4096)),
    "olmoe": Family("olmoe", qk_norm="full_width", special=_olmoe, **_BIAS),
    "granite": Family("granite", **_ALL_BIAS),
    "granitemoe": Family("granitemoe", special=_granitemoe, **_BIAS),
    "granitemoeshared": Family("granitemoe", special=_granitemoe, **_BIAS),
    "internlm2": Family("internlm2", qkv_bias=Key("bias", False), output_bias=Key("bias", False)),
    "internlm3": Family(
        "internlm3", kv_heads=2, head_dim=128, qkv_bias=Key("qkv_bias", False), output_bias=Key("bias", False),
        mlp_bias=Key("bias", False),
    ),
    "baichuan": Family("baichuan", keys={"kv_heads": (), "context": ("max_position_embeddings", "model_max_length")}),
    "chatglm": Family(
        "chatglm", qkv_bias=Key("add_qkv_bias", False), special=_chatglm,
        keys={"layers": ("num_layers",), "kv_heads": (), "inner": ("ffn_hidden_size",), "head_dim": ("kv_channels",),
              "vocabulary": ("padded_vocab_size", "vocab_size"), "context": ("seq_length",)},
    ),
    "glm": Family("glm4", kv_heads=2, head_dim=128, qkv_bias=Key("attention_bias", True)),
    "glm4": Family("glm4", kv_heads=2, head_dim=128, qkv_bias=Key("attention_bias", True), norms=4),
    "glm4_moe": Family(
        "glm4-moe", kv_heads=8, qkv_bias=Key("attention_bias", False), special=_glm4_moe, defaults={"inner": 10944}
    ),
    "deepseek_v2": Family("deepseek-v2", latent=True, special=_deepseek_v2),
    "deepseek_v3": Family("deepseek-v3", latent=True, special=_deepseek_v3),
    "kimi_k2": Family("kimi-k2", latent=True, special=_deepseek_v3),
    "gpt_oss": Family(
        "gpt-oss", kv_heads=8, head_dim=64, qkv_bias=Key("attention_bias", True),
        output_bias=Key("attention_bias", True), mlp_bias=True, special=_gpt_oss, **_every(2, 128),
    ),
    "llama4_text": Family("llama4", kv_heads=8, head_dim=128, special=_llama4, **_BIAS),
    "minicpm": Family("minicpm", tied=True, **_BIAS),
    "smollm3": Family("smollm3", kv_heads=4, tied=True, **_ALL_BIAS),
    "nemotron": Family("nemotron", gated=False, activation="relu2", norm="layernorm", **_ALL_BIAS),
    "arcee": Family("arcee", gated=False, activation="relu2", **_ALL_BIAS),
    "exaone4": Family("exaone4", kv_heads=32, qk_norm="per_head", **_every(4, 4096)),
    "seed_oss": Family(
        "seed-oss", kv_heads=8, head_dim=128, qkv_bias=Key("attention_bias", True),
        output_bias=Key("attention_out_bias", False), mlp_bias=Key("mlp_bias", False),
    ),
    "hunyuan_v1_dense": Family("hunyuan", qk_norm="per_head", **_BIAS),
}  # fmt: skip
# What a model_type that is not here is counted as, when its keys allow it.
UNKNOWN = Family("unknown", tied=True, **_ALL_BIAS)
