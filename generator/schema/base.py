"""What all data models share: closed, strict, frozen; and the small types they are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
SourceId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=40)]
# No control characters and no invisible or direction-changing ones: what you see is what is there.
Line = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+$",
    ),
]
Prose = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=1500,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+$",
    ),
]
Capability = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}\.[0-9]$")]
PartialDate = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}(-[01][0-9](-[0-3][0-9])?)?$")]


class Model(BaseModel):
    """Base of every data model: unknown keys are errors, types are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Text(Model):
    """One text in both languages."""

    en: Prose = Field(description="English")
    zh: Prose = Field(description="Chinese, written as a native engineer would write it")

    def in_(self, lang: str) -> str:
        """The text in ``lang`` (``en`` or ``zh``)."""
        return self.zh if lang == "zh" else self.en


class ShortText(Text):
    """A name or a title in both languages."""

    en: Line = Field(description="English")
    zh: Line = Field(description="Chinese")


class Note(Text):
    """Something a reader must know about this thing, with where it is known from."""

    topic: str = Field(
        description="conflict: sources disagree. trap: a mistake people make with the numbers. "
        "variant: how versions differ. measured: what somebody measured. limit: what is unknown "
        "or capped.",
        pattern=r"^(conflict|trap|variant|measured|limit)$",
    )
    sources: list[SourceId] = Field(default=[], description="ids in data/sources.yaml")
