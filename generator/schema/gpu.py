"""``data/gpus/<slug>.yaml``: one card."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from generator.schema.base import Identifier, Line, Model, Note, Slug, SourceId, Text

Market = Literal["geforce", "titan", "workstation", "datacenter", "jetson", "laptop"]
FormFactor = Literal["pcie_card", "sxm_module", "superchip", "soc_module", "desktop_system", "laptop"]
MemoryType = Literal[
    "GDDR5", "GDDR5X", "GDDR6", "GDDR6X", "GDDR7",
    "HBM2", "HBM2e", "HBM3", "HBM3e", "LPDDR5", "LPDDR5X",
]  # fmt: skip
RateGroup = Literal[
    "all", "tensor",
    "fp64", "tensor_fp64", "fp32", "tensor_tf32", "tensor_bf16_fp32acc", "tensor_fp16_fp32acc",
    "tensor_fp16_fp16acc", "fp16", "tensor_fp8_fp32acc", "tensor_fp8_fp16acc", "tensor_fp6",
    "tensor_fp4", "tensor_int8", "dp4a_int8", "tensor_int4",
]  # fmt: skip
PositiveNumber = Annotated[float, Field(gt=0, le=1_000_000)]


class Group(Model):
    """A group of values that share their sources."""

    derived: list[str] = Field(default=[], description="keys of this group that were computed or inferred, not read")
    sources: list[SourceId] = Field(description="ids in data/sources.yaml")


class Identity(Group):
    """What the card is."""

    chip: Line | None = Field(description="die code, e.g. GA102")
    launch_date: dt.date | None = Field(description="first day on sale, else announced")
    form_factor: FormFactor
    slots: int | None = Field(description="slots a PCIe card takes", ge=1, le=4)
    cooling: Literal["active", "passive"] | None
    low_profile: bool


class Compute(Group):
    """How many units, how fast."""

    sm_count: int | None = Field(description="streaming multiprocessors, per package", ge=1, le=500)
    cuda_cores: int | None = Field(ge=1, le=100_000)
    tensor_cores: int | None = Field(description="0 = none", ge=0, le=10_000)
    base_clock_mhz: float | None = Field(ge=100, le=5000)
    boost_clock_mhz: float | None = Field(description="CUDA cores", ge=100, le=5000)
    tensor_clock_mhz: float | None = Field(
        description="only where the Tensor Cores have a clock of their own", ge=100, le=5000
    )
    boost_clock_range_mhz: list[PositiveNumber] | None = Field(
        default=None,
        description="laptops: [lowest, highest] over the power limits makers may set",
        min_length=2,
        max_length=2,
    )


class Memory(Group):
    """The card's own memory."""

    memory_gib: float = Field(description="per package; a '24 GB' card has 24", gt=0, le=2048)
    memory_type: MemoryType
    bus_width_bits: int | None = Field(ge=32, le=65536)
    speed_gbps: float | None = Field(description="Gbit/s per pin", gt=0, le=100)
    bandwidth_gb_s: float = Field(description="decimal GB/s, per package", gt=0, le=100_000)
    l2_cache_mib: float | None = Field(gt=0, le=1024)
    ecc: bool | None = Field(description="error correction on the memory")


class Power(Group):
    """Watts and links to the outside."""

    tdp_w: float | None = Field(gt=0, le=5000)
    power_range_w: list[PositiveNumber] | None = Field(
        default=None,
        description="laptops: [lowest, highest] limit that makers may set",
        min_length=2,
        max_length=2,
    )
    pcie_generation: int | None = Field(ge=1, le=8)
    pcie_lanes: Literal[1, 2, 4, 8, 16] | None
    nvlink_gb_s: float | None = Field(description="total of both directions per GPU; 0 = has none", ge=0, le=10_000)
    mig_max_instances: int | None = Field(description="0 = cannot be partitioned", ge=0, le=64)


class PublishedRate(Model):
    """A rate that somebody printed; dense, per package."""

    value: float = Field(gt=0, le=1_000_000)
    source: SourceId


class PublishedRates(Model):
    """Only what a source prints. Everything that follows from SM × clock is derived at load."""

    fp64_tflops: PublishedRate | None = None
    tensor_fp64_tflops: PublishedRate | None = None
    fp32_tflops: PublishedRate | None = None
    tensor_tf32_tflops: PublishedRate | None = None
    tensor_bf16_fp32acc_tflops: PublishedRate | None = None
    tensor_fp16_fp32acc_tflops: PublishedRate | None = None
    tensor_fp16_fp16acc_tflops: PublishedRate | None = None
    fp16_tflops: PublishedRate | None = None
    tensor_fp8_fp32acc_tflops: PublishedRate | None = None
    tensor_fp8_fp16acc_tflops: PublishedRate | None = None
    tensor_fp6_tflops: PublishedRate | None = None
    tensor_fp4_tflops: PublishedRate | None = None
    tensor_int8_tops: PublishedRate | None = None
    dp4a_int8_tops: PublishedRate | None = None
    tensor_int4_tops: PublishedRate | None = None


class ClassRates(Model):
    """Which of the class's rates hold for this card, and why not all of them."""

    not_for: list[RateGroup] = Field(
        description="rate keys that do not follow from the class; tensor = all Tensor Core rates",
        min_length=1,
    )
    reason: Text


class Rates(Model):
    """Arithmetic rates: the published ones; the derived ones are computed at load."""

    class_rates: ClassRates | None = Field(
        default=None, description="only where the class's rates per SM do not hold for this card"
    )
    published: PublishedRates


class LaunchPrice(Group):
    """The price on the first day."""

    msrp_usd: float | None = Field(description="list price without tax", gt=0, le=1_000_000)


class Gpu(Model):
    """One card. Null means: not published, or not read in any source; it is never zero."""

    slug: Slug = Field(description="equals the file name; part of the address, never changed")
    name: Line = Field(description="the vendor's name, with memory size where it tells variants apart")
    aliases: list[Line] = Field(
        default=[], description="shorter names that stand for this variant and not for its siblings"
    )
    market: Market
    series: Slug = Field(description="a file of data/series/")
    architecture: Identifier = Field(description="a file of data/architectures/")
    export_variant: Literal["china"] | None = Field(
        default=None, description="sold only in one region because of export rules"
    )
    identity: Identity
    compute: Compute
    memory: Memory
    power: Power
    rates: Rates
    launch_price: LaunchPrice
    exceptions: dict[Identifier, Text] = Field(
        default={},
        description="rule id -> reason why this card may break it; a needless one is an error",
    )
    notes: list[Note] = []
