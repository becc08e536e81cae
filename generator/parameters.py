"""Parameters of a decoder, counted from its shape. Exact integers; every weight is in one term."""

from __future__ import annotations

from generator.schema.model import Attention, Experts, LanguageModel, Mlp, Norm, Shape

GATED = ("swiglu", "geglu")


def attention(shape: Shape) -> int:
    """Weights of one attention block."""
    a: Attention = shape.attention
    hidden = shape.hidden_size
    if a.latent is not None:
        m = a.latent
        key_dim = m.nope_head_dim + m.rope_head_dim
        if m.q_rank is None:
            queries = hidden * a.heads * key_dim
        else:
            # Down, its norm, up.
            queries = hidden * m.q_rank + m.q_rank + m.q_rank * a.heads * key_dim
        down = hidden * (m.kv_rank + m.rope_head_dim) + m.kv_rank
        up = m.kv_rank * a.heads * (m.nope_head_dim + m.value_head_dim)
        return queries + down + up + a.heads * m.value_head_dim * hidden
    q, kv = a.heads * a.head_dim, a.kv_heads * a.head_dim
    weights = hidden * (q + 2 * kv) + q * hidden
    weights += (q + 2 * kv) * a.qkv_bias + hidden * a.output_bias
    weights += {None: 0, "per_head": 2 * a.head_dim, "full_width": q + kv}[a.qk_norm]
    return weights + a.heads * a.sinks


def feed_forward(hidden: int, intermediate: int, mlp: Mlp) -> int:
    """Weights of one feed-forward block of the given width."""
    into = 2 if mlp.kind in GATED else 1
    return (into + 1) * hidden * intermediate + mlp.bias * (into * intermediate + hidden)


def expert_layer(shape: Shape, experts: Experts, active: bool = False) -> int:
    """Weights of one layer's router and experts; only those that one token uses when ``active``."""
    hidden = shape.hidden_size
    one = feed_forward(hidden, experts.intermediate_size, shape.mlp)
    shared = feed_forward(hidden, experts.shared_intermediate_size or experts.intermediate_size, shape.mlp)
    router = hidden * experts.count + experts.count * (experts.router_bias + experts.correction_bias)
    routed = (experts.per_token if active else experts.count) * one
    return routed + experts.shared * shared + hidden * experts.shared_gate + router


def norm(hidden: int, kind: Norm) -> int:
    """Weights of one normalisation layer."""
    return {"rmsnorm": 1, "layernorm": 2, "layernorm_no_bias": 1, "layernorm_no_weights": 0}[kind.kind] * hidden


def expert_layers(shape: Shape) -> int:
    """How many layers have experts."""
    if shape.experts is None:
        return 0
    return (shape.layers - shape.experts.dense_first_layers) // shape.experts.every


def total(shape: Shape, active: bool = False) -> int:
    """All parameters, or those that one token uses (``active``; the embedding counts whole)."""
    hidden, sparse = shape.hidden_size, expert_layers(shape)
    weights = shape.layers * (attention(shape) + shape.norm.per_layer * norm(hidden, shape.norm))
    if shape.experts is not None:
        weights += sparse * expert_layer(shape, shape.experts, active)
    if shape.mlp.intermediate_size is not None:
        weights += (shape.layers - sparse) * feed_forward(hidden, shape.mlp.intermediate_size, shape.mlp)
    weights += (shape.norm.final + shape.norm.embedding) * norm(hidden, shape.norm)
    e = shape.embedding
    weights += e.vocabulary * hidden * (1 if e.tied else 2) + e.vocabulary * e.head_bias
    return weights + (e.learned_positions or 0) * hidden


def count(model: LanguageModel) -> int | None:
    """The model's parameters: computed from its shape, else as counted or published, else None."""
    if model.shape is not None:
        return total(model.shape)
    return model.parameters.counted or model.parameters.published


def kv_values_per_token(shape: Shape) -> int:
    """Numbers that the KV cache keeps for one token over all layers, without a sliding window.

    Keys and values of every KV head; with latent attention the compressed vector and the
    rotary key (DeepSeek-V2, section 2.1).
    """
    a = shape.attention
    per_layer = a.latent.kv_rank + a.latent.rope_head_dim if a.latent else 2 * a.kv_heads * a.head_dim
    return shape.layers * per_layer
