"""From a question to numbers: each module gathers the inputs of one program and runs its lowered formulas.

No arithmetic of the model stands here: only formulas know physics, only option tables know constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from generator import options
from generator.question import Inference, Training


class CannotEstimate(ValueError):  # noqa: N818 (it is an answer, not a fault)
    """There is no estimate. ``str()`` is the reason, one line for a reader."""


def of_work(work: Training | Inference, tables: Iterable[str], sizes: Mapping[str, str]) -> dict[str, float]:
    """The constants of the named choices of a piece of work, and its own numbers: ``sizes`` is input -> field.

    True and false become 1 and 0.
    """
    known = options.load()
    found: dict[str, float] = {}
    for table in tables:
        found.update(known.numbers(table, getattr(work, table)))
    return {**found, **{name: float(getattr(work, field)) for name, field in sizes.items()}}
