"""How far the estimates are from measurements: scores, plots, verdicts, worst cases, for the page about accuracy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generator import why
from generator.accuracy import ALL, Point
from generator.catalog import Catalog
from generator.i18n import N_, number
from generator.names import CardMatch
from generator.schema.published import source_id
from generator.scoring import UNDER
from generator.views import cases
from generator.views.scatter import Plot, plot

Row = Mapping[str, str]
Text = Callable[[str], str]
METERS = ("allocated", "reserved", "device")
# Worst cases of a quantity, and how many of one model in one source: its siblings would say the same.
WORST, ALIKE = 10, 2


@dataclass(frozen=True)
class Topic:
    """A quantity: what its error means to a reader (interface strings). ``unit`` is that of its points."""

    key: str
    title: str
    about: str
    unit: str


TOPICS = (
    Topic(
        "memory", N_("Memory"),
        N_(
            "Three meters see three things. Allocated is what tensors take. Reserved is what PyTorch holds, with what "
            "it could not reuse. Device is what nvidia-smi shows, with the CUDA context and all that was kept from "
            "earlier steps. Whether a job fits is judged from the first, with what failed runs teach about the rest."
        ),
        "GiB",
    ),
    Topic(
        "train-speed", N_("Speed of training"),
        N_(
            "Tokens each second on one GPU. All rows are from data-center cards; other cards are estimated by the "
            "same formulas with their own bandwidth and rates, and get a wider band."
        ),
        N_("tokens/s"),
    ),
    Topic(
        "prefill-speed", N_("Speed of reading a prompt"),
        N_(
            "Tokens of a prompt each second. Few sources state it apart from the answer, so there are few rows."
        ),
        N_("tokens/s"),
    ),
    Topic(
        "decode-speed", N_("Speed of writing an answer"),
        N_(
            "Tokens of all sequences each second, as each source counts them: answers alone, answers with the time "
            "of their prompts, or both together. The estimate follows what the source counts."
        ),
        N_("tokens/s"),
    ),
)  # fmt: skip
METER_TITLES = {"allocated": N_("Allocated"), "reserved": N_("Reserved"), "device": N_("Device (nvidia-smi)")}


@dataclass(frozen=True)
class Score:
    """Errors of one group of rows; shares as fractions, None without an answer."""

    name: str
    source: str
    rows: int
    answered: int
    median: float | None
    p90: float | None
    bias: float | None
    under: float | None
    covered: float | None


@dataclass(frozen=True)
class Worst:
    """One of the largest misses: the run, what was measured and estimated, by which factor, and why."""

    what: str
    family: str
    measured: float
    predicted: float
    factor: float
    meter: str
    reasons: tuple[str, ...]
    link: str
    where: str


@dataclass(frozen=True)
class Section:
    """Everything about one quantity. ``between`` is where measurements lay when an estimate said 100, in half of all
    cases; ``plots`` are (meter or empty, drawing); ``cards`` are (name, rows), most rows first.
    """

    topic: Topic
    whole: Score
    meters: tuple[Score, ...]
    families: tuple[Score, ...]
    kinds: tuple[Score, ...]
    between: tuple[float, float]
    plots: tuple[tuple[str, Plot], ...]
    cards: tuple[tuple[str, int], ...]
    worst: tuple[Worst, ...]


@dataclass(frozen=True)
class Verdicts:
    """Fits or not: by what happened, how often each verdict was given; shares right and falsely promised."""

    counts: Mapping[str, Mapping[str, int]]
    right: float
    false_fit: float

    @property
    def failures(self) -> int:
        """Runs that failed for lack of memory."""
        return sum(self.counts["no"].values())

    @property
    def finished(self) -> int:
        """Runs that finished."""
        return sum(sum(counts.values()) for what, counts in self.counts.items() if what != "no")


# What happened, by the names of :func:`generator.scoring.fit_rows`.
HAPPENED = {
    "no": N_("failed for lack of memory"), "max fit": N_("the longest that finished"),
    "success": N_("finished, the nearest to a failure"),
}  # fmt: skip
COLUMNS = {"fits": N_("fits"), "tight": N_("tight"), "no": N_("does not fit"), "none": N_("no answer")}


def sections(
    figures: Mapping[str, Any], points: Sequence[Point], rows: Mapping[str, Row], catalog: Catalog, text: Text
) -> list[Section]:
    """The quantities that have figures and points. ``rows`` are the published rows by id."""
    found = []
    for topic in TOPICS:
        own = [p for p in points if p.quantity == topic.key]
        if own and topic.key in figures:
            found.append(_section(topic, figures[topic.key], own, rows, catalog, text))
    return found


def verdicts(figures: Mapping[str, Any]) -> Verdicts | None:
    """Fits or not, None where nobody counted."""
    fits = figures.get("fits")
    if not fits or fits.get("right") is None:
        return None
    return Verdicts(fits["counts"], fits["right"], fits["false_fit"] or 0.0)


def _section(
    topic: Topic, figures: Mapping[str, Any], points: Sequence[Point], rows: Mapping[str, Row], catalog: Catalog,
    text: Text,
) -> Section:  # fmt: skip
    groups = {name: Score(name, "", **values) for name, values in figures.items()}
    whole = groups.pop(ALL)
    meters = tuple(groups.pop(f"meter: {m}") for m in METERS if f"meter: {m}" in groups)
    families = sorted(groups.values(), key=lambda score: -score.rows)
    families = [Score(**{**vars(score), "source": source_id(score.name)}) for score in families]
    by_meter = [(m, [p for p in points if p.meter == m]) for m in METERS] if meters else [("", list(points))]
    median = whole.median or 0.0
    return Section(
        topic, whole, meters, tuple(families),
        tuple(_kinds(points, rows, catalog)) if not meters else (),
        (100 / (1 + median), 100 / (1 - median)),
        tuple((meter, plot(some)) for meter, some in by_meter if some),
        tuple(_cards(points, rows, catalog)),
        tuple(_worst(topic, points, rows, catalog, text)),
    )  # fmt: skip


def _cards(points: Sequence[Point], rows: Mapping[str, Row], catalog: Catalog) -> Iterable[tuple[str, int]]:
    """Which cards the rows are from, by the catalog's names; rows that name none are not counted."""
    written = Counter(rows[p.id].get("gpu") or "" for p in points if p.id in rows)
    counts: Counter[str] = Counter()
    for name, count in written.items():
        match = catalog.names.card(name) if name and "+" not in name else None
        if isinstance(match, CardMatch):
            counts[match.card.gpu.name] += count
    return counts.most_common()


def _kinds(points: Sequence[Point], rows: Mapping[str, Row], catalog: Catalog) -> Iterable[Score]:
    """Dense models and mixtures of experts apart, where there are both."""
    known: dict[str, bool] = {}
    for point in points:
        row = rows.get(point.id)
        if row is not None and row["model"] not in known:
            known[row["model"]] = why.has_experts(row, catalog)
    apart = {
        N_("dense models"): [p for p in points if p.id in rows and not known[rows[p.id]["model"]]],
        N_("mixtures of experts"): [p for p in points if p.id in rows and known[rows[p.id]["model"]]],
    }
    return [_score(name, some) for name, some in apart.items()] if all(apart.values()) else []


def _score(name: str, points: Sequence[Point]) -> Score:
    errors = np.array([p.error for p in points])
    inside = [p.low <= p.measured <= p.high for p in points]
    return Score(
        name, "", len(points), len(points), float(np.median(abs(errors))), float(np.quantile(abs(errors), 0.9)),
        float(errors.mean()), float((errors < UNDER - 1).mean()), float(np.mean(inside)),
    )  # fmt: skip


def _worst(
    topic: Topic, points: Sequence[Point], rows: Mapping[str, Row], catalog: Catalog, text: Text
) -> Iterable[Worst]:
    """The largest misses by factor: half as much counts like twice as much."""
    seen: dict[tuple[str, str], int] = {}
    taken = 0
    for point in sorted(points, key=lambda p: -abs(math.log(p.predicted / p.measured))):
        row = rows.get(point.id)
        if row is None:
            continue
        alike = (point.family, row["model"])
        seen[alike] = seen.get(alike, 0) + 1
        if seen[alike] > ALIKE:
            continue
        yield Worst(
            cases.what(row, text), point.family, point.measured, point.predicted, point.predicted / point.measured,
            point.meter, why.why(row, topic.key, catalog), cases.link(row), cases.where(row),
        )  # fmt: skip
        taken += 1
        if taken == WORST:
            return


# What a program of formulas predicts: quantity, and the group of its rows that is nearest to what its page shows.
_OF_PROGRAM = {
    "training_memory": ("memory", "meter: allocated", N_("the allocated memory of training and inference")),
    "inference_memory": ("memory", "meter: allocated", N_("the allocated memory of training and inference")),
    "train_speed": ("train-speed", ALL, N_("the speed of training")),
    "inference_speed": ("decode-speed", ALL, N_("the speed of writing an answer")),
}


_SUMMARY = N_(
    "Over {n} published measurements of {what}, each predicted without its own source, the median error is "
    "{median} %, and nine in ten are within {p90} %."
)


def summary(program: str, figures: Mapping[str, Any], text: Text) -> str:
    """How far a program's estimates are from measurements, in one sentence; empty where nobody compared them."""
    if program not in _OF_PROGRAM:
        return ""
    quantity, group, what = _OF_PROGRAM[program]
    found = figures.get(quantity, {}).get(group)
    if not found or found["median"] is None:
        return ""
    return text(_SUMMARY).format(
        n=number(found["answered"], 9), what=text(what), median=percent(found["median"]), p90=percent(found["p90"])
    )


def percent(value: float | None, digits: int = 2) -> str:
    """A share in percent, as people say it: 2.1, 15."""
    return "—" if value is None else number(100 * value, digits) if value else "0"


def signed(value: float | None) -> str:
    """A share in percent with its sign."""
    if value is None:
        return "—"
    return ("+" if value > 0 else "−" if value < 0 else "") + percent(abs(value))
