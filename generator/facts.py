"""A value together with how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """The four ways in which a number on the site can be known."""

    MEASURED = "measured"
    PUBLISHED = "published"
    DERIVED = "derived"
    ESTIMATED = "estimated"


class State(StrEnum):
    """Why there is no number, or that there is one."""

    KNOWN = "known"
    NONE = "none"  # the card has no such thing; that is a fact
    EMULATED = "emulated"  # it runs, slowly: no hardware for it
    UNSUPPORTED = "unsupported"  # it does not run
    UNKNOWN = "unknown"  # not published, or not read in any source


@dataclass(frozen=True)
class Fact:
    """One value of one card.

    ``value`` is a number, a string or a bool, ``None`` unless ``state`` is KNOWN. ``formula`` is
    the calculation with this card's numbers in it, for DERIVED values. ``sources`` are ids.
    """

    value: float | str | bool | None
    state: State
    proof: Proof | None = None
    sources: tuple[str, ...] = ()
    formula: str | None = None

    @property
    def number(self) -> float | None:
        """The value if it is a number, for sorting and ranking."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        return float(self.value)


UNKNOWN = Fact(None, State.UNKNOWN)


def known(
    value: float | str | bool | None,
    sources: tuple[str, ...] = (),
    *,
    derived: bool = False,
    formula: str | None = None,
) -> Fact:
    """A published (or, when ``derived``, a derived) fact; ``None`` becomes UNKNOWN."""
    if value is None:
        return UNKNOWN
    proof = Proof.DERIVED if derived else Proof.PUBLISHED
    return Fact(value, State.KNOWN, proof, sources, formula)
