"""What a named choice means in numbers: ``generator/formulas/options/*.yaml``, one table a file section.

A choice such as ``optimizer: adamw-8bit`` stands for constants that formulas use as quantities. Nothing else is
looked up anywhere: how choices act on each other is written in the formulas, with 0 and 1 as switches, so that the
browser needs only these tables and the lowered formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from generator.explain import explain
from generator.located import Located
from generator.problems import DataError, Problem, near
from generator.schema.base import Line, Model, SourceId
from generator.yamlfile import read_yaml

FOLDER = Path(__file__).parent / "formulas" / "options"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
OptionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9_.+-]*$", max_length=60)]


class Option(Model):
    """One choice: its constants by the name of their quantity."""

    numbers: dict[Name, float]
    basis: Line = Field(description="where the constants come from: code that was read, a paper, arithmetic")
    sources: list[SourceId] = []


class Table(Model):
    """All choices of one kind. Every option has the same quantities."""

    about: Line
    options: dict[OptionName, Option] = Field(min_length=1)


class OptionFile(Model):
    """A file of tables."""

    tables: dict[Name, Table]


@dataclass(frozen=True)
class Options:
    """All tables; see :meth:`numbers`."""

    tables: Mapping[str, Table]

    def numbers(self, table: str, option: str) -> Mapping[str, float]:
        """The constants of one option. Raises KeyError with near names for one that does not exist."""
        options = self.tables[table].options
        if option not in options:
            raise KeyError(f"{table}: '{option}' is not known{near(option, options)}; expected {', '.join(options)}")
        return options[option].numbers

    def names(self, table: str) -> tuple[str, ...]:
        """All options of a table."""
        return tuple(self.tables[table].options)


@cache
def load() -> Options:
    """Read and check all tables. Raises DataError."""
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    owner: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        shown = f"generator/formulas/options/{path.name}"
        data, lines, found = read_yaml(path, shown)
        problems += found
        if found:
            continue
        try:
            parsed = OptionFile.model_validate(data)
        except ValidationError as error:
            problems += explain(error, Located(data, shown, lines), OptionFile)
            continue
        for name, table in parsed.tables.items():
            problems += _check(shown, name, table, tables, owner)
            tables[name] = table
    if problems:
        raise DataError(problems)
    return Options(tables)


def _check(path: str, name: str, table: Table, known: Mapping[str, Table], owner: dict[str, str]) -> Iterable[Problem]:
    where = f"tables.{name}"
    if name in known:
        yield Problem(path, 0, where, "this table exists twice", "one table of each name")
    quantities = set(next(iter(table.options.values())).numbers)
    for option, content in table.options.items():
        if set(content.numbers) != quantities:
            odd = ", ".join(sorted(set(content.numbers) ^ quantities))
            yield Problem(path, 0, f"{where}.options.{option}", f"other quantities than its neighbours: {odd}",
                          "the same quantities in every option")  # fmt: skip
    for quantity in sorted(quantities):
        if owner.setdefault(quantity, name) != name:
            yield Problem(path, 0, where, f"{quantity} is also in the table {owner[quantity]}", "one table a quantity")
