"""Numbers with units as people read them: bytes as GiB, seconds as µs, tiny and huge ones as powers of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping

from generator.i18n import N_, number

MIB, GIB = 2**20, 2**30
# Unit of a formula -> (from which value on, unit that people read), the first that applies.
_SCALES: Mapping[str, tuple[tuple[float, str], ...]] = {
    "bytes": ((0.1 * GIB, "GiB"), (0.1 * MIB, "MiB")),
    "bytes/token": ((0.1 * MIB, "MiB/token"), (102.4, "KiB/token")),
    "FLOP/s": ((1e11, "TFLOP/s"),),
    "FLOP/token": ((1e8, "GFLOP/token"),),
    "bytes/s": ((1e8, "GB/s"),),
    "s/token": ((1e-3, "ms/token"), (1e-9, "µs/token")),
    "s": ((0.1, ""), (1e-4, "ms"), (1e-9, "µs")),
    "s/byte": ((1e-15, N_("ps/byte")),),
    "Hz": ((1e6, "GHz"),),
}
_FACTORS = {
    "GiB": GIB, "MiB": MIB, "MiB/token": MIB, "KiB/token": 1024, "TFLOP/s": 1e12, "GFLOP/token": 1e9, "GB/s": 1e9,
    "ms/token": 1e-3, "µs/token": 1e-6, "ms": 1e-3, "µs": 1e-6, "ps/byte": 1e-12, "GHz": 1e9,
}  # fmt: skip


def readable(value: float, unit: str) -> tuple[float, str] | None:
    """A value in a unit that people read (GiB for bytes), None where its own is one."""
    for least, name in _SCALES.get(unit, ()):
        if abs(value) >= least:
            return (value / _FACTORS[name], name) if name else None
    return None


def exact(value: float, digits: int = 4) -> str:
    """A number in a table: exact where it is whole, else a few digits."""
    if not math.isfinite(value):
        return "∞"
    if value == round(value) and abs(value) < 1e10:
        return f"{round(value):,}".replace("-", "−")
    if 1e-4 <= abs(value) < 1e7:
        return number(value, digits).replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{raised}"
