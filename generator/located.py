"""An object together with the file and lines it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from generator.problems import Problem
from generator.yamlfile import Lines, Loc, dotted

T = TypeVar("T")


@dataclass(frozen=True)
class Located(Generic[T]):
    """``value`` as read from ``path`` (relative to the repository), with the line of each key."""

    value: T
    path: str
    lines: Lines

    def line(self, loc: Loc) -> int:
        """The line of a key, or of the nearest enclosing one that stands in the file."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return 1

    def problem(self, loc: Loc, what: str, expected: str) -> Problem:
        """A problem at ``loc`` of this file."""
        return Problem(self.path, self.line(loc), dotted(loc), what, expected)
