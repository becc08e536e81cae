"""Every generated page of one language: catalog in, ``Page`` objects out. No MkDocs here.

The text of a page is Markdown whose body is HTML: headings stay Markdown, so that the table of
contents and the search sections work, and everything else is escaped HTML in blocks.
"""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from generator import accuracy, browser, calibration, i18n, parameters, published, verdict
from generator import catalog as catalogs
from generator import examples as worked
from generator import fits as fitting
from generator import pricing as prices
from generator.catalog import Card, Catalog
from generator.facts import Fact, State
from generator.fits import Fits
from generator.rates import absence, training_rate
from generator.schema.rates import FORMATS, RATE_BY_KEY, RATES
from generator.schema.software import capability_key
from generator.views import accuracy as accuracy_views
from generator.views import columns, labels, models, scatter, software, strip
from generator.views import fits as fit_views
from generator.views import formulas as formula_views
from generator.views.ranking import Rankings
from generator.views.topics import GIVEN_COSTS, TOPICS
from generator.views.variants import Variants, spellings

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """One page: ``path`` below the language's root (``gpus/rtx-3090.md``), Markdown ``text``.

    ``source`` is the file, relative to the repository, that a reader edits to change the page.
    ``prev`` and ``next`` are the paths of the neighbouring pages of its kind.
    """

    path: str
    text: str
    source: str
    title: str
    search_boost: float | None = None
    prev: str | None = None
    next: str | None = None


def as_of(root: Path) -> dt.date:
    """The day the data stands for: that of the last commit, else today.

    Prices are shown with their age, so two builds of one commit must agree on the day.
    """
    try:
        out = subprocess.run(
            ["git", "-C", str(root), "log", "-1", "--format=%cs", "--", "data"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip
        return dt.date.fromisoformat(out)
    except (OSError, subprocess.SubprocessError, ValueError):
        return dt.date.today()


def markdown_text(value: object) -> Markup:
    """Plain text as it stands in a Markdown heading: HTML and Markdown both escaped."""
    escaped = str(escape(value))
    return Markup(re.sub(r"([\\`*_{}\[\]()#+!|~])", r"\\\1", escaped))


def yaml_text(value: object) -> Markup:
    """Plain text as a double-quoted YAML scalar, for a page's front matter."""
    return Markup('"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"')


class Site:
    """All pages of one language from one catalog."""

    def __init__(self, catalog: Catalog, lang: str, day: dt.date, fits: Fits | None = None) -> None:
        self.catalog, self.lang, self.day = catalog, lang, day
        self.fits = fits or Fits(catalog)
        self.language = i18n.language(lang)
        self.variants = Variants(catalog.cards.values())
        self.rankings = Rankings(catalog.cards.values())
        self._answers: dict[str, list[software.Answer]] = {}
        self._cells: dict[tuple[str, str], Markup] = {}
        self._fit_cells: dict[str, fit_views.Cells] = {}
        self._explained: list[formula_views.Explained] = []
        self.environment = self._environment()

    def _environment(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            # {#name} gives a Markdown heading its anchor, so comments need another mark.
            comment_start_string=i18n.COMMENT_START,
            comment_end_string=i18n.COMMENT_END,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.do"],
        )
        _ = self.language.text
        environment.globals |= {
            "_": _,
            "comma": _(", "),
            "stop": _(". "),
            "colon": _(": "),
            "dot": _("."),
            "lang": self.lang,
            "catalog": self.catalog,
            "day": self.day,
            "rate_kinds": RATES,
            "formats": FORMATS,
            "column": columns.COLUMN_BY_ID,
            "State": State,
            "cells": self.cells,
            "fits": self.fits,
            "fitting": fitting,
            "fit_views": fit_views,
        }
        environment.filters |= {
            "md": markdown_text,
            "yaml": yaml_text,
            "num": i18n.number,
            "date": self.language.date,
            "loc": lambda text: text.in_(self.lang),
            "gib": fit_views.gib,
            "billions": lambda count: i18n.billions(count),
            # A sign of percent stays with its number.
            "keep": lambda text: text.replace(" %", "\u00a0%"),
            "label": self.label,
            "cell": self.cell,
        }
        return environment

    def label(self, code: str, table: str) -> str:
        """The word for a code (``geforce``, table ``market``) in this language."""
        return self.language.text(labels.EVERY_LABEL[table][code])

    def cell(self, fact: Fact, column: columns.Column) -> str:
        """A fact as the text of a table cell: the number, or why there is none."""
        if fact.state is not State.KNOWN:
            return self.label(fact.state.value, "state") if fact.state is not State.UNKNOWN else "—"
        if column.id == "market":
            return self.label(str(fact.value), "market")
        if column.id == "series":
            return self.catalog.series[str(fact.value)].name.in_(self.lang)
        if column.id == "cc":
            return f"{fact.value:.1f}"
        if fact.value is True or fact.value is False:
            return self.language.text("yes") if fact.value else self.language.text("no")
        return i18n.number(fact.number, 4) if fact.number is not None else str(fact.value)

    def cells(self, card: Card, wanted: list[columns.Column]) -> Markup:
        """A card's cells of a table. Most cards stand in several tables: each cell is made once."""
        return Markup("").join(self._one_cell(card, column) for column in wanted)

    def _one_cell(self, card: Card, column: columns.Column) -> Markup:
        key = (card.gpu.slug, column.id)
        if key not in self._cells:
            fact = column.get(card)
            text: str | Markup = self.cell(fact, column)
            if fact.state is not State.KNOWN:
                text = Markup('<span class="gfg-{}">{}</span>').format(fact.state.value, text)
            css = Markup(' class="gfg-num"') if column.kind == "number" else ""
            self._cells[key] = Markup("<td{}>{}</td>").format(css, text)
        return self._cells[key]

    def page(self, template: str, path: str, source: str, title: str, **context: Any) -> Page:
        """Render one template to one page."""
        neighbours = {k: context.pop(k, None) for k in ("prev", "next", "search_boost")}
        depth = path.removesuffix("index.md").removesuffix(".md").strip("/")
        levels = len(depth.split("/")) if depth else 0
        up = "../" * levels
        if up not in self._fit_cells:
            self._fit_cells[up] = fit_views.Cells(self.language.text, up)
        text = self.environment.get_template(template).render(
            title=title, up=up, here=path, source=source, fit_cells=self._fit_cells[up], **context
        )
        return Page(path, text, source, title, **neighbours)

    def pages(self) -> Iterator[Page]:
        """Every generated page of this language."""
        yield from self.hubs()
        yield from self.card_pages()
        yield from self.series_pages()
        yield from self.architecture_pages()
        yield from self.model_pages()
        yield from self.formula_pages()

    def hubs(self) -> Iterator[Page]:
        """The pages that stand in the navigation."""
        _ = self.language.text
        yield self.page("home.md.j2", "index.md", "generator/templates/home.md.j2",
                        _("GPU Field Guide"))  # fmt: skip
        yield self.page(
            "cards.md.j2", "gpus/index.md", "generator/templates/cards.md.j2", _("All cards"),
            columns=columns.COLUMNS, cards=self.ordered_cards(),
        )  # fmt: skip
        yield self.page("series_hub.md.j2", "series/index.md", "generator/templates/series_hub.md.j2",
                        _("Series"), groups=self.series_by_group())  # fmt: skip
        yield self.page(
            "architectures.md.j2", "architectures/index.md",
            "generator/templates/architectures.md.j2", _("Architectures"),
            architectures=self.ordered_architectures(),
        )  # fmt: skip
        yield self.page("software.md.j2", "software.md", "generator/templates/software.md.j2",
                        _("Software support"), matrix=software.matrix(self.catalog))  # fmt: skip
        yield self.page("models.md.j2", "models/index.md", "generator/templates/models.md.j2", _("Models"),
                        kinds=self.models_by_kind(), parameters=parameters, cited=self.model_sources(),
                        attention_kind=models.attention_kind, weights_gib=models.weights_gib)  # fmt: skip
        yield self.page("prices.md.j2", "prices.md", "generator/templates/prices.md.j2", _("Prices"),
                        rows=self.price_rows(), fx=prices.yuan_per_dollar(self.catalog))  # fmt: skip
        yield self.page("formulas.md.j2", "formulas/index.md", "generator/templates/formulas.md.j2",
                        _("Formulas"), pages=self.explained_programs())  # fmt: skip
        yield self.accuracy_page()
        yield self.page("glossary.md.j2", "glossary.md", "data/glossary.yaml", _("Glossary"), search_boost=4.0,
                        topics=self.glossary_by_topic())  # fmt: skip
        yield self.page("sources.md.j2", "sources.md", "data/sources.yaml", _("Sources"),
                        cited=self.citations())  # fmt: skip

    def accuracy_page(self) -> Page:
        """How far the estimates are from measurements; says so where nobody compared them yet."""
        _ = self.language.text
        figures = self.accuracy_figures()
        points = accuracy.load_points(calibration.ROOT) if figures else []
        return self.page(
            "accuracy.md.j2", "accuracy.md", "generator/templates/accuracy.md.j2", _("Accuracy"),
            sections=accuracy_views.sections(figures, points, _measured() if figures else {}, self.catalog, _),
            verdicts=accuracy_views.verdicts(figures), percent=accuracy_views.percent, signed=accuracy_views.signed,
            meter_titles=accuracy_views.METER_TITLES, happened=accuracy_views.HAPPENED,
            verdict_columns=accuracy_views.COLUMNS, tight=verdict.TIGHT, no=verdict.NO,
            size=scatter.SIZE, left=scatter.LEFT, bottom=scatter.BOTTOM, pad=scatter.PAD,
        )  # fmt: skip

    def accuracy_figures(self) -> dict[str, Any]:
        """The committed figures of the comparison with measurements, empty where there are none."""
        return accuracy.committed(calibration.ROOT) if (calibration.ROOT / accuracy.PATH).is_file() else {}

    def explained_programs(self) -> list[formula_views.Explained]:
        """The programs of formulas with their worked examples, in the order in which the guide explains them."""
        if not self._explained:
            found = worked.examples(self.catalog)
            self._explained = [
                formula_views.Explained(
                    topic, found[topic.program],
                    calibration.load(topic.program.replace("_", "-")) if topic.fitted else None, self.language.text,
                )
                for topic in TOPICS
            ]  # fmt: skip
        return self._explained

    def formula_pages(self) -> Iterator[Page]:
        """One page a program of formulas."""
        _ = self.language.text
        pages, figures = self.explained_programs(), self.accuracy_figures()
        for i, page in enumerate(pages):
            yield self.page(
                "formula.md.j2", f"formulas/{page.topic.slug}.md", f"generator/formulas/{page.source}",
                _(page.program.title), page=page, verdicts=formula_views.VERDICTS, origins=formula_views.ORIGINS,
                given_costs=GIVEN_COSTS, footnotes=Footnotes(self.catalog),
                summary=accuracy_views.summary(page.topic.program, figures, _),
                words=lambda kind: formula_views.kind_in_words(kind, _),
                prev=f"formulas/{pages[i - 1].topic.slug}.md" if i else None,
                next=f"formulas/{pages[i + 1].topic.slug}.md" if i + 1 < len(pages) else None,
            )  # fmt: skip

    def card_pages(self) -> Iterator[Page]:
        """One page a card; neighbours are the cards of the same series, oldest first."""
        for series in self.catalog.series:
            family = self.catalog.cards_of(series)
            for i, card in enumerate(family):
                yield self.card_page(
                    card,
                    family[i - 1] if i else None,
                    family[i + 1] if i + 1 < len(family) else None,
                )

    def card_page(self, card: Card, before: Card | None, after: Card | None) -> Page:
        """The page of one card."""
        return self.page(
            "card.md.j2", f"gpus/{card.gpu.slug}.md", card.path, card.gpu.name,
            card=card, gpu=card.gpu, architecture=card.architecture,
            series=self.catalog.series[card.gpu.series],
            spellings=spellings(card.gpu.name),
            variants=self.variants.of(card),
            siblings=[c for c in self.catalog.cards_of(card.gpu.series) if c is not card],
            standings=self.rankings.of(card),
            strip=strip,
            answers=self.answers(card.architecture.compute_capability),
            summaries=prices.summaries(card, self.day),
            history=prices.history(card),
            month_age=lambda date: prices.month_age(date, self.day),
            is_old=lambda date: prices.is_old(date, self.day),
            group_fact=columns.group_fact,
            rate_label=columns.rate_label,
            training_kind=RATE_BY_KEY[training_rate(dict(card.rates))[0]],
            footnotes=Footnotes(self.catalog),
            prev=before and f"gpus/{before.gpu.slug}.md",
            next=after and f"gpus/{after.gpu.slug}.md",
            # Of two names that match, the shorter one is meant: RTX 4090 before RTX 4090 D.
            search_boost=round(2 - len(card.gpu.name) / 100, 3),
        )  # fmt: skip

    def series_pages(self) -> Iterator[Page]:
        """One page a series."""
        ordered = [s for _, family in self.series_by_group() for s in family]
        for i, series in enumerate(ordered):
            cards = self.catalog.cards_of(series.slug)
            capabilities = sorted({c.architecture.slug for c in cards})
            yield self.page(
                "series.md.j2", f"series/{series.slug}.md",
                self.catalog.paths[("series", series.slug)], series.name.in_(self.lang),
                series=series, cards=cards,
                architectures=[self.catalog.architectures[a] for a in capabilities],
                answers={
                    cc: self.answers(cc)
                    for cc in sorted({c.architecture.compute_capability for c in cards})
                },
                columns=[columns.COLUMN_BY_ID[c] for c in SERIES_COLUMNS],
                prev=f"series/{ordered[i - 1].slug}.md" if i else None,
                next=f"series/{ordered[i + 1].slug}.md" if i + 1 < len(ordered) else None,
                search_boost=1.5,
            )  # fmt: skip

    def architecture_pages(self) -> Iterator[Page]:
        """One page an architecture class."""
        ordered = self.ordered_architectures()
        for i, item in enumerate(ordered):
            same = [a for a in ordered if a is not item and
                    a.compute_capability == item.compute_capability]  # fmt: skip
            yield self.page(
                "architecture.md.j2", f"architectures/{page_slug(item.slug)}.md",
                self.catalog.paths[("architecture", item.slug)], item.name.in_(self.lang),
                architecture=item, same_capability=same,
                cards=sorted((c for c in self.catalog.cards.values() if c.architecture is item),
                             key=catalogs.card_order),
                columns=[columns.COLUMN_BY_ID[c] for c in SERIES_COLUMNS],
                facts=software.facts_for(self.catalog, item.compute_capability),
                answers=self.answers(item.compute_capability),
                rate_label=columns.rate_label,
                absence=absence,
                footnotes=Footnotes(self.catalog),
                prev=f"architectures/{page_slug(ordered[i - 1].slug)}.md" if i else None,
                next=f"architectures/{page_slug(ordered[i + 1].slug)}.md"
                if i + 1 < len(ordered) else None,
            )  # fmt: skip

    def model_pages(self) -> Iterator[Page]:
        """One page a model; neighbours are the models of the same kind in the order of the hub."""
        for kind, family in self.models_by_kind():
            assumptions = fit_views.assumptions(family[0])
            for i, model in enumerate(family):
                known = model.slug in self.fits.models
                yield self.page(
                    "model.md.j2", f"models/{model.slug}.md", self.catalog.paths[("model", model.slug)], model.name,
                    model=model, kind=kind, known=known, parameters=parameters, assumptions=assumptions,
                    lede=fit_views.lede(self.fits, model, self.language.text) if known
                    else self.language.text(fit_views.reason(model)),
                    attention_kind=models.attention_kind, weights_gib=models.weights_gib,
                    footnotes=Footnotes(self.catalog),
                    prev=f"models/{family[i - 1].slug}.md" if i else None,
                    next=f"models/{family[i + 1].slug}.md" if i + 1 < len(family) else None,
                    search_boost=1.5,
                )  # fmt: skip

    def answers(self, capability: str) -> list[software.Answer]:
        """The software answers for a compute capability; many cards share one."""
        if capability not in self._answers:
            self._answers[capability] = software.answers(self.catalog, capability)
        return self._answers[capability]

    def ordered_cards(self) -> list[Card]:
        """All cards by group, then newest series first: the order of the big table before any sorting."""
        return [c for _, family in self.series_by_group() for s in reversed(family)
                for c in self.catalog.cards_of(s.slug)]  # fmt: skip

    def series_by_group(self) -> list[tuple[str, list[Any]]]:
        """Series that have a card, in reading order, grouped."""
        found = []
        peopled = {card.gpu.series for card in self.catalog.cards.values()}
        for group in GROUP_ORDER:
            family = [s for s in self.catalog.series.values() if s.group == group and s.slug in peopled]
            if family:
                found.append((group, sorted(family, key=lambda s: s.order)))
        return found

    def ordered_architectures(self) -> list[Any]:
        """Architecture classes by compute capability, then name."""
        return sorted(
            self.catalog.architectures.values(),
            key=lambda a: (capability_key(a.compute_capability), a.slug),
        )

    def models_by_kind(self) -> list[tuple[str, list[Any]]]:
        """Models grouped by kind; within a kind by family, then size."""
        found = []
        for kind in labels.MODEL_KINDS:
            members = [model for model in self.catalog.models.values() if model.kind == kind]
            if members:
                found.append((kind, sorted(members, key=models.order)))
        return found

    def model_sources(self) -> list[str]:
        """Every source that a model's file cites."""
        return sorted({source for model in self.catalog.models.values() for source in model.sources})

    def glossary_by_topic(self) -> list[tuple[str, list[Any]]]:
        """Terms grouped by topic, in the order of the topics' labels."""
        return [(topic, [t for t in self.catalog.glossary if t.topic == topic]) for topic in labels.GLOSSARY_TOPICS]

    def price_rows(self) -> list[tuple[Card, list[prices.PriceSummary]]]:
        """Every card with at least one dated price beyond its launch price."""
        rows = [(card, prices.summaries(card, self.day)) for card in self.ordered_cards()]
        return [(card, found) for card, found in rows if found]

    def citations(self) -> list[tuple[Any, int]]:
        """Every source with the number of cards that cite it."""
        counts: dict[str, int] = dict.fromkeys(self.catalog.sources, 0)
        for card in self.catalog.cards.values():
            for source in {s for _, s in cited_by(card)}:
                counts[source] = counts.get(source, 0) + 1
        return [(self.catalog.sources[s], n) for s, n in counts.items()]


GROUP_ORDER = ("geforce", "titan", "laptop", "workstation", "desktop_ai", "datacenter", "jetson")
SERIES_COLUMNS = (
    "launch", "memory", "memory_type", "bandwidth", "training", "tensor_fp16_fp16acc", "tdp",
    "nvlink", "msrp",
)  # fmt: skip


def page_slug(identifier: str) -> str:
    """``ampere_geforce`` as it stands in an address: ``ampere-geforce``."""
    return identifier.replace("_", "-")


def cited_by(card: Card) -> Iterator[tuple[str, str]]:
    """Group and source id of every citation in a card's file."""
    for group in ("identity", "compute", "memory", "power", "launch_price"):
        for source in getattr(card.gpu, group).sources:
            yield group, source
    for kind in RATES:
        entry = getattr(card.gpu.rates.published, kind.field)
        if entry:
            yield "rates", entry.source
    for note in card.gpu.notes:
        for source in note.sources:
            yield "notes", source


class Footnotes:
    """Numbers the sources of one page in the order in which they are first cited."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.numbers: dict[str, int] = {}

    def cite(self, ids: tuple[str, ...] | list[str]) -> list[int]:
        """The numbers of the given sources on this page."""
        return [self.numbers.setdefault(i, len(self.numbers) + 1) for i in ids]

    def listed(self) -> list[tuple[int, Any]]:
        """All sources cited so far, by number."""
        return [(n, self.catalog.sources[i]) for i, n in self.numbers.items()]


@lru_cache(maxsize=1)
def _measured() -> dict[str, dict[str, str]]:
    """The published rows that estimates are compared with, by id."""
    kinds = dict.fromkeys(accuracy.KINDS.values())
    return {row["id"]: row for kind in kinds for row in published.rows(calibration.ROOT, kind)}


@lru_cache(maxsize=4)
def _catalog(root: Path, _key: tuple[tuple[str, int, int], ...]) -> Catalog:
    return catalogs.load(root)


@lru_cache(maxsize=4)
def _fits(root: Path, key: tuple[tuple[str, int, int], ...]) -> Fits:
    """What fits, shared by both languages of a build as the catalog is."""
    return Fits(_catalog(root, key))


def _stamp(root: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of all data files: both languages of a build load them once."""
    files = sorted(p for p in (root / "data").rglob("*") if p.is_file())
    return tuple((p.as_posix(), (s := p.stat()).st_mtime_ns, s.st_size) for p in files)


def render_site(root: Path, lang: str) -> Iterator[Page]:
    """Every generated page of one language.

    Raises:
        DataError: the data has problems; nothing has been yielded then.
        KeyError: ``lang`` is neither ``en`` nor ``zh``.
    """
    stamp = _stamp(root)
    yield from Site(_catalog(root, stamp), lang, as_of(root), _fits(root, stamp)).pages()


def estimator_data(root: Path) -> str:
    """The numbers of models and cards for the browser's estimator: the content of ``browser.DATA_PATH``."""
    return browser.data(_catalog(root, _stamp(root)))
