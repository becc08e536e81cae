"""What can be said of every card in one cell: the columns of all tables and rankings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from generator import units
from generator.catalog import Card
from generator.facts import UNKNOWN, Fact, Proof, State, known
from generator.i18n import N_
from generator.rates import training_rate
from generator.schema.rates import RATES, RateKind

Kind = Literal["number", "text", "choice", "flag", "date"]


@dataclass(frozen=True)
class Column:
    """One column: ``id`` is its name in addresses and files, ``label`` an interface string.

    ``better`` says which end of the scale is better for the reader, where that is defined.
    """

    id: str
    label: str
    group: str
    kind: Kind
    get: Callable[[Card], Fact]
    unit: str | None = None
    default: bool = False
    better: Literal["high", "low"] | None = None


def group_fact(card: Card, group: str, key: str) -> Fact:
    """A value of one of the card's groups, with the group's sources and its kind of proof."""
    part = getattr(card.gpu, group)
    value = getattr(part, key)
    derived = key in part.derived
    formula = None
    if derived and (derive := units.DERIVATIONS.get((group, key))):
        result = derive(card.gpu, card.architecture)
        formula = result[1] if result else None
    return known(value, tuple(part.sources), derived=derived, formula=formula)


def _group(group: str, key: str) -> Callable[[Card], Fact]:
    return lambda card: group_fact(card, group, key)


def _rate(kind: RateKind) -> Callable[[Card], Fact]:
    return lambda card: card.rates[kind.key]


def _choice(get: Callable[[Card], str | None]) -> Callable[[Card], Fact]:
    return lambda card: known(get(card), tuple(card.gpu.identity.sources))


def _nvlink(card: Card) -> Fact:
    fact = group_fact(card, "power", "nvlink_gb_s")
    return Fact(0, State.NONE, fact.proof, fact.sources) if fact.value == 0 else fact


def _pcie(card: Card) -> Fact:
    power = card.gpu.power
    if power.pcie_generation is None:
        return UNKNOWN
    lanes = f" ×{power.pcie_lanes}" if power.pcie_lanes else ""
    return known(f"{power.pcie_generation}.0{lanes}", tuple(power.sources))


def _training(card: Card) -> Fact:
    return training_rate(dict(card.rates))[1]


def _ratio(
    top: Callable[[Card], Fact], bottom: Callable[[Card], Fact], scale: float, words: str
) -> Callable[[Card], Fact]:
    """Derived fact ``top ÷ bottom × scale``; ``words`` is the formula with {} for the two."""

    def get(card: Card) -> Fact:
        a, b = top(card), bottom(card)
        if a.number is None or not b.number:
            return UNKNOWN
        sources = tuple(dict.fromkeys((*a.sources, *b.sources)))
        formula = words.format(f"{a.number:.4g}", f"{b.number:.4g}")
        return known(a.number / b.number * scale, sources, derived=True, formula=formula)

    return get


def _launch_year(card: Card) -> Fact:
    date = card.gpu.identity.launch_date
    return UNKNOWN if date is None else known(date.isoformat(), tuple(card.gpu.identity.sources))


_MEMORY, _BANDWIDTH = _group("memory", "memory_gib"), _group("memory", "bandwidth_gb_s")
_TDP = _group("power", "tdp_w")
_MSRP = _group("launch_price", "msrp_usd")


# The format and its accumulator, never one without the other where the speed depends on it.
RATE_LABELS = {
    "fp64": N_("FP64"),
    "tensor_fp64": N_("FP64 Tensor"),
    "fp32": N_("FP32"),
    "tensor_tf32": N_("TF32"),
    "tensor_bf16_fp32acc": N_("BF16, FP32 accumulate"),
    "tensor_fp16_fp32acc": N_("FP16, FP32 accumulate"),
    "tensor_fp16_fp16acc": N_("FP16, FP16 accumulate"),
    "fp16": N_("FP16 on CUDA cores"),
    "tensor_fp8_fp32acc": N_("FP8, FP32 accumulate"),
    "tensor_fp8_fp16acc": N_("FP8, FP16 accumulate"),
    "tensor_fp6": N_("FP6"),
    "tensor_fp4": N_("FP4"),
    "tensor_int8": N_("INT8"),
    "dp4a_int8": N_("INT8 by DP4A"),
    "tensor_int4": N_("INT4"),
}


def rate_label(kind: RateKind) -> str:
    """The interface string that names a rate in tables."""
    return RATE_LABELS[kind.key]


COLUMNS: tuple[Column, ...] = (
    Column("market", N_("Market"), N_("Card"), "choice", _choice(lambda c: c.gpu.market)),
    Column("series", N_("Series"), N_("Card"), "choice", _choice(lambda c: c.gpu.series)),
    Column("generation", N_("Generation"), N_("Card"), "choice",
           _choice(lambda c: c.architecture.generation)),
    Column("cc", N_("Compute capability"), N_("Card"), "number",
           lambda c: known(float(c.architecture.compute_capability), tuple(c.architecture.sources))),
    Column("chip", N_("Chip"), N_("Card"), "text", _group("identity", "chip")),
    Column("launch", N_("Launch"), N_("Card"), "date", _launch_year, default=True),
    Column("memory", N_("Memory"), N_("Memory"), "number", _MEMORY, "GiB", True, "high"),
    Column("bandwidth", N_("Bandwidth"), N_("Memory"), "number", _BANDWIDTH, "GB/s", True, "high"),
    Column("memory_type", N_("Memory type"), N_("Memory"), "text", _group("memory", "memory_type")),
    Column("bus", N_("Bus width"), N_("Memory"), "number", _group("memory", "bus_width_bits"), "bit"),
    Column("l2", N_("L2 cache"), N_("Memory"), "number", _group("memory", "l2_cache_mib"), "MiB",
           better="high"),
    Column("ecc", N_("ECC"), N_("Memory"), "flag", _group("memory", "ecc")),
    Column("training", N_("Training rate"), N_("Rates"), "number", _training, "TFLOP/s", True, "high"),
    *(
        Column(kind.key, rate_label(kind), N_("Rates"), "number", _rate(kind), kind.unit,
               kind.key == "tensor_fp16_fp16acc", "high")
        for kind in RATES
    ),
    Column("sm", N_("SMs"), N_("Units"), "number", _group("compute", "sm_count")),
    Column("cuda_cores", N_("CUDA cores"), N_("Units"), "number", _group("compute", "cuda_cores")),
    Column("tensor_cores", N_("Tensor Cores"), N_("Units"), "number",
           _group("compute", "tensor_cores")),
    Column("boost", N_("Boost clock"), N_("Units"), "number", _group("compute", "boost_clock_mhz"),
           "MHz"),
    Column("tdp", N_("Power"), N_("Power and links"), "number", _TDP, "W", True, "low"),
    Column("pcie", N_("PCIe"), N_("Power and links"), "text", _pcie),
    Column("nvlink", N_("NVLink"), N_("Power and links"), "number", _nvlink, "GB/s", better="high"),
    Column("mig", N_("MIG instances"), N_("Power and links"), "number",
           _group("power", "mig_max_instances")),
    Column("msrp", N_("Launch price"), N_("Price"), "number", _MSRP, "USD", True, "low"),
    Column("flop_per_byte", N_("Training FLOP per byte"), N_("Ratios"), "number",
           _ratio(_training, _BANDWIDTH, 1000, "{} TFLOP/s ÷ {} GB/s"), "FLOP/B"),
    Column("bandwidth_per_watt", N_("Bandwidth per watt"), N_("Ratios"), "number",
           _ratio(_BANDWIDTH, _TDP, 1, "{} GB/s ÷ {} W"), "GB/s/W", better="high"),
    Column("training_per_watt", N_("Training rate per watt"), N_("Ratios"), "number",
           _ratio(_training, _TDP, 1000, "{} TFLOP/s ÷ {} W"), "GFLOP/s/W", better="high"),
    Column("msrp_per_gib", N_("Launch price per GiB"), N_("Ratios"), "number",
           _ratio(_MSRP, _MEMORY, 1, "{} USD ÷ {} GiB"), "USD/GiB", better="low"),
)  # fmt: skip
COLUMN_BY_ID = {column.id: column for column in COLUMNS}


def is_published(fact: Fact) -> bool:
    """Whether a reader may take the value from a source as it stands."""
    return fact.state is State.KNOWN and fact.proof is Proof.PUBLISHED
