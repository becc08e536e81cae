"""``data/published/<kind>/<family>.csv``: what others measured, one row a measurement.

Thousands of rows: columns are checked by small readers, each distinct cell once, and not by a model for each row.
An empty cell means "not stated by the source". ``generator schema`` writes the tables below to
``data/schema/published.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from generator.problems import near, show
from generator.schema.base import Line

Value: TypeAlias = str | int | float | None

TRUST = {
    "A": "fully specified, known meter: accuracy is scored on these",
    "B": "one important unknown: scored, with more tolerance",
    "C": "rounded, dynamic lengths, community or unusual: only says whether an answer exists",
    "D": "an estimate, a minimum requirement or an engine that reserves in advance: never scored",
}
# The first word of a unit of memory. Bare GB and MB may be decimal or binary: the source does not say.
MEMORY_UNITS = {
    "GiB": "2^30 bytes",
    "GB=1e9": "10^9 bytes",
    "GB": "10^9 or 2^30 bytes, not stated which",
    "GB/GiB": "10^9 or 2^30 bytes, not stated which",
    "MB": "GB after division by 1024; MB of 10^6 or 2^20 bytes, not stated which",
}
STATUS = {
    "ok": "ran",
    "ok (max fit)": "the longest or largest that fitted",
    "OOM": "did not fit; a remark may follow in brackets",
    "failed": "failed, in all likelihood for want of memory; a remark may follow in brackets",
    "> N GB": "did not fit a card of N GB",
    "estimate": "computed by the source, not measured",
}
KERNEL_UNITS = ("TFLOPS", "ms", "MB peak")
CHECKPOINTING = ("yes", "no", "true", "false", "default true", "full", "selective")


class RefusedError(ValueError):
    """A cell that cannot be read: what is wrong with it, and what was expected."""

    def __init__(self, what: str, expected: str) -> None:
        super().__init__(what)
        self.what, self.expected = what, expected


@dataclass(frozen=True, slots=True)
class Type:
    """A kind of cell: its name for people, and its reader, which raises :class:`RefusedError`."""

    name: str
    read: Callable[[str], Value]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the first line, its type, what it means, and whether it may be empty."""

    name: str
    type: Type
    meaning: str
    required: bool = False


_LINE = TypeAdapter[str](Line)
_COUNT = re.compile(r"[1-9][0-9]{0,14}")
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?")
_TRAINABLE = re.compile(r"[1-9][0-9]{0,14}|(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?\([0-9]{1,3}(\.[0-9]{1,6})?%\)")
_STATUS = re.compile(r"ok( \(max fit\))?|(OOM|failed)( \([^()]+\))?|> [1-9][0-9.]* GB|estimate")
_UNIT = re.compile(r"(GB=1e9|GB/GiB|GiB|GB|MB)(?=$|[ /(])")
_PLACE = re.compile(r"(https?://)?[a-z0-9-]+(\.[a-z0-9-]+)+(/[^\s<>\"'`]+)+")


def _text(cell: str) -> str:
    try:
        _LINE.validate_python(cell)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "string_too_long":
            raise RefusedError(f"out of range ({show(cell)})", "at most 300 characters") from None
        raise RefusedError(
            f"malformed ({show(cell)})", "text on one line without control or invisible characters"
        ) from None
    if cell != cell.strip():
        raise RefusedError(f"malformed ({show(cell)})", "no blanks at the ends")
    return cell


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise RefusedError(f"wrong type ({show(cell)})", "a whole number, 1 or more")
    return int(cell)


def _number(cell: str) -> float:
    if not _NUMBER.fullmatch(cell):
        raise RefusedError(f"wrong type ({show(cell)})", "a number like 12 or 0.5")
    value = float(cell)
    if value == 0:
        raise RefusedError(f"out of range ({cell})", "more than 0; empty where the source gives none")
    return value


def _percent(cell: str) -> float:
    value = _number(cell)
    if value > 100:
        raise RefusedError(f"out of range ({cell})", "100 or less")
    return value


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if not pattern.fullmatch(_text(cell)):
            raise RefusedError(f"malformed ({show(cell)})", expected)
        return cell

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell not in words:
            raise RefusedError(
                f"unknown value ({show(cell)}){near(cell[:80], words)}", f"one of {', '.join(map(repr, words))}"
            )
        return cell

    return read


def memory_unit(cell: str) -> str | None:
    """The key of :data:`MEMORY_UNITS` that a unit begins with, or None. What follows says how it was come by."""
    found = _UNIT.match(cell)
    return found[1] if found else None


def _memory_unit(cell: str) -> str:
    if memory_unit(_text(cell)) is None:
        raise RefusedError(f"unknown value ({show(cell)})", f"to begin with one of {', '.join(MEMORY_UNITS)}")
    return cell


TEXT = Type("text", _text)
COUNT = Type("whole number", _count)
NUMBER = Type("number > 0", _number)
PERCENT = Type("percent", _percent)
MEMORY_UNIT = Type("unit of memory", _memory_unit)
PLACE = Type("address", _matching(_PLACE, "an address like github.com/owner/name"))
TRUST_TYPE = Type("A to D", _one_of(*TRUST))
STATUS_TYPE = Type("status", _matching(_STATUS, f"one of {', '.join(STATUS)}"))
TRAINABLE = Type(
    "trainable parameters", _matching(_TRAINABLE, "a count, or millions with their share: 17.8913(0.2312%)")
)
CHECKPOINTING_TYPE = Type("one of: " + ", ".join(CHECKPOINTING), _one_of(*CHECKPOINTING))
KERNEL_UNIT = Type("one of: " + ", ".join(KERNEL_UNITS), _one_of(*KERNEL_UNITS))


@dataclass(frozen=True)
class Kind:
    """One kind of measurement: a folder below ``data/published``.

    A row that ran gives one of ``measured``, or ``instead`` stands in for it; an amount in a column of ``units``
    has its unit in the column that it maps to.
    """

    name: str
    letter: str
    meaning: str
    columns: tuple[Column, ...]
    measured: tuple[str, ...]
    instead: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all columns: the first line of each file."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The place of each column."""
        return {name: i for i, name in enumerate(self.names)}


_ID = Column("id", TEXT, "letter of the kind, first 14 letters and digits of the family, number", required=True)
_MODEL = Column("model", TEXT, "the model as the source names it", required=True)
_PARAMS = Column("params_b", NUMBER, "nominal size, 10^9 parameters")
_N_GPUS = Column("n_gpus", COUNT, "GPUs of the run", required=True)
_PLACED = (
    Column("source_repo_or_url", PLACE, "where it was read: an address of the family's source", required=True),
    Column("source_path", TEXT, "file and line there", required=True),
    Column("commit_or_date", TEXT, "version that was read", required=True),
)
_FAMILY = Column("source_family", TEXT, "rows that share a code base or an author; the name of the file", required=True)
_TRUST = Column("trust", TRUST_TYPE, "how far the row is specified", required=True)
_NOTES = Column("notes", TEXT, "what else the source states, in short")
_CHECKPOINTING = Column("activation_checkpointing", CHECKPOINTING_TYPE, "whether activations are recomputed")
_ATTENTION = Column("attention_impl", TEXT, "attention kernel")
_LORA = (
    Column("lora_rank", COUNT, "rank of the adapters"),
    Column("lora_targets", TEXT, "modules that have adapters"),
)
_SHARDING = Column("sharding", TEXT, "none, ddp, fsdp …, zero2, zero3, device_map, megatron")
_OTHER_PARALLELISM = Column("other_parallelism", TEXT, "tensor, pipeline, expert, sequence parallelism and packing")
_SEQ_NOTE = Column("seq_note", TEXT, "what seq_len means there: a cap, packed, padded, synthetic")

MEMORY = Kind(
    "memory", "M", "peak memory of training and inference",
    (
        _ID, _MODEL, _PARAMS,
        Column("method", TEXT, "full, lora, qlora, inference …"),
        Column("weights_dtype", TEXT, "format of the resident weights"),
        Column("optimizer", TEXT, "optimizer as the source names it"),
        Column("seq_len", COUNT, "tokens of a sequence; see seq_note"),
        Column("batch_size", COUNT, "sequences a GPU and a pass"),
        Column("grad_accum", COUNT, "passes an optimizer step"),
        _CHECKPOINTING, _ATTENTION, *_LORA, _SHARDING,
        Column("n_gpus", COUNT, "GPUs of the run"),
        Column("gpu", TEXT, "card as the source names it"),
        Column("framework", TEXT, "software with its version, and the settings that decide its kernels"),
        Column("measured_peak_gb_per_gpu", NUMBER, "peak a GPU, in gb_unit"),
        Column("gb_unit", MEMORY_UNIT, "unit of the peak, and how it was come by"),
        Column("what_is_measured", TEXT, "the meter: allocated, reserved, nvidia-smi …", required=True),
        *_PLACED,
        Column("status", STATUS_TYPE, "whether it ran", required=True),
        Column("prompt_len", COUNT, "tokens of the prompt (inference)"),
        Column("gen_len", COUNT, "tokens generated (inference)"),
        Column("compute_dtype_or_amp", TEXT, "autocast or pure, and the format"),
        _OTHER_PARALLELISM,
        Column("trainable_params", TRAINABLE, "as the source prints them: a count, or millions with their share"),
        _SEQ_NOTE,
        Column("raw_value", TEXT, "the figure as the source prints it"),
        _FAMILY, _TRUST, _NOTES,
    ),
    measured=("measured_peak_gb_per_gpu",),
    # A total over unlike cards is no peak of one card.
    instead="raw_value",
    units={"measured_peak_gb_per_gpu": "gb_unit"},
)  # fmt: skip

TRAIN = Kind(
    "train", "T", "speed of training",
    (
        _ID, _MODEL, _PARAMS,
        Column("method", TEXT, "full, full (pretrain), lora, qlora …"),
        Column("precision", TEXT, "format of the weights, and autocast"),
        Column("optimizer", TEXT, "optimizer as the source names it"),
        Column("seq_len", COUNT, "tokens of a sequence; see seq_note"),
        Column("batch_size", COUNT, "sequences a GPU and a pass"),
        Column("grad_accum", COUNT, "passes an optimizer step"),
        Column("global_batch_size", COUNT, "sequences an optimizer step, all GPUs"),
        _CHECKPOINTING, _ATTENTION, *_LORA, _SHARDING, _OTHER_PARALLELISM, _N_GPUS,
        Column("gpu", TEXT, "card as the source names it"),
        Column("framework", TEXT, "software with its version, and the settings that decide its kernels", required=True),
        Column("tokens_per_s_per_gpu", NUMBER, "tokens/s a GPU, as the source states it"),
        Column("samples_per_s_total", NUMBER, "sequences/s, all GPUs"),
        Column("step_time_s", NUMBER, "seconds an optimizer step"),
        Column("tflops_per_gpu", NUMBER, "model TFLOP/s a GPU, without recomputation"),
        Column("mfu_pct", PERCENT, "model FLOPs utilisation"),
        Column("hfu_pct", PERCENT, "hardware FLOPs utilisation: counts recomputation"),
        Column("mem_gb_per_gpu", NUMBER, "peak memory a GPU, in mem_unit"),
        Column("mem_unit", MEMORY_UNIT, "unit and meter of the memory"),
        Column("derived_tokens_per_s_per_gpu", NUMBER, "tokens/s a GPU that follow from what the source states"),
        Column("derivation", TEXT, "how they follow"),
        *_PLACED, _SEQ_NOTE, _FAMILY, _TRUST, _NOTES,
    ),
    measured=("tokens_per_s_per_gpu", "samples_per_s_total", "step_time_s", "tflops_per_gpu", "mfu_pct",
              "derived_tokens_per_s_per_gpu"),
    units={"mem_gb_per_gpu": "mem_unit"},
)  # fmt: skip

INFERENCE = Kind(
    "inference", "I", "speed of inference",
    (
        _ID, _MODEL, _PARAMS,
        Column("quantization", TEXT, "format of the weights"),
        Column("engine", TEXT, "software with its version", required=True),
        Column("gpu", TEXT, "card as the source names it", required=True),
        _N_GPUS,
        Column("parallelism", TEXT, "tensor-parallel, layer split, device_map"),
        Column("batch", COUNT, "sequences at once"),
        Column("prompt_len", COUNT, "tokens of a prompt"),
        Column("gen_len", COUNT, "tokens generated for a prompt"),
        Column("prefill_tok_s", NUMBER, "prompt tokens/s, whole system"),
        Column("decode_tok_s", NUMBER, "generated tokens/s, whole system"),
        Column("combined_tok_s", NUMBER, "prompt and generated tokens/s; see what_is_measured"),
        Column("total_output_tok_s", NUMBER, "generated tokens/s of all requests"),
        Column("requests_per_s", NUMBER, "requests/s"),
        Column("ttft_ms", NUMBER, "milliseconds to the first token"),
        Column("tpot_ms", NUMBER, "milliseconds a further token"),
        Column("concurrency", TEXT, "requests in flight"),
        Column("memory_gb", NUMBER, "memory in memory_unit"),
        Column("memory_unit", MEMORY_UNIT, "unit of the memory"),
        Column("memory_what", TEXT, "the meter of the memory"),
        Column("what_is_measured", TEXT, "how the speed is defined", required=True),
        *_PLACED, _FAMILY, _TRUST, _NOTES,
    ),
    measured=("prefill_tok_s", "decode_tok_s", "combined_tok_s", "total_output_tok_s", "requests_per_s", "ttft_ms",
              "tpot_ms"),
    units={"memory_gb": "memory_unit"},
)  # fmt: skip

KERNELS = Kind(
    "kernels", "K", "matrix products, attention, losses and other kernels",
    (
        _ID,
        Column("gpu", TEXT, "card as the source names it"),
        Column("kernel", TEXT, "what was run, its implementation in brackets", required=True),
        Column("dtype", TEXT, "number format", required=True),
        Column("shape", TEXT, "sizes of the operands", required=True),
        Column("direction", TEXT, "forward, backward or both"),
        Column("measured_value", NUMBER, "the measurement, in unit", required=True),
        Column("unit", KERNEL_UNIT, "unit of the measurement", required=True),
        Column("theoretical_value", NUMBER, "peak that the source compares with, in unit"),
        Column("efficiency_pct", PERCENT, "share of that peak, as the source states it"),
        Column("software", TEXT, "versions, machine"),
        *_PLACED, _FAMILY, _TRUST, _NOTES,
    ),
    measured=("measured_value",),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (MEMORY, TRAIN, INFERENCE, KERNELS)}


def id_stem(kind: Kind, family: str) -> str:
    """What every id of a family begins with: ``M-msswift`` for memory measured by ms-swift."""
    return f"{kind.letter}-{re.sub('[^a-z0-9]', '', family)[:14]}"


def source_id(family: str) -> str:
    """The id in data/sources.yaml that a family is listed under: ``C_MS_SWIFT`` for ms-swift."""
    return "C_" + family.upper().replace("-", "_")
