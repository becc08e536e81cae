"""All of ``data/``: loaded, checked, frozen. Knows nothing of pages."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generator import rates, rules
from generator.csvfile import read_text, would_run
from generator.explain import explain
from generator.facts import Fact
from generator.located import Located
from generator.names import Names
from generator.problems import DataError, Problem, show
from generator.schema import (
    Architecture,
    FxRate,
    Glossary,
    GlossaryTerm,
    Gpu,
    LanguageModel,
    PriceRow,
    Series,
    Software,
    Source,
    Sources,
    Workload,
)
from generator.yamlfile import Lines, read_yaml

__all__ = ["Card", "Catalog", "DataError", "check", "load"]

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")


@dataclass(frozen=True)
class Card:
    """A card with what follows from it: ``rates`` by key (see ``schema.rates``), its file."""

    gpu: Gpu
    architecture: Architecture
    path: str
    prices: tuple[PriceRow, ...] = ()

    @cached_property
    def rates(self) -> Mapping[str, Fact]:
        """All arithmetic rates, published or derived or the reason why there is none."""
        return MappingProxyType(rates.all_rates(self.gpu, self.architecture))


@dataclass(frozen=True)
class Catalog:
    """Everything under ``data/``. Cards are in the order of their slugs; nothing changes later.

    ``today`` is the day that "in the future" and "old" are judged by.
    """

    today: dt.date
    sources: Mapping[str, Source] = field(default_factory=dict)
    architectures: Mapping[str, Architecture] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    software: Mapping[str, Software] = field(default_factory=dict)
    models: Mapping[str, LanguageModel] = field(default_factory=dict)
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    glossary: tuple[GlossaryTerm, ...] = ()
    cards: Mapping[str, Card] = field(default_factory=dict)
    prices: tuple[PriceRow, ...] = ()
    fx: tuple[FxRate, ...] = ()
    paths: Mapping[tuple[str, str], str] = field(default_factory=dict)

    # What rules look up for every card: made once, so that checking stays linear in the cards.

    @cached_property
    def gpus(self) -> tuple[Gpu, ...]:
        """All cards in the order of their slugs."""
        return tuple(self.cards[slug].gpu for slug in sorted(self.cards))

    @cached_property
    def first_by_name(self) -> Mapping[tuple[str, ...], str]:
        """The first slug of each name, see :func:`generator.rules.name_key`."""
        return {rules.name_key(gpu): gpu.slug for gpu in reversed(self.gpus)}

    @cached_property
    def first_by_hardware(self) -> Mapping[tuple[str, ...], str]:
        """The first slug of each set of numbers, see :func:`generator.rules.hardware_key`."""
        return {rules.hardware_key(gpu): gpu.slug for gpu in reversed(self.gpus)}

    @cached_property
    def desktop_by_name(self) -> Mapping[str, list[Gpu]]:
        """Cards that are no laptop GPUs, by their name without the memory size."""
        found: dict[str, list[Gpu]] = {}
        for gpu in self.gpus:
            if gpu.market != "laptop":
                found.setdefault(re.sub(r" \d+ ?GB$", "", gpu.name), []).append(gpu)
        return found

    @cached_property
    def names(self) -> Names:
        """Finds models and cards by any of their names."""
        return Names(self)

    def cards_of(self, series: str) -> list[Card]:
        """The cards of a series, oldest first, then by memory and name."""
        return sorted((c for c in self.cards.values() if c.gpu.series == series), key=card_order)


def card_order(card: Card) -> tuple[object, ...]:
    """Oldest first; unknown dates last; then memory, then slug."""
    date = card.gpu.identity.launch_date
    return (date is None, date or dt.date.min, card.gpu.memory.memory_gib, card.gpu.slug)


class _Loader:
    """Reads files one after the other and remembers every problem on the way."""

    def __init__(self, root: Path, today: dt.date) -> None:
        self.root, self.today = root, today
        self.problems: list[Problem] = []

    def shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def one(self, path: Path, model: type[M]) -> Located[M] | None:
        """One YAML file as a model, or None after noting what is wrong."""
        data, lines, problems = read_yaml(path, self.shown(path))
        if problems:
            self.problems += problems
            return None
        return self._parse(data, lines, self.shown(path), model)

    def _parse(self, data: object, lines: Lines, shown: str, model: type[M]) -> Located[M] | None:
        try:
            return Located(model.model_validate(data), shown, lines)
        except ValidationError as error:
            self.problems += explain(error, Located(data, shown, lines), model)
            return None

    def folder(self, name: str, model: type[M], key: str) -> dict[str, Located[M]]:
        """All files of ``data/<name>/`` by their key, which must equal the file name."""
        found: dict[str, Located[M]] = {}
        folder = self.root / "data" / name
        if not folder.is_dir():
            self.problems.append(Problem(f"data/{name}", 0, "", "is missing", "a folder"))
            return found
        for path in sorted(folder.iterdir()):
            if path.suffix != ".yaml":
                self.problems.append(
                    Problem(self.shown(path), 0, "", "does not belong here", "files named <slug>.yaml")
                )
                continue
            item = self.one(path, model)
            if item is None:
                continue
            slug = getattr(item.value, key)
            if slug != path.stem:
                self.problems.append(item.problem((key,), f"differs from the file name ({slug})", f"'{path.stem}'"))
            found[slug] = item
        return found

    def table(self, name: str, model: type[M], convert: Mapping[str, Callable[[str], object]]) -> list[Located[M]]:
        """All rows of ``data/prices/<name>``; an empty cell is null. Lines count from 1."""
        path = self.root / "data" / "prices" / name
        shown = self.shown(path)
        text, problems = read_text(path, shown)
        self.problems += problems
        if text is None:
            return []
        reader = csv.DictReader(io.StringIO(text), strict=True)
        want = list(model.model_fields)
        rows: list[Located[M]] = []
        try:
            if reader.fieldnames != want:
                got = ",".join(reader.fieldnames or [])
                self.problems.append(Problem(shown, 1, "", f"wrong columns ({show(got)})", ",".join(want)))
                return []
            for raw in reader:
                row = self._row(raw, reader.line_num, shown, model, convert)
                if row is not None:
                    rows.append(row)
        except csv.Error as error:
            self.problems.append(
                Problem(shown, reader.line_num, "", f"not valid CSV ({error})", "comma-separated rows")
            )
        return rows

    def _row(
        self,
        raw: Mapping[str | None, Any],
        line: int,
        shown: str,
        model: type[M],
        convert: Mapping[str, Callable[[str], object]],
    ) -> Located[M] | None:
        if None in raw or None in raw.values():
            self.problems.append(Problem(shown, line, "", "wrong number of cells", f"{len(model.model_fields)} cells"))
            return None
        data: dict[str, object] = {}
        lines: Lines = {(): line}
        for key, cell in raw.items():
            if would_run(cell):
                self.problems.append(
                    Problem(shown, line, str(key), f"would run as a formula ({show(cell)})", "plain text")
                )
                return None
            try:
                data[str(key)] = convert.get(str(key), str)(cell) if cell else None
            except ValueError:
                data[str(key)] = cell
        return self._parse(data, lines, shown, model)


_NUMBERS: dict[str, Callable[[str], object]] = {
    "price_low": float, "price_high": float, "gpus_per_instance": int, "cny_per_usd": float,
}  # fmt: skip


def _values(items: Mapping[str, Located[V]]) -> Mapping[str, V]:
    return MappingProxyType({key: item.value for key, item in items.items()})


def check(root: Path, today: dt.date | None = None) -> tuple[Catalog, list[Problem]]:
    """Load everything that can be loaded below ``root/data`` and list all problems, sorted.

    Never raises for what a file contains. The catalog holds only what passed its own schema.
    """
    loader = _Loader(root, today or dt.date.today())
    sources_file = loader.one(root / "data" / "sources.yaml", Sources)
    glossary_file = loader.one(root / "data" / "glossary.yaml", Glossary)
    architectures = loader.folder("architectures", Architecture, "slug")
    series = loader.folder("series", Series, "slug")
    software = loader.folder("software", Software, "software")
    models = loader.folder("models", LanguageModel, "slug")
    workloads = loader.folder("workloads", Workload, "slug")
    gpus = loader.folder("gpus", Gpu, "slug")
    purchase = loader.table("purchase.csv", PriceRow, _NUMBERS)
    rental = loader.table("rental.csv", PriceRow, _NUMBERS)
    fx = loader.table("fx.csv", FxRate, _NUMBERS)

    by_card: dict[str, list[PriceRow]] = {}
    for row in (*purchase, *rental):
        if row.value.gpu:
            by_card.setdefault(row.value.gpu, []).append(row.value)
    cards = {
        slug: Card(
            item.value, architectures[item.value.architecture].value, item.path,
            tuple(sorted(by_card.get(slug, []), key=lambda p: (p.kind, p.date or "", p.provider or ""))),
        )
        for slug, item in gpus.items()
        if item.value.architecture in architectures
    }  # fmt: skip
    paths = {
        **{("gpu", k): v.path for k, v in gpus.items()},
        **{("architecture", k): v.path for k, v in architectures.items()},
        **{("series", k): v.path for k, v in series.items()},
        **{("model", k): v.path for k, v in models.items()},
        **{("software", k): v.path for k, v in software.items()},
        **{("workload", k): v.path for k, v in workloads.items()},
    }
    catalog = Catalog(
        today=loader.today,
        sources=MappingProxyType({s.id: s for s in (sources_file.value.root if sources_file else [])}),
        architectures=_values(architectures),
        series=_values(series),
        software=_values(software),
        models=_values(models),
        workloads=_values(workloads),
        glossary=tuple(glossary_file.value.root if glossary_file else ()),
        cards=MappingProxyType(cards),
        prices=tuple(row.value for row in (*purchase, *rental)),
        fx=tuple(row.value for row in fx),
        paths=MappingProxyType(paths),
    )
    problems = [*loader.problems]
    if sources_file:
        problems += rules.check_bibliography(sources_file, loader.today)
    if glossary_file:
        problems += rules.check_glossary(glossary_file)
    for gpu in gpus.values():
        problems += rules.check_card(catalog, gpu)
    for architecture in architectures.values():
        problems += rules.check_architecture(catalog, architecture)
    for item in software.values():
        problems += rules.check_software(catalog, item)
    for model in models.values():
        problems += rules.check_model(catalog, model)
    for workload in workloads.values():
        problems += rules.check_workload(catalog, workload)
    problems += rules.check_aliases(gpus.values(), models.values())
    problems += rules.check_prices(catalog, [*purchase, *rental])
    problems += rules.check_fx(catalog, fx)
    # Without the bibliography each citation would be reported: one missing file, one line.
    if sources_file is None:
        problems = [p for p in problems if "unknown source" not in p.what]
    return catalog, sorted(set(problems))


def load(root: Path, today: dt.date | None = None) -> Catalog:
    """The catalog below ``root/data``.

    Raises:
        DataError: something is wrong; ``str()`` lists every problem, one a line.
    """
    catalog, problems = check(root, today)
    if problems:
        raise DataError(problems)
    return catalog
