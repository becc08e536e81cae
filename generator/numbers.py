"""The numbers of a model that formulas use, from its shape. Exact; the only bridge from shapes to formulas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from generator import parameters
from generator.catalog import Card
from generator.schema.model import EncoderShape, Hybrid, LanguageModel, Shape

# (input width, output width, copies a layer) of every linear layer that an adapter can sit on.
Modules = Mapping[str, tuple[float, float, float]]


class NoShapeError(ValueError):
    """The model is no decoder whose layers this guide knows; ``str()`` is the reason for a reader."""


def of_model(model: LanguageModel) -> dict[str, float]:
    """Every quantity of :data:`generator.formulas.shape.SHAPE` for a model. Raises NoShapeError."""
    if model.shape is None:
        raise NoShapeError(f"{model.name}: only decoders with a known shape can be estimated, this is {model.kind}")
    return {**dict(_numbers(model.shape.model_dump_json())), "max_context": float(model.max_context or 0)}


def of_trained_model(model: LanguageModel) -> dict[str, float]:
    """The numbers that the speed of training needs, of decoders, hybrids with state-space layers and encoders.

    ``layernorm`` is among them. Raises NoShapeError for everything else (vision, diffusion, encoder-decoder).
    """
    other = model.other_shape
    if model.shape is not None:
        return {**of_model(model), "layernorm": float(model.shape.norm.kind != "rmsnorm")}
    if other is not None and other.hybrid is not None and model.parameters.counted is not None:
        return _of_hybrid(other, other.hybrid, model.parameters.counted)
    if model.kind == "encoder" and other is not None and other.layers.isdigit():
        return _of_encoder(other, parameters.count(model) or 0)
    raise NoShapeError(
        f"{model.name}: the speed of training is known for decoders and encoders only, this is {model.kind}"
    )


def _of_hybrid(other: EncoderShape, hybrid: Hybrid, counted: int) -> dict[str, float]:
    hidden, heads, head_dim = other.hidden_size, other.heads or 0, other.head_dim or 0
    vocabulary, expert_ffn = other.vocabulary or 0, other.intermediate_size or 0
    routed_hidden = hybrid.routed_hidden_size or hidden
    table = vocabulary * hidden
    one_expert = (3 if hybrid.gated else 2) * routed_hidden * expert_ffn
    return {
        "layers": int(other.layers.split(":")[0]),
        "attention_layers": hybrid.attention_layers,
        "hidden": hidden,
        "heads": heads,
        "q_width": heads * head_dim,
        "k_width": hybrid.kv_heads * head_dim,
        "v_width": hybrid.kv_heads * head_dim,
        "out_width": heads * head_dim,
        "ffn": 0,
        "dense_layers": 0,
        "mlp_inputs": 2 if hybrid.gated else 1,
        "moe_layers": hybrid.expert_layers,
        "experts": hybrid.experts,
        "experts_per_token": hybrid.experts_per_token,
        "expert_ffn": expert_ffn,
        "shared_ffn": hybrid.shared_intermediate_size,
        "routed_hidden": routed_hidden,
        "state_space_width": hybrid.state_space_layers * hybrid.state_space_width,
        "vocab": vocabulary,
        "head_matmul_parameters": table,
        "norms_per_layer": hybrid.norms_per_layer,
        "layernorm": 0.0,
        "parameters": counted,
        # Norms and convolutions are among them: less than a thousandth.
        "linear_parameters": counted - (1 if hybrid.tied else 2) * table,
        "expert_parameters": hybrid.expert_layers * hybrid.experts * one_expert,
        "active_expert_parameters": hybrid.expert_layers * hybrid.experts_per_token * one_expert,
        "window": 0,
        "window_share": 0.0,
        "causal": 1.0,
    }


def _of_encoder(other: EncoderShape, counted: int) -> dict[str, float]:
    """BERT and its kin: attention in both directions, a small head instead of the vocabulary."""
    layers, hidden, ffn = int(other.layers), other.hidden_size, other.intermediate_size or 0
    width = (other.heads or 0) * (other.head_dim or 0)
    none = ("moe_layers", "experts", "experts_per_token", "expert_ffn", "shared_ffn", "state_space_width", "vocab",
            "head_matmul_parameters", "expert_parameters", "active_expert_parameters", "window", "window_share",
            "causal")  # fmt: skip
    return {
        **dict.fromkeys(none, 0.0),
        "layers": layers,
        "attention_layers": layers,
        "hidden": hidden,
        "heads": other.heads or 0,
        "q_width": width,
        "k_width": width,
        "v_width": width,
        "out_width": width,
        "ffn": ffn,
        "dense_layers": layers,
        "mlp_inputs": 1,
        "routed_hidden": hidden,
        "norms_per_layer": 2,
        "layernorm": 1.0,
        "parameters": counted,
        "linear_parameters": layers * (4 * hidden * width + 2 * hidden * ffn),
    }


@lru_cache(maxsize=1024)
def _numbers(shape_json: str) -> tuple[tuple[str, float], ...]:
    return tuple(of_shape(Shape.model_validate_json(shape_json)).items())


def of_shape(shape: Shape) -> dict[str, float]:
    """Widths in elements, counts in parameters; sums run over all layers unless the name says otherwise."""
    a, hidden, layers = shape.attention, shape.hidden_size, shape.layers
    moe_layers = parameters.expert_layers(shape)
    dense_layers = layers - moe_layers
    ffn = shape.mlp.intermediate_size or 0
    gate_and_up = 2 if shape.mlp.kind in parameters.GATED else 1
    if a.latent is not None:
        q_width = a.heads * (a.latent.nope_head_dim + a.latent.rope_head_dim)
        k_width, v_width, out_width = q_width, a.heads * a.latent.value_head_dim, a.heads * a.latent.value_head_dim
        kv_cached = a.latent.kv_rank + a.latent.rope_head_dim
    else:
        q_width = out_width = a.heads * a.head_dim
        k_width = v_width = a.kv_heads * a.head_dim
        kv_cached = 2 * k_width
    attention = parameters.attention(shape)
    experts = shape.experts
    expert_ffn = experts.intermediate_size if experts else 0
    shared_ffn = experts.shared * (experts.shared_intermediate_size or expert_ffn) if experts else 0
    one_expert = parameters.feed_forward(hidden, expert_ffn, shape.mlp) if experts else 0
    routed = moe_layers * (experts.count if experts else 0) * one_expert
    routed_active = moe_layers * (experts.per_token if experts else 0) * one_expert
    dense_mlp = dense_layers * parameters.feed_forward(hidden, ffn, shape.mlp) if ffn else 0
    other_moe = moe_layers * parameters.expert_layer(shape, experts) - routed if experts else 0
    norm = parameters.norm(hidden, shape.norm)
    table = shape.embedding.vocabulary * hidden
    positions = (shape.embedding.learned_positions or 0) * hidden
    attention_layer = attention + shape.norm.per_layer * norm
    layer = attention_layer + max(
        parameters.feed_forward(hidden, ffn, shape.mlp) if dense_layers and ffn else 0,
        parameters.expert_layer(shape, experts) if experts else 0,
    )
    window = a.sliding_window
    # Matrices alone: without biases, without the norms inside attention, without routers.
    if a.latent is not None:
        attention_matrices = attention - a.latent.kv_rank - (a.latent.q_rank or 0)
    else:
        attention_matrices = hidden * (q_width + k_width + v_width) + out_width * hidden
    inner = dense_layers * ffn + moe_layers * ((experts.count if experts else 0) * expert_ffn + shared_ffn)
    mlps = dense_layers * bool(ffn) + moe_layers * ((experts.count if experts else 0) + bool(shared_ffn))
    linear = layers * attention + dense_mlp + routed + other_moe
    return {
        "layers": layers,
        "hidden": hidden,
        "heads": a.heads,
        "head_dim": a.latent.rope_head_dim if a.latent else a.head_dim,
        "q_width": q_width,
        "k_width": k_width,
        "v_width": v_width,
        "out_width": out_width,
        "ffn": ffn,
        # Of one layer, the widest kind.
        "active_ffn": max(ffn if dense_layers else 0, (experts.per_token if experts else 0) * expert_ffn + shared_ffn),
        "mlp_inputs": gate_and_up,
        "dense_layers": dense_layers if ffn else 0,
        "vocab": shape.embedding.vocabulary,
        "parameters": parameters.total(shape),
        "active_parameters": parameters.total(shape, active=True),
        "embedding_parameters": table + positions,
        "head_parameters": 0 if shape.embedding.tied else table,
        "head_matmul_parameters": table,
        # What quantization touches: the matrices of the layers, not embeddings, head and norms.
        "linear_parameters": linear,
        "unquantized_parameters": linear - layers * attention_matrices - (gate_and_up + 1) * hidden * inner,
        # With latent attention the values come from the same matrices as the keys.
        "value_parameters": 0 if a.latent else layers * hidden * v_width,
        "output_parameters": layers * out_width * hidden,
        "down_parameters": hidden * inner,
        "matrix_inputs": layers * (3 * hidden + out_width) + mlps * gate_and_up * hidden + inner,
        "attention_parameters": layers * attention,
        "dense_mlp_parameters": dense_mlp,
        "expert_parameters": routed,
        "active_expert_parameters": routed_active,
        "other_moe_parameters": other_moe,
        "layer_parameters": layer,
        "matrix_parameters": max(hidden * q_width, hidden * out_width, hidden * max(ffn, expert_ffn, shared_ffn)),
        "query_key_norm": float(a.qk_norm is not None),
        "norms_per_layer": shape.norm.per_layer,
        "moe_layers": moe_layers,
        "experts": experts.count if experts else 0,
        "experts_per_token": experts.per_token if experts else 0,
        "expert_ffn": expert_ffn,
        "shared_ffn": shared_ffn,
        "kv_values_per_layer": kv_cached,
        "window": window.tokens if window else 0,
        "window_share": window.layers / window.out_of if window else 0.0,
        "attention_layers": layers,
        "routed_hidden": hidden,
        "state_space_width": 0,
        "causal": 1.0,
    }


def modules(shape: Shape) -> Modules:
    """Linear layers by the names that PEFT uses, with their widths and how many the model has."""
    n = of_shape(shape)
    layers, hidden = n["layers"], n["hidden"]
    found = {
        "q_proj": (hidden, n["q_width"], layers),
        "k_proj": (hidden, n["k_width"], layers),
        "v_proj": (hidden, n["v_width"], layers),
        "o_proj": (n["out_width"], hidden, layers),
    }
    if shape.attention.latent is not None:
        m = shape.attention.latent
        up = shape.attention.heads * (m.nope_head_dim + m.value_head_dim)
        found = {
            "q_proj": (m.q_rank or hidden, n["q_width"], layers),
            "kv_a_proj_with_mqa": (hidden, m.kv_rank + m.rope_head_dim, layers),
            "kv_b_proj": (m.kv_rank, up, layers),
            "o_proj": (n["out_width"], hidden, layers),
        }
        if m.q_rank:
            found["q_a_proj"] = (hidden, m.q_rank, layers)
    mlps = [(n["ffn"], n["dense_layers"]), (n["expert_ffn"], n["moe_layers"] * n["experts"])]
    if n["shared_ffn"]:
        mlps.append((n["shared_ffn"], n["moe_layers"]))
    for name, into in (("gate_proj", True), ("up_proj", True), ("down_proj", False)):
        if name == "gate_proj" and n["mlp_inputs"] == 1:
            continue
        width = sum(w * c for w, c in mlps)
        copies = sum(c for w, c in mlps if w)
        if copies:
            # Widths differ between dense, routed and shared blocks; sums are what adapters need.
            found[name] = (hidden, width / copies, copies) if into else (width / copies, hidden, copies)
    return found


def adapter_parameters(shape: Shape, targets: tuple[str, ...], rank: float) -> float:
    """Parameters of LoRA adapters of one rank: rank × (inputs + outputs) of every target (LoRA, section 4.1)."""
    known = modules(shape)
    return sum(rank * (into + out) * copies for name, (into, out, copies) in known.items() if name in targets)


def adapter_widths(shape: Shape, targets: tuple[str, ...]) -> float:
    """Input and output widths, summed over all adapted matrices that one token visits."""
    n, known = of_shape(shape), modules(shape)
    mlps = ((n["ffn"], n["dense_layers"]), (n["expert_ffn"], n["moe_layers"] * n["experts_per_token"]),
            (n["shared_ffn"], n["moe_layers"]))  # fmt: skip
    visited = sum((n["hidden"] + width) * copies for width, copies in mlps if width)
    mlp = ("gate_proj", "up_proj", "down_proj")
    return sum(visited if t in mlp else (known[t][0] + known[t][1]) * known[t][2] for t in targets if t in known)


def of_card(card: Card) -> dict[str, float]:
    """What formulas use of a card: sizes in bytes, rates in FLOP/s, speeds in B/s, power in W; 0 where it has none.

    A rate that nobody published and that does not follow from the class is 0 too: the estimators answer
    "not published" for such a card instead of dividing by it.
    """
    gpu = card.gpu
    rate = {key: (fact.number or 0.0) * 1e12 for key, fact in card.rates.items()}
    rack = gpu.identity.form_factor == "superchip" and gpu.architecture.startswith("blackwell")
    lanes, generation = gpu.power.pcie_lanes or 0, gpu.power.pcie_generation or 0
    return {
        "card_bytes": gpu.memory.memory_gib * 2**30,
        # GDDR of data-center cards keeps its error correction bits in the memory itself and it is on by default.
        "inline_ecc": float(gpu.market == "datacenter" and gpu.memory.memory_type.startswith("GDDR")),
        "bandwidth": gpu.memory.bandwidth_gb_s * 1e9,
        "sms": float(gpu.compute.sm_count or 0),
        "clock": (gpu.compute.boost_clock_mhz or 0.0) * 1e6,
        "compute_capability": float(card.architecture.compute_capability or 0),
        "rate_fp32": rate["fp32"],
        "rate_fp16": max(rate["tensor_fp16_fp32acc"], rate["fp16"]),
        "rate_bf16": rate["tensor_bf16_fp32acc"],
        "rate_tensor16": rate["tensor_bf16_fp32acc"] or rate["tensor_fp16_fp32acc"],
        "rate_half_sums": rate["tensor_fp16_fp16acc"],
        "rate_tf32": rate["tensor_tf32"],
        "rate_fp8": rate["tensor_fp8_fp32acc"],
        "rate_fp4": rate["tensor_fp4"],
        "rate_int8": max(rate["tensor_int8"], rate["dp4a_int8"]),
        "nvlink": (gpu.power.nvlink_gb_s or 0.0) * 1e9,
        # PCIe cards need a bridge, which most machines lack.
        "nvlink_joined": float(gpu.identity.form_factor in ("sxm_module", "superchip")),
        # GPUs joined by NVLink or by one machine: a rack of 72 with Grace and Blackwell, else a server of 8.
        "link_domain": 72.0 if rack else 8.0,
        # 2 GB/s a lane and direction in generation 4, twice that with each generation (PCI-SIG).
        "pcie": lanes * 2e9 * 2.0 ** (generation - 4) if generation else 0.0,
        "board_power_w": gpu.power.tdp_w or 0.0,
        "consumer": float(gpu.market in ("geforce", "titan", "laptop")),
    }


# A card that is not named never limits anything.
UNLIMITED = 1e15


def of_capacity(card: Card | None, capacity_gib: float | None) -> dict[str, float]:
    """``card_bytes``, ``inline_ecc`` and ``sms`` of a card, of a bare size in GiB, or of a card without limit."""
    if card is not None:
        known = of_card(card)
        return {name: known[name] for name in ("card_bytes", "inline_ecc", "sms")}
    return {"card_bytes": UNLIMITED if capacity_gib is None else capacity_gib * 2**30, "inline_ecc": 0.0, "sms": 0.0}
