"""What all readers of published rows share: cells as numbers, names as models and cards."""

from __future__ import annotations

from collections.abc import Mapping

from generator.catalog import Card
from generator.estimators import CannotEstimate
from generator.names import Miss, Names
from generator.schema.model import LanguageModel
from generator.scoring import number

Row = Mapping[str, str]


def whole(row: Row, column: str) -> int | None:
    """A cell as a whole number of 1 or more; None for a blank or anything else."""
    value = number(row.get(column))
    return round(value) if value is not None and value >= 0.5 else None


def model_of(row: Row, names: Names, assumed: list[str]) -> tuple[LanguageModel, str | None]:
    """The model that the row names, and the stored format its name tells. Raises CannotEstimate."""
    found = names.model(row.get("model") or "")
    if isinstance(found, Miss):
        raise CannotEstimate(str(found))
    assumed += [str(a) for a in found.assumptions]
    return found.model, found.weights.format if found.weights else None


def card_of(row: Row, names: Names, assumed: list[str]) -> Card | None:
    """The card that the row names, None for a blank cell or an unknown card."""
    text = row.get("gpu") or ""
    found = names.card(text) if text else None
    if found is None or isinstance(found, Miss):
        assumed.append("card: not named" if not text else f"card: {text} is not in the catalog")
        return None
    assumed += [str(a) for a in found.assumptions]
    return found.card
