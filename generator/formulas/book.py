"""The formulas as the pages and the command line read them: names, units, meanings, MathML. Needs no SymPy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).parent / "book.json"


@dataclass(frozen=True)
class Quantity:
    """A number with a name.

    ``name`` is its identifier in every lowering, ``sign`` what a formula shows (``h``, ``n_kv``: the
    part after the underscore is set as an index), ``unit`` is empty for a pure number, ``meaning``
    is an English interface string.
    """

    name: str
    sign: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Part:
    """Formulas that are read together; ``key`` is their anchor, ``title`` and ``about`` are interface strings."""

    key: str
    title: str
    about: str


@dataclass(frozen=True)
class Formula:
    """One equation; ``mathml`` is its right side, every symbol a slot ``⟦name⟧``; ``part`` is the key of its part."""

    gives: str
    mathml: str
    sources: tuple[str, ...]
    holds: str
    term: bool
    part: str


@dataclass(frozen=True)
class Program:
    """Formulas in the order in which they are computed."""

    name: str
    title: str
    quantities: Mapping[str, Quantity]
    parts: tuple[Part, ...]
    formulas: tuple[Formula, ...]

    @property
    def inputs(self) -> tuple[Quantity, ...]:
        """The quantities that no formula gives."""
        computed = {f.gives for f in self.formulas}
        return tuple(q for q in self.quantities.values() if q.name not in computed)


@cache
def programs() -> Mapping[str, Program]:
    """All programs by name, in the order in which the guide explains them."""
    raw = json.loads(PATH.read_text(encoding="utf-8"))
    return {
        name: Program(
            name,
            content["title"],
            {q: Quantity(q, **fields) for q, fields in content["quantities"].items()},
            tuple(Part(**fields) for fields in content["parts"]),
            tuple(Formula(**{**fields, "sources": tuple(fields["sources"])}) for fields in content["formulas"]),
        )
        for name, content in raw.items()
    }


def program(name: str) -> Program:
    """One program. Raises KeyError for a name that is none."""
    return programs()[name]
