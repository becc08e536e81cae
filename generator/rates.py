"""Arithmetic rates of a card: the published ones, and those that follow from its class.

rate = SMs × clock × FMA per clock and SM × 2, because one fused multiply-add is two operations
(NVIDIA CUDA C++ Programming Guide, throughput of native arithmetic instructions).
"""

from __future__ import annotations

from generator.facts import UNKNOWN, Fact, Proof, State, known
from generator.schema import Architecture, Gpu
from generator.schema.gpu import ClassRates
from generator.schema.rates import RATES, RateKind

# Beyond this a published rate and the derived one contradict each other and need a reason.
TOLERANCE = 0.02


def clock_mhz(gpu: Gpu, kind: RateKind) -> float | None:
    """The clock in MHz at which ``kind`` is quoted: the Tensor clock where a card has one.

    FP64 Tensor figures of the H100 (67 and 51 TFLOP/s) fit its CUDA clock, all others its Tensor
    clock.
    """
    if kind.tensor and kind.key != "tensor_fp64" and gpu.compute.tensor_clock_mhz is not None:
        return gpu.compute.tensor_clock_mhz
    return gpu.compute.boost_clock_mhz


def derived_rate(gpu: Gpu, architecture: Architecture, kind: RateKind) -> Fact:
    """The rate in TFLOP/s or TOP/s that follows from the class; UNKNOWN where it does not."""
    scope = gpu.rates.class_rates
    if scope is not None and not _applies(scope, kind):
        return UNKNOWN
    fma = getattr(architecture.fma_per_clock_per_sm, kind.key)
    clock = clock_mhz(gpu, kind)
    sms = gpu.compute.sm_count
    if not fma or clock is None or sms is None:
        return UNKNOWN
    value = sms * clock * 1e6 * fma * 2 / 1e12
    formula = f"{sms} SM × {clock:g} MHz × {fma:g} FMA × 2"
    return known(value, tuple(architecture.sources), derived=True, formula=formula)


def _applies(scope: ClassRates, kind: RateKind) -> bool:
    groups = {"all", kind.key, *(["tensor"] if kind.tensor else [])}
    return not groups.intersection(scope.not_for)


def published_rate(gpu: Gpu, kind: RateKind) -> Fact:
    """The rate that a source prints, or UNKNOWN."""
    entry = getattr(gpu.rates.published, kind.field)
    return UNKNOWN if entry is None else known(entry.value, (entry.source,))


def rate(gpu: Gpu, architecture: Architecture, kind: RateKind) -> Fact:
    """The rate to show: published before derived, else why there is none."""
    fact = published_rate(gpu, kind)
    if fact.state is State.UNKNOWN:
        fact = derived_rate(gpu, architecture, kind)
    if fact.state is not State.UNKNOWN:
        return fact
    return Fact(None, absence(architecture, kind), Proof.PUBLISHED, tuple(architecture.sources))


def absence(architecture: Architecture, kind: RateKind) -> State:
    """Why a class has no rate of this kind: not in hardware, emulated, no such unit, or not known.

    An empty cell alone proves nothing. A unit is missing for certain only where the format is not
    in hardware, where there are no Tensor Cores, in FP64 beside a known FP64 rate (the Tensor Core
    rate would stand in the same table), and in INT8 on the first Tensor Cores, which knew FP16 only.
    """
    support = getattr(architecture.formats, kind.format)
    if support == "unsupported":
        return State.UNSUPPORTED
    if support == "emulated":
        return State.EMULATED
    sm, fma = architecture.sm, architecture.fma_per_clock_per_sm
    missing = kind.tensor and (
        sm.tensor_cores == 0
        or (kind.key == "tensor_fp64" and fma.fp64 is not None)
        or (kind.key == "tensor_int8" and sm.tensor_core_generation == 1)
    )
    return State.NONE if missing and getattr(fma, kind.key) is None else State.UNKNOWN


def all_rates(gpu: Gpu, architecture: Architecture) -> dict[str, Fact]:
    """Every rate of the card by key, in the order of :data:`generator.schema.rates.RATES`."""
    return {kind.key: rate(gpu, architecture, kind) for kind in RATES}


def training_rate(rates: dict[str, Fact]) -> tuple[str, Fact]:
    """The rate that training a language model is limited by: key and fact.

    BF16 with an FP32 accumulator where the hardware has it, else FP16 with an FP32 accumulator on
    Tensor Cores, else plain FP32: that is what PyTorch's mixed precision uses on each card.
    """
    for key in ("tensor_bf16_fp32acc", "tensor_fp16_fp32acc"):
        if rates[key].state is State.KNOWN:
            return key, rates[key]
        if key == "tensor_bf16_fp32acc" and rates[key].state is State.UNKNOWN:
            return key, rates[key]
    return "fp32", rates["fp32"]
