"""``data/software/<software>.yaml``: which software runs on which compute capability."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from generator.schema.base import (
    Capability,
    Identifier,
    Line,
    Model,
    PartialDate,
    ShortText,
    Slug,
    SourceId,
    Text,
)

Status = Literal["supported", "limited", "emulated", "unsupported", "end_of_life"]


class CapabilityRange(Model):
    """Both ends belong to the range; ``null`` = open."""

    min: Capability | None
    max: Capability | None

    def covers(self, capability: str) -> bool:
        """Whether a card of this compute capability (``"8.6"``) is in the range."""
        value = capability_key(capability)
        low = self.min is None or capability_key(self.min) <= value
        return low and (self.max is None or value <= capability_key(self.max))


def capability_key(capability: str) -> tuple[int, int]:
    """``"10.3"`` as ``(10, 3)``, which sorts after ``(9, 0)``."""
    major, minor = capability.split(".")
    return int(major), int(minor)


class VersionRange(Model):
    """First and last version for which the fact holds; ``null`` = not limited or not known."""

    first: Line | None
    last: Line | None


class SoftwareFact(Model):
    """One thing that is known about one software on a range of cards."""

    id: Identifier
    title: ShortText
    answers: list[Identifier] = Field(default=[], description="questions of the summary tables that this fact decides")
    compute_capability: CapabilityRange
    not_on: list[Capability] = Field(default=[], description="inside the range, but not what the source speaks of")
    version: VersionRange
    status: Status
    date: PartialDate | None = Field(description="when it took or takes effect")
    note: Text | None
    sources: list[SourceId] = Field(min_length=1)
    confidence: Literal["high", "medium", "low"]

    def covers(self, capability: str) -> bool:
        """Whether the fact speaks of cards of this compute capability."""
        return capability not in self.not_on and self.compute_capability.covers(capability)


class Software(Model):
    """One software and what is known about it."""

    software: Slug = Field(description="equals the file name")
    name: ShortText
    homepage: Line | None
    facts: list[SoftwareFact] = Field(min_length=1)
