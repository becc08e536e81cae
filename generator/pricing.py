"""Prices of a card: the newest of each kind, how old it is, and the whole history."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from generator.catalog import Card, Catalog
from generator.schema import PriceRow

OLD_AFTER_DAYS = 180
ON_DEMAND = ("on_demand", "secure", "production")


@dataclass(frozen=True)
class PriceSummary:
    """The newest observations of one kind in one currency, summed up.

    ``low`` and ``high`` span the newest snapshot (the newest day, or month where no day is
    given); ``median`` is over its rows. ``months`` is its age, ``None`` when undated.
    """

    kind: str
    currency: str
    low: float
    median: float
    high: float
    count: int
    date: str | None
    months: int | None
    old: bool
    sources: tuple[str, ...]


def month_age(date: str | None, today: dt.date) -> int | None:
    """Full months between ``YYYY-MM`` or ``YYYY-MM-DD`` and ``today``; None when less is known."""
    if date is None or "-" not in date:
        return None
    year, month, day = (*(int(part) for part in date.split("-")), 15)[:3]
    months = (today.year - year) * 12 + today.month - month
    return max(0, months - (today.day < day))


def is_old(date: str | None, today: dt.date) -> bool:
    """Whether a price of that date must be shown as old; an undated one always is.

    Of a bare year the newest day counts: 2026 is not old before 2027.
    """
    if date is None:
        return True
    age = month_age(date, today)
    return int(date[:4]) < today.year if age is None else age * 30 >= OLD_AFTER_DAYS


def _newest(rows: list[PriceRow]) -> list[PriceRow]:
    """The rows of the newest snapshot: dated ones before undated ones."""
    dated = [row for row in rows if row.date]
    if not dated:
        return rows
    newest = max(row.date or "" for row in dated)
    return [row for row in dated if (row.date or "") == newest]


def summarise(kind: str, rows: Iterable[PriceRow], today: dt.date) -> PriceSummary | None:
    """One line for the rows of one kind and one currency, or None when there are none."""
    newest = _newest(list(rows))
    if not newest:
        return None
    date = newest[0].date
    middles = [(row.price_low + row.price_high) / 2 for row in newest]
    return PriceSummary(
        kind, newest[0].currency, min(r.price_low for r in newest), statistics.median(middles),
        max(r.price_high for r in newest), len(newest), date, month_age(date, today),
        is_old(date, today), tuple(dict.fromkeys(r.source for r in newest)),
    )  # fmt: skip


SUMMARIES: tuple[tuple[str, str, tuple[str, ...] | None, str], ...] = (
    ("launch", "CNY", None, "launch"),
    ("retail", "USD", None, "retail"),
    ("retail", "CNY", None, "retail"),
    ("used", "CNY", None, "used"),
    ("rental", "USD", ON_DEMAND, "rental"),
    ("rental", "USD", ("spot",), "spot"),
    ("rental", "CNY", None, "rental"),
)


def summaries(card: Card, today: dt.date) -> list[PriceSummary]:
    """The newest price of each kind, tier and currency that has been observed for a card."""
    found = []
    for kind, currency, tiers, name in SUMMARIES:
        rows = [
            row
            for row in card.prices
            if row.kind == kind and row.currency == currency and (tiers is None or row.tier in tiers)
        ]
        summary = summarise(name, rows, today)
        if summary:
            found.append(summary)
    return found


def yuan_per_dollar(catalog: Catalog) -> tuple[float, str] | None:
    """The newest exchange rate and its date, or None when there is none."""
    if not catalog.fx:
        return None
    newest = max(catalog.fx, key=lambda rate: (len(rate.date) >= 7, rate.date))
    return newest.cny_per_usd, newest.date


def history(card: Card) -> list[PriceRow]:
    """All observations, newest first, undated last."""
    return sorted(card.prices, key=lambda r: (r.date or "", r.kind, r.provider or ""), reverse=True)


@dataclass(frozen=True)
class Offer:
    """What a card costs now, as far as the guide knows: the newest price of its kind, in one currency."""

    kind: str
    currency: str
    price: float
    date: str | None
    old: bool
    sources: tuple[str, ...]


def rent(card: Card, today: dt.date, currency: str = "USD") -> Offer | None:
    """The middle of the newest on-demand rents for one GPU-hour, None when nobody was seen renting the card."""
    return _offer(card, today, currency, ("rental",))


def purchase(card: Card, today: dt.date, currency: str = "USD") -> Offer | None:
    """The newest retail price, else the newest used one, else the list price at launch; None when none is known."""
    found = _offer(card, today, currency, ("retail", "used", "launch"))
    if found is None and currency == "USD" and card.gpu.launch_price.msrp_usd is not None:
        launch = card.gpu.launch_price
        return Offer("launch", "USD", float(launch.msrp_usd or 0), None, True, tuple(launch.sources))
    return found


def _offer(card: Card, today: dt.date, currency: str, kinds: tuple[str, ...]) -> Offer | None:
    known = {(s.kind, s.currency): s for s in summaries(card, today)}
    for kind in kinds:
        summary = known.get((kind, currency))
        if summary is not None:
            return Offer(kind, currency, summary.median, summary.date, summary.old, summary.sources)
    return None
