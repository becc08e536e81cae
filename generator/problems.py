"""Problems in data files, said in a form that a person can act on.

Everything that reads ``data/`` collects :class:`Problem` objects instead of stopping at the
first one, so that a contributor sees all of them at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

MAX_VALUE_CHARS = 60


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in one file.

    ``path`` is relative to the repository root, ``line`` counts from 1 (0 = the whole file) and
    ``field`` is the dotted path of the key, empty for the whole file.
    """

    path: str
    line: int
    field: str
    what: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        field = f" {self.field}:" if self.field else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{where}:{field} {self.what}{expected}"


class DataError(Exception):
    """Raised when data cannot be used. ``str()`` is the finished report, one problem a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__(report(self.problems))


def report(problems: list[Problem]) -> str:
    """All problems, one a line, then the count."""
    n = len(problems)
    files = len({p.path for p in problems})
    tail = f"{n} problem{'s' if n != 1 else ''} in {files} file{'s' if files != 1 else ''}"
    return "\n".join([*(str(p) for p in problems), tail])


def show(value: object) -> str:
    """A value as it is quoted in a problem: on one line, short, control characters escaped."""
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 1] + "…"


def near(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` when a known name is close to ``name``, else an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""
