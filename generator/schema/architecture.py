"""``data/architectures/<class>.yaml``: what all cards of one class do per SM and per clock."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from generator.schema.base import Capability, Identifier, Line, Model, Note, ShortText, SourceId, Text

Fma = float | None
Support = Literal["native", "emulated", "unsupported"]


class StreamingMultiprocessor(Model):
    """What one SM holds."""

    cuda_cores: int = Field(description="CUDA cores in one SM", ge=32, le=256)
    tensor_cores: int = Field(description="Tensor Cores in one SM, 0 = none", ge=0, le=16)
    tensor_core_generation: int | None = Field(description="1 = Volta … 5 = Blackwell", ge=1, le=9)


class FmaPerClock(Model):
    """Dense fused multiply-adds per clock and SM; ``null`` = no such unit, or not known."""

    fp64: Fma = Field(ge=0, le=100_000)
    tensor_fp64: Fma = Field(ge=0, le=100_000)
    fp32: Fma = Field(ge=0, le=100_000)
    tensor_tf32: Fma = Field(ge=0, le=100_000)
    tensor_bf16_fp32acc: Fma = Field(ge=0, le=100_000)
    tensor_fp16_fp32acc: Fma = Field(ge=0, le=100_000)
    tensor_fp16_fp16acc: Fma = Field(ge=0, le=100_000)
    fp16: Fma = Field(description="outside the Tensor Cores", ge=0, le=100_000)
    tensor_fp8_fp32acc: Fma = Field(ge=0, le=100_000)
    tensor_fp8_fp16acc: Fma = Field(ge=0, le=100_000)
    tensor_fp6: Fma = Field(ge=0, le=100_000)
    tensor_fp4: Fma = Field(ge=0, le=100_000)
    tensor_int8: Fma = Field(ge=0, le=100_000)
    dp4a_int8: Fma = Field(description="four-way INT8 dot product", ge=0, le=100_000)
    tensor_int4: Fma = Field(ge=0, le=100_000)


class Formats(Model):
    """How each number format is computed: in hardware, emulated (it runs, slowly) or not at all."""

    fp64: Support
    fp32: Support
    tf32: Support
    bf16: Support
    fp16: Support
    fp8: Support
    fp6: Support | None
    fp4: Support
    int8: Support
    int4: Support | None


class Architecture(Model):
    """One class of cards that share their rates per SM (``ampere_geforce``, ``ampere_pro``, …)."""

    slug: Identifier = Field(description="equals the file name")
    generation: Line = Field(description="the vendor's name of the generation, e.g. Ampere")
    released: int = Field(description="year in which its first card appeared", ge=2016, le=2100)
    name: ShortText
    summary: Text
    compute_capability: Capability = Field(description='quoted, e.g. "8.6"')
    dies_per_package: int = Field(description="all card figures are per package", ge=1, le=8)
    sm: StreamingMultiprocessor
    fp32_accumulate: Literal["full", "half"] | None = Field(
        description="Tensor rate of FP16/BF16 with FP32 accumulator against FP16 accumulator; "
        "null = no Tensor Cores or not known"
    )
    fma_per_clock_per_sm: FmaPerClock
    formats: Formats
    sources: list[SourceId] = Field(min_length=1)
    notes: list[Note] = []
