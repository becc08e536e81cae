"""``data/prices/*.csv``: dated observations; an old price stays, and is shown as old."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from generator.schema.base import Line, Model, PartialDate, Slug, SourceId
from generator.schema.source import Url


class PriceRow(Model):
    """One observation of one price."""

    gpu: Slug | None = Field(description="empty when the listing does not name exactly one card")
    listed_as: Line
    kind: Literal["rental", "retail", "used", "launch"]
    tier: Literal["on_demand", "spot", "mixed", "community", "secure", "production"] | None
    currency: Literal["USD", "CNY"]
    price_low: float = Field(gt=0, le=10_000_000)
    price_high: float = Field(gt=0, le=10_000_000)
    date: PartialDate | None
    date_basis: Literal["stated", "inferred", "undated"]
    provider: Line | None
    gpus_per_instance: int | None = Field(ge=1, le=1024)
    instance: Line | None
    source: SourceId
    confidence: Literal["high", "medium", "low"] | None
    url: Url | None
    note_en: Line | None
    note_zh: Line | None


class FxRate(Model):
    """One exchange rate: Chinese yuan for one US dollar."""

    date: PartialDate
    cny_per_usd: float = Field(gt=0, le=100)
    source: SourceId
