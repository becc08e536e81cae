"""Derivations between a card's own values that both the rules and the pages need."""

from __future__ import annotations

from collections.abc import Callable

from generator.schema import Architecture, Gpu


def bandwidth_from_bus(gpu: Gpu) -> float | None:
    """Bandwidth in GB/s = bus width in bits × Gbit/s per pin ÷ 8; ``None`` if one is unknown."""
    bus, speed = gpu.memory.bus_width_bits, gpu.memory.speed_gbps
    return None if bus is None or speed is None else bus * speed / 8


def _speed(gpu: Gpu, _: Architecture) -> tuple[float, str] | None:
    bus, bandwidth = gpu.memory.bus_width_bits, gpu.memory.bandwidth_gb_s
    if bus is None:
        return None
    return bandwidth * 8 / bus, f"{bandwidth:g} GB/s × 8 ÷ {bus} bit"


def _bandwidth(gpu: Gpu, _: Architecture) -> tuple[float, str] | None:
    value = bandwidth_from_bus(gpu)
    formula = f"{gpu.memory.bus_width_bits} bit × {gpu.memory.speed_gbps:g} Gbit/s ÷ 8" if value else ""
    return (value, formula) if value else None


def _bus(gpu: Gpu, _: Architecture) -> tuple[float, str] | None:
    speed, bandwidth = gpu.memory.speed_gbps, gpu.memory.bandwidth_gb_s
    if speed is None:
        return None
    return bandwidth * 8 / speed, f"{bandwidth:g} GB/s × 8 ÷ {speed:g} Gbit/s"


def _per_sm(count: str) -> Callable[[Gpu, Architecture], tuple[float, str] | None]:
    def derive(gpu: Gpu, architecture: Architecture) -> tuple[float, str] | None:
        sms, each = gpu.compute.sm_count, getattr(architecture.sm, count)
        return None if sms is None else (sms * each, f"{sms} SM × {each}")

    return derive


def _sms(gpu: Gpu, architecture: Architecture) -> tuple[float, str] | None:
    cores, each = gpu.compute.cuda_cores, architecture.sm.cuda_cores
    return None if cores is None else (cores / each, f"{cores} ÷ {each}")


# group and key -> value and formula, for the keys that follow from others of the same file.
DERIVATIONS: dict[tuple[str, str], Callable[[Gpu, Architecture], tuple[float, str] | None]] = {
    ("memory", "speed_gbps"): _speed,
    ("memory", "bandwidth_gb_s"): _bandwidth,
    ("memory", "bus_width_bits"): _bus,
    ("compute", "cuda_cores"): _per_sm("cuda_cores"),
    ("compute", "tensor_cores"): _per_sm("tensor_cores"),
    ("compute", "sm_count"): _sms,
}
