"""``data/models/<slug>.yaml``: the shape of one model, from which its parameter count follows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from generator.schema.base import Line, Model, Note, PartialDate, SourceId, Text

ModelSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)]
HuggingFaceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", max_length=100)]
Count = Annotated[int, Field(ge=1, le=10_000_000_000_000)]
Kind = Literal[
    "dense_decoder", "moe_decoder", "encoder", "encoder_decoder", "vit", "cnn", "diffusion", "recommender",
]  # fmt: skip


class SlidingWindow(Model):
    """Layers that see only the last tokens."""

    tokens: Count
    layers: Annotated[int, Field(ge=1, le=100)] = Field(description="so many …")
    out_of: Annotated[int, Field(ge=1, le=100)] = Field(description="… of every so many layers")


class LatentAttention(Model):
    """Multi-head latent attention (DeepSeek): keys and values from one compressed vector."""

    kv_rank: Count
    q_rank: Count | None = Field(description="null: queries are not compressed")
    rope_head_dim: Count
    nope_head_dim: Count
    value_head_dim: Count


class Attention(Model):
    """Self-attention of one layer."""

    heads: Count
    kv_heads: Count = Field(description="equal to heads: MHA; fewer: GQA; 1: MQA")
    head_dim: Count
    qkv_bias: bool
    output_bias: bool
    qk_norm: Literal["per_head", "full_width"] | None
    sinks: bool = Field(description="one learned logit a head (gpt-oss)")
    sliding_window: SlidingWindow | None
    latent: LatentAttention | None


class Mlp(Model):
    """The dense feed-forward block; three matrices when gated (swiglu, geglu), else two."""

    kind: Literal["swiglu", "geglu", "gelu", "gelu_python", "relu"] = Field(
        description="gelu_python: computed in several steps instead of one kernel"
    )
    intermediate_size: Count | None = Field(description="null: every layer has experts instead")
    bias: bool


class Experts(Model):
    """Mixture of experts."""

    count: Count
    per_token: Count = Field(description="routed experts that a token visits")
    intermediate_size: Count
    shared: int = Field(description="experts that every token visits", ge=0, le=64)
    shared_intermediate_size: Count | None = Field(description="of one shared expert; null = as the routed ones")
    shared_gate: bool
    dense_first_layers: int = Field(description="first layers with a dense block", ge=0, le=1000)
    every: Annotated[int, Field(ge=1, le=100)] = Field(description="experts in every n-th layer")
    router_bias: bool
    correction_bias: bool = Field(description="a stored bias per expert for load balancing (DeepSeek-V3)")


class Norm(Model):
    """Normalisation layers."""

    kind: Literal["rmsnorm", "layernorm", "layernorm_no_bias", "layernorm_no_weights"]
    per_layer: int = Field(ge=0, le=8)
    final: bool
    embedding: bool = Field(description="one after the embedding")


class Embedding(Model):
    """Token and position embeddings, and the output head."""

    vocabulary: Count
    tied: bool = Field(description="the output head is the input embedding")
    learned_positions: Count | None = Field(description="rows of a position table; null = none")
    head_bias: bool


class Shape(Model):
    """A decoder of identical layers."""

    layers: Count
    hidden_size: Count
    attention: Attention
    mlp: Mlp
    experts: Experts | None
    norm: Norm
    embedding: Embedding


class Hybrid(Model):
    """What a decoder with state-space (Mamba-2) layers consists of, as far as the speed of training needs it."""

    attention_layers: Count
    kv_heads: Count
    state_space_layers: Count
    state_space_width: Count = Field(description="heads × head size of one state-space layer")
    expert_layers: Count
    experts: Count
    experts_per_token: Count
    shared_intermediate_size: Count = Field(description="of all shared experts together")
    routed_hidden_size: Count | None = Field(description="width of what is sent to experts; null = hidden size")
    gated: bool = Field(description="experts have three matrices instead of two")
    norms_per_layer: int = Field(ge=0, le=8)
    tied: bool = Field(description="the output head is the input embedding")


class EncoderShape(Model):
    """The main dimensions of what is not a plain decoder; its parameter count is typed, not computed."""

    layers: Line = Field(description='e.g. "12", "6 enc + 6 dec", "19 double + 38 single"')
    hidden_size: Count
    intermediate_size: Count | None
    heads: Count | None
    head_dim: Count | None
    vocabulary: Count | None
    hybrid: Hybrid | None = None


class Parameters(Model):
    """Counts that somebody published or that a build of the model gave."""

    published: Count | None = Field(description="of the released checkpoint")
    counted: Count | None = Field(description="for shapes that this guide does not compute: a build's count")
    active: Count | None = Field(default=None, description="with counted: those that one token uses, embedding whole")
    reason: Text | None = Field(description="why the published count differs by more than 1 % from the shape's")


class LanguageModel(Model):
    """One model."""

    slug: ModelSlug = Field(description="equals the file name")
    name: Line
    aliases: list[Line] = Field(default=[], description="other names of the same shape; no two models share one")
    kind: Kind
    family: Line
    hugging_face: HuggingFaceId | None
    released: PartialDate | None = Field(description="when its repository appeared")
    license: Line | None = Field(description="the licence tag of its repository")
    max_context: Count | None = Field(description="position limit of its configuration, in tokens")
    shape: Shape | None = Field(description="decoders")
    other_shape: EncoderShape | None = Field(description="everything else that has layers")
    gmac_per_image: float | None = Field(description="multiply-adds for one image, in 1e9", gt=0, le=100_000)
    parameters: Parameters
    sources: list[SourceId] = Field(min_length=1)
    notes: list[Note] = []
