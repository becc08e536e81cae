"""``data/sources.yaml``: the bibliography."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, RootModel, StringConstraints

from generator.schema.base import Line, Model, SourceId

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"'`]+$", max_length=400)]


class Source(Model):
    """One document, database or measurement that a value was read from."""

    id: SourceId
    title: Line
    publisher: Line
    kind: Literal[
        "vendor", "vendor_copy", "paper", "database", "press", "measurement", "repository",
        "reseller", "notes", "price_snapshot", "weak",
    ]  # fmt: skip
    urls: list[Url]
    locator: Line | None = Field(description="where it is when it has no address")
    accessed: dt.date = Field(description="the day on which it was read")


class Sources(RootModel[list[Source]]):
    """All sources."""
