"""What must hold beyond types and ranges: references, cross-field arithmetic, duplicates.

A rule is a small object with an id. Where a card may break one, its file says so under
``exceptions`` with a reason; an exception that is not needed is itself a problem, so that none
outlives its cause.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator import names, parameters, rates, units
from generator.located import Located
from generator.problems import Problem, near
from generator.schema import (
    Architecture,
    FxRate,
    Glossary,
    Gpu,
    LanguageModel,
    PriceRow,
    Software,
    Sources,
    Workload,
)
from generator.schema.rates import RATES
from generator.schema.software import capability_key
from generator.yamlfile import Loc

if TYPE_CHECKING:
    from generator.catalog import Catalog

BANDWIDTH_TOLERANCE = 0.01
DERIVED_TOLERANCE = 0.005
PER_PACKAGE_SHARE = 0.6
MODEL_TOLERANCE = 0.01

Finding = tuple[Loc, str, str]
CardCheck = Callable[["Catalog", Gpu], Iterator[Finding]]


@dataclass(frozen=True)
class CardRule:
    """A check of one card in the catalog; ``excusable`` when a file may state an exception."""

    id: str
    description: str
    check: CardCheck
    excusable: bool = False


def _off(value: float, reference: float) -> float:
    return abs(value / reference - 1)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def references(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """Architecture, series and every source exist."""
    if gpu.architecture not in catalog.architectures:
        hint = near(gpu.architecture, catalog.architectures)
        yield ("architecture",), f"unknown ({gpu.architecture}){hint}", "a file of data/architectures/"
    if gpu.series not in catalog.series:
        yield ("series",), f"unknown ({gpu.series}){near(gpu.series, catalog.series)}", ("a file of data/series/")
    for loc, source in _cited(gpu):
        if source not in catalog.sources:
            hint = near(source, catalog.sources)
            yield loc, f"unknown source ({source}){hint}", "an id in data/sources.yaml"


def _cited(gpu: Gpu) -> Iterator[tuple[Loc, str]]:
    for group in ("identity", "compute", "memory", "power", "launch_price"):
        for i, source in enumerate(getattr(gpu, group).sources):
            yield (group, "sources", i), source
    for kind in RATES:
        entry = getattr(gpu.rates.published, kind.field)
        if entry is not None:
            yield ("rates", "published", kind.field, "source"), entry.source
    for i, note in enumerate(gpu.notes):
        for j, source in enumerate(note.sources):
            yield ("notes", i, "sources", j), source


def sources_given(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A group that holds a value names at least one source."""
    for group in ("identity", "compute", "memory", "power", "launch_price"):
        values = getattr(gpu, group).model_dump(exclude={"sources", "derived"})
        if not getattr(gpu, group).sources and any(v is not None for v in values.values()):
            yield (group, "sources"), "no source for the values of this group", "at least one id"


def cores(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """CUDA cores and Tensor Cores = SMs × what one SM of the class holds."""
    architecture = catalog.architectures.get(gpu.architecture)
    sms = gpu.compute.sm_count
    if architecture is None or sms is None:
        return
    for key in ("cuda_cores", "tensor_cores"):
        count, each = getattr(gpu.compute, key), getattr(architecture.sm, key)
        if count is not None and count != sms * each:
            yield ("compute", key), f"does not follow from the SMs ({count})", (f"{sms} SM × {each} = {sms * each}")


def bandwidth(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """Bandwidth = bus × speed ÷ 8 within 1 %."""
    follows = units.bandwidth_from_bus(gpu)
    value = gpu.memory.bandwidth_gb_s
    if follows is not None and _off(value, follows) > BANDWIDTH_TOLERANCE:
        yield (
            ("memory", "bandwidth_gb_s"),
            (f"does not follow from bus and speed ({value:g}; off by {_percent(_off(value, follows))})"),
            (f"{gpu.memory.bus_width_bits} bit × {gpu.memory.speed_gbps:g} Gbit/s ÷ 8 = {follows:g} GB/s within 1 %"),
        )


def derived_follow(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A key listed as derived exists, has a value, and equals its formula where one is known."""
    architecture = catalog.architectures.get(gpu.architecture)
    for group in ("identity", "compute", "memory", "power", "launch_price"):
        part = getattr(gpu, group)
        for i, key in enumerate(part.derived):
            loc = (group, "derived", i)
            if key not in type(part).model_fields or key in ("derived", "sources"):
                yield loc, f"no such key in {group} ({key})", "a key of this group"
                continue
            value = getattr(part, key)
            if value is None:
                yield loc, f"{key} is listed as derived but null", "a value, or not listed"
                continue
            derive = units.DERIVATIONS.get((group, key))
            result = derive(gpu, architecture) if derive and architecture else None
            if result and _off(float(value), result[0]) > DERIVED_TOLERANCE:
                yield (group, key), f"is not what it is derived from ({value:g})", (f"{result[1]} = {result[0]:.4g}")


def published_rate(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A published rate lies within 2 % of the one that follows from SMs and clock."""
    architecture = catalog.architectures.get(gpu.architecture)
    if architecture is None:
        return
    for kind in RATES:
        published = rates.published_rate(gpu, kind).number
        derived = rates.derived_rate(gpu, architecture, kind)
        if published is None or derived.number is None:
            continue
        # Printed figures are rounded: half a unit of the last printed digit is no contradiction.
        printed = f"{published:g}"
        rounding = 0.5 * 10 ** -(len(printed.split(".")[1]) if "." in printed else 0)
        gap = max(0.0, abs(published - derived.number) - rounding)
        if gap / derived.number > rates.TOLERANCE:
            yield (
                ("rates", "published", kind.field),
                (
                    f"published {published:g} but derived {derived.number:.4g} "
                    f"({derived.formula}), {_percent(_off(published, derived.number))} apart"
                ),
                "agreement within 2 %, or a reason under exceptions.published_rate",
            )


def supported_formats(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """No rate is published for a format that the class does not have in hardware."""
    architecture = catalog.architectures.get(gpu.architecture)
    if architecture is None:
        return
    for kind in RATES:
        support = getattr(architecture.formats, kind.format)
        if getattr(gpu.rates.published, kind.field) is not None and support not in ("native", None):
            yield (
                ("rates", "published", kind.field),
                (f"{kind.label} is {support} on {gpu.architecture}"),
                "no published rate, or another class",
            )


def not_in_the_future(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """No card was launched after today."""
    date = gpu.identity.launch_date
    if date is not None and date > catalog.today:
        yield ("identity", "launch_date"), f"in the future ({date})", f"{catalog.today} or earlier"


def per_package(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """Cards of several dies are described per package: B200 has 180 GB, not the 90 of one die."""
    architecture = catalog.architectures.get(gpu.architecture)
    if architecture is None or architecture.dies_per_package == 1:
        return
    family = [g for g in catalog.gpus if g.architecture == gpu.architecture]
    for key in ("memory_gib", "bandwidth_gb_s", "bus_width_bits"):
        value = getattr(gpu.memory, key)
        most = max((getattr(g.memory, key) or 0 for g in family), default=0)
        if value is not None and value < PER_PACKAGE_SHARE * most:
            yield (
                ("memory", key),
                f"looks like one die of {architecture.dies_per_package} ({value:g})",
                (f"the figure of the whole package; others of this class have up to {most:g}"),
            )


def laptop_is_a_laptop(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """Market, form factor and name agree on whether this is a laptop GPU."""
    signs = {
        "market": gpu.market == "laptop",
        "identity.form_factor": gpu.identity.form_factor == "laptop",
        "name": "Laptop" in gpu.name,
    }
    if len(set(signs.values())) > 1:
        says = ", ".join(f"{k}: {'laptop' if v else 'not laptop'}" for k, v in signs.items())
        yield ("market",), f"laptop or not? ({says})", "market, form_factor and name to agree"


def laptop_has_own_numbers(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A laptop GPU never carries the numbers of the desktop card of the same name."""
    if gpu.market != "laptop" or " Laptop" not in gpu.name:
        return
    base = gpu.name.split(" Laptop")[0]
    for other in catalog.desktop_by_name.get(base, ()):
        pairs = {
            ("compute", "sm_count"): (gpu.compute.sm_count, other.compute.sm_count),
            ("compute", "boost_clock_mhz"): (gpu.compute.boost_clock_mhz, other.compute.boost_clock_mhz),
            ("memory", "bandwidth_gb_s"): (gpu.memory.bandwidth_gb_s, other.memory.bandwidth_gb_s),
            ("power", "tdp_w"): (gpu.power.tdp_w, other.power.tdp_w),
        }
        same = [loc for loc, (a, b) in pairs.items() if a is not None and a == b]
        if ("compute", "boost_clock_mhz") in same or len(same) >= 3:
            names = ", ".join(loc[1] for loc in same)
            yield same[0], f"same as the desktop card {other.slug} ({names})", "the laptop's own numbers"


def memory_in_name(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A memory size in the name is the card's memory size."""
    sizes = [float(n) for n in re.findall(r"\b(\d+) ?GB\b", gpu.name)]
    if sizes and gpu.memory.memory_gib not in sizes:
        yield (
            ("memory", "memory_gib"),
            f"differs from the name ({gpu.memory.memory_gib:g})",
            (f"{sizes[-1]:g} as in '{gpu.name}'"),
        )


def memory_bus(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """HBM has a wide bus, GDDR and LPDDR a narrow one."""
    bus = gpu.memory.bus_width_bits
    if bus is None:
        return
    wide = gpu.memory.memory_type.startswith("HBM")
    if wide != (bus >= 1024):
        yield (
            ("memory", "bus_width_bits"),
            f"{gpu.memory.memory_type} on {bus} bit",
            ("1024 bit or more" if wide else "less than 1024 bit"),
        )


def ranges_hold(_: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """Base clock ≤ boost clock; the quoted clock and power lie in the range that makers may set."""
    c, p = gpu.compute, gpu.power
    if c.base_clock_mhz and c.boost_clock_mhz and c.base_clock_mhz > c.boost_clock_mhz:
        yield (
            ("compute", "base_clock_mhz"),
            f"above the boost clock ({c.base_clock_mhz:g})",
            (f"{c.boost_clock_mhz:g} or less"),
        )
    for group, key, value, span in (
        ("compute", "boost_clock_mhz", c.boost_clock_mhz, c.boost_clock_range_mhz),
        ("power", "tdp_w", p.tdp_w, p.power_range_w),
    ):
        if span is None:
            continue
        low, high = span
        if low > high or (value is not None and not low <= value <= high):
            yield (group, key), f"outside its range ({value:g} in [{low:g}, {high:g}])", ("lowest ≤ value ≤ highest")


def series_market(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """A card stands in a series of its own market."""
    series = catalog.series.get(gpu.series)
    allowed = {"desktop_ai": "workstation"}
    if series and allowed.get(series.group, series.group) != gpu.market:
        yield (
            ("series",),
            f"'{gpu.series}' is a {series.group} series ({gpu.market} card)",
            (f"a series of group {gpu.market}"),
        )


def name_key(gpu: Gpu) -> tuple[str, ...]:
    """The words of a name in any order and case: "TITAN RTX" and "RTX TITAN" are one name."""
    return tuple(sorted(re.findall(r"[a-z0-9]+", gpu.name.lower())))


def hardware_key(gpu: Gpu) -> tuple[str, ...]:
    """Every number of a card, without where it is from."""
    skip = {"sources", "derived"}
    groups = (part.model_dump_json(exclude=skip) for part in (gpu.compute, gpu.memory, gpu.power))
    return (gpu.identity.chip or "", gpu.identity.form_factor, *groups)


def unique_name(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """No two cards share a name, in whatever order its words stand."""
    first = catalog.first_by_name[name_key(gpu)]
    if first != gpu.slug:
        yield ("name",), f"the same name as {first} ({gpu.name})", "a name of its own"


def unique_hardware(catalog: Catalog, gpu: Gpu) -> Iterator[Finding]:
    """No two cards are the same in every number."""
    first = catalog.first_by_hardware[hardware_key(gpu)]
    if first != gpu.slug:
        yield (
            ("slug",),
            f"every number equals those of {first}",
            "a difference, or a reason under exceptions.unique_hardware",
        )


CARD_RULES: tuple[CardRule, ...] = tuple(
    CardRule(check.__name__, (check.__doc__ or "").strip(), check, excusable)
    for check, excusable in (
        (references, False),
        (sources_given, False),
        (cores, True),
        (bandwidth, True),
        (derived_follow, False),
        (published_rate, True),
        (supported_formats, False),
        (not_in_the_future, False),
        (per_package, True),
        (laptop_is_a_laptop, False),
        (laptop_has_own_numbers, True),
        (memory_in_name, True),
        (memory_bus, True),
        (ranges_hold, True),
        (series_market, False),
        (unique_name, False),
        (unique_hardware, True),
    )
)


def check_card(catalog: Catalog, card: Located[Gpu]) -> Iterator[Problem]:
    """Every problem of one card, and every exception that it does not need."""
    gpu = card.value
    excused = set(gpu.exceptions)
    for rule in CARD_RULES:
        findings = list(rule.check(catalog, gpu))
        if rule.excusable and rule.id in excused:
            excused.discard(rule.id)
            if not findings:
                where: Loc = ("exceptions", rule.id)
                yield card.problem(where, "needless exception: the rule holds", "no entry")
            continue
        for loc, what, expected in findings:
            yield card.problem(loc, what, expected)
    ids = [rule.id for rule in CARD_RULES if rule.excusable]
    for rule_id in excused:
        hint = near(rule_id, ids)
        yield card.problem(("exceptions", rule_id), f"no such rule{hint}", f"one of: {', '.join(ids)}")


def _unknown_sources(catalog: Catalog, where: Located[Any], cited: Iterable[tuple[Loc, str]]) -> Iterator[Problem]:
    for loc, source in cited:
        if source not in catalog.sources:
            hint = near(source, catalog.sources)
            yield where.problem(loc, f"unknown source ({source}){hint}", "an id in data/sources.yaml")


def check_architecture(catalog: Catalog, where: Located[Architecture]) -> Iterator[Problem]:
    """Sources exist; the accumulator flag is what the rates say; formats and rates agree."""
    item = where.value
    cited: list[tuple[Loc, str]] = [(("sources", i), s) for i, s in enumerate(item.sources)]
    cited += [(("notes", i, "sources", j), s) for i, note in enumerate(item.notes) for j, s in enumerate(note.sources)]
    yield from _unknown_sources(catalog, where, cited)
    fma = item.fma_per_clock_per_sm
    fp32acc, fp16acc = fma.tensor_fp16_fp32acc, fma.tensor_fp16_fp16acc
    if fp32acc and fp16acc:
        says = "half" if fp32acc * 2 == fp16acc else "full" if fp32acc == fp16acc else None
        if says != item.fp32_accumulate:
            yield where.problem(
                ("fp32_accumulate",),
                f"the rates say otherwise ({item.fp32_accumulate})",
                f"{says} (FP32 accumulator {fp32acc:g}, FP16 accumulator {fp16acc:g})",
            )
    for kind in RATES:
        support = getattr(item.formats, kind.format)
        if getattr(fma, kind.key) and support not in ("native", None):
            yield where.problem(
                ("fma_per_clock_per_sm", kind.key),
                f"a rate for a format that is {support}",
                f"null, or formats.{kind.format}: native",
            )
    if item.sm.tensor_cores == 0 and any(getattr(fma, k.key) for k in RATES if k.tensor):
        yield where.problem(("sm", "tensor_cores"), "0, but Tensor rates are given", "more than 0")
    if (item.sm.tensor_cores == 0) != (item.sm.tensor_core_generation is None):
        yield where.problem(
            ("sm", "tensor_core_generation"), "does not fit the number of Tensor Cores",
            "null exactly when there are none",
        )  # fmt: skip


def check_software(catalog: Catalog, where: Located[Software]) -> Iterator[Problem]:
    """Ids are unique, ranges run upwards, sources exist."""
    seen: set[str] = set()
    for i, fact in enumerate(where.value.facts):
        if fact.id in seen:
            yield where.problem(("facts", i, "id"), f"used twice ({fact.id})", "an id of its own")
        seen.add(fact.id)
        span = fact.compute_capability
        if span.min and span.max and capability_key(span.min) > capability_key(span.max):
            yield where.problem(
                ("facts", i, "compute_capability"), f"runs backwards ({span.min} … {span.max})",
                "min ≤ max",
            )  # fmt: skip
        yield from _unknown_sources(
            catalog, where, [(("facts", i, "sources", j), s) for j, s in enumerate(fact.sources)]
        )


def check_model(catalog: Catalog, where: Located[LanguageModel]) -> Iterator[Problem]:
    """Kind and shape agree; the count fits the published one within 1 %, or the file says why not."""
    model = where.value
    yield from _unknown_sources(catalog, where, ((("sources", i), s) for i, s in enumerate(model.sources)))
    shape, given = model.shape, model.parameters
    if shape is None and given.counted is None and given.published is None:
        yield where.problem(("parameters",), "neither a shape nor a count", "one of them")
    if shape is not None:
        if given.counted is not None:
            yield where.problem(("parameters", "counted"), f"typed though the shape gives it ({given.counted})", "null")
        yield from _shape_holds(where, model)
    if (given.active is not None) != (model.kind == "moe_decoder" and shape is None):
        wanted = "a count" if given.active is None else "null: a shape gives it, and dense models use all"
        yield where.problem(("parameters", "active"), "does not fit the kind and shape", wanted)
    if model.released is not None and not partial_date_is_past(model.released, catalog.today):
        yield where.problem(("released",), f"no such day, or in the future ({model.released})", "a past date")
    computed = parameters.count(model)
    if computed is None or given.published is None:
        return
    off = computed / given.published - 1
    if abs(off) > MODEL_TOLERANCE and given.reason is None:
        yield where.problem(
            ("parameters", "published"),
            f"{given.published:,} but the shape has {computed:,} ({off:+.1%})",
            "agreement within 1 %, or a reason under parameters.reason",
        )
    if abs(off) <= MODEL_TOLERANCE and given.reason is not None:
        yield where.problem(("parameters", "reason"), "needless: the counts agree", "null")


def _shape_holds(where: Located[LanguageModel], model: LanguageModel) -> Iterator[Problem]:
    shape = model.shape
    assert shape is not None
    if (model.kind == "moe_decoder") != (shape.experts is not None):
        yield where.problem(("kind",), f"does not fit shape.experts ({model.kind})", "moe_decoder with experts only")
    attention = shape.attention
    if attention.heads % attention.kv_heads:
        yield where.problem(
            ("shape", "attention", "kv_heads"),
            f"does not divide the heads ({attention.kv_heads} of {attention.heads})",
            "a divisor of heads",
        )
    dense = shape.layers - parameters.expert_layers(shape)
    if dense and shape.mlp.intermediate_size is None:
        yield where.problem(("shape", "mlp", "intermediate_size"), f"null with {dense} dense layers", "a width")
    if shape.experts is not None and shape.experts.per_token > shape.experts.count:
        yield where.problem(
            ("shape", "experts", "per_token"), "more than there are experts", f"{shape.experts.count} or less"
        )


def check_workload(catalog: Catalog, where: Located[Workload]) -> Iterator[Problem]:
    """The model exists and reaches the length; the fields fit the task; a figure has a source or is a choice."""
    item = where.value
    model = catalog.models.get(item.model)
    if model is None:
        yield where.problem(
            ("model",), f"unknown ({item.model}){near(item.model, catalog.models)}", "a data/models/ file"
        )
    elif model.max_context is not None:
        tokens = max(item.sequence or 0, (item.prompt or 0) + (item.answer or 0))
        if tokens > model.max_context:
            key = "sequence" if item.sequence else "prompt"
            yield where.problem((key,), f"longer than {item.model} takes ({tokens})", f"{model.max_context} or less")
    for key, wanted in (
        ("method", item.task == "train"),
        ("checkpointing", item.task == "train"),
        ("sequence", item.task == "train" and item.image_px is None and item.sequence is not None),
        ("prompt", item.task == "run" and item.image_px is None),
        ("answer", item.task == "run" and item.image_px is None),
    ):
        if (getattr(item, key) is not None) != wanted:
            yield where.problem((key,), f"does not fit task {item.task}", "a value" if wanted else "null")
    if item.amount is not None:
        sources = item.amount.sources
        yield from _unknown_sources(catalog, where, ((("amount", "sources", i), s) for i, s in enumerate(sources)))
        if (item.amount.basis == "source") != bool(sources):
            yield where.problem(
                ("amount", "sources"), f"does not fit basis {item.amount.basis}", "sources for a source"
            )
    cited = ((("notes", i, "sources", j), s) for i, note in enumerate(item.notes) for j, s in enumerate(note.sources))
    yield from _unknown_sources(catalog, where, cited)


def check_aliases(cards: Iterable[Located[Gpu]], models: Iterable[Located[LanguageModel]]) -> Iterator[Problem]:
    """No name or alias means two cards or two models."""
    by_card = {card.value.slug: card for card in cards}
    by_model = {model.value.slug: model for model in models}
    clashes: tuple[tuple[Mapping[str, Located[Any]], Iterable[tuple[str, Iterable[str]]]], ...] = (
        (by_card, ((slug, (slug, c.value.name, *c.value.aliases)) for slug, c in by_card.items())),
        (by_model, ((slug, names.model_names(m.value)) for slug, m in by_model.items())),
    )
    for located, given in clashes:
        for name, first, second in names.shared(given):
            yield located[second].problem(("aliases",), f"'{name}' also means {first}", "a name of its own")


def _ids_in_order(where: Located[Any], ids: list[str]) -> Iterator[Problem]:
    """Ids of a list are unique and sorted, so that two people add to it in different places."""
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield where.problem((i, "id"), f"used twice ({name})", "an id of its own")
        elif i and name < ids[i - 1]:
            yield where.problem((i, "id"), f"out of order ({name})", f"before {ids[i - 1]}")


def check_bibliography(where: Located[Sources], today: dt.date) -> Iterator[Problem]:
    """Ids are unique and sorted; each source can be found again; none was read in the future."""
    yield from _ids_in_order(where, [source.id for source in where.value.root])
    for i, source in enumerate(where.value.root):
        if not source.urls and source.locator is None:
            yield where.problem((i, "urls"), "cannot be found again", "an address or a locator")
        if source.accessed > today:
            yield where.problem((i, "accessed"), f"in the future ({source.accessed})", f"{today} or earlier")


def check_glossary(where: Located[Glossary]) -> Iterator[Problem]:
    """Ids are unique and sorted; references lead to a term."""
    ids = [term.id for term in where.value.root]
    yield from _ids_in_order(where, ids)
    for i, term in enumerate(where.value.root):
        for j, other in enumerate(term.see):
            if other not in ids:
                yield where.problem((i, "see", j), f"unknown term ({other}){near(other, ids)}", "an id")


def check_prices(catalog: Catalog, rows: Iterable[Located[PriceRow]]) -> Iterator[Problem]:
    """Cards and sources exist, low ≤ high, dates have come, texts stand in both languages."""
    seen: dict[PriceRow, int] = {}
    for where in rows:
        row = where.value
        if row.gpu is not None and row.gpu not in catalog.cards:
            hint = near(row.gpu, catalog.cards)
            yield where.problem(("gpu",), f"unknown card ({row.gpu}){hint}", "a slug of data/gpus/")
        yield from _unknown_sources(catalog, where, [(("source",), row.source)])
        if row.price_low > row.price_high:
            yield where.problem(("price_low",), f"above price_high ({row.price_low:g})", f"{row.price_high:g} or less")
        if row.date is not None and not partial_date_is_past(row.date, catalog.today):
            yield where.problem(("date",), f"no such day, or in the future ({row.date})", "a past date")
        if (row.date is None) != (row.date_basis == "undated"):
            yield where.problem(
                ("date_basis",), f"does not fit the date ({row.date_basis})",
                "undated exactly when there is no date",
            )  # fmt: skip
        if row.tier is not None and row.kind != "rental":
            yield where.problem(("tier",), f"does not fit the kind ({row.kind})", "a tier for rentals only")
        if (row.note_en is None) != (row.note_zh is None):
            yield where.problem(("note_en",), "the note is there in one language", "both or neither")
        if row in seen:
            yield where.problem((), f"the same row as line {seen[row]}", "each observation once")
        seen.setdefault(row, where.line(()))


def check_fx(catalog: Catalog, rows: Iterable[Located[FxRate]]) -> Iterator[Problem]:
    """One rate a date, from a known source, none from the future."""
    seen: set[str] = set()
    for where in rows:
        yield from _unknown_sources(catalog, where, [(("source",), where.value.source)])
        if where.value.date in seen:
            yield where.problem(("date",), f"given twice ({where.value.date})", "one rate a date")
        seen.add(where.value.date)
        if not partial_date_is_past(where.value.date, catalog.today):
            yield where.problem(("date",), f"in the future ({where.value.date})", "a past date")


def partial_date_is_past(text: str, today: dt.date) -> bool:
    """Whether ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` names a real time that has begun."""
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    try:
        return dt.date(year, month, day) <= today
    except ValueError:
        return False
