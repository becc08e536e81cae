"""What software runs on a compute capability, for the pages; the answers come from :mod:`generator.support`."""

from __future__ import annotations

from generator.catalog import Catalog
from generator.schema import Software, SoftwareFact
from generator.schema.software import capability_key
from generator.support import QUESTIONS, Answer, answers, resolve

__all__ = ["QUESTIONS", "Answer", "answers", "facts_for", "matrix", "resolve"]


def facts_for(catalog: Catalog, capability: str) -> list[tuple[Software, list[SoftwareFact]]]:
    """Every fact that names this compute capability, grouped by software."""
    found = []
    for software in catalog.software.values():
        facts = [f for f in software.facts if _names(f, capability)]
        if facts:
            found.append((software, facts))
    return found


def _names(fact: SoftwareFact, capability: str) -> bool:
    span = fact.compute_capability
    return (span.min is not None or span.max is not None) and fact.covers(capability)


def matrix(catalog: Catalog) -> list[tuple[str, list[Answer]]]:
    """All answers for every compute capability that a card in the catalog has."""
    present = {a.compute_capability for a in catalog.architectures.values()}
    return [(cc, answers(catalog, cc)) for cc in sorted(present, key=capability_key)]
