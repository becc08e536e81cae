"""``data/workloads/<slug>.yaml``: what people do with a GPU, as ready-made questions.

An editorial choice of typical jobs, not a measurement: model, lengths and batch are examples that a reader changes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from generator.schema.base import Model, Note, ShortText, Slug, SourceId, Text
from generator.schema.model import ModelSlug

WorkloadGroup = Literal["chat", "serving", "finetuning", "pretraining", "vision", "other"]
Tokens = Annotated[int, Field(ge=1, le=10_000_000)]
Stress = Literal["memory", "bandwidth", "compute", "interconnect"]
WeightFormat = Literal["fp32", "bf16", "fp16", "fp8", "int8", "nf4", "awq-int4", "mxfp4", "q4_k_m"]


class Amount(Model):
    """How much work one job is."""

    value: float = Field(gt=0, le=1e15)
    unit: Literal["tokens", "samples", "images", "requests"]
    basis: Literal["choice", "source"] = Field(description="choice: an example of ours; source: a published figure")
    sources: list[SourceId] = Field(default=[], description="where the figure is from; empty for a choice")


class Workload(Model):
    """One thing that people do. Numbers are examples to start from."""

    slug: Slug = Field(description="equals the file name")
    title: ShortText
    summary: Text
    group: WorkloadGroup
    order: int = Field(description="place within the group", ge=0, le=1000)
    task: Literal["train", "run"]
    method: Literal["full", "lora", "qlora"] | None = Field(description="null exactly for task run")
    model: ModelSlug = Field(description="the example, a file of data/models/")
    weights: WeightFormat = Field(description="how the model's weights are stored")
    sequence: Tokens | None = Field(description="train: tokens of a training sequence; null: not text")
    prompt: Tokens | None = Field(description="run: tokens that go in; null: not text, or task train")
    answer: Tokens | None = Field(description="run: tokens that come out; null: not text, or task train")
    image_px: Annotated[int, Field(ge=1, le=16384)] | None = Field(description="edge of a square image")
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="train: micro-batch of one GPU; run: sequences or images at a time"
    )
    checkpointing: bool | None = Field(description="gradient checkpointing; null exactly for task run")
    amount: Amount | None = Field(description="null: no end, such as a chat")
    stresses: list[Stress] = Field(description="what it asks most of, the first above all", min_length=1, max_length=4)
    notes: list[Note] = []
