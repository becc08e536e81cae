"""``data/series/<slug>.yaml`` and ``data/glossary.yaml``: what the guide says in words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from generator.schema.base import Line, Model, ShortText, Slug, Text

Group = Literal["geforce", "titan", "workstation", "datacenter", "desktop_ai", "jetson", "laptop"]
Topic = Literal[
    "memory", "compute", "formats", "training", "finetuning", "inference", "parallelism",
    "hardware", "software", "measurement", "buying",
]  # fmt: skip


class Series(Model):
    """A family of cards that a buyer looks at together. Its prose carries no numbers."""

    slug: Slug = Field(description="equals the file name")
    name: ShortText
    group: Group
    order: int = Field(description="place within the group, oldest first", ge=0, le=1000)
    lede: Text
    today: list[Text] = Field(min_length=1, max_length=6)
    not_today: list[Text] = Field(min_length=1, max_length=6)
    who: Text
    watch_out: list[Text] = Field(max_length=6)


class Synonyms(Model):
    """Other words for a term."""

    en: list[Line]
    zh: list[Line]


class GlossaryTerm(Model):
    """One term of the field."""

    id: Slug
    term: ShortText
    also: Synonyms
    definition: Text
    see: list[Slug]
    topic: Topic


class Glossary(RootModel[list[GlossaryTerm]]):
    """All terms, sorted by id."""
