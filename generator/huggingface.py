"""A user's own Hugging Face ``config.json`` as the guide's :class:`LanguageModel`. No network, no code run.

A ``config.json`` states some of a model's dimensions; the class that its ``model_type`` names supplies the rest:
biases, norms, whether the MLP is gated, defaults of keys that were left out. :data:`FAMILIES` holds what the classes
supply, read from transformers 5.23 and checked by building each class without weights
(``tests/slow/test_huggingface_meta.py``). Families that are not in transformers are checked against the counts of
released checkpoints (chatglm, internlm2, kimi_k2, mpt, qwen), or follow their published code alone (baichuan, minicpm).
Whatever was not in the file and matters is listed in :attr:`Config.assumptions`.

The file is untrusted: bounded in size and depth, duplicate keys and NaN are errors, every number is typed and bounded,
and what this guide cannot count exactly is refused with the name of the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from generator.hf_families import FAMILIES, KEYS, UNKNOWN, Draft, Family, Flag, Key
from generator.jsonreader import MAX_BYTES, MISSING, Assumption, Reader, as_json, decode
from generator.problems import DataError, Problem, near, show
from generator.schema.model import LanguageModel, Parameters, Shape

SOURCE = "USER_CONFIG"  # stands in LanguageModel.sources; no entry of the bibliography


@dataclass(frozen=True)
class Weights:
    """How the weights are stored, as far as a config or a name tells.

    ``format``: fp32, fp16, bf16, fp8, mxfp8, int8, nf4, fp4, mxfp4, nvfp4, gptq-int2 … gptq-int8, awq-int4, exl2, or a
    type of llama.cpp in lower case (q4_k_m, iq3_xs, …). ``bits`` where the format itself does not fix them,
    ``group_size`` in weights (-1 = one group a row), both None when not said.
    """

    format: str
    bits: float | None = None
    group_size: int | None = None

    def __str__(self) -> str:
        group = f", groups of {self.group_size}" if self.group_size and self.group_size > 0 else ""
        return f"{self.format}{f' {self.bits:g} bit' if self.bits else ''}{group}"


@dataclass(frozen=True)
class Config:
    """What a ``config.json`` says: the model with its shape, the stored format and type, and what was assumed."""

    model: LanguageModel
    weights: Weights | None
    dtype: str | None
    assumptions: tuple[Assumption, ...]

    @property
    def shape(self) -> Shape:
        """The shape; a model that was read from a config always has one."""
        assert self.model.shape is not None
        return self.model.shape


# The text part of a multimodal model, under its own name.
_TEXT_PARTS = {
    "qwen2_vl_text": "qwen2", "qwen2_5_vl_text": "qwen2", "qwen2_vl": "qwen2", "qwen2_5_vl": "qwen2",
    "qwen2_5_omni_text": "qwen2", "qwen3_vl_text": "qwen3", "qwen3_vl_moe_text": "qwen3_moe", "kimi_k25": "kimi_k2",
    "glm4v_text": "glm4", "glm4v_moe_text": "glm4_moe", "RefinedWebModel": "falcon", "RefinedWeb": "falcon",
}  # fmt: skip
_WRAPPED_DEFAULT = {"gemma3": "gemma3_text", "llama4": "llama4_text", "mistral3": "mistral", "paligemma": "gemma"}
_WRAPPERS = ("text_config", "llm_config", "language_config")
# Keys that mean layers which an unknown model_type cannot be counted without knowing.
_FOREIGN = re.compile(
    r"experts|moe_|kv_lora|mamba|ssm|linear_|conv_kernel|layers_block_type|hybrid|rwkv|cross_attention"
    r"|per_layer|encoder_layers|is_encoder|type_vocab|_rank|classifier|global_attn|pooler|lru|block_types"
)


def read(path: Path, shown: str | None = None) -> Config:
    """The model that the ``config.json`` at ``path`` describes; ``shown`` is how problems name the file.

    Raises:
        DataError: the file cannot be used; ``str()`` lists every problem, one a line.
    """
    name = shown if shown is not None else path.name
    try:
        if not path.is_file():
            kind = "is a folder" if path.is_dir() else "cannot be found"
            raise DataError([Problem(name, 0, "", kind, "a config.json")])
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError([Problem(name, 0, "", f"cannot be read ({error.strerror})", "a readable file")]) from None
    return parse(raw, name)


def parse(raw: bytes, shown: str = "config.json") -> Config:
    """The model that the text of a ``config.json`` describes.

    Raises:
        DataError: it cannot be used; ``str()`` lists every problem, one a line.
    """
    outer = Reader(decode(raw, shown), shown)
    r = _text_part(outer)
    model_type = r.text("model_type", "")
    if not model_type and r is not outer:
        model_type = _WRAPPED_DEFAULT.get(outer.text("model_type", ""), "")
    if not model_type:
        r.wrong("model_type", "missing", "a text, e.g. llama")
        raise DataError(r.problems)
    family = FAMILIES.get(_TEXT_PARTS.get(model_type, model_type)) or _unknown(r, model_type)
    shape = _shape(r, family)
    weights = _weights(r if "quantization_config" in r.data else outer)
    dtype = r.text(("dtype", "torch_dtype"), "") or outer.text(("dtype", "torch_dtype"), "") or None
    context = r.maybe(family.keys.get("context", KEYS["context"]))
    problems = [*r.problems, *(outer.problems if outer is not r else [])]
    if problems or shape is None:
        raise DataError(problems)
    name = outer.text("_name_or_path", "")
    plausible = re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", name) is not None
    model = LanguageModel(
        slug=f"config-{re.sub(r'[^a-z0-9]+', '-', model_type.lower())[:50].strip('-') or 'model'}",
        name=name.split("/")[1] if plausible else f"{show(shown)} ({show(model_type)})",
        kind="dense_decoder" if shape.experts is None else "moe_decoder",
        family=family.name, hugging_face=name if plausible and len(name) <= 100 else None, released=None, license=None,
        max_context=context, shape=shape, other_shape=None, gmac_per_image=None,
        parameters=Parameters(published=None, counted=None, reason=None),
        sources=[SOURCE],
    )  # fmt: skip
    assumptions = [*r.assumptions, *(outer.assumptions if outer is not r else [])]
    return Config(model, weights, dtype.removeprefix("torch.") if dtype else None, tuple(dict.fromkeys(assumptions)))


def _text_part(outer: Reader) -> Reader:
    """The config of the language model inside a multimodal one, else the whole."""
    for key in _WRAPPERS:
        inner = outer.data.get(key)
        if inner is None:
            continue
        if not isinstance(inner, dict):
            outer.wrong(key, f"wrong type ({show(as_json(inner))})", "keys and values")
            raise DataError(outer.problems)
        # What the part leaves out the whole may say.
        data = {k: outer.data[k] for k in ("tie_word_embeddings",) if k in outer.data} | inner
        r = Reader(data, outer.path, (key,))
        r.assume("", "text part only", "vision, audio and projector weights are not counted")
        return r
    if any(key in outer.data for key in ("vision_config", "audio_config", "visual")):
        outer.assume("vision_config", "left out", "only the text part is counted")
    return outer


def _unknown(r: Reader, model_type: str) -> Family:
    """Llama's family for a model_type that is not known, if everything that Llama's count needs is there.

    Raises:
        DataError: something is missing, or a key speaks of layers that Llama has not.
    """
    hint = near(model_type, FAMILIES)
    foreign = sorted(k for k, v in r.data.items() if _FOREIGN.search(k) and (v is True or v not in (None, 0, [], {})))
    types = r.data.get("layer_types")
    if isinstance(types, list) and any(kind not in ("full_attention", "sliding_attention") for kind in types):
        foreign.append("layer_types")
    if r.data.get("hidden_act") not in ("silu", "swish", None):
        foreign.append("hidden_act")
    needed = (
        "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size", "hidden_act",
    )  # fmt: skip
    absent = [key for key in needed if key not in r.data]
    if foreign or absent:
        keys = ", ".join(show(k) for k in foreign[:3])
        why = (
            f"{keys} speak{'s' if len(foreign) == 1 else ''} against it" if foreign else f"it lacks {', '.join(absent)}"
        )
        r.wrong(
            "model_type", f"not supported ({show(model_type)}){hint} and not counted like llama: {why}",
            f"one of: {', '.join(sorted(FAMILIES))}",
        )  # fmt: skip
        raise DataError(r.problems)
    r.assume("model_type", "llama", f"{show(model_type)} is not known: gated MLP, RMSNorm, two norms a layer")
    return UNKNOWN


def _flag(r: Reader, flag: Flag) -> bool:
    return r.flag(flag.name, flag.default) if isinstance(flag, Key) else flag


def _shape(r: Reader, family: Family) -> Shape | None:
    """The shape, or None after noting what is wrong."""
    keys = {name: family.keys.get(name, default) for name, default in KEYS.items()}

    def need(name: str, high: int) -> int:
        return r.whole(keys[name], family.defaults.get(name, MISSING), high=high)

    layers, hidden, heads = need("layers", 10_000), need("hidden", 1_000_000), need("heads", 100_000)
    vocabulary = need("vocabulary", 100_000_000)
    if family.inner_times_hidden is not None:
        inner = (r.maybe(keys["inner"]) if keys["inner"] else None) or family.inner_times_hidden * hidden
    else:
        inner = need("inner", 100_000_000)
    if not keys["kv_heads"] or family.latent:
        kv_heads = heads
    else:
        kv_heads = r.maybe(keys["kv_heads"], family.kv_heads, high=100_000) or heads
        if heads % kv_heads and not r.problems:
            r.wrong(keys["kv_heads"][0], f"does not divide the heads ({kv_heads} of {heads})", "a divisor of the heads")
    head_dim = None if family.latent else r.maybe(keys["head_dim"], family.head_dim, high=1_000_000)
    if head_dim is None:
        if hidden % heads and not family.latent and not r.problems:
            r.wrong(
                keys["heads"][0], f"does not divide the hidden size ({heads}, {hidden})", "a divisor, or head_dim given"
            )
        head_dim = max(1, hidden // heads)
    kind = _mlp_kind(r, family)
    positions = None
    if family.learned_positions is not None:
        positions = need("context", 100_000_000) + family.learned_positions
    draft: Draft = {
        "layers": layers,
        "hidden_size": hidden,
        "attention": {
            "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "qkv_bias": _flag(r, family.qkv_bias),
            "output_bias": _flag(r, family.output_bias), "qk_norm": family.qk_norm, "sinks": False,
            "sliding_window": _window(r, family, layers), "latent": None,
        },
        "mlp": {"kind": kind, "intermediate_size": inner, "bias": _flag(r, family.mlp_bias)},
        "experts": None,
        "norm": {"kind": family.norm, "per_layer": family.norms, "final": True, "embedding": False},
        "embedding": {
            "vocabulary": vocabulary, "tied": _tied(r, family),
            "learned_positions": positions, "head_bias": _flag(r, family.head_bias),
        },
    }  # fmt: skip
    if family.special is not None:
        family.special(r, draft)
    return None if r.problems else Shape.model_validate(draft)


def _tied(r: Reader, family: Family) -> bool:
    """Whether the head is the embedding. Saved files leave the key out where it is true, so only false is noted."""
    return r.flag("tie_word_embeddings", family.tied, note=not family.tied or family is UNKNOWN)


def _mlp_kind(r: Reader, family: Family) -> str:
    """The kind of MLP; activations that differ only in their curve count alike."""
    key = next(
        (k for k in ("hidden_activation", "hidden_act", "activation_function", "activation") if r.data.get(k)),
        "hidden_act",
    )
    act = r.text(key, family.activation).lower()
    if family.gated:
        if act in ("silu", "swish"):
            return "swiglu"
        if "gelu" in act:
            return "geglu"
        r.wrong(key, f"not supported ({show(act)})", "silu or a gelu")
    else:
        if act in ("gelu_fast", "gelu_python", "quick_gelu"):
            return "gelu_python"
        if "gelu" in act:
            return "gelu"
        if act in ("relu", "relu2", "relu_squared"):
            if act != "relu":
                r.assume(key, "relu", "a squared relu is counted like relu")
            return "relu"
        if act in ("silu", "swish"):
            r.assume(key, "gelu", "two matrices with silu are counted like gelu")
            return "gelu"
        r.wrong(key, f"not supported ({show(act)})", "a gelu, relu or silu")
    return "gelu"


def _window(r: Reader, family: Family, layers: int) -> Draft | None:
    """Which layers see only a window: from the list of layer types, else from the family's rule."""
    if family.window == "none":
        return None
    if family.window in ("upper", "alternate_lower") and not r.flag("use_sliding_window", False):
        return None
    tokens = r.maybe("sliding_window", family.window_tokens)
    if tokens is None:
        return None
    types = r.items("layer_types", str, layers)
    if types is not None:
        sliding = [kind == "sliding_attention" for kind in types]
    elif family.window == "all":
        sliding = [True] * layers
    elif family.window == "pattern":
        period = family.window_period
        if isinstance(r.data.get("sliding_window_pattern"), str):  # Exaone: L = local, G = global
            text = r.text("sliding_window_pattern", "LLLG")
            sliding = [text[i % len(text)].upper() == "L" for i in range(layers)]
        else:
            period = r.maybe("sliding_window_pattern", high=1000) or period
            sliding = [bool((i + 1) % period) for i in range(layers)]
    else:
        upper = r.whole("max_window_layers", 28, low=0)
        if family.window == "upper":
            sliding = [i >= upper for i in range(layers)]
        else:
            sliding = [bool((i + 1) % 2) and i < upper for i in range(layers)]
    if not any(sliding):
        return None
    for period in range(1, 101):
        if all(sliding[i] == sliding[i % period] for i in range(layers)):
            some = sum(sliding[:period])
            return {"tokens": tokens, "layers": some, "out_of": min(period, layers)}
    r.wrong("layer_types", "no pattern that repeats within 100 layers", "a repeating pattern")
    return None


def _weights(r: Reader) -> Weights | None:
    """The stored format from ``quantization_config``; an unknown one is noted, not refused."""
    stated = r.data.get("quantization_config")
    if stated is None:
        return None
    if not isinstance(stated, dict):
        r.wrong("quantization_config", f"wrong type ({show(as_json(stated))})", "keys and values")
        return None
    q = Reader(stated, r.path, (*r.inside, "quantization_config"))
    found = _format(q)
    r.problems += q.problems
    if found is None and not q.problems:
        r.assume("quantization_config", "left out", f"unknown method ({show(q.text('quant_method', 'not said'))})")
    return found


def _format(q: Reader) -> Weights | None:
    method = q.text("quant_method", "").lower()
    if not method and ("load_in_4bit" in q.data or "load_in_8bit" in q.data):
        method = "bitsandbytes"
    group = q.maybe("group_size", low=-1)
    if method == "bitsandbytes":
        if q.flag("load_in_4bit", False):
            kind = q.text("bnb_4bit_quant_type", "fp4").lower()
            return Weights(kind if kind in ("nf4", "fp4") else "nf4", group_size=64)
        return Weights("int8") if q.flag("load_in_8bit", False) else None
    if method in ("gptq", "awq"):
        bits = q.whole(("bits", "w_bit"), 4, high=16)
        return Weights(f"{method}-int{bits}", group_size=group or q.maybe("q_group_size", low=-1))
    if method in ("fp8", "fbgemm_fp8", "mxfp4", "nvfp4", "mxfp8"):
        return Weights("fp8" if "fp8" in method and method != "mxfp8" else method)
    if method in ("compressed-tensors", "modelopt"):
        return _nested_format(q)
    if method == "exl2":
        bits_text = q.data.get("bits")
        ok = isinstance(bits_text, (int, float)) and not isinstance(bits_text, bool)
        return Weights("exl2", bits=float(bits_text) if ok else None)  # type: ignore[arg-type]
    return None


def _nested_format(q: Reader) -> Weights | None:
    """compressed-tensors and ModelOpt: the first group's weights, or the name of the algorithm."""
    algorithm = q.text("quant_algo", "").upper()
    if algorithm in ("FP8", "NVFP4", "MXFP8"):
        return Weights(algorithm.lower())
    groups = q.data.get("config_groups")
    for group in groups.values() if isinstance(groups, dict) else ():
        weights = group.get("weights") if isinstance(group, dict) else None
        if isinstance(weights, dict):
            w = Reader(weights, q.path, (*q.inside, "config_groups"))
            bits, size = w.whole("num_bits", high=32), w.maybe("group_size", low=-1)
            q.problems += w.problems
            kind = w.text("type", "int").lower()
            if kind == "float":
                return Weights({8: "fp8", 4: "nvfp4" if size == 16 else "fp4"}.get(bits, f"fp{bits}"), group_size=size)
            return Weights("int8" if bits == 8 else f"gptq-int{bits}", group_size=size)
    return None
