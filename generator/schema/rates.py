"""The arithmetic rates that the guide tells apart: number format, accumulator, kind of unit.

A single field called "tflops" is how other databases go wrong: GeForce cards since Turing run
FP16 with an FP32 accumulator at half the speed of FP16 with an FP16 accumulator. So each rate has
its own key, always dense (no 2:4 sparsity), always per package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["fp64", "tf32", "fp32", "fp16", "bf16", "int8", "int4", "fp8", "fp6", "fp4"]
FORMATS: tuple[Format, ...] = (
    "fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "fp6", "fp4", "int8", "int4",
)  # fmt: skip


@dataclass(frozen=True)
class RateKind:
    """One rate: ``key`` without its unit, number ``format``, ``accumulator`` and ``unit``.

    ``tensor`` says whether Tensor Cores do it: then the Tensor Core clock applies where a card
    has one of its own (H100: 1830 MHz against 1980 MHz for the CUDA cores).
    """

    key: str
    format: Format
    accumulator: str | None
    tensor: bool
    unit: Literal["TFLOP/s", "TOP/s"]
    label: str

    @property
    def field(self) -> str:
        """The key in ``rates.published`` of a card's file, with its unit."""
        return f"{self.key}_{'tflops' if self.unit == 'TFLOP/s' else 'tops'}"


RATES: tuple[RateKind, ...] = (
    RateKind("fp64", "fp64", None, False, "TFLOP/s", "FP64"),
    RateKind("tensor_fp64", "fp64", None, True, "TFLOP/s", "FP64 Tensor"),
    RateKind("fp32", "fp32", None, False, "TFLOP/s", "FP32"),
    RateKind("tensor_tf32", "tf32", "FP32", True, "TFLOP/s", "TF32"),
    RateKind("tensor_bf16_fp32acc", "bf16", "FP32", True, "TFLOP/s", "BF16"),
    RateKind("tensor_fp16_fp32acc", "fp16", "FP32", True, "TFLOP/s", "FP16"),
    RateKind("tensor_fp16_fp16acc", "fp16", "FP16", True, "TFLOP/s", "FP16"),
    RateKind("fp16", "fp16", None, False, "TFLOP/s", "FP16"),
    RateKind("tensor_fp8_fp32acc", "fp8", "FP32", True, "TFLOP/s", "FP8"),
    RateKind("tensor_fp8_fp16acc", "fp8", "FP16", True, "TFLOP/s", "FP8"),
    RateKind("tensor_fp6", "fp6", "FP32", True, "TFLOP/s", "FP6"),
    RateKind("tensor_fp4", "fp4", "FP32", True, "TFLOP/s", "FP4"),
    RateKind("tensor_int8", "int8", "INT32", True, "TOP/s", "INT8"),
    RateKind("dp4a_int8", "int8", "INT32", False, "TOP/s", "INT8 (DP4A)"),
    RateKind("tensor_int4", "int4", "INT32", True, "TOP/s", "INT4"),
)
RATE_BY_KEY = {rate.key: rate for rate in RATES}
